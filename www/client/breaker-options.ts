import { amount, check, endless, fraction, from, positive } from './options.js';

/**
 * Options of a circuit breaker. Durations are milliseconds. A bad name or type throws `TypeError`, a bad value `RangeError`;
 * both name the option and the value. The options of whoever uses a name first, in whichever tab, count for all.
 */
export interface CircuitBreakerOptions {
  /** Failures in a row that open it, at least 1. Default 5. */
  failureThreshold?: number;
  /** The share of the last calls (0 to 1) whose failure opens it, if there were `minimumCalls`. Default 0.5. */
  failureRate?: number;
  /** Calls of which shares are taken, at least. Default 10: a browser makes few. */
  minimumCalls?: number;
  /** Which calls are the last ones: those of so long, or so many (1 to 1000). Default 30 000 ms. */
  window?: number | { calls: number };
  /** A call that takes this long is slow; at least 1. Default: none is. */
  slowCallDuration?: number;
  /** The share of the last calls (0 to 1) whose slowness opens it, if there were `minimumCalls`. Default 1. */
  slowCallRate?: number;
  /** How long it stays open the first time; at least 1. Default 5000 ms. */
  resetTimeout?: number;
  /** Factor from one time to the next until it is closed, at least 1. Default 2. */
  growth?: number;
  /** What that grows to. Default 60 000 ms, or `resetTimeout` if that is longer. */
  maxResetTimeout?: number;
  /** Fraction (0 to 1) of that time by which it varies up or down, so that browsers do not come back together. Default 0.2. */
  jitter?: number;
  /** Calls that may be under way at a time while it is half-open, at least 1. Default 1. */
  probes?: number;
  /** Of which so many must succeed before it closes, at least 1. Default 1. */
  successThreshold?: number;
  /** How long a probe may say nothing before another may pass; at least 1. Three such in a row open it again. Default 30 000 ms. */
  lease?: number;
  /** Most that a `Retry-After` of the server counts for. Default 300 000 ms. */
  maxRetryAfter?: number;
  /**
   * How many calls may be made again by `retry`, in all tabs together: a share for each call that has ended, so many a second
   * besides, and so many at once at most. Default `{ ratio: 0.2, perSecond: 1, burst: 10 }`.
   */
  retryBudget?: { ratio?: number; perSecond?: number; burst?: number };
}

/** Checks the options of a breaker. Returns a copy of what was given; throws for the first that is bad. */
export const checkBreakerOptions = (options: CircuitBreakerOptions) =>
  check(options, breakerRules) as CircuitBreakerOptions;

const calls = /* @__PURE__ */ from(1, 1000);

const breakerRules = {
  failureThreshold: endless,
  failureRate: fraction,
  minimumCalls: endless,
  window: (value: unknown) => (Object(value) === value ? calls((value as { calls: unknown }).calls) : positive(value)),
  slowCallDuration: positive,
  slowCallRate: fraction,
  resetTimeout: positive,
  growth: positive,
  maxResetTimeout: amount,
  jitter: fraction,
  probes: positive,
  successThreshold: positive,
  lease: positive,
  maxRetryAfter: amount,
  retryBudget: { ratio: amount, perSecond: amount, burst: amount },
};
