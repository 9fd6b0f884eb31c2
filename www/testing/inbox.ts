import type { Traffic } from './traffic.js';

/** What has come and has not been asked for, in order; whoever asks too early waits. */
export class Inbox<T> {
  readonly #traffic: Traffic;
  readonly #items: T[] = [];
  readonly #waiting: Waiter<T>[] = [];

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
  }

  push(item: T) {
    const at = this.#waiting.findIndex(({ wants }) => wants(item));
    const [waiter] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (waiter) waiter.resolve(item);
    else this.#items.push(item);
  }

  /** The first that is wanted; `what` names the wait in errors. */
  next(what: string, wants: (item: T) => boolean = () => true): Promise<T> {
    const at = this.#items.findIndex(wants);
    const [item] = at < 0 ? [] : this.#items.splice(at, 1);
    if (item !== undefined) return Promise.resolve(item);
    let waiter: Waiter<T>;
    const wait = new Promise<T>((resolve, reject) => {
      waiter = { wants, resolve, end: () => reject(new Error(`tabwire/testing: ${what}: the test has ended`)) };
      this.#waiting.push(waiter);
    });
    return this.#traffic.within(wait, what).finally(() => {
      const at = this.#waiting.indexOf(waiter);
      if (at >= 0) this.#waiting.splice(at, 1);
    });
  }

  /** Ends all waits. Returns how many there were. */
  end(): number {
    const waiting = this.#waiting.splice(0);
    for (const { end } of waiting) end();
    return waiting.length;
  }
}

interface Waiter<T> {
  wants(item: T): boolean;
  resolve(item: T): void;
  end(): void;
}
