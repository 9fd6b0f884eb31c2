// biome-ignore-all lint/suspicious/noDoubleEquals: a byte shorter each, where both sides are of one type
import type { InspectOptions } from './report.js';

/**
 * Options of a socket. Durations are milliseconds, sizes bytes. Numbers are finite and not negative unless an option says
 * otherwise. A bad name or type throws `TypeError`, a bad value `RangeError`; both name the option and the value, as in
 * `reconnect.jitter: "foo"`.
 *
 * The options of one connection (`reconnect`, `heartbeat`, `staleness`, `recovery`, `health`, `auth` without its function) are decided by the handle that attached it first, in whichever
 * tab; what a later one asks for differently is ignored, warned of and listed in `status.reason`.
 */
export interface SocketOptions {
  /**
   * Separates users: handles share a connection only when their url, protocols and key are equal. Default `''`.
   * It is no defence against scripts of the same origin.
   */
  key?: string;
  /** Where the hub runs. */
  host?: HostOptions;
  /** When and how often a lost connection is tried again. */
  reconnect?: ReconnectOptions;
  /** How a dead path is noticed. */
  heartbeat?: HeartbeatOptions;
  /** When a connection is replaced though nothing is known to be wrong with it. */
  staleness?: StalenessOptions;
  /** When attempts are paused. */
  recovery?: RecoveryOptions;
  /** When the connection is looked at, and what is too bad. */
  health?: HealthOptions;
  /** Lines about the connection, written by this page. Default: none. */
  log?: LogOptions;
  /** How the server is shown who connects. */
  auth?: AuthOptions;
  /** What takes the place of the WebSocket while that does not open. */
  fallback?: FallbackOptions;
  /** Bounds of what this handle may have waiting to be sent. */
  queue?: QueueOptions;
  /** How messages reach a tab that does not keep up. */
  flow?: FlowOptions;
  /**
   * How the hub learns that this tab has died; decided by the first socket of the page. `'locks'` is exact, but costs a
   * page Firefox's back-forward cache, and is `'heartbeat'` where there are no Web Locks. Default `'auto'`: locks in
   * Chromium and WebKit in a secure context, else heartbeat.
   */
  liveness?: 'auto' | 'locks' | 'heartbeat';
  /** How long the connection outlives its last handle; the largest that any handle asked for counts. Default 2000 ms. */
  linger?: number;
  /** What is kept of each topic for those who subscribe later. */
  replay?: ReplayOptions;
  /** How topics are shared out among sockets, where a server takes only so many on one. */
  pool?: PoolOptions;
  /**
   * Values for a purpose, where none are given. `'fleet'`: thousands of topics on dozens of sockets of one server; 50 topics a
   * socket, a ping every 120 to 180 s, reconnects after 45 to 75 s, subscriptions 15 to 45 s after that. Default: none.
   */
  preset?: 'fleet';
  /**
   * How the server speaks of topics. `'raw'`, the default, has none and delivers every frame to every tab; `'json'` is the
   * template that the demo server speaks; a {@link Template} describes any other server whose frames are JSON; any other word is
   * the name of one that a worker of your own registers in code (`registerSubprotocol` of `tabwire/worker`, `host.workerUrl`).
   * What is wrong with it is found by the hub: the socket is `failed` then, and `status.reason` says where in the template.
   */
  subprotocol?: 'raw' | 'json' | (string & {}) | Template;
}

/**
 * How topics are shared out. Sockets are opened as topics need them, and closed when they have none; what is sent, published and
 * asked goes by the first. `status` is that of the first: a further one that is lost is a `gap`, unless its topics have positions.
 */
export interface PoolOptions {
  /** Topics of one socket, at least 1. Default `Infinity`. */
  maxTopicsPerConnection?: number;
  /** Sockets, at least 1. What does not fit is refused with code `queue-full`. Default 64. */
  maxConnections?: number;
  /** Time from the start of one socket to that of the next. Default 5000 ms. */
  stagger?: number;
  /** Time in which all sockets start: they start `min(stagger, maxStagger / sockets)` apart. Default 30 000 ms. */
  maxStagger?: number;
  /** How long a socket that was lost and is open again waits before it asks for its topics, or between which two times. Default 0 ms. */
  resubscribeSpread?: number | [least: number, most: number];
}

