import type { Client } from './client.js';
import { Cue, type Handle } from './cue.js';
import { deadline } from './deadline.js';
import type { RequestError } from './errors.js';
import type { SocketOptions, Template } from './options.js';
import { type Bit, Op, type WantedTopic } from './protocol.js';
import type { RequestOptions, SubscriptionOptions, TopicMessage } from './subscription.js';

/** The topics of a socket. */
export interface Topics {
  /** Starts to listen: the socket has been opened, or opened again. */
  start(): void;
  /** Stops: the socket has ended. Subscriptions go on if it is opened again. */
  stop(): void;
  /** Adds a subscription. */
  add(entry: Listening): void;
  /** Takes it away. */
  remove(entry: Listening): void;
  /** Asks the server. */
  request(data: unknown, options?: RequestOptions): Promise<unknown>;
  /** Whether the next hub gets all that comes while there is none. */
  isCovered(): boolean;
  /** What the hub knew is gone. Tells the same. */
  restart(): boolean;
}

/** A subscription. */
export interface Listening {
  topic: string;
  listener: (message: TopicMessage) => unknown;
  options: SubscriptionOptions;
  /** Whether its listener has been closed. */
  isClosed?: boolean;
  /** Its number at the hub. */
  number?: number;
  /** What the hub marks the messages of its topic with, once it has said so. */
  place?: number | undefined;
  /** The last message that its listener was called with, if there are positions. */
  last?: string | undefined;
}

interface Asked {
  resolve: (data: unknown) => void;
  reject: (error: unknown) => void;
  data: string;
  timeout: number;
  isPosted?: boolean;
}

/** What tabs need of the template `json`, which is the hub's. */
export const json: Template = {
  receive: {
    message: { topic: '/topic', data: '/data' },
    answer: { id: '/id', data: '/data', error: '/error' },
  },
  send: { resume: {} },
};

/** How long a request waits by default. */
const Patience = 10_000;
/** The longest timer there is. */
const Longest = 2 ** 31 - 1;
/** What a message without a topic is marked with. */
const None = 2 ** 32 - 1;
/** Requests of a socket that wait for an answer, or for a hub. */
const MostAsked = 1000;

