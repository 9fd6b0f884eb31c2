import type { BreakerState, State } from './protocol.js';

/** What the hub tells of itself. Spans are ms; no url has its user, query or fragment. */
export interface HubReport {
  /** Tabs that are neither dead nor suspended. */
  readonly tabs: number;
  /** Tabs that are frozen or in the back-forward cache. */
  readonly suspended: number;
  /** Connections of all tabs. */
  readonly connections: number;
  /** Those that this tab has attached. */
  readonly attached: readonly ConnectionReport[];
  /** The breakers that this tab uses. */
  readonly breakers: readonly BreakerReport[];
}

/** One connection. */
export interface ConnectionReport {
  /** Its number, the same in every tab while the hub lives. */
  readonly conn: number;
  /** Its url, or `function`. */
  readonly url: string;
  readonly state: State;
  /** Why it is in this state. */
  readonly reason: string;
  readonly transport: 'websocket' | 'sse' | 'polling';
  /** Handles of all tabs. */
  readonly handles: number;
  /** Tabs that have it. */
  readonly tabs: number;
  /** Sockets, where its topics are shared out; otherwise 1. */
  readonly sockets: number;
  /** How well it does, from 0 to 100. */
  readonly score: number;
  /** What lowers the score, the gravest first: `down suspect losses missed-pongs errors rtt queue`. */
  readonly reasons: readonly string[];
  /** `unhealthy` is a score below `health.thresholds.score`, `stale` silence beyond `health.thresholds.silence`. */
  readonly health: 'healthy' | 'unhealthy' | 'stale';
  /** Totals since it was made. */
  readonly counters: Counters;
  /** What has happened in the last five minutes. */
  readonly recent: {
    readonly losses: number;
    readonly missedPongs: number;
    readonly errors: number;
    readonly recoveries: number;
    readonly failedAttempts: number;
  };
  /** The last round trip of a ping. */
  readonly rtt: number | null;
  /** The round trip, smoothed as RFC 6298 does. */
  readonly smoothedRtt: number | null;
  /** By how much it varies, by the same. */
  readonly rttVariation: number | null;
  /** How long ago the last pong came. */
  readonly pongAgo: number | null;
  /** How long ago the connection was made. */
  readonly age: number;
  /** For how long it has been open; 0 while it is not. */
  readonly uptime: number;
  /** For how long it was open in all. */
  readonly totalUptime: number;
  /** How long it took to open again after losses, in all. */
  readonly recoveryTime: number;
  /** The longest of those times. */
  readonly longestRecovery: number;
  /** For how long it has been lost, if it is. */
  readonly downFor: number | null;
  /** Messages waiting to be sent. */
  readonly queued: number;
  /** The share of `queue.maxMessages` or `queue.maxBytes` that the fullest handle has waiting: 0 to 1. */
  readonly queueFill: number;
  /** Messages waiting for slow, hidden or suspended tabs. */
  readonly backlog: number;
}

/** Totals of a connection. Bytes of texts are UTF-16 units. */
export type Counters = Readonly<
  Record<
    | 'attempts'
    | 'failedAttempts'
    | 'opened'
    | 'lost'
    | 'recovered'
    | 'replaced'
    | 'received'
    | 'receivedBytes'
    | 'pings'
    | 'sent'
    | 'sentBytes'
    | 'congested'
    | 'failed'
    | 'orphaned'
    | 'dropped'
    | 'duplicates'
    | 'untaken'
    | 'unwanted'
    | 'malformed'
    | 'pongTimeouts'
    | 'unhealthy'
    | 'unstable',
    number
  >
>;

/** One breaker. */
export interface BreakerReport {
  readonly name: string;
  readonly state: BreakerState;
  /** Why. */
  readonly reason: string;
  /** For how long it stays open yet, in ms. */
  readonly remaining: number | null;
  readonly successes: number;
  readonly failures: number;
  readonly neutral: number;
  readonly rejected: number;
  /** Times that it has opened. */
  readonly trips: number;
}

