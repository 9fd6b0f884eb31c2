// biome-ignore-all lint/suspicious/noDoubleEquals: a byte shorter each, where both sides are of one type
import { readClose, utf8 } from './address.js';
import type { Client } from './client.js';
import type { Host } from './connect.js';
import { Cue, type Handle, Leave } from './cue.js';
import { QueueFullError } from './errors.js';
import type { SocketOptions, UrlFunction } from './options.js';
import { type Frame, type Need, Op, type SentFrame, type State, type StatusItems } from './protocol.js';
import type { RequestOptions, Subscription, SubscriptionOptions, TopicMessage } from './subscription.js';
import type { Listening, Topics } from './topics.js';

/** How a socket is, and why. A frozen object, a new one for each change. */
export interface Status {
  /** What the connection is doing. */
  readonly state: State;
  /** Where the hub runs, or is sought at present. */
  readonly host: Host;
  /** What carries the messages. */
  readonly transport: 'websocket' | 'sse' | 'polling';
  /** Attempts since the connection was last stable, this one included. */
  readonly attempt: number;
  /** When the next attempt starts, in ms since 1970. */
  readonly nextAttemptAt: number | null;
  /** The last close code. */
  readonly code: number | null;
  /**
   * Why the connection is in this state: a code, then after `; ` what else there is to say: `<host>: <why>` for each better
   * host that failed, as in `opened; shared-worker: script-timeout` (`fresh` is a worker in the place of a dead one, `moved`
   * the one that the hub sent this tab to), `beside: protocol <n>` where a hub of another protocol runs besides, and
   * `ignored: <names>` for options that differ from those in force.
   */
  readonly reason: string;
  /** Since when it is in this state, in ms since 1970. */
  readonly since: number;
  /** Which hub it is: a random name, one per hub instance; `null` until one answers. */
  readonly epoch: string | null;
}

/** `readyState` as WebSocket numbers it. */
export enum Ready {
  Connecting,
  Open,
  Closing,
  Closed,
}

/** What `send` takes. */
export type Sendable = string | ArrayBufferLike | ArrayBufferView | Blob;

/** What a handle shows to its socket, under the names of the socket's own properties. */
export interface Shown {
  status: Status;
  url: string;
  readyState: Ready;
  bufferedAmount: number;
  protocol: string;
  extensions: string;
  binaryType: BinaryType;
  send(data: Sendable): void;
  close(code?: number | { purge?: boolean }, reason?: string): void;
  reconnect(): void;
  shutdown(): Promise<void>;
  /** Asks the hub how the connections of this page do. */
  ask(what: 'getStabilityReport' | 'getRecoveryStats' | 'metrics'): Promise<unknown>;
  subscribe?(topic: string, listener: (message: TopicMessage) => unknown, options?: SubscriptionOptions): Subscription;
  publish?(topic: string, data: unknown): void;
  request?(data: unknown, options?: RequestOptions): Promise<unknown>;
}

/** A send: its size in bytes and its data. */
type Entry = [size: number, data: SentFrame];

