import { createHub, type HubOptions, type SharedWebSocket, type SocketOptions } from 'tabwire';
import { type FakeWorker, settle, workers } from './fakes.js';

/** What a socket fired: its type, and what the event carries. */
export type Fired = [type: string, fields?: Record<string, unknown>];

/** Opens a socket at a hub of its own that is up, and notes its events. */
export const openSocket = async (
  options: SocketOptions = {},
  protocols: string[] = [],
  host: HubOptions['host'] = {},
) => {
  const hub = createHub({ host });
  const socket = hub.socket('wss://server.example/ws', protocols, options);
  const port = workers.latest;
  port.welcome();
  await settle();
  port.take();
  return { hub, socket, port, fired: record(socket), attach: () => attach(port) };
};

/** Notes what a socket fires from now on, messages aside. */
export const record = (socket: SharedWebSocket) => {
  const fired: Fired[] = [];
  const note = (type: string, ...fields: string[]) =>
    socket.addEventListener(type, (event) => {
      const values = fields.map((field) => [field, Reflect.get(event, field)]);
      fired.push(fields.length ? [type, Object.fromEntries(values)] : [type]);
    });
  note('statuschange');
  note('open');
  note('error');
  note('close', 'code', 'reason', 'wasClean');
  note('gap', 'from', 'to', 'reason', 'suspected');
  note('overflow', 'count', 'policy');
  note('sendfailed', 'count', 'reason');
  note('connectionRecovered');
  note('staleConnection');
  note('circuitBreakerOpened');
  note('unhealthyConnection', 'score', 'reasons', 'count');
  note('stabilityAlert', 'reason', 'value', 'threshold', 'count');
  return fired;
};

const attach = (port: FakeWorker) => {
  port.attached('open');
  port.take();
};
