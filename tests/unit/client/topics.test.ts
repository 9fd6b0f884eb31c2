import { createHub, isRequestError, type SocketOptions, type TopicMessage } from 'tabwire';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import jsonTemplate from '../../../src/core/subprotocol/json.json';
import { Op } from '../../../www/client/protocol.js';
import { json } from '../../../www/client/topics.js';
import { installFakes, settle, workers, workerUrl } from './fakes.js';
import { openSocket } from './open-socket.js';

beforeEach(installFakes);

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const start = async (options: SocketOptions = {}) => {
  const opened = await openSocket({ subprotocol: 'json', ...options });
  opened.attach();
  opened.fired.length = 0;
  return opened;
};

/** What a message without a topic is marked with. */
const None = 2 ** 32 - 1;

const message = (topic: string, data: unknown) => JSON.stringify({ type: 'message', topic, data });

/** Subscribes, and notes what comes. */
const listen = async ({ socket, port }: Awaited<ReturnType<typeof start>>, topic: string) => {
  const got: TopicMessage[] = [];
  const errors: unknown[] = [];
  const subscription = socket.subscribe(topic, (message) => got.push(message), {
    onerror: (error) => errors.push(error),
  });
  await settle();
  const [[, handle, conn, wanted] = []] = port.all(Op.Subscribe).slice(-1);
  const [number = 0] = wanted?.at(-1) ?? [];
  return { got, errors, subscription, handle, conn, wanted, number };
};

test('what tabs know of json is what the hub knows of it', () => {
  expect(jsonTemplate.receive).toMatchObject(json.receive ?? {});
});