/** Opens a handle at a client: one user of one connection. Its events are fired at `socket`; the options are a checked copy. */
export const openHandle = (
  socket: EventTarget,
  client: Client,
  target: URL | UrlFunction,
  protocols: string[],
  // What stays here: a url object of `host` cannot even be cloned.
  { key = '', host: _, auth: { token, ...auth } = {}, subprotocol, log, ...rest }: SocketOptions,
) => {
  const [post, add, remove, place] = client;
  const options = {
    ...rest,
    auth,
    subprotocol: JSON.stringify(subprotocol),
  };
  // Functions stay here too, and are called when the hub needs what they give.
  const { href, origin } = target as Partial<URL>;
  const functions: { [kind in Need]?: unknown } = { url: !href && target, token };
  const need = (Object.keys(functions) as Need[]).filter((kind) => functions[kind]);
  const {
    maxMessages = 1000,
    maxBytes = 2 ** 20,
    maxInFlight = 2 ** 24,
    overflow = 'reject',
    resend,
  } = options.queue ?? {};
  const single = options.flow?.batch == false;

  let id: number;
  let conn: number | undefined;
  let nextMessage: number;
  let items: StatusItems;
  let ignored: string[];
  let shown: string;
  const shut: Array<() => void> = [];

  /** Sends that have not been posted. */
  let fresh: Entry[] = [];
  /** Those that have and whose fate is not known, by id. */
  const posted = new Map<number, Entry>();
  // The next id; below which ids have been handed to the socket, may have reached the server, are settled.
  let next = 0;
  let handed = 0;
  let risked = 0;
  let settled = 0;
  /** How many wait to be handed: their bytes are `bufferedAmount`. */
  let count = 0;
  let dropped = 0;
  let isAttached: boolean | undefined;

  /** Only those who have topics load what knows of them. */
  const topics =
    (subprotocol || 'raw') != 'raw'
      ? import('./topics.js').then(({ observe }) =>
          observe(subprotocol, client, () => [id, isAttached ? conn : undefined], fire),
        )
      : undefined;
  let loaded: Topics | undefined;

  const fire = (event: string | Event, fields?: object) => {
    socket.dispatchEvent(Object.assign(typeof event == 'string' ? new Event(event) : event, fields));
  };
  const fireGap = (
    from?: number | null,
    to?: number | null,
    _?: unknown,
    reason = 'hub-lost',
    suspected: unknown = 1,
  ) => {
    fire('gap', { from: from ?? undefined, to: to ?? undefined, reason, suspected: !!suspected });
  };
  const fireClose = (code: number, reason?: string | null, wasClean?: unknown) =>
    fire(new CloseEvent('close', { code, reason: reason ?? '', wasClean: !!wasClean }));
  const fireFailed = (count: number, reason: string) => {
    if (!count) return;
    if (reason == 'overflow') fire(reason, { count, policy: overflow });
    fire('sendfailed', { count, reason });
  };

  const start = () => {
    id = ++lastId;
    show.readyState = Ready.Connecting;
    items = now('connecting', null);
    ignored = [];
    add(handle);
    if (log) {
      import('./observe.js').then(({ follow }) => follow(log, client, () => show.readyState < Ready.Closed && conn));
    }
    topics?.then((topics) => {
      loaded = topics;
      if (show.readyState < Ready.Closing) topics.start();
    });
  };

  const handle: Handle = (input) => {
    if (!Array.isArray(input)) {
      const data = typeof input == 'string' || show.binaryType != 'blob' ? input : new Blob([input]);
      if (show.readyState < Ready.Closing) fire(new MessageEvent('message', { data, origin }));
      return single;
    }
    const [op, about, ...rest] = input;
    if (op < 0 || about == (connOps.includes(op) ? conn : id)) return hear[op]?.(...(rest as never[])) as boolean;
  };

  const update = (...given: StatusItems) => {
    const before = show.readyState;
    items = given;
    [show.protocol, show.extensions] = given.slice(7) as string[] as [string, string];
    if (before < Ready.Closing) show.readyState = readyStates[given[0]] ?? Ready.Connecting;
    // What has been posted may reach the server from now on.
    if (show.readyState == Ready.Open) flush();
    refresh();
    // A listener may have closed the handle by now, and then nothing more is fired.
    if (before < show.readyState && show.readyState == Ready.Open) fire('open');
    if (before > show.readyState) fireClose(given[3] ?? 1006, given[10], given[11]);
    if (given[9] == 3) fire('error');
    if (given[12]) fire(given[12]);
  };

  const refresh = () => {
    const [state, attempt, nextAttemptAt, code, reason, since, transport] = items;
    const [host, epoch, trail] = place();
    const reasons = [reason, ...trail, ...ignored].join('; ');
    const status = { state, host, transport, attempt, nextAttemptAt, code, reason: reasons, since, epoch };
    const text = `${Object.values(status)}`;
    if (text == shown) return;
    shown = text;
    show.status = Object.freeze(status);
    fire('statuschange');
  };

  const end = (code: number, reason?: string | null, wasClean?: unknown, failure?: string) => {
    if (!remove(handle)) return;
    loaded?.stop();
    fireFailed(count, 'closed');
    fresh = [];
    posted.clear();
    next = handed = risked = settled = count = 0;
    show.readyState = Ready.Closed;
    if (failure || readyStates[items[0]] != Ready.Closed) {
      items = now(failure ? 'failed' : 'closed', code, failure);
    }
    refresh();
    if (failure) fire('error');
    fireClose(code, reason, wasClean);
    shut.splice(0).map((resolve) => resolve());
  };

  const flush = () => {
    fireFailed(dropped, 'overflow');
    dropped = 0;
    if (isAttached && fresh[0]) {
      post([Op.Send, id, conn as number, next, fresh.map(([, data]) => data)]);
      for (const entry of fresh.splice(0)) posted.set(next++, entry);
    }
    if (show.readyState == Ready.Open) risked = next;
  };

  /** Queues something to send, whose text counts in UTF-8 where no size is given. */
  const enqueue = (data: SentFrame, size = utf8(`${data}`)) => {
    if (show.readyState < Ready.Closing) {
      // The first waiting message is always accepted, and what has been posted is the hub's to drop.
      while (
        count &&
        (show.readyState
          ? show.bufferedAmount + size > maxInFlight
          : count >= maxMessages || show.bufferedAmount + size > maxBytes) &&
        (fresh[0] || overflow != 'drop-oldest')
      ) {
        if (overflow == 'reject') throw new QueueFullError(`queue: ${count}`);
        queueMicrotask(flush);
        dropped++;
        if (overflow == 'drop-newest') return;
        release(fresh.shift());
      }
      // What was discarded after `close` counts until the socket is used again.
      if (!count++) show.bufferedAmount = 0;
      fresh.push([size, data]);
      queueMicrotask(flush);
    }
    show.bufferedAmount += size;
  };

  const release = (entry: Entry | undefined) => {
    if (!entry) return;
    count--;
    show.bufferedAmount -= entry[0];
    if (resend != 'unknown') entry[1] = '';
  };

  /** What to do about each cue, and about each message given the items behind its number. */
  const hear: Record<number, (...items: never[]) => unknown> = {
    [Cue.Attach]: () => {
      isAttached = false;
      // What was to be closed has gone with its hub.
      if (show.readyState == Ready.Closing) return end(1006);
      refresh();
      post([Op.Attach, id, { url: href || 'function', protocols, key, options, need }]);
      if (shut[0]) post([Op.Shutdown, id]);
    },
    [Cue.Lose]: (how?: Leave) => {
      if (how == Leave.Dead) post([Op.Detach, id]);
      conn = undefined;
      isAttached = false;
      // What may have reached the server is lost from sight, the rest waits for the next hub.
      let lost = 0;
      const kept: Entry[] = [];
      for (const [id, entry] of posted) {
        if (resend == 'unknown' || ((how == Leave.Settled || id >= risked) && id >= handed)) kept.push(entry);
        else lost++;
      }
      posted.clear();
      fresh = [...kept, ...fresh];
      handed = settled = next;
      count = fresh.length;
      show.bufferedAmount = 0;
      for (const [size] of fresh) show.bufferedAmount += size;
      fireFailed(lost, 'unknown');
      if (show.readyState != Ready.Open) return;
      if (!loaded?.isCovered()) fireGap();
      update(...now('reconnecting', 1006, 'hub-lost'));
    },
    [Cue.End]: (failure?: string) => end(failure ? 1006 : 1005, '', !failure, failure),
    [Op.Attached]: (to: number, first: number, names: string[], ...given: StatusItems) => {
      // A hub that had given this tab up begins anew.
      if (to != conn || first != nextMessage) {
        if (conn !== undefined && !loaded?.restart()) fireGap();
        conn = to;
        nextMessage = first;
      }
      if (names[0] && !ignored[0]) {
        ignored = [`ignored: ${names}`];
        console.warn('tabwire', ...ignored);
      }
      isAttached = true;
      flush();
      update(...given);
    },
    [Op.Refused]: (code: string, detail?: string) => end(1006, '', 0, `${code}: ${detail}`),
    [Op.Status]: update,
    [Op.Batch]: (first: number, frames: Frame[]) => {
      if (first != nextMessage) fireGap(nextMessage, first, 0, 'protocol', first < nextMessage);
      nextMessage = first + frames.length;
      return true;
    },
    [Op.Sent]: (handedId: number, settledId: number) => {
      while (handed < handedId) release(posted.get(handed++));
      while (settled < settledId) posted.delete(settled++);
    },
    [Op.Failed]: (first: number, many: number, reason: string) => {
      fireFailed(many, reason);
      for (; many--; first++) {
        if (first >= handed) release(posted.get(first));
        posted.delete(first);
      }
    },
    [Op.Gap]: (...gap: Parameters<typeof fireGap>) => {
      nextMessage = gap[1] ?? nextMessage;
      fireGap(...gap);
    },
    [Op.Closed]: end,
    [Op.Alert]: fire,
    [Op.Overflow]: (count: number, policy: string) => fire('overflow', { count, policy }),
    [Op.Need]: (_: number, kind: Need) => functions[kind],
    [Cue.Look]: () => {
      refresh();
      return show.readyState == Ready.Open;
    },
    [Cue.Risk]: () => {
      risked = next;
    },
  };

  const show = {
    ask: (what) => import('./observe.js').then((observe) => observe[what](client, () => conn) as Promise<unknown>),
    url: href ?? '',
    readyState: Ready.Connecting,
    bufferedAmount: 0,
    protocol: '',
    extensions: '',
    binaryType: 'blob',

    send(given) {
      const { buffer = given, byteOffset, byteLength, type } = Object(given) as ArrayBufferView & Blob;
      // By what it has: what another window has made is of no class of this one.
      const data =
        byteLength >= 0
          ? new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).slice().buffer
          : type >= '' && (given as { slice?: unknown }).slice
            ? (given as Blob)
            : `${given}`;
      enqueue(data, byteLength ?? (data as Blob).size);
    },

    close(...given) {
      const parting = readClose(...given);
      if (show.readyState > Ready.Open) return;
      flush();
      show.readyState = Ready.Closing;
      // Without a port there is nobody to answer.
      if (!post([Op.Detach, id, ...parting])) setTimeout(end, 0, 1006);
    },

    reconnect() {
      if (show.readyState == Ready.Closed) start();
      else post([Op.Reconnect, id]);
    },

    shutdown: () =>
      new Promise((resolve) => {
        if (show.readyState == Ready.Closed) return resolve();
        shut.push(resolve);
        post([Op.Shutdown, id]);
      }),
  } as Shown;
  if (topics) {
    show.subscribe = (topic, listener, options = {}) => {
      const { replay = 0 } = options;
      if (replay >>> 0 != replay) throw new RangeError(`replay: ${replay}`);
      const entry: Listening = { topic: `${topic}`, listener, options };
      topics.then((topics) => topics.add(entry));
      return {
        topic: entry.topic,
        close() {
          entry.isClosed = true;
          topics.then((topics) => topics.remove(entry));
        },
      };
    };
    show.publish = (topic, data) => enqueue([`${topic}`, JSON.stringify(data) ?? 'null']);
    show.request = (...args) => topics.then((topics) => topics.request(...args));
  }
  start();
  return show;
};

/** How a connection is by what this page knows itself. */
const now = (state: State, code: number | null, reason: string = state): StatusItems => [
  state,
  0,
  null,
  code,
  reason,
  Date.now(),
  'websocket',
  '',
  '',
  0,
];

let lastId = 0;
const connOps: (Op | Cue)[] = [Op.Status, Op.Batch, Op.Gap, Op.Overflow, Op.Alert];
const readyStates: Partial<Record<State, Ready>> = {
  open: Ready.Open,
  suspect: Ready.Open,
  closed: Ready.Closed,
  failed: Ready.Closed,
};
