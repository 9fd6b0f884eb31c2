import { act, StrictMode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { type SharedWebSocketResult, useMessages, useSharedWebSocket, WebSocketProvider } from 'tabwire/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
// What a client loads later is here already, so that it takes no more than a turn.
import '../../www/client/life.js';
import { Op, type TabMessage } from '../../www/client/protocol.js';
import { Boundary, mount } from './react-support.js';

/** What a page sees of a hub that opens every connection at once: a worker that follows docs/PROTOCOL.md. */
type Listener = (event: { data: unknown }) => void;

class FakeSharedWorker {
  static attached: number[] = [];
  static detached: number[] = [];
  static sent: unknown[] = [];
  static say: (message: unknown[]) => void;

  #listen: (listener: Listener) => void = () => {};
  /** Who listens: what is said before that waits, as at a real port. */
  readonly #listener = new Promise<Listener>((resolve) => {
    this.#listen = resolve;
  });

  readonly port = {
    set: this.#listen,
    set onmessage(listener: Listener | null) {
      if (listener) this.set(listener);
    },
    postMessage: (message: TabMessage) => this.#hear(message),
    close() {},
  };

  constructor() {
    FakeSharedWorker.say = (data) => this.#listener.then((listener) => listener({ data }));
  }

  #hear(message: TabMessage) {
    const { say, attached, detached, sent } = FakeSharedWorker;
    if (message[0] === Op.Hello) {
      say([Op.Script, 'test']);
      say([Op.Welcome, { protocol: 1, build: 'test', epoch: 'first', lock: null, workerUrl: '' }]);
    } else if (message[0] === Op.Attach) {
      attached.push(message[1]);
      say([Op.Attached, message[1], CONN, 0, [], 'open', 1, null, null, 'opened', 0, 'websocket', '', '', 1]);
    } else if (message[0] === Op.Send) {
      sent.push(...message[4]);
    } else if (message[0] === Op.Detach) {
      detached.push(message[1]);
      say([Op.Closed, message[1], 1005, '', 1]);
    }
  }
}

const CONN = 7;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('SharedWorker', FakeSharedWorker);
  for (const list of [FakeSharedWorker.attached, FakeSharedWorker.detached, FakeSharedWorker.sent]) list.length = 0;
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

let result: SharedWebSocketResult;
const got: unknown[] = [];

const State = () => {
  result = useSharedWebSocket();
  useMessages(({ data }) => got.push(data));
  return `${result.status.state} ${result.lastMessage?.data ?? '-'}`;
};

const page = (url: string) => (
  <StrictMode>
    <WebSocketProvider url={url}>
      <State />
    </WebSocketProvider>
  </StrictMode>
);

/** Lets what was posted arrive, and renders what comes of it. */
const settle = () => act(() => vi.advanceTimersByTimeAsync(1));

test('a page attaches once, receives, sends, and leaves after its unmount', async () => {
  const { element, unmount } = mount(page('wss://example.test/live'));
  expect(element.textContent).toBe('connecting -');
  result.send('early');
  await settle();
  expect(element.textContent).toBe('open -');

  FakeSharedWorker.say([Op.Batch, CONN, 0, ['one', 'two']]);
  await settle();
  expect(element.textContent).toBe('open two');
  expect(got).toEqual(['one', 'two']);

  result.send('late');
  await settle();
  expect(FakeSharedWorker.sent).toEqual(['early', 'late']);

  unmount();
  expect(FakeSharedWorker.detached).toEqual([]);
  await settle();
  expect(FakeSharedWorker.attached).toHaveLength(1);
  expect(FakeSharedWorker.detached).toEqual(FakeSharedWorker.attached);
});

test('what a server rendered is hydrated without a complaint, and then opens', async () => {
  const complaints = vi.spyOn(console, 'error');
  const element = document.createElement('div');
  element.innerHTML = renderToString(page('/live'));
  expect(element.textContent).toBe('idle -');
  expect(FakeSharedWorker.attached).toEqual([]);

  const root = hydrateRoot(element, page('/live'), { onRecoverableError: console.error });
  await settle();
  expect(element.textContent).toBe('open -');
  expect(FakeSharedWorker.attached).toHaveLength(1);
  expect(complaints).not.toHaveBeenCalled();
  act(() => root.unmount());
  await settle();
});

test('what a server rendered is hydrated without a complaint where another part of the page is open already', async () => {
  const complaints = vi.spyOn(console, 'error');
  const first = mount(page('/live'));
  await settle();
  FakeSharedWorker.say([Op.Batch, CONN, 0, ['news']]);
  await settle();
  expect(first.element.textContent).toBe('open news');

  const element = document.createElement('div');
  element.innerHTML = renderToString(page('/live'));
  expect(element.textContent).toBe('idle -');
  const root = hydrateRoot(element, page('/live'), { onRecoverableError: console.error });
  await settle();
  expect(element.textContent).toBe('open news');
  expect(FakeSharedWorker.attached).toHaveLength(1);
  expect(complaints).not.toHaveBeenCalled();
  act(() => root.unmount());
  first.unmount();
  await settle();
  expect(FakeSharedWorker.detached).toHaveLength(1);
});

test('with nobody signed in nothing can be sent, and nothing is opened', async () => {
  const { unmount } = mount(
    <WebSocketProvider url="wss://example.test/live" userId={null}>
      <State />
    </WebSocketProvider>,
  );
  expect(() => result.send('whose?')).toThrow(new TypeError('key: null'));
  result.close();
  await settle();
  expect(FakeSharedWorker.attached).toEqual([]);
  unmount();
});

test('what the socket throws reaches the nearest error boundary', () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const { element } = mount(<Boundary>{page('ftp://example.test')}</Boundary>);
  expect(element.textContent).toMatch(/^SyntaxError: .*ftp/);
});
