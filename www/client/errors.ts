/** Thrown by what this subprotocol, url or place cannot do. */
export class UnsupportedError extends Error {
  override name = 'UnsupportedError';
}

/** Thrown by `send` when the queue is at its bound and `queue.overflow` is `'reject'`. The message has not been queued. */
export class QueueFullError extends Error {
  override name = 'QueueFullError';
}

/**
 * What a request rejects with and a subscription ends with. `code`: `timeout`: the server did not answer in time; `refused`: it
 * answered with an error, which is `detail`; `lost`: the connection or the hub was lost before the answer came, and the server
 * may have done what it was asked; `queue-full`: too many requests wait for answers; `closed`: the socket has ended;
 * `unsupported`: the subprotocol does not say how.
 */
export interface RequestError extends Error {
  readonly code: 'timeout' | 'refused' | 'lost' | 'queue-full' | 'closed' | 'unsupported';
  /** What the server said, if it did. */
  readonly detail?: unknown;
}

/** What a call rejects with that a breaker refuses: it has not been made. */
export class CircuitOpenError extends Error {
  /** How copies of the package know it. */
  readonly code = 'circuit-open';

  constructor(
    /** The name of the breaker. */
    override readonly name: string,
    /** Why: the `reason` of {@link BreakerStats}, or `no-hub`. */
    readonly reason: string,
    /** After how many ms it is worth trying again; a little more for some, so that not all come at once. `null`: after a `reset`. */
    readonly retryAfter: number | null,
  ) {
    super(`the circuit is open: ${reason}`);
  }
}

/** Whether `error` is a {@link CircuitOpenError}, of whatever copy of the package. */
export const isCircuitOpenError = (error: unknown): error is CircuitOpenError =>
  error instanceof Error && (error as CircuitOpenError).code === 'circuit-open';

/** Whether `error` is a {@link RequestError}, of whatever copy of the package. */
export const isRequestError = (error: unknown): error is RequestError => isNamed(error, 'RequestError');

/** Whether `error` is an {@link UnsupportedError}, of whatever copy of the package. */
export const isUnsupportedError = (error: unknown): error is UnsupportedError => isNamed(error, 'UnsupportedError');

/** Whether `error` is a {@link QueueFullError}, of whatever copy of the package. */
export const isQueueFullError = (error: unknown): error is QueueFullError => isNamed(error, 'QueueFullError');

const isNamed = (error: unknown, name: string) => error instanceof Error && error.name === name;
