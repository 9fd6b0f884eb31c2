import { SharedWebSocket } from 'tabwire';

/**
 * Opens the socket that the page's url names, on the kind of host that it names; shows in `<output>` what has become of it,
 * and keeps in `window.texts` what comes.
 * @param {import('tabwire').HostOptions} [host]
 */
export function show(host) {
  const asked = new URLSearchParams(location.search);
  const use = /** @type {'auto' | 'leader-tab'} */ (asked.get('use') ?? 'auto');
  const socket = new SharedWebSocket(asked.get('socket') ?? '', [], { host: { ...host, use } });
  const output = document.body.appendChild(document.createElement('output'));
  /** @type {unknown[]} */
  const texts = [];
  Object.assign(window, { texts });
  socket.addEventListener('message', ({ data }) => texts.push(data));
  socket.addEventListener('statuschange', () => {
    output.textContent = `${socket.status.state} in ${socket.status.host}`;
  });
}
