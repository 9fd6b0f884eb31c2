import { CircuitOpenError } from 'tabwire';
import { describe, expect, test, vi } from 'vitest';
import { createClient } from '../../../www/client/client.js';
import { createGates, Order, Outcome } from '../../../www/client/gate.js';
import { Op } from '../../../www/client/protocol.js';
import { settle, workers } from './fakes.js';
import { installLocks } from './locks.js';
import { enter, fakesForEach, openGate, say } from './open-gate.js';

const kept = 'tabwire:breaker::api';

fakesForEach();

const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** Spread: those who are told to come again do not all come at once. */
const spreadOf = (ms: number, error: unknown) => {
  const { retryAfter } = error as CircuitOpenError;
  expect(retryAfter).toBeGreaterThanOrEqual(ms);
  expect(retryAfter).toBeLessThanOrEqual(Math.ceil(ms * 1.2));
};

describe('while it is closed', () => {
  test('a call passes at once, even before there is a hub', () => {
    const gate = createGates(createClient({}))('api');
    expect(enter(gate)).toEqual({ at: 'once', pass: [0, 0] });
    expect(workers.latest.all(Op.Acquire)).toEqual([]);
  });

  test('a call begins in the generation that the hub has told', async () => {
    const { gate } = await openGate('closed', { generation: 4 });
    expect(enter(gate)).toEqual({ at: 'once', pass: [4, 0] });
  });

  test('a failure is told at once, with what the server wants', async () => {
    const { gate, port } = await openGate();
    gate[1]([0, 0], Outcome.Failure, 5, 2000);
    expect(port.take()).toEqual([[Op.Outcome, 'api', 0, 0, Outcome.Failure, 1, 0, 0, 2000]]);
  });

  test('successes are told together, within 250 ms, with the slow ones and the age of the last', async () => {
    const { gate, port } = await openGate('closed', { slowAfter: 100 });
    gate[1]([0, 0], Outcome.Success, 99);
    gate[1]([0, 0], Outcome.Success, 100);
    await later(200);
    gate[1]([0, 0], Outcome.Success, 5000);
    await later(49);
    expect(port.take()).toEqual([]);
    await later(1);
    expect(port.take()).toEqual([[Op.Outcome, 'api', 0, 0, Outcome.Success, 3, 2, 50]]);
    await later(10_000);
    expect(port.all(Op.Outcome)).toEqual([]);
  });

  test('successes of two generations are told apart, and those before a failure before it', async () => {
    const { gate, port } = await openGate();
    gate[1]([0, 0], Outcome.Success, 1);
    gate[1]([1, 0], Outcome.Success, 1);
    gate[1]([1, 0], Outcome.Success, 1);
    gate[1]([1, 0], Outcome.Failure, 1);
    const told = port.all(Op.Outcome).map(([, , generation, , outcome, count]) => [generation, outcome, count]);
    expect(told).toEqual([
      [0, Outcome.Success, 1],
      [1, Outcome.Success, 2],
      [1, Outcome.Failure, 1],
    ]);
  });

  test('after a failure the next call asks the hub, until that has said something', async () => {
    const { gate, port } = await openGate();
    gate[1]([0, 0], Outcome.Failure, 1);
    const asked = enter(gate);
    const refused = enter(gate);
    expect(port.all(Op.Acquire)).toEqual([
      [Op.Acquire, 'api', 1, 0],
      [Op.Acquire, 'api', 2, 0],
    ]);
    port.say(Op.Verdict, 'api', 1, 1, 0, 0, null);
    port.say(Op.Verdict, 'api', 2, 0, 'consecutive-failures', 1000);
    await settle();
    expect(asked.pass).toEqual([0, 0]);
    expect(refused.error).toMatchObject({ name: 'api', reason: 'consecutive-failures', code: 'circuit-open' });
    spreadOf(1000, refused.error);

    say(port, 'closed');
    expect(enter(gate).at).toBe('once');
  });

  test('a call after a failure does not wait longer than 250 ms for a hub that says nothing', async () => {
    const { gate } = await openGate();
    gate[1]([0, 0], Outcome.Failure, 1);
    const asked = enter(gate);
    await later(249);
    expect(asked).toEqual({});
    await later(1);
    expect(asked.pass).toEqual([0, 0]);
  });
});

