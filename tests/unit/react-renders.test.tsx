import { type ReactNode, StrictMode, startTransition, useState } from 'react';
import {
  type SharedWebSocketResult,
  useMessages,
  useSharedWebSocket,
  useSocketEvent,
  WebSocketProvider,
} from 'tabwire/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { forget, type Mounted, mount, only, run } from './react-support.js';

vi.mock('../../www/client/index.js', async () => ({
  SharedWebSocket: (await import('./react-support.js')).FakeSocket,
}));

beforeEach(() => {
  vi.useFakeTimers();
  forget();
});

afterEach(() => {
  page?.unmount();
  vi.runAllTimers();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

let page: Mounted | undefined;

const show = (node: ReactNode) => {
  page = mount(<WebSocketProvider url="wss://example.test">{node}</WebSocketProvider>);
  return page;
};

/** A component that reads this of the result, and what it saw at each render. */
const reader = (read: (result: SharedWebSocketResult) => unknown) => {
  const seen: unknown[] = [];
  const results: SharedWebSocketResult[] = [];
  const Reader = () => {
    const result = useSharedWebSocket();
    results.push(result);
    seen.push(read(result));
    return null;
  };
  return { Reader, seen, results };
};

test('a component renders again only for what it reads', () => {
  const none = reader(({ send, close }) => typeof send && typeof close);
  const state = reader(({ status }) => status.state);
  const ready = reader(({ readyState }) => readyState);
  const last = reader(({ lastMessage }) => lastMessage?.data);
  show(
    <>
      <none.Reader />
      <state.Reader />
      <ready.Reader />
      <last.Reader />
    </>,
  );
  run(() => only().become('open', 1));
  run(() => only().receive('one'));
  run(() => only().receive('two'));
  run(() => only().become('suspect', 1));

  expect(none.seen).toHaveLength(1);
  expect(state.seen).toEqual(['idle', 'connecting', 'open', 'suspect']);
  expect(ready.seen).toEqual([0, 1]);
  expect(last.seen).toEqual([undefined, 'one', 'two']);
});

test('messages of one task are one render, of the newest', () => {
  const last = reader(({ lastMessage }) => lastMessage?.data);
  show(<last.Reader />);
  run(() => only().receive(...Array.from({ length: 1000 }, (_, index) => `${index}`)));
  expect(last.seen).toEqual([undefined, '999']);
});

test('the same text twice is two messages', () => {
  const last = reader(({ lastMessage }) => lastMessage?.data);
  show(<last.Reader />);
  run(() => only().receive('same'));
  run(() => only().receive('same'));
  expect(last.seen).toEqual([undefined, 'same', 'same']);
});

test('functions stay the same, and the result does while nothing that was read changes', () => {
  const { Reader, results } = reader(({ status }) => status);
  let renderAgain = () => {};
  const Parent = () => {
    const [count, setCount] = useState(0);
    renderAgain = () => setCount(count + 1);
    return (
      <WebSocketProvider url="wss://example.test" options={{}}>
        <Reader />
      </WebSocketProvider>
    );
  };
  show(<Parent />);
  run(() => only().receive('one'));
  run(renderAgain);
  run(() => only().become('open', 1));

  const [idle, connecting, again, open] = results;
  expect(results).toHaveLength(4);
  expect(again).toBe(connecting);
  for (const name of ['send', 'subscribe', 'publish', 'request', 'close'] as const) {
    expect(open?.[name]).toBe(idle?.[name]);
  }
});

test('what is read for the first time in a later render is the newest', () => {
  let isCurious = false;
  const { Reader, seen } = reader((result) => [result.status.state, isCurious && result.lastMessage?.data]);
  const { render } = show(<Reader />);
  run(() => only().receive('one'));
  run(() => only().receive('two'));
  expect(seen).toEqual([
    ['idle', false],
    ['connecting', false],
  ]);

  isCurious = true;
  render(
    <WebSocketProvider url="wss://example.test">
      <Reader />
    </WebSocketProvider>,
  );
  expect(seen.at(-1)).toEqual(['connecting', 'two']);
  run(() => only().receive('three'));
  expect(seen.at(-1)).toEqual(['connecting', 'three']);
});

test('a child that is the first to read something of a result reads the newest', () => {
  const seen: unknown[] = [];
  let look = () => {};
  const Child = ({ result }: { result: SharedWebSocketResult }) => {
    const [isCurious, setCurious] = useState(false);
    look = () => setCurious(true);
    if (isCurious) seen.push(result.lastMessage?.data);
    return null;
  };
  const Parent = () => <Child result={useSharedWebSocket()} />;
  show(<Parent />);
  run(() => only().receive('one'));
  run(look);
  run(() => only().receive('two'));
  expect(seen).toEqual(['one', 'two']);
});

test('a copy of the result has all of it', () => {
  const { Reader, seen } = reader((result) => {
    const { send, ...rest } = { ...result };
    return [typeof send, Object.keys(rest).sort(), rest.lastMessage?.data];
  });
  show(<Reader />);
  run(() => only().receive('one'));
  const names = ['close', 'lastMessage', 'publish', 'readyState', 'request', 'status', 'subscribe'];
  expect(seen.at(-1)).toEqual(['function', names, 'one']);
});

test('a result that was kept shows what it showed', () => {
  const { Reader, results } = reader(({ status }) => status.state);
  show(<Reader />);
  run(() => only().become('open', 1));
  expect(results.map(({ status }) => status.state)).toEqual(['idle', 'connecting', 'open']);
});

test('components never show different messages of one connection', () => {
  const Last = () => <i>{useSharedWebSocket().lastMessage?.data ?? '-'}</i>;
  let grow = () => {};
  const Many = ({ depth }: { depth: number }) => (
    <>
      <Last />
      {depth > 0 && <Many depth={depth - 1} />}
    </>
  );
  const Growing = () => {
    const [depth, setDepth] = useState(0);
    grow = () => startTransition(() => setDepth(49));
    return <Many depth={depth} />;
  };
  const { element } = show(<Growing />);
  run(() => {
    only().receive('one');
    grow();
    only().receive('two');
  });
  expect(element.textContent).toBe('two'.repeat(50));
});

test('useMessages sees every message in order, and renders nothing', () => {
  const got: string[] = [];
  let renders = 0;
  const Watcher = () => {
    renders++;
    useMessages(({ data }) => got.push(data));
    return null;
  };
  show(
    <StrictMode>
      <Watcher />
    </StrictMode>,
  );
  const before = renders;
  run(() => only().receive('one', 'two', 'two'));
  run(() => only().become('open', 1));
  run(() => only().receive('three'));
  expect(got).toEqual(['one', 'two', 'two', 'three']);
  expect(renders).toBe(before);
});

test('useMessages calls the function of the newest render', () => {
  const got: string[] = [];
  const Watcher = ({ name }: { name: string }) => {
    useMessages(({ data }) => got.push(`${name} ${data}`));
    return null;
  };
  const { render } = show(<Watcher name="a" />);
  run(() => only().receive('one'));
  render(
    <WebSocketProvider url="wss://example.test">
      <Watcher name="b" />
    </WebSocketProvider>,
  );
  run(() => only().receive('two'));
  expect(got).toEqual(['a one', 'b two']);
});

test('useSocketEvent hears every event of its type, and those of another once that is asked for', () => {
  const got: unknown[] = [];
  let renders = 0;
  const Watcher = ({ type }: { type: 'gap' | 'sendfailed' }) => {
    renders++;
    useSocketEvent(type, (event) => got.push([event.type, event.reason]));
    return null;
  };
  const { render } = show(<Watcher type="gap" />);
  const fire = (type: string, reason: string) => only().dispatchEvent(Object.assign(new Event(type), { reason }));
  run(() => fire('gap', 'hub-lost'));
  run(() => fire('sendfailed', 'expired'));
  render(
    <WebSocketProvider url="wss://example.test">
      <Watcher type="sendfailed" />
    </WebSocketProvider>,
  );
  run(() => fire('gap', 'hub-lost'));
  run(() => fire('sendfailed', 'unknown'));
  expect(got).toEqual([
    ['gap', 'hub-lost'],
    ['sendfailed', 'unknown'],
  ]);
  expect(renders).toBe(2);
});

test('useMessages of another user gets that one’s messages alone', () => {
  const got: string[] = [];
  const Watcher = ({ name }: { name: string }) => {
    useMessages(({ data }) => got.push(`${name} ${data}`), name);
    return null;
  };
  show(<Watcher name="ada" />);
  expect(only().options.key).toBe('ada');
  run(() => only().receive('one'));
  expect(got).toEqual(['ada one']);
});

test('a callback that throws is reported, and stops no other', () => {
  const report = vi.fn();
  vi.stubGlobal('reportError', report);
  const error = new Error('mine');
  const got: string[] = [];
  const Thrower = () => {
    useMessages(() => {
      throw error;
    });
    useMessages(({ data }) => got.push(data));
    return null;
  };
  const last = reader(({ lastMessage }) => lastMessage?.data);
  show(
    <>
      <Thrower />
      <last.Reader />
    </>,
  );
  run(() => only().receive('one'));
  expect(report.mock.calls).toEqual([[error]]);
  expect(got).toEqual(['one']);
  expect(last.seen).toEqual([undefined, 'one']);
  vi.unstubAllGlobals();
});
