import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Endpoint } from '../../worker/endpoint.js';
import { lead } from '../../worker/lead.js';
import { Op } from '../../www/client/protocol.js';
import { Channel, ether, installEther } from './client/ether.js';

beforeEach(installEther);

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Lets microtasks run. */
const settle = () => new Promise((resolve) => setTimeout(resolve));

/** A worker that leads, what its host is given, and pages that join. */
const open = async () => {
  const control = new Channel('place');
  const opened: (Endpoint & { got: unknown[] })[] = [];
  const host = {
    open(port: Endpoint) {
      const got: unknown[] = [];
      port.onmessage = ({ data }) => got.push(data);
      opened.push(Object.assign(port, { got }));
    },
    crash() {},
    free() {},
  };
  lead(host, 'place', 'term');
  await settle();
  const join = async (id: string) => {
    const own = new Channel(`place:term:${id}`);
    control.postMessage(['join', 'term', id]);
    await settle();
    return { own, port: opened.at(-1) as Endpoint & { got: unknown[] } };
  };
  /** Posts a batch as the hub does: one array, in which the first sequence is another for each port. */
  const post = (ports: Endpoint[], conn: number, ...frames: string[]) => {
    const batch: unknown[] = [Op.Batch, conn, null, frames, 0];
    for (const [index, port] of ports.entries()) {
      batch[2] = 10 * index;
      port.postMessage(batch);
    }
  };
  /** Three pages, which have opened the channel of connection 7. */
  const joinSharing = async () => {
    const pages = [await join('a'), await join('b'), await join('c')] as const;
    for (const { own } of pages) own.postMessage(7);
    await settle();
    const [{ port: a }, { port: b }] = pages;
    return { pages, a, b, ports: pages.map(({ port }) => port) };
  };
  return { control, opened, join, post, joinSharing };
};

/** Who was to have each batch that was posted for several, as their how manieth message and with which sequence. */
const shares = (conn: number) =>
  (ether.under(`place:term:${conn}`) as [[id: string, number: number, first: number][], unknown][]).map(([to]) => to);

const batch = (first: number, ...frames: string[]) => [Op.Batch, 7, first, frames, 0];

describe('the worker of a leader', () => {
  test('says that it leads, and says so again to who asks', async () => {
    const { control } = await open();
    expect(control.got).toEqual([['lead', 'term']]);
    control.postMessage(['who']);
    await settle();
    expect(control.got).toEqual([
      ['lead', 'term'],
      ['lead', 'term'],
    ]);
  });

  test('gives each page that joins a port of its own', async () => {
    const { opened, join } = await open();
    const [a, b] = [await join('a'), await join('b')];
    expect(opened).toHaveLength(2);
    a.own.postMessage([Op.Hello, {}]);
    b.own.postMessage([Op.Alive]);
    await settle();
    expect(opened.map(({ got }) => got)).toEqual([[[Op.Hello, {}]], [[Op.Alive]]]);
    a.port.postMessage([Op.Script, 'build']);
    await settle();
    expect(a.own.got).toEqual([[0, [Op.Script, 'build']]]);
    expect(b.own.got).toEqual([]);
  });

  test('takes no page that joins another leader', async () => {
    const { control, opened } = await open();
    control.postMessage(['join', 'another', 'a']);
    await settle();
    expect(opened).toEqual([]);
    expect(ether.names).toEqual(['place', 'place']);
  });

  test.each([
    ['join'],
    [null],
    [5],
    [{}],
    [[]],
    [[null]],
    [['join']],
    [['join', 'term']],
    [['join', 'term', 5]],
    [['join', 'term', {}]],
    [['lead', 'another']],
    [['left', 'term']],
    [['back', 'a']],
  ])('does nothing about %j', async (data) => {
    const { control, opened } = await open();
    control.postMessage(data);
    await settle();
    expect(opened).toEqual([]);
    expect(control.got).toEqual([['lead', 'term']]);
    expect(ether.names).toEqual(['place', 'place']);
  });

  test('hands on what is no message, too: that is for the hub to refuse', async () => {
    const { join } = await open();
    const { own, port } = await join('a');
    for (const data of [undefined, 'text', {}]) own.postMessage(data);
    await settle();
    expect(port.got).toEqual([undefined, 'text', {}]);
  });
});

