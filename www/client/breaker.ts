// biome-ignore-all lint/suspicious/noDoubleEquals: as in the other files of the page side
import { utf8 } from './address.js';
import { type CircuitBreakerOptions, checkBreakerOptions } from './breaker-options.js';
import { clientFor } from './client.js';
import { createGates, type Gate, type Gates, Order, Outcome } from './gate.js';
import type { BreakerState } from './protocol.js';

/** How a breaker is, and the totals of all tabs since its hub was made: a second old at most, and this tab's own later still. */
export interface BreakerStats {
  readonly state: BreakerState;
  /**
   * Why: `new`, `consecutive-failures`, `failure-rate`, `slow-calls`, `probe-failed`, `probes-lost`, `restored`, `probing`,
   * `recovered`, `forced`, `reset`.
   */
  readonly reason: string;
  /** Until when it is open, in ms since 1970. */
  readonly retryAt: number | null;
  /** Calls that have succeeded. */
  readonly successes: number;
  /** Calls that have failed. */
  readonly failures: number;
  /** Calls that say nothing about the service: given up by the caller, or made while the network was away. */
  readonly neutral: number;
  /** Calls that took `slowCallDuration` or longer, however they ended. */
  readonly slow: number;
  /** Calls that were refused. */
  readonly rejected: number;
  /** Results that came too late to decide anything: of calls that had begun before the last transition. */
  readonly stale: number;
  /** Probes of which nothing was heard within `lease`. */
  readonly expired: number;
  /** Times that it has opened. */
  readonly trips: number;
  /** Calls that were made again. */
  readonly retries: number;
  /** Calls that were not made again because `retryBudget` was spent. */
  readonly exhausted: number;
  /** Whether its state outlives this page: `false` where `localStorage` is blocked. */
  readonly persisted: boolean;
}

/** Decides what a call has shown of the service: by what it was resolved with, or rejected with. */
export type Classify = (outcome: { value: unknown } | { error: unknown }) => 'success' | 'failure' | 'neutral';