/** What is kept of each topic. */
export interface ReplayOptions {
  /** Messages of a topic. Default 1: the last value. */
  perTopic?: number;
  /** How old a message may be and still be handed out. Default 60 000 ms. */
  maxAge?: number;
  /** Bytes kept for all topics of the connection; what came first goes first. Default 1 MiB. */
  maxBytes?: number;
}

/** A place in a JSON frame, as JSON Pointer (RFC 6901): `''` is the whole frame, `'/data/topic'` a member of a member. */
export type Pointer = string;

/** What has to be in a frame: at each pointer this text, number or word, or with `'{any}'` whatever. */
export type When = { readonly [pointer: Pointer]: string | number | boolean | null };

/** JSON with placeholders in its strings, such as `'{topic}'`. */
export type Form = string | { readonly [name: string]: unknown } | readonly unknown[];

/**
 * How a server speaks, as data: what its frames mean, and what is sent to it. See `docs/SUBPROTOCOLS.md` for two that are
 * worked out.
 */
export interface Template {
  /** What a frame means: the first of these that holds, in this order. What none holds for goes to every tab. */
  readonly receive?: {
    /** A message of a topic. `data` is what listeners get of it, by default all; `position` is what `send.resume` goes on after. */
    readonly message?: { when?: When; topic: Pointer; data?: Pointer; position?: Pointer };
    /**
     * An answer to what was sent with `'{id}'`. It is an error where there is something at `error`. To `subscribe` and `resume` it
     * may tell the `position` of the topic, and whether it was `recovered`: a value, or an object with one for each topic.
     */
    readonly answer?: {
      when?: When;
      id: Pointer;
      data?: Pointer;
      error?: Pointer;
      position?: Pointer;
      recovered?: Pointer;
    };
    /** The pong. */
    readonly pong?: { when: When };
    /** The server wants its client to reconnect, at once or after so many ms. */
    readonly reconnect?: { when: When; delay?: Pointer };
  };
  /**
   * What is sent. `'{topic}'` is the topic, `'{topics}'` an array of several, `'{position}'` the position of the topic,
   * `'{positions}'` an object of several, `'{id}'` a number that the answer repeats, `'{data}'` what the user gave and
   * `'{data/name}'` a part of it, `'{token}'` the token of `auth`.
   */
  readonly send?: {
    readonly subscribe?: Form;
    /** In the place of `subscribe`, where a position is known. */
    readonly resume?: Form;
    readonly unsubscribe?: Form;
    readonly publish?: Form;
    readonly request?: Form;
    readonly ping?: Form;
    /** For `auth.via: 'message'`. */
    readonly authenticate?: Form;
  };
}

/**
 * Where the hub runs. Sockets whose `use`, `workerUrl` and `wasmUrl` differ seek hubs of their own; of SharedWorkers without a
 * `name` the better one takes over in the end, as with two builds of an app.
 */
export interface HostOptions {
  /**
   * `'shared-worker'`: one hub for all tabs, and nothing else. `'this-tab'`: a hub for this page alone, in a dedicated
   * worker, or in the page where `Worker` is refused. Default `'auto'`: the first of these that comes up; `status.host`
   * and `status.reason` tell which, and why not a better one.
   */
  use?: 'auto' | 'shared-worker' | 'leader-tab' | 'this-tab';
  /** How long the worker script may take to answer before the next host is tried. Default 3000 ms. */
  scriptDeadline?: number;
  /**
   * How long after that the hub may take to be up before the next host is tried. Default 15 000 ms. There are at most three
   * hosts to try, and once the worker of another hub of this browser, so after four times both deadlines at the latest there
   * is a hub, or the socket is `failed`; once there has been one, it is `reconnecting` and another is sought from time to time.
   */
  readyDeadline?: number;
  /**
   * Url of the worker script, for bundlers that do not emit it and for Trusted Types; same origin. A string is resolved
   * against the page and a `TrustedScriptURL` is passed on as it is. Default: `worker.js` beside this module.
   */
  workerUrl?: string | URL | { toString(): string };
  /** Url of the wasm; a string is resolved against the page. Default: `hub.wasm` beside the worker script. */
  wasmUrl?: string | URL;
}

