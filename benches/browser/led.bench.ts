import { test } from 'vitest';
import { engines, openBrowser } from '../../tests/browser/harness/index.js';
import { flood } from './flood.js';
import { startSite } from './site.js';
import { stream } from './stream.js';
import { fine, spread, table, whole } from './table.js';
import type { Way } from './ways.js';

const ways: readonly [Way, string][] = [
  ['native', 'a socket a tab'],
  ['tabwire', 'SharedWorker'],
  ['led', 'leader tab'],
];

/** The hub of a leading tab beside that of a SharedWorker: five tabs, in turn, again and again. */
for (const engine of engines) {
  test(`five tabs, one of which leads, in ${engine}`, { timeout: 20 * 60_000 }, async () => {
    const browser = await openBrowser(engine, { prefs: { 'privacy.reduceTimerPrecision': false } });
    const server = await startSite();
    const tabs = await browser.openTabs(5, server.page('/bench.html'), { kind: 'window' });
    const rows: string[][] = [];
    const measured = ways.map(() => ({ rates: [] as number[], p50: [] as number[], p99: [] as number[], live: 0 }));
    for (let round = 0; round < 5; round++) {
      for (const [index, [way]] of ways.entries()) {
        const of = measured[index];
        if (!of) continue;
        const { deliveriesPerSecond, connections } = await flood(tabs, way, server);
        const { p50, p99 } = await stream(tabs, way, server);
        of.rates.push(deliveriesPerSecond);
        of.p50.push(p50);
        of.p99.push(p99);
        of.live = connections;
        process.stdout.write(
          `round ${round}, ${way}: ${whole(deliveriesPerSecond)}/s, ${fine(p50)}, ${fine(p99)} ms\n`,
        );
      }
    }
    for (const [index, [, name]] of ways.entries()) {
      const { rates = [], p50 = [], p99 = [], live = 0 } = measured[index] ?? {};
      rows.push([name, `${live}`, spread(rates, whole), spread(p50, fine), spread(p99, fine)]);
    }
    const head = ['hub', 'connections', 'deliveries/s', 'p50 ms at 1000/s', 'p99 ms'];
    process.stdout.write(`\n${engine}, 5 tabs, medians of 5 rounds (least to most)\n\n${table(head, rows)}\n`);
    await browser.close();
    await server.close();
  });
}
