import { vi } from 'vitest';
import { lead } from '../../../worker/lead.js';
import type { Port, Rung } from '../../../www/client/connect.js';
import { openLed } from '../../../www/client/lead.js';
import { Op } from '../../../www/client/protocol.js';
import { type Channel, ether, installEther, type Realm } from './ether.js';
import { LockQueue } from './lock-queue.js';

/** What pages that look for a leader listen to. */
export const place = 'tabwire:lead:1';

/** The locks of the origin. */
export let locks = new LockQueue();

/** Puts fakes in the place of channels, timers and listeners. */
export const installPages = () => {
  vi.useFakeTimers();
  installEther();
  locks = new LockQueue();
  vi.stubGlobal('addEventListener', (type: string, listener: Listener, options: AddEventListenerOptions) => {
    const page = ether.realm;
    if (!(page instanceof Page)) throw new Error(`${type} is listened to from nowhere`);
    if (options.signal?.aborted) return;
    const listening: Listening = [type, listener, !!options.capture];
    page.listeners.add(listening);
    options.signal?.addEventListener('abort', () => page.listeners.delete(listening));
  });
};

type Listener = (event: { persisted?: boolean }) => void;
type Listening = [type: string, listener: Listener, isCapturing: boolean];

/** A dedicated worker whose script is that of a leader, with a host that notes what it is told. */
export class LeadWorker implements Realm {
  readonly channels = new Set<Channel>();
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  /** What its page has posted to it. */
  readonly got: unknown[][] = [];
  /** The ports of the pages that have joined, and what each has said. */
  readonly joined: { postMessage(message: unknown): void; got: unknown[] }[] = [];
  isEnded = false;
  /** What had been said when it was ended, and whether its page had the lock. */
  before: { said: unknown[]; hasLock: boolean } | undefined;

  constructor(
    readonly page: Page,
    readonly isLoaded: boolean,
  ) {}

  postMessage(message: unknown[]) {
    if (this.isEnded) return;
    this.got.push(structuredClone(message));
    if (message[0] === Op.Lead && this.isLoaded) queueMicrotask(() => this.load());
  }

  /** Its script runs, and has what was posted to it. */
  load() {
    if (this.isEnded) return;
    this.say(Op.Script, 'build');
    const [, name, term] = this.got.find(([op]) => op === Op.Lead) as [Op, string, string];
    const host = {
      open: (port: { onmessage: unknown; postMessage(message: unknown): void }) => {
        const got: unknown[] = [];
        this.joined.push(Object.assign(port, { got }));
        port.onmessage = ({ data }: { data: unknown }) => got.push(data);
        port.postMessage([Op.Script, 'build']);
      },
      crash() {},
    };
    ether.run(this, () => lead(host as never, name, term));
  }

  say(...message: unknown[]) {
    if (!this.isEnded) ether.run(this.page, () => this.onmessage?.({ data: message }));
  }

  terminate() {
    this.isEnded = true;
    this.before = { said: ether.under(place), hasLock: locks.isHeld(place) };
    for (const channel of this.channels) channel.close();
  }
}

/** A page that opens the hub of the leader. */
export class Page implements Realm {
  readonly channels = new Set<Channel>();
  readonly listeners = new Set<Listening>();
  readonly workers: LeadWorker[] = [];
  /** What its client has used, and heard there. */
  port: Port | undefined;
  readonly heard: unknown[] = [];
  onheard: ((message: unknown[]) => unknown) | undefined;
  /** Why its rung has failed. */
  readonly failed: string[] = [];
  /** Whether its worker may be made, and loads at once. */
  isRefused = false;
  isLoaded = true;
  /** Whether anybody still waits for the rung. */
  isWanted = true;

  constructor(readonly name = 'page') {}

  /** Opens it. */
  open(where: Parameters<typeof openLed>[0] = {}): this {
    const manager = {
      request: (name: string, options: LockOptions, granted: (lock: object | null) => unknown) =>
        locks.request(name, options, (lock) => ether.run(this, () => granted(lock))),
    };
    const openWorker = () => {
      if (this.isRefused) throw new DOMException('no', 'SecurityError');
      const worker = new LeadWorker(this, this.isLoaded);
      this.workers.push(worker);
      return worker as unknown as Worker;
    };
    const use: Parameters<Rung[2]>[0] = (opened) => {
      if (!this.isWanted) return;
      this.port = opened as Port;
      this.port.onmessage = ({ data }: MessageEvent) => {
        this.heard.push(data);
        this.onheard?.(data);
      };
    };
    ether.run(this, () =>
      openLed(where, manager as unknown as LockManager, openWorker)(use, (why) => this.failed.push(why)),
    );
    return this;
  }

  post(...message: unknown[]) {
    ether.run(this, () => this.port?.postMessage(message));
  }

  /** Its client leaves the hub. */
  leave() {
    if (this.port) this.port.onmessage = null;
    ether.run(this, () => (this.port as MessagePort | undefined)?.close());
  }

  /** An event of its window or, as with freeze and resume, of its document. */
  fire(type: string, persisted?: boolean) {
    const listeners = [...this.listeners].filter((listening) => listening[0] === type);
    const run = (isCapturing: boolean) => {
      for (const listening of listeners) {
        const [, listener, captures] = listening;
        if (captures === isCapturing && this.listeners.has(listening)) ether.run(this, () => listener({ persisted }));
      }
    };
    run(true);
    if (type !== 'freeze' && type !== 'resume') run(false);
  }

  /** Whether it leads. */
  get leads() {
    return this.workers.some(({ isEnded }) => !isEnded);
  }

  get worker() {
    const worker = this.workers.at(-1);
    if (!worker) throw new Error(`${this.name} has no worker`);
    return worker;
  }

  /** The names of the channels that it has open. */
  get names() {
    return [...this.channels].map(({ name }) => name);
  }
}
