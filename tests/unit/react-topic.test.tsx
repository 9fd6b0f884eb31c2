import { StrictMode, useState } from 'react';
import { type TopicOptions, type UserIdOrOptions, useTopic, WebSocketProvider } from 'tabwire/react';
import { afterEach, beforeEach, expect, expectTypeOf, test, vi } from 'vitest';
import { Boundary, FakeSocket, forget, type Mounted, mount, only, run } from './react-support.js';

vi.mock('../../www/client/index.js', async () => ({
  SharedWebSocket: (await import('./react-support.js')).FakeSocket,
}));

beforeEach(() => {
  vi.useFakeTimers();
  forget();
});

afterEach(() => {
  page?.unmount();
  page = undefined;
  vi.runAllTimers();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

let page: Mounted | undefined;

const url = 'wss://example.test';

/** A component that subscribes to a topic, and what it saw at each render. */
const reader = <Value, Data = Value>(options?: TopicOptions<Value, Data>) => {
  const seen: unknown[] = [];
  const Reader = ({ topic = 'prices', of }: { topic?: string; of?: UserIdOrOptions }) => {
    const value = useTopic(topic, options as TopicOptions<Value> & { initial: Value }, of);
    seen.push(value);
    return null;
  };
  return { Reader, seen };
};

const show = (node: React.ReactNode, userId?: string | null) => {
  const tree = (
    <WebSocketProvider url={url} userId={userId}>
      {node}
    </WebSocketProvider>
  );
  if (page) page.render(tree);
  else page = mount(tree);
};

test('the value is the data of the newest message, and before the first undefined', () => {
  const { Reader, seen } = reader();
  show(<Reader />);
  run(() => only().publishes('prices', 1));
  run(() => only().publishes('others', 2));
  run(() => only().publishes('prices', null));
  expect(seen).toEqual([undefined, 1, null]);
});

test('the value is the initial one until there is a message', () => {
  const { Reader, seen } = reader({ initial: 0 });
  show(<Reader />);
  run(() => only().publishes('prices', 1));
  expect(seen).toEqual([0, 1]);
});

test('a component renders again only when the value is another', () => {
  const { Reader, seen } = reader();
  const { Reader: Rounded, seen: rounded } = reader({ initial: 0, reduce: (_, data: number) => Math.round(data) });
  show(
    <>
      <Reader />
      <Rounded />
    </>,
  );
  run(() => only().become('open', 1));
  run(() => only().receive('a message without a topic'));
  run(() => only().publishes('prices', 1.1));
  run(() => only().publishes('prices', 1.1));
  run(() => only().publishes('prices', 1.2));
  expect(seen).toEqual([undefined, 1.1, 1.2]);
  expect(rounded).toEqual([0, 1]);
});

test('messages of one task are one render, and reduce is called once for each of them', () => {
  const { Reader, seen } = reader({ initial: [], reduce: (last: number[], data: number) => [...last, data] });
  show(
    <StrictMode>
      <Reader />
    </StrictMode>,
  );
  const before = seen.length;
  run(() => only().publishes('prices', 1, 2, 3));
  expect(seen.slice(before).map(String)).toEqual(['1,2,3', '1,2,3']);
});

test('the function of the newest render reduces', () => {
  const Sum = ({ factor }: { factor: number }) =>
    useTopic('prices', { initial: 0, reduce: (sum: number, data: number) => sum + factor * data });
  show(<Sum factor={1} />);
  run(() => only().publishes('prices', 1));
  show(<Sum factor={10} />);
  run(() => only().publishes('prices', 2));
  expect(page?.element.textContent).toBe('21');
});

test('reduce gets the whole message', () => {
  const { Reader, seen } = reader({ initial: '', reduce: (_, data: string, { topic }) => `${topic} ${data}` });
  show(<Reader />);
  run(() => only().publishes('prices', 'up'));
  expect(seen).toEqual(['', 'prices up']);
});

test('a reduce that throws is reported, and the value stays', () => {
  const report = vi.fn();
  vi.stubGlobal('reportError', report);
  const { Reader, seen } = reader({
    initial: 1,
    reduce(_, data: number) {
      if (data < 0) throw new RangeError(`data: ${data}`);
      return data;
    },
  });
  show(<Reader />);
  run(() => only().publishes('prices', -1));
  run(() => only().publishes('prices', 2));
  expect(seen).toEqual([1, 2]);
  expect(report.mock.calls).toEqual([[new RangeError('data: -1')]]);
});

test('the options of the subscription reach it', () => {
  const options = { replay: 50, conflate: true, onerror: () => {} };
  const { Reader } = reader(options);
  show(<Reader />);
  const [subscription] = only().subscriptions;
  expect(subscription?.options).toBe(options);
});

test('each mounted component has one subscription, under StrictMode too, and none after its unmount', () => {
  const { Reader } = reader();
  const many = (count: number) => (
    <StrictMode>
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <Reader key={index} />
      ))}
    </StrictMode>
  );
  show(many(3));
  expect(only().subscriptions.size).toBe(3);
  show(many(1));
  expect(only().subscriptions.size).toBe(1);
  show(null);
  expect(only().subscriptions.size).toBe(0);
  vi.runAllTimers();
  expect(only().calls.at(-1)).toBe('close');
});

