// biome-ignore-all lint/suspicious/noDoubleEquals: a byte shorter each, where both sides are of one type
import type { Client } from './client.js';
import { Cue } from './cue.js';
import { Ms } from './deadline.js';
import { CircuitOpenError } from './errors.js';
import { type BreakerItems, type BreakerState, Op, type SnapshotItems, type TabMessage } from './protocol.js';

/** How a call has ended, as the protocol numbers it. */
export enum Outcome {
  Success,
  Failure,
  /** It says nothing about the service. */
  Neutral,
  /** It was refused here. */
  Rejected,
}

/** What somebody decides about a breaker, as the protocol numbers it. */
export enum Order {
  Reset,
  Open,
  Close,
}

/** What may be asked of a breaker, as the protocol numbers it. */
enum Wish {
  Call,
  Retry,
}

/** The right to make one call: the generation in which it begins, and its permit or 0. */
export type Pass = [generation: number, permit: number];

/** This page's mirror of a breaker: the hub decides, and what it has decided is known here. */
export type Gate = [
  /**
   * Lets a call pass: at once while the breaker is closed, after a word with the hub where that alone knows. Throws or rejects with
   * {@link CircuitOpenError}, or with the reason of the signal.
   */
  enter: (signal?: AbortSignal | null) => Pass | Promise<Pass>,
  /** A call that has passed has ended, after so many ms. */
  leave: (pass: Pass, outcome: Outcome, ms: number, retryAfter?: number | null) => void,
  /** Asks whether a call may be made again. Rejects with the reason of the signal. */
  mayRetry: (signal?: AbortSignal | null) => Promise<boolean>,
  /** Decides about the breaker, for all tabs. */
  force: (order: Order) => void,
  /** What is known of it. */
  look: () => Known,
  /** Calls a listener when that has changed; returns what ends it. */
  listen: (listener: () => void) => () => void,
  /** Tells the console in what other options differ from those in force. */
  compare: (options: object) => void,
];

/** What is known of a breaker: its state at this moment, until when it is open in ms since 1970, and what the hub has told last. */
export type Known = [state: BreakerState, retryAt: number | null, items: BreakerItems, isKept: boolean];

/** The breakers of a client, by name. */
export interface Gates {
  (name: string, options?: object): Gate;
  /** All that have been asked for. */
  readonly all: ReadonlyMap<string, Gate>;
}

