/** A `Retry-After`, seconds or a date (RFC 9110 §10.2.3), as ms from now. Nothing where it lies behind or cannot be read. */
export const readRetryAfter = (text: string | null) => {
  if (!text) return null;
  const ms = /^\s*\d+\s*$/.test(text) ? +text * 1000 : Date.parse(text) - Date.now();
  return ms > 0 ? ms : null;
};
