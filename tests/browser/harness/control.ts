/** The demo server's controls, typed; what each does stands in tests/server/README.md. */
export class Control {
  readonly #base: string;

  constructor(site: string) {
    this.#base = `${site}/control`;
  }

  /** All counts of the server at this moment. */
  stats(): Promise<Stats> {
    return this.#get('/stats');
  }

  /**
   * Waits until everything wished for holds at one moment, and returns the counts of then.
   * Fails with the counts after `timeout` milliseconds (10 000 by default).
   */
  async wait(wish: Wish): Promise<Stats> {
    const response = await fetch(`${this.#base}/wait?${query(wish)}`);
    const stats = await response.json();
    if (!response.ok) throw new Error(`the server never had ${JSON.stringify(wish)}, but ${JSON.stringify(stats)}`);
    return stats;
  }

  /** The data frames that were received, from number `from` on (0 by default), at most `limit` (1000 by default). */
  received(page: { from?: number; limit?: number } = {}): Promise<Received> {
    return this.#get(`/received?${query(page)}`);
  }

  /** Sends texts to every live connection. */
  broadcast(...texts: string[]): Promise<{ connections: number }> {
    return this.#post('/broadcast', { texts });
  }

  /** Sends data to every connection that has asked for these topics. */
  publish(topics: string[], data: unknown): Promise<{ sent: number }> {
    return this.#post('/publish', { topics, data });
  }

  /** What each live connection has asked for, and what has been asked for and given back since the server was started. */
  topics(): Promise<TopicReport> {
    return this.#get('/topics');
  }

  /** Starts to send numbered messages ('17 xxxx') to every live connection. */
  startFlood(order: FloodOrder): Promise<{ id: number; connections: number }> {
    return this.#post('/flood', order);
  }

  /** How far a flood is, once it is done or after `wait` milliseconds. */
  floodProgress(id: number, wait = 0): Promise<FloodProgress> {
    return this.#get(`/flood/${id}?${query({ wait })}`);
  }

  /** Sends numbered messages to every live connection, and resolves when all are written; fails after `patience` milliseconds. */
  async flood(order: FloodOrder, patience = 60_000): Promise<FloodProgress> {
    const { id } = await this.startFlood(order);
    const progress = await this.floodProgress(id, patience);
    if (!progress.done) throw new Error(`the flood was not done after ${patience} ms: ${JSON.stringify(progress)}`);
    return progress;
  }

  /** Closes every live connection by a close frame (1000 by default). */
  close(order: { code?: number; reason?: string } = {}): Promise<{ asked: number; closed: number }> {
    return this.#post('/close', order);
  }

  /** Resets every TCP connection of the wire. */
  reset(): Promise<{ connections: number }> {
    return this.#post('/reset');
  }

  /** Ends every TCP connection of the wire without a close frame. */
  drop(): Promise<{ connections: number }> {
    return this.#post('/drop');
  }

  /** Says what a route of the scripted service does with its calls from now on; those that it holds are judged by it too. */
  service(order: ServiceOrder): Promise<{ ok: true }> {
    return this.#post('/service', order);
  }

  /** What has been asked of the scripted service. */
  services(): Promise<ServiceReport> {
    return this.#get('/service');
  }

  /** Answers the oldest calls that a route holds: `count` of them (all by default), with `status` (200 by default). */
  release(route: string, order: { count?: number; status?: number } = {}): Promise<{ released: number }> {
    return this.#post('/service/release', { route, ...order });
  }

  /** Makes the newest token of the service invalid until a new one is issued. */
  expireToken(): Promise<{ ok: true }> {
    return this.#post('/service/expire');
  }

  /** Forgets all orders, counts and tokens of the service; calls that are held are answered. */
  resetServices(): Promise<{ ok: true }> {
    return this.#post('/service/reset');
  }

  /** Makes a route of the wire fail, hang, or succeed again, or cuts its live streams (`/events` only) and leaves its mode alone. */
  route(path: RoutePath, mode: RouteMode): Promise<{ cut: number }> {
    return this.#post('/route', { path, mode });
  }

  /** Puts a fault in force on the wire, or ends it with kind `none`. */
  fault(order: FaultOrder): Promise<{ fault: Fault | null; connections: number }> {
    return this.#post('/fault', order);
  }

