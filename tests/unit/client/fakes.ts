import { vi } from 'vitest';
// What a client loads later is here already, so that it takes no more than a turn.
import '../../../www/client/life.js';
import '../../../www/client/observe.js';
import { type HubMessage, Op, type StatusItems, type TabMessage } from '../../../www/client/protocol.js';
import { faultOf } from './fixtures.js';

/** Where the worker of a hub lies. */
export const workerUrl = new URL('/worker.js', location.href).href;

/** The hub's end of a port: notes what the tab posts, and says what a test tells it. */
export class FakePort {
  #listener: ((event: { data: unknown }) => void) | null = null;
  /** What has been said before anybody listened. */
  #held: unknown[] = [];
  isClosed = false;
  /** Everything posted so far. */
  readonly posted: TabMessage[] = [];
  /** The number of the newest handle. */
  handle = 0;

  get onmessage() {
    return this.#listener;
  }

  set onmessage(listener) {
    this.#listener = listener;
    if (!listener) return;
    for (const data of this.#held.splice(0)) queueMicrotask(() => listener({ data }));
  }

  postMessage(message: TabMessage) {
    const fault = faultOf(message);
    if (fault) throw new Error(fault);
    if (message[0] === Op.Attach) this.handle = message[1];
    this.posted.push([...message] as TabMessage);
  }

  close() {
    this.isClosed = true;
  }

  /** What has been posted with this op. */
  all<O extends TabMessage[0]>(op: O) {
    return this.posted.filter((message): message is Extract<TabMessage, [O, ...unknown[]]> => message[0] === op);
  }

  /** Forgets what has been posted, and returns it. */
  take() {
    return this.posted.splice(0);
  }

  say(...message: HubMessage) {
    if (this.#listener) this.#listener({ data: message });
    else if (!this.isClosed) this.#held.push(message);
  }

  /** Says that the hub of this epoch is up. */
  welcome(epoch = 'one', lock: string | null = null, name = 'tabwire@1') {
    this.say(Op.Welcome, { protocol: 1, build: 'build', epoch, lock, workerUrl, name });
  }

  /** Answers the newest attach: handle on connection 7, in this state. */
  attached(state: StatusItems[0] = 'open', next = 0, ignored: string[] = [], conn = 7) {
    this.say(Op.Attached, this.handle, conn, next, ignored, ...status(state, state === 'open' ? 'opened' : 'attached'));
  }

  status(...given: Parameters<typeof status>) {
    this.say(Op.Status, 7, ...status(...given));
  }

  batch(first: number, frames: (string | ArrayBuffer)[], wantAck: 0 | 1 = 0, marks?: number[]) {
    this.say(Op.Batch, 7, first, frames, wantAck, marks && Uint32Array.from(marks));
  }

  /** The frames posted so far. */
  get sent() {
    return this.all(Op.Send).flatMap(([, , , , frames]) => frames);
  }
}

/** A worker of either kind. */
export class FakeWorker extends FakePort {
  onerror: (() => void) | null = null;
  constructor(
    readonly kind: 'shared' | 'dedicated',
    readonly url: unknown,
    readonly options: unknown,
  ) {
    super();
  }
}

/** The workers made so far, and what making another does. */
export const workers = {
  made: [] as FakeWorker[],
  /** Whether the constructor of a kind throws. */
  refuses: { shared: false, dedicated: false },

  get latest() {
    const latest = this.made.at(-1);
    if (!latest) throw new Error('there is no worker');
    return latest;
  },
};

/** Puts the fakes in the place of workers, channels and timers. */
export const installFakes = async () => {
  // What the pages of the last test were loading comes now.
  vi.useRealTimers();
  await new Promise((resolve) => setTimeout(resolve));
  vi.useFakeTimers();
  workers.made = [];
  workers.refuses = { shared: false, dedicated: false };
  tasks.length = 0;
  vi.stubGlobal(
    'SharedWorker',
    class {
      #worker: FakeWorker;
      constructor(url: unknown, options: unknown) {
        this.#worker = make('shared', url, options);
      }
      get port() {
        return this.#worker;
      }
      set onerror(listener: () => void) {
        this.#worker.onerror = listener;
      }
    },
  );
  vi.stubGlobal('Worker', function Worker(url: unknown, options: unknown) {
    return Object.assign(make('dedicated', url, options), {
      terminate(this: FakeWorker) {
        this.isClosed = true;
      },
    });
  });
  vi.stubGlobal('MessageChannel', FakeChannel);
  channels.length = 0;
  vi.stubGlobal('BroadcastChannel', FakeBroadcast);
  // A client listens to its page for as long as that lives; these pages live for a test.
  for (const listener of listeners.splice(0)) window.removeEventListener(...listener);
};

/** The channels between hubs that are open, and that have been closed. */
export const channels: FakeBroadcast[] = [];

/** A channel on which no hub says anything but what a test says for it. */
class FakeBroadcast {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  readonly posted: unknown[] = [];
  isClosed = false;
  constructor(readonly name: string) {
    channels.push(this);
  }
  postMessage(message: unknown) {
    this.posted.push(message);
  }
  close() {
    this.isClosed = true;
  }
  say(...data: unknown[]) {
    this.onmessage?.({ data });
  }
}

type Listening = [type: string, listener: EventListener, capture: boolean];
const listeners: Listening[] = [];
const listen = window.addEventListener.bind(window);
window.addEventListener = (...listening: unknown[]) => {
  listeners.push(listening as Listening);
  listen(...(listening as Listening));
};

/** Tasks that a channel has posted, and that have not run. */
export const tasks: (() => void)[] = [];

/** Runs the next task. Returns whether there was one. */
export const runTask = () => {
  const task = tasks.shift();
  task?.();
  return !!task;
};

/** Lets microtasks run. */
export const settle = () => vi.advanceTimersByTimeAsync(0);

/** Lets the time pass in which no other hub answers. */
export const nobodyAnswers = () => vi.advanceTimersByTimeAsync(250);

/** The items that tell how a connection is. */
export const status = (
  state: StatusItems[0],
  reason: string = state,
  cause: StatusItems[9] = 0,
  close?: [code: number, reason: string, wasClean: 0 | 1],
  event?: string,
): StatusItems => [
  state,
  1,
  null,
  close?.[0] ?? null,
  reason,
  1_700_000_000_000,
  'websocket',
  'v1',
  'deflate',
  cause,
  close?.[1] ?? '',
  close?.[2] ?? 0,
  event,
];

const make = (kind: 'shared' | 'dedicated', url: unknown, options: unknown) => {
  if (workers.refuses[kind]) throw new DOMException('no', 'SecurityError');
  const worker = new FakeWorker(kind, url, options);
  workers.made.push(worker);
  return worker;
};

class FakeChannel {
  readonly port1 = new ChannelPort();
  readonly port2 = new ChannelPort();
  constructor() {
    this.port1.other = this.port2;
    this.port2.other = this.port1;
  }
}

class ChannelPort {
  other: ChannelPort | undefined;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  isClosed = false;
  postMessage(data: unknown) {
    tasks.push(() => this.other?.onmessage?.({ data }));
  }
  close() {
    this.isClosed = true;
  }
}