/** When and how often a lost connection is tried again. */
export interface ReconnectOptions {
  /** Delay that the growth starts from. Default 1000 ms. */
  minDelay?: number;
  /** Most that a delay grows to, before jitter. Default 30 000 ms. */
  maxDelay?: number;
  /** Least that a drawn delay can be. Default 250 ms. */
  floor?: number;
  /** Factor from one failure to the next, at least 1. Default 2. */
  growth?: number;
  /**
   * How a delay is drawn: `'full'` evenly from 0 to the delay, `'none'` the delay itself, a fraction (0 to 1) of it up or
   * down, `{ add }` up to so many ms more. Default `'full'`.
   */
  jitter?: 'full' | 'none' | number | { add: number };
  /** The first retry after a server-side loss is spread over this long. Default 5000 ms. */
  firstDelayMax?: number;
  /** Failed attempts in a row, at least 1, after which the connection is `failed`. Default `Infinity`. */
  maxAttempts?: number;
  /** A connection open this long that has carried a message is stable: delays start from `minDelay` again. Default 5000 ms. */
  stableAfter?: number;
  /** How long an attempt may take. Default 20 000 ms: Firefox and Chromium hold attempts back themselves. */
  connectTimeout?: number;
  /** Close codes, 1000 to 4999, after which there is no reconnect. Default 1000 1002 1003 1007 1008 1010 4400 4401 4403 4404. */
  fatalCodes?: number[];
}

/** How a dead path is noticed. Without a `message` there are no pings. */
export interface HeartbeatOptions {
  /** The frame that is the ping. Default: none. */
  message?: string;
  /** The frame that is the pong, and is not delivered. Default: any frame counts, and is delivered. */
  pong?: string;
  /** Time from one ping to the next, whatever arrives; at least 1. Default 25 000 ms. */
  interval?: number;
  /** Fraction (0 to 1) of the interval by which it varies up or down. Default 0.2. */
  jitter?: number;
  /** How long a pong may take before the socket is replaced. Default 10 000 ms. */
  timeout?: number;
  /** Whether a new socket must answer a ping before it counts as open. Default `true` when a message is given. */
  verifyOnOpen?: boolean;
}

/** When a connection is replaced though nothing is known to be wrong with it. */
export interface StalenessOptions {
  /**
   * How long the server may say nothing, pongs aside, before the connection is stale: `staleConnection` is fired and the
   * socket replaced. For servers that are expected to talk. Default: off.
   */
  staleAfter?: number;
  /** How often that is looked at; at least 1. Default 10 000 ms. */
  checkEvery?: number;
  /**
   * How old a socket may become. A fresh one is open, and verified, before the old one is closed; the cut is told as
   * `gap` with reason `handover`. At least 1. Default: off.
   */
  maxAge?: number;
}

/** A circuit breaker on the attempts to connect. */
export interface RecoveryOptions {
  /**
   * Failed attempts in a row, at least 1, after which there are none for `openFor`; `circuitBreakerOpened` is fired then.
   * Default `Infinity`: never.
   */
  failureThreshold?: number;
  /** How long attempts are paused. Default 60 000 ms. */
  openFor?: number;
}

/** Lines about what the hub does for a connection. Given, if only as `{}`, they are written. */
export interface LogOptions {
  /** The least that is written. `debug`: each frame by its size; `info`: transitions; `warn`: losses; `error`: the end. Default `'info'`. */
  level?: LogLine['level'];
  /** Takes each line. Default: the console. */
  sink?: (line: LogLine) => unknown;
  /** How often there is a line, of level `info`, about the health of the connection; at least 1. Default 60 000 ms. */
  healthEvery?: number;
}

