import type { RequestError } from './errors.js';

/** A listener's claim to a topic. */
export interface Subscription {
  /** The topic. */
  readonly topic: string;
  /** Ends it: the listener is not called again. */
  close(): void;
}

/** Options of a subscription. */
export interface SubscriptionOptions {
  /** How many of the last messages the listener gets first, as far as the hub has them (`replay`). Default 1; 0 with `deliver: 'one'`. */
  replay?: number;
  /**
   * Whether a tab that does not keep up, or is hidden, gets only the newest message that waits. What is merged is counted by
   * `overflow`, once all subscriptions of the tab to the topic are so. Default `false`.
   */
  conflate?: boolean;
  /**
   * `'one'`: each message goes to one of all listeners of the browser that are so: in the focused tab, else a visible, else the
   * newest. It is acknowledged when the listener has returned or its promise has settled; if its tab dies or is frozen first, or
   * after 5 s without that, another tab gets it with `redelivered`: at least once. Default `'all'`.
   */
  deliver?: 'all' | 'one';
  /** Called when the server refuses the topic or does not answer; the subscription has ended then. Default: `reportError`. */
  onerror?: (error: RequestError) => unknown;
}

/** Options of a request. */
export interface RequestOptions {
  /** How long to wait for the answer before it rejects with code `timeout`. Default 10 000 ms. */
  timeout?: number;
  /** Gives it up: it rejects with the reason of the signal. */
  signal?: AbortSignal;
}

/** A message of a topic. */
export interface TopicMessage<T = unknown> {
  /** The topic. */
  readonly topic: string;
  /** What the template calls the data of the message, as JSON value. */
  readonly data: T;
  /** When it came to the hub, in ms since 1970, if it had come before the subscription. */
  readonly asOf?: number;
  /** Whether another tab may have dealt with it (`deliver: 'one'`). */
  readonly redelivered?: true;
}
