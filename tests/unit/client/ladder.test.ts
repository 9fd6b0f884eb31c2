import { type HostOptions, SharedWebSocket } from 'tabwire';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Op } from '../../../www/client/protocol.js';
import { installFakes, runTask, settle, workers } from './fakes.js';

const serve = vi.hoisted(() => vi.fn());
vi.mock('../../../worker/local.js', () => ({ serve }));

beforeEach(() => {
  installFakes();
  serve.mockReset();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

let opened = 0;

/** Opens a socket whose hub client is its own, and notes its events. */
const open = (host: HostOptions = {}) => {
  // A place of its own makes a client of its own.
  const socket = new SharedWebSocket('wss://server.example/ws', [], {
    host: { wasmUrl: `/hub-${opened++}.wasm`, ...host },
  });
  const events: string[] = [];
  for (const type of ['statuschange', 'open', 'error', 'close']) {
    socket.addEventListener(type, () => events.push(`${type} ${socket.status.state} ${socket.readyState}`));
  }
  return { socket, events };
};

describe('the host ladder', () => {
  test('begins with the SharedWorker, says hello and attaches without waiting', () => {
    const { socket } = open();
    expect(workers.made.map(({ kind, options }) => [kind, options])).toEqual([
      ['shared', { type: 'module', name: 'tabwire@1' }],
    ]);
    expect(String(workers.latest.url)).toMatch(/\/worker\.js/);
    expect(workers.latest.posted.map(([op]) => op)).toEqual([Op.Hello, Op.Attach]);
    expect(socket.status).toMatchObject({
      state: 'connecting',
      host: 'shared-worker',
      reason: 'connecting',
      epoch: null,
    });

    workers.latest.welcome('one');
    workers.latest.attached('open');
    expect(socket.status).toMatchObject({ state: 'open', host: 'shared-worker', reason: 'opened', epoch: 'one' });
    vi.advanceTimersByTime(4000);
    expect(workers.made).toHaveLength(1);
  });

  test.each([
    ['is missing', 'missing', () => vi.stubGlobal('SharedWorker', undefined)],
    ['is refused', 'refused', () => Object.assign(workers.refuses, { shared: true })],
  ])('goes on when SharedWorker %s, and keeps saying why', (_, why, breakIt) => {
    breakIt();
    const { socket } = open();
    expect(workers.latest).toMatchObject({ kind: 'dedicated', options: { type: 'module' } });
    expect(socket.status).toMatchObject({ host: 'this-tab', reason: `connecting; shared-worker: ${why}` });
    workers.latest.welcome();
    workers.latest.attached('open');
    expect(socket.status).toMatchObject({ host: 'this-tab', reason: `opened; shared-worker: ${why}` });
  });

  test('goes on when the script errs, and takes leave of the port', () => {
    const { socket } = open();
    const [shared] = workers.made;
    shared?.onerror?.();
    expect(shared?.posted.at(-1)).toEqual([Op.Bye]);
    expect(shared).toMatchObject({ isClosed: true, onmessage: null });
    expect(workers.latest.kind).toBe('dedicated');
    expect(socket.status.reason).toBe('connecting; shared-worker: error');
  });

  test('goes on when the script does not answer by its deadline', () => {
    const { socket } = open({ scriptDeadline: 400 });
    vi.advanceTimersByTime(399);
    expect(workers.made).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(workers.latest.kind).toBe('dedicated');
    expect(socket.status.reason).toBe('connecting; shared-worker: script-timeout');
  });

  test('goes on when the hub is not up by its deadline, counted from the answer of the script', () => {
    const { socket } = open({ scriptDeadline: 400, readyDeadline: 1000 });
    vi.advanceTimersByTime(300);
    workers.latest.say(Op.Script, 'build');
    vi.advanceTimersByTime(999);
    expect(workers.made).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(socket.status.reason).toBe('connecting; shared-worker: ready-timeout');
  });

  test('takes 3 s and 15 s when nothing is said', () => {
    open();
    vi.advanceTimersByTime(2999);
    expect(workers.made).toHaveLength(1);
    vi.advanceTimersByTime(1);
    workers.latest.say(Op.Script, 'build');
    vi.advanceTimersByTime(14_999);
    expect(serve).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(workers.latest.isClosed).toBe(true);
  });

  test('a page that was blocked past a deadline hears the answer that waited', () => {
    open({ scriptDeadline: 1000 });
    // However late it is: of timers and messages that wait, a browser may run the timers first.
    vi.advanceTimersToNextTimer();
    workers.latest.say(Op.Script, 'build');
    vi.advanceTimersByTime(10_000);
    expect(workers.made).toHaveLength(1);
  });

  test('goes on when the script cannot bring up a hub', () => {
    const { socket } = open();
    workers.latest.say(Op.Script, 'build');
    workers.latest.say(Op.Unavailable, 'wasm-unavailable', 'CompileError');
    expect(workers.latest.kind).toBe('dedicated');
    expect(socket.status.reason).toBe('connecting; shared-worker: wasm-unavailable');
  });

  test('ends in the page, where a hub runs over a channel', async () => {
    Object.assign(workers.refuses, { shared: true, dedicated: true });
    const { socket } = open();
    await settle();
    const [port] = serve.mock.calls[0] as [MessagePort];
    const said: unknown[] = [];
    port.onmessage = ({ data }) => said.push(data);
    while (runTask());
    expect(said).toEqual([
      [Op.Hello, expect.anything()],
      [Op.Attach, expect.any(Number), expect.anything()],
    ]);
    expect(socket.status).toMatchObject({
      host: 'this-tab',
      reason: 'connecting; shared-worker: refused; worker: refused',
    });
  });

  test('fails with wasm-unavailable when there is no hub anywhere: error, then close 1006', async () => {
    Object.assign(workers.refuses, { shared: true, dedicated: true });
    serve.mockImplementation((port: MessagePort) => port.postMessage([Op.Unavailable, 'wasm-unavailable']));
    const { socket, events } = open();
    const closed = vi.fn();
    socket.onclose = ({ code, reason, wasClean }) => closed({ code, reason, wasClean });
    await settle();
    while (runTask());
    expect(socket.status).toMatchObject({
      state: 'failed',
      code: 1006,
      reason: 'wasm-unavailable; shared-worker: refused; worker: refused; page: wasm-unavailable',
    });
    expect(events.slice(-3)).toEqual(['statuschange failed 3', 'error failed 3', 'close failed 3']);
    expect(closed.mock.calls).toEqual([[{ code: 1006, reason: '', wasClean: false }]]);
  });

  test('ends within three times both deadlines', async () => {
    const { socket } = open({ scriptDeadline: 100, readyDeadline: 1000 });
    for (const _ of [1, 2]) {
      await vi.advanceTimersByTimeAsync(99);
      workers.latest.say(Op.Script, 'build');
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(socket.status.state).toBe('connecting');
    await vi.advanceTimersByTimeAsync(1100);
    expect(socket.status).toMatchObject({ state: 'failed', reason: expect.stringContaining('page: script-timeout') });
  });

  test('starts again when a failed socket is to reconnect', async () => {
    Object.assign(workers.refuses, { shared: true });
    const { socket } = open({ use: 'shared-worker' });
    expect(socket.status.state).toBe('failed');
    workers.refuses.shared = false;
    socket.reconnect();
    expect(socket.status).toMatchObject({ state: 'connecting', reason: 'connecting' });
    workers.latest.welcome();
    workers.latest.attached('open');
    expect(socket.readyState).toBe(SharedWebSocket.OPEN);
  });
});

describe('host.use', () => {
  test("'this-tab' asks for no SharedWorker, and has nothing to explain", () => {
    const { socket } = open({ use: 'this-tab' });
    expect(workers.made.map(({ kind }) => kind)).toEqual(['dedicated']);
    expect(socket.status).toMatchObject({ host: 'this-tab', reason: 'connecting' });
  });

  test("'shared-worker' is satisfied with nothing else", () => {
    const { socket } = open({ use: 'shared-worker' });
    workers.latest.onerror?.();
    expect(workers.made).toHaveLength(1);
    expect(socket.status).toMatchObject({ state: 'failed', reason: 'wasm-unavailable; shared-worker: error' });
  });
});

describe('urls', () => {
  test('of the worker go to both constructors whole', () => {
    const workerUrl = new URL('https://app.example/w.js');
    open({ workerUrl });
    workers.latest.onerror?.();
    expect(workers.made.map(({ url }) => url)).toEqual([workerUrl, workerUrl]);
  });

  test('of the wasm goes with hello, resolved against the page', () => {
    open({ wasmUrl: '/wasm/hub.wasm' });
    const [hello] = workers.latest.all(Op.Hello);
    expect(hello?.[1].wasmUrl).toBe(new URL('/wasm/hub.wasm', document.baseURI).href);
  });
});

test('sockets share a port exactly when they ask for the same place', () => {
  const place = { wasmUrl: '/same.wasm' };
  open(place);
  open(place);
  expect(workers.made).toHaveLength(1);
  expect(workers.latest.all(Op.Attach)).toHaveLength(2);
  open({ ...place, workerUrl: '/other.js' });
  open({ ...place, use: 'this-tab' });
  expect(workers.made).toHaveLength(3);
});