describe('while it is open', () => {
  test('a call is refused at once, with why and for how long', async () => {
    const { gate } = await openGate('open', { reason: 'failure-rate', generation: 1, remaining: 5000 });
    await later(1000);
    const { at, error } = enter(gate);
    expect(at).toBe('once');
    expect(error).toBeInstanceOf(CircuitOpenError);
    expect(error).toMatchObject({ name: 'api', reason: 'failure-rate' });
    spreadOf(4000, error);
  });

  test('those who are refused are told different times', async () => {
    const { gate } = await openGate('open', { generation: 1, remaining: 60_000 });
    const times = Array.from({ length: 20 }, () => (enter(gate).error as CircuitOpenError).retryAfter);
    expect(new Set(times).size).toBeGreaterThan(10);
  });

  test('refusals are told together', async () => {
    const { gate, port } = await openGate('open', { generation: 1, remaining: 5000 });
    for (let calls = 0; calls < 7; calls++) enter(gate);
    expect(port.take()).toEqual([]);
    await later(250);
    expect(port.take()).toEqual([[Op.Outcome, 'api', 0, 0, Outcome.Rejected, 7, 0]]);
  });

  test('by somebody, a call is refused without a time', async () => {
    const { gate } = await openGate('forced-open', { reason: 'forced', generation: 1 });
    expect(enter(gate).error).toMatchObject({ reason: 'forced', retryAfter: null });
  });

  test('closed by somebody, a call passes whatever has failed', async () => {
    const { gate } = await openGate('forced-closed', { generation: 1 });
    gate[1]([1, 0], Outcome.Failure, 1);
    expect(enter(gate)).toEqual({ at: 'once', pass: [1, 0] });
  });

  test('it is half-open once its time is over, without a word of the hub', async () => {
    const { gate, port } = await openGate('open', { generation: 1, remaining: 5000.5 });
    const states: string[] = [];
    gate[5](() => states.push(gate[4]()[0]));
    await later(5000);
    expect([gate[4]()[0], states]).toEqual(['open', []]);
    await later(2);
    expect([gate[4]()[0], states]).toEqual(['half-open', ['half-open']]);
    enter(gate);
    expect(port.all(Op.Acquire)).toHaveLength(1);
  });

  test('for longer than a timer can be, its listeners are not called all the time', async () => {
    const { gate } = await openGate('open', { generation: 1, remaining: 1e12 });
    const listener = vi.fn();
    gate[5](listener);
    await later(10_000);
    expect(listener).not.toHaveBeenCalled();
  });
});

describe('while it is half-open', () => {
  test('a call passes when the hub gives it a permit, and its end gives that back', async () => {
    const { gate, port } = await openGate('half-open', { generation: 2 });
    const probe = enter(gate);
    expect(probe).toEqual({});
    port.say(Op.Verdict, 'api', 1, 1, 2, 9, 30_000);
    await settle();
    expect(probe.pass).toEqual([2, 9]);
    port.take();
    gate[1]([2, 9], Outcome.Success, 1);
    expect(port.take()).toEqual([[Op.Outcome, 'api', 2, 9, Outcome.Success, 1, 0, 0, undefined]]);
  });

  test('a call that is given up gives back the permit that comes too late, and no refusal', async () => {
    const { gate, port } = await openGate('half-open', { generation: 2 });
    const [first, second] = [new AbortController(), new AbortController()];
    const [probe, other] = [enter(gate, first.signal), enter(gate, second.signal)];
    first.abort('enough');
    second.abort('enough');
    await settle();
    expect([probe.error, other.error]).toEqual(['enough', 'enough']);
    port.take();
    port.say(Op.Verdict, 'api', 1, 1, 2, 9, 30_000);
    port.say(Op.Verdict, 'api', 2, 0, 'probing', 30_000);
    expect(port.take()).toEqual([[Op.Outcome, 'api', 2, 9, Outcome.Neutral, 1, 0]]);
  });

  test('a call that was given up before asks nobody', async () => {
    const { gate, port } = await openGate('half-open', { generation: 2 });
    expect(enter(gate, AbortSignal.abort('enough'))).toEqual({ at: 'once', error: 'enough' });
    expect(port.take()).toEqual([]);
  });

  test('a call is refused after 2 s without an answer', async () => {
    const { gate, port } = await openGate('half-open', { generation: 2 });
    const probe = enter(gate);
    await later(1999);
    expect(probe).toEqual({});
    await later(1);
    expect(probe.error).toMatchObject({ reason: 'no-hub' });
    spreadOf(1000, probe.error);
    port.take();
    port.say(Op.Verdict, 'api', 1, 1, 2, 9, 30_000);
    expect(port.all(Op.Outcome)).toHaveLength(1);
  });
});

describe('whether a call may be made again', () => {
  test('is what the hub says, and no without an answer', async () => {
    const { gate, port } = await openGate();
    const answers = [gate[2](), gate[2](), gate[2]()];
    expect(port.all(Op.Acquire).map(([, , , wish]) => wish)).toEqual([1, 1, 1]);
    port.say(Op.Verdict, 'api', 1, 1, 0, 0, null);
    port.say(Op.Verdict, 'api', 2, 0, 'retry-budget-spent', null);
    await later(2000);
    expect(await Promise.all(answers)).toEqual([true, false, false]);
  });
});

