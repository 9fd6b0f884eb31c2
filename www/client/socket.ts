// biome-ignore-all lint/suspicious/noDoubleEquals: a byte shorter each, where both sides are of one type
import { readProtocols, readUrl } from './address.js';
import { CircuitBreaker } from './breaker.js';
import type { CircuitBreakerOptions } from './breaker-options.js';
import { type Client, clientFor, createClient } from './client.js';
import { UnsupportedError } from './errors.js';
import type { SharedWebSocketEventMap } from './events.js';
import { fetchBehind, type GatedRequestInit } from './fetch.js';
import { createGates, type Gates } from './gate.js';
import { openHandle, type Sendable, type Shown, type Status } from './handle.js';
import {
  checkHubOptions,
  checkInspectOptions,
  checkSocketOptions,
  type HubOptions,
  judge,
  type SocketOptions,
  type UrlFunction,
} from './options.js';
import type { HubReport, InspectEntry, InspectOptions, RecoveryStats, StabilityReport } from './report.js';
import type { RequestOptions, Subscription, SubscriptionOptions, TopicMessage } from './subscription.js';

/**
 * The WebSocket interface over a connection that every tab of the browser shares, and that reconnects.
 *
 * What differs from WebSocket: `open` fires at every (re)connection; `close` fires each time an open connection is lost, with
 * `readyState` then CONNECTING, and once, last, at the end; `send` before `open` queues instead of throwing; http(s) and
 * relative urls work in every browser.
 */
export interface SharedWebSocket extends EventTarget {
  /** How the socket is, and why; a new object for each change. */
  readonly status: Status;
  /** The url, resolved; `''` where a function gives it. */
  readonly url: string;
  /** CONNECTING while there is no connection, OPEN, CLOSING after `close`, CLOSED at the end. */
  readonly readyState: number;
  /** Bytes sent (UTF-8) that have not been given to the shared WebSocket. */
  readonly bufferedAmount: number;
  /** The subprotocol that the server chose. */
  readonly protocol: string;
  /** The extensions in use. */
  readonly extensions: string;
  /** What binary messages arrive as. Default `'blob'`. */
  binaryType: BinaryType;
  /** Called at every (re)connection. */
  onopen: ((this: SharedWebSocket, event: Event) => unknown) | null;
  /** Called with each message. */
  onmessage: ((this: SharedWebSocket, event: MessageEvent) => unknown) | null;
  /** Called at every failed attempt. */
  onerror: ((this: SharedWebSocket, event: Event) => unknown) | null;
  /** Called each time that an open connection is lost, and once, last, at the end. */
  onclose: ((this: SharedWebSocket, event: CloseEvent) => unknown) | null;
  /**
   * Sends data, copied at the call; while not open it waits. Throws `QueueFullError` at the bounds of `queue` when its
   * `overflow` is `'reject'`. After `close` data is discarded, as WebSocket does.
   */
  send(data: Sendable): void;
  /** Ends this handle. The connection closes when its last handle has been gone for `linger`; that one's code reaches the server. */
  close(code?: number, reason?: string): void;
  /**
   * Ends this handle, as at a logout: with `purge` nothing of its `key` outlives the last handle of that key. No connection
   * lingers, and what waits to be sent and every token are erased.
   */
  close(options: { purge?: boolean }): void;
  /** Replaces the socket now, or opens again what is closed or failed. */
  reconnect(): void;
  /** Closes the connection for every tab with 1000 `shutdown`. Resolves when this handle is closed. */
  shutdown(): Promise<void>;
  /** How the connections of this tab do: how many are healthy, their scores, uptime, throughput and errors. */
  getStabilityReport(): Promise<StabilityReport>;
  /** How lost connections of this tab have come back, and the breakers that it uses. */
  getRecoveryStats(): Promise<RecoveryStats>;
  /** The numbers of this tab's connections and breakers in the text format of Prometheus, version 0.0.4: see `docs/OBSERVABILITY.md`. */
  metrics(): Promise<string>;
  /**
   * Calls the listener with each message of a topic, the last one first if the hub has it. The server is asked once for all
   * tabs; when nobody wants the topic any more, it is given back after `linger`. With `raw` throws `UnsupportedError`.
   */
  subscribe<T = unknown>(
    topic: string,
    listener: (message: TopicMessage<T>) => unknown,
    options?: SubscriptionOptions,
  ): Subscription;
  /** Sends data, a JSON value, to a topic, as {@link send} sends a frame. With `raw` throws `UnsupportedError`. */
  publish(topic: string, data: unknown): void;
  /**
   * Asks the server something, a JSON value, and resolves with the data of its answer; rejects with a `RequestError`.
   * With `raw` throws `UnsupportedError`.
   */
  request<T = unknown>(data: unknown, options?: RequestOptions): Promise<T>;

  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;

