import { type HostOptions, SharedWebSocket } from 'tabwire';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Op } from '../../../www/client/protocol.js';
import { channels, installFakes, nobodyAnswers, runTask, settle, workers } from './fakes.js';

const serve = vi.hoisted(() => vi.fn());
vi.mock('../../../worker/local.js', () => ({ serve }));

beforeEach(async () => {
  await installFakes();
  serve.mockReset();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

let opened = 0;

/** Opens a socket whose hub client is its own, and notes its events. */
const open = async (host: HostOptions = {}) => {
  // A place of its own makes a client of its own.
  const socket = new SharedWebSocket('wss://server.example/ws', [], {
    host: { wasmUrl: `/hub-${opened++}.wasm`, ...host },
  });
  const events: string[] = [];
  for (const type of ['statuschange', 'open', 'error', 'close']) {
    socket.addEventListener(type, () => events.push(`${type} ${socket.status.state} ${socket.readyState}`));
  }
  await settle();
  return { socket, events };
};

describe('the host ladder', () => {
  test('begins with the SharedWorker, says hello and attaches without waiting', async () => {
    const { socket } = await open();
    expect(workers.made.map(({ kind, options }) => [kind, options])).toEqual([
      ['shared', { type: 'module', name: 'tabwire@1' }],
    ]);
    expect(String(workers.latest.url)).toMatch(/\/worker\.js/);
    expect(workers.latest.posted.map(([op]) => op).slice(0, 2)).toEqual([Op.Hello, Op.Attach]);
    expect(socket.status).toMatchObject({
      state: 'connecting',
      host: 'shared-worker',
      reason: 'connecting',
      epoch: null,
    });

    workers.latest.welcome('one');
    workers.latest.attached('open');
    expect(socket.status).toMatchObject({ state: 'open', host: 'shared-worker', reason: 'opened', epoch: 'one' });
    await vi.advanceTimersByTimeAsync(4000);
    expect(workers.made).toHaveLength(1);
  });

  test.each([
    ['is missing', 'missing', () => vi.stubGlobal('SharedWorker', undefined)],
    ['is refused', 'refused', () => Object.assign(workers.refuses, { shared: true })],
  ])('goes on when SharedWorker %s, and keeps saying why', async (_, why, breakIt) => {
    breakIt();
    const { socket } = await open();
    expect(workers.latest).toMatchObject({ kind: 'dedicated', options: { type: 'module' } });
    expect(socket.status).toMatchObject({
      host: 'this-tab',
      reason: `connecting; shared-worker: ${why}; leader-tab: missing`,
    });
    workers.latest.welcome();
    workers.latest.attached('open');
    expect(socket.status).toMatchObject({
      host: 'this-tab',
      reason: `opened; shared-worker: ${why}; leader-tab: missing`,
    });
  });

  test('goes on when the script errs, and takes leave of the port', async () => {
    const { socket } = await open();
    const [shared] = workers.made;
    shared?.onerror?.();
    await nobodyAnswers();
    expect(shared?.posted.at(-1)).toEqual([Op.Bye]);
    expect(shared).toMatchObject({ isClosed: true, onmessage: null });
    expect(workers.latest.kind).toBe('dedicated');
    expect(socket.status.reason).toBe('connecting; shared-worker: error; leader-tab: missing');
  });

  test('goes on when the script does not answer by its deadline', async () => {
    const { socket } = await open({ scriptDeadline: 400 });
    await vi.advanceTimersByTimeAsync(399);
    expect(workers.made).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    await nobodyAnswers();
    expect(workers.latest.kind).toBe('dedicated');
    expect(socket.status.reason).toBe('connecting; shared-worker: script-timeout; leader-tab: missing');
  });

  test('goes on when the hub is not up by its deadline, counted from the answer of the script', async () => {
    const { socket } = await open({ scriptDeadline: 400, readyDeadline: 1000 });
    await vi.advanceTimersByTimeAsync(300);
    workers.latest.say(Op.Script, 'build');
    await vi.advanceTimersByTimeAsync(999);
    expect(workers.made).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    await nobodyAnswers();
    expect(socket.status.reason).toBe('connecting; shared-worker: ready-timeout; leader-tab: missing');
  });

  test('takes 3 s and 15 s when nothing is said', async () => {
    await open();
    await vi.advanceTimersByTimeAsync(2999);
    expect(workers.made).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    await nobodyAnswers();
    workers.latest.say(Op.Script, 'build');
    await vi.advanceTimersByTimeAsync(14_999);
    expect(serve).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(workers.latest.isClosed).toBe(true);
  });

  test('a page that was blocked past a deadline hears the answer that waited', async () => {
    await open({ scriptDeadline: 1000 });
    // However late it is: of timers and messages that wait, a browser may run the timers first.
    vi.advanceTimersToNextTimer();
    workers.latest.say(Op.Script, 'build');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(workers.made).toHaveLength(1);
  });

  test('goes on when the script cannot bring up a hub', async () => {
    const { socket } = await open();
    workers.latest.say(Op.Script, 'build');
    workers.latest.say(Op.Unavailable, 'wasm-unavailable', 'CompileError');
    await nobodyAnswers();
    expect(workers.latest.kind).toBe('dedicated');
    expect(socket.status.reason).toBe('connecting; shared-worker: wasm-unavailable; leader-tab: missing');
  });

  test('ends in the page, where a hub runs over a channel', async () => {
    Object.assign(workers.refuses, { shared: true, dedicated: true });
    const { socket } = await open();
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
      reason: 'connecting; shared-worker: refused; leader-tab: missing; worker: refused',
    });
  });

  test('fails with wasm-unavailable when there is no hub anywhere: error, then close 1006', async () => {
    Object.assign(workers.refuses, { shared: true, dedicated: true });
    serve.mockImplementation((port: MessagePort) => port.postMessage([Op.Unavailable, 'wasm-unavailable']));
    const { socket, events } = await open();
    const closed = vi.fn();
    socket.onclose = ({ code, reason, wasClean }) => closed({ code, reason, wasClean });
    await settle();
    while (runTask());
    expect(socket.status).toMatchObject({
      state: 'failed',
      code: 1006,
      reason: 'wasm-unavailable; shared-worker: refused; leader-tab: missing; worker: refused; page: wasm-unavailable',
    });
    expect(events.slice(-3)).toEqual(['statuschange failed 3', 'error failed 3', 'close failed 3']);
    expect(closed.mock.calls).toEqual([[{ code: 1006, reason: '', wasClean: false }]]);
  });

  test('ends within three times both deadlines, and the time that it waits for other hubs', async () => {
    const { socket } = await open({ scriptDeadline: 100, readyDeadline: 1000 });
    const hang = async () => {
      await vi.advanceTimersByTimeAsync(99);
      workers.latest.say(Op.Script, 'build');
      await vi.advanceTimersByTimeAsync(1000);
    };
    await hang();
    await nobodyAnswers();
    await hang();
    expect(socket.status.state).toBe('connecting');
    await vi.advanceTimersByTimeAsync(1100);
    expect(socket.status).toMatchObject({ state: 'failed', reason: expect.stringContaining('page: script-timeout') });
  });

  test('starts again when a failed socket is to reconnect', async () => {
    Object.assign(workers.refuses, { shared: true });
    const { socket } = await open({ use: 'shared-worker' });
    expect(socket.status.state).toBe('failed');
    workers.refuses.shared = false;
    socket.reconnect();
    expect(socket.status).toMatchObject({ state: 'connecting', reason: 'connecting' });
    workers.latest.welcome();
    workers.latest.attached('open');
    await settle();
    expect(socket.readyState).toBe(SharedWebSocket.OPEN);
  });
});

