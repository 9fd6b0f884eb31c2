import { isQueueFullError, QueueFullError, type QueueOptions } from 'tabwire';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Op } from '../../../www/client/protocol.js';
import { type FakeWorker, installFakes, settle, workers } from './fakes.js';
import { openSocket } from './open-socket.js';

beforeEach(installFakes);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const failed = (count: number, reason: string) => ['sendfailed', { count, reason }];
const overflow = (count: number, policy: string) => ['overflow', { count, policy }];
const page = (type: string) => window.dispatchEvent(Object.assign(new Event(type), { persisted: true }));
const lost = [1006, '', 0] as [number, string, 0];

/** A socket with these queue options that the hub has, and whose connection is open or not. */
const start = async (queue: QueueOptions, state: 'open' | 'connecting' = 'connecting') => {
  const { fired, ...rest } = await openSocket({ queue });
  rest.port.attached(state);
  rest.port.take();
  fired.length = 0;
  return { fired, ...rest };
};

describe('send', () => {
  test('posts what is sent in a task at its end, in one message', async () => {
    const { socket, port } = await start({}, 'open');
    socket.send('a');
    socket.send('b');
    expect(port.posted).toEqual([]);
    await settle();
    expect(port.take()).toEqual([[Op.Send, port.handle, 7, 0, ['a', 'b']]]);
    socket.send('c');
    await settle();
    expect(port.take()).toEqual([[Op.Send, port.handle, 7, 2, ['c']]]);
  });

  test('waits for the hub to know the handle', async () => {
    const { socket, port } = await openSocket();
    socket.send('early');
    await settle();
    expect(port.all(Op.Send)).toEqual([]);
    port.attached('connecting');
    expect(port.all(Op.Send)).toEqual([[Op.Send, port.handle, 7, 0, ['early']]]);
  });

  test('copies at the call', async () => {
    const { socket, port } = await start({}, 'open');
    const bytes = new Uint8Array([0, 1, 2, 3]);
    socket.send(bytes);
    socket.send(bytes.subarray(1, 3));
    socket.send(new DataView(bytes.buffer, 2));
    socket.send(bytes.buffer);
    bytes.fill(9);
    await settle();
    const [[, , , , frames]] = port.all(Op.Send) as [[Op.Send, number, number, number, ArrayBuffer[]]];
    expect(frames.map((frame) => [frame instanceof ArrayBuffer, ...new Uint8Array(frame)])).toEqual([
      [true, 0, 1, 2, 3],
      [true, 1, 2],
      [true, 2, 3],
      [true, 0, 1, 2, 3],
    ]);
  });

  test('passes blobs on, in order, and turns the rest into text', async () => {
    const { socket, port } = await start({}, 'open');
    const blob = new Blob(['12345']);
    const said: unknown[] = ['a', blob, 5, null, { toString: () => 'object' }];
    for (const data of said) socket.send(data as string);
    expect(socket.bufferedAmount).toBe(1 + 5 + 1 + 4 + 6);
    await settle();
    expect(port.sent).toEqual(['a', blob, '5', 'null', 'object']);
    expect(() => socket.send(Symbol('no') as never)).toThrow(TypeError);
  });

  test('before close is posted before it', async () => {
    const { socket, port } = await start({}, 'open');
    socket.send('last');
    socket.close();
    expect(port.posted.map(([op]) => op)).toEqual([Op.Send, Op.Detach]);
  });

  test('after close is discarded, and counted as WebSocket does', async () => {
    const { socket, port } = await start({ maxMessages: 1 }, 'open');
    socket.close();
    port.take();
    for (const text of ['late', 'later']) socket.send(text);
    await settle();
    expect(port.posted).toEqual([]);
    expect(socket.bufferedAmount).toBe(9);
  });
});