/** A line. It shows no payload, no token and no url. */
export interface LogLine {
  /** When it was, in ms since 1970. */
  readonly at: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}

/** When the health of a connection is looked at, and what is too bad: see `docs/OBSERVABILITY.md`. */
export interface HealthOptions {
  /** How often it is looked at; at least 1. Default 60 000 ms. */
  checkEvery?: number;
  thresholds?: {
    /** Below this score, of 0 to 100, it is unhealthy. Default 50. */
    score?: number;
    /** The smoothed round trip that costs the most points; at least 1. Default 1000 ms. */
    rtt?: number;
    /** So many losses in five minutes are a `stabilityAlert`; at least 1. Default 5. */
    losses?: number;
    /** As is a smaller share of attempts that have opened the lost connection again, of at least four in five minutes. Default 0.5. */
    recoveryRate?: number;
    /** An open connection that has brought nothing but pongs for so long is stale. Default 600 000 ms. */
    silence?: number;
  };
}

/**
 * What takes the place of a WebSocket that does not open, as behind a proxy that lets none through: server-sent events, and
 * where those do not come either, requests that ask again and again. `status.transport` says what messages come by. One stream
 * or request serves all tabs, and the WebSocket goes on being tried: once it opens it takes over. A url that
 * is not absolute counts from the worker script: begin it with `/`. With the `raw` subprotocol the change is a suspected `gap`; topics with positions lose and repeat nothing.
 */
export interface FallbackOptions {
  /** A stream of server-sent events; the data of each is a message. The id of the last is sent as `Last-Event-ID`. Default: none. */
  sse?: { url: string };
  /**
   * What is asked for every `interval` [5000] ms with `Last-Event-ID`, `If-None-Match` and `If-Modified-Since`. The answer is
   * server-sent events (`text/event-stream`), or else one message. Default: none.
   */
  polling?: { url: string; interval?: number };
  /** Where frames to the server go meanwhile, each as the body of a POST. Default: they wait for the WebSocket. */
  send?: { url: string };
  /**
   * When: after so many attempts in a row have failed, or so long without a connection, whichever is first.
   * Default `{ attempts: 3, timeout: 10000 }`; one that is not given is no limit.
   */
  after?: { attempts?: number; timeout?: number };
}

/**
 * How the server is shown who connects. The token is fetched by one tab for the whole browser, anew before it expires and
 * when the server has refused it, and is never part of `status`, logs or metrics.
 *
 * @example
 * new SharedWebSocket('wss://example.com/live', [], {
 *   key: user.id,
 *   auth: { token: () => fetch('/token').then((response) => response.text()) },
 * });
 */
export interface AuthOptions {
  /**
   * Gives a token. It is called in one tab at a time, the one that the user looks at if it can; what throws, rejects or takes
   * more than 10 s is taken for a failure, and another tab is asked. Anything but a token makes the connection `failed`
   * with reason `bad-token`. Default: no token.
   */
  token?: () => Token | Promise<Token>;
  /**
   * Where the token goes: into the query of the url, among the subprotocols that are offered, or into a message of its own, the
   * first, as `authenticate` of the {@link Template} says. The latter is sent again with each fresh token; with the others the
   * socket is replaced. Default `'query'`.
   */
  via?: 'query' | 'subprotocol' | 'message';
  /** The name of the query parameter, or the subprotocol that is offered before the token. Default `'access_token'`. */
  param?: string;
  /** How long before it expires a token is replaced, and the socket with it. Default 60 000 ms. */
  refreshBefore?: number;
  /** Close codes, 1000 to 4999, by which the server refuses a token. Default 1008 4401 4403. */
  refusedCodes?: number[];
}

/**
 * A token, and with `expiresAt` when it expires, in ms since 1970. Of a JWT the claim `exp` is read; one that says nothing is
 * not replaced before the server refuses it.
 */
export type Token = string | { token: string; expiresAt?: number };

