import { useState } from 'react';
import * as refresh from 'react-refresh/runtime';
import { useMessages, useSharedWebSocket, useTopic, WebSocketProvider } from 'tabwire/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { forget, type Mounted, only, run } from './react-support.js';

vi.mock('../../www/client/index.js', async () => ({
  SharedWebSocket: (await import('./react-support.js')).FakeSocket,
}));

// As bundlers do: it must be there before React DOM is.
vi.hoisted(async () => {
  const { injectIntoGlobalHook } = await import('react-refresh/runtime');
  injectIntoGlobalHook(window);
});

beforeEach(() => {
  vi.useFakeTimers();
  forget();
  mounts = 0;
});

afterEach(() => {
  page?.unmount();
  vi.runAllTimers();
  vi.useRealTimers();
});

let page: Mounted | undefined;
let mounts: number;

/** What a bundler makes of a module with a component, when it is evaluated for the first time and again after an edit. */
const evaluate = (version: string, hooks: string) => {
  const sign = refresh.createSignatureFunctionForTransform();
  function Price() {
    sign();
    const { status, lastMessage } = useSharedWebSocket();
    const price = useTopic('prices');
    useMessages(() => {});
    const [mount] = useState(() => ++mounts);
    return `${version} ${mount} ${status.state} ${lastMessage?.data} ${price}`;
  }
  sign(Price, hooks, false, () => [useSharedWebSocket, useTopic, useMessages]);
  refresh.register(Price, 'Price.tsx Price');
  return Price;
};

const show = async (version: string) => {
  const { mount } = await import('./react-support.js');
  const Price = evaluate(version, 'as it was');
  page = mount(
    <WebSocketProvider url="wss://example.test">
      <Price />
    </WebSocketProvider>,
  );
  run(() => {
    only().become('open', 1);
    only().receive('hello');
    only().publishes('prices', 5);
  });
  expect(page.element.textContent).toBe(`${version} 1 open hello 5`);
  return page.element;
};

test('an edited component keeps its connection, and subscribes to its topic afresh', async () => {
  const element = await show('one');
  evaluate('two', 'as it was');
  run(() => refresh.performReactRefresh());
  vi.runAllTimers();
  // React makes anew what has been memoized; the hub has the last message of the topic.
  expect(element.textContent).toBe('two 1 open hello undefined');
  expect(only().calls).toEqual(['subscribe prices', 'unsubscribe prices', 'subscribe prices']);
});

test('one whose hooks are others is mounted anew, at the same connection', async () => {
  const element = await show('one');
  evaluate('two', 'others');
  run(() => refresh.performReactRefresh());
  vi.runAllTimers();
  expect(element.textContent).toBe('two 2 open hello undefined');
  expect(only().calls).toEqual(['subscribe prices', 'unsubscribe prices', 'subscribe prices']);
});
