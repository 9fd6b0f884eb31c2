import { test } from 'vitest';
import { engines, openBrowser } from '../../tests/browser/harness/index.js';
import type { Breakers } from './pages/breakers.js';
import type { Course } from './pages/gates.js';
import { bundlePeers } from './peers.js';
import { startSite } from './site.js';
import { median, percentile } from './summary.js';
import { fine, spread, table, whole } from './table.js';

/** What a call costs behind a breaker: by itself, beside other libraries, and beside the request that it is made for. */
for (const engine of engines) {
  test(`decisions a second in ${engine}`, { timeout: 10 * 60_000 }, async () => {
    await bundlePeers();
    const { browser, server, tab } = await open(engine);
    const decide = (way: Breakers, course: Course) =>
      tab.run((way, course) => window.gates.decide(way, course), way, course);
    const rows: string[][] = [];
    for (const course of courses) {
      const present = ways.filter((way) => way !== 'none' || course !== 'open');
      for (const way of present) await decide(way, course);
      const rounds: Record<Breakers, Decided>[] = [];
      for (let round = 0; round < roundCount; round++) {
        const measured: Partial<Record<Breakers, Decided>> = {};
        for (const way of present) measured[way] = await decide(way, course);
        rounds.push(measured as Record<Breakers, Decided>);
      }
      for (const way of present) {
        const rate = ({ calls, ms }: Decided) => (calls * 1000) / ms;
        rows.push([
          course,
          titles[way],
          spread(
            rounds.map((round) => rate(round[way])),
            whole,
          ),
          median(rounds.map((round) => (round[way].ms * 1000) / round[way].calls)).toFixed(2),
          median(rounds.map((round) => rate(round.tabwire) / rate(round[way]))).toFixed(2),
          `${rounds[0]?.[way].refused} of ${rounds[0]?.[way].calls}`,
        ]);
      }
    }
    print(
      `${engine}: decisions a second`,
      table(['course', 'breaker', 'a second', 'µs each', 'tabwire ÷ it', 'refused'], rows),
    );
    await browser.close();
    await server.close();
  });

  test(`fetch and gatedFetch in ${engine}`, { timeout: 10 * 60_000 }, async () => {
    await bundlePeers();
    const { browser, server, tab } = await open(engine);
    const url = `${server.site}/api/v1/public/health`;
    const rows: string[][] = [];
    for (const atOnce of [1, 6]) {
      const measure = (count: number) =>
        tab.run((url, count, atOnce) => window.gates.fetches(url, count, atOnce), url, count, atOnce);
      await measure(120);
      const rounds: Awaited<ReturnType<typeof measure>>[] = [];
      for (let round = 0; round < roundCount; round++) rounds.push(await measure(600));
      for (const [name, of] of Object.entries(figures)) {
        const [plain, gated] = (['plain', 'gated'] as const).map((way) => rounds.map((round) => of(round[way])));
        const ratio = median(rounds.map((round) => of(round.gated) / of(round.plain)));
        rows.push([`${atOnce}`, name, spread(plain ?? [], fine), spread(gated ?? [], fine), ratio.toFixed(2)]);
      }
    }
    print(`${engine}: ms a call, closed`, table(['at once', '', 'fetch', 'gatedFetch', 'gatedFetch ÷ fetch'], rows));
    await browser.close();
    await server.close();
  });
}

async function open(engine: (typeof engines)[number]) {
  const browser = await openBrowser(engine, { prefs: { 'privacy.reduceTimerPrecision': false } });
  const server = await startSite();
  const tab = await browser.openTab(server.page('/gates.html'), { kind: 'window' });
  return { browser, server, tab };
}

type Decided = Awaited<ReturnType<Window['gates']['decide']>>;

const courses: readonly Course[] = ['closed', 'bursts', 'open'];

const ways: readonly Breakers[] = ['none', 'tabwire', 'consecutive', 'sampling', 'opossum'];

const titles: Record<Breakers, string> = {
  none: 'none: await fn()',
  tabwire: 'tabwire, 5 in a row',
  consecutive: 'cockatiel, 5 in a row',
  sampling: 'cockatiel, share',
  opossum: 'opossum, share',
};

const figures: Record<string, (values: readonly number[]) => number> = {
  median,
  mean: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  p99: (values) => percentile(values, 0.99),
};

const print = (title: string, text: string) => process.stdout.write(`\n${title}\n\n${text}\n`);

const roundCount = 7;
