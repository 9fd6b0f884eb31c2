import type { TestConnection, TestFrame } from './connection.js';
import { Inbox } from './inbox.js';
import type { Listener } from './socket.js';
import type { Traffic } from './traffic.js';

/** The server that every WebSocket of a test meets, whatever its url. It does what the test says, and nothing else. */
export interface TestServer {
  /**
   * What becomes of requests from now on. `accept`, the default: they are accepted with the first subprotocol offered; `refuse`:
   * they fail, as by a 503; `hang`: they wait for `accept()` or `refuse()` of their connection.
   */
  upgrades: 'accept' | 'refuse' | 'hang';
  /**
   * Called with every frame. What it returns is sent back, and the frame is not given to `next()`; `undefined` leaves it to that.
   * So a heartbeat is answered: `server.reply = (frame) => frame === 'ping' ? 'pong' : undefined`.
   */
  reply: ((frame: TestFrame, connection: TestConnection) => TestFrame | undefined) | undefined;
  /** The connections that are open now. */
  readonly connections: readonly TestConnection[];
  /** How many requests there have been. */
  readonly requests: number;
  /** The next connection that was asked for and that this has not given before, whatever became of it. */
  connection(): Promise<TestConnection>;
  /** The next frame that has come on any connection and that nobody has taken. */
  next(): Promise<TestFrame>;
  /** Sends a frame on every open connection. Throws where there is none. */
  send(data: TestFrame | ArrayBufferView): void;
  /** Closes every open connection with a close frame [1000]. Throws where there is none. */
  close(code?: number, reason?: string): void;
  /** Ends every open connection without a close frame. Throws where there is none. */
  drop(): void;
}

/** Makes a server, what the sockets tell it, and what ends its waits and connections, which returns the number of waits. */
export const createServer = (traffic: Traffic): [TestServer, Listener, end: () => number] => {
  const all: TestConnection[] = [];
  const asked = new Inbox<TestConnection>(traffic);
  const frames = new Inbox<{ connection: TestConnection; frame: TestFrame }>(traffic);
  const { setTimeout } = globalThis;

  const checkTimers = () => {
    // Restored ones are fine: that is how a test ends.
    if (globalThis.setTimeout !== setTimeout && 'clock' in globalThis.setTimeout)
      throw new Error('tabwire/testing: timers were faked after installTabwire(): fake them before');
  };
  const open = () => all.filter(({ state }) => state === 'open');
  const each = (call: string, what: (connection: TestConnection) => void) => {
    const connections = open();
    if (connections.length === 0)
      throw new Error(
        `tabwire/testing: server.${call}(): there is no open connection; await server.connection() first`,
      );
    connections.forEach(what);
  };

  const server: TestServer = {
    upgrades: 'accept',
    reply: undefined,
    get connections() {
      return open();
    },
    get requests() {
      return all.length;
    },
    async connection() {
      checkTimers();
      return asked.next('server.connection(): for a connection');
    },
    async next() {
      checkTimers();
      return (await frames.next('server.next(): for a frame')).frame;
    },
    send: (data) => each('send', (connection) => connection.send(data)),
    close: (code, reason) => each('close', (connection) => connection.close(code, reason)),
    drop: () => each('drop', (connection) => connection.drop()),
  };

  const listener: Listener = {
    request(connection) {
      all.push(connection);
      if (server.upgrades === 'accept') connection.accept();
      if (server.upgrades === 'refuse') connection.refuse();
      asked.push(connection);
    },
    frame(connection, frame) {
      const answer = server.reply?.(frame, connection);
      connection.received.push(frame);
      if (answer === undefined) frames.push({ connection, frame });
      else connection.send(answer);
    },
    async next(wanted) {
      checkTimers();
      const item = await frames.next(`next(): for a frame on ${wanted.url}`, ({ connection }) => connection === wanted);
      return item.frame;
    },
  };

  const end = () => {
    for (const connection of all) connection.drop();
    return asked.end() + frames.end();
  };
  return [server, listener, end];
};