describe('subscribe', () => {
  test('asks for all that is wanted in one task, in one message', async () => {
    const { socket, port } = await start();
    socket.subscribe('a', () => {});
    socket.subscribe('b', () => {}, { replay: 5 });
    await settle();
    expect(port.take()).toEqual([
      [
        Op.Subscribe,
        port.handle,
        7,
        [
          [1, 'a', 1],
          [2, 'b', 5],
        ],
      ],
    ]);
  });

  test('waits for the hub to know the handle', async () => {
    const { socket, port } = await openSocket({ subprotocol: 'json' });
    socket.subscribe('a', () => {});
    await settle();
    expect(port.all(Op.Subscribe)).toEqual([]);
    port.attached('connecting');
    expect(port.all(Op.Subscribe)).toEqual([[Op.Subscribe, port.handle, 7, [[1, 'a', 1]]]]);
  });

  test('gives what has come before with its time, then what comes', async () => {
    const opened = await start();
    const { port } = opened;
    const { got, number } = await listen(opened, 'a');
    port.batch(0, [message('a', 'too early: it is told again')], 0, [3]);
    port.say(Op.Subscribed, port.handle, number, [message('a', 1)], [1700], 3);
    port.batch(1, [message('b', 2), message('a', { price: 3 }), 'no JSON', new ArrayBuffer(1)], 0, [4, 3, None, None]);
    port.batch(5, [message('a', 'of a connection without topics')]);
    expect(got).toEqual([
      { topic: 'a', data: 1, asOf: 1700 },
      { topic: 'a', data: { price: 3 } },
    ]);
  });

  test('fires every message of the tab at its socket as well', async () => {
    const opened = await start();
    const texts: unknown[] = [];
    opened.socket.onmessage = ({ data }) => texts.push(data);
    await listen(opened, 'a');
    opened.port.batch(0, [message('a', 1), 'other']);
    expect(texts).toEqual([message('a', 1), 'other']);
  });

  test('takes topic and data from where a template says', async () => {
    const receive = { message: { topic: '/params/0/a~1b', data: '' } };
    const opened = await start({ subprotocol: { receive, send: { subscribe: '{topic}' } } });
    const { got, number } = await listen(opened, 't');
    opened.port.say(Op.Subscribed, opened.port.handle, number, [], [], 0);
    opened.port.batch(0, ['{"params":[{"a/b":"t"}]}'], 0, [0]);
    expect(got).toEqual([{ topic: 't', data: { params: [{ 'a/b': 't' }] } }]);
  });

  test('a listener that throws is reported, and the others go on', async () => {
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    const opened = await start();
    opened.socket.subscribe('a', () => {
      throw new Error('mine');
    });
    const { got, number } = await listen(opened, 'a');
    opened.port.say(Op.Subscribed, opened.port.handle, 1, [], [], 3);
    opened.port.say(Op.Subscribed, opened.port.handle, number, [], [], 3);
    opened.port.batch(0, [message('a', 1)], 0, [3]);
    expect(reported).toHaveBeenCalledWith(expect.objectContaining({ message: 'mine' }));
    expect(got).toEqual([{ topic: 'a', data: 1 }]);
  });

  test('tells the listener that asked of an error, and has ended', async () => {
    const opened = await start();
    const { port } = opened;
    const { got, errors, number } = await listen(opened, 'secret');
    port.say(Op.Unsubscribed, port.handle, number, 'refused', '{"code":403}');
    expect(errors.map((error) => isRequestError(error) && [error.code, error.detail])).toEqual([
      ['refused', { code: 403 }],
    ]);
    port.attached('open');
    expect(port.all(Op.Subscribe)).toHaveLength(1);
    expect(got).toEqual([]);
  });

  test('is asked for again at another hub, and gets nothing before that knows of it', async () => {
    const opened = await start();
    const { port } = opened;
    const { got, number } = await listen(opened, 'a');
    port.say(Op.Subscribed, port.handle, number, [], [], 3);
    port.take();
    port.say(Op.Who);
    port.welcome('two');
    port.attached('open', 0, [], 7);
    expect(port.all(Op.Subscribe)).toEqual([[Op.Subscribe, port.handle, 7, [[number, 'a', 1]]]]);
    port.batch(0, [message('a', 1)], 0, [3]);
    expect(got).toEqual([]);
    port.say(Op.Subscribed, port.handle, number, [message('a', 1)], [5], 4);
    expect(got).toEqual([{ topic: 'a', data: 1, asOf: 5 }]);
  });

  test('an error handler that throws is reported, and the page hears on', async () => {
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    const { socket, port } = await start();
    const texts: unknown[] = [];
    socket.onmessage = ({ data }) => texts.push(data);
    socket.subscribe('a', () => {}, {
      onerror() {
        throw new Error('mine');
      },
    });
    await settle();
    port.say(Op.Unsubscribed, port.handle, 1, 'timeout', '');
    port.batch(0, ['later']);
    expect(reported).toHaveBeenCalledWith(expect.objectContaining({ message: 'mine' }));
    expect(texts).toEqual(['later']);
  });

  test('a number of messages that is none is an error at once', async () => {
    const { socket } = await start();
    for (const replay of [-1, 0.5, Number.NaN]) {
      expect(() => socket.subscribe('a', () => {}, { replay })).toThrow(new RangeError(`replay: ${replay}`));
    }
  });

  test('goes on when the socket is opened again', async () => {
    const opened = await start();
    const { port, socket } = opened;
    const { number } = await listen(opened, 'a');
    port.say(Op.Closed, port.handle, 4400, '', 1);
    port.take();
    socket.reconnect();
    await settle();
    port.attached('open');
    expect(port.all(Op.Subscribe)).toEqual([[Op.Subscribe, port.handle, 7, [[number, 'a', 1]]]]);
  });
});

describe('a page that was cached', () => {
  test('hears what the hub has kept for it before it is attached again', async () => {
    const opened = await start();
    const { port } = opened;
    const { got, number } = await listen(opened, 'a');
    port.say(Op.Subscribed, port.handle, number, [], [], 3);
    window.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: true }));
    window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    port.welcome();
    port.batch(0, [message('a', 'kept')], 0, [3]);
    port.attached('open', 1);
    port.batch(1, [message('a', 'next')], 0, [3]);
    port.say(Op.Subscribed, port.handle, number, [], [], 3);
    port.batch(2, [message('a', 'last')], 0, [3]);
    expect(got.map(({ data }) => data)).toEqual(['kept', 'next', 'last']);
  });
});

