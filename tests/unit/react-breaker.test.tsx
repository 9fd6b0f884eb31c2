import { act, StrictMode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { CircuitBreaker, type CircuitBreakerOptions, circuitBreakerManager } from 'tabwire';
import { type CircuitBreakerResult, useCircuitBreaker } from 'tabwire/react';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { Op } from '../../www/client/protocol.js';
import { installFakes, settle, workers } from './client/fakes.js';
import { say } from './client/open-gate.js';
import { Boundary, type Mounted, mount, run } from './react-support.js';

// The breakers of a page are for as long as it lives, so each test has a name of its own.
let name: string;
let tests = 0;
let page: Mounted | undefined;

beforeAll(installFakes);

beforeEach(() => {
  name = `test ${tests++}`;
});

afterEach(() => {
  page?.unmount();
  page = undefined;
  vi.restoreAllMocks();
});

/** A component that reads this of the result, and what it saw at each render. */
const reader = (read: (result: CircuitBreakerResult) => unknown, options?: CircuitBreakerOptions) => {
  const seen: unknown[] = [];
  const results: CircuitBreakerResult[] = [];
  const Reader = ({ of = name }: { of?: string }) => {
    const result = useCircuitBreaker(of, options);
    results.push(result);
    seen.push(read(result));
    return `${result.state}`;
  };
  return { Reader, seen, results };
};

const hub = () => {
  const [worker] = workers.made;
  if (!worker) throw new Error('nobody has sought a hub');
  return worker;
};

/** Has the hub say how the breaker is, and renders what comes of it. */
const hear = async (
  ...said: Parameters<typeof say> extends [unknown, infer S, (infer G)?, ...unknown[]] ? [S, G?] : never
) => {
  hub().welcome();
  await act(async () => {
    await settle();
    say(hub(), said[0], said[1], name);
    await settle();
  });
};

const counters = (successes: number) => [successes, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/** The messages about the breaker of this test. */
const posted = (op: Op) => hub().posted.filter((message) => message[0] === op && message[1] === name);

test('the state and the time until which it is open are those of all tabs', async () => {
  const { Reader, seen } = reader(({ state, retryAt }) => [state, retryAt]);
  page = mount(<Reader />);
  await hear('open', { generation: 1, remaining: 5000 });
  const retryAt = Date.now() + 5000;
  await act(() => vi.advanceTimersByTimeAsync(5001));
  await hear('closed', { generation: 2 });
  expect(seen).toEqual([
    ['closed', null],
    ['open', retryAt],
    ['half-open', retryAt],
    ['closed', null],
  ]);
});

test('a component renders again only for what it reads', async () => {
  const none = reader(({ reset }) => typeof reset);
  const state = reader(({ state }) => state);
  const stats = reader(({ stats }) => stats.successes);
  const Quiet = () => {
    none.seen.push(typeof useCircuitBreaker(name).reset);
    return null;
  };
  page = mount(
    <>
      <Quiet />
      <state.Reader />
      <stats.Reader />
    </>,
  );
  await hear('closed', { counters: counters(1) });
  await hear('closed', { counters: counters(2) });
  await hear('closed', { counters: counters(2) });
  await hear('open', { generation: 1, remaining: 5000, counters: counters(2) });
  expect(none.seen).toHaveLength(1);
  expect(state.seen).toEqual(['closed', 'open']);
  expect(stats.seen).toEqual([0, 1, 2, 2]);
});

test('news that differ by what clocks differ by are no news', async () => {
  const { Reader, seen } = reader(({ retryAt }) => retryAt);
  page = mount(<Reader />);
  await hear('open', { generation: 1, remaining: 5000 });
  await hear('open', { generation: 1, remaining: 5020 });
  expect(seen).toHaveLength(2);
  await hear('open', { generation: 1, remaining: 60_000 });
  expect(seen).toHaveLength(3);
});

test('StrictMode opens nothing twice, and many components share one breaker', async () => {
  const { Reader } = reader(({ state }) => state);
  page = mount(
    <StrictMode>
      <Reader />
      <Reader />
    </StrictMode>,
  );
  await hear('open', { generation: 1, remaining: 5000 });
  expect(page.element.textContent).toBe('openopen');
  expect(posted(Op.Gate)).toHaveLength(1);
});

test('another name is another breaker, and the first is not listened to any more', async () => {
  const { Reader, seen } = reader(({ state }) => state);
  page = mount(<Reader />);
  await hear('open', { generation: 1, remaining: 5000 });
  const other = `${name} other`;
  page.render(<Reader of={other} />);
  expect(page.element.textContent).toBe('closed');
  const renders = seen.length;
  await hear('closed', { generation: 2 });
  expect(seen).toHaveLength(renders);
});

test('a component that is mounted later shows what is known, and renders once for what has changed meanwhile', async () => {
  const { Reader, seen } = reader(({ state }) => state);
  page = mount(<Reader />);
  await hear('open', { generation: 1, remaining: 5000 });
  page.render(null);
  await hear('closed', { generation: 2 });
  page.render(<Reader />);
  expect(seen).toEqual(['closed', 'open', 'closed']);
});

test('nothing is listened to after the unmount', async () => {
  const { Reader } = reader(({ state }) => state);
  const added = vi.spyOn(CircuitBreaker.prototype, 'addEventListener');
  const removed = vi.spyOn(CircuitBreaker.prototype, 'removeEventListener');
  page = mount(null);
  for (let mounts = 0; mounts < 1000; mounts++) {
    page.render(<Reader />);
    page.render(null);
  }
  expect(added).toHaveBeenCalledTimes(1000);
  expect(removed.mock.calls).toEqual(added.mock.calls);
  expect(new Set(added.mock.contexts).size).toBe(1);
});

test('reset is one function, and resets for all tabs', async () => {
  const { Reader, results } = reader(({ state }) => state);
  page = mount(<Reader />);
  await hear('open', { generation: 1, remaining: 5000 });
  expect(new Set(results.map(({ reset }) => reset)).size).toBe(1);
  run(() => results.at(-1)?.reset());
  expect(posted(Op.Force)).toEqual([[Op.Force, name, 0]]);
});

test('the options of the first are in force, wherever it is', () => {
  const { Reader } = reader(({ state }) => state, { failureThreshold: 3 });
  page = mount(<Reader />);
  expect(posted(Op.Gate).map(([, , options]) => options)).toEqual([{ breaker: { failureThreshold: 3 } }]);
  expect(circuitBreakerManager.getStats()[name]?.state).toBe('closed');
});

test('bad options and names reach the nearest error boundary', () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const { Reader } = reader(({ state }) => state, { failureThreshold: 0 });
  page = mount(
    <Boundary>
      <Reader />
    </Boundary>,
  );
  expect(page.element.textContent).toBe('RangeError: failureThreshold: 0');
});

test('what a server rendered is hydrated without a complaint', async () => {
  const complaints = vi.spyOn(console, 'error');
  const { Reader } = reader(({ state, stats }) => [state, stats]);
  const shown = reader(({ state }) => state);
  page = mount(<shown.Reader />);
  await hear('open', { generation: 1, remaining: 5000 });
  const element = document.createElement('div');
  element.innerHTML = renderToString(<Reader />);
  expect(element.textContent).toBe('closed');
  const root = hydrateRoot(element, <Reader />, { onRecoverableError: console.error });
  await act(settle);
  expect(element.textContent).toBe('open');
  expect(complaints).not.toHaveBeenCalled();
  act(() => root.unmount());
});
