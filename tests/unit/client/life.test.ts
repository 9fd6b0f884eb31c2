import { createHub, type HubOptions } from 'tabwire';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Op } from '../../../www/client/protocol.js';
import { installFakes, nobodyAnswers, runTask, settle, workers } from './fakes.js';
import { installLocks } from './locks.js';

beforeEach(installFakes);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Opens a socket at a hub of its own, which is up and holds `lock`. */
const open = async (options: HubOptions = {}, lock: string | null = null) => {
  const hub = createHub(options);
  const socket = hub.socket('wss://server.example/ws');
  const events: string[] = [];
  for (const type of ['statuschange', 'open', 'error', 'close', 'gap', 'sendfailed']) {
    socket.addEventListener(type, () => {
      const { state, reason } = socket.status;
      events.push(type === 'statuschange' ? `${state} ${reason}` : type);
    });
  }
  const port = workers.latest;
  port.welcome('one', lock);
  port.attached('open');
  await settle();
  port.take();
  events.length = 0;
  return { hub, socket, port, events };
};

/** Lets a hub that was lost be sought again. */
const soon = () => vi.advanceTimersByTimeAsync(1);

const page = (type: string, fields: object = {}) => {
  window.dispatchEvent(Object.assign(new Event(type), fields));
};

const lostAndBack = ['gap', 'reconnecting hub-lost', 'close'];

describe('hello', () => {
  test('tells build, visibility and network, and an id that no other client has', () => {
    createHub().socket('wss://server.example/ws');
    createHub().socket('wss://server.example/ws');
    const [one, other] = workers.made.map((port) => port.all(Op.Hello)[0]?.[1]);
    expect(one).toMatchObject({
      protocol: 1,
      build: '0.0.0+test',
      liveness: 'heartbeat',
      visible: 1,
      online: 1,
      wasmUrl: undefined,
    });
    expect(one?.tab.length).toBeGreaterThan(20);
    expect(other?.tab).not.toBe(one?.tab);
  });
});

describe('without locks a tab', () => {
  test('asks after 5 s of silence, and 2 s later goes to a fresh hub', async () => {
    const { socket, port, events } = await open();
    vi.advanceTimersByTime(4999);
    expect(port.posted).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(port.take()).toEqual([[Op.Alive]]);
    vi.advanceTimersByTime(1999);
    expect(events).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(events).toEqual(lostAndBack);
    expect(socket.readyState).toBe(0);
    expect(port).toMatchObject({ isClosed: true });

    await soon();
    expect(workers.made).toHaveLength(2);
    expect(workers.latest.posted.map(([op]) => op)).toEqual([Op.Hello, Op.Attach]);
    workers.latest.welcome('two');
    workers.latest.attached('open');
    expect(socket.status).toMatchObject({ state: 'open', reason: 'opened', epoch: 'two' });
    expect(events.slice(-2)).toEqual(['open opened', 'open']);
  });

  test('is content with any message', async () => {
    const { port } = await open();
    for (let i = 0; i < 5; i++) {
      vi.advanceTimersByTime(4000);
      port.say(Op.Census, 1, 1);
    }
    vi.advanceTimersByTime(5000);
    port.say(Op.Beat, 'one');
    vi.advanceTimersByTime(4999);
    expect(port.take()).toEqual([[Op.Alive]]);
    expect(workers.made).toHaveLength(1);
  });

  test('does not ask while the wasm loads', () => {
    createHub().socket('wss://server.example/ws');
    workers.latest.say(Op.Script, 'build');
    vi.advanceTimersByTime(14_000);
    expect(workers.latest.all(Op.Alive)).toEqual([]);
  });

  test('answers when it is asked', async () => {
    const { port } = await open();
    port.say(Op.Ask);
    expect(port.take()).toEqual([[Op.Alive]]);
  });
});

