import { createHub } from 'tabwire';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Op } from '../../../www/client/protocol.js';
import { channels, type FakeWorker, installFakes, nobodyAnswers, settle, workers, workerUrl } from './fakes.js';
import { openSocket, record } from './open-socket.js';

beforeEach(installFakes);

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** What has been made since the first worker: kind, name, and whether of the url that the hub told. */
const made = () =>
  workers.made.slice(1).map(({ kind, url, options }) => {
    const { name } = options as { name?: string };
    return `${kind} ${name ?? '-'}${url === workerUrl ? ' again' : ''}`;
  });

/** Lets this much time pass in steps in which everything that is loaded arrives. */
const pass = async (ms: number) => {
  for (let at = 0; at < ms; at += 50) await vi.advanceTimersByTimeAsync(50);
};

const newer = { workerUrl: new URL('/newer.js', location.href).href, name: 'tabwire@1' };

describe('a tab whose hub has died', () => {
  test('tries its worker twice and shortly, then a fresh one where all tabs of the dead hub meet, then the ladder', async () => {
    const { socket, port, attach } = await openSocket();
    attach();
    port.say(Op.Crashed);
    await pass(501);
    expect(made()).toEqual(['shared tabwire@1', 'shared tabwire@1', 'shared tabwire@1~one again']);
    await pass(3000);
    expect(made().slice(3)).toEqual(['shared tabwire@1']);
    await pass(3000);
    await nobodyAnswers();
    expect(made().slice(4)).toEqual(['dedicated -']);
    expect(channels).toHaveLength(1);
    expect(socket.status.reason).toBe(
      'hub-lost; fresh: script-timeout; shared-worker: script-timeout; leader-tab: missing',
    );
  });

  test('has nothing to explain in the fresh worker', async () => {
    const { socket, port, attach } = await openSocket();
    attach();
    port.say(Op.Crashed);
    await pass(501);
    workers.latest.welcome('two', null, 'tabwire@1~one');
    workers.latest.attached('open');
    expect(socket.status).toMatchObject({ state: 'open', host: 'shared-worker', reason: 'opened', epoch: 'two' });
  });

  test('that was a fresh one gives the next one a name as short', async () => {
    const { port } = await openSocket();
    port.say(Op.Crashed);
    await pass(501);
    workers.latest.welcome('two', null, 'tabwire@1~one');
    await pass(10_000);
    workers.latest.say(Op.Crashed);
    await pass(501);
    expect(made().slice(3)).toEqual([
      'shared tabwire@1~one again',
      'shared tabwire@1~one again',
      'shared tabwire@1~two again',
    ]);
  });

  test('and was of this page alone tries the SharedWorker again first', async () => {
    createHub().socket('wss://server.example/ws');
    workers.latest.onerror?.();
    await nobodyAnswers();
    workers.latest.welcome('mine', null, '');
    workers.latest.say(Op.Crashed);
    await pass(50);
    expect(made()).toEqual(['dedicated -', 'shared tabwire@1']);
  });

  test('is left alone once its client is closed', async () => {
    const { hub, port } = await openSocket();
    port.say(Op.Crashed);
    await pass(50);
    hub.close();
    await pass(10_000);
    expect(made()).toEqual(['shared tabwire@1']);
  });
});

