import { type CircuitBreaker, CircuitOpenError, createHub, isCircuitOpenError } from 'tabwire';
import { describe, expect, test, vi } from 'vitest';
import { Outcome } from '../../../www/client/gate.js';
import { Op } from '../../../www/client/protocol.js';
import { settle, workers } from './fakes.js';
import { fakesForEach, say } from './open-gate.js';

fakesForEach();

/** A breaker at a hub of its own that is up and has said how it is. */
const openBreaker = async (...said: Parameters<typeof say> extends [unknown, ...infer Rest] ? Rest : never) => {
  const breaker = createHub().breaker('api');
  const port = workers.latest;
  port.welcome();
  say(port, ...said);
  await settle();
  port.take();
  return { breaker, port, told: () => port.all(Op.Outcome).map(([, , , , outcome]) => Outcome[outcome]) };
};

/** What a promise came to. */
const outcomeOf = async (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );

const offline = () => vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);

/** Whatever has succeeded is told within 250 ms. */
const told = () => vi.advanceTimersByTimeAsync(250);

describe('execute', () => {
  test('calls at once while closed, and gives what the function gives', async () => {
    const { breaker, told } = await openBreaker('closed');
    const call = vi.fn(() => 'value');
    const given = breaker.execute(call);
    expect(call).toHaveBeenCalledOnce();
    expect(await given).toBe('value');
    expect(await breaker.execute(async () => 'later')).toBe('later');
    await vi.advanceTimersByTimeAsync(250);
    expect(told()).toEqual(['Success']);
  });

  test.each([
    ['what is thrown', () => JSON.parse('no')],
    ['what is rejected', () => Promise.reject(new Error('no'))],
    ['a time that is over', () => Promise.reject(new DOMException('late', 'TimeoutError'))],
    ['undefined', () => Promise.reject(undefined)],
  ])('passes on %s, a failure', async (_, call) => {
    const { breaker, told } = await openBreaker('closed');
    expect(await outcomeOf(breaker.execute(call))).toHaveProperty('error');
    expect(told()).toEqual(['Failure']);
  });

  test('that is aborted, or offline, says nothing about the service', async () => {
    const { breaker, told } = await openBreaker('closed');
    await outcomeOf(breaker.execute(() => Promise.reject(new DOMException('', 'AbortError'))));
    offline();
    await outcomeOf(breaker.execute(() => Promise.reject(new TypeError('failed'))));
    expect(told()).toEqual(['Neutral', 'Neutral']);
  });

  test('that its own signal has ended says nothing about the service, whatever it is rejected with', async () => {
    const { breaker, told } = await openBreaker('closed');
    const controller = new AbortController();
    const call = breaker.execute(
      () => {
        controller.abort(new Error('enough'));
        return Promise.reject(controller.signal.reason);
      },
      { signal: controller.signal },
    );
    expect(await outcomeOf(call)).toEqual({ error: new Error('enough') });
    expect(told()).toEqual(['Neutral']);
  });

  test('does not call while open', async () => {
    const { breaker } = await openBreaker('open', { reason: 'failure-rate', generation: 1, remaining: 1000 });
    const call = vi.fn();
    const { error } = (await outcomeOf(breaker.execute(call))) as { error: CircuitOpenError };
    expect(call).not.toHaveBeenCalled();
    expect(isCircuitOpenError(error)).toBe(true);
    expect(error).toMatchObject({ name: 'api', reason: 'failure-rate', message: 'the circuit is open: failure-rate' });
  });

  test('counts what takes slowCallDuration as slow', async () => {
    const { breaker, port } = await openBreaker('closed', { slowAfter: 1000 });
    const call = breaker.execute(() => new Promise((resolve) => setTimeout(resolve, 1000)));
    await vi.advanceTimersByTimeAsync(1000);
    await call;
    await told();
    expect(port.all(Op.Outcome)).toEqual([[Op.Outcome, 'api', 0, 0, Outcome.Success, 1, 1, 250]]);
  });
});