describe('a batch', () => {
  test('for several pages that share the channel of the connection is posted once', async () => {
    const { post, joinSharing } = await open();
    const { pages, ports } = await joinSharing();
    const shared = new Channel('place:term:7');
    post(ports, 7, 'x', 'y');
    await settle();
    expect(shared.got).toEqual([
      [
        [
          ['a', 0, 0],
          ['b', 0, 10],
          ['c', 0, 20],
        ],
        [Op.Batch, 7, expect.anything(), ['x', 'y'], 0],
      ],
    ]);
    for (const { own, port } of pages) {
      expect(own.got).toEqual([]);
      expect(port.got).toEqual([]);
    }
  });

  test('goes to its own channel for a page that has not opened that', async () => {
    const { join, post, joinSharing } = await open();
    const { ports } = await joinSharing();
    const late = await join('late');
    post([...ports, late.port], 7, 'x');
    await settle();
    expect(late.own.got).toEqual([[0, batch(30, 'x')]]);
    expect(shares(7).map((to) => to.map(([id]) => id))).toEqual([['a', 'b', 'c']]);
  });

  test('goes to its own channel for one page alone', async () => {
    const { post, joinSharing } = await open();
    const { pages, a, b } = await joinSharing();
    post([a], 7, 'x');
    // Two batches of one turn are not for the same pages.
    post([a, b], 7, 'y');
    post([b], 7, 'z');
    await settle();
    expect(pages[0].own.got).toEqual([[0, batch(0, 'x')]]);
    expect(pages[1].own.got).toEqual([[1, batch(0, 'z')]]);
    expect(ether.under('place:term:7')).toEqual([
      [
        [
          ['a', 1, 0],
          ['b', 0, 10],
        ],
        [Op.Batch, 7, expect.anything(), ['y'], 0],
      ],
    ]);
  });

  test('keeps its own first sequence for one page alone that shares the channel, whoever is posted after it', async () => {
    const { join, post, joinSharing } = await open();
    const { pages, a } = await joinSharing();
    const late = await join('late');
    post([a, late.port], 7, 'x');
    await settle();
    expect(pages[0].own.got).toEqual([[0, batch(0, 'x')]]);
    expect(late.own.got).toEqual([[0, batch(10, 'x')]]);
  });

  test('of another connection is no matter of that channel', async () => {
    const { post, joinSharing } = await open();
    const { pages, ports } = await joinSharing();
    post(ports, 8, 'x');
    await settle();
    expect(pages.map(({ own }) => own.got.length)).toEqual([1, 1, 1]);
    expect(ether.under('place:term:8')).toEqual([]);
  });

  test('of each connection has a channel of its own', async () => {
    const { post, joinSharing } = await open();
    const { pages, a, b } = await joinSharing();
    for (const { own } of pages) own.postMessage(8);
    await settle();
    post([a, b], 7, 'x');
    post([a, b], 8, 'y');
    post([a, b], 7, 'z');
    await settle();
    expect(ether.under('place:term:7')).toHaveLength(2);
    expect(ether.under('place:term:8')).toHaveLength(1);
    expect(ether.names.filter((name) => name === 'place:term:7')).toHaveLength(1);
  });
});

describe('the numbers', () => {
  test('of what is for a page have no holes, whatever channel it takes', async () => {
    const { post, joinSharing } = await open();
    const { pages, a, b, ports } = await joinSharing();
    a.postMessage([Op.Status, 7, 'open']);
    post(ports, 7, 'x');
    a.postMessage([Op.Beat, 'epoch']);
    post([a], 7, 'y');
    post([a, b], 7, 'z');
    a.postMessage([Op.Ask]);
    await settle();
    post(ports, 7, 'later');
    await settle();
    const own = pages[0].own.got as [number, unknown][];
    expect(own).toEqual([
      [0, [Op.Status, 7, 'open']],
      [2, [Op.Beat, 'epoch']],
      [5, [Op.Ask]],
      [3, batch(0, 'y')],
    ]);
    const of = (id: string) =>
      shares(7).flatMap((to) => to.filter((share) => share[0] === id).map((share) => share[1]));
    expect([...own.map(([number]) => number), ...of('a')].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(of('b')).toEqual([0, 1, 2]);
    expect(of('c')).toEqual([0, 1]);
  });
});

describe('a page', () => {
  test('that goes gets everything by its own channel, until it opens that of the connection again', async () => {
    const { post, joinSharing } = await open();
    const { pages, ports } = await joinSharing();
    const [{ own }] = pages;
    own.postMessage(-1);
    await settle();
    post(ports, 7, 'x');
    await settle();
    expect(own.got).toEqual([[0, batch(0, 'x')]]);
    expect(shares(7).map((to) => to.map(([id]) => id))).toEqual([['b', 'c']]);
    own.postMessage(7);
    await settle();
    post(ports, 7, 'y');
    await settle();
    expect(own.got).toHaveLength(1);
    expect(shares(7)[1]).toEqual([
      ['a', 1, 0],
      ['b', 1, 10],
      ['c', 1, 20],
    ]);
  });

  test('that the hub has done with has its channel closed', async () => {
    const { join } = await open();
    const { own, port } = await join('a');
    port.leave?.();
    await settle();
    own.postMessage([Op.Hello, {}]);
    await settle();
    expect(port.got).toEqual([]);
    expect(ether.names).toEqual(['place', 'place', 'place:term:a']);
  });

  test('gets what it was posted in the turn in which the hub has done with it', async () => {
    const { post, joinSharing } = await open();
    const { pages, a } = await joinSharing();
    post([a], 7, 'last');
    a.leave?.();
    await settle();
    expect(pages[0].own.got).toEqual([[0, batch(0, 'last')]]);
  });
});
