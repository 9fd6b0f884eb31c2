import { readFileSync } from 'node:fs';
import { build, type Plugin } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { at, root } from '../../scripts/lib/paths.mjs';
import { describeEngines } from './harness/index.js';
import { first } from './listening.js';

declare global {
  interface Window {
    lines: string[];
  }
}

/** The modules of docs/MIGRATING.md: where from, and before or after. */
const recipes = readFileSync(at('docs/MIGRATING.md'), 'utf8')
  .split(/^## From /m)
  .slice(1)
  .map((section) => {
    const codeOf = (when: string) => section.match(new RegExp(`\`\`\`tsx?\n// ${when}\n(.*?)\`\`\``, 's'))?.[1] ?? '';
    return { from: section.match(/`(.+?)`/)?.[1] ?? '', before: codeOf('before'), after: codeOf('after') };
  });

/** The package as it is built, which must stay apart to find its worker; React is the same for all. */
const asBuilt: Plugin = {
  name: 'as-built',
  setup({ onResolve }) {
    onResolve({ filter: /^tabwire$|^\.\/index\.js$/ }, ({ path, importer }) =>
      path === 'tabwire' || importer === at('dist/react.js') ? { path: '/dist/index.js', external: true } : undefined,
    );
    onResolve({ filter: /^tabwire\/react$/ }, () => ({ path: at('dist/react.js') }));
  },
};

const bundle = async (code: string, url: string) => {
  const { outputFiles } = await build({
    stdin: { contents: code.replaceAll('wss://example.com/chat', url), loader: 'tsx', resolveDir: root },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [asBuilt],
  });
  return outputFiles[0]?.text ?? '';
};

test('there is a recipe for each', () => {
  expect(recipes.map(({ from }) => from)).toEqual([
    'WebSocket',
    'reconnecting-websocket',
    'partysocket',
    'react-use-websocket',
  ]);
});

describe.each(recipes)('moving over from $from', ({ before, after, from }) => {
  const early = from === 'react-use-websocket' ? [] : ['message early'];
  const round = ['open', ...early, 'message hello', 'close', 'open', 'message hello'];

  describeEngines(
    'does the same, before and after',
    (use) => {
      test.each([
        ['before', before],
        ['after', after],
      ])('%s: opens, sends, hears, and comes back after a close', async (_, code) => {
        const tab = first(await use.browser.openTabs(1, use.server.page()));
        await tab.run(
          (code) => {
            window.lines = [];
            console.log = (...words: unknown[]) => window.lines.push(words.join(' '));
            const script = document.createElement('script');
            script.type = 'module';
            script.textContent = code;
            document.head.append(script);
          },
          await bundle(code, use.server.socket()),
        );
        const heard = (count: number) =>
          tab.waitFor(`${count} messages`, () => window.lines, {
            until: (lines) => lines.filter((line) => line.startsWith('message')).length === count,
            timeout: 20_000,
          });
        await heard(early.length + 1);
        await use.server.control.close({ code: 1012, reason: 'restart' });
        expect(await heard(early.length + 2)).toEqual(round);
        await use.server.control.wait({ live: 1, total: 2 });
      });
    },
    { only: ['chromium'] },
  );
});