describe('with locks a tab', () => {
  test.each([
    ['Google Inc.', undefined, 'locks'],
    ['Apple Computer, Inc.', 'auto', 'locks'],
    ['', 'auto', 'heartbeat'],
    ['', 'locks', 'locks'],
    ['Google Inc.', 'heartbeat', 'heartbeat'],
  ] as const)('of vendor "%s" and liveness %s uses %s', async (vendor, liveness, kind) => {
    const locks = installLocks(vendor);
    createHub(liveness && { liveness }).socket('wss://server.example/ws');
    await settle();
    const [, hello] = workers.latest.all(Op.Hello)[0] ?? [];
    expect(hello?.liveness).toBe(kind);
    expect([...locks.held]).toEqual(kind === 'locks' ? [hello?.lock] : []);
  });

  test('holds its lock before it says hello', async () => {
    const locks = installLocks();
    createHub().socket('wss://server.example/ws');
    expect(workers.made).toHaveLength(0);
    await settle();
    expect(workers.made).toHaveLength(1);
    expect(locks.held.size).toBe(1);
  });

  test('does without where locks are forbidden', async () => {
    installLocks().isForbidden = true;
    createHub().socket('wss://server.example/ws');
    await settle();
    expect(workers.latest.all(Op.Hello)[0]?.[1].liveness).toBe('heartbeat');
    workers.latest.welcome('one', 'tabwire:hub:one');
    vi.advanceTimersByTime(5000);
    expect(workers.latest.all(Op.Alive)).toHaveLength(1);
  });

  test("waits for the hub's lock in shared mode, asks nothing, and goes to a fresh hub when it is free", async () => {
    const locks = installLocks();
    locks.held.add('tabwire:hub:one');
    const hub = createHub();
    const socket = hub.socket('wss://server.example/ws');
    await settle();
    workers.latest.welcome('one', 'tabwire:hub:one');
    workers.latest.attached('open');
    await settle();
    expect(locks.waiting).toMatchObject([{ name: 'tabwire:hub:one', mode: 'shared' }]);
    vi.advanceTimersByTime(60_000);
    expect(workers.latest.all(Op.Alive)).toEqual([]);

    locks.free('tabwire:hub:one');
    await settle();
    await soon();
    expect(socket.status).toMatchObject({ state: 'reconnecting', reason: 'hub-lost' });
    expect(workers.made).toHaveLength(2);
  });

  test('takes no notice of the lock of a hub that it has left', async () => {
    const locks = installLocks();
    locks.held.add('tabwire:hub:one');
    const hub = createHub();
    hub.socket('wss://server.example/ws');
    await settle();
    const port = workers.latest;
    port.welcome('one', 'tabwire:hub:one');
    port.attached('open');
    // A worker that was restarted answers at the same port.
    port.welcome('two');
    port.attached('open');
    locks.free('tabwire:hub:one');
    await settle();
    expect(workers.made).toHaveLength(1);
  });

  test('takes no notice of it either when the worker had answered first, and that waits to be dispatched', async () => {
    const locks = installLocks();
    locks.held.add('tabwire:hub:one');
    const hub = createHub();
    const socket = hub.socket('wss://server.example/ws', [], { flow: { batch: false } });
    await settle();
    const port = workers.latest;
    port.welcome('one', 'tabwire:hub:one');
    port.attached('open');
    await settle();
    // Each has a task of its own, and what comes then waits behind them.
    port.batch(0, ['a', 'b']);
    port.say(Op.Script, 'build');
    locks.free('tabwire:hub:one');
    await settle();
    port.take();
    while (runTask());
    expect(port.posted.map(([op]) => op)).toEqual([Op.Hello, Op.Attach]);
    port.welcome('two');
    port.attached('open');
    await soon();
    expect(workers.made).toHaveLength(1);
    expect(socket.status.epoch).toBe('two');
  });

  test('asks a hub that has no lock', async () => {
    installLocks();
    createHub().socket('wss://server.example/ws');
    await settle();
    workers.latest.welcome('one', null);
    vi.advanceTimersByTime(5000);
    expect(workers.latest.all(Op.Alive)).toHaveLength(1);
  });
});