test('a render changes nothing about the subscription', () => {
  let renderAgain = () => {};
  const Parent = () => {
    const [count, setCount] = useState(0);
    renderAgain = () => setCount(count + 1);
    return `${useTopic('prices', { initial: count })}`;
  };
  show(<Parent />);
  run(renderAgain);
  run(renderAgain);
  expect(only().calls).toEqual(['subscribe prices']);
  expect(page?.element.textContent).toBe('0');
});

test('another topic is another subscription, which begins with the initial value at once', () => {
  const { Reader, seen } = reader({ initial: '-' });
  show(<Reader topic="a" />);
  run(() => only().publishes('a', 'of a'));
  show(<Reader topic="b" />);
  run(() => only().publishes('a', 'of a'));
  run(() => only().publishes('b', 'of b'));
  expect(seen).toEqual(['-', 'of a', '-', 'of b']);
  expect(only().calls).toEqual(['subscribe a', 'unsubscribe a', 'subscribe b']);
});

test('another user sees nothing of the first', () => {
  const { Reader, seen } = reader();
  show(<Reader />, 'ada');
  const [ada] = FakeSocket.made;
  run(() => ada?.publishes('prices', 'for ada'));
  show(<Reader />, 'bob');
  expect(seen).toEqual([undefined, 'for ada', undefined]);
  expect(ada?.subscriptions.size).toBe(0);
  expect(FakeSocket.made.map(({ options }) => options.key)).toEqual(['ada', 'bob']);
});

test('where nobody is signed in there is the initial value and no connection', () => {
  const { Reader, seen } = reader({ initial: 0 });
  show(<Reader />, null);
  expect(seen).toEqual([0]);
  expect(FakeSocket.made).toEqual([]);
});

test('a user given to the hook goes before that of the provider', () => {
  const { Reader } = reader();
  show(<Reader of="bob" />, 'ada');
  expect(only().options.key).toBe('bob');
});

test('what subscribe throws reaches the nearest error boundary', () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  FakeSocket.refusal = new Error('subprotocol: "raw"');
  const { Reader } = reader();
  show(
    <Boundary>
      <Reader />
    </Boundary>,
  );
  expect(page?.element.textContent).toBe('Error: subprotocol: "raw"');
});

test('the types follow from what is given', () => {
  const Typed = () => {
    expectTypeOf(useTopic('prices')).toEqualTypeOf<unknown>();
    expectTypeOf(useTopic<number>('prices')).toEqualTypeOf<number | undefined>();
    expectTypeOf(useTopic('prices', { initial: 0 })).toEqualTypeOf<number>();
    const options = { initial: [] as string[], reduce: (lines: string[], line: number) => [...lines, `${line}`] };
    expectTypeOf(useTopic('lines', options)).toEqualTypeOf<string[]>();
    const lines = useTopic('lines', {
      initial: [] as string[],
      reduce: (lines, line: string, { topic }) => [...lines, `${topic} ${line}`].slice(-5),
      replay: 5,
    });
    expectTypeOf(lines).toEqualTypeOf<string[]>();
    const count = useTopic('lines', { reduce: (count: number | undefined) => (count ?? 0) + 1 });
    expectTypeOf(count).toEqualTypeOf<number | undefined>();
    return null;
  };
  show(<Typed />);
});
