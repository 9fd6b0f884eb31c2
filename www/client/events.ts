/** Fired when `status` has changed. */
export type StatusChangeEvent = Event;

/** Fired when sends will not be delivered, or may not have been. */
export interface SendFailedEvent extends Event {
  /** How many. */
  readonly count: number;
  /**
   * `unknown`: whether they reached the server is not known. `expired`: they waited longer than `queue.ttl`. `overflow`:
   * `queue.overflow` dropped them. `closed`: the socket ended first. `unsupported`: they were published, and the template says
   * not how.
   */
  readonly reason: string;
}

/** Fired where messages were lost, or may have been. */
export interface GapEvent extends Event {
  /** The topic that it is about, if it is about one. */
  readonly topic?: string;
  /** Number of the first message lost, where it is known. Of a topic: the position after which messages are lost. */
  readonly from?: number | string;
  /** Number of the first message not lost, where it is known. Of a topic: the position of the last that is lost. */
  readonly to?: number | string;
  /**
   * Why: the reason of a lost connection, or `slow-tab`, `hub-lost`, `handover`, `moved`, `protocol`; of a topic
   * `not-recovered`, `not-kept`, `counted-anew`, `not-taken`.
   */
  readonly reason: string;
  /** Whether it is not known that anything was lost. */
  readonly suspected: boolean;
}

/** Fired when a bound made something be dropped: messages to this tab by `flow`, sends by `queue`. */
export interface OverflowEvent extends Event {
  /** How many. */
  readonly count: number;
  /** The policy that dropped them. */
  readonly policy: string;
}

/** Fired beside `open` when a connection that had been lost is open again. */
export type ConnectionRecoveredEvent = Event;

/** Fired when the server has said nothing for `staleness.staleAfter`; the socket is replaced. */
export type StaleConnectionEvent = Event;

/** Fired when `recovery.failureThreshold` attempts in a row have failed: there are none until `status.nextAttemptAt`. */
export type CircuitBreakerOpenedEvent = Event;

/** Fired when a look at the connection, every `health.checkEvery`, finds its score fallen below `health.thresholds.score`. */
export interface UnhealthyConnectionEvent extends Event {
  /** The score: 0 to 100. */
  readonly score: number;
  /** What it is so low for, the gravest first: `down suspect losses missed-pongs errors rtt queue`. */
  readonly reasons: readonly string[];
  /** How often this has happened to the connection. */
  readonly count: number;
}

/** Fired when the same look finds that the connection is lost too often, or seldom comes back. */
export interface StabilityAlertEvent extends Event {
  /** `losses`: so many in five minutes; `recovery-rate`: such a share of the attempts of five minutes has opened it again. */
  readonly reason: 'losses' | 'recovery-rate';
  readonly value: number;
  /** The threshold that `value` has crossed. */
  readonly threshold: number;
  /** How often this has happened to the connection, for either reason. */
  readonly count: number;
}

/** The events of a socket. */
export interface SharedWebSocketEventMap extends WebSocketEventMap {
  statuschange: StatusChangeEvent;
  sendfailed: SendFailedEvent;
  gap: GapEvent;
  overflow: OverflowEvent;
  connectionRecovered: ConnectionRecoveredEvent;
  staleConnection: StaleConnectionEvent;
  unhealthyConnection: UnhealthyConnectionEvent;
  stabilityAlert: StabilityAlertEvent;
  circuitBreakerOpened: CircuitBreakerOpenedEvent;
}