/**
 * Gives the url of each connection, as `auth.token` gives a token. The sockets with such a url share a connection by their
 * protocols and `key`, which may not be empty, and their `url` is `''`. A url that WebSocket refuses makes the connection
 * `failed` with reason `bad-url`.
 */
export type UrlFunction = () => string | URL | Promise<string | URL>;

/** Bounds of what a handle may have waiting to be sent. The first waiting message is always accepted. */
export interface QueueOptions {
  /** Messages that may wait while the connection is not open. Default 1000. */
  maxMessages?: number;
  /** Bytes that may wait while the connection is not open. Default 1 MiB. */
  maxBytes?: number;
  /** Bytes that may be on their way to the socket while the connection is open. Default 16 MiB. */
  maxInFlight?: number;
  /** How long a message may wait before it fails as `expired`. Default 60 000 ms. */
  ttl?: number;
  /** At the bound: `send` throws `QueueFullError`, or the oldest or the new message fails as `overflow`. Default `'reject'`. */
  overflow?: 'reject' | 'drop-oldest' | 'drop-newest';
  /** Whether messages of unknown fate are sent again, so that the server may see them twice. Default `'never'`. */
  resend?: 'never' | 'unknown';
}

/** How messages reach a tab that does not keep up. With several handles in a tab the strictest values count. */
export interface FlowOptions {
  /** Most that may be posted and not dispatched. Default 8192 messages or 4 MiB, whichever is first; at least 1. */
  window?: Amount;
  /** Most that waits in the hub beyond the window. Default 65 536 messages or 16 MiB, whichever is first. */
  cap?: Amount;
  /**
   * Lose what is new at the cap, until the queue is empty; keep only the newest beyond the window, with topics the newest of
   * each; lose the oldest at the cap. All of it is told as `gap` and `overflow`. Default `'queue'`.
   */
  whenSlow?: 'queue' | 'latest' | 'drop-oldest';
  /** Longest delay of a message to a hidden tab. Default 250 ms. */
  hiddenFlush?: number;
  /** `false` gives every message a task of its own. Default `true`: slices of at most 8 ms. */
  batch?: boolean;
}

/** A number of messages and of bytes; whichever is reached first counts, and one that is not given is no limit. */
export interface Amount {
  messages?: number;
  bytes?: number;
}

/** Options of a hub client: see {@link SocketOptions}, and `name`. */
export interface HubOptions extends Pick<SocketOptions, 'host' | 'liveness'> {
  /** Hubs of other names share nothing. Needs `host.workerUrl`, of which it becomes the fragment. Default: no name. */
  name?: string;
}

/** Checks the options of a socket. Returns a copy of what was given; throws for the first that is bad. */
export const checkSocketOptions = (options: SocketOptions) => check(options, socketRules) as SocketOptions;

/** Checks the options of a hub client. Returns a copy of what was given; throws for the first that is bad. */
export const checkHubOptions = (options: HubOptions) => {
  const { host, liveness } = socketRules;
  return check(options, { name: '', host, liveness }) as HubOptions;
};

/** Checks the options of `inspect`; throws for the first that is bad. */
export const checkInspectOptions = (options: InspectOptions): InspectOptions =>
  check(options, { payloads: true, signal: (value) => !(value instanceof AbortSignal) && TypeError });

/** What an option may be: one of these words or any text, a boolean, a group, or what a function finds no error in. */
type Rule = string | true | Rules | ((value: unknown) => Wrong);
type Rules = { readonly [name: string]: Rule };
type Wrong = (new (message: string) => Error) | false | '' | undefined;

/** A copy of what is given, which is by these rules. Throws for the first that is not. */
export const check = (given: object, rules: Rules, path = '') => {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const rule = rules[name] as Rule;
    const Wrong = judge(value, rule);
    if (Wrong) throw new Wrong(`${path + name}: ${typeof value == 'string' ? `"${value}"` : value}`);
    copy[name] = typeof rule == 'object' ? check(value, rule, `${path + name}.`) : value;
  }
  return copy;
};

