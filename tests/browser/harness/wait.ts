import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions<T> {
  /** When the value is good; a truthy one by default. */
  readonly until?: (value: T) => boolean;
  /** Milliseconds; 10 000 by default. */
  readonly timeout?: number;
}

/**
 * Reads a state again and again until it is as wished, and returns it.
 * Fails after the timeout with the description and the last value seen; an error thrown by `probe` fails at once.
 */
export async function waitFor<T>(
  description: string,
  probe: () => T | Promise<T>,
  { until = Boolean, timeout = 10_000 }: WaitOptions<T> = {},
): Promise<T> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const value = await probe();
    if (until(value)) return value;
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeout} ms for ${description}; last seen: ${JSON.stringify(value)}`);
    }
    await pause(interval);
  }
}

const interval = 20;
