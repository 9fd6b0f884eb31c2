import type { Listener, TestSocket } from './socket.js';
import { copy, type Traffic } from './traffic.js';

/** What a WebSocket carries: text, or the bytes of a binary frame. */
export type TestFrame = string | ArrayBuffer;

/** How a connection has ended, as the server sees it: without a close frame the code is 1006. */
export interface TestClose {
  code: number;
  reason: string;
  wasClean: boolean;
}

/** The server's end of one WebSocket, from the request on. */
export class TestConnection {
  /** The url that was asked for. */
  readonly url: string;
  /** The subprotocols that were offered. */
  readonly protocols: readonly string[];
  /** The one that was chosen. */
  protocol = '';
  /** `waiting` for an answer to the request, `open`, or `closed`. */
  state: 'waiting' | 'open' | 'closed' = 'waiting';
  /** Kept when the connection has ended, with how. */
  readonly closed: Promise<TestClose>;
  /** All frames that have come on it, taken or not. */
  readonly received: TestFrame[] = [];
  readonly #server: Listener;
  readonly #socket: TestSocket;
  readonly #traffic: Traffic;
  #end!: (how: TestClose) => void;

  /** @internal */
  constructor(socket: TestSocket, traffic: Traffic, server: Listener, protocols: readonly string[]) {
    this.#socket = socket;
    this.#server = server;
    this.#traffic = traffic;
    this.url = socket.url;
    this.protocols = protocols;
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Accepts the request. Default: the first of the subprotocols offered. Throws unless it is waiting. */
  accept(protocol: string = this.protocols[0] ?? '') {
    this.#expect('accept', 'waiting');
    this.state = 'open';
    this.protocol = protocol;
    this.#traffic.later(() => this.#socket.open(protocol));
  }

  /** Refuses the request, as a server does that answers 503. Throws unless it is waiting. */
  refuse() {
    this.#expect('refuse', 'waiting');
    this.drop();
  }

  /** Sends a frame. Throws unless it is open. */
  send(data: TestFrame | ArrayBufferView) {
    this.#expect('send', 'open');
    const copied = copy(data) as TestFrame | ArrayBufferView;
    const frame = ArrayBuffer.isView(copied) ? (copied.buffer as ArrayBuffer) : copied;
    this.#traffic.later(() => this.#socket.receive(frame));
  }

  /** The next frame that has come on this connection and that nobody has taken. */
  next(): Promise<TestFrame> {
    return this.#server.next(this);
  }

  /** Closes it with a close frame. Throws unless it is open. */
  close(code = 1000, reason = '') {
    this.#expect('close', 'open');
    this.#finish({ code, reason, wasClean: true });
  }

  /** Ends it without a close frame, as a lost network does. */
  drop() {
    if (this.state !== 'closed') this.#finish({ code: 1006, reason: '', wasClean: false });
  }

  /** @internal The client has closed it. */
  left(how: TestClose) {
    this.state = 'closed';
    this.#end(how);
  }

  #finish(how: TestClose) {
    this.left(how);
    this.#traffic.later(() => this.#socket.end(how));
  }

  #expect(call: string, state: TestConnection['state']) {
    if (this.state !== state) throw new Error(`tabwire/testing: ${call}(): ${this.url} is ${this.state}, not ${state}`);
  }
}