  /** Says which tokens the wire takes from now on; with `close`, live connections that it would not take are closed with that code. */
  tokens(order: TokenOrder): Promise<{ tokens: TokenStats; asked: number; closed: number }> {
    return this.#post('/tokens', order);
  }

  /** Stops listening on the wire, and cuts its connections. */
  stop(): Promise<{ listening: boolean }> {
    return this.#post('/stop');
  }

  /** Listens on the wire again, at the same port. */
  start(): Promise<{ listening: boolean }> {
    return this.#post('/start');
  }

  /** Stops the wire now and starts it after `downMs` milliseconds. */
  restart(downMs = 0): Promise<{ listening: boolean }> {
    return this.#post('/restart', { down_ms: downMs });
  }

  /** Makes the fetches of a static path fail, hang, or succeed again. */
  static(path: string, mode: 'ok' | '404' | 'hang'): Promise<{ ok: true }> {
    return this.#post('/static', { path, mode });
  }

  /** Sends headers with a static file from now on, in the place of those ordered before. */
  headers(path: string, headers: Readonly<Record<string, string>>): Promise<{ ok: true }> {
    return this.#post('/static', { path, headers });
  }

  /** How often each static path was asked for. */
  fetches(): Promise<Record<string, number>> {
    return this.#get('/fetches');
  }

  async #get<T>(path: string): Promise<T> {
    return answer(path, await fetch(`${this.#base}${path}`));
  }

  async #post<T>(path: string, body: object = {}): Promise<T> {
    return answer(path, await fetch(`${this.#base}${path}`, { method: 'POST', body: JSON.stringify(body) }));
  }
}

export interface Stats {
  readonly live: number;
  readonly total: number;
  readonly peak: number;
  readonly refused: number;
  /** Those of `refused` whose token was not taken. */
  readonly refused_tokens: number;
  readonly attempts: number;
  readonly upgrades: number;
  /** Requests that `hang-upgrade` or the fault of a route leaves unanswered now. */
  readonly pending: number;
  readonly received: number;
  /** Messages that the fault `half-open` has thrown away. */
  readonly swallowed: number;
  readonly sent: number;
  /** The number of tabs that a page reported last. */
  readonly tabs: number;
  /** Live `/events`, on both ports. */
  readonly streams: number;
  /** Answered `/poll` and `/latest`. */
  readonly polls: number;
  /** Those of `received` that came by `/send`. */
  readonly posted: number;
  /** Requests that the fault of their route has befallen. */
  readonly faulted: number;
  readonly hung: number;
  readonly listening: boolean;
  readonly fault: Fault | null;
  /** The routes of the wire that fail, and how. */
  readonly routes: Readonly<Partial<Record<RoutePath, RouteMode>>>;
  readonly tokens: TokenStats;
  readonly connections: readonly ConnectionStats[];
  readonly closes: readonly CloseRecord[];
}

export interface ConnectionStats {
  readonly id: number;
  readonly path: string;
  readonly query: string;
  readonly protocol: string;
  readonly token: string | null;
  readonly age_ms: number;
  readonly received: number;
  readonly swallowed: number;
  readonly sent: number;
  readonly hung: boolean;
  readonly half_open: boolean;
  /** Whether it came over the port that can be made to fail. */
  readonly wire: boolean;
}

export interface CloseRecord {
  readonly id: number;
  readonly code: number;
  readonly reason: string;
  readonly clean: boolean;
  readonly by: 'client' | 'server' | 'cut' | 'lost';
}

/**
 * `live`, `tabs`, `topics` (asked for, added up over live connections), `listening`, `pending`, `streams`, `in_flight` and `held` exactly,
 * the others at least. `calls`, `in_flight` and `held` are those of the route that `service` names.
 */
export interface Wish {
  readonly live?: number;
  readonly tabs?: number;
  readonly topics?: number;
  readonly listening?: boolean;
  readonly pending?: number;
  readonly streams?: number;
  readonly total?: number;
  readonly refused?: number;
  readonly refused_tokens?: number;
  readonly attempts?: number;
  readonly received?: number;
  readonly swallowed?: number;
  readonly sent?: number;
  readonly polls?: number;
  readonly posted?: number;
  readonly faulted?: number;
  readonly service?: string;
  readonly calls?: number;
  readonly in_flight?: number;
  readonly held?: number;
  readonly timeout?: number;
}

