import type { Server, Tab } from '../../tests/browser/harness/index.js';
import type { Way } from './pages/ways.js';

export type { Way };

declare global {
  interface Window {
    /** What the pages of the benchmark can do. */
    bench: typeof import('./pages/bench.js');
  }
}

/** Those that a plain worker and a socket a tab are compared with, in the order in which each round measures them. */
export const ways = ['native', 'plain', 'tabwire'] as const satisfies readonly Way[];

export type Compared = (typeof ways)[number];

/** Connects all tabs, measures, and leaves nothing connected. */
export async function joined<T>(
  tabs: readonly Tab[],
  way: Way,
  { server, url = server.socket() }: { server: Server; url?: string },
  measure: () => Promise<T>,
): Promise<T> {
  for (const tab of tabs) await join(tab, way, url);
  try {
    return await measure();
  } finally {
    for (const tab of tabs) await leave(tab);
    await server.control.wait({ live: 0 });
  }
}

/** Connects one tab, and returns the time from the constructor to the open event, in ms. */
export const join = (tab: Tab, way: Way, url: string): Promise<number> =>
  tab.run((way, url) => window.bench.join(way, url), way, url);

/** Disconnects one tab. */
export const leave = (tab: Tab): Promise<void> => tab.run(() => window.bench.leave());

/** What each tab has recorded, once every one has got all messages; fails when one of them lacks any or has them out of order. */
export async function recordedBy(tabs: readonly Tab[], count: number): Promise<Recorded[]> {
  const deadline = performance.now() + patience;
  for (const tab of tabs) {
    await tab.run((rest) => window.bench.recorded(rest), Math.max(0, deadline - performance.now()));
  }
  const records: Recorded[] = [];
  for (const tab of tabs) records.push(await tab.run(() => window.bench.recorded(0)));
  for (const [index, { count: got, disorder, losses }] of records.entries()) {
    if (got === count && disorder === 0) continue;
    const places = `${disorder} of them not in their place`;
    throw new Error(
      `tab ${index} got ${got} of ${count} messages, ${places}; ${losses.join('; ') || 'no loss was told'}`,
    );
  }
  return records;
}

export type Recorded = Awaited<ReturnType<Window['bench']['recorded']>>;

/** How long tabs may take for what is on its way, in ms; below the driver's limit for a script. */
const patience = 50_000;