  addEventListener<K extends keyof SharedWebSocketEventMap>(
    type: K,
    listener: (this: SharedWebSocket, event: SharedWebSocketEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof SharedWebSocketEventMap>(
    type: K,
    listener: (this: SharedWebSocket, event: SharedWebSocketEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** The constructor of {@link SharedWebSocket}. */
export interface SharedWebSocketConstructor {
  /**
   * Opens a handle on the connection with this url, these protocols and `options.key`, and the connection with the first.
   * A function gives the url of each connection anew: see {@link UrlFunction}.
   *
   * Throws `SyntaxError` for a url or protocols that WebSocket refuses, `TypeError` or `RangeError` for bad options,
   * `UnsupportedError` outside a browser page and for what is not there yet.
   */
  new (
    url: string | URL | UrlFunction,
    protocols?: string | Iterable<string>,
    options?: SocketOptions,
  ): SharedWebSocket;
  readonly prototype: SharedWebSocket;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
}

/** The WebSocket interface, shared by every tab. */
export const SharedWebSocket: SharedWebSocketConstructor = /* @__PURE__ */ define();

/** A hub client of its own, beside the page's. */
export interface Hub {
  /** Opens a socket at this hub. Its own `host` and `liveness` options do not count. */
  socket(
    url: string | URL | UrlFunction,
    protocols?: string | Iterable<string>,
    options?: SocketOptions,
  ): SharedWebSocket;
  /** The breaker of this name that the tabs at this hub share. */
  breaker(name: string, options?: CircuitBreakerOptions): CircuitBreaker;
  /** `gatedFetch` behind the breakers of this hub. */
  fetch(input: RequestInfo | URL, init?: GatedRequestInit): Promise<Response>;
  /** Asks the hub how many tabs and connections it has, and how this page's connections and breakers are. */
  report(): Promise<HubReport>;
  /**
   * Shows what the hub sees of this page's connections: frames as sizes, transitions and remarks, from now on until the loop is
   * left or `signal` aborted. Who is too slow to take them is told how many were dropped. Ends with an `UnsupportedError`
   * where there is no hub, and when the client is closed.
   */
  inspect(options?: InspectOptions): AsyncIterableIterator<InspectEntry>;
  /** Closes all sockets of this hub client and leaves the hub. */
  close(): void;
}

/** Makes a hub client with options of its own; nothing happens before its first socket or report. */
export const createHub = (options: HubOptions = {}): Hub => {
  const checked = checkHubOptions(options);
  const { host, name } = checked;
  if (name !== undefined) {
    if (!host?.workerUrl) throw new TypeError(`name: "${name}" needs host.workerUrl`);
    // A worker of another url is another worker, whereas its own name must be literal for bundlers.
    host.workerUrl = `${host.workerUrl}#${name}`;
  }
  const client = createClient(checked);
  const [, , , , quit] = client;
  let gates: Gates | undefined;
  const own = () => {
    gates ??= createGates(client, name);
    return gates;
  };
  return {
    breaker: (name, options) => new (CircuitBreaker as BreakerConstructor)(name, options, own()),
    fetch: (input, init) => fetchBehind(own(), input, init),
    socket: (...args) => new (SharedWebSocket as Constructor)(args[0], args[1], args[2], client),
    report: async () => (await observe()).ask(client),
    inspect(options = {}) {
      const checked = checkInspectOptions(options);
      const entries = observe().then(({ inspect }) => inspect(client, checked));
      return {
        next: async () => (await entries).next(),
        return: async () => ((await entries).return as Method)() as never,
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
    close: () => quit(),
  };
};

const observe = () => import('./observe.js');

/** The listener behind an `on…` attribute, and the value of that. */
interface Listener {
  (event: Event): void;
  handler?: Method | null;
}

type Method = (...args: unknown[]) => unknown;

type BreakerConstructor = new (
  name: string,
  options: CircuitBreakerOptions | undefined,
  gates: Gates,
) => CircuitBreaker;

type Constructor = new (
  url: string | URL | UrlFunction,
  protocols?: string | Iterable<string>,
  options?: SocketOptions,
  client?: Client,
) => SharedWebSocket;

// Called once, so that a bundler can drop the whole class; on a server there may be no EventTarget to extend.
function define() {
  class SharedWebSocket extends (globalThis.EventTarget ?? Object) {
    #shown: Shown;
    #on: Record<string, Listener> = {};

    constructor(
      url: string | URL | UrlFunction,
      protocols: string | Iterable<string> = [],
      options: SocketOptions = {},
      client?: Client,
    ) {
      super();
      if (url === undefined) throw new TypeError('url');
      const checked = checkSocketOptions(options);
      client ??= clientFor(checked);
      const target = typeof url == 'function' ? url : readUrl(url);
      if (target === url && !checked.key) throw new TypeError('key: ""');
      this.#shown = openHandle(this as unknown as EventTarget, client, target, readProtocols(protocols), checked);
    }

    get binaryType() {
      return this.#shown.binaryType;
    }
    set binaryType(type) {
      if (!judge(type, 'blob arraybuffer')) this.#shown.binaryType = type;
    }

    static {
      const prototype = SharedWebSocket.prototype as SharedWebSocket & Record<string, unknown>;
      const add = (
        name: string,
        descriptor: PropertyDescriptor & ThisType<SharedWebSocket>,
        target: object = prototype,
      ) => Object.defineProperty(target, name, descriptor);

      'CONNECTING OPEN CLOSING CLOSED'
        .split(' ')
        .map((name, value) => [prototype, SharedWebSocket].map((target) => add(name, { value }, target)));
      for (const name of 'status url readyState bufferedAmount protocol extensions'.split(' ')) {
        add(name, {
          get() {
            return this.#shown[name as 'url'];
          },
        });
      }
      for (const name of 'send close reconnect shutdown subscribe publish request'.split(' ')) {
        prototype[name] = function (this: SharedWebSocket, ...args: unknown[]) {
          const method = this.#shown[name as 'send'] as Method | undefined;
          if (!method) throw new UnsupportedError('subprotocol: "raw"');
          if (args.length < method.length) throw new TypeError(name);
          return method(...args);
        };
      }
      for (const name of 'getStabilityReport getRecoveryStats metrics'.split(' ')) {
        prototype[name] = function (this: SharedWebSocket) {
          return this.#shown.ask(name as 'metrics');
        };
      }
      for (const type of 'open message error close'.split(' ')) {
        add(`on${type}`, {
          get() {
            return this.#on[type]?.handler ?? null;
          },
          // As for every such attribute: an object is kept, a function called, and a new one takes the place of the old.
          set(given) {
            const isSet = Object(given) === given;
            const listener: Listener = this.#on[type] ?? ((event) => listener.handler?.call?.(this, event));
            this.#on[type] = listener;
            listener.handler = isSet ? given : null;
            (this as unknown as EventTarget)[isSet ? 'addEventListener' : 'removeEventListener'](type, listener);
          },
        });
      }
    }
  }
  return SharedWebSocket as unknown as SharedWebSocketConstructor;
}
