import type { SharedWebSocket, Status } from '../client/index.js';
import { useConnection } from './provider.js';
import type { UserIdOrOptions } from './settings.js';
import { useView } from './use-view.js';

/** What {@link useSharedWebSocket} returns. The functions stay the same as long as the connection does. */
export interface SharedWebSocketResult {
  /** How the connection is, and why. State `idle` on a server, before the component is mounted, and with `userId` null. */
  readonly status: Status;
  /** `status` as WebSocket numbers it: 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** The newest message at render, or null; several may have come since the one before: see `useMessages`. */
  readonly lastMessage: MessageEvent | null;
  /**
   * Sends data; while the connection is not open it waits. Throws `QueueFullError` at the bounds of `options.queue`, and
   * `TypeError` (`key: null`) with `userId` null. After `close`, and once the component is unmounted and nothing else on the page
   * uses the connection, data is discarded, as WebSocket does.
   */
  readonly send: SharedWebSocket['send'];
  /** Needs a subprotocol other than `raw`: throws `UnsupportedError`. */
  readonly subscribe: SharedWebSocket['subscribe'];
  /** Needs a subprotocol other than `raw`: throws `UnsupportedError`. */
  readonly publish: SharedWebSocket['publish'];
  /** Needs a subprotocol other than `raw`: throws `UnsupportedError`. */
  readonly request: SharedWebSocket['request'];
  /**
   * Ends the page's handle on the connection, which all components share; other tabs keep theirs. It is opened again by a
   * component that is mounted after the last of them has been unmounted. With `userId` null it does nothing.
   */
  readonly close: SharedWebSocket['close'];
}

/**
 * Uses the connection of the provider: `useSharedWebSocket()`; of another user: `useSharedWebSocket('ada')`, or
 * `useSharedWebSocket(null)` for none; or one with other settings or socket options: `useSharedWebSocket({ url })`, where
 * what is not given comes from the provider, if there is one. All components of the page that say the same share a handle.
 *
 * The component renders again only when something that it has read from the result changes: one that does not read
 * `lastMessage` is left alone by messages. Without a url it throws a `TypeError`; what the constructor of `SharedWebSocket` throws
 * reaches the nearest error boundary, once the component is mounted.
 */
export const useSharedWebSocket = (userIdOrOptions?: UserIdOrOptions): SharedWebSocketResult => {
  const { source } = useConnection(userIdOrOptions);
  return useView(() => source, [source]);
};
