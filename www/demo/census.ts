import type { Hub } from 'tabwire';
import { poll } from './poll.js';
import { createStore, type Store } from './store.js';

/** What a hub counts. */
export interface Census {
  /** Tabs that are there. */
  readonly tabs: number;
  /** Connections of all tabs. */
  readonly connections: number;
}

/** Watches what the hub counts, and tells each new number of tabs. */
export const watchCensus = (hub: Hub, tell: (tabs: number) => void): Store<Census> => {
  const census = createStore<Census>({ tabs: 1, connections: 1 });
  let told = 0;
  poll(250, async () => {
    const before = census.get();
    const { tabs, connections } = (await hub.report().catch(() => before)) as Census;
    if (tabs !== told) tell(tabs);
    told = tabs;
    if (tabs !== before.tabs || connections !== before.connections) census.set({ tabs, connections });
  });
  return census;
};