describe('classify', () => {
  test.each([
    ['success', 'Success'],
    ['failure', 'Failure'],
    ['neutral', 'Neutral'],
  ] as const)('decides: %s', async (word, outcome) => {
    const { breaker, told: all } = await openBreaker('closed');
    const classify = vi.fn(() => word);
    expect(await breaker.execute(() => 5, { classify })).toBe(5);
    const other = outcomeOf(breaker.execute(() => Promise.reject('no'), { classify }));
    await told();
    expect(await other).toEqual({ error: 'no' });
    expect(new Set(all())).toEqual(new Set([outcome]));
    expect(classify.mock.calls).toEqual([[{ value: 5 }], [{ error: 'no' }]]);
  });

  test('that throws, or says something else, does not keep the permit of a probe', async () => {
    const { breaker, port, told: all } = await openBreaker('half-open', { generation: 2 });
    const broken = () => {
      throw new Error('broken');
    };
    const probe = outcomeOf(breaker.execute(() => 5, { classify: broken }));
    const other = outcomeOf(breaker.execute(() => 5, { classify: () => 'good' as never }));
    port.say(Op.Verdict, 'api', 1, 1, 2, 1, 30_000);
    port.say(Op.Verdict, 'api', 2, 1, 2, 2, 30_000);
    expect(await probe).toEqual({ error: new Error('broken') });
    expect(await other).toEqual({ value: 5 });
    expect(all()).toEqual(['Success', 'Success']);
    expect(port.all(Op.Outcome).map(([, , , permit]) => permit)).toEqual([1, 2]);
  });
});

describe('what there is to see', () => {
  test('is the state, why, until when, and the totals', async () => {
    const counters = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const { breaker } = await openBreaker('open', { reason: 'slow-calls', generation: 1, remaining: 5000, counters });
    expect(breaker.name).toBe('api');
    expect(breaker.state).toBe('open');
    expect(breaker.stats).toEqual({
      state: 'open',
      reason: 'slow-calls',
      retryAt: Date.now() + 5000,
      successes: 1,
      failures: 2,
      neutral: 3,
      slow: 4,
      rejected: 5,
      stale: 6,
      expired: 7,
      trips: 8,
      retries: 9,
      exhausted: 10,
      persisted: true,
    });
  });

  test('is told by events: statechange for another state, statschange for anything', async () => {
    const { breaker, port } = await openBreaker('closed');
    const fired: string[] = [];
    for (const type of ['statechange', 'statschange'] as const) {
      breaker.addEventListener(type, function (this: CircuitBreaker) {
        fired.push(`${type} ${this.state}`);
      });
    }
    say(port, 'closed', { counters: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0] });
    say(port, 'open', { generation: 1, remaining: 5000 });
    await vi.advanceTimersByTimeAsync(5001);
    expect(fired).toEqual([
      'statschange closed',
      'statechange open',
      'statschange open',
      'statechange half-open',
      'statschange half-open',
    ]);
  });

  test('a breaker that nobody listens to is held by nothing', async () => {
    const hub = createHub();
    const breaker = hub.breaker('api');
    const dispatch = vi.spyOn(EventTarget.prototype, 'dispatchEvent');
    say(workers.latest, 'open', { generation: 1, remaining: 5000 });
    await settle();
    expect(breaker.state).toBe('open');
    expect(dispatch).not.toHaveBeenCalled();
  });
});

describe('somebody', () => {
  test('isolates, disables and resets it for all tabs', async () => {
    const { breaker, port } = await openBreaker('closed');
    breaker.isolate();
    breaker.disable();
    breaker.reset();
    expect(port.all(Op.Force).map(([, , order]) => order)).toEqual([1, 2, 0]);
  });
});

describe('names and options', () => {
  const hub = () => createHub();

  test.each([
    [{ failureThreshold: 0 }, RangeError, 'failureThreshold: 0'],
    [{ failureThreshold: '3' }, TypeError, 'failureThreshold: "3"'],
    [{ failureRate: 1.5 }, RangeError, 'failureRate: 1.5'],
    [{ minimumCalls: 0 }, RangeError, 'minimumCalls: 0'],
    [{ window: 0 }, RangeError, 'window: 0'],
    [{ window: { calls: 1001 } }, RangeError, 'window: [object Object]'],
    [{ window: {} }, TypeError, 'window: [object Object]'],
    [{ slowCallDuration: 0 }, RangeError, 'slowCallDuration: 0'],
    [{ slowCallRate: -0.1 }, RangeError, 'slowCallRate: -0.1'],
    [{ resetTimeout: Number.POSITIVE_INFINITY }, RangeError, 'resetTimeout: Infinity'],
    [{ growth: 0.5 }, RangeError, 'growth: 0.5'],
    [{ maxResetTimeout: -1 }, RangeError, 'maxResetTimeout: -1'],
    [{ jitter: 2 }, RangeError, 'jitter: 2'],
    [{ probes: 0 }, RangeError, 'probes: 0'],
    [{ successThreshold: 0 }, RangeError, 'successThreshold: 0'],
    [{ lease: 0 }, RangeError, 'lease: 0'],
    [{ maxRetryAfter: Number.NaN }, RangeError, 'maxRetryAfter: NaN'],
    [{ retryBudget: { ratio: -1 } }, RangeError, 'retryBudget.ratio: -1'],
    [{ retryBudget: 5 }, TypeError, 'retryBudget: 5'],
    [{ resetTimeOut: 5 }, TypeError, 'resetTimeOut: 5'],
  ])('%o throws an error that names option and value', (options, kind, message) => {
    const own = hub();
    const make = () => own.breaker('api', options as never);
    expect(make).toThrow(new kind(message));
    own.breaker('api');
    // Whoever comes later is looked at as well.
    expect(make).toThrow(new kind(message));
  });

  test('all options that are good go to the hub as they are', async () => {
    const options = {
      failureThreshold: Number.POSITIVE_INFINITY,
      failureRate: 0,
      minimumCalls: 1,
      window: { calls: 20 },
      slowCallDuration: 1,
      slowCallRate: 1,
      resetTimeout: 1,
      growth: 1,
      maxResetTimeout: 0,
      jitter: 0,
      probes: 1,
      successThreshold: 1,
      lease: 1,
      maxRetryAfter: 0,
      retryBudget: { ratio: 0, perSecond: 0, burst: 0 },
    };
    hub().breaker('api', options);
    expect(workers.latest.all(Op.Gate)[0]?.[2]).toEqual({ breaker: options });
  });

  test.each([
    ['', RangeError, 'name: ""'],
    ['ü'.repeat(513), RangeError, `name: "${'ü'.repeat(513)}"`],
    [5, TypeError, 'name: 5'],
    [undefined, TypeError, 'name: undefined'],
  ])('a name that cannot be used throws: %j', (name, kind, message) => {
    expect(() => hub().breaker(name as string)).toThrow(new kind(message));
  });

  test('a name may have 1024 bytes', () => {
    expect(hub().breaker('ü'.repeat(512)).state).toBe('closed');
  });
});

