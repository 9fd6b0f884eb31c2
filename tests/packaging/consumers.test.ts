import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at } from '../../scripts/lib/paths.mjs';
import { type Browser, openBrowser } from '../browser/harness/index.js';
import { type App, buildApp, checkTypes, installApp, serveApp, wasmIn } from './app.js';
import { type Cell, type Consumer, consumers } from './consumers.js';
import { pack } from './packed.js';
import { share } from './share.js';

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
          await share(browser, [site]);
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
            await share(browser, [], url);
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

/** Leaves a line for the table of docs/PACKAGING.md. */
function note(consumer: Consumer, cell: Cell, wasm?: Awaited<ReturnType<typeof wasmIn>>) {
  const { name, title, tools, cells } = consumer;
  const place = [consumers.findIndex((one) => one.name === name), cells.indexOf(cell)];
  const [version = ''] = Object.values(tools);
  const row = { place, consumer: `${title} ${version}`.trim(), way: cell.way, wasm, takes: cell.takes };
  mkdirSync(at('target/packaging/rows'), { recursive: true });
  writeFileSync(at('target/packaging/rows', `${place.join('-')}.json`), JSON.stringify(row));
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