describe('a topic with positions', () => {
  /** Loses the hub and finds another. */
  const toAnotherHub = ({ port }: Awaited<ReturnType<typeof start>>) => {
    port.take();
    port.say(Op.Who);
    port.welcome('two');
    port.attached('open', 0, [], 8);
  };

  test('is gone on with after the last message that its listener was called with, and nothing is in doubt', async () => {
    const opened = await start();
    const { port, fired } = opened;
    const { number } = await listen(opened, 'a');
    port.say(Op.Subscribed, port.handle, number, [message('a', 1)], [5], 3);
    port.batch(0, [message('a', 2)], 0, [3]);
    toAnotherHub(opened);
    expect(port.all(Op.Subscribe)).toEqual([[Op.Subscribe, port.handle, 8, [[number, 'a', 1, message('a', 2), 0, 0]]]]);
    expect(fired.filter(([type]) => type === 'gap')).toEqual([]);
  });

  test('of which nothing has come makes the loss of the hub a gap', async () => {
    const opened = await start();
    const { port, fired } = opened;
    const { number } = await listen(opened, 'a');
    port.say(Op.Subscribed, port.handle, number, [], [], 3);
    toAnotherHub(opened);
    expect(fired.filter(([type]) => type === 'gap')).toHaveLength(1);
  });

  test('does not bring back what has no topic', async () => {
    const opened = await start();
    const { port, fired } = opened;
    const { number } = await listen(opened, 'a');
    port.say(Op.Subscribed, port.handle, number, [], [], 3);
    port.batch(0, [message('a', 2), 'to all'], 0, [3, None]);
    toAnotherHub(opened);
    expect(fired.filter(([type]) => type === 'gap')).toHaveLength(1);
  });

  test('tells which messages are missed', async () => {
    const { socket, port } = await start();
    const gaps: unknown[] = [];
    socket.addEventListener('gap', ({ topic, from, to, reason, suspected }) =>
      gaps.push([topic, from, to, reason, suspected]),
    );
    socket.subscribe('a', () => {});
    await settle();
    port.say(Op.Missed, port.handle, 1, '"1-5"', '"1-9"', 'not-recovered', 0);
    port.say(Op.Missed, port.handle, 1, '5', null, 'counted-anew', 1);
    expect(gaps).toEqual([
      ['a', '1-5', '1-9', 'not-recovered', false],
      ['a', 5, undefined, 'counted-anew', true],
    ]);
  });

  test.each([
    ['all of which the next hub has', message('a', 1), []],
    ['of which nothing has come', undefined, ['moved']],
  ])('%s, at a planned move of the hub', async (_, last, reasons) => {
    const opened = await start();
    const { socket, port } = opened;
    const gaps: string[] = [];
    socket.addEventListener('gap', ({ reason }) => gaps.push(reason));
    const { number } = await listen(opened, 'a');
    port.say(Op.Subscribed, port.handle, number, last ? [last] : [], last ? [5] : [], 3);
    port.status('reconnecting', 'moved', 2);
    // That of another connection of the page.
    port.say(Op.Status, 8, 'reconnecting', 0, null, 1000, 'moved', 0, 'websocket', '', '', 2);
    port.say(Op.Move, { workerUrl, name: 'tabwire@1' });
    expect(gaps).toEqual(reasons);
  });
});

describe('a tab that the hub had given up and takes again', () => {
  test('hears by the marks that it is told anew, and has no hole where positions cover it', async () => {
    const opened = await start();
    const { port, fired } = opened;
    const { got, number } = await listen(opened, 'a');
    port.say(Op.Subscribed, port.handle, number, [message('a', 1)], [5], 3);
    port.attached('open', 20);
    port.batch(20, [message('b', 2)], 0, [3]);
    port.say(Op.Subscribed, port.handle, number, [message('a', 3)], [5], 4);
    port.batch(21, [message('a', 4)], 0, [4]);
    expect(got.map(({ data }) => data)).toEqual([1, 3, 4]);
    expect(fired.filter(([type]) => type === 'gap')).toEqual([]);
  });

  test('has a suspected gap without them', async () => {
    const { port, fired } = await openSocket();
    port.attached('open');
    port.batch(0, ['one']);
    port.attached('open', 20);
    port.batch(20, ['later']);
    const gaps = fired.filter(([type]) => type === 'gap');
    expect(gaps).toEqual([['gap', { from: undefined, to: undefined, reason: 'hub-lost', suspected: true }]]);
  });
});

