export { configure } from './client.js';
export type { Host } from './connect.js';
export { isQueueFullError, isUnsupportedError, QueueFullError, UnsupportedError } from './errors.js';
export type {
  GapEvent,
  OverflowEvent,
  SendFailedEvent,
  SharedWebSocketEventMap,
  StatusChangeEvent,
} from './events.js';
export type { Sendable, Status } from './handle.js';
export type {
  Amount,
  FlowOptions,
  HeartbeatOptions,
  HostOptions,
  HubOptions,
  QueueOptions,
  ReconnectOptions,
  SocketOptions,
} from './options.js';
export type { State } from './protocol.js';
export { createHub, type Hub, SharedWebSocket, type SharedWebSocketConstructor } from './socket.js';
