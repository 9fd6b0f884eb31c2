import { isRequestError, type SocketOptions, type TopicMessage } from 'tabwire';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import jsonTemplate from '../../../src/core/subprotocol/json.json';
import { Op } from '../../../www/client/protocol.js';
import { json } from '../../../www/client/topics.js';
import { installFakes, settle } from './fakes.js';
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
    port.batch(0, [message('a', 'too early: it is told again')]);
    port.say(Op.Subscribed, port.handle, number, [message('a', 1)], [1700]);
    port.batch(1, [message('b', 2), message('a', { price: 3 }), 'no JSON', new ArrayBuffer(1)]);
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
    opened.port.say(Op.Subscribed, opened.port.handle, number, [], []);
    opened.port.batch(0, ['{"params":[{"a/b":"t"}]}']);
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
    opened.port.say(Op.Subscribed, opened.port.handle, 1, [], []);
    opened.port.say(Op.Subscribed, opened.port.handle, number, [], []);
    opened.port.batch(0, [message('a', 1)]);
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
    port.say(Op.Subscribed, port.handle, number, [], []);
    port.take();
    port.say(Op.Who);
    port.welcome('two');
    port.attached('open', 0, [], 7);
    expect(port.all(Op.Subscribe)).toEqual([[Op.Subscribe, port.handle, 7, [[number, 'a', 1]]]]);
    port.batch(0, [message('a', 1)]);
    expect(got).toEqual([]);
    port.say(Op.Subscribed, port.handle, number, [message('a', 1)], [5]);
    expect(got).toEqual([{ topic: 'a', data: 1, asOf: 5 }]);
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

describe('closing a subscription', () => {
  test('tells the hub, once', async () => {
    const opened = await start();
    const { port } = opened;
    const { got, subscription, number } = await listen(opened, 'a');
    port.say(Op.Subscribed, port.handle, number, [], []);
    port.take();
    subscription.close();
    subscription.close();
    await settle();
    expect(port.take()).toEqual([[Op.Unsubscribe, port.handle, 7, [number]]]);
    port.batch(0, [message('a', 1)]);
    expect(got).toEqual([]);
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

  test('rejects when the socket ends', async () => {
    const { socket, port } = await start();
    const answer = socket.request(1).catch((error) => error);
    await settle();
    port.say(Op.Closed, port.handle, 1000, '', 1);
    expect(await answer).toMatchObject({ code: 'closed' });
  });
});
