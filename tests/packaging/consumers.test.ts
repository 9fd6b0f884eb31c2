import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at } from '../../scripts/lib/paths.mjs';
import { type Browser, openBrowser, startServer, type Tab } from '../browser/harness/index.js';
import { type App, buildApp, checkTypes, installApp, serveApp, wasmIn } from './app.js';
import { type Cell, type Consumer, consumers } from './consumers.js';
import { pack } from './packed.js';

/** For downloads. */
const patience = 300_000;

let browser: Browser;
let tarball: string;

beforeAll(async () => {
  tarball = await pack('consumers');
  browser = await openBrowser('chromium');
  return () => browser.close();
});

describe.each(chosen())('$name', (consumer) => {
  let app: App;

  beforeAll(async () => {
    app = await installApp(consumer, tarball);
  }, patience);

  afterAll(() => app?.remove());

  test('type-checks', () => checkTypes(app), patience);

  for (const cell of consumer.cells) {
    if (cell.site) {
      test(
        `${cell.way}: the output holds the wasm once, and two tabs share one connection`,
        async () => {
          const site = await buildApp(app, cell);
          const wasm = await wasmIn(site);
          expect(wasm).toEqual(cell.wasm ?? { files: 1, inlined: 0 });
          await share([site]);
          note(consumer, cell, wasm);
        },
        patience,
      );
    } else {
      test(
        `${cell.way}: two tabs share one connection`,
        async () => {
          if (!cell.command) throw new Error(`${consumer.name} has nothing that serves`);
          const { url, stop } = await serveApp(app, cell.command);
          try {
            await share([], url);
          } finally {
            await stop();
          }
          note(consumer, cell);
        },
        patience,
      );
    }
  }
});

/** Opens two tabs of a page with each kind of host, and sees that the server has one connection and that both get what it sends. */
async function share(folders: string[], url?: string) {
  for (const use of ['auto', 'leader-tab']) {
    const server = await startServer({ static: folders });
    try {
      const query = `/?use=${use}&socket=${encodeURIComponent(server.socket())}`;
      const tabs = await browser.openTabs(2, url ? `${url}${query}` : server.page(query));
      for (const tab of tabs) await shows(tab, `open in ${use === 'auto' ? 'shared-worker' : use}`);
      const { live, total } = await server.control.stats();
      expect({ live, total }).toEqual({ live: 1, total: 1 });
      await server.control.broadcast('to all');
      for (const tab of tabs) expect(await received(tab)).toEqual(['to all']);
    } finally {
      await browser.closeTabs();
      await server.close();
    }
  }
}

const shows = (tab: Tab, text: string) =>
  tab.waitFor(`the page to show '${text}'`, () => document.querySelector('output')?.textContent ?? '', {
    until: (shown) => shown === text,
    timeout: 30_000,
  });

const received = (tab: Tab) =>
  tab.waitFor('a message', () => (window as unknown as { texts: unknown[] }).texts, {
    until: (texts) => texts.length > 0,
  });

/** Leaves a line for the table of docs/PACKAGING.md. */
function note({ name, tools }: Consumer, { way, takes }: Cell, wasm?: Awaited<ReturnType<typeof wasmIn>>) {
  const place = consumers.findIndex((consumer) => consumer.name === name);
  const [tool] = Object.entries(tools);
  const row = { place, name, tool: tool?.join(' ') ?? 'plain module script', way, wasm, takes };
  mkdirSync(at('target/packaging/rows'), { recursive: true });
  writeFileSync(at('target/packaging/rows', `${name}, ${way}.json`), JSON.stringify(row));
}

/** Those that TABWIRE_CONSUMERS names, with commas, or `all`; by default the quick ones. */
function chosen(): Consumer[] {
  const names = process.env.TABWIRE_CONSUMERS?.split(',');
  const unknown = names?.find((name) => name !== 'all' && !consumers.some((consumer) => consumer.name === name));
  if (unknown) {
    throw new Error(`there is no consumer '${unknown}': take any of ${consumers.map(({ name }) => name).join(', ')}`);
  }
  return consumers.filter(({ name, quick }) => (names ? names.includes(name) || names.includes('all') : quick));
}
