import { type BreakerStats, type Hub, isCircuitOpenError } from 'tabwire';
import { breakerTones, type Outcome } from './gated.js';
import { journal } from './journal.js';
import { poll } from './poll.js';
import { createStore, type Store } from './store.js';

/** A route of the server's service, behind a breaker that all tabs share. */
export interface Service {
  /** How the breaker is, and what has gone through it in all tabs. */
  readonly breaker: Store<BreakerStats>;
  /** What has become of the last calls of this tab, the newest last. */
  readonly outcomes: Store<readonly Outcome[]>;
  /** Makes so many calls at once. */
  call(count: number): void;
  /** Closes the breaker, for all tabs. */
  reset(): void;
}

/** The route, as the server's controls name it. */
export const route = 'stock';

/** Makes the breaker of the route; nothing is called yet. */
export const openService = (hub: Hub, base: string): Service => {
  const url = `${base}/api/v1/service/${route}`;
  const breaker = hub.breaker(route, options);
  const stats = createStore(breaker.stats);
  const outcomes = createStore<readonly Outcome[]>([]);
  const look = () => {
    const { stats: found } = breaker;
    const before = stats.get();
    const names = Object.keys(found) as (keyof BreakerStats)[];
    // `retryAt` is computed anew each time, and differs by a rounding.
    const isNews = names.some((name) => name !== 'retryAt' && found[name] !== before[name]);
    if (isNews) stats.set(found);
  };
  breaker.addEventListener('statechange', () => {
    const { state, reason } = breaker.stats;
    journal.add('breaker', breakerTones[state], state, reason);
    look();
  });
  poll(250, async () => look());
  return {
    breaker: stats,
    outcomes,
    call(count) {
      for (let made = 0; made < count; made++) {
        void callOnce(hub, url).then((outcome) => {
          outcomes.set([...outcomes.get().slice(1 - KEPT), outcome]);
          look();
        });
      }
    },
    reset: () => breaker.reset(),
  };
};

const callOnce = async (hub: Hub, url: string): Promise<Outcome> => {
  const began = performance.now();
  try {
    const { status } = await hub.fetch(url, { breaker: route, timeout: TIMEOUT });
    return { status, ms: performance.now() - began };
  } catch (error) {
    if (isCircuitOpenError(error)) return { refused: error.reason };
    return { error: (error as Error).message };
  }
};

/** How long a call may take, in ms. */
const TIMEOUT = 1500;
/** How many outcomes are kept. */
const KEPT = 24;

/** Soon open, so that there is something to see. */
const options = { failureThreshold: 3, resetTimeout: 5000 };