describe('a hub that is another', () => {
  test.each([
    ['says who', [Op.Who]],
    ['beats with another epoch', [Op.Beat, 'two']],
  ] as const)('and %s is greeted on the same port', async (_, message) => {
    const { socket, port, events } = await open();
    port.say(...(message as [Op.Who]));
    expect(events).toEqual(lostAndBack);
    expect(port.take().map(([op]) => op)).toEqual([Op.Hello, Op.Attach]);
    // A second of the kind belongs to the same change.
    port.say(...(message as [Op.Who]));
    expect(port.posted).toEqual([]);
    port.welcome('two');
    port.attached('open');
    expect(socket.status).toMatchObject({ state: 'open', epoch: 'two' });
    expect(workers.made).toHaveLength(1);
  });

  test('shows itself by its welcome after a second script', async () => {
    const { socket, port, events } = await open();
    port.say(Op.Script, 'build');
    expect(port.take().map(([op]) => op)).toEqual([Op.Hello, Op.Attach]);
    port.say(Op.Script, 'build');
    expect(port.posted).toEqual([]);
    expect(events).toEqual([]);
    port.welcome('two');
    expect(events).toEqual(lostAndBack);
    port.attached('open');
    expect(socket.status).toMatchObject({ state: 'open', epoch: 'two' });
    expect(workers.made).toHaveLength(1);
  });

  test('is greeted once more where its greeting is answered with who: it had given this tab up', async () => {
    const { socket, port, events } = await open();
    port.say(Op.Script, 'build');
    port.take();
    port.say(Op.Who);
    expect(port.take().map(([op]) => op)).toEqual([Op.Hello, Op.Attach]);
    // The others are about what was said with the first greeting.
    port.say(Op.Who);
    expect(port.posted).toEqual([]);
    expect(events).toEqual([]);
    port.welcome('one');
    expect(events).toEqual(lostAndBack);
    port.attached('open');
    expect(socket.status).toMatchObject({ state: 'open', epoch: 'one' });
  });

  test('is none where WebKit has only connected the page anew: nothing was lost', async () => {
    const { socket, port, events } = await open();
    port.say(Op.Script, 'build');
    port.welcome('one');
    port.attached('open');
    expect(events).toEqual([]);
    expect(socket.status).toMatchObject({ state: 'open', epoch: 'one' });
  });

  test('and welcomes with another epoch has been greeted already', async () => {
    const { port, events } = await open();
    port.say(Op.Welcome, { protocol: 1, build: 'b', epoch: 'two', lock: null, workerUrl: '', name: '' });
    expect(events).toEqual(lostAndBack);
    expect(port.posted).toEqual([]);
  });

  test('must answer within 2 s', async () => {
    const { port } = await open();
    port.say(Op.Who);
    vi.advanceTimersByTime(2000);
    await soon();
    expect(workers.made).toHaveLength(2);
    expect(port.isClosed).toBe(true);
  });
});

describe('a hub that was greeted anew', () => {
  const lock = 'tabwire:hub:one';
  test.each<[string, (port: Awaited<ReturnType<typeof open>>['port']) => unknown]>([
    ['because it said who', (port) => port.say(Op.Who)],
    ['because its script came twice', (port) => port.say(Op.Script, 'build')],
    ['by a page that came out of the cache', () => page('pageshow', { persisted: true })],
  ])('%s, and dies before its welcome, is left for another whatever it had said first', async (_, greets) => {
    installLocks().held.add(lock);
    const hub = createHub();
    hub.socket('wss://server.example/ws');
    await settle();
    const port = workers.latest;
    port.welcome('one', lock);
    port.attached('open');
    await settle();
    port.take();
    greets(port);
    await settle();
    expect(port.take().map(([op]) => op)).toEqual([Op.Hello, Op.Attach]);
    port.say(Op.Census, 1, 1);
    vi.advanceTimersByTime(4999);
    expect(port.posted).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(port.take()).toEqual([[Op.Alive]]);
    vi.advanceTimersByTime(2000);
    await soon();
    expect(workers.made).toHaveLength(2);
  });

  test('and says welcome is asked no more where its lock tells of its end', async () => {
    installLocks().held.add(lock);
    createHub().socket('wss://server.example/ws');
    await settle();
    const port = workers.latest;
    port.welcome('one', lock);
    port.say(Op.Who);
    port.say(Op.Census, 1, 1);
    port.welcome('one', lock);
    port.take();
    vi.advanceTimersByTime(60_000);
    expect(port.posted).toEqual([]);
    expect(workers.made).toHaveLength(1);
  });
});