describe('where the SharedWorker does not answer', () => {
  const worker = 'https://app.example/newer.js';
  const here = (workerUrl: string = new URL('/newer.js', location.href).href, major = 1) =>
    ['here', major, '0.2.0', 'epoch', null, workerUrl, 'tabwire@1~x', 5] as const;

  test('the worker of a hub that says it is there is used', async () => {
    const { socket } = await open({ scriptDeadline: 400 });
    await vi.advanceTimersByTimeAsync(400);
    expect(channels.map(({ name, posted }) => [name, posted])).toEqual([['tabwire', [['who']]]]);
    channels[0]?.say('gone', 'epoch');
    channels[0]?.onmessage?.({ data: 'who' });
    channels[0]?.say(...here());
    await settle();
    expect(channels[0]?.isClosed).toBe(true);
    expect(workers.latest).toMatchObject({
      kind: 'shared',
      url: new URL('/newer.js', location.href).href,
      options: { type: 'module', name: 'tabwire@1~x' },
    });
    workers.latest.welcome();
    workers.latest.attached('open');
    expect(socket.status).toMatchObject({
      state: 'open',
      host: 'shared-worker',
      reason: 'opened; shared-worker: script-timeout',
    });
  });

  test.each([
    ['of another protocol', here(undefined, 2)],
    ['of another origin', here(worker)],
    ['that has no worker', here('')],
  ])('a hub %s is not', async (_, message) => {
    await open({ scriptDeadline: 400 });
    await vi.advanceTimersByTimeAsync(400);
    channels[0]?.say(...message);
    await nobodyAnswers();
    expect(workers.made.map(({ kind }) => kind)).toEqual(['shared', 'dedicated']);
  });

  test('the hubs of this name are asked, and no others', async () => {
    await open({ workerUrl: '/mine.js#mine' });
    workers.latest.onerror?.();
    await settle();
    expect(channels.map(({ name }) => name)).toEqual(['tabwire#mine']);
  });

  test('a hub that does not answer either is given up for a worker of the page', async () => {
    const { socket } = await open({ scriptDeadline: 400 });
    await vi.advanceTimersByTimeAsync(400);
    channels[0]?.say(...here());
    await vi.advanceTimersByTimeAsync(650);
    expect(workers.made.map(({ kind }) => kind)).toEqual(['shared', 'shared', 'dedicated']);
    expect(socket.status.reason).toBe('connecting; shared-worker: script-timeout; leader-tab: missing');
  });

  test('a page without channels goes on', async () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    await open();
    workers.latest.onerror?.();
    await settle();
    expect(workers.latest.kind).toBe('dedicated');
  });
});