describe('a tab that finds no hub after its own has died', () => {
  /** Whether the browser says that there is a network. */
  const network = (isThere: boolean) => {
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(isThere);
    window.dispatchEvent(new Event(isThere ? 'online' : 'offline'));
  };

  const start = async () => {
    const opened = await openSocket({}, [], { use: 'shared-worker' });
    const { port, attach, fired } = opened;
    attach();
    workers.refuses.shared = true;
    port.say(Op.Crashed);
    // It asks other hubs as well.
    await pass(300);
    fired.length = 0;
    /** After how many ms it has sought again, in steps of 50. */
    const seeksAfter = async () => {
      const began = Date.now();
      const { length } = tries;
      while (tries.length === length) await pass(50);
      return Date.now() - began;
    };
    return { ...opened, seeksAfter };
  };

  /** When a SharedWorker was tried. */
  let tries: number[];

  beforeEach(() => {
    tries = [];
    const Made = SharedWorker;
    vi.stubGlobal('SharedWorker', function SharedWorker(url: string, options: WorkerOptions) {
      tries.push(Date.now());
      return new Made(url, options);
    });
  });

  test('is reconnecting, says what it has tried, and seeks again, less and less often', async () => {
    const { socket, seeksAfter } = await start();
    const reason = 'hub-lost; fresh: refused; shared-worker: refused';
    expect(socket.status).toMatchObject({ state: 'reconnecting', reason, epoch: null });
    expect(socket.readyState).toBe(0);
    const { nextAttemptAt } = socket.status;
    const pauses = [await seeksAfter()];
    expect(nextAttemptAt).toBeLessThanOrEqual(Date.now());
    expect(nextAttemptAt).toBeGreaterThan(Date.now() - 100);
    while (pauses.length < 7) pauses.push(await seeksAfter());
    for (const [index, least] of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000].entries()) {
      expect(pauses[index]).toBeGreaterThan(least - 100);
      expect(pauses[index]).toBeLessThan(least + 500);
    }
    expect(socket.status).toMatchObject({ state: 'reconnecting', reason });
  });

  test('is as before when one is there again, and as patient as at first', async () => {
    const { socket, seeksAfter, fired } = await start();
    await seeksAfter();
    await seeksAfter();
    workers.refuses.shared = false;
    socket.send('kept');
    await seeksAfter();
    workers.latest.welcome('two');
    workers.latest.attached('open');
    expect(socket.status).toMatchObject({ state: 'open', reason: 'opened', epoch: 'two', nextAttemptAt: null });
    expect(workers.latest.sent).toEqual(['kept']);
    expect(fired.filter(([type]) => type === 'close' || type === 'error')).toEqual([]);
    workers.refuses.shared = true;
    workers.latest.say(Op.Crashed);
    await seeksAfter();
    expect(await seeksAfter()).toBeLessThan(1500);
  });

  test('seeks at once when the network is back', async () => {
    const { seeksAfter } = await start();
    await seeksAfter();
    await seeksAfter();
    network(false);
    const { length } = tries;
    await pass(500);
    expect(tries).toHaveLength(length);
    network(true);
    await pass(50);
    expect(tries.length).toBeGreaterThan(length);
  });

  test('ends what is closed meanwhile, and seeks no more once the client is closed', async () => {
    const { hub, socket, seeksAfter, fired } = await start();
    socket.close();
    await pass(50);
    expect(socket.status.state).toBe('closed');
    expect(fired.at(-1)).toEqual(['close', { code: 1006, reason: '', wasClean: false }]);
    await seeksAfter();
    hub.close();
    const { length } = tries;
    await pass(60_000);
    expect(tries).toHaveLength(length);
  });

  test('ends what was being closed when the hub died', async () => {
    const { socket, port, attach } = await openSocket({}, [], { use: 'shared-worker' });
    attach();
    workers.refuses.shared = true;
    socket.close();
    port.say(Op.Crashed);
    await pass(300);
    expect(socket.status.state).toBe('closed');
  });
});

describe('a tab that is told to move', () => {
  test('goes to that worker, and the old hub hears bye', async () => {
    const { socket, port, attach, fired } = await openSocket();
    attach();
    port.status('reconnecting', 'moved', 2, [1000, '', 1]);
    fired.length = 0;
    port.say(Op.Move, newer);
    expect(port).toMatchObject({ posted: [[Op.Bye]], isClosed: true });
    await pass(50);
    expect(workers.latest).toMatchObject({
      kind: 'shared',
      url: newer.workerUrl,
      options: { type: 'module', name: 'tabwire@1' },
    });
    expect(workers.latest.posted.map(([op]) => op)).toEqual([Op.Hello, Op.Attach]);
    workers.latest.welcome('two');
    workers.latest.attached('open');
    expect(socket.status).toMatchObject({ state: 'open', reason: 'opened', epoch: 'two' });
    expect(fired.map(([type]) => type)).not.toContain('gap');
  });

  test('takes along what the old hub has not handed', async () => {
    const { socket, port, attach, fired } = await openSocket();
    attach();
    for (const text of ['handed', 'kept', 'too']) socket.send(text);
    await settle();
    port.say(Op.Sent, port.handle, 1, 1);
    port.status('reconnecting', 'moved', 2, [1000, '', 1]);
    port.say(Op.Move, newer);
    socket.send('since');
    await pass(50);
    workers.latest.welcome('two');
    workers.latest.attached('open');
    expect(workers.latest.sent).toEqual(['kept', 'too', 'since']);
    expect(fired.filter(([type]) => type === 'sendfailed')).toEqual([]);
  });

  test('comes back to that worker when its hub dies', async () => {
    const { port } = await openSocket();
    port.say(Op.Move, newer);
    await pass(50);
    workers.latest.welcome('two', null);
    workers.latest.say(Op.Crashed);
    await pass(50);
    expect(workers.latest).toMatchObject({ url: newer.workerUrl, options: { name: 'tabwire@1' } });
  });

  test.each([
    ['does not answer', newer, 3000, 'script-timeout'],
    ['is of another origin', { ...newer, workerUrl: 'https://elsewhere.example/worker.js' }, 50, 'refused'],
    ['cannot be', { ...newer, workerUrl: 'nothing' }, 50, 'refused'],
  ])('to a worker that %s goes down the ladder, and says so', async (_, target, ms, why) => {
    const { socket, port, attach } = await openSocket();
    attach();
    port.status('reconnecting', 'moved', 2, [1000, '', 1]);
    port.say(Op.Move, target);
    await pass(ms + 50);
    await nobodyAnswers();
    expect(workers.latest.kind).toBe('dedicated');
    expect(socket.status).toMatchObject({ host: 'this-tab', reason: `moved; moved: ${why}; leader-tab: missing` });
  });
});

