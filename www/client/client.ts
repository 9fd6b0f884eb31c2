// biome-ignore-all lint/suspicious/noDoubleEquals: a byte shorter each, where both sides are of one type
import { type Host, type Port, seek } from './connect.js';
import { deadline, Ms } from './deadline.js';
import { UnsupportedError } from './errors.js';
import { checkHubOptions, type HubOptions, type SocketOptions } from './options.js';
import { type Bit, type Frame, type HubMessage, Op, Protocol, type TabMessage } from './protocol.js';

declare const __BUILD__: string;

/** A page's one port to a hub, which its handles share. */
export type Client = [
  /** Posts a message. Returns whether there is a port. */
  post: (message: TabMessage) => boolean,
  /** Adds a handle, and seeks a hub for the first. */
  add: (handle: Handle) => void,
  /** Forgets a handle. Returns whether it was there. */
  remove: (handle: Handle) => boolean,
  /** Where the hub runs or is sought, which hub it is, and why it is on no better host. */
  place: () => readonly [host: Host, epoch: string | null, trail: readonly string[]],
  /** Ends all handles and leaves the hub. */
  quit: () => void,
];

/**
 * One user of a connection. It is told everything that the hub says, payloads once it has taken their `batch`, and what the
 * client has to say, and picks what is for it. Returns, of a `batch`, whether it takes it; of a payload, whether the next
 * message needs a task of its own.
 */
export type Handle = (input: HubMessage | Frame | CueMessage) => unknown;

/** What a client has to say to its handles. */
export enum Cue {
  /** Post what opens you. */
  Attach = -1,
  /** The hub is gone, and your connection with it. With `leave` it may live: take back what it might still send. */
  Lose = -2,
  /** It is over; with a reason, because it failed. */
  End = -3,
}

/** A cue. */
export type CueMessage =
  | [Cue.Attach]
  | [Cue.Lose, about?: null, leave?: boolean]
  | [Cue.End, about: null, failure?: string];

