import { CircuitBreaker, circuitBreakerManager, configure, createHub, SharedWebSocket } from 'tabwire';
import { installTabwire, type TestBrowser } from 'tabwire/testing';
import { afterEach, expect, test, vi } from 'vitest';

const url = 'wss://server.example/prices';
const native = { WebSocket: globalThis.WebSocket, SharedWorker: globalThis.SharedWorker, Worker: globalThis.Worker };
let browser: TestBrowser | undefined;

const install = (...given: Parameters<typeof installTabwire>) => {
  browser = installTabwire(...given);
  return browser;
};
const restore = () => {
  const { restore } = browser as TestBrowser;
  browser = undefined;
  return restore();
};

afterEach(async () => {
  vi.useRealTimers();
  if (browser) await restore();
});

test('what was there before is there again', async () => {
  install();
  expect(globalThis.WebSocket).not.toBe(native.WebSocket);
  await restore();
  const { WebSocket, SharedWorker, Worker } = globalThis;
  expect({ WebSocket, SharedWorker, Worker }).toEqual(native);
  expect('SharedWorker' in globalThis).toBe(native.SharedWorker !== undefined);
});

test('a socket that was not closed is named, and ends', async () => {
  install();
  const socket = new SharedWebSocket(url);
  await expect(restore()).rejects.toThrow(`the test has left sockets that are not closed: ${url}`);
  expect(socket.readyState).toBe(3);
});

test('a hub client that was not closed is counted', async () => {
  install();
  const hub = createHub();
  await hub.report();
  await expect(restore()).rejects.toThrow('hub clients that are not closed: 1');
  hub.close();
});

test('a wait that nothing has ended is counted, and rejects', async () => {
  const { server } = install();
  const wait = expect(server.connection()).rejects.toThrow('server.connection(): for a connection: the test has ended');
  await expect(restore()).rejects.toThrow('waits that nothing has ended: 1');
  await wait;
});

test('nothing of one test is there in the next', async () => {
  install();
  configure({ liveness: 'heartbeat' });
  const first = new SharedWebSocket(url);
  await browser?.settled();
  const { epoch } = first.status;
  first.close();
  await restore();

  const { server, settled } = install();
  configure({ liveness: 'heartbeat' });
  const second = new SharedWebSocket(url);
  await settled();
  expect(second.status.epoch).not.toBe(epoch);
  expect(server.requests).toBe(1);
  second.close();
});

test('an open breaker is closed in the next test, also one that a module holds', async () => {
  install();
  const breaker = new CircuitBreaker('api', { failureThreshold: 1 });
  const fail = () => Promise.reject(new Error('down'));
  await expect(breaker.execute(fail)).rejects.toThrow('down');
  await browser?.settled();
  expect(breaker.state).toBe('open');
  await restore();

  install();
  await browser?.settled();
  expect(breaker.state).toBe('closed');
  await expect(breaker.execute(fail)).rejects.toThrow('down');
  await browser?.settled();
  expect(breaker.state).toBe('open');
  expect(circuitBreakerManager.getStats().api).toMatchObject({ failures: 1 });
});

test('a wait in vain says for what', async () => {
  const { server } = install({ patience: 1 });
  await expect(server.next()).rejects.toThrow('server.next(): for a frame: waited in vain for 1 ms');
});

test('wrong use is told', async () => {
  expect(() => installTabwire({ patience: 0 })).toThrow(new RangeError('patience: 0'));
  const { server, restore: again } = install();
  expect(() => installTabwire()).toThrow('called before restore() of the one before');
  expect(() => server.send('x')).toThrow('server.send(): there is no open connection');
  const socket = new SharedWebSocket(url);
  const connection = await server.connection();
  expect(() => connection.accept()).toThrow(`accept(): ${url} is open, not waiting`);
  socket.close();
  vi.useFakeTimers();
  await expect(server.next()).rejects.toThrow('timers were faked after installTabwire()');
  vi.useRealTimers();
  await restore();
  await expect(again()).rejects.toThrow('restore() was called twice');
});
