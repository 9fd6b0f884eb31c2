import { test } from 'vitest';
import { engines, openBrowser, type Tab } from '../../tests/browser/harness/index.js';
import { startSite } from './site.js';
import { type Streamed, stream } from './stream.js';
import { median } from './summary.js';

/** What a tab that is blocked costs the others: the same stream, with all tabs well and with one of them blocked, in turn. */
for (const engine of engines) {
  test(`a blocked tab beside three others in ${engine}`, { timeout: 10 * 60_000 }, async () => {
    const browser = await openBrowser(engine, { prefs: { 'privacy.reduceTimerPrecision': false } });
    const server = await startSite();
    const [blocked, ...tabs] = await browser.openTabs(4, server.page('/bench.html'), { kind: 'window' });
    if (!blocked) throw new Error('no tab was opened');
    const measure = async (isBlocked: boolean) => {
      const besides = [blocked];
      if (isBlocked) await block(blocked);
      return stream(tabs, 'tabwire', server, { rate, seconds, besides });
    };
    await measure(false);
    const measured: { well: Streamed; blocked: Streamed }[] = [];
    for (let round = 0; round < rounds; round++) {
      measured.push({ well: await measure(false), blocked: await measure(true) });
    }
    for (const column of ['p50', 'p99'] as const) {
      const [well, with_] = (['well', 'blocked'] as const).map((kind) => measured.map((round) => round[kind][column]));
      const ratio = median(measured.map((round) => round.blocked[column] / round.well[column]));
      const list = (values: number[] = []) => values.map((value) => value.toFixed(1)).join(' ');
      process.stdout.write(
        `${engine} ${column}: well ${list(well)} ms, one blocked ${list(with_)} ms, ratio ${ratio.toFixed(2)}\n`,
      );
    }
    await browser.close();
    await server.close();
  });
}

/** Blocks the main thread of a tab for longer than the stream lasts, once the driver has left it. */
const block = (tab: Tab) =>
  tab.run(
    (ms) => {
      setTimeout(() => {
        for (const until = performance.now() + ms; performance.now() < until; );
      }, 1500);
    },
    (seconds + 4) * 1000,
  );

const rate = 5000;
const seconds = 5;
const rounds = 5;
