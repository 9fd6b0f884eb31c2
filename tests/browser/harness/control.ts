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
  readonly received: number;
  /** Messages that the fault `half-open` has thrown away. */
  readonly swallowed: number;
  readonly sent: number;
  /** The number of tabs that a page reported last. */
  readonly tabs: number;
  readonly hung: number;
  readonly listening: boolean;
  readonly fault: Fault | null;
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

/** `live`, `tabs`, `topics` (asked for, added up over live connections) and `listening` exactly, the others at least. */
export interface Wish {
  readonly live?: number;
  readonly tabs?: number;
  readonly topics?: number;
  readonly listening?: boolean;
  readonly total?: number;
  readonly refused?: number;
  readonly refused_tokens?: number;
  readonly attempts?: number;
  readonly received?: number;
  readonly swallowed?: number;
  readonly sent?: number;
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

export type FaultKind = 'refuse' | 'unauthorized' | 'reset' | 'accept-then-close' | 'hang' | 'delay';

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
