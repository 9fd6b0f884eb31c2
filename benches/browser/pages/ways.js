/** The ways to connect a tab that are compared. */

import { Uncounted } from './batches.js';

/**
 * @typedef {'native' | 'plain' | 'tabwire' | 'led'} Way
 * @typedef {object} Events
 * @property {() => void} opened
 * @property {(why: string) => void} lost the connection, or messages
 * @property {(text: string) => void} message
 * @typedef {{ leave(): void }} Joined
 */

/** @type {Record<Way, (url: string, events: Events) => Joined>} */
export const ways = {
  native: (url, events) => listen(new WebSocket(url), events),
  tabwire: (url, events) => share(url, events, 'shared-worker'),
  led: (url, events) => share(url, events, 'leader-tab'),
  plain(url, { opened, message }) {
    const { port } = new Uncounted(new URL('/plain-worker.js', location.href));
    port.onmessage = ({ data }) => {
      if (typeof data === 'string') message(data);
      else opened();
    };
    port.postMessage({ join: url });
    return { leave: () => port.postMessage({ leave: url }) };
  },
};

/** @param {string} url @param {Events} events @param {'shared-worker' | 'leader-tab'} use */
function share(url, events, use) {
  const socket = new SharedWebSocket(url, [], { host: { use } });
  socket.addEventListener('gap', ({ reason, from, to }) => events.lost(`gap from ${from} to ${to}: ${reason}`));
  return listen(socket, events);
}

/** @param {WebSocket | import('../../../www/client/index.js').SharedWebSocket} socket @param {Events} events */
function listen(socket, { opened, lost, message }) {
  socket.onopen = opened;
  socket.onmessage = ({ data }) => message(data);
  socket.onclose = ({ code }) => lost(`closed with ${code}`);
  return {
    leave() {
      socket.onclose = null;
      socket.close();
    },
  };
}

/** The built package, as a page imports it. @type {typeof import('../../../www/client/index.js')} */
const { SharedWebSocket } = await import(`${location.origin}/dist/index.js`);
