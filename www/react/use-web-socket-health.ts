import { useMemo, useSyncExternalStore } from 'react';
import type { SocketHealth } from '../client/index.js';
import { useConnection } from './provider.js';
import type { UserIdOrOptions } from './settings.js';
import type { Connection } from './store.js';

/** What {@link useWebSocketHealth} returns: the same object until one of its values is another. */
export type WebSocketHealth = SocketHealth;

/**
 * Shows how the connection does that `useSharedWebSocket` uses with the same argument. The hub is asked once a second while the
 * component is mounted; it renders again when a value is different. On a server, with nobody signed in and until the hub has
 * answered, nothing is healthy and the score is 0.
 */
export const useWebSocketHealth = (userIdOrOptions?: UserIdOrOptions): WebSocketHealth => {
  const connection = useConnection(userIdOrOptions);
  const [subscribe, snapshot] = useMemo(() => watch(connection), [connection]);
  return useSyncExternalStore(subscribe, snapshot, () => idle);
};

const watch = ({ listen, socket }: Connection) => {
  let last = idle;
  const subscribe = (onChange: () => void) => {
    const leave = listen(() => {});
    let timer: unknown;
    const look = async () => {
      try {
        const { brief } = await socket().getStabilityReport();
        if (`${Object.values(brief)}` !== `${Object.values(last)}`) {
          last = brief;
          onChange();
        }
      } catch {
        // Without a hub or a user all stays as it was.
      }
      if (timer !== null) timer = setTimeout(look, 1000);
    };
    look();
    return () => {
      clearTimeout(timer as number);
      timer = null;
      leave();
    };
  };
  return [subscribe, () => last] as const;
};

const idle: WebSocketHealth = {
  isHealthy: false,
  connectionCount: 0,
  tabCount: 0,
  lastHeartbeat: null,
  latency: null,
  score: 0,
  transport: 'websocket',
};
