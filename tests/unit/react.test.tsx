import { StrictMode, useEffect } from 'react';
import {
  type SharedWebSocketResult,
  type UserIdOrOptions,
  useMessages,
  useSharedWebSocket,
  useTopic,
  WebSocketProvider,
  type WebSocketProviderProps,
} from 'tabwire/react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Boundary, FakeSocket, forget, mount, only, run } from './react-support.js';

vi.mock('../../www/client/index.js', async () => ({
  SharedWebSocket: (await import('./react-support.js')).FakeSocket,
}));

const url = 'wss://example.test/live';

beforeEach(() => {
  vi.useFakeTimers();
  forget();
});

afterEach(() => {
  vi.runAllTimers();
  vi.useRealTimers();
});

let result: SharedWebSocketResult;

function State({ of }: { of?: UserIdOrOptions | undefined }) {
  result = useSharedWebSocket(of);
  return <p>{`${result.status.state} ${result.readyState} ${result.lastMessage?.data ?? '-'}`}</p>;
}

const Live = (settings: Partial<WebSocketProviderProps>) => (
  <WebSocketProvider url={url} {...settings}>
    <State />
  </WebSocketProvider>
);

describe('a handle', () => {
  test('is opened once under StrictMode, and closed once, after the unmount', () => {
    const page = mount(
      <StrictMode>
        <Live />
      </StrictMode>,
    );
    vi.runAllTimers();
    expect(only().calls).toEqual([]);

    page.unmount();
    expect(only().calls).toEqual([]);
    vi.runAllTimers();
    expect(only().calls).toEqual(['close']);
  });

  test('gets url, protocols, key and options', () => {
    mount(<Live protocols={['a', 'b']} userId="ada" options={{ linger: 5, host: { scriptDeadline: 7 } }} />).unmount();
    expect(only()).toMatchObject({
      url,
      protocols: ['a', 'b'],
      options: { key: 'ada', linger: 5, host: { scriptDeadline: 7 } },
    });
  });

  test('is one for all components that ask for the same, until the last has gone', () => {
    const Two = ({ count }: { count: number }) => (
      <>
        <WebSocketProvider url={url} protocols="a">
          <State />
        </WebSocketProvider>
        {count > 1 && <State of={{ url: new URL(url), protocols: 'a' }} />}
      </>
    );
    const page = mount(<Two count={2} />);
    page.render(<Two count={1} />);
    vi.runAllTimers();
    expect(only().calls).toEqual([]);
    page.unmount();
    vi.runAllTimers();
    expect(only().calls).toEqual(['close']);
  });

  test('is used again by what is mounted in the same tick, and opened anew later', () => {
    mount(<Live />).unmount();
    mount(<Live />).unmount();
    vi.runAllTimers();
    expect(only().calls).toEqual(['close']);

    mount(<Live />).unmount();
    expect(FakeSocket.made).toHaveLength(2);
  });

  test('stays the same for new objects that say the same, and follows what they say', () => {
    const page = mount(<Live protocols={['a']} options={{ linger: 1 }} />);
    const before = result;
    page.render(<Live protocols={['a']} options={{ linger: 1 }} />);
    expect(result).toBe(before);
    page.render(<Live protocols={['a']} options={{ linger: 2 }} />);
    vi.runAllTimers();
    expect(FakeSocket.made.map(({ options, calls }) => [options.linger, calls])).toEqual([
      [1, ['close']],
      [2, []],
    ]);
    page.unmount();
  });

  test('has a hub of its own tab with useSharedWorker={false}', () => {
    const options = { host: { readyDeadline: 9 } };
    const page = mount(<Live useSharedWorker={false} options={options} />);
    expect(only().options.host).toEqual({ use: 'this-tab', readyDeadline: 9 });
    page.render(<Live useSharedWorker options={options} />);
    expect(FakeSocket.made.map((socket) => socket.options.host?.use)).toEqual(['this-tab', undefined]);
    page.unmount();
  });

  test('is not opened by a render that throws', () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const Broken = () => {
      throw new Error(useSharedWebSocket().status.state);
    };
    const page = mount(
      <Boundary>
        <WebSocketProvider url={url}>
          <Broken />
        </WebSocketProvider>
      </Boundary>,
    );
    expect(page.element.textContent).toBe('Error: idle');
    expect(FakeSocket.made).toEqual([]);
  });

  test('leaves nothing behind after 1000 mounts', () => {
    function Watcher() {
      useMessages(() => {});
      return `${useTopic('prices')}`;
    }
    const page = mount(null);
    const users = Array.from({ length: 100 }, (_, index) => `user ${index % 7}`);
    for (let round = 0; round < 10; round++) {
      page.render(
        <StrictMode>
          {users.map((user, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: each round unmounts the one before
            <WebSocketProvider key={`${round} ${index}`} url={url} userId={user}>
              <State />
              <Watcher />
            </WebSocketProvider>
          ))}
        </StrictMode>,
      );
      vi.runAllTimers();
    }
    expect(FakeSocket.made).toHaveLength(7);
    expect(FakeSocket.made.map(({ subscriptions }) => subscriptions.size)).toEqual([15, 15, 14, 14, 14, 14, 14]);

    page.unmount();
    expect(FakeSocket.made.map(({ subscriptions }) => subscriptions.size)).toEqual(Array(7).fill(0));
    // What a handle itself needs.
    expect(FakeSocket.made.map(({ listening }) => listening)).toEqual(Array(7).fill(1));
    vi.runAllTimers();
    expect(FakeSocket.made.map(({ calls }) => calls.filter((call) => !/subscribe/.test(call)))).toEqual(
      Array(7).fill(['close']),
    );
    expect(vi.getTimerCount()).toBe(0);

    mount(<Live userId="user 0" />).unmount();
    expect(FakeSocket.made).toHaveLength(8);
  });

  test('that nobody uses after all is closed', () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    FakeSocket.refusal = new Error('raw');
    function Topic() {
      return `${useTopic('prices')}`;
    }
    const page = mount(
      <Boundary>
        <WebSocketProvider url={url}>
          <Topic />
        </WebSocketProvider>
      </Boundary>,
    );
    expect(page.element.textContent).toBe('Error: raw');
    vi.runAllTimers();
    expect(only().calls).toEqual(['close']);
  });
});