describe('a hub that crashes', () => {
  test('is left for a fresh one, which is told nothing of the old', async () => {
    const { port, events } = await open();
    port.say(Op.Crashed, 'panicked');
    expect(events).toEqual(lostAndBack);
    expect(port.posted).toEqual([[Op.Detach, expect.any(Number)], [Op.Bye]]);
    await soon();
    expect(workers.latest.posted.map(([op]) => op)).toEqual([Op.Hello, Op.Attach]);
  });

  test('at once, but one a second when they die young', async () => {
    const { port } = await open();
    port.say(Op.Crashed);
    await soon();
    expect(workers.made).toHaveLength(2);
    workers.latest.welcome('two');
    workers.latest.say(Op.Crashed);
    vi.advanceTimersByTime(999);
    expect(workers.made).toHaveLength(2);
    await soon();
    expect(workers.made).toHaveLength(3);
    workers.latest.welcome('three');
    for (let at = 0; at < 10_000; at += 2500) {
      vi.advanceTimersByTime(2500);
      workers.latest.say(Op.Beat, 'three');
    }
    workers.latest.say(Op.Crashed);
    await soon();
    expect(workers.made).toHaveLength(4);
  });

  test('before it was up is a failed step of the ladder', async () => {
    createHub().socket('wss://server.example/ws');
    workers.latest.say(Op.Unavailable, 'wasm-unavailable');
    await nobodyAnswers();
    expect(workers.latest.kind).toBe('dedicated');
  });

  test('leaves a socket that was not open as it was', async () => {
    const { socket, port, events } = await open();
    port.status('reconnecting', 'connection-lost', 2, [1006, '', 0]);
    events.length = 0;
    port.say(Op.Crashed);
    await soon();
    expect(events).toEqual(['reconnecting connection-lost']);
    expect(socket.status).toMatchObject({ state: 'reconnecting', reason: 'connection-lost', epoch: null });
  });
});

describe('a page', () => {
  test('that is hidden, focused, offline or frozen says so', async () => {
    const { port } = await open();
    vi.spyOn(document, 'hasFocus').mockReturnValue(true);
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
    document.dispatchEvent(new Event('visibilitychange'));
    page('focus');
    page('offline');
    document.dispatchEvent(new Event('freeze'));
    document.dispatchEvent(new Event('resume'));
    expect(port.take()).toEqual([
      [Op.Visibility, 0, 1],
      [Op.Visibility, 0, 1],
      [Op.Online, 1],
      [Op.Suspend],
      [Op.Resume],
    ]);
    vi.restoreAllMocks();
  });

  test('that is left for good says bye, and nothing more', async () => {
    const { port } = await open();
    page('pagehide', { persisted: false });
    document.dispatchEvent(new Event('visibilitychange'));
    expect(port.take()).toEqual([[Op.Bye]]);
  });

  test('that may be cached is suspended, and says hello again when it is back', async () => {
    const { socket, port, events } = await open();
    page('pagehide', { persisted: true });
    expect(new Set(port.take().flat())).toEqual(new Set([Op.Suspend]));
    page('pageshow', { persisted: true });
    expect(port.take().map(([op]) => op)).toEqual([Op.Hello, Op.Attach]);
    socket.send('not before the handle is known');
    port.welcome('one');
    port.attached('open');
    expect(port.sent).toEqual(['not before the handle is known']);
    expect(events).toEqual([]);
  });

  test('that comes back to a dead hub goes to another within 2 s', async () => {
    const { port } = await open();
    page('pagehide', { persisted: true });
    page('pageshow', { persisted: true });
    vi.advanceTimersByTime(2000);
    await soon();
    expect(port.isClosed).toBe(true);
    expect(workers.made).toHaveLength(2);
  });

  test('that comes back while it seeks a hub leaves that to the deadlines of its search', async () => {
    createHub().socket('wss://server.example/ws');
    await settle();
    page('pagehide', { persisted: true });
    page('pageshow', { persisted: true });
    vi.advanceTimersByTime(2500);
    const port = workers.latest;
    port.say(Op.Script, 'build');
    vi.advanceTimersByTime(14_000);
    expect(port.all(Op.Alive)).toEqual([]);
    expect(workers.made).toHaveLength(1);
  });

  test('takes a lock of another name when it is back, before it says hello: WebKit drops the first, sooner or later', async () => {
    const locks = installLocks();
    createHub().socket('wss://server.example/ws');
    await settle();
    const [first] = locks.held;
    workers.latest.welcome('one', 'tabwire:hub:one');
    workers.latest.take();
    page('pageshow', { persisted: true });
    expect(workers.latest.posted).toEqual([]);
    await settle();
    const [, hello] = workers.latest.all(Op.Hello)[0] ?? [];
    expect(hello?.lock).not.toBe(first);
    expect(locks.held).toContain(hello?.lock);
  });

  test('that is shown for the first time has nothing to say', async () => {
    const { port } = await open();
    page('pageshow', { persisted: false });
    expect(port.posted).toEqual([]);
  });
});
