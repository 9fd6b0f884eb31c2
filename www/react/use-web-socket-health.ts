import type { SocketHealth } from '../client/index.js';
import { useConnection } from './provider.js';
import type { UserIdOrOptions } from './settings.js';
import { useView } from './use-view.js';

/** What {@link useWebSocketHealth} returns. */
export type WebSocketHealth = SocketHealth;

/**
 * Shows how the connection does that `useSharedWebSocket` uses with the same argument. The hub is asked once a second while the
 * component is mounted; it renders again when a value that it reads is different. On a server, with nobody signed in and until
 * the hub has answered, nothing is healthy and the score is 0.
 */
export const useWebSocketHealth = (userIdOrOptions?: UserIdOrOptions): WebSocketHealth => {
  const { hold } = useConnection(userIdOrOptions);
  return useView(() => {
    let last = idle;
    return [
      (onChange) =>
        hold((socket) => {
          let timer = -1;
          const look = async () => {
            try {
              last = (await socket.getStabilityReport()).brief;
              onChange();
            } catch {
              // Without a hub all stays as it was.
            }
            timer &&= +setTimeout(look, 1000);
          };
          look();
          return () => {
            clearTimeout(timer);
            timer = 0;
          };
        }),
      () => last,
      idle,
    ];
  }, [hold]);
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