describe('userId', () => {
  test('null is idle without a connection', () => {
    const page = mount(<Live userId={null} />);
    expect(FakeSocket.made).toEqual([]);
    expect(page.element.textContent).toBe('idle 0 -');
    expect(() => result.send('hello')).toThrow(new TypeError('key: null'));
    result.close();

    page.render(<Live userId="ada" />);
    expect(only().options.key).toBe('ada');
    page.unmount();
  });

  test('that changes opens another connection, purges the first, and shows nothing of it', () => {
    const page = mount(<Live userId="ada" />);
    const [ada] = FakeSocket.made;
    run(() => {
      ada?.become('open', 1);
      ada?.receive('for ada');
    });
    expect(page.element.textContent).toBe('open 1 for ada');
    const { send } = result;

    page.render(<Live userId="bob" />);
    expect(page.element.textContent).toBe('connecting 0 -');
    vi.runAllTimers();
    expect(FakeSocket.made.map(({ options, calls }) => [options.key, calls])).toEqual([
      ['ada', ['purge']],
      ['bob', []],
    ]);
    run(() => ada?.receive('late'));
    expect(page.element.textContent).toBe('connecting 0 -');
    // A function that was kept goes on to mean the connection that it was made for.
    send('from ada');
    expect(FakeSocket.made.map(({ calls }) => calls)).toEqual([['purge', 'send from ada'], []]);
    page.unmount();
  });

  test('of a user who logs out is purged, whatever is shown instead', () => {
    const App = ({ user }: { user: string | null }) => (
      <WebSocketProvider url={url} userId={user}>
        {user && <State />}
      </WebSocketProvider>
    );
    const page = mount(<App user="ada" />);
    page.render(<App user={null} />);
    vi.runAllTimers();
    expect(only().calls).toEqual(['purge']);
    page.unmount();
  });

  test('of a user who is back at once is left open, and later left to linger', () => {
    const page = mount(<Live userId="ada" />);
    page.render(<Live userId={null} />);
    page.render(<Live userId="ada" />);
    vi.runAllTimers();
    expect(only().calls).toEqual([]);
    page.unmount();
    vi.runAllTimers();
    expect(only().calls).toEqual(['close']);
  });

  test('given to a hook goes before that of the provider', () => {
    const Page = ({ of }: { of?: UserIdOrOptions | undefined }) => (
      <WebSocketProvider url={url} userId="ada">
        <State of={of} />
      </WebSocketProvider>
    );
    const page = mount(<Page of="bob" />);
    page.render(<Page of={undefined} />);
    page.render(<Page of={{ userId: undefined }} />);
    page.render(<Page of={{ userId: 'eve' }} />);
    page.render(<Page of={null} />);
    expect(FakeSocket.made.map(({ options }) => options.key)).toEqual(['bob', 'ada', 'eve']);
    expect(page.element.textContent).toBe('idle 0 -');
    page.unmount();
  });

  test('may be told by options.key instead, and is nobody in particular by default', () => {
    const page = mount(<Live options={{ key: 'ada' }} />);
    page.render(<Live options={{ key: 'ada' }} userId="bob" />);
    page.render(<Live />);
    expect(FakeSocket.made.map(({ options }) => options.key)).toEqual(['ada', 'bob', undefined]);
    page.unmount();
  });
});

