import { act, Component, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import type { SocketOptions, Status, SubscriptionOptions, TopicMessage } from 'tabwire';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
// As in a browser, what a listener throws goes to the window: the development build of React 18 relies on it.
Object.assign((window as unknown as { happyDOM: { settings: object } }).happyDOM.settings, {
  disableErrorCapturing: false,
});

/** A subscription of a {@link FakeSocket}. */
export interface FakeSubscription {
  readonly topic: string;
  readonly options: SubscriptionOptions;
  /** Gives the listener a message with this data. */
  tell(data: unknown): void;
}

/** Stands in for `SharedWebSocket`: notes what it is told, and does what a test tells it. */
export class FakeSocket {
  /** Those made since the last {@link forget}, in order. */
  static made: FakeSocket[] = [];
  /** What `subscribe` throws. */
  static refusal: Error | undefined;

  readonly protocols: readonly string[];
  status = { state: 'connecting', host: 'shared-worker' } as Status;
  readyState = 0;
  /** The calls, as `send hello`. */
  readonly calls: string[] = [];
  /** The subscriptions that have not been closed. */
  readonly subscriptions = new Set<FakeSubscription>();
  readonly #listeners: [type: string, listener: (event: Event) => void][] = [];

  constructor(
    readonly url: string | URL,
    protocols: readonly string[],
    readonly options: SocketOptions,
  ) {
    if (options.key === null) throw new TypeError('key: null');
    this.protocols = protocols;
    FakeSocket.made.push(this);
  }

  send = (...args: unknown[]) => this.#note('send', args);
  publish = (...args: unknown[]) => this.#note('publish', args);
  request = (...args: unknown[]) => this.#note('request', args);
  close = (options?: unknown, ...args: unknown[]) => {
    const isPurge = (options as { purge?: boolean } | undefined)?.purge;
    this.#note(isPurge ? 'purge' : 'close', typeof options === 'object' ? args : [options, ...args]);
    this.readyState = 2;
  };
  subscribe = (topic: string, listener: (message: TopicMessage) => unknown, options: SubscriptionOptions = {}) => {
    if (FakeSocket.refusal) throw FakeSocket.refusal;
    this.#note('subscribe', [topic]);
    const subscription = { topic, options, tell: (data: unknown) => report(() => listener({ topic, data })) };
    this.subscriptions.add(subscription);
    return {
      topic,
      close: () => {
        this.subscriptions.delete(subscription);
        this.#note('unsubscribe', [topic]);
      },
    };
  };

  addEventListener(...listening: [type: string, listener: (event: Event) => void]) {
    this.#listeners.push(listening);
  }

  removeEventListener(type: string, listener: (event: Event) => void) {
    const index = this.#listeners.findIndex(([other, known]) => other === type && known === listener);
    if (index >= 0) this.#listeners.splice(index, 1);
  }

  /** As a browser does: what a listener throws is reported, and stops no other. */
  dispatchEvent(event: Event) {
    for (const [type, listener] of [...this.#listeners]) {
      if (type === event.type) report(() => listener(event));
    }
  }

  /** How many listen to it. */
  get listening() {
    return this.#listeners.length;
  }

  /** Takes this state. */
  become(state: Status['state'], readyState: number, reason = '') {
    this.readyState = readyState;
    this.status = { ...this.status, state, reason };
    this.dispatchEvent(new Event('statuschange'));
  }

  /** Receives these messages. */
  receive(...texts: string[]) {
    for (const data of texts) this.dispatchEvent(new MessageEvent('message', { data }));
  }

  /** The server publishes these data to a topic. */
  publishes(topic: string, ...data: unknown[]) {
    for (const one of data) {
      for (const subscription of this.subscriptions) if (subscription.topic === topic) subscription.tell(one);
    }
  }

  #note(name: string, args: unknown[]) {
    const given = args.filter((arg) => arg !== undefined);
    this.calls.push([name, ...given.map((arg) => (typeof arg === 'object' ? JSON.stringify(arg) : arg))].join(' '));
  }
}

const report = (what: () => unknown) => {
  try {
    what();
  } catch (error) {
    reportError(error);
  }
};

/** Forgets the sockets made so far. */
export const forget = () => {
  FakeSocket.made = [];
  FakeSocket.refusal = undefined;
};

/** The only socket there is. */
export const only = (): FakeSocket => {
  const [socket, ...others] = FakeSocket.made;
  if (!socket || others.length > 0) throw new Error(`there are ${FakeSocket.made.length} sockets`);
  return socket;
};

/** A mounted tree. */
export interface Mounted {
  readonly element: HTMLElement;
  render(node: ReactNode): void;
  unmount(): void;
}

/** Mounts a tree and runs its effects. */
export const mount = (node: ReactNode): Mounted => {
  const element = document.createElement('div');
  const root = createRoot(element);
  const render = (node: ReactNode) => act(() => root.render(node));
  render(node);
  return { element, render, unmount: () => act(() => root.unmount()) };
};

/** Does this, and renders what comes of it. */
export const run = (what: () => void) => act(what);

/** Shows the message of what its children throw. */
export class Boundary extends Component<{ children: ReactNode }, { error?: Error }> {
  static getDerivedStateFromError = (error: Error) => ({ error });
  override state: { error?: Error } = {};
  override render() {
    const { error } = this.state;
    return error ? `${error.name}: ${error.message}` : this.props.children;
  }
}
