import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, openBrowser, type Server, startServer, type Tab } from '../browser/harness/index.js';
import { buildScratchApp, type ScratchApp } from './scratch-app.js';

let app: ScratchApp;
let server: Server;
let browser: Browser;

beforeAll(async () => {
  app = await buildScratchApp('vite-react');
  server = await startServer({ static: [app.site] });
  browser = await openBrowser('chromium');
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
  await app?.remove();
});

test('a Vite build of an app holds the wasm once', () => {
  expect(app.files.filter((name) => name.endsWith('.wasm'))).toHaveLength(1);
});

test('two tabs of the built app share one connection, and both get what the server sends', async () => {
  const tabs = await browser.openTabs(2, server.page(`/?socket=${encodeURIComponent(server.socket())}`));
  for (const tab of tabs) await shows(tab, 'open in shared-worker');
  const { live, total } = await server.control.stats();
  expect({ live, total }).toEqual({ live: 1, total: 1 });

  await server.control.broadcast('to all');
  for (const tab of tabs) expect(await received(tab)).toEqual(['to all']);
});

const shows = (tab: Tab, text: string) =>
  tab.waitFor(`the page to show '${text}'`, () => document.querySelector('output')?.textContent ?? '', {
    until: (shown) => shown === text,
  });

const received = (tab: Tab) =>
  tab.waitFor('a message', () => (window as unknown as { texts: unknown[] }).texts, {
    until: (texts) => texts.length > 0,
  });