/** What is wrong with a value by a rule, if something is. */
export const judge = (value: unknown, rule: Rule): Wrong =>
  typeof rule == 'function'
    ? rule(value)
    : typeof value != typeof rule || value === null
      ? TypeError
      : typeof rule == 'string' && rule && !rule.split(' ').includes(value as string) && RangeError;

/** A number from this to that; without an end any finite one. */
export const from =
  (least: number, most = 1e308) =>
  (value: unknown): Wrong =>
    typeof value != 'number' ? TypeError : !(value >= least && value <= most) && RangeError;

/** A finite number that is not negative. */
export const amount = /* @__PURE__ */ from(0);
/** A finite number of at least 1. */
export const positive = /* @__PURE__ */ from(1);
/** A number of at least 1, or `Infinity`. */
export const endless = /* @__PURE__ */ from(1, Infinity);
/** A number from 0 to 1. */
export const fraction = /* @__PURE__ */ from(0, 1);
const percent = /* @__PURE__ */ from(0, 100);
const code = /* @__PURE__ */ from(1000, 4999);
const each =
  (rule: (value: unknown) => Wrong, other: (value: unknown) => Wrong) =>
  (value: unknown): Wrong =>
    Array.isArray(value) ? value.map(rule).find(Boolean) : other(value);
const codes = /* @__PURE__ */ each(code, () => TypeError);
const callable = (value: unknown) => typeof value != 'function' && TypeError;
const url = (value: unknown) => Object(value) !== value && judge(value, '');

const socketRules = {
  key: '',
  host: {
    use: 'auto shared-worker leader-tab this-tab',
    scriptDeadline: amount,
    readyDeadline: amount,
    workerUrl: url,
    wasmUrl: url,
  },
  liveness: 'auto locks heartbeat',
  reconnect: {
    minDelay: amount,
    maxDelay: amount,
    floor: amount,
    firstDelayMax: amount,
    stableAfter: amount,
    connectTimeout: amount,
    growth: positive,
    jitter: (value: unknown) =>
      Object(value) === value
        ? amount((value as { add: unknown }).add)
        : typeof value == 'string'
          ? judge(value, 'full none')
          : fraction(value),
    maxAttempts: endless,
    fatalCodes: codes,
  },
  heartbeat: { message: '', pong: '', interval: positive, jitter: fraction, timeout: amount, verifyOnOpen: true },
  staleness: { staleAfter: positive, checkEvery: positive, maxAge: positive },
  recovery: { failureThreshold: endless, openFor: amount },
  health: {
    checkEvery: positive,
    thresholds: { score: percent, rtt: positive, losses: positive, recoveryRate: fraction, silence: amount },
  },
  log: { level: 'debug info warn error', sink: callable, healthEvery: positive },
  auth: {
    // A token that is given instead of the function that gives it must not get into an error.
    token(value: unknown): undefined {
      if (typeof value != 'function') throw new TypeError(`auth.token: ${typeof value}`);
    },
    via: 'query subprotocol message',
    param: '',
    refreshBefore: amount,
    refusedCodes: codes,
  },
  fallback: {
    sse: { url: '' },
    polling: { url: '', interval: positive },
    send: { url: '' },
    after: { attempts: endless, timeout: amount },
  },
  queue: {
    maxMessages: amount,
    maxBytes: amount,
    maxInFlight: amount,
    ttl: amount,
    overflow: 'reject drop-oldest drop-newest',
    resend: 'never unknown',
  },
  flow: {
    window: { messages: positive, bytes: positive },
    cap: { messages: amount, bytes: amount },
    whenSlow: 'queue latest drop-oldest',
    hiddenFlush: amount,
    batch: true,
  },
  linger: amount,
  replay: { perTopic: amount, maxAge: amount, maxBytes: amount },
  pool: {
    maxTopicsPerConnection: endless,
    maxConnections: endless,
    stagger: amount,
    maxStagger: amount,
    resubscribeSpread: each(amount, amount),
  },
  preset: 'fleet',
  subprotocol: url,
} satisfies Rules;
