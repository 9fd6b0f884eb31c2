import { vi } from 'vitest';

/** A page or a worker, to which channels belong. */
export interface Realm {
  channels: Set<Channel>;
}

/** What carries messages between the channels of a name: in order within each name, in any across them. */
class Ether {
  readonly open = new Set<Channel>();
  /** All that has been posted. */
  readonly posted: [name: string, data: unknown][] = [];
  /** What has been posted and is held back. */
  readonly #held = new Map<string, (() => void)[]>();
  #realm: Realm | undefined;

  get realm() {
    return this.#realm;
  }

  /** Runs something in a page or worker. */
  run<T>(realm: Realm | undefined, run: () => T): T {
    const before = this.#realm;
    this.#realm = realm;
    try {
      return run();
    } finally {
      this.#realm = before;
    }
  }

  /** From now on what is posted under this name does not arrive. */
  hold(name: string) {
    this.#held.set(name, this.#held.get(name) ?? []);
  }

  /** All that was held arrives, and what comes then. */
  release(name: string) {
    const held = this.#held.get(name) ?? [];
    this.#held.delete(name);
    for (const deliver of held) deliver();
  }

  /** What has been posted under this name. */
  under(name: string) {
    return this.posted.filter(([to]) => to === name).map(([, data]) => data);
  }

  /** The names of the channels that are open. */
  get names() {
    return [...this.open].map(({ name }) => name).sort();
  }

  carry(from: Channel, data: unknown) {
    const copy = structuredClone(data);
    this.posted.push([from.name, copy]);
    const to = [...this.open].filter((channel) => channel !== from && channel.name === from.name);
    const deliver = () => {
      for (const channel of to) channel.deliver(copy);
    };
    const held = this.#held.get(from.name);
    if (held) held.push(deliver);
    else queueMicrotask(deliver);
  }

  clear() {
    for (const channel of this.open) channel.close();
    this.posted.length = 0;
    this.#held.clear();
  }
}

export const ether = new Ether();

/** A BroadcastChannel. */
export class Channel {
  readonly #realm = ether.realm;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  /** All that has come. */
  readonly got: unknown[] = [];

  constructor(readonly name: string) {
    ether.open.add(this);
    this.#realm?.channels.add(this);
  }

  postMessage(data: unknown) {
    if (!ether.open.has(this)) throw new DOMException('closed', 'InvalidStateError');
    ether.carry(this, data);
  }

  deliver(data: unknown) {
    if (!ether.open.has(this)) return;
    const own = structuredClone(data);
    this.got.push(own);
    ether.run(this.#realm, () => this.onmessage?.({ data: own }));
  }

  close() {
    ether.open.delete(this);
    this.#realm?.channels.delete(this);
  }
}

/** Puts them in the place of the real ones. */
export const installEther = () => {
  ether.clear();
  vi.stubGlobal('BroadcastChannel', Channel);
};
