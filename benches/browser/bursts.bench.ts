import { test } from 'vitest';
import { engines, openBrowser, type Server, type Tab, waitFor } from '../../tests/browser/harness/index.js';
import type { Callers } from './pages/callers.js';
import { bundlePeers } from './peers.js';
import { startSite } from './site.js';
import { median, percentile } from './summary.js';
import { fine, table, whole } from './table.js';

/** What comes of calls to a server that fails in bursts, 60 % of which would succeed by themselves, and what they cost the server. */
for (const engine of engines) {
  test(`a server that fails in bursts, in ${engine}`, { timeout: 60 * 60_000 }, async () => {
    await bundlePeers();
    const browser = await openBrowser(engine, { prefs: { 'privacy.reduceTimerPrecision': false } });
    const server = await startSite();
    const tabs = await browser.openTabs(tabCount, server.page('/gates.html'), { kind: 'window' });
    for (const [fail_ms, period_ms] of bursts) {
      const rounds: Record<string, Counted[]> = {};
      for (let round = 0; round < roundCount; round++) {
        for (const way of ways) {
          const route = `${fail_ms}-${round}-${way}`;
          await server.control.service({ route, mode: 'burst', fail_ms, period_ms });
          const counted = await call(tabs, way, server, route);
          rounds[way] = [...(rounds[way] ?? []), counted];
          process.stdout.write(`${route}: ${JSON.stringify(counted)}\n`);
        }
      }
      const title = `${engine}, ${tabCount} tabs, ${1000 / every} calls a second each, failing for ${fail_ms} of ${period_ms} ms`;
      process.stdout.write(`\n${title}\n\n${report(rounds)}\n`);
    }
    await browser.close();
    await server.close();
  });
}

/** Lets all tabs call the route at their rate, and counts what becomes of it. */
async function call(tabs: readonly Tab[], way: Callers, server: Server, route: string): Promise<Counted> {
  const url = `${server.site}/api/v1/service/${route}`;
  const plan = { breaker: route, count: perTab, every };
  for (const tab of tabs) {
    await tab.run((way, url, plan) => window.gates.callSteadily(way, url, plan), way, url, plan);
  }
  const ended: Awaited<ReturnType<Window['gates']['outcomes']>> = [];
  for (const tab of tabs) {
    const read = () => tab.run(() => window.gates.outcomes());
    ended.push(...(await waitFor('all calls', read, { until: (all) => all.length === perTab, timeout: 50_000 })));
  }
  const { calls = 0, answered = {} } = (await server.control.services()).routes[route] ?? {};
  const share = (count: number) => count / ended.length;
  const shareOf = (kind: string) => share(ended.filter(({ what }) => what === kind).length);
  const times = ended.map(({ ms }) => ms);
  return {
    ok: shareOf('ok'),
    failed: shareOf('failed'),
    refused: shareOf('refused'),
    reached: share(calls),
    inVain: share(answered['503'] ?? 0),
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
  };
}

interface Counted {
  /** Shares of the calls that pages wanted made. */
  readonly ok: number;
  readonly failed: number;
  readonly refused: number;
  /** Requests that the server saw, for each such call, and those of them that it saw while it was failing. */
  readonly reached: number;
  readonly inVain: number;
  /** Ms from a call to its outcome, whatever that is. */
  readonly p50: number;
  readonly p99: number;
}

const report = (rounds: Record<string, Counted[]>) =>
  table(
    ['calls by', 'succeeded', 'failed', 'refused', 'requests', 'while failing', 'p50 ms', 'p99 ms'],
    ways.map((way) => {
      const of = (column: keyof Counted) => median((rounds[way] ?? []).map((counted) => counted[column]));
      const percent = (column: keyof Counted) => `${whole(100 * of(column))} %`;
      return [
        titles[way],
        percent('ok'),
        percent('failed'),
        percent('refused'),
        fine(of('reached')),
        fine(of('inVain')),
        whole(of('p50')),
        whole(of('p99')),
      ];
    }),
  );

const titles: Record<Callers, string> = {
  plain: '`fetch`',
  plainRetry: '`fetch`, again after 100, 200, 400 ms',
  plainWait: 'the same, and again for 5 s',
  gated: '`gatedFetch`',
  gatedRetry: '`gatedFetch`, `retry` 100, 200, 400 ms',
  suited: '`gatedFetch`, suited breaker',
  suitedRetry: '`gatedFetch`, suited breaker, `retry`',
  suitedWait: 'the same, and again for 5 s',
};

const ways = Object.keys(titles) as Callers[];

/** Shorter than three retries take, longer, and as long as what breakers are for. */
const bursts = [
  [400, 1000],
  [2000, 5000],
  [12_000, 30_000],
] as const;

const tabCount = 4;
/** Ms from one call of a tab to the next. */
const every = 100;
/** Calls of a tab: 30 s of them. */
const perTab = 300;
const roundCount = 3;
