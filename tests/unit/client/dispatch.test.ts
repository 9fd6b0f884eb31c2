import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Op } from '../../../www/client/protocol.js';
import { installFakes, runTask, tasks } from './fakes.js';
import { openSocket } from './open-socket.js';

beforeEach(installFakes);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const texts = (...texts: string[]) => texts;
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);

describe('messages', () => {
  test('reach every handle of the tab once, in order, as events of the socket', async () => {
    const { hub, socket, port, attach } = await openSocket();
    attach();
    const other = hub.socket('wss://server.example/ws');
    port.attached('open', 0);
    const got: unknown[] = [];
    for (const each of [socket, other]) {
      each.onmessage = (event) => {
        expect(event).toBeInstanceOf(MessageEvent);
        expect(event.origin).toBe('wss://server.example');
        expect([event.target, event.currentTarget]).toEqual([each, each]);
        got.push([each === socket ? 'one' : 'other', event.data]);
      };
    }
    port.batch(0, texts('a', 'b'));
    expect(got).toEqual([
      ['one', 'a'],
      ['other', 'a'],
      ['one', 'b'],
      ['other', 'b'],
    ]);
  });

  test('of other connections reach nobody else', async () => {
    const { socket, port, attach } = await openSocket();
    attach();
    const got = vi.fn();
    socket.onmessage = got;
    port.say(Op.Batch, 8, 0, ['not mine']);
    port.say(Op.Status, 8, 'closed', 0, null, null, 'unwanted', 0, 'websocket', '', '', 0);
    expect(got).not.toHaveBeenCalled();
    expect(socket.readyState).toBe(1);
  });

  test('are acknowledged after dispatch, when that is asked for', async () => {
    const { socket, port, attach } = await openSocket();
    attach();
    socket.onmessage = () => expect(port.posted).toEqual([]);
    port.batch(0, texts('a'));
    expect(port.posted).toEqual([]);
    port.batch(1, texts('b', 'c'), 1);
    expect(port.take()).toEqual([[Op.Ack, 7, 3]]);
  });

  test('are dispatched in slices of 8 ms a task, and what arrives meanwhile waits behind them', async () => {
    const { socket, port, attach, fired } = await openSocket();
    attach();
    fired.length = 0;
    const got: string[] = [];
    socket.onmessage = ({ data }) => {
      got.push(data);
      vi.setSystemTime(Date.now() + 3);
    };
    port.batch(0, numbered(7), 1);
    expect(got).toHaveLength(3);
    port.status('reconnecting', 'connection-lost', 2, [1006, '', 0]);
    port.say(Op.Ask);
    expect(fired).toEqual([]);
    expect(port.take()).toEqual([[Op.Alive]]);

    expect(runTask()).toBe(true);
    expect(got).toHaveLength(6);
    expect(fired).toEqual([]);
    expect(runTask()).toBe(true);
    expect(got).toEqual(numbered(7));
    expect(fired.map(([type]) => type)).toEqual(['statuschange', 'close']);
    expect(port.take()).toEqual([[Op.Ack, 7, 7]]);
    expect(runTask()).toBe(false);
  });

  test('get a task each with flow.batch false', async () => {
    const { socket, port, attach } = await openSocket({ flow: { batch: false } });
    attach();
    const got: string[] = [];
    socket.onmessage = ({ data }) => got.push(data);
    port.batch(0, texts('a', 'b'));
    port.batch(2, texts('c'), 1);
    expect(got).toEqual(['a']);
    runTask();
    expect(got).toEqual(['a', 'b']);
    runTask();
    expect(got).toEqual(['a', 'b', 'c']);
    expect(port.take()).toEqual([[Op.Ack, 7, 3]]);
    expect(tasks).toEqual([]);
  });

  test('stop for a handle that is closed on the way, and for no other', async () => {
    const { hub, socket, port, attach } = await openSocket();
    attach();
    const other = hub.socket('wss://server.example/ws');
    port.attached('open', 0);
    const got: string[] = [];
    socket.onmessage = ({ data }) => {
      got.push(`one ${data}`);
      socket.close();
    };
    other.onmessage = ({ data }) => got.push(`other ${data}`);
    port.batch(0, texts('a', 'b'));
    expect(got).toEqual(['one a', 'other a', 'other b']);
  });

  test('that nobody takes any more are acknowledged all the same', async () => {
    const { socket, port, attach } = await openSocket();
    attach();
    socket.close();
    port.take();
    port.batch(0, texts('a'), 1);
    expect(port.take()).toEqual([[Op.Ack, 7, 1]]);
  });
});

describe('binary messages', () => {
  const bytes = () => new Uint8Array([1, 2, 3]).buffer;

  test('are blobs by default, and made in order', async () => {
    const { socket, port, attach } = await openSocket();
    attach();
    const got: unknown[] = [];
    socket.onmessage = ({ data }) => got.push(data);
    port.batch(0, [bytes(), 'text']);
    expect(got).toEqual([expect.any(Blob), 'text']);
    expect(new Uint8Array(await (got[0] as Blob).arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
  });

  test('are buffers when asked for, one for each handle', async () => {
    const { hub, socket, port, attach } = await openSocket();
    attach();
    const other = hub.socket('wss://server.example/ws');
    port.attached('open', 0);
    const got: ArrayBuffer[] = [];
    for (const each of [socket, other]) {
      each.binaryType = 'arraybuffer';
      each.onmessage = ({ data }) => got.push(data);
    }
    port.batch(0, [bytes()]);
    expect(got.map((buffer) => [...new Uint8Array(buffer)])).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(got[0]).not.toBe(got[1]);
  });
});

describe('a gap', () => {
  test('is told with what is known of it', async () => {
    const { port, attach, fired } = await openSocket();
    attach();
    fired.length = 0;
    port.batch(0, texts('a'));
    port.say(Op.Gap, 7, 1, 4, 3, 'slow-tab', 0);
    port.say(Op.Overflow, 7, 3, 'queue');
    port.batch(4, texts('b'));
    port.say(Op.Gap, 7, null, null, null, 'pong-timeout', 1);
    expect(fired).toEqual([
      ['gap', { from: 1, to: 4, reason: 'slow-tab', suspected: false }],
      ['overflow', { count: 3, policy: 'queue' }],
      ['gap', { from: undefined, to: undefined, reason: 'pong-timeout', suspected: true }],
    ]);
  });

  test('is a batch that is not the next', async () => {
    const { port, fired } = await openSocket();
    port.attached('open', 5);
    fired.length = 0;
    port.batch(5, texts('a'));
    port.batch(9, texts('b'));
    port.batch(2, texts('c'));
    port.batch(3, texts('d'));
    expect(fired).toEqual([
      ['gap', { from: 6, to: 9, reason: 'protocol', suspected: false }],
      ['gap', { from: 10, to: 2, reason: 'protocol', suspected: true }],
    ]);
  });

  test('is none for a handle that joins later', async () => {
    const { hub, port, attach, fired } = await openSocket();
    attach();
    port.batch(0, texts('a', 'b', 'c'));
    fired.length = 0;
    const other = hub.socket('wss://server.example/ws');
    const gap = vi.fn();
    other.addEventListener('gap', gap);
    port.attached('open', 3);
    port.batch(3, texts('d'));
    expect([fired, gap.mock.calls]).toEqual([[], []]);
  });

  test('is suspected when a page comes back to another connection', async () => {
    const { port, attach, fired } = await openSocket();
    attach();
    fired.length = 0;
    port.attached('open', 40, [], 8);
    expect(fired).toEqual([['gap', { from: undefined, to: undefined, reason: 'hub-lost', suspected: true }]]);
  });
});
