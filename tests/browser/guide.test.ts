import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import react from '@vitejs/plugin-react';
import { build } from 'vite';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { at } from '../../scripts/lib/paths.mjs';
import { type Block, guides } from '../docs/documents.js';
import { ended } from './harness/driver-process.js';
import { describeEngines, type Tab } from './harness/index.js';

const folder = 'target/guide';
/** Served as a site of its own, with what the guide says to copy beside it. */
const site = 'target/test-site/guide';

/** The only block of the guide in a language that has this in it. */
function block(language: string, what: string): Block {
  const guide = guides.find(({ path }) => path === 'docs/GETTING-STARTED.md');
  const found = guide?.blocks.filter((block) => block.language === language && block.code.includes(what)) ?? [];
  if (found.length !== 1 || !found[0])
    throw new Error(`the guide has ${found.length} blocks of ${language} with ${what}`);
  return found[0];
}

/** Where the server of the guide is, which takes a free port here: the page is told. */
const told = "new URLSearchParams(location.search).get('socket')";

/** The app as the guide has it, but for the address of its server and for where the package comes from. */
beforeAll(async () => {
  const app = block('tsx', 'export default function App').code.replace('"ws://localhost:8080"', `{${told} ?? ''}`);
  const page = block('html', 'importmap').code;
  const files = {
    [`${folder}/index.html`]: '<div id="root"></div><script type="module" src="./main.tsx"></script>',
    [`${folder}/main.tsx`]:
      "import { createRoot } from 'react-dom/client';\nimport App from './App.tsx';\ncreateRoot(document.getElementById('root')!).render(<App />);",
    [`${folder}/App.tsx`]: app,
    [`${folder}/server.mjs`]: `${block('js', 'WebSocketServer').code.replace('8080', "0, host: '127.0.0.1'")}
server.on('listening', () => console.log(server.address().port));`,
    [`${site}/plain.html`]: page.replace("'wss://example.com/prices'", told).replace('/tabwire/', '/dist/'),
  };
  rmSync(at(folder), { recursive: true, force: true });
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(at(file, '..'), { recursive: true });
    writeFileSync(at(file), text);
  }
  await build({
    configFile: false,
    root: at(folder),
    base: './',
    plugins: [react()],
    build: { outDir: at(site), emptyOutDir: false },
    logLevel: 'error',
  });
});

/** Starts the server of the guide, and gives where it is and what it prints. */
async function startGuideServer(): Promise<{ socket: string; printed: string[] }> {
  const child = spawn(execPath, [at(folder, 'server.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    child.kill();
    await ended(child);
  });
  const printed: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const port = await new Promise<string>((resolve) => lines.once('line', resolve));
  lines.on('line', (line) => printed.push(line));
  return { socket: encodeURIComponent(`ws://127.0.0.1:${port}`), printed };
}

const untilShown = (tab: Tab, what: string) =>
  tab.waitFor(what, () => document.body.innerText, { until: (text) => text.includes(what), timeout: 20_000 });

describeEngines('the guide to get started', (use) => {
  test('ends with two tabs that show live data of one connection', async () => {
    const { socket, printed } = await startGuideServer();
    const tabs = await use.browser.openTabs(2, use.server.page(`/guide/?socket=${socket}`));
    for (const tab of tabs) {
      await untilShown(tab, '"price":');
      await untilShown(tab, 'open (opened) by shared-worker');
    }
    expect(printed).toEqual(['connections: 1']);
  });

  test('has a page without a bundler that shows what the server says', async () => {
    const { socket } = await startGuideServer();
    const [tab] = await use.browser.openTabs(1, use.server.page(`/guide/plain.html?socket=${socket}`));
    await untilShown(tab as Tab, '"price":');
  });
});
