import { startTransition, useLayoutEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useSharedWebSocket, WebSocketProvider } from 'tabwire/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeSocket, forget, only } from './react-support.js';

vi.mock('../../www/client/index.js', async () => ({
  SharedWebSocket: (await import('./react-support.js')).FakeSocket,
}));

// React schedules its work itself here, in slices, as it does in a browser.
beforeEach(() => {
  forget();
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', false);
});

afterEach(() => vi.unstubAllGlobals());

const components = 30;

/** Keeps the thread for longer than a slice of React's, which is 5 ms, so that it pauses after each component. */
const work = () => {
  const end = performance.now() + 6;
  while (performance.now() < end);
};

/**
 * Mounts many components in a transition while values come, and gives what all of them showed at each commit, and how many had
 * been rendered when each value came.
 */
const renderWhile = async (use: () => unknown, change: (value: number) => void) => {
  const commits: string[][] = [];
  const rendered: number[] = [];
  let renders = 0;
  let grow = () => {};
  const element = document.createElement('div');
  const root = createRoot(element);

  const useRecord = () =>
    useLayoutEffect(() => {
      commits.push([...element.querySelectorAll('i')].map(({ textContent }) => textContent ?? ''));
    });
  const Slow = () => {
    const value = use();
    useRecord();
    renders++;
    work();
    return <i>{`${value}`}</i>;
  };
  const Fast = () => <i>{`${use()}`}</i>;
  const App = () => {
    const [count, setCount] = useState(0);
    grow = () => startTransition(() => setCount(components));
    useRecord();
    return (
      <>
        <Fast />
        {Array.from({ length: count }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
          <Slow key={index} />
        ))}
      </>
    );
  };
  const committed = (count: number) => vi.waitUntil(() => element.querySelectorAll('i').length === count);

  root.render(
    <WebSocketProvider url="wss://example.test">
      <App />
    </WebSocketProvider>,
  );
  // It is opened by an effect.
  await vi.waitUntil(() => FakeSocket.made.length === 1);
  change(0);
  grow();
  for (let value = 1; value <= 3; value++) {
    const before = renders;
    await vi.waitUntil(() => renders > before, { interval: 0 });
    rendered.push(renders);
    change(value);
  }
  await committed(components + 1);
  const shown = [...element.querySelectorAll('i')].map(({ textContent }) => textContent);
  root.unmount();
  return { commits, rendered, shown };
};

const expectWhole = ({ commits, rendered, shown }: Awaited<ReturnType<typeof renderWhile>>) => {
  // Values did come between two components of one render.
  expect(rendered.some((count) => count % components !== 0)).toBe(true);
  for (const values of commits) expect(new Set(values).size).toBe(1);
  expect(new Set(shown)).toEqual(new Set(['3']));
};

test('components that are rendered in a transition while messages come never show different ones', async () => {
  expectWhole(
    await renderWhile(
      () => useSharedWebSocket().lastMessage?.data,
      (value) => only().receive(`${value}`),
    ),
  );
});

test('nor do they show different states', async () => {
  expectWhole(
    await renderWhile(
      () => useSharedWebSocket().status.reason,
      (value) => only().become('open', 1, `${value}`),
    ),
  );
});