/** Watches what the hub says of the topics of a socket, whose handle and connection `at` tells while it is attached. */
export const observe = (
  subprotocol: SocketOptions['subprotocol'],
  [post, add, remove]: Client,
  at: () => [handle: number, conn: number | undefined],
  fire: (event: string, fields: object) => void,
): Topics => {
  const { receive: { message, answer } = {}, send } =
    Object(subprotocol) === subprotocol ? (subprotocol as Template) : json;
  const hasPositions = !!send?.resume;
  /** Whether there have been messages without a topic, which nothing brings back. */
  let hasOthers = false;
  const entries = new Map<number, Listening>();
  /** The subscriptions that a message is for, by what it is marked with. */
  const places = new Map<number | undefined, Set<Listening>>();
  const asked = new Map<number, Asked>();
  let fresh: Listening[] = [];
  let gone: number[] = [];
  let last = 0;
  let isOn = false;
  let isMoved = false;
  /** The connection by which messages come: a page that was cached gets what waits for it before it is attached again. */
  let current: number | undefined;

  /** Posts what has come together. */
  const flush = () => {
    const [handle, conn] = at();
    if (conn === undefined) return;
    const wanted = fresh.flatMap(({ number, topic, options, isClosed, last }): WantedTopic[] => {
      if (number === undefined || isClosed) return [];
      const isSingle = options.deliver === 'one';
      const wanted: WantedTopic = [number, topic, options.replay ?? (isSingle ? 0 : 1)];
      if (last !== undefined || options.conflate || isSingle) {
        wanted.push(last ?? null, +!!options.conflate as Bit, +isSingle as Bit);
      }
      return [wanted];
    });
    if (gone[0]) post([Op.Unsubscribe, handle, conn, gone]);
    if (wanted[0]) post([Op.Subscribe, handle, conn, wanted]);
    fresh = [];
    gone = [];
    for (const [number, { data, timeout, isPosted }] of asked) {
      if (!isPosted) post([Op.Request, handle, conn, number, data, timeout]);
    }
    for (const one of asked.values()) one.isPosted = true;
  };

  const call = <T>(listener: (value: T) => unknown, value: T) => {
    try {
      return listener(value);
    } catch (error) {
      return reportError(error);
    }
  };

  const tell = (entry: Listening, text: unknown, frame: unknown, more?: Partial<TopicMessage> | false) => {
    if (entry.isClosed) return;
    const { listener, topic } = entry;
    const data = find(message?.data, frame);
    if (hasPositions) entry.last = text as string;
    return call(listener, { topic, data, ...more });
  };

  /** A request has failed. */
  const fail = (number: number, code: RequestError['code'], detail?: unknown) => {
    asked.get(number)?.reject(failure(code, detail));
  };

  /** From here on messages are for a subscription, or for it no more. */
  const place = (entry: Listening, at?: number) => {
    places.get(entry.place)?.delete(entry);
    if (!places.get(entry.place)?.size) places.delete(entry.place);
    entry.place = at;
    if (at !== undefined) places.set(at, (places.get(at) ?? new Set()).add(entry));
  };

  const forget = (entry: Listening) => {
    place(entry);
    return entries.delete(entry.number ?? 0);
  };

  /** The hub, or the connection that it had, is gone, and what they knew. */
  const lose = () => {
    current = undefined;
    isMoved = false;
    places.clear();
    for (const entry of entries.values()) entry.place = undefined;
    // One that was said to be dead may still ask what it was given.
    for (const [number, { isPosted }] of asked) if (isPosted) fail(number, 'lost');
  };

  const isCovered = () => hasPositions && !hasOthers && [...entries.values()].every(({ last }) => last !== undefined);

  const hear: { [op in Op | Cue]?: (number: number, ...items: never[]) => void } = {
    [Op.Attached]: (conn) => {
      if (conn !== current) lose();
      current = conn;
      fresh = [...entries.values()];
      flush();
    },
    [Op.Subscribed]: (number, frames: string[], times: number[], at: number) => {
      const entry = entries.get(number);
      if (!entry) return;
      place(entry, at);
      for (const [index, text] of frames.entries()) tell(entry, text, parse(text), { asOf: times[index] as number });
    },
    [Op.Single]: (number, [text]: [string], _: number[], id: number, isAgain: Bit) => {
      const entry = entries.get(number);
      const [handle, conn] = [at()[0], current];
      if (!entry || entry.isClosed || conn === undefined) return;
      const told = tell(entry, text, parse(text), !!isAgain && { redelivered: true });
      const settled = Promise.resolve(told).catch((error) => reportError(error));
      settled.then(() => conn === current && post([Op.Done, handle, conn, id]));
    },
    [Op.Unsubscribed]: (number, code: RequestError['code'], detail: string) => {
      const entry = entries.get(number);
      if (!entry) return;
      forget(entry);
      call(entry.options.onerror ?? reportError, failure(code, parse(detail)));
    },
    [Op.Answered]: (number, [text]: [string]) => {
      const frame = parse(text);
      const error = answer?.error && find(answer.error, frame);
      if (error) fail(number, 'refused', error);
      else asked.get(number)?.resolve(find(answer?.data, frame));
    },
    [Op.Unanswered]: fail,
    [Op.Missed]: (number, from: string | null, to: string | null, reason: string, suspected: Bit) => {
      const topic = entries.get(number)?.topic;
      if (topic === undefined) return;
      const [first, last] = [parse(from) ?? undefined, parse(to) ?? undefined];
      fire('gap', { topic, from: first, to: last, reason, suspected: !!suspected });
    },
  };

  const handle: Handle = (input, mark) => {
    if (!Array.isArray(input)) {
      const takers = places.get(mark);
      hasOthers ||= (mark ?? None) === None;
      if (!takers) return;
      const frame = parse(input);
      for (const entry of takers) tell(entry, input, frame);
      return;
    }
    const [op, about, ...rest] = input;
    if (op === Cue.Lose) {
      // With positions a hub that moves leaves it to its tabs to say what is in doubt.
      if (isMoved && hasPositions && !isCovered()) fire('gap', { reason: 'moved', suspected: true });
      lose();
    }
    if (op === Op.Status && about === current) isMoved = input[6] === 'moved';
    if (op === Op.Batch) return about === current && (!!places.size || hasPositions);
    if (about === at()[0]) hear[op]?.(...(rest as [number]));
    return;
  };

  return {
    isCovered,
    restart() {
      const isAll = isCovered();
      lose();
      return isAll;
    },
    start() {
      isOn = true;
      // What listens may have been loaded after that was said.
      current ??= at()[1];
      add(handle);
    },
    stop() {
      isOn = false;
      remove(handle);
      for (const number of asked.keys()) fail(number, 'closed');
      lose();
      for (const entry of entries.values()) entry.last = undefined;
    },
    add(entry) {
      entry.number = ++last;
      entries.set(last, entry);
      fresh.push(entry);
      queueMicrotask(flush);
    },
    remove(entry) {
      if (!forget(entry)) return;
      gone.push(entry.number as number);
      queueMicrotask(flush);
    },
    request: (data, { timeout = Patience, signal } = {}) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        if (!(timeout > 0)) throw new RangeError(`timeout: ${timeout}`);
        if (!isOn) throw failure('closed');
        if (asked.size >= MostAsked) throw failure('queue-full');
        const number = ++last;
        const settled = new AbortController();
        const settle =
          <T>(how: (value: T) => void) =>
          (value: T) => {
            asked.delete(number);
            settled.abort();
            cancel();
            how(value);
          };
        const one: Asked = {
          resolve: settle(resolve),
          reject: settle(reject),
          data: JSON.stringify(data) ?? 'null',
          timeout,
        };
        const giveUp = (reason: unknown) => {
          const [handle, conn] = at();
          if (one.isPosted && conn !== undefined) post([Op.Cancel, handle, conn, number]);
          one.reject(reason);
        };
        // The hub counts too, unless there is none.
        const cancel = deadline(Math.min(timeout, Longest), () => giveUp(failure('timeout')));
        signal?.addEventListener('abort', () => giveUp(signal.reason), { signal: settled.signal });
        asked.set(number, one);
        queueMicrotask(flush);
      }),
  };
};

/** The value at a JSON Pointer. */
const find = (way: string | undefined, value: unknown) =>
  (way ? way.slice(1).split('/') : []).reduce<unknown>(
    (inner, name) => (inner as Record<string, unknown> | undefined)?.[name.replaceAll('~1', '/').replaceAll('~0', '~')],
    value,
  );

const parse = (text: unknown): unknown => {
  try {
    return JSON.parse(text as string);
  } catch {
    return undefined;
  }
};

const failure = (code: RequestError['code'], detail?: unknown): RequestError =>
  Object.assign(new Error(code), { name: 'RequestError', code, ...(detail !== undefined && { detail }) });