/** Makes the breakers of a client. What `scope` has one has its own. */
export const createGates = (client: Client, scope = ''): Gates => {
  const [post, add, , place] = client;
  const all = new Map<string, Gate>();
  /** What takes the messages of the hub about each. */
  const takers = new Map<string, (message?: unknown[]) => void>();
  /** There will be no hub: nothing is gated. */
  let isGone = false;

  const gates = (name: string, options: object = {}) => {
    const gate = all.get(name) ?? open(name, options);
    all.set(name, gate);
    return gate;
  };

  const open = (name: string, options: object): Gate => {
    const key = `tabwire:breaker:${scope}:${name}`;
    const listeners = new Set<() => void>();
    /** The options that have been compared with those in force. */
    const compared = new Set([JSON.stringify(options)]);
    const waiting = new Map<number, [settle: (verdict?: unknown[]) => void, Wish]>();
    /** What could not be said for want of a hub. */
    const unsaid: TabMessage[] = [];
    let items: BreakerItems = ['closed', 'new', 0, null, 0, 0, null, null, zeros];
    /** Until when it is open, by the clock of this page; and when it went into its state, by that of the wall. */
    let until = 0;
    let changedAt = 0;
    let isKept = true;
    /** A failure has been reported, and the hub has said nothing since. */
    let isInDoubt: unknown;
    let lastId = 0;
    /** Successes of one generation that have not been reported: how many, how many of them slow, and when the last was. */
    let good: [generation: number, count: number, slow: number, at: number] | undefined;
    let rejected = 0;
    let timer: unknown;
    let alarm: ReturnType<typeof setTimeout> | undefined;

    const say = (message: TabMessage) => {
      if (!post(message) && unsaid.push(message) > 100) unsaid.shift();
    };

    const flush = () => {
      clearTimeout(timer as number);
      timer = 0;
      if (good) {
        const [generation, count, slow, at] = good;
        say([Op.Outcome, name, generation, 0, Outcome.Success, count, slow, performance.now() - at]);
      }
      if (rejected) say([Op.Outcome, name, 0, 0, Outcome.Rejected, rejected, 0]);
      good = undefined;
      rejected = 0;
    };
    const flushSoon = () => {
      timer ||= setTimeout(flush, Ms.Brief);
    };

    const stateNow = (): BreakerState =>
      items[0] == 'open' && performance.now() >= until ? 'half-open' : (items[0] as BreakerState);

    const take = (told: BreakerItems) => {
      const isNew = told[2] != items[2] || told[0] != items[0] || told[4] != items[4];
      items = told;
      isInDoubt = 0;
      until = performance.now() + (told[3] ?? 0);
      changedAt = Date.now() - (told[6] ?? 0);
      if (isNew) keep();
      watch();
      tell();
    };
    /** It is half-open without a word, once its time is over. */
    const watch = () => {
      clearTimeout(alarm);
      const rest = until - performance.now();
      // A timer may be early by less than 1 ms, and has no room for more than 24 days.
      if (listeners.size && stateNow() == 'open') alarm = setTimeout(wake, Math.min(rest + 1, 1e9));
    };
    const wake = () => {
      watch();
      tell();
    };
    const tell = () => {
      for (const listener of listeners) listener();
    };

    /** What another hub, or the next page, has to know. */
    const snapshot = (): SnapshotItems | null =>
      items[2] ? [items[0], items[2], changedAt, Date.now() + until - performance.now(), items[4], items[5]] : null;
    const keep = () => {
      // It has been open until now, and is nothing else for others: their hubs would let one probe after the other pass.
      if (items[0] == 'half-open') return;
      try {
        localStorage.setItem(key, JSON.stringify(snapshot()));
        // Other tabs have heard it all the same.
        if (items[0] == 'closed') localStorage.removeItem(key);
      } catch {
        isKept = false;
      }
    };
    const recall = (text?: string) => {
      try {
        const kept: SnapshotItems = JSON.parse(text ?? (localStorage.getItem(key) as string));
        if (!kept || changedAt > kept[2]) return;
        const [state, generation, at, end, openFor, openings] = kept;
        const rest = Math.max(0, Math.min(end - Date.now(), openFor));
        items = [state, 'restored', generation, rest, openFor, openings, 0, items[7], items[8]];
        until = performance.now() + rest;
        changedAt = at;
      } catch {
        isKept = false;
      }
    };

    const greet = () => {
      const known = snapshot();
      if (known) {
        known[2] = Date.now() - known[2];
        known[3] -= Date.now();
      }
      post([Op.Gate, name, { breaker: options }, known]);
    };

    const refuse = (reason: string, rest: number | null) => {
      // Those who come again when they are told do not all come at once.
      const retryAfter = rest === null ? null : Math.ceil(rest * (1 + Math.random() / 5));
      return new CircuitOpenError(name, reason, retryAfter);
    };

    /** Asks the hub. Without an answer within so long it is as `otherwise` says then. */
    const ask = (wish: Wish, ms: number, otherwise: () => unknown[], signal?: AbortSignal | null) =>
      new Promise<unknown[]>((resolve, reject) => {
        const id = ++lastId;
        const end = () => {
          clearTimeout(late);
          waiting.delete(id);
          signal?.removeEventListener('abort', abort);
        };
        const settle = (verdict?: unknown[]) => {
          end();
          resolve(verdict ?? otherwise());
        };
        const abort = () => {
          end();
          reject(signal?.reason);
        };
        const late = setTimeout(() => settle(), ms);
        signal?.addEventListener('abort', abort);
        waiting.set(id, [settle, wish]);
        post([Op.Acquire, name, id, wish]);
      });

    const enterByHub = async (state: BreakerState, signal?: AbortSignal | null): Promise<Pass> => {
      flush();
      const pass: Pass = [items[2], 0];
      const [granted, a, b] = await (state == 'closed'
        ? // Its word is that of before, if the hub has none.
          ask(Wish.Call, Ms.Brief, () => [1, ...pass], signal)
        : ask(Wish.Call, Ms.Answer, () => (isGone ? [1, ...pass] : [0, 'no-hub', Ms.Pause]), signal));
      if (granted) return [a as number, b as number];
      throw refuse(a as string, b as number | null);
    };

    takers.set(name, (message) => {
      if (!message) {
        greet();
        for (const late of unsaid.splice(0)) post(late);
        for (const [id, [, wish]] of waiting) post([Op.Acquire, name, id, wish]);
        if (isGone) for (const [settle] of waiting.values()) settle();
      } else if (message[0] == Op.Breaker) {
        const [, , ...told] = message;
        const ignored = told.splice(9)[0] as string[];
        if (ignored[0]) console.warn(`tabwire: breaker ${name} is in use with other options: ${ignored}`);
        take(told as BreakerItems);
      } else if (message[0] == Op.Verdict) {
        const [, , id, ...verdict] = message as [Op, string, number, ...unknown[]];
        const waiter = waiting.get(id);
        if (waiter) waiter[0](verdict);
        // Nobody wants the permit any more.
        else if (verdict[0] && verdict[2])
          say([Op.Outcome, name, verdict[1] as number, verdict[2] as number, Outcome.Neutral, 1, 0]);
      }
    });

    recall();
    addEventListener('storage', (event) => {
      // A hub of this tab alone knows of no other; to one that all share this is no news.
      if (event.key != key || !event.newValue || place()[0] != 'this-tab') return;
      recall(event.newValue);
      greet();
    });
    greet();

    return [
      (signal) => {
        const state = stateNow();
        signal?.throwIfAborted();
        if (isGone || state == 'forced-closed' || (state == 'closed' && !isInDoubt)) return [items[2], 0];
        if (state == 'closed' || state == 'half-open') return enterByHub(state, signal);
        rejected++;
        flushSoon();
        throw refuse(items[1], state == 'open' ? until - performance.now() : null);
      },
      ([generation, permit], outcome, ms, retryAfter) => {
        const slow = +(items[7] != null && ms >= items[7]);
        if (outcome == Outcome.Success && !permit) {
          if (good?.[0] != generation) flush();
          good ??= [generation, 0, 0, 0];
          good[1]++;
          good[2] += slow;
          good[3] = performance.now();
          flushSoon();
          return;
        }
        flush();
        if (outcome == Outcome.Failure) isInDoubt = 1;
        say([Op.Outcome, name, generation, permit, outcome, 1, slow, 0, retryAfter]);
      },
      async (signal) => isGone || !!(await ask(Wish.Retry, Ms.Answer, () => [isGone], signal))[0],
      (order) => say([Op.Force, name, order]),
      () => [stateNow(), items[0] == 'open' ? Date.now() + until - performance.now() : null, items, isKept],
      (listener) => {
        listeners.add(listener);
        watch();
        return () => listeners.delete(listener);
      },
      (other) => {
        const text = JSON.stringify(other);
        if (!compared.has(text)) say([Op.Gate, name, { breaker: other }, null]);
        compared.add(text);
      },
    ];
  };

  add((input) => {
    if (!Array.isArray(input)) return;
    const [op, name] = input as [number, unknown];
    isGone = op == Cue.End || (isGone && op != Op.Welcome);
    if (op == Cue.Attach || op == Cue.End) for (const take of takers.values()) take();
    if (op == Op.Ungated) takers.get(name as string)?.();
    if (op == Op.Breaker || op == Op.Verdict) takers.get(name as string)?.(input);
  });

  return Object.assign(gates, { all });
};

const zeros = /* @__PURE__ */ Array(10).fill(0);
