import type { Hub } from 'tabwire';
import { poll } from './poll.js';
import { createStore, type Store } from './store.js';

/** What a hub tells of itself, as far as the page shows it. */
export interface HubReport {
  /** Tabs that are there. */
  readonly tabs: number;
  /** Tabs that are frozen or in the back-forward cache. */
  readonly suspended: number;
  /** Connections of all tabs. */
  readonly connections: number;
  /** The connections that this tab has attached, the oldest first. */
  readonly attached: readonly ConnectionReport[];
}

/** One connection, counted over all tabs. */
export interface ConnectionReport {
  /** The last round trip of a ping, in ms. */
  readonly rtt: number | null;
  /** Messages waiting to be sent, and for slow or hidden tabs. */
  readonly queued: number;
  readonly backlog: number;
  readonly counters: {
    readonly received: number;
    readonly sent: number;
    readonly lost: number;
    readonly failed: number;
    readonly dropped: number;
  };
}

/** Watches what the hub tells, and passes on each new number of tabs. */
export const watchReport = (hub: Hub, tell: (tabs: number) => void): Store<HubReport> => {
  const report = createStore<HubReport>({ tabs: 1, suspended: 0, connections: 1, attached: [] });
  let told = 0;
  poll(250, async () => {
    const next = (await hub.report().catch(() => report.get())) as HubReport;
    if (next.tabs !== told) tell(next.tabs);
    told = next.tabs;
    report.set(next);
  });
  return report;
};
