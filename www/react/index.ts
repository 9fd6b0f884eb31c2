'use client';
/**
 * The React side of tabwire: hooks over one connection that all tabs share. React 18 or newer. `docs/REACT.md` is the guide.
 *
 * ```tsx
 * import { useState } from 'react';
 * import { useMessages, useSharedWebSocket, WebSocketProvider } from 'tabwire/react';
 *
 * export const App = ({ user }: { user: { id: string } | null }) => (
 *   <WebSocketProvider url="wss://example.com/live" userId={user?.id ?? null}>
 *     <Chat />
 *   </WebSocketProvider>
 * );
 *
 * const Chat = () => {
 *   const { status, send } = useSharedWebSocket();
 *   const [lines, setLines] = useState<string[]>([]);
 *   useMessages(({ data }) => setLines((lines) => [...lines, String(data)]));
 *   return (
 *     <>
 *       <p>{status.state}</p>
 *       <pre>{lines.join('\n')}</pre>
 *       <button type="button" onClick={() => send('hello')}>
 *         Say hello
 *       </button>
 *     </>
 *   );
 * };
 * ```
 *
 * The hooks open the connection once their component is mounted, so nothing happens on a server or in a render that React
 * throws away; StrictMode opens nothing twice. A component renders again only when something that it has read is different.
 *
 * @module
 */
export { WebSocketProvider, type WebSocketProviderProps } from './provider.js';
export type { ConnectionSettings, HookOptions, UserIdOrOptions } from './settings.js';
export { type CircuitBreakerResult, useCircuitBreaker } from './use-circuit-breaker.js';
export { useMessages } from './use-messages.js';
export { type SharedWebSocketResult, useSharedWebSocket } from './use-shared-web-socket.js';
export { useSocketEvent } from './use-socket-event.js';
export { type TopicOptions, useTopic } from './use-topic.js';
export { useWebSocketHealth, type WebSocketHealth } from './use-web-socket-health.js';
