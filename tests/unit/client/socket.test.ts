import { createHub, isUnsupportedError, SharedWebSocket, UnsupportedError } from 'tabwire';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Op } from '../../../www/client/protocol.js';
import { installFakes, settle, workers } from './fakes.js';
import { openSocket, record } from './open-socket.js';

beforeEach(installFakes);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const open = (url: string | URL = 'wss://server.example/ws', protocols?: string | Iterable<string>) =>
  createHub().socket(url, protocols);

const errorOf = (what: () => unknown) => {
  try {
    what();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
};

describe('the constructor', () => {
  test.each([
    ['wss://server.example', 'wss://server.example/'],
    ['http://server.example/a?b', 'ws://server.example/a?b'],
    ['HTTPS://server.example:443/', 'wss://server.example/'],
    ['/path', 'ws://localhost:3000/path'],
    [new URL('ws://server.example/url'), 'ws://server.example/url'],
  ])('reads %s as %s', (url, resolved) => {
    expect(open(url).url).toBe(resolved);
  });

  test.each(['ftp://server.example', 'mailto:a@b.c', 'ws://server.example/#', 'ws://server.example/#x', 'ws://'])(
    'refuses %s with a SyntaxError',
    (url) => {
      const error = errorOf(() => open(url));
      expect(error).toBeInstanceOf(DOMException);
      expect(error.name).toBe('SyntaxError');
    },
  );

  test.each([
    [undefined, []],
    [[], []],
    ['v1', ['v1']],
    [
      ['v1', 'V1'],
      ['v1', 'V1'],
    ],
    [new Set(['a', 'b']), ['a', 'b']],
  ])('offers protocols %o as %o', (protocols, offered) => {
    open(undefined, protocols);
    expect(workers.latest.all(Op.Attach)[0]?.[2].protocols).toEqual(offered);
  });

  test.each([[''], ['two words'], [['a', 'a']], [['a', 'b,c']], ['ü']])('refuses protocols %o', (protocols) => {
    expect(errorOf(() => open(undefined, protocols)).name).toBe('SyntaxError');
  });

  test('needs a url', () => {
    expect(() => new (SharedWebSocket as unknown as new () => SharedWebSocket)()).toThrow(TypeError);
  });

  test('takes a function as url with a key, and says what its tab can be asked for', () => {
    const url = () => 'wss://server.example';
    expect(errorOf(() => new SharedWebSocket(url))).toEqual(new TypeError('key: ""'));
    const socket = createHub().socket(url, [], { key: 'ada', auth: { token: async () => 'x', via: 'subprotocol' } });
    expect(socket.url).toBe('');
    expect(workers.latest.all(Op.Attach)[0]?.[2]).toEqual({
      url: 'function',
      protocols: [],
      key: 'ada',
      options: { auth: { via: 'subprotocol' } },
      need: ['url', 'token'],
    });
  });

  test('attaches with url, protocols, key and the options given', () => {
    createHub().socket('wss://server.example/ws', ['v1'], {
      key: 'ada',
      reconnect: { minDelay: 5 },
      linger: undefined,
    });
    expect(workers.latest.all(Op.Attach)[0]?.[2]).toMatchObject({
      url: 'wss://server.example/ws',
      protocols: ['v1'],
      key: 'ada',
      options: { reconnect: { minDelay: 5 } },
    });
  });

  test('keeps what cannot be cloned to itself', () => {
    const workerUrl = new URL('https://app.example/w.js');
    new SharedWebSocket('wss://server.example/ws', [], { host: { workerUrl }, linger: 5 });
    expect(workers.latest.all(Op.Attach)[0]?.[2].options).toEqual({ linger: 5, auth: {} });
  });

  test('throws for bad options', () => {
    expect(() => createHub().socket('wss://server.example/ws', [], { linger: -1 })).toThrow(
      new RangeError('linger: -1'),
    );
    expect(() => createHub({ name: 'mine' })).toThrow(TypeError);
  });
});

describe('the interface', () => {
  test('has its constants on both sides, and read-only', () => {
    const socket = open();
    for (const [value, name] of (['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const).entries()) {
      expect([SharedWebSocket[name], SharedWebSocket.prototype[name], socket[name]]).toEqual([value, value, value]);
    }
    expect(() => Object.assign(SharedWebSocket, { OPEN: 5 })).toThrow(TypeError);
  });

  test('can be extended', () => {
    class Json extends SharedWebSocket {
      override send(data: unknown) {
        super.send(JSON.stringify(data));
      }
    }
    const socket = new Json('wss://server.example/ws');
    expect(socket).toBeInstanceOf(SharedWebSocket);
    expect(socket).toBeInstanceOf(EventTarget);
    socket.send({ a: 1 } as never);
    expect(socket.bufferedAmount).toBe(7);
  });

  test('keeps binaryType to what there is', () => {
    const socket = open();
    expect(socket.binaryType).toBe('blob');
    socket.binaryType = 'arraybuffer';
    socket.binaryType = 'text' as BinaryType;
    expect(socket.binaryType).toBe('arraybuffer');
  });

  test('has handlers that are called in the place where they were first set', async () => {
    const { socket, port } = await openSocket();
    const calls: string[] = [];
    const note = (name: string) =>
      function (this: unknown, event: Event) {
        calls.push(`${name} ${event.type} ${this === socket}`);
      };
    expect(socket.onopen).toBe(null);
    socket.onopen = note('replaced');
    socket.addEventListener('open', note('listener'));
    const handler = note('handler');
    socket.onopen = handler;
    expect(socket.onopen).toBe(handler);
    port.attached('open');
    expect(calls.splice(0)).toEqual(['handler open true', 'listener open true']);

    socket.onopen = null;
    socket.onopen = handler;
    port.status('reconnecting', 'connection-lost', 2, [1006, '', 0]);
    port.status('open', 'opened', 1);
    expect(calls.splice(0)).toEqual(['listener open true', 'handler open true']);

    socket.onopen = 5 as never;
    expect(socket.onopen).toBe(null);
    const object = {};
    socket.onopen = object as never;
    expect(socket.onopen).toBe(object);
    port.status('reconnecting', 'connection-lost', 2, [1006, '', 0]);
    port.status('open', 'opened', 1);
    expect(calls).toEqual(['listener open true']);
  });

  test('has no topics with subprotocol raw', () => {
    const socket = open();
    for (const call of [
      () => socket.subscribe('topic', () => {}),
      () => socket.publish('topic', 1),
      () => socket.request({}),
    ]) {
      expect(isUnsupportedError(errorOf(call))).toBe(true);
    }
  });

  test('needs something to send', () => {
    const socket = open();
    expect(() => (socket.send as () => void)()).toThrow(TypeError);
    socket.send(undefined as never);
    expect(socket.bufferedAmount).toBe(9);
  });
});

describe('states', () => {
  test('become ready states and events', async () => {
    const { socket, port, fired } = await openSocket();
    const ready: number[] = [];
    socket.addEventListener('statuschange', () => ready.push(socket.readyState));
    port.attached('connecting');
    port.status('reconnecting', 'connect-failed', 3);
    port.status('open', 'opened', 1);
    port.status('suspect', 'pong-late');
    port.status('open', 'recovered');
    port.status('offline', 'offline', 2, [1001, 'away', 1]);
    port.status('idle', 'unused');
    expect(fired).toEqual([
      ['statuschange'],
      ['statuschange'],
      ['error'],
      ['statuschange'],
      ['open'],
      ['statuschange'],
      ['statuschange'],
      ['statuschange'],
      ['close', { code: 1001, reason: 'away', wasClean: true }],
      ['statuschange'],
    ]);
    expect(ready).toEqual([0, 0, 1, 1, 1, 0, 0]);
  });

  test('bring events of their own along', async () => {
    const { port, attach, fired } = await openSocket();
    attach();
    fired.length = 0;
    port.status('reconnecting', 'stale', 2, [1006, '', 0], 'staleConnection');
    port.status('reconnecting', 'breaker-open', 3, undefined, 'circuitBreakerOpened');
    port.status('open', 'opened', 1, undefined, 'connectionRecovered');
    expect(fired.map(([type]) => type)).toEqual([
      'statuschange',
      'close',
      'staleConnection',
      'statuschange',
      'error',
      'circuitBreakerOpened',
      'statuschange',
      'open',
      'connectionRecovered',
    ]);
  });

  test('are frozen objects, new for each change and only then', async () => {
    const { socket, port } = await openSocket();
    port.attached('open');
    const { status } = socket;
    expect(Object.isFrozen(status)).toBe(true);
    expect(status).toEqual({
      state: 'open',
      host: 'shared-worker',
      transport: 'websocket',
      attempt: 1,
      nextAttemptAt: null,
      code: null,
      reason: 'opened',
      since: 1_700_000_000_000,
      epoch: 'one',
    });
    port.attached('open');
    expect(socket.status).toBe(status);
    port.status('suspect', 'pong-late');
    expect(socket.status).not.toBe(status);
    expect([socket.protocol, socket.extensions]).toEqual(['v1', 'deflate']);
  });

  test('a handle that joins an open connection gets open', async () => {
    const { hub, port, attach } = await openSocket();
    attach();
    const other = record(hub.socket('wss://server.example/ws'));
    expect(other).toEqual([]);
    port.attached('open');
    expect(other).toEqual([['statuschange'], ['open']]);
  });

  test('options that are ignored are listed, and warned of once', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    const { socket, port } = await openSocket();
    port.attached('open', 0, ['reconnect.minDelay', 'heartbeat.message']);
    port.attached('open', 0, ['reconnect.minDelay', 'heartbeat.message']);
    expect(socket.status.reason).toBe('opened; ignored: reconnect.minDelay,heartbeat.message');
    expect(warn.mock.calls).toEqual([['tabwire', 'ignored: reconnect.minDelay,heartbeat.message']]);
    warn.mockRestore();
  });

  test('a terminal close fires close once, last', async () => {
    const { socket, port, attach, fired } = await openSocket();
    attach();
    fired.length = 0;
    port.status('closed', 'fatal-code', 0, [4401, 'who are you', 1]);
    expect(socket.readyState).toBe(3);
    port.say(Op.Closed, port.handle, 4401, 'who are you', 1);
    port.say(Op.Closed, port.handle, 4401, 'again', 1);
    expect(fired).toEqual([['statuschange'], ['close', { code: 4401, reason: 'who are you', wasClean: true }]]);
    expect(socket.status).toMatchObject({ state: 'closed', reason: 'fatal-code', code: 4401 });
  });

  test('a handle that the hub refuses has failed: error, then close 1006', async () => {
    const { socket, port, fired } = await openSocket();
    port.say(Op.Refused, port.handle, 'bad-options', 'queue.ttl');
    expect(fired).toEqual([['statuschange'], ['error'], ['close', { code: 1006, reason: '', wasClean: false }]]);
    expect(socket.status).toMatchObject({ state: 'failed', reason: 'bad-options: queue.ttl' });
  });
});

describe('close', () => {
  test.each([
    [[], [null, '']],
    [[1000], [1000, '']],
    [
      [3000, 'done'],
      [3000, 'done'],
    ],
    [[4999.4], [4999, '']],
  ] as const)('with %o detaches with %o', async (given, [code, reason]) => {
    const { socket, port, attach } = await openSocket();
    attach();
    socket.close(...(given as []));
    expect(port.take()).toEqual([[Op.Detach, port.handle, code ?? undefined, reason, 0]]);
    expect(socket.readyState).toBe(2);
    socket.close();
    expect(port.posted).toEqual([]);
  });

  test.each([999, 1001, 1006, 2999, 5000, Number.NaN, null])('refuses code %s', (code) => {
    expect(errorOf(() => open().close(code as number)).name).toBe('InvalidAccessError');
  });

  test('refuses a reason of more than 123 bytes', () => {
    const socket = open();
    expect(errorOf(() => socket.close(1000, 'ü'.repeat(62))).name).toBe('SyntaxError');
    expect(socket.readyState).toBe(0);
    socket.close(1000, 'x'.repeat(123));
    expect(socket.readyState).toBe(2);
  });

  test.each([
    [{ purge: true }, 1],
    [{ purge: false }, 0],
    [{}, 0],
  ] as const)('with %o tells whether to purge', async (given, purge) => {
    const { socket, port, attach } = await openSocket();
    attach();
    socket.close(given);
    expect(port.take()).toEqual([[Op.Detach, port.handle, undefined, '', purge]]);
  });

  test('ends with the answer of the hub, and nothing is delivered meanwhile', async () => {
    const { socket, port, attach, fired } = await openSocket();
    attach();
    const got = vi.fn();
    socket.onmessage = got;
    socket.close(3000, 'done');
    fired.length = 0;
    port.batch(0, ['late']);
    port.status('reconnecting', 'connection-lost', 2, [1006, '', 0]);
    port.say(Op.Closed, port.handle, 3000, 'done', 1);
    expect(got).not.toHaveBeenCalled();
    expect(fired.filter(([type]) => type !== 'statuschange')).toEqual([
      ['close', { code: 3000, reason: 'done', wasClean: true }],
    ]);
    expect(socket.status).toMatchObject({ state: 'closed', reason: 'closed', code: 3000 });
    expect(socket.protocol).toBe('v1');
  });

  test('ends all the same when the hub has gone', async () => {
    const { socket, port, attach, fired } = await openSocket();
    attach();
    socket.close(3000);
    fired.length = 0;
    port.say(Op.Crashed);
    await vi.advanceTimersByTimeAsync(1);
    expect(fired).toContainEqual(['close', { code: 1006, reason: '', wasClean: false }]);
    expect(workers.latest.all(Op.Attach)).toEqual([]);
  });

  test('ends in a later task where there is no port', async () => {
    const { socket, port, attach, fired } = await openSocket();
    attach();
    port.say(Op.Crashed);
    fired.length = 0;
    socket.close();
    expect(socket.readyState).toBe(2);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(socket.readyState).toBe(3);
    expect(fired.at(-1)).toEqual(['close', { code: 1006, reason: '', wasClean: false }]);
  });

  test('in a listener of statuschange is the last word', async () => {
    const { socket, port, fired } = await openSocket();
    socket.addEventListener('statuschange', () => socket.status.state === 'open' && socket.close());
    port.attached('open');
    expect(fired).toEqual([['statuschange']]);
  });
});

describe('reconnect', () => {
  test('asks the hub for a fresh socket', async () => {
    const { socket, port, attach } = await openSocket();
    attach();
    socket.reconnect();
    expect(port.take()).toEqual([[Op.Reconnect, port.handle]]);
  });

  test('revives what is closed, as a new handle', async () => {
    const { socket, port, attach, fired } = await openSocket();
    attach();
    const old = port.handle;
    port.say(Op.Closed, old, 1000, 'shutdown', 1);
    fired.length = 0;
    port.take();
    socket.reconnect();
    expect(port.handle).not.toBe(old);
    expect(socket.readyState).toBe(0);
    expect(socket.status).toMatchObject({ state: 'connecting' });
    port.attached('open');
    expect(fired).toEqual([['statuschange'], ['statuschange'], ['open']]);
  });
});

describe('shutdown', () => {
  test('is asked of the hub, and done when the handle is closed', async () => {
    const { socket, port, attach } = await openSocket();
    attach();
    const done = vi.fn();
    socket.shutdown().then(done);
    expect(port.take()).toEqual([[Op.Shutdown, port.handle]]);
    await settle();
    expect(done).not.toHaveBeenCalled();
    port.say(Op.Closed, port.handle, 1000, 'shutdown', 1);
    await settle();
    expect(done).toHaveBeenCalledOnce();
    await socket.shutdown();
  });

  test('is asked again of a fresh hub', async () => {
    const { socket, port, attach } = await openSocket();
    attach();
    socket.shutdown();
    port.say(Op.Who);
    expect(port.all(Op.Shutdown)).toHaveLength(2);
  });
});

describe('a hub client', () => {
  test('reports what the hub says of itself, from a fresh hub if need be', async () => {
    const { hub, port } = await openSocket();
    port.take();
    const report = hub.report();
    await settle();
    const [[, id]] = port.all(Op.Report) as [[Op.Report, number]];
    port.say(Op.Who);
    expect(port.all(Op.Report)).toHaveLength(2);
    port.say(Op.Reply, id, { tabs: 3 });
    expect(await report).toEqual({ tabs: 3 });
    port.say(Op.Who);
    expect(port.all(Op.Report)).toHaveLength(2);
  });

  test('has no report where there is no hub', async () => {
    vi.stubGlobal('SharedWorker', undefined);
    const report = createHub({ host: { use: 'shared-worker' } }).report();
    await expect(report).rejects.toBeInstanceOf(UnsupportedError);
  });

  test('closes its sockets and leaves', async () => {
    const { hub, socket, port, attach, fired } = await openSocket();
    attach();
    fired.length = 0;
    hub.close();
    expect(port.take()).toEqual([[Op.Bye]]);
    expect(port.isClosed).toBe(true);
    expect(fired).toEqual([['statuschange'], ['close', { code: 1005, reason: '', wasClean: true }]]);
    expect(socket.status).toMatchObject({ state: 'closed', reason: 'closed' });
    vi.advanceTimersByTime(60_000);
    expect(workers.made).toHaveLength(1);
  });

  test('with a name has a worker of its own', () => {
    createHub({ name: 'mine', host: { workerUrl: '/worker.js' } }).socket('wss://server.example/ws');
    expect(workers.latest.url).toBe('/worker.js#mine');
  });
});