describe("a subscription with deliver: 'one'", () => {
  test('acknowledges a message once its listener has dealt with it', async () => {
    const { socket, port } = await start();
    const got: TopicMessage[] = [];
    let finish = () => {};
    socket.subscribe(
      'jobs',
      (message) => {
        got.push(message);
        return new Promise<void>((resolve) => {
          finish = resolve;
        });
      },
      { deliver: 'one' },
    );
    await settle();
    expect(port.take()).toEqual([[Op.Subscribe, port.handle, 7, [[1, 'jobs', 0, null, 0, 1]]]]);
    port.say(Op.Subscribed, port.handle, 1, [], [], 3);
    port.say(Op.Single, port.handle, 1, [message('jobs', 1)], [5], 9, 0);
    port.say(Op.Single, port.handle, 1, [message('jobs', 2)], [5], 10, 1);
    await settle();
    expect(got).toEqual([
      { topic: 'jobs', data: 1 },
      { topic: 'jobs', data: 2, redelivered: true },
    ]);
    expect(port.take()).toEqual([]);
    finish();
    await settle();
    expect(port.take()).toEqual([[Op.Done, port.handle, 7, 10]]);
  });

  test('acknowledges what its listener fails at, and reports that', async () => {
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    const { socket, port } = await start();
    socket.subscribe('jobs', () => Promise.reject(new Error('mine')), { deliver: 'one' });
    await settle();
    port.say(Op.Single, port.handle, 1, [message('jobs', 1)], [5], 9, 0);
    await settle();
    expect(port.all(Op.Done)).toEqual([[Op.Done, port.handle, 7, 9]]);
    expect(reported).toHaveBeenCalledWith(expect.objectContaining({ message: 'mine' }));
  });

  test('acknowledges nothing at another hub', async () => {
    const { socket, port } = await start();
    socket.subscribe('jobs', () => {}, { deliver: 'one', conflate: true });
    await settle();
    port.say(Op.Single, port.handle, 1, [message('jobs', 1)], [5], 9, 0);
    port.say(Op.Who);
    port.welcome('two');
    port.attached('open', 0, [], 8);
    await settle();
    expect(port.all(Op.Done)).toEqual([]);
    expect(port.all(Op.Subscribe).at(-1)?.[3]).toEqual([[1, 'jobs', 0, message('jobs', 1), 1, 1]]);
  });
});

describe('closing a subscription', () => {
  test('tells the hub, once', async () => {
    const opened = await start();
    const { port } = opened;
    const { got, subscription, number } = await listen(opened, 'a');
    port.say(Op.Subscribed, port.handle, number, [], [], 3);
    port.take();
    subscription.close();
    subscription.close();
    await settle();
    expect(port.take()).toEqual([[Op.Unsubscribe, port.handle, 7, [number]]]);
    port.batch(0, [message('a', 1)], 0, [3]);
    expect(got).toEqual([]);
  });

  test('ends it at once, for the rest of what has come as well', async () => {
    const { socket, port } = await start();
    const got: unknown[] = [];
    const subscription = socket.subscribe('a', ({ data }) => {
      got.push(data);
      subscription.close();
    });
    await settle();
    port.say(Op.Subscribed, port.handle, 1, [], [], 3);
    port.batch(0, [message('a', 1), message('a', 2)], 0, [3, 3]);
    expect(got).toEqual([1]);
  });
});

describe('publish', () => {
  test('keeps its place among what is sent, and counts its bytes', async () => {
    const { socket, port } = await start();
    socket.send('first');
    socket.publish('a', { n: 1 });
    socket.send('last');
    expect(socket.bufferedAmount).toBe(5 + 9 + 4);
    await settle();
    expect(port.take()).toEqual([[Op.Send, port.handle, 7, 0, ['first', ['a', '{"n":1}'], 'last']]]);
  });
});

test('what is no text or no JSON is published as what JSON makes of it', async () => {
  const { socket, port } = await start();
  socket.publish(5 as never, undefined);
  await settle();
  expect(port.take()).toEqual([[Op.Send, port.handle, 7, 0, [['5', 'null']]]]);
});