/** Makes a client; nothing happens before its first handle. */
export const createClient = ({ host: where = {}, liveness }: HubOptions): Client => {
  if (!globalThis.document) throw new UnsupportedError('no page');
  // Some 100 random bits: an id that must be unique, not secret.
  const tab = `${Math.random()}${Math.random()}`;
  const wasmUrl = where.wasmUrl && new URL(where.wasmUrl, document.baseURI).href;
  // A lock keeps a page out of the back-forward cache of Firefox, the one that names no vendor.
  let locks: LockManager | '' | false | undefined =
    (liveness == 'locks' || (liveness != 'heartbeat' && navigator.vendor)) && navigator.locks;
  const handles = new Set<Handle>();
  let host: Host = where.use == 'this-tab' ? 'this-tab' : 'shared-worker';
  let epoch: string | null = null;
  let trail: string[] = [];
  let port: Port | null = null;
  let leave = () => {};
  let cancel = () => {};
  let asks = false;
  let isRunning = false;
  let lostAt = 0;

  /** What has arrived and waits; and how many messages of the first, if it is a batch, have been dispatched to whom. */
  const waiting: HubMessage[] = [];
  let done = 0;
  let takers: Handle[];
  let tick: MessageChannel | undefined;

  const post = (message: TabMessage) => {
    port?.postMessage(message);
    return !!port;
  };

  const tell = (message: HubMessage | CueMessage) => {
    for (const handle of handles) handle(message);
  };

  const search = (first = 0) => {
    if (!isRunning) return;
    trail = [];
    leave = seek(
      where,
      first,
      (opened, on) => {
        port = opened;
        host = on;
        greet();
      },
      (message) => {
        listen();
        if (message[0] == Op.Ask) post([Op.Alive]);
        else push(message);
      },
      (why, isLast) => {
        port = null;
        trail.push(why);
        if (isLast) quit('wasm-unavailable');
      },
    );
  };

  const greet = () => {
    post([
      Op.Hello,
      {
        protocol: Protocol.Major,
        build: __BUILD__,
        tab,
        liveness: locks ? 'locks' : 'heartbeat',
        visible: +!document.hidden as Bit,
        focused: +document.hasFocus() as Bit,
        online: +navigator.onLine as Bit,
        wasmUrl,
      },
    ]);
    tell([Cue.Attach]);
  };

  const push = (message: HubMessage) => {
    if (waiting.push(message) == 1) pump();
  };

  /** Keeps the order of arrival: batches are dispatched in slices, and what arrives meanwhile waits behind them. */
  const pump = () => {
    const until = Date.now() + Ms.Slice;
    for (let pause: unknown; !pause && waiting[0]; pause ||= Date.now() > until) {
      const message = waiting[0];
      if (message[0] == Op.Batch) {
        const frames = message[3];
        if (!done) takers = [...handles].filter((handle) => handle(message));
        const frame = frames[done++] as Frame;
        // Each handle may keep and change its buffer; for a string a copy costs nothing.
        for (const taker of takers) pause = taker(takers[1] ? frame.slice(0) : frame) || pause;
        if (done < frames.length) continue;
        if (message[4]) post([Op.Ack, message[1], message[2] + done]);
      }
      done = 0;
      waiting.shift();
      if (message[0] != Op.Batch) route(message);
    }
    if (!waiting[0]) return;
    if (!tick) {
      tick = new MessageChannel();
      tick.port1.onmessage = pump;
    }
    tick.port2.postMessage(0);
  };

  const route = (message: HubMessage) => {
    switch (message[0]) {
      case Op.Welcome: {
        const { epoch: name, lock } = message[1];
        if (name != epoch) forget();
        epoch = name;
        asks = !locks || !lock;
        listen();
        if (lock && locks) locks.request(lock, { mode: 'shared' }, () => name == epoch && lost());
        break;
      }
      case Op.Script:
      case Op.Who:
      case Op.Beat:
        // Another hub answers at the same port: WebKit restarts a worker so. Or the hub had given this tab up.
        if (!epoch || message[1] == epoch) break;
        forget();
        greet();
        expect();
        break;
      case Op.Crashed:
      case Op.Unavailable:
        // Goes to a fresh hub: at once, but one a second when they die young.
        forget([Cue.Lose, null, true]);
        leave();
        port = null;
        waiting.length = done = 0;
        setTimeout(search, Date.now() - lostAt < Ms.Young ? Ms.Pause : 0, -2);
        lostAt = Date.now();
        break;
      default:
        tell(message);
    }
  };

  /** What the hub knew is gone. */
  const forget = (cue: CueMessage = [Cue.Lose]) => {
    epoch = null;
    asks = false;
    listen();
    tell(cue);
  };

  const quit = (failure?: string) => {
    isRunning = false;
    leave();
    port = null;
    waiting.length = done = 0;
    forget([Cue.End, null, failure]);
  };

  const lost = () => push([Op.Crashed]);

  /** The hub has just said something. */
  const listen = () => {
    cancel();
    if (asks) {
      cancel = deadline(Ms.Silence, () => {
        post([Op.Alive]);
        expect();
      });
    }
  };

  /** The hub must say something soon. */
  const expect = () => {
    cancel();
    cancel = deadline(Ms.Answer, lost);
  };

  /** Takes the lock that shows that this tab lives, and then calls back. */
  const hold = (then: () => void) => {
    if (!locks) return then();
    locks
      .request(`tabwire:tab:${tab}`, () => {
        then();
        return new Promise(() => {});
      })
      .catch(() => {
        locks = false;
        then();
      });
  };

  const suspend = () => post([Op.Suspend]);
  const online = () => post([Op.Online, +navigator.onLine as Bit]);
  const look = () => post([Op.Visibility, +!document.hidden as Bit, +document.hasFocus() as Bit]);
  const page: Record<string, (event: PageTransitionEvent) => unknown> = {
    pagehide({ persisted }) {
      if (persisted) return suspend();
      post([Op.Bye]);
      port = null;
    },
    pageshow({ persisted }) {
      if (!persisted) return;
      // WebKit drops the lock of a cached page. Where it was kept, this request only waits behind it.
      hold(() => {});
      greet();
      expect();
    },
    freeze: suspend,
    resume: () => post([Op.Resume]),
    online,
    offline: online,
    visibilitychange: look,
    focus: look,
    blur: look,
  };
  for (const type in page) addEventListener(type, page[type] as EventListener, true);
  // Firefox interrupts what a page runs when its tab is closed, and with it the first listener.
  addEventListener('pagehide', page.pagehide as EventListener);

  return [
    post,
    (handle) => {
      handles.add(handle);
      handle([Cue.Attach]);
      if (isRunning) return;
      isRunning = true;
      hold(search);
    },
    (handle) => handles.delete(handle),
    () => [host, epoch, trail],
    quit,
  ];
};

/** The client of sockets with these options: one a page for each place where a hub can run. */
export const clientFor = ({ host, liveness }: SocketOptions) => {
  const where = { ...defaults.host, ...host };
  const id = `${[where.use, where.workerUrl, where.wasmUrl]}`;
  clients[id] ??= createClient({ liveness, ...defaults, host: where });
  return clients[id];
};

/**
 * Sets the options of the hub client that the page's sockets share, before the first of them is made.
 * A socket's own `host` options go before these. Throws `InvalidStateError` later.
 */
export const configure = (options: HubOptions) => {
  if (Object.keys(clients)[0]) throw new DOMException('configure() comes before the first socket', 'InvalidStateError');
  defaults = checkHubOptions(options);
};

let defaults: HubOptions = {};
const clients: Record<string, Client> = {};
