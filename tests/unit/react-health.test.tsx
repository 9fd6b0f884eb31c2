import { act } from 'react';
import { renderToString } from 'react-dom/server';
import type { ConnectionReport } from 'tabwire';
import { useWebSocketHealth, type WebSocketHealth, WebSocketProvider } from 'tabwire/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Op } from '../../www/client/protocol.js';
import { installFakes, settle, workers } from './client/fakes.js';
import { connectionReport, hubReport } from './client/reports.js';
import { type Mounted, mount } from './react-support.js';

let page: Mounted | undefined;
let tests = 0;

beforeEach(installFakes);

afterEach(() => {
  page?.unmount();
  page = undefined;
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Mounts a component that shows the health of a connection which no test before has used. */
const start = async () => {
  const seen: WebSocketHealth[] = [];
  const Reader = () => {
    seen.push({ ...useWebSocketHealth() });
    return null;
  };
  // The client of a page is for as long as that lives, and so are hubs; a worker url of its own makes another.
  const options = { host: { workerUrl: `/worker-${tests++}.js` } };
  page = mount(
    <WebSocketProvider url="wss://server.example/ws" options={options}>
      <Reader />
    </WebSocketProvider>,
  );
  const port = workers.latest;
  await act(async () => {
    port.welcome();
    await settle();
    port.attached('open');
    await settle();
  });
  const questions = () => port.all(Op.Report);
  /** Answers the newest question. */
  const answer = (report: Partial<ConnectionReport> = {}, tabs = 2) =>
    act(async () => {
      const [, id] = questions().at(-1) as [Op.Report, number];
      port.say(Op.Reply, id, hubReport({ tabs, connections: 3, attached: [connectionReport(report)] }));
      await settle();
    });
  return { seen, questions, answer };
};

const second = () => act(() => vi.advanceTimersByTimeAsync(1000));

test('nothing is healthy before the hub has said so, and then it is as it says', async () => {
  const { seen, answer } = await start();
  expect(seen).toMatchObject([{ isHealthy: false, score: 0, lastHeartbeat: null }]);
  await answer();
  expect(seen.at(-1)).toEqual({
    isHealthy: true,
    connectionCount: 3,
    tabCount: 2,
    lastHeartbeat: Date.now() - 5000,
    latency: 12,
    score: 100,
    transport: 'websocket',
  });
});

test('it asks once a second, and renders again only when a value is different', async () => {
  const { seen, questions, answer } = await start();
  await answer();
  const renders = seen.length;
  for (let asked = 2; asked < 5; asked++) {
    await second();
    expect(questions()).toHaveLength(asked);
    // The pong is the same, and the clocks are told apart by a little.
    await answer({ pongAgo: 5000 + (asked - 1) * 1000 + 3 });
  }
  expect(seen).toHaveLength(renders);
  await second();
  await answer({ score: 40, health: 'unhealthy' });
  expect(seen).toHaveLength(renders + 1);
  expect(seen.at(-1)).toMatchObject({ isHealthy: false, score: 40 });
});

test('a question that is not answered is not followed by another', async () => {
  const { questions } = await start();
  await second();
  await second();
  expect(questions()).toHaveLength(1);
});

test('it asks no more once it is unmounted', async () => {
  const { questions, answer } = await start();
  await answer();
  page?.unmount();
  page = undefined;
  await second();
  await second();
  expect(questions()).toHaveLength(1);
});

test('on a server it renders what is before anything is known', () => {
  const Reader = () => `${useWebSocketHealth().score}`;
  expect(
    renderToString(
      <WebSocketProvider url="wss://server.example/ws">
        <Reader />
      </WebSocketProvider>,
    ),
  ).toBe('0');
});