describe('bufferedAmount', () => {
  test('is the bytes in UTF-8 that have not been handed to the socket', async () => {
    const { socket, port } = await start({}, 'open');
    socket.send('ü');
    socket.send('€');
    socket.send(new ArrayBuffer(10));
    expect(socket.bufferedAmount).toBe(15);
    await settle();
    expect(socket.bufferedAmount).toBe(15);
    port.say(Op.Sent, port.handle, 1, 0);
    expect(socket.bufferedAmount).toBe(13);
    port.say(Op.Sent, port.handle, 3, 2);
    expect(socket.bufferedAmount).toBe(0);
  });

  test('is less by what failed', async () => {
    const { socket, port, fired } = await start({});
    for (const text of ['1', '22', '333']) socket.send(text);
    await settle();
    port.say(Op.Failed, port.handle, 0, 2, 'expired');
    expect(fired).toEqual([failed(2, 'expired')]);
    expect(socket.bufferedAmount).toBe(3);
    port.say(Op.Sent, port.handle, 3, 3);
    expect(socket.bufferedAmount).toBe(0);
  });
});

describe('the bounds while not open', () => {
  test.each([
    [{ maxMessages: 2 }, ['a', 'b'], 'c'],
    [{ maxBytes: 4 }, ['aaa', 'b'], 'c'],
    [{ maxBytes: 4 }, ['ü'], '€'],
  ])('%o throws with reject, and nothing is queued', async (queue, accepted, refused) => {
    const { socket, port, fired } = await start(queue);
    for (const text of accepted) socket.send(text);
    // What has been posted counts as long as it has not been handed.
    await settle();
    const { bufferedAmount } = socket;
    let error: unknown;
    try {
      socket.send(refused);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(QueueFullError);
    expect(isQueueFullError(error)).toBe(true);
    expect(socket.bufferedAmount).toBe(bufferedAmount);
    await settle();
    expect(port.sent).toEqual(accepted);
    expect(fired).toEqual([]);
  });

  test('accept the first message, however large', async () => {
    const { socket } = await start({ maxMessages: 0, maxBytes: 0 });
    socket.send('large');
    expect(() => socket.send('')).toThrow(QueueFullError);
  });

  test('drop the new with drop-newest, counted together', async () => {
    const { socket, port, fired } = await start({ maxMessages: 1, overflow: 'drop-newest' });
    for (const text of ['a', 'b', 'c']) socket.send(text);
    expect(fired).toEqual([]);
    await settle();
    expect(port.sent).toEqual(['a']);
    expect(fired).toEqual([overflow(2, 'drop-newest'), failed(2, 'overflow')]);
    expect(socket.bufferedAmount).toBe(1);
  });

  test('drop the oldest that is still here with drop-oldest, and leave the rest to the hub', async () => {
    const { socket, port, fired } = await start({ maxMessages: 2, overflow: 'drop-oldest' });
    for (const text of ['a', 'b', 'c']) socket.send(text);
    await settle();
    expect(port.sent).toEqual(['b', 'c']);
    expect(fired.splice(0)).toEqual([overflow(1, 'drop-oldest'), failed(1, 'overflow')]);

    socket.send('d');
    await settle();
    expect(port.sent).toEqual(['b', 'c', 'd']);
    expect(fired).toEqual([]);
    port.say(Op.Failed, port.handle, 0, 1, 'overflow');
    expect(fired).toEqual([overflow(1, 'drop-oldest'), failed(1, 'overflow')]);
    expect(socket.bufferedAmount).toBe(2);
  });

  test('are those of the options, 1000 messages and 1 MiB by default', async () => {
    const { socket } = await start({});
    for (let i = 0; i < 1000; i++) socket.send('');
    expect(() => socket.send('')).toThrow(QueueFullError);
    const { socket: other } = await start({});
    other.send('x'.repeat(2 ** 20));
    expect(() => other.send('x')).toThrow(QueueFullError);
  });
});

describe('the bound while open', () => {
  test('is what is on its way to the socket', async () => {
    const { socket, port } = await start({ maxMessages: 1, maxBytes: 1, maxInFlight: 10 }, 'open');
    socket.send('1234567');
    socket.send('890');
    await settle();
    expect(() => socket.send('x')).toThrow(QueueFullError);
    port.say(Op.Sent, port.handle, 1, 0);
    socket.send('x');
  });
});

describe('when a hub dies', () => {
  test('what it cannot have handed is sent again, with continuing ids', async () => {
    const { socket, port, fired } = await start({});
    socket.send('a');
    await settle();
    socket.send('b');
    port.say(Op.Crashed);
    await vi.advanceTimersByTimeAsync(1);
    socket.send('c');
    workers.latest.welcome('two');
    workers.latest.attached('connecting');
    expect(workers.latest.all(Op.Send)).toEqual([[Op.Send, workers.latest.handle, 7, 1, ['a', 'b', 'c']]]);
    expect(fired).toEqual([['statuschange'], ['statuschange']]);
    expect(socket.bufferedAmount).toBe(3);
  });

  test('what may have reached the server is counted, and not sent again', async () => {
    const { socket, port, fired } = await start({}, 'open');
    for (const text of ['confirmed', 'handed', 'posted']) socket.send(text);
    await settle();
    port.say(Op.Sent, port.handle, 2, 1);
    socket.send('fresh');
    port.say(Op.Crashed);
    expect(fired).toContainEqual(failed(2, 'unknown'));
    await vi.advanceTimersByTimeAsync(1);
    workers.latest.welcome('two');
    workers.latest.attached('open');
    expect(workers.latest.sent).toEqual(['fresh']);
    expect(workers.latest.all(Op.Send)[0]?.[3]).toBe(3);
  });

  test("is sent again with resend 'unknown'", async () => {
    const { socket, port, fired } = await start({ resend: 'unknown' }, 'open');
    for (const text of ['confirmed', 'handed', 'posted']) socket.send(text);
    await settle();
    port.say(Op.Sent, port.handle, 2, 1);
    expect(socket.bufferedAmount).toBe(6);
    port.say(Op.Crashed);
    expect(socket.bufferedAmount).toBe(12);
    await vi.advanceTimersByTimeAsync(1);
    workers.latest.welcome('two');
    workers.latest.attached('open');
    expect(workers.latest.sent).toEqual(['handed', 'posted']);
    expect(fired.filter(([type]) => type === 'sendfailed')).toEqual([]);
  });

  test('what was posted before open counts as handed once open has been seen', async () => {
    const { socket, port, fired } = await start({});
    socket.send('a');
    await settle();
    port.status('open', 'opened', 1);
    port.say(Op.Crashed);
    expect(fired).toContainEqual(failed(1, 'unknown'));
  });

  test('what was sent since the connection was lost is sent again', async () => {
    const { socket, port, fired } = await start({}, 'open');
    socket.send('before');
    await settle();
    port.say(Op.Sent, port.handle, 1, 0);
    port.status('reconnecting', 'connection-lost', 2, lost);
    port.say(Op.Failed, port.handle, 0, 1, 'unknown');
    port.say(Op.Sent, port.handle, 1, 1);
    socket.send('meanwhile');
    await settle();
    port.say(Op.Crashed);
    await vi.advanceTimersByTimeAsync(1);
    workers.latest.welcome('two');
    workers.latest.attached('connecting');
    expect(workers.latest.sent).toEqual(['meanwhile']);
    expect(fired.filter(([type]) => type === 'sendfailed')).toEqual([failed(1, 'unknown')]);
  });

  test.each([
    ['frozen', () => document.dispatchEvent(new Event('freeze')), () => document.dispatchEvent(new Event('resume'))],
    ['cached', () => page('pagehide'), () => page('pageshow')],
  ])('what was posted before the page was %s may have been handed unseen', async (_, suspend, comeBack) => {
    const { socket, port, fired } = await start({});
    socket.send('before');
    await settle();
    suspend();
    // Another listener to the same event sends this.
    socket.send('last');
    await settle();
    comeBack();
    port.attached('connecting');
    socket.send('after');
    await settle();
    port.say(Op.Crashed);
    await vi.advanceTimersByTimeAsync(1);
    workers.latest.welcome('two');
    workers.latest.attached('connecting');
    expect(workers.latest.sent).toEqual(['after']);
    expect(fired.filter(([type]) => type === 'sendfailed')).toEqual([failed(2, 'unknown')]);
  });

  test('of which not all was heard, what was posted may have been handed, and is not sent again', async () => {
    const { socket, port, fired } = await start({});
    socket.send('posted');
    await settle();
    socket.send('fresh');
    port.onmessage?.({ data: [Op.Crashed, null, null, 1] });
    await vi.advanceTimersByTimeAsync(1);
    workers.latest.welcome('two');
    workers.latest.attached('connecting');
    expect(workers.latest.sent).toEqual(['fresh']);
    expect(fired.filter(([type]) => type === 'sendfailed')).toEqual([failed(1, 'unknown')]);
  });

  test('what failed already is not counted again', async () => {
    const { socket, port, fired } = await start({}, 'open');
    for (const text of ['a', 'b']) socket.send(text);
    await settle();
    port.say(Op.Sent, port.handle, 2, 0);
    port.say(Op.Failed, port.handle, 0, 1, 'unknown');
    port.say(Op.Crashed);
    expect(fired.filter(([type]) => type === 'sendfailed')).toEqual([failed(1, 'unknown'), failed(1, 'unknown')]);
  });
});

describe('when a hub says who', () => {
  const who = (port: FakeWorker, epoch = 'one') => {
    port.say(Op.Who);
    port.welcome(epoch);
    port.take();
    port.attached('connecting');
  };

  test('all that it was posted is of unknown fate, since it may be the same that had given this tab up', async () => {
    const { socket, port, fired } = await start({});
    socket.send('posted');
    await settle();
    socket.send('fresh');
    who(port);
    expect(port.sent).toEqual(['fresh']);
    expect(fired).toContainEqual(failed(1, 'unknown'));
  });

  test("all of it is sent again with resend 'unknown'", async () => {
    const { socket, port, fired } = await start({ resend: 'unknown' });
    socket.send('posted');
    await settle();
    who(port);
    expect(port.sent).toEqual(['posted']);
    expect(fired.filter(([type]) => type === 'sendfailed')).toEqual([]);
  });

  test('that says who after a second script, and is the same, had given the tab up all the same', async () => {
    const { socket, port, fired } = await start({});
    socket.send('posted');
    await settle();
    port.say(Op.Script, 'build');
    who(port);
    expect(port.sent).toEqual([]);
    expect(fired).toContainEqual(failed(1, 'unknown'));
  });

  test('what a worker that starts again cannot have handed is sent again', async () => {
    const { socket, port, fired } = await start({});
    socket.send('posted');
    await settle();
    port.say(Op.Script, 'build');
    // Everything that the tab had said to the old one is answered so.
    who(port, 'two');
    expect(port.sent).toEqual(['posted']);
    expect(fired.filter(([type]) => type === 'sendfailed')).toEqual([]);
  });
});

describe('when the handle ends', () => {
  test('what still waits has failed as closed', async () => {
    const { socket, port, fired } = await start({});
    socket.send('posted');
    await settle();
    socket.send('not posted');
    port.say(Op.Failed, port.handle, 0, 1, 'closed');
    port.say(Op.Closed, port.handle, 1008, '', 1);
    expect(fired.filter(([type]) => type === 'sendfailed')).toEqual([failed(1, 'closed'), failed(1, 'closed')]);
  });

  test('as failed, everything has', async () => {
    vi.stubGlobal('Worker', undefined);
    const { socket, fired } = await openSocket();
    socket.send('never');
    workers.latest.say(Op.Refused, workers.latest.handle, 'bad-options', 'queue.ttl');
    await settle();
    expect(fired).toContainEqual(failed(1, 'closed'));
  });

  test('and is revived, sends begin afresh', async () => {
    const { socket, port } = await start({ maxMessages: 1 });
    port.say(Op.Closed, port.handle, 1000, '', 1);
    socket.send('discarded');
    socket.reconnect();
    port.attached('connecting');
    socket.send('a');
    await settle();
    expect(port.sent).toEqual(['a']);
    expect(socket.bufferedAmount).toBe(1);
    expect(() => socket.send('b')).toThrow(QueueFullError);
  });
});
