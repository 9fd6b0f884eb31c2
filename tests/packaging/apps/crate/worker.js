import init, { Hub } from './pkg/tabwire.js';

/**
 * A worker script of one's own around the crate's package. It listens for tabs before anything is awaited, tells each that the script
 * runs (op 64 of the port protocol), and keeps what they say until the hub is up.
 */
const build = '0.1.0+own';
/** @type {Map<MessagePort, unknown[]>} */
const waiting = new Map();
/** @type {Hub | undefined} */
let hub;

const scope = /** @type {SharedWorkerGlobalScope} */ (/** @type {unknown} */ (self));

scope.onconnect = ({ ports: [port] }) => {
  if (!port) return;
  port.postMessage([64, build]);
  if (hub) return hub.connect(port, []);
  /** @type {unknown[]} */
  const said = [];
  waiting.set(port, said);
  port.onmessage = ({ data }) => said.push(data);
};

await init();
hub = await Hub.start({
  build,
  workerUrl: scope.location.href,
  name: scope.name,
  locks: false,
  locksFall: false,
  crashed: () => scope.close(),
  gone: () => {},
  subprotocols: [],
  translate: () => ({ encode: () => false, decode: () => false }),
  request: (_url, _method, _headers, _body, tell) => {
    tell(2, false);
    return () => {};
  },
});
for (const [port, said] of waiting) hub.connect(port, said);
