export {
  type BreakerStats,
  CircuitBreaker,
  type CircuitBreakerConstructor,
  type CircuitBreakerManager,
  type Classify,
  circuitBreakerManager,
} from './breaker.js';
export type { CircuitBreakerOptions } from './breaker-options.js';
export { configure } from './client.js';
export type { Host } from './connect.js';
export {
  CircuitOpenError,
  isCircuitOpenError,
  isQueueFullError,
  isRequestError,
  isUnsupportedError,
  QueueFullError,
  type RequestError,
  UnsupportedError,
} from './errors.js';
export type {
  CircuitBreakerOpenedEvent,
  ConnectionRecoveredEvent,
  GapEvent,
  OverflowEvent,
  SendFailedEvent,
  SharedWebSocketEventMap,
  StabilityAlertEvent,
  StaleConnectionEvent,
  StatusChangeEvent,
  UnhealthyConnectionEvent,
} from './events.js';
export { type GatedRequestInit, gatedFetch, type RetryOptions } from './fetch.js';
export type { Sendable, Status } from './handle.js';
export type {
  Amount,
  AuthOptions,
  FallbackOptions,
  FlowOptions,
  Form,
  HealthOptions,
  HeartbeatOptions,
  HostOptions,
  HubOptions,
  LogLine,
  LogOptions,
  Pointer,
  PoolOptions,
  QueueOptions,
  ReconnectOptions,
  RecoveryOptions,
  ReplayOptions,
  SocketOptions,
  StalenessOptions,
  Template,
  Token,
  UrlFunction,
  When,
} from './options.js';
export type { BreakerState, State } from './protocol.js';
export type {
  BreakerReport,
  ConnectionReport,
  Counters,
  HubReport,
  InspectEntry,
  InspectOptions,
  RecoveryStats,
  SocketHealth,
  StabilityReport,
} from './report.js';
export { createHub, type Hub, SharedWebSocket, type SharedWebSocketConstructor } from './socket.js';
export type { RequestOptions, Subscription, SubscriptionOptions, TopicMessage } from './subscription.js';

// What `tabwire/testing` ends after a test.

/** @internal */
export { clients as pageClients } from './client.js';
