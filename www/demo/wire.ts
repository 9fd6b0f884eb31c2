import { createHub, type FallbackOptions, type SharedWebSocket, type SocketOptions, type Status } from 'tabwire';
import type { Choice } from './choice.js';
import { feed } from './feed.js';
import { journal } from './journal.js';
import { me } from './me.js';
import { createPipeline, type Pipeline } from './pipeline.js';
import { openQuotes, type Quotes } from './quotes.js';
import { type HubReport, watchReport } from './report.js';
import { openService, type Service } from './service.js';
import type { Store } from './store.js';
import workerUrl from './worker.ts?worker&url';

/** This tab's part of the connection that all tabs share. */
export interface Wire {
  /** How the connection is. */
  readonly status: Store<Status>;
  /** What the hub counts. */
  readonly report: Store<HubReport>;
  /** The prices of what this tab has chosen. */
  readonly quotes: Quotes;
  /** What is called besides. */
  readonly service: Service;
  /** What reports come over another connection. */
  readonly pipeline: Pipeline;
  /** Sends a text to every tab, by way of the server. */
  broadcast(text: string): void;
}

/** Opens the shared connection, and says hello through it. */
export const openWire = (base: string, choice: Choice): Wire => {
  const hub = createHub({ host: { workerUrl } });
  const web = base.replace(/^ws/, 'http');
  const socket = hub.socket(`${base}/ws/topics`, [], {
    ...options,
    subprotocol: 'json',
    heartbeat: pulse,
    fallback: fallbackAt(web),
  });
  listen(socket);
  const fail = (error: Error) => journal.add('topic', 'bad', error.message);
  // What comes of it is a message like any other: see `listen`.
  socket.subscribe(CHAT, () => {}, { onerror: fail });
  const attempt = (send: () => void) => {
    try {
      send();
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
    report: watchReport(hub, (count) => attempt(() => socket.send(JSON.stringify({ type: 'tabs', count })))),
    quotes: openQuotes(socket, choice, fail),
    service: openService(hub, web),
    pipeline: createPipeline(
      hub,
      base,
      { ...options, heartbeat: { ...pulse, message: 'ping', pong: 'pong' } },
      (data) => feed.add(data, 1),
    ),
    broadcast(text) {
      if (socket.readyState !== socket.OPEN) journal.add('send', 'neutral', `queued while ${socket.status.state}`);
      attempt(() => socket.publish(CHAT, { from: me, text }));
    },
  };
  socket.addEventListener('open', () => wire.broadcast('joined'), { once: true });
  return wire;
};

const listen = (socket: SharedWebSocket) => {
  journal.addStatus(socket.status);
  socket.addEventListener('statuschange', () => journal.addStatus(socket.status));
  socket.addEventListener('message', ({ data }) => feed.add(data, 0));
  socket.addEventListener('gap', ({ topic, from, to, reason, suspected }) => {
    const what =
      from === undefined ? 'messages' : `messages from ${from} on${to === undefined ? '' : `, before ${to},`}`;
    const where = topic === undefined ? what : `${topic}: ${what}`;
    journal.add('gap', 'warn', `${where} ${suspected ? 'may have been' : 'were'} missed`, reason);
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
const options: SocketOptions = { reconnect: { firstDelayMax: 1000, maxDelay: 3000 } };
const pulse = { interval: 5000, timeout: 2000 };

/** The topic that every tab wants. */
const CHAT = 'chat';
