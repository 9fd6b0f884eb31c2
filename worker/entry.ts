import type { Endpoint } from './endpoint.js';
import { createHost } from './host.js';

export { type Ends, registerSubprotocol, type SocketFrame, type Translator } from './subprotocols.js';

/**
 * The worker script. As a SharedWorker it takes a port for each tab; as a dedicated worker its scope is the one port.
 * `onconnect` is set in the first turn, before anything is awaited: a browser drops the connects that nobody listens for.
 */
declare const self: (DedicatedWorkerGlobalScope | SharedWorkerGlobalScope) & { onconnect?: unknown };

const isShared = 'onconnect' in self;
const host = createHost(self.location.href, isShared ? self.name || 'tabwire@1' : undefined, () => self.close());

if (isShared) {
  self.onconnect = ({ ports: [port] }: MessageEvent) => port && host.open(port);
} else {
  host.open(self as Endpoint);
}

// A trap that no panic hook saw, such as an exhausted memory, ends in an uncaught error.
self.addEventListener('error', (event) => host.crash((event as ErrorEvent).message));