describe('a tab below the best host', () => {
  const start = async (use?: 'this-tab') => {
    const hub = createHub(use && { host: { use } });
    const socket = hub.socket('wss://server.example/ws');
    if (!use) workers.latest.onerror?.();
    await nobodyAnswers();
    const own = workers.latest;
    own.welcome('mine', null, '');
    own.attached('open');
    const lose = async (conn = 7) => {
      const wait = Date.now() + 1000;
      own.say(Op.Status, conn, 'reconnecting', 1, wait, 1006, 'connection-lost', 0, 'websocket', '', '', 2);
      await pass(50);
    };
    const since = async (ms: number) => {
      for (let at = 0; at < ms; at += 4000) {
        await vi.advanceTimersByTimeAsync(4000);
        own.say(Op.Beat, 'mine');
      }
    };
    const count = workers.made.length;
    return { hub, socket, own, lose, since, news: () => made().slice(count - 1) };
  };

  test('tries it again when the connection is lost, a minute after the last search', async () => {
    const { socket, own, lose, since, news } = await start();
    const fired = record(socket);
    await since(60_000);
    socket.send('kept');
    await lose();
    expect(own).toMatchObject({ isClosed: true });
    expect(news()).toEqual(['shared tabwire@1']);
    workers.latest.welcome('two');
    workers.latest.attached('open');
    expect(socket.status).toMatchObject({ state: 'open', host: 'shared-worker', reason: 'opened' });
    expect(fired.filter(([type]) => type === 'gap')).toEqual([]);
  });

  test('not before that', async () => {
    const { own, lose, since, news } = await start();
    await since(56_000);
    await lose();
    expect(own.isClosed).toBe(false);
    expect(news()).toEqual([]);
  });

  test('not while another connection is open', async () => {
    const { hub, own, lose, since, news } = await start();
    hub.socket('wss://server.example/other');
    own.attached('open', 0, [], 8);
    await since(60_000);
    await lose();
    expect(news()).toEqual([]);
    await lose(8);
    expect(news()).toEqual(['shared tabwire@1']);
  });

  test('not once an attempt has begun, since it may have come to something', async () => {
    const { own, since, news } = await start();
    await since(60_000);
    own.status('reconnecting', 'connection-lost', 2, [1006, '', 0]);
    await pass(50);
    expect(news()).toEqual([]);
  });

  test.each([
    ['is asked for', 'this-tab'],
    ['there is', undefined],
  ] as const)('not where none %s', async (_, use) => {
    const { lose, since, news } = await start(use);
    if (!use) vi.stubGlobal('SharedWorker', undefined);
    await since(60_000);
    await lose();
    expect(news()).toEqual([]);
  });
});

test('a hub of another protocol beside this one is told of in the reason, once', async () => {
  const { socket, port, attach, fired } = await openSocket();
  attach();
  fired.length = 0;
  port.say(Op.Beside, 2, '2.0.0');
  port.say(Op.Beside, 2, '2.0.1');
  expect(socket.status.reason).toBe('opened; beside: protocol 2');
  expect(fired).toEqual([['statuschange']]);
});

test.each([
  ['once it is up', (port: FakeWorker) => port.welcome()],
  ['instead of that it is up', (port: FakeWorker) => port.say(Op.Script, 'build')],
])('a move that a hub tells, %s, before the page has loaded what that takes, is made then', async (_, say) => {
  createHub().socket('wss://server.example/ws');
  const port = workers.latest;
  say(port);
  port.say(Op.Move, newer);
  await pass(50);
  expect(port.isClosed).toBe(true);
  expect(workers.latest).toMatchObject({ url: newer.workerUrl });
});
