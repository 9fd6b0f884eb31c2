/** A SharedWorker as it is usually written: one WebSocket a url, and one `postMessage` per message and tab. */

/** @type {Map<string, { socket: WebSocket, ports: Set<MessagePort> }>} */
const shared = new Map();

addEventListener('connect', (event) => {
  const [port] = /** @type {MessageEvent} */ (event).ports;
  if (!port) return;
  port.onmessage = ({ data }) => {
    if (data.join) join(port, data.join);
    else leave(port, data.leave);
  };
});

/** @param {MessagePort} port @param {string} url */
function join(port, url) {
  const { socket, ports } = shared.get(url) ?? open(url);
  ports.add(port);
  if (socket.readyState === WebSocket.OPEN) port.postMessage({ opened: true });
}

/** @param {string} url */
function open(url) {
  const socket = new WebSocket(url);
  /** @type {Set<MessagePort>} */
  const ports = new Set();
  socket.onopen = () => {
    for (const port of ports) port.postMessage({ opened: true });
  };
  socket.onmessage = ({ data }) => {
    for (const port of ports) port.postMessage(data);
  };
  const opened = { socket, ports };
  shared.set(url, opened);
  return opened;
}

/** @param {MessagePort} port @param {string} url */
function leave(port, url) {
  const left = shared.get(url);
  left?.ports.delete(port);
  if (left?.ports.size !== 0) return;
  left.socket.close();
  shared.delete(url);
}
