// biome-ignore-all lint/suspicious/noDoubleEquals: a byte shorter each, where both sides are of one type
import type { Bit } from './protocol.js';

/** The url of a WebSocket as its constructor reads it: resolved against the page, http(s) taken for ws(s), no fragment. */
export const readUrl = (given: string | URL) => {
  try {
    const url = new URL(given, document.baseURI);
    url.protocol = url.protocol.replace('http', 'ws');
    if (/^wss?:[^#]*$/.test(url.href)) return url;
  } catch {}
  throw exception(given);
};

/** The subprotocols to offer as the constructor reads them: tokens, none twice. */
export const readProtocols = (given: string | Iterable<string>) => {
  const protocols = Array.from(
    Object(given) === given && (given as string[])[Symbol.iterator] ? given : [given as string],
    String,
  );
  if (new Set(protocols).size < protocols.length || !protocols.every((name) => /^[\w!#$%&'*+.^`|~-]+$/.test(name))) {
    throw exception(protocols);
  }
  return protocols;
};

/** The arguments of a `close` call as WebSocket reads them, and whether they ask to purge instead of giving a code. */
export const readClose = (
  code?: number | { purge?: boolean },
  reason = '',
): [code: number | undefined, reason: string, purge: Bit] => {
  const { purge } = Object(code);
  if (Object(code) === code) code = undefined;
  if (code !== undefined) {
    code = Math.round(code as number) || 0;
    if (code != 1000 && (code < 3000 || code > 4999)) throw exception(code, 'InvalidAccessError');
  }
  if (utf8(reason) > 123) throw exception(reason);
  return [code as number | undefined, `${reason}`, +!!purge as Bit];
};

/** The bytes of a text. */
export const utf8 = (text: string) => new TextEncoder().encode(text).length;

/** What WebSocket throws for a bad value. */
const exception = (value: unknown, name = 'SyntaxError') => new DOMException(`${value}`, name);
