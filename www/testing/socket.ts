import { type TestClose, TestConnection, type TestFrame } from './connection.js';
import { copy, type Traffic } from './traffic.js';

/** What the server does for its connections. */
export interface Listener {
  /** Takes a request. */
  request(connection: TestConnection): void;
  /** Takes a frame. */
  frame(connection: TestConnection, frame: TestFrame): void;
  /** The next frame that has come on that connection. */
  next(connection: TestConnection): Promise<TestFrame>;
}

type Handler = ((event: never) => unknown) | null;

/** Makes the class that takes the place of `WebSocket`: the hub opens one, and so may the code under test. */
export const socketClass = (traffic: Traffic, server: Listener): unknown =>
  class extends TestSocket {
    constructor(url: string | URL, protocols: string | string[] = []) {
      super(traffic, server, url, protocols);
    }
  };

/** The client's end of a connection to the scripted server. */
export class TestSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;

  readonly url: string;
  readonly extensions = '';
  readonly bufferedAmount = 0;
  protocol = '';
  readyState = 0;
  binaryType: BinaryType = 'blob';
  declare onopen: Handler;
  declare onmessage: Handler;
  declare onerror: Handler;
  declare onclose: Handler;
  readonly #on: Record<string, Handler> = {};
  readonly #traffic: Traffic;
  readonly #server: Listener;
  readonly #connection: TestConnection;
  /** Frames leave one after the other, and a Blob has to be read first. */
  #sent = Promise.resolve();

  static {
    // No properties of the object itself: happy-dom would call those too.
    for (const type of ['open', 'message', 'error', 'close']) {
      Object.defineProperty(TestSocket.prototype, `on${type}`, {
        get(this: TestSocket) {
          return this.#on[type] ?? null;
        },
        set(this: TestSocket, handler: Handler) {
          this.#on[type] = handler;
        },
      });
    }
  }

  constructor(traffic: Traffic, server: Listener, url: string | URL, protocols: string | string[]) {
    super();
    this.url = addressOf(url);
    this.#traffic = traffic;
    this.#server = server;
    this.#connection = new TestConnection(this, traffic, server, [protocols].flat());
    traffic.later(() => this.#connection.state === 'waiting' && server.request(this.#connection));
  }

  send(data: string | ArrayBufferLike | ArrayBufferView | Blob) {
    if (this.readyState === 0) throw new DOMException('send() before open', 'InvalidStateError');
    if (this.readyState > 1) return;
    const given = copy(data) as string | ArrayBuffer | ArrayBufferView | Blob;
    this.#sent = this.#sent.then(async () => {
      const frame = given instanceof Blob ? await bytesOf(given) : given;
      if (this.#connection.state !== 'open') return;
      this.#server.frame(this.#connection, ArrayBuffer.isView(frame) ? (frame.buffer as ArrayBuffer) : frame);
    });
    this.#traffic.later(() => this.#sent);
  }

  close(code?: number, reason = '') {
    if (this.readyState > 1) return;
    const wasOpen = this.readyState === 1;
    this.readyState = 2;
    // What has been sent goes first.
    this.#traffic.later(() =>
      this.#sent.then(() => {
        if (this.#connection.state === 'closed') return;
        const how = wasOpen ? { code: code ?? 1005, reason, wasClean: true } : lost;
        this.#connection.left(how);
        this.end(how);
      }),
    );
  }

  /** @internal The request was accepted. */
  open(protocol: string) {
    if (this.readyState > 0) return;
    this.protocol = protocol;
    this.readyState = 1;
    this.#fire(new Event('open'));
  }

  /** @internal A frame has come. */
  receive(frame: TestFrame) {
    if (this.readyState > 1) return;
    const data = typeof frame === 'string' || this.binaryType === 'arraybuffer' ? frame : new Blob([frame]);
    this.#fire(new MessageEvent('message', { data, origin: new URL(this.url).origin }));
  }

  /** @internal It has ended. */
  end(how: TestClose) {
    if (this.readyState > 2) return;
    this.readyState = 3;
    if (!how.wasClean) this.#fire(new Event('error'));
    this.#fire(new CloseEvent('close', how));
  }

  #fire(event: Event) {
    this.#on[event.type]?.call(this, event as never);
    this.dispatchEvent(event);
  }
}

const lost: TestClose = { code: 1006, reason: '', wasClean: false };

const addressOf = (given: string | URL) => {
  try {
    const url = new URL(given, document.baseURI);
    url.protocol = url.protocol.replace('http', 'ws');
    if (/^wss?:[^#]*$/.test(url.href)) return url.href;
  } catch {}
  throw new DOMException(`${given}`, 'SyntaxError');
};

/** The bytes of a Blob; those of jsdom have no method for that. */
const bytesOf = (blob: Blob): Promise<ArrayBuffer> =>
  blob.arrayBuffer?.() ??
  new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(new Uint8Array(new Uint8Array(reader.result as ArrayBuffer)).buffer);
    reader.readAsArrayBuffer(blob);
  });