describe('what outlives the page', () => {
  const blockStorage = (method: string, name: string) => {
    const refuse = () => {
      throw new DOMException('no', name);
    };
    vi.stubGlobal('localStorage', { getItem: () => null, setItem() {}, removeItem() {}, [method]: refuse });
  };
  const openAt = (ms: number) =>
    localStorage.setItem(kept, JSON.stringify(['open', 3, Date.now() - 1000, Date.now() + ms, 5000, 2]));

  test('is a state that is not closed, until it is', async () => {
    const { port } = await openGate('open', { generation: 3, remaining: 4000, openFor: 5000, age: 1000 });
    const now = Date.now();
    expect(JSON.parse(localStorage.getItem(kept) ?? '')).toEqual(['open', 3, now - 1000, now + 4000, 5000, 0]);
    say(port, 'closed', { generation: 4 });
    expect(localStorage.getItem(kept)).toBeNull();
  });

  test('is not that it is half-open: it was open until now', async () => {
    const { port } = await openGate('open', { generation: 3, remaining: 4000 });
    const text = localStorage.getItem(kept);
    await later(4000);
    say(port, 'half-open', { generation: 4, reason: 'probing' });
    expect(localStorage.getItem(kept)).toBe(text);
  });

  test('is a time that has become longer', async () => {
    const { port } = await openGate('open', { generation: 3, remaining: 5000 });
    say(port, 'open', { generation: 3, remaining: 9000 });
    expect(JSON.parse(localStorage.getItem(kept) ?? '')[3]).toBe(Date.now() + 9000);
  });

  test('is in force before there is a hub, for what is left of it, and told to the hub', async () => {
    openAt(4000);
    const gate = createGates(createClient({}))('api');
    expect(gate[4]()).toMatchObject(['open', Date.now() + 4000, expect.anything(), true]);
    const { at, error } = enter(gate);
    expect([at, (error as CircuitOpenError).reason]).toEqual(['once', 'restored']);
    spreadOf(4000, error);
    await settle();
    expect(workers.latest.all(Op.Gate)).toEqual([[Op.Gate, 'api', { breaker: {} }, ['open', 3, 1000, 4000, 5000, 2]]]);
  });

  test.each([
    ['a clock that was set back', 3_600_000, 5000],
    ['a clock that was set ahead', -3_600_000, 0],
  ])('is never longer than it was to be: %s', (_, end, rest) => {
    openAt(end);
    const gate = createGates(createClient({}))('api');
    expect(gate[4]()[0]).toBe(rest ? 'open' : 'half-open');
    if (rest) spreadOf(rest, enter(gate).error);
  });

  test.each(['', 'null', '5', '{"a":1}', '[', '[]'])('is nothing, if it is %j', (text) => {
    localStorage.setItem(kept, text);
    const gate = createGates(createClient({}))('api');
    expect(enter(gate).at).toBe('once');
  });

  test('is nothing where storage is blocked, and that is said', async () => {
    blockStorage('getItem', 'SecurityError');
    const gate = createGates(createClient({}))('api');
    expect(gate[4]()[3]).toBe(false);
    expect(enter(gate).pass).toEqual([0, 0]);
  });

  test('is said to be nothing where storage is full', async () => {
    blockStorage('setItem', 'QuotaExceededError');
    const { gate } = await openGate('open', { generation: 1, remaining: 5000 });
    expect(gate[4]()[3]).toBe(false);
  });
});

describe('another hub', () => {
  test('is told what is known, how things have ended meanwhile, and what is waited for', async () => {
    const { gate, port } = await openGate('half-open', { generation: 2, age: 500, openFor: 5000 });
    const probe = enter(gate);
    await later(500);
    port.say(Op.Crashed);
    await settle();
    const next = workers.latest;
    expect(next).not.toBe(port);
    next.welcome('two');
    const told = next.posted.filter(([op]) => op >= Op.Gate && op <= Op.Force);
    expect(told).toEqual([
      [Op.Gate, 'api', { breaker: {} }, ['half-open', 2, 1000, expect.any(Number), 5000, 0]],
      [Op.Acquire, 'api', 1, 0],
    ]);
    next.say(Op.Verdict, 'api', 1, 1, 3, 1, 30_000);
    await settle();
    expect(probe.pass).toEqual([3, 1]);
  });

  test('is told of what has happened before there was one, the last hundred', async () => {
    // The tab takes its lock first.
    installLocks();
    const gate = createGates(createClient({}))('api');
    gate[3](Order.Open);
    for (let calls = 0; calls < 100; calls++) gate[1]([0, 0], Outcome.Failure, 1);
    expect(workers.made).toEqual([]);
    await settle();
    const told = workers.latest.posted.map(([op]) => op).filter((op) => op >= Op.Gate);
    expect(told).toEqual([Op.Gate, ...Array(100).fill(Op.Outcome)]);
  });

  test('that has made room for others is told again', async () => {
    const { gate, port } = await openGate('open', { generation: 5, remaining: 5000, age: 0 });
    gate[1]([5, 0], Outcome.Failure, 1);
    port.take();
    port.say(Op.Ungated, 'api');
    expect(port.take()).toEqual([[Op.Gate, 'api', { breaker: {} }, ['open', 5, 0, 5000, 5000, 0]]]);
  });
});