describe('circuitBreakerManager', () => {
  const fresh = async () => {
    vi.resetModules();
    const { circuitBreakerManager: manager, CircuitBreaker } = await import('tabwire');
    return { manager, CircuitBreaker };
  };

  test('executes behind the breaker of a name, with the options of the first call', async () => {
    const { manager } = await fresh();
    const given = manager.execute('api', () => 'value', { failureThreshold: 3, resetTimeout: 30_000 });
    expect(workers.latest.all(Op.Gate)).toEqual([
      [Op.Gate, 'api', { breaker: { failureThreshold: 3, resetTimeout: 30_000 } }, null],
    ]);
    expect(await given).toBe('value');
    await outcomeOf(manager.execute('api', () => Promise.reject('no'), { failureThreshold: 3, resetTimeout: 30_000 }));
    expect(workers.latest.all(Op.Gate)).toHaveLength(1);
    expect(workers.latest.all(Op.Outcome).map(([, , , , outcome, count]) => [outcome, count])).toEqual([
      [Outcome.Success, 1],
      [Outcome.Failure, 1],
    ]);
  });

  test('shares breakers with whoever else names them on this page', async () => {
    const { manager, CircuitBreaker } = await fresh();
    const breaker = new CircuitBreaker('api');
    say(workers.latest, 'forced-open', { reason: 'forced', generation: 1 });
    await settle();
    expect(breaker.state).toBe('forced-open');
    expect(await outcomeOf(manager.execute('api', () => 5))).toMatchObject({ error: { reason: 'forced' } });
    expect(manager.getStats()).toMatchObject({ api: { state: 'forced-open', reason: 'forced' } });
  });

  test('resets and isolates by name, also what this page has not used, and resets all that it has', async () => {
    const { manager } = await fresh();
    manager.isolate('a');
    manager.reset('b');
    manager.reset();
    const orders = workers.latest.all(Op.Force).map(([, name, order]) => `${name} ${order}`);
    expect(orders).toEqual(['a 1', 'b 0', 'a 0', 'b 0']);
  });

  test('asks no hub to say that nothing has been used', async () => {
    const { manager } = await fresh();
    expect(manager.getStats()).toEqual({});
    manager.reset();
    expect(workers.made).toEqual([]);
  });

  test('rejects for a bad name or option, and does not call', async () => {
    const { manager } = await fresh();
    const call = vi.fn();
    expect(await outcomeOf(manager.execute('', call))).toEqual({ error: new RangeError('name: ""') });
    expect(await outcomeOf(manager.execute('api', call, { failureThreshold: 0 }))).toEqual({
      error: new RangeError('failureThreshold: 0'),
    });
    expect(call).not.toHaveBeenCalled();
  });
});

test('what a breaker refuses with is known by its code, of whatever copy of the package', () => {
  const error = Object.assign(new Error('the circuit is open'), { code: 'circuit-open' });
  expect(isCircuitOpenError(error)).toBe(true);
  expect(isCircuitOpenError(new CircuitOpenError('api', 'forced', null))).toBe(true);
  for (const other of [new Error('no'), { code: 'circuit-open' }, null]) expect(isCircuitOpenError(other)).toBe(false);
});
