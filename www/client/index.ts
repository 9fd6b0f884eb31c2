export { configure } from './client.js';
export type { Host } from './connect.js';
export { isQueueFullError, isUnsupportedError, QueueFullError, UnsupportedError } from './errors.js';
export type {
  CircuitBreakerOpenedEvent,
  ConnectionRecoveredEvent,
  GapEvent,
  OverflowEvent,
  SendFailedEvent,
  SharedWebSocketEventMap,
  StaleConnectionEvent,
  StatusChangeEvent,
} from './events.js';
export type { Sendable, Status } from './handle.js';
export type {
  Amount,
  AuthOptions,
  FlowOptions,
  HeartbeatOptions,
  HostOptions,
  HubOptions,
  QueueOptions,
  ReconnectOptions,
  RecoveryOptions,
  SocketOptions,
  StalenessOptions,
  Token,
  UrlFunction,
} from './options.js';
export type { State } from './protocol.js';
export { createHub, type Hub, SharedWebSocket, type SharedWebSocketConstructor } from './socket.js';