export interface Received {
  readonly from: number;
  readonly total: number;
  readonly dropped: number;
  /** A text, or bytes in base64. */
  readonly frames: readonly { readonly conn: number; readonly text?: string; readonly bytes?: string }[];
}

/** What the server was asked for. */
export interface TopicReport {
  connections: { id: number; topics: string[] }[];
  counts: { subscribed: number; unsubscribed: number; duplicates: number; strays: number; resumed: number };
}

export interface FloodOrder {
  readonly count: number;
  /** Messages a second for each connection; as fast as it takes them by default. */
  readonly rate?: number;
  /** Bytes a message; as short as its number by default. */
  readonly size?: number;
  readonly from?: number;
}

export interface FloodProgress {
  readonly done: boolean;
  readonly sent: number;
  readonly elapsed_ms: number;
  readonly connections: number;
}

export type FaultKind = 'refuse' | 'unauthorized' | 'reset' | 'accept-then-close' | 'hang' | 'hang-upgrade' | 'delay';

export interface FaultOrder {
  /** `half-open` befalls live connections only. */
  readonly kind: FaultKind | 'half-open' | 'none';
  /** Both by default. */
  readonly scope?: 'new' | 'live' | 'both';
  readonly code?: number;
  readonly delay_ms?: number;
  /** How many new connections it befalls; all by default. */
  readonly times?: number;
}

export interface Fault {
  readonly kind: FaultKind;
  readonly code?: number;
  readonly delay_ms?: number;
}

/** What a route of the service does with its calls: `/api/v1/service/{route}`. */
export type ServiceOrder = { readonly route: string } & (
  | { readonly mode?: 'ok' | 'hang' | 'hold' | 'token' }
  | ({ readonly mode: 'fail' } & ServiceFailure & Times)
  | ({ readonly mode: 'reset' } & Times)
  | ({ readonly mode: 'slow'; readonly delay_ms: number } & Times)
  | ({ readonly mode: 'burst' } & ServiceFailure & ServiceBurst)
);

export interface ServiceFailure {
  /** 503 by default. */
  readonly status?: number;
  /** Seconds or a date, sent as it stands. */
  readonly retry_after?: string;
}

/** Fails in the first `fail_ms` of each period since the order. */
export interface ServiceBurst {
  readonly period_ms: number;
  readonly fail_ms: number;
  /** The probability to fail then; 1 by default. */
  readonly chance?: number;
  readonly seed?: number;
}

interface Times {
  /** So many calls, and those after them are answered; all by default. */
  readonly times?: number;
}

export interface ServiceReport {
  readonly routes: Readonly<Record<string, ServiceRoute>>;
  readonly tokens: { readonly issued: number };
}

export interface ServiceRoute {
  readonly calls: number;
  readonly in_flight: number;
  readonly peak: number;
  readonly held: number;
  /** How many by status, and by `reset`. */
  readonly answered: Readonly<Record<string, number>>;
  /** Those whose client had gone before the answer. */
  readonly aborted: number;
}

export type RoutePath = '/events' | '/poll' | '/latest' | '/send';

export type RouteMode = 'ok' | '404' | '503' | 'hang' | 'cut';

/** `refuse-known` refuses the tokens seen up to this order, and upgrades without one. */
export type TokenMode = 'off' | 'required' | 'refuse-known';

export interface TokenOrder {
  readonly mode: TokenMode;
  /** The query parameter, or the subprotocol that stands before it; `access_token` by default. */
  readonly param?: string;
  /** Closes live connections that would not be taken now. */
  readonly close?: number;
}

export interface TokenStats {
  readonly mode: TokenMode;
  readonly param: string;
  /** How many different ones. */
  readonly seen: number;
}

const query = (values: object) =>
  new URLSearchParams(Object.entries(values).map(([name, value]) => [name, String(value)])).toString();

async function answer<T>(path: string, response: Response): Promise<T> {
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json() as Promise<T>;
}