/** How the connections of this tab do. Spans are ms, rates mean values since the connections were made. */
export interface StabilityReport {
  /** When this was, in ms since 1970. */
  readonly at: number;
  /** Tabs that share the hub and are awake, and tabs that are frozen or cached. */
  readonly tabs: number;
  readonly suspendedTabs: number;
  /** Connections of all tabs. */
  readonly allConnections: number;
  /** Connections that this tab has attached, and how many of them are what. */
  readonly total: number;
  readonly healthy: number;
  readonly unhealthy: number;
  readonly stale: number;
  /** The lowest score; `null` without connections. */
  readonly score: number | null;
  /** For how long a connection was open at a stretch, on average; `null` before the first has opened. */
  readonly meanUptime: number | null;
  /** Messages and bytes a second, of all of them together. */
  readonly throughput: {
    readonly messagesIn: number;
    readonly messagesOut: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
  };
  /** The share of errors (failed attempts and sends, missed pongs, frames that cannot be read) in errors and messages: 0 to 1. */
  readonly errorRate: number;
  /** Pings a minute, of all of them together. */
  readonly pingsPerMinute: number;
  /** The connections, and which of them is that of the socket that was asked; `null` while it has none. */
  readonly connections: readonly ConnectionReport[];
  readonly own: ConnectionReport | null;
  /** The same of that connection alone, in brief. */
  readonly brief: SocketHealth;
}

/** How the connection of a socket does, in brief. */
export interface SocketHealth {
  /** Whether its score is not below `health.thresholds.score`, and it is not stale. */
  readonly isHealthy: boolean;
  /** Connections and tabs that share the hub. */
  readonly connectionCount: number;
  readonly tabCount: number;
  /** When the last pong came, in ms since 1970, to a second; `null` where there was none. */
  readonly lastHeartbeat: number | null;
  /** The smoothed round trip in ms; `null` where there were no pings. */
  readonly latency: number | null;
  /** From 0 to 100; 0 while there is no connection. */
  readonly score: number;
  readonly transport: 'websocket' | 'sse' | 'polling';
}

/** What has become of lost connections of this tab since they were made, and of its breakers. */
export interface RecoveryStats {
  /** Times that open connections were lost, and times that they opened again. */
  readonly losses: number;
  readonly recoveries: number;
  /** Connections that are lost at present. */
  readonly recovering: number;
  /** Attempts to open, and how many have failed. */
  readonly attempts: number;
  readonly failedAttempts: number;
  /** The share of attempts that have opened a connection; `null` before the first has ended. */
  readonly successRate: number | null;
  /** From the loss to the open connection, in ms, on average and at worst; `null` before there was a recovery. */
  readonly meanTimeToRecover: number | null;
  readonly longestTimeToRecover: number | null;
  /** Connections whose attempts are paused (`recovery.failureThreshold`). */
  readonly paused: number;
  /** The breakers that this tab uses, by name. */
  readonly breakers: Readonly<Record<string, Omit<BreakerReport, 'name'>>>;
}

/** Options of `inspect`. */
export interface InspectOptions {
  /** Whether frames are shown; otherwise only their sizes. One with the token of `auth` in it never is. Default `false`. */
  payloads?: boolean;
  /** Ends the iteration when it is aborted. */
  signal?: AbortSignal;
}

/** What the hub has seen: `at` is in ms since 1970, `conn` the number of the connection. */
export type InspectEntry =
  | {
      /** A frame from the server or to it, pongs and pings among them. Bytes of texts are UTF-16 units. */
      readonly kind: 'in' | 'out';
      readonly at: number;
      readonly conn: number;
      readonly size: number;
      readonly payload?: string | ArrayBuffer | undefined;
    }
  | {
      /** A transition: the state, why, which attempt it is and the last close code. */
      readonly kind: 'state';
      readonly at: number;
      readonly conn: number;
      readonly state: State;
      readonly reason: string;
      readonly attempt: number;
      readonly code: number | null;
    }
  | {
      /** `replaced sends-failed messages-dropped unhealthy unstable`, and how many, or the score. */
      readonly kind: 'log';
      readonly at: number;
      readonly conn: number;
      readonly level: 'info' | 'warn';
      readonly code: string;
      readonly value: number;
    }
  | {
      /** So many entries were not shown, because this came too slowly to them. */
      readonly kind: 'dropped';
      readonly at: number;
      readonly count: number;
    };
