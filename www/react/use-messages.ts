import { useEffect, useInsertionEffect, useRef } from 'react';
import { useConnection } from './provider.js';
import type { UserIdOrOptions } from './settings.js';

/**
 * Calls back with every message of the connection, in order, from the component's mount to its unmount, and never renders it
 * again. It may be another function at each render: the newest is called. What it throws is reported as an uncaught error.
 *
 * `userIdOrOptions` chooses the connection, as `useSharedWebSocket` does.
 */
export const useMessages = (onMessage: (message: MessageEvent) => void, userIdOrOptions?: UserIdOrOptions): void => {
  const connection = useConnection(userIdOrOptions);
  const newest = useRef(onMessage);
  useInsertionEffect(() => {
    newest.current = onMessage;
  });
  useEffect(
    () =>
      connection.listen((message) => {
        try {
          if (message) newest.current(message);
        } catch (error) {
          reportError(error);
        }
      }),
    [connection],
  );
};
