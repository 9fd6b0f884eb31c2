import { type BreakerState, type BreakerStats, CircuitBreaker, type CircuitBreakerOptions } from '../client/index.js';
import { listen, useView } from './use-view.js';

/** What {@link useCircuitBreaker} returns. */
export interface CircuitBreakerResult {
  /** How the breaker is. `closed` on a server and before the component is mounted. */
  readonly state: BreakerState;
  /** Until when it is open, in ms since 1970. */
  readonly retryAt: number | null;
  /** Why, and what has gone through it in all tabs. While it is used there is news of that once a second. */
  readonly stats: BreakerStats;
  /** Closes it for every tab. The same function as long as the name is the same. */
  readonly reset: () => void;
}

/**
 * Shows the circuit breaker of this name, which all tabs share: that of `circuitBreakerManager`, of `new CircuitBreaker(name)`, and
 * of `gatedFetch` with `breaker: name`. The component renders again when something that it reads is different.
 *
 * `options` count if nobody has used the name before; of those only the first that are given do. Bad ones throw as
 * `new CircuitBreaker` does, once the component is mounted.
 */
export const useCircuitBreaker = (name: string, options?: CircuitBreakerOptions): CircuitBreakerResult =>
  useView(() => {
    const reset = () => share(name, options).reset();
    const viewOf = (stats: BreakerStats) => ({ state: stats.state, retryAt: stats.retryAt, stats, reset });
    const idle = viewOf(unused);
    let last = idle;

    return [
      (onChange) => listen(share(name, options), onChange, 'statschange'),
      () => {
        const stats: { -readonly [field in keyof BreakerStats]: BreakerStats[field] } = {
          ...(breakers.get(name)?.stats ?? unused),
        };
        // The clocks of hub, page and wall are told apart by less than this, and nobody wants to render that. Null is 0 here.
        if (Math.abs((stats.retryAt as number) - (last.retryAt as number)) < 100) stats.retryAt = last.retryAt;
        if (`${Object.values(stats)}` !== `${Object.values(last.stats)}`) last = viewOf(stats);
        return last;
      },
      idle,
    ];
  }, [name]);

/** The breaker that all components with this name share: one that is listened to is never forgotten. */
const share = (name: string, options: CircuitBreakerOptions | undefined) => {
  // Looks at the options whether or not it is the first.
  const breaker = new CircuitBreaker(name, options);
  const shared = breakers.get(name) ?? breaker;
  breakers.set(name, shared);
  return shared;
};

const unused: BreakerStats = {
  state: 'closed',
  reason: 'new',
  retryAt: null,
  successes: 0,
  failures: 0,
  neutral: 0,
  slow: 0,
  rejected: 0,
  stale: 0,
  expired: 0,
  trips: 0,
  retries: 0,
  exhausted: 0,
  persisted: true,
};

const breakers = /* @__PURE__ */ new Map<string, CircuitBreaker>();
