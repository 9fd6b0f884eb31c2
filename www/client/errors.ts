/** Thrown by what this subprotocol, url or place cannot do. */
export class UnsupportedError extends Error {
  override name = 'UnsupportedError';
}

/** Thrown by `send` when the queue is at its bound and `queue.overflow` is `'reject'`. The message has not been queued. */
export class QueueFullError extends Error {
  override name = 'QueueFullError';
}

/** Whether `error` is an {@link UnsupportedError}, of whatever copy of the package. */
export const isUnsupportedError = (error: unknown): error is UnsupportedError => isNamed(error, 'UnsupportedError');

/** Whether `error` is a {@link QueueFullError}, of whatever copy of the package. */
export const isQueueFullError = (error: unknown): error is QueueFullError => isNamed(error, 'QueueFullError');

const isNamed = (error: unknown, name: string) => error instanceof Error && error.name === name;
