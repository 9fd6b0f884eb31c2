import type { Client } from './client.js';
import { Cue, type Handle } from './cue.js';
import type { RequestError } from './errors.js';
import type { SocketOptions, Template } from './options.js';
import { Op } from './protocol.js';
import type { RequestOptions, SubscriptionOptions, TopicMessage } from './subscription.js';

/** The topics of a socket. */
export interface Topics {
  /** Starts to listen: the socket has been opened, or opened again. */
  start(): void;
  /** Adds a subscription. Returns what ends it. */
  add(topic: string, listener: Listener, options?: SubscriptionOptions): () => void;
  /** Asks the server. */
  request(data: unknown, options?: RequestOptions): Promise<unknown>;
}

type Listener = (message: TopicMessage) => unknown;

interface Entry {
  topic: string;
  listener: Listener;
  options: SubscriptionOptions;
  /** Whether the hub has said from where on it gets messages. */
  isOn?: boolean;
}

interface Asked {
  resolve: (data: unknown) => void;
  reject: (error: unknown) => void;
  data: string;
  timeout: number;
  isPosted?: boolean;
}

/** What tabs need of the template `json`, which is the hub's. */
export const json: Pick<Template, 'receive'> = {
  receive: {
    message: { topic: '/topic', data: '/data' },
    answer: { id: '/id', data: '/data', error: '/error' },
  },
};

/** How long a request waits by default. */
const Patience = 10_000;
/** Requests of a socket that wait for an answer, or for a hub. */
const MostAsked = 1000;

/** Watches what the hub says of the topics of a socket, whose handle and connection `at` tells while it is attached. */
export const observe = (
  subprotocol: SocketOptions['subprotocol'],
  [post, add, remove]: Client,
  at: () => [handle: number, conn: number | undefined],
): Topics => {
  const { message, answer } = (subprotocol === 'json' ? json : (subprotocol as Template)).receive ?? {};
  const entries = new Map<number, Entry>();
  const asked = new Map<number, Asked>();
  let fresh: number[] = [];
  let gone: number[] = [];
  let last = 0;

  /** Posts what has come together. */
  const flush = () => {
    const [handle, conn] = at();
    if (conn === undefined) return;
    const wanted = fresh.flatMap((number): [number, string, number][] => {
      const entry = entries.get(number);
      return entry ? [[number, entry.topic, entry.options.replay ?? 1]] : [];
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

  const tell = ({ listener, topic }: Entry, frame: unknown, asOf?: number) => {
    const data = find(message?.data, frame);
    try {
      listener(asOf ? { topic, data, asOf } : { topic, data });
    } catch (error) {
      reportError(error);
    }
  };

  const fail = (number: number, code: RequestError['code'], detail?: unknown) => {
    asked.get(number)?.reject(failure(code, detail));
  };

  const end = (number: number, code: RequestError['code'], detail?: unknown) => {
    const entry = entries.get(number);
    entries.delete(number);
    const error = failure(code, detail);
    if (entry?.options.onerror) entry.options.onerror(error);
    else if (entry) reportError(error);
  };

  const handle: Handle = (input) => {
    if (!Array.isArray(input)) {
      const frame = typeof input === 'string' ? parse(input) : undefined;
      const topic = find(message?.topic, frame);
      for (const entry of entries.values()) {
        if (entry.isOn && entry.topic === topic) tell(entry, frame);
      }
      return;
    }
    const [id, conn] = at();
    switch (input[0]) {
      case Cue.Attach:
      case Cue.Lose:
        for (const entry of entries.values()) entry.isOn = false;
        fresh = [...entries.keys()];
        // What the hub had is gone with it, or still to be asked by one that was said to be dead.
        if (input[0] === Cue.Lose) for (const [number, { isPosted }] of asked) if (isPosted) fail(number, 'lost');
        break;
      case Cue.End:
        close();
        break;
      case Op.Batch:
        return input[1] === conn && !!entries.size;
    }
    if (input[1] !== id) return;
    switch (input[0]) {
      case Op.Attached:
        fresh = [...entries.keys()];
        flush();
        break;
      case Op.Closed:
      case Op.Refused:
        close();
        break;
      case Op.Subscribed: {
        const [, , number, frames, times] = input;
        const entry = entries.get(number);
        if (!entry) break;
        entry.isOn = true;
        for (const [index, frame] of frames.entries()) tell(entry, parse(frame), times[index]);
        break;
      }
      case Op.Unsubscribed:
        end(input[2], input[3] as RequestError['code'], parse(input[4]));
        break;
      case Op.Answered: {
        const [, , number, [text]] = input;
        const frame = parse(text);
        const error = find(answer?.error ?? '/', frame);
        if (error) fail(number, 'refused', error);
        else asked.get(number)?.resolve(find(answer?.data, frame));
        break;
      }
      case Op.Unanswered:
        fail(input[2], input[3] as RequestError['code']);
    }
    return;
  };

  /** The socket has ended, and all that it had. */
  const close = () => {
    remove(handle);
    for (const number of asked.keys()) fail(number, 'closed');
  };

  return {
    start: () => add(handle),
    add(topic, listener, options = {}) {
      const number = ++last;
      entries.set(number, { topic, listener, options });
      fresh.push(number);
      queueMicrotask(flush);
      return () => {
        if (!entries.delete(number)) return;
        gone.push(number);
        queueMicrotask(flush);
      };
    },
    request: (data, { timeout = Patience, signal } = {}) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        if (asked.size >= MostAsked) throw failure('queue-full');
        const number = ++last;
        const settled = new AbortController();
        const settle =
          <T>(how: (value: T) => void) =>
          (value: T) => {
            asked.delete(number);
            settled.abort();
            how(value);
          };
        asked.set(number, {
          resolve: settle(resolve),
          reject: settle(reject),
          data: JSON.stringify(data) ?? 'null',
          timeout,
        });
        const giveUp = () => {
          const [handle, conn] = at();
          const one = asked.get(number);
          if (one?.isPosted && conn !== undefined) post([Op.Cancel, handle, conn, number]);
          one?.reject(signal?.reason);
        };
        signal?.addEventListener('abort', giveUp, { signal: settled.signal });
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
