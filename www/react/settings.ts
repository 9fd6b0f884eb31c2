import type { SocketOptions, UrlFunction } from '../client/index.js';

/** Which connection, and whose. */
export interface ConnectionSettings {
  /** The url of the server, as `SharedWebSocket` takes it. Of a function only the first that is given counts. */
  url: string | URL | UrlFunction;
  /** The WebSocket subprotocols to offer. Default: none. */
  protocols?: string | readonly string[] | undefined;
  /**
   * Whose connection it is: becomes the `key` that keeps users apart. `null` means not signed in: state `idle`, no
   * connection. Another id opens another connection and purges the first, so that nothing of one user is left when it is
   * another's turn. Default: `key` of the options.
   */
  userId?: string | null | undefined;
  /** `false` gives this tab a connection of its own, with the same API: `host.use: 'this-tab'`. Default `true`. */
  useSharedWorker?: boolean | undefined;
}

/** What a hook uses instead of what its provider says: each setting and group of socket options that is given. */
export interface HookOptions extends Partial<ConnectionSettings>, SocketOptions {}

/** A user id, `null` for nobody, or options. */
export type UserIdOrOptions = string | null | HookOptions;

/** What has been given, as one; the user id is the key. */
export interface Settings extends Partial<Omit<ConnectionSettings, 'userId'>>, Omit<SocketOptions, 'key'> {
  key?: string | null | undefined;
}

/** Puts what is given over what is inherited; what is undefined is not given. */
export const settle = (given: UserIdOrOptions | undefined, inherited?: Settings): Settings => {
  const options = (Object(given) === given ? given : { userId: given }) as HookOptions;
  const { key: name, userId: key = name, ...rest } = options;
  const settings: Record<string, unknown> = { ...inherited };
  for (const [name, value] of Object.entries({ ...rest, key })) {
    if (value !== undefined) settings[name] = value;
  }
  return settings;
};
