import { useEffect } from 'react';
import { useConnection } from './provider.js';
import type { UserIdOrOptions } from './settings.js';
import { listen, useNewest } from './use-view.js';

/**
 * Calls back with every message of the connection, in order, from the component's mount to its unmount, and never renders it
 * again. It may be another function at each render: the newest is called. What it throws is reported as an uncaught error.
 *
 * `userIdOrOptions` chooses the connection, as `useSharedWebSocket` does.
 */
export const useMessages = (onMessage: (message: MessageEvent) => void, userIdOrOptions?: UserIdOrOptions): void => {
  const { hold } = useConnection(userIdOrOptions);
  const newest = useNewest(onMessage);
  useEffect(
    () => hold((socket) => listen(socket, (message) => newest.current(message as MessageEvent), 'message')),
    [hold, newest],
  );
};