describe('host.use', () => {
  test("'this-tab' asks for no SharedWorker, and has nothing to explain", async () => {
    const { socket } = await open({ use: 'this-tab' });
    expect(workers.made.map(({ kind }) => kind)).toEqual(['dedicated']);
    expect(socket.status).toMatchObject({ host: 'this-tab', reason: 'connecting' });
  });

  test("'shared-worker' is satisfied with nothing else", async () => {
    const { socket } = await open({ use: 'shared-worker' });
    workers.latest.onerror?.();
    await nobodyAnswers();
    expect(workers.made).toHaveLength(1);
    expect(socket.status).toMatchObject({ state: 'failed', reason: 'wasm-unavailable; shared-worker: error' });
  });
});

describe('urls', () => {
  test('of the worker go to both constructors whole', async () => {
    const workerUrl = new URL('https://app.example/w.js');
    await open({ workerUrl });
    workers.latest.onerror?.();
    await nobodyAnswers();
    expect(workers.made.map(({ url }) => url)).toEqual([workerUrl, workerUrl]);
  });

  test('of the wasm goes with hello, resolved against the page', async () => {
    await open({ wasmUrl: '/wasm/hub.wasm' });
    const [hello] = workers.latest.all(Op.Hello);
    expect(hello?.[1].wasmUrl).toBe(new URL('/wasm/hub.wasm', document.baseURI).href);
  });
});

test('sockets share a port exactly when they ask for the same place', async () => {
  const place = { wasmUrl: '/same.wasm' };
  await open(place);
  await open(place);
  expect(workers.made).toHaveLength(1);
  expect(workers.latest.all(Op.Attach)).toHaveLength(2);
  await open({ ...place, workerUrl: '/other.js' });
  await open({ ...place, use: 'this-tab' });
  expect(workers.made).toHaveLength(3);
});
