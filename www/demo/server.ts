import { poll } from './poll.js';
import { createStore, type Store } from './store.js';

/** What the server says of itself, as far as the page shows it. */
export interface Stats {
  /** WebSockets that are open. */
  live: number;
  /** Those of them that a fault keeps silent. */
  hung: number;
  /** Whether it takes new connections. */
  listening: boolean;
  /** Streams of events that are open, and requests for events that were answered. */
  streams: number;
  polls: number;
  /** The fault that befalls new connections. */
  fault: { kind: string } | null;
  /** What befalls the routes that fail. */
  routes: Record<string, string>;
}

/** What the server tells a page first. */
export interface Config {
  /** Where its WebSockets are. */
  wire: string;
  /** The symbols of which it has prices. */
  prices: string[];
}

/** Asks the server where everything is. */
export const readConfig = async () => {
  const answer = await fetch('/config.json');
  if (!answer.ok) throw new Error(`config.json: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Config;
};

/** Gives the server an order, such as `reset` or `fault`; throws with its answer when it refuses. */
export const control = async (order: string, body: object = {}) => {
  const answer = await fetch(`/control/${order}`, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${order}: ${await answer.text()}`);
};

/**
 * Watches what the server counts: `undefined` at first, `null` while it does not answer. It is asked again and again, and by visible tabs only,
 * because a long poll in each tab would use up the six connections that a browser opens to one server.
 */
export const watchStats = (): Store<Stats | null | undefined> => {
  const stats = createStore<Stats | null | undefined>(undefined);
  poll(500, async () => {
    const answer = await fetch('/control/stats').catch(() => null);
    stats.set(answer?.ok ? ((await answer.json()) as Stats) : null);
  });
  return stats;
};