/** A circuit breaker that all tabs of the browser share: one for each name. */
export interface CircuitBreaker extends EventTarget {
  /** The name. */
  readonly name: string;
  /** Its state. `half-open`: the next call is a probe. */
  readonly state: BreakerState;
  /** Its state, why, and what has gone through it. */
  readonly stats: BreakerStats;
  /**
   * Calls `fn`, at once while the breaker is closed, and gives what that gives. Rejects with {@link CircuitOpenError} instead while
   * it is open. What is rejected counts as a failure, but for an `AbortError` and what is rejected while the browser is offline.
   */
  execute<T>(fn: () => T | PromiseLike<T>, options?: { signal?: AbortSignal; classify?: Classify }): Promise<T>;
  /** Refuses every call of every tab until `reset`, also after a reload. */
  isolate(): void;
  /** Lets every call of every tab pass until `reset`, however they end. */
  disable(): void;
  /** Closes it and forgets what has happened, for every tab. */
  reset(): void;
  /** `statechange` is fired when the state has changed, in every tab; `statschange` when there is news of `stats`. */
  addEventListener(
    type: 'statechange' | 'statschange',
    listener: ((this: CircuitBreaker, event: Event) => unknown) | EventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** The constructor of {@link CircuitBreaker}. */
export interface CircuitBreakerConstructor {
  /**
   * The breaker of a name. Who comes first decides its options; a later one that differs is told so in the console. Throws
   * `TypeError` or `RangeError` for bad options, `UnsupportedError` outside a browser page.
   */
  new (name: string, options?: CircuitBreakerOptions): CircuitBreaker;
  readonly prototype: CircuitBreaker;
}

/** A circuit breaker that all tabs share. */
export const CircuitBreaker: CircuitBreakerConstructor = /* @__PURE__ */ define();

/** The breakers of a page by name. */
export interface CircuitBreakerManager {
  /** Calls `fn` behind the breaker of this name: see {@link CircuitBreaker.execute}. The options count when it is made. */
  execute<T>(name: string, fn: () => T | PromiseLike<T>, options?: CircuitBreakerOptions): Promise<T>;
  /** How the breakers are that this page has used, by name. */
  getStats(): Record<string, BreakerStats>;
  /** Resets the breaker of this name, or all that this page has used. */
  reset(name?: string): void;
  /** Isolates the breaker of this name. */
  isolate(name: string): void;
}

/** The breakers of this page, which all tabs share. */
export const circuitBreakerManager: CircuitBreakerManager = {
  execute: async (name, fn, options) => run(gateOf(pageGates(), name, options), fn),
  getStats() {
    const stats: Record<string, BreakerStats> = {};
    for (const [name, gate] of gates?.all ?? []) stats[name] = statsOf(gate);
    return stats;
  },
  reset(name) {
    if (name !== undefined) gateOf(pageGates(), name)[3](Order.Reset);
    else for (const [, , , force] of gates?.all.values() ?? []) force(Order.Reset);
  },
  isolate: (name) => gateOf(pageGates(), name)[3](Order.Open),
};

/** The breakers of the page's own client, made when the first is asked for. */
export const pageGates = () => {
  gates ??= createGates(clientFor({}));
  return gates;
};

/** The breaker of a name, after a look at name and options. */
export const gateOf = (gates: Gates, name: string, options?: CircuitBreakerOptions): Gate => {
  if (typeof name != 'string') throw new TypeError(`name: ${name}`);
  if (!name || utf8(name) > 1024) throw new RangeError(`name: "${name}"`);
  const checked = options && checkBreakerOptions(options);
  const known = gates.all.get(name);
  if (checked) known?.[6](checked);
  return known ?? gates(name, checked);
};

/** What a call has shown that was rejected with this, unless somebody knows better. */
export const judge = (error: unknown) =>
  (error as Error | undefined)?.name == 'AbortError' || navigator.onLine === false ? Outcome.Neutral : Outcome.Failure;

const run = async <T>(
  [enter, leave]: Gate,
  fn: () => T | PromiseLike<T>,
  signal?: AbortSignal,
  classify?: Classify,
): Promise<T> => {
  const entered = enter(signal);
  const pass = Array.isArray(entered) ? entered : await entered;
  const start = performance.now();
  let what: { value: T } | { error: unknown };
  try {
    what = { value: await fn() };
  } catch (error) {
    what = { error };
  }
  let outcome = 'value' in what ? Outcome.Success : signal?.aborted ? Outcome.Neutral : judge(what.error);
  try {
    const word = words.indexOf(classify?.(what) as string);
    if (word >= 0) outcome = word;
  } finally {
    leave(pass, outcome, performance.now() - start);
  }
  if ('error' in what) throw what.error;
  return what.value;
};

/** In the order of {@link Outcome}. */
const words = /* @__PURE__ */ 'success failure neutral'.split(' ');

const statsOf = ([, , , , look]: Gate): BreakerStats => {
  const [state, retryAt, items, persisted] = look();
  const counts: Record<string, number> = {};
  for (const [place, name] of counters.split(' ').entries()) counts[name] = items[8][place] as number;
  return { state, reason: items[1], retryAt, ...counts, persisted } as unknown as BreakerStats;
};

const counters = 'successes failures neutral slow rejected stale expired trips retries exhausted';

let gates: Gates | undefined;

// Called once, so that a bundler can drop the whole class; on a server there may be no EventTarget to extend.
function define() {
  class CircuitBreaker extends (globalThis.EventTarget ?? Object) {
    readonly name: string;
    readonly #gate: Gate;
    /** The state that its listeners know, once there are any: nothing holds a breaker that nobody listens to. */
    #heard: BreakerState | undefined;

    constructor(name: string, options?: CircuitBreakerOptions, own: Gates = pageGates()) {
      super();
      this.name = name;
      this.#gate = gateOf(own, name, options);
    }

    override addEventListener(...listening: Parameters<EventTarget['addEventListener']>) {
      if (!this.#heard) {
        this.#heard = this.state;
        this.#gate[5](() => {
          const isNew = this.#heard != this.state;
          this.#heard = this.state;
          if (isNew) this.dispatchEvent(new Event('statechange'));
          this.dispatchEvent(new Event('statschange'));
        });
      }
      super.addEventListener(...listening);
    }

    get state() {
      return this.#gate[4]()[0];
    }
    get stats() {
      return statsOf(this.#gate);
    }
    execute<T>(fn: () => T | PromiseLike<T>, { signal, classify }: { signal?: AbortSignal; classify?: Classify } = {}) {
      return run(this.#gate, fn, signal, classify);
    }
    isolate() {
      this.#gate[3](Order.Open);
    }
    disable() {
      this.#gate[3](Order.Close);
    }
    reset() {
      this.#gate[3](Order.Reset);
    }
  }
  return CircuitBreaker as unknown as CircuitBreakerConstructor;
}