describe('without any hub', () => {
  test('nothing is gated, and what waits passes', async () => {
    const { client, gate } = await openGate('half-open', { generation: 2 });
    const [probe, again] = [enter(gate), gate[2]()];
    client[4]();
    await settle();
    expect(probe.pass).toEqual([2, 0]);
    expect(await again).toBe(true);
    expect(enter(gate).at).toBe('once');
    expect(await gate[2]()).toBe(true);
  });

  test('it is gated again by the next', async () => {
    const { client, gate } = await openGate('open', { generation: 2, remaining: 60_000 });
    client[4]();
    expect(enter(gate).at).toBe('once');
    client[1](() => {});
    await settle();
    workers.latest.welcome('two');
    expect(enter(gate).error).toBeInstanceOf(CircuitOpenError);
  });
});

describe('listeners', () => {
  test('are called for each word of the hub, and not any more once they have left', async () => {
    const { gate, port } = await openGate();
    const listener = vi.fn();
    const leave = gate[5](listener);
    say(port, 'closed', { counters: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0] });
    leave();
    say(port, 'closed');
    expect(listener).toHaveBeenCalledTimes(1);
  });

  test('that come while it is open learn that it is half-open', async () => {
    const { gate } = await openGate('open', { generation: 1, remaining: 5000 });
    await later(1000);
    const listener = vi.fn();
    gate[5](listener);
    await later(4001);
    expect(listener).toHaveBeenCalledTimes(1);
    expect(gate[4]()[0]).toBe('half-open');
  });
});

describe('options', () => {
  test('that differ from those in force are told in the console', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { gate, port } = await openGate();
    say(port, 'closed', {}, 'api', ['breaker.lease']);
    expect(warn.mock.calls.flat()).toEqual(['tabwire: breaker api is in use with other options: breaker.lease']);
    expect(enter(gate).at).toBe('once');
  });

  test('that come later are compared once', async () => {
    const { gate, port } = await openGate();
    for (let times = 0; times < 3; times++) gate[6]({ failureThreshold: 3 });
    gate[6]({});
    expect(port.take()).toEqual([[Op.Gate, 'api', { breaker: { failureThreshold: 3 } }, null]]);
  });
});

describe('another tab', () => {
  const said = (newValue: string | null) => dispatchEvent(new StorageEvent('storage', { key: kept, newValue }));
  const opened = () => said(JSON.stringify(['open', 7, Date.now(), Date.now() + 5000, 5000, 1]));

  test('that has a hub of its own tells by storage, and the hub of this tab hears it', async () => {
    const { gate, port } = await openGate('closed', {}, { use: 'this-tab' });
    expect(port.kind).toBe('dedicated');
    opened();
    expect(enter(gate).error).toMatchObject({ reason: 'restored' });
    expect(port.all(Op.Gate)).toEqual([[Op.Gate, 'api', { breaker: {} }, ['open', 7, 0, 5000, 5000, 1]]]);
  });

  test('tells by storage that it is closed again, though nothing of that is kept', async () => {
    const { gate, port } = await openGate('closed', {}, { use: 'this-tab' });
    opened();
    await later(1000);
    const set = vi.spyOn(localStorage, 'setItem');
    const { port: other } = await openGate('open', { generation: 7, remaining: 4000 }, { use: 'this-tab' });
    say(other, 'closed', { generation: 9 });
    expect(localStorage.getItem(kept)).toBeNull();
    port.take();
    said(set.mock.calls.at(-1)?.[1] ?? null);
    said(null);
    expect(enter(gate)).toEqual({ at: 'once', pass: [9, 0] });
    expect(port.all(Op.Gate).map(([, , , known]) => known?.slice(0, 3))).toEqual([['closed', 9, 0]]);
  });

  test('that knows something older tells nothing new', async () => {
    const { gate } = await openGate('forced-open', { reason: 'forced', generation: 1, age: 0 }, { use: 'this-tab' });
    said(JSON.stringify(['closed', 9, Date.now() - 1000, Date.now(), 0, 0]));
    expect(enter(gate).error).toMatchObject({ reason: 'forced' });
  });

  test('at the same hub tells nothing by storage', async () => {
    const { gate, port } = await openGate();
    opened();
    expect(enter(gate).at).toBe('once');
    expect(port.take()).toEqual([]);
  });
});
