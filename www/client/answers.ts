import { readUrl } from './address.js';
import type { AnswerBody, Need } from './protocol.js';

/**
 * What a tab answers when its hub needs a url or a token: asks the user's function and says in the terms of the protocol what
 * came of it. What the function threw, and every token, stays out of sight.
 */
export const answer = async (kind: Need, ask: () => unknown): Promise<AnswerBody> => {
  let given: unknown;
  try {
    given = await ask();
  } catch {
    return { error: 'failed' };
  }
  return kind === 'url' ? urlOf(given) : tokenOf(given);
};

const urlOf = (given: unknown): AnswerBody => {
  try {
    // Anything can be made a string, and most strings are relative urls.
    if (typeof given === 'string' || given instanceof URL) return { url: readUrl(given).href };
  } catch {}
  return { error: 'bad-url' };
};

const tokenOf = (given: unknown): AnswerBody => {
  const { token, expiresAt = null } = (Object(given) === given ? given : { token: given }) as Record<string, unknown>;
  if (typeof token !== 'string' || !token) return { error: 'bad-token' };
  if (expiresAt === null) return { token, expiresIn: expiryOf(token) };
  return Number.isFinite(expiresAt) ? { token, expiresIn: (expiresAt as number) - Date.now() } : { error: 'bad-token' };
};

/** How long a JWT (RFC 7519) lives by its claim `exp`, which is in seconds since 1970; null where it cannot be read. */
const expiryOf = (token: string) => {
  try {
    const claims = token.split('.')[1] ?? '';
    const { exp } = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/')));
    return Number.isFinite(exp) ? exp * 1000 - Date.now() : null;
  } catch {
    return null;
  }
};
