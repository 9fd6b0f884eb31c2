import { createHub, type FallbackOptions, type SharedWebSocket, type SocketOptions, type Status } from 'tabwire';
import { type Census, watchCensus } from './census.js';
import { feed } from './feed.js';
import { journal } from './journal.js';
import { me } from './me.js';
import { openService, type Service } from './service.js';
import type { Store } from './store.js';

/** This tab's part of the connection that all tabs share. */
export interface Wire {
  /** How the connection is. */
  readonly status: Store<Status>;
  /** How many tabs and connections the hub has. */
  readonly census: Store<Census>;
  /** What is called besides. */
  readonly service: Service;
  /** Sends a text to every tab, by way of the server. */
  broadcast(text: string): void;
  /** Opens the pipeline's reports: another url, so another connection. Returns what leaves it. */
  openPipeline(): () => void;
}

/** Opens the shared connection, and says hello through it. */
export const openWire = (base: string): Wire => {
  const hub = createHub();
  const web = base.replace(/^ws/, 'http');
  const socket = hub.socket(`${base}/ws`, [], { ...options, fallback: fallbackAt(web) });
  listen(socket);
  const send = (message: object) => {
    try {
      socket.send(JSON.stringify(message));
      if (socket.readyState === socket.OPEN) feed.noteSent(0);
    } catch (error) {
      journal.add('send', 'bad', String(error));
    }
  };
  const wire: Wire = {
    status: {
      get: () => socket.status,
      subscribe(listener) {
        socket.addEventListener('statuschange', listener);
        return () => socket.removeEventListener('statuschange', listener);
      },
    },
    census: watchCensus(hub, (count) => send({ type: 'tabs', count })),
    service: openService(hub, web),
    broadcast(text) {
      if (socket.readyState !== socket.OPEN) journal.add('send', 'neutral', `queued while ${socket.status.state}`);
      send({ type: 'broadcast', data: { from: me, text } });
    },
    openPipeline() {
      const pipeline = hub.socket(`${base}/ws/monitoring/pipeline-status`, [], options);
      pipeline.addEventListener('message', ({ data }) => feed.add(data, 1));
      return () => pipeline.close();
    },
  };
  socket.addEventListener('open', () => wire.broadcast('joined'), { once: true });
  return wire;
};

const listen = (socket: SharedWebSocket) => {
  journal.addStatus(socket.status);
  socket.addEventListener('statuschange', () => journal.addStatus(socket.status));
  socket.addEventListener('message', ({ data }) => feed.add(data, 0));
  socket.addEventListener('gap', ({ from, to, reason, suspected }) => {
    const what =
      from === undefined ? 'messages' : `messages from ${from} on${to === undefined ? '' : `, before ${to},`}`;
    journal.add('gap', 'warn', `${what} ${suspected ? 'may have been' : 'were'} missed`, reason);
  });
  socket.addEventListener('sendfailed', ({ count, reason }) =>
    journal.add('sendfailed', 'bad', `${count} ${count === 1 ? 'send' : 'sends'} not known to have arrived`, reason),
  );
  socket.addEventListener('overflow', ({ count, policy }) =>
    journal.add('overflow', 'warn', `${count} messages dropped`, policy),
  );
};

/** What takes the place of the WebSocket, soon. */
const fallbackAt = (web: string): FallbackOptions => ({
  sse: { url: `${web}/events` },
  polling: { url: `${web}/poll`, interval: 1000 },
  send: { url: `${web}/send` },
  after: { attempts: 2, timeout: 4000 },
});

/** Quick to notice and to retry, so that there is something to see. */
const options: SocketOptions = {
  heartbeat: { message: 'ping', pong: 'pong', interval: 5000, timeout: 2000 },
  reconnect: { firstDelayMax: 1000, maxDelay: 3000 },
};
