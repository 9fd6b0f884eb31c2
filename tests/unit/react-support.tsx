import { act, Component, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import type { SocketOptions, Status } from 'tabwire';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

/** Stands in for `SharedWebSocket`: notes what it is told, and does what a test tells it. */
export class FakeSocket extends EventTarget {
  /** Those made since the last {@link forget}, in order. */
  static made: FakeSocket[] = [];

  readonly protocols: readonly string[];
  status = { state: 'connecting', host: 'shared-worker' } as Status;
  readyState = 0;
  /** The calls, as `send hello`. */
  readonly calls: string[] = [];

  constructor(
    readonly url: string | URL,
    protocols: readonly string[],
    readonly options: SocketOptions,
  ) {
    super();
    this.protocols = protocols;
    FakeSocket.made.push(this);
  }

  send = (...args: unknown[]) => this.#note('send', args);
  subscribe = (...args: unknown[]) => this.#note('subscribe', args);
  publish = (...args: unknown[]) => this.#note('publish', args);
  request = (...args: unknown[]) => this.#note('request', args);
  close = (...args: unknown[]) => {
    this.#note('close', args);
    this.readyState = 2;
  };

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

  #note(name: string, args: unknown[]) {
    const given = args.filter((arg) => arg !== undefined);
    this.calls.push([name, ...given.map((arg) => (typeof arg === 'object' ? JSON.stringify(arg) : arg))].join(' '));
  }
}

/** Forgets the sockets made so far. */
export const forget = () => {
  FakeSocket.made = [];
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
