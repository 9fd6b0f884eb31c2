// biome-ignore-all lint/suspicious/noDoubleEquals: as in the other files of the page side
/** A `Retry-After`, seconds or a date (RFC 9110 §10.2.3), as ms from now. Nothing where it lies behind or cannot be read. */
export const readRetryAfter = (text: string | null) => {
  if (!text) return null;
  const ms = /^\s*\d+\s*$/.test(text) ? +text * 1000 : Date.parse(text) - Date.now();
  return ms > 0 ? ms : null;
};

/** Whether a response counts against the service, by its status: as the hub sees it (tests/fixtures/statuses.json). */
export const isFailure = (status: number) => status > 499 || status == 408 || status == 429;
