/** Durations, in ms. */
export enum Ms {
  /** Longest time for which messages are dispatched in one task. */
  Slice = 8,
  /** How long an answer is waited for that may never come: of a worker that may be dead, of hubs that may not be there. */
  Brief = 250,
  /** Silence after which a tab without locks asks whether the hub is there. */
  Silence = 5000,
  /** How long the answer may take. */
  Answer = 2000,
  /** A hub that dies so soon after another is followed after a pause. */
  Young = 10_000,
  /** That pause, and the first after a search that has found nothing. */
  Pause = 1000,
  /** What that grows to. */
  LongPause = 30_000,
  /** Least time from one search to another for a better host. */
  Minute = 60_000,
}

/**
 * Calls `late` after `ms` and returns what cancels it. The time is counted in two halves, so that a page that was blocked
 * or frozen past the deadline first hears what had arrived meanwhile.
 */
export const deadline = (ms: number, late: () => void) => {
  let timer = setTimeout(() => {
    timer = setTimeout(late, ms / 2);
  }, ms / 2);
  return () => clearTimeout(timer);
};