describe('options given to a hook', () => {
  test('need no provider', () => {
    mount(<State of={{ url, protocols: ['a'], userId: 'ada', useSharedWorker: false, linger: 5 }} />).unmount();
    expect(only()).toMatchObject({
      url,
      protocols: ['a'],
      options: { key: 'ada', linger: 5, host: { use: 'this-tab' } },
    });
  });

  test('go before what the provider says, setting by setting and group by group', () => {
    const options = { key: 'ada', linger: 5, queue: { ttl: 1 }, flow: { hiddenFlush: 1 } };
    mount(
      <WebSocketProvider url={url} protocols={['a']} options={options}>
        <State of={{ url: 'wss://example.test/other', flow: { batch: false } }} />
      </WebSocketProvider>,
    ).unmount();
    const other = only();
    expect(other).toMatchObject({ url: 'wss://example.test/other', protocols: ['a'], options: { key: 'ada' } });
    expect(other.options).toMatchObject({ linger: 5, queue: { ttl: 1 } });
    expect(other.options.flow).toEqual({ batch: false });
  });

  test('may name the user by key, whoever the user of the provider is', () => {
    mount(
      <WebSocketProvider url={url} userId={null}>
        <State of={{ key: 'bob' }} />
      </WebSocketProvider>,
    ).unmount();
    expect(only().options.key).toBe('bob');
  });

  test('throw without a url', () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const page = mount(
      <Boundary>
        <State />
      </Boundary>,
    );
    expect(page.element.textContent).toBe('TypeError: no url, no WebSocketProvider');
  });
});

describe('functions', () => {
  test('reach the handle', () => {
    const page = mount(<Live />);
    for (const [name, ...args] of [
      ['send', 'a'],
      ['subscribe', 'b', () => {}],
      ['publish', 'd', 5],
      ['request', 'e'],
    ]) {
      (result[name as 'send'] as (...args: unknown[]) => void)(...args);
    }
    expect(only().calls).toEqual(['send a', 'subscribe b', 'publish d 5', 'request e']);
    page.unmount();
  });

  test('called by effects that run before that of the hook reach the same handle', () => {
    const Child = ({ send }: { send: SharedWebSocketResult['send'] }) => {
      useEffect(() => send('first'), [send]);
      return null;
    };
    const Parent = () => <Child send={useSharedWebSocket({ url }).send} />;
    const page = mount(<Parent />);
    vi.runAllTimers();
    expect(only().calls).toEqual(['send first']);
    page.unmount();
  });

  test('called after the unmount open nothing', () => {
    mount(<Live />).unmount();
    vi.runAllTimers();
    result.send('late');
    expect(only().calls).toEqual(['close', 'send late']);
  });

  test('close ends the handle for every component, and passes code and reason', () => {
    const page = mount(
      <>
        <State of={{ url }} />
        <State of={{ url }} />
      </>,
    );
    run(() => only().become('open', 1));
    run(() => result.close(4000, 'enough'));
    expect(only().calls).toEqual(['close 4000 enough']);
    expect(page.element.textContent).toBe('open 2 -open 2 -');
    run(() => only().become('closed', 3));
    expect(page.element.textContent).toBe('closed 3 -closed 3 -');
    page.unmount();
  });
});