describe('request', () => {
  test('resolves with the data of its answer', async () => {
    const { socket, port } = await start();
    const answer = socket.request({ method: 'add' });
    await settle();
    expect(port.take()).toEqual([[Op.Request, port.handle, 7, 1, '{"method":"add"}', 10_000]]);
    port.say(Op.Answered, port.handle, 1, ['{"type":"answer","id":9,"data":3}'], [0]);
    expect(await answer).toBe(3);
  });

  test.each([
    ['refused', [Op.Answered, ['{"id":9,"error":{"code":-32601}}'], [0]], { code: -32601 }],
    ['timeout', [Op.Unanswered, 'timeout'], undefined],
  ] as const)('rejects with code %s', async (code, [op, ...items], detail) => {
    const { socket, port } = await start();
    const answer = socket.request(1).catch((error) => error);
    await settle();
    port.say(...([op, port.handle, 1, ...items] as unknown as [Op.Who]));
    expect(await answer).toMatchObject({ name: 'RequestError', code, ...(detail && { detail }) });
  });

  test('is given up by its signal, which the hub is told', async () => {
    const { socket, port } = await start();
    const abort = new AbortController();
    const answer = socket.request(1, { signal: abort.signal, timeout: 500 }).catch((error) => error);
    await settle();
    port.take();
    abort.abort('enough');
    expect(await answer).toBe('enough');
    expect(port.take()).toEqual([[Op.Cancel, port.handle, 7, 1]]);
    expect(await socket.request(1, { signal: abort.signal }).catch((error) => error)).toBe('enough');
  });

  test('that a dead hub had is lost, and one that it had not is asked of the next', async () => {
    const { socket, port } = await start();
    const posted = socket.request('posted').catch((error) => error);
    await settle();
    port.say(Op.Who);
    const fresh = socket.request('fresh');
    await settle();
    expect(await posted).toMatchObject({ code: 'lost' });
    port.welcome('two');
    port.take();
    port.attached('open');
    expect(port.all(Op.Request)).toEqual([[Op.Request, port.handle, 7, 2, '"fresh"', 10_000]]);
    port.say(Op.Answered, port.handle, 2, ['{"data":"yes"}'], [0]);
    expect(await fresh).toBe('yes');
  });

  test('is bounded in number, and leaves nothing at its signal', async () => {
    const { socket, port } = await start();
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, 'addEventListener');
    const answers = Array.from({ length: 1000 }, (_, number) => socket.request(number, { signal }));
    await settle();
    expect(await socket.request('more').catch((error) => error)).toMatchObject({ code: 'queue-full' });
    for (const [, , , number] of port.all(Op.Request)) port.say(Op.Answered, port.handle, number, ['{"data":1}'], [0]);
    expect(new Set(await Promise.all(answers))).toEqual(new Set([1]));
    expect(remove.mock.calls.every(([, , options]) => (options as { signal: AbortSignal }).signal.aborted)).toBe(true);
  });

  test('times out where there is no hub to count', async () => {
    const { socket, port } = await openSocket({ subprotocol: 'json' });
    const answer = socket.request(1, { timeout: 500 }).catch((error) => error);
    await settle();
    expect(port.all(Op.Request)).toEqual([]);
    await vi.advanceTimersByTimeAsync(500);
    expect(await answer).toMatchObject({ code: 'timeout' });
    port.attached('open');
    expect(port.all(Op.Request)).toEqual([]);
  });

  test('with a timeout that is none is an error', async () => {
    const { socket } = await start();
    expect(await socket.request(1, { timeout: -5 }).catch((error) => error)).toEqual(new RangeError('timeout: -5'));
  });

  test('of a socket that is closed rejects, and opens no worker again', async () => {
    const made = workers.made.length;
    const hub = createHub();
    const socket = hub.socket('wss://server.example/ws', [], { subprotocol: 'json' });
    const answer = socket.request(1).catch((error) => error);
    hub.close();
    await settle();
    expect(await answer).toMatchObject({ code: 'closed' });
    expect(await socket.request(2).catch((error) => error)).toMatchObject({ code: 'closed' });
    expect(workers.made).toHaveLength(made + 1);
  });

  test('rejects when the socket ends', async () => {
    const { socket, port } = await start();
    const answer = socket.request(1).catch((error) => error);
    await settle();
    port.say(Op.Closed, port.handle, 1000, '', 1);
    expect(await answer).toMatchObject({ code: 'closed' });
  });
});
