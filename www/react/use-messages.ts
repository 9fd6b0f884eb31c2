import type { UserIdOrOptions } from './settings.js';
import { useSocketEvent } from './use-socket-event.js';

/**
 * Calls back with every message of the connection, in order, from the component's mount to its unmount, and never renders it
 * again. It may be another function at each render: the newest is called. What it throws is reported as an uncaught error.
 *
 * `userIdOrOptions` chooses the connection, as `useSharedWebSocket` does.
 */
export const useMessages = (onMessage: (message: MessageEvent) => void, userIdOrOptions?: UserIdOrOptions): void =>
  useSocketEvent('message', onMessage, userIdOrOptions);
