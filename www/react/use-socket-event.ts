import { useEffect } from 'react';
import type { SharedWebSocketEventMap } from '../client/index.js';
import { useConnection } from './provider.js';
import type { UserIdOrOptions } from './settings.js';
import { listen, useNewest } from './use-view.js';

/**
 * Calls back with every event of this type of the page's handle on the connection, from the component's mount to its unmount, and never
 * renders it again: `gap`, `sendfailed` and `overflow` tell what has been lost, `open` and `close` are those of each connection. It may
 * be another function at each render: the newest is called. What it throws is reported as an uncaught error. What has been before
 * the mount is not told: see `status`.
 *
 * `userIdOrOptions` chooses the connection, as `useSharedWebSocket` does; with `userId` null there are no events.
 */
export const useSocketEvent = <Type extends keyof SharedWebSocketEventMap>(
  type: Type,
  listener: (event: SharedWebSocketEventMap[Type]) => void,
  userIdOrOptions?: UserIdOrOptions,
): void => {
  const { hold } = useConnection(userIdOrOptions);
  const newest = useNewest(listener);
  useEffect(
    () => hold((socket) => listen(socket, (event) => newest.current(event as SharedWebSocketEventMap[Type]), type)),
    [hold, newest, type],
  );
};
