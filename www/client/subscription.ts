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
  /** How many of the last messages the listener gets first, as far as the hub has them (`replay`). Default 1. */
  replay?: number;
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
}
