import { CircuitOpenError, createHub, type GatedRequestInit } from 'tabwire';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Outcome } from '../../../www/client/gate.js';
import { Op } from '../../../www/client/protocol.js';
import { type FakeWorker, installFakes, settle, workers } from './fakes.js';
import { say } from './open-gate.js';

/** A call of the browser's own `fetch`. */
interface Call {
  input: RequestInfo | URL;
  init: RequestInit;
  answer(status: number, headers?: Record<string, string>): Promise<unknown>;
  fail(error: unknown): Promise<unknown>;
}

let calls: Call[];
/** Whether `fetch` rejects with the reason of a signal. WebKit says AbortError, whatever it is. */
let isTold: boolean;

beforeEach(async () => {
  localStorage.clear();
  await installFakes();
  calls = [];
  isTold = true;
  vi.stubGlobal('fetch', (input: RequestInfo | URL, init: RequestInit = {}) => {
    if (init.body && !init.method && !(input instanceof Request)) throw new TypeError('GET has no body');
    return new Promise((resolve, reject) => {
      const signal = init.signal === undefined && input instanceof Request ? input.signal : init.signal;
      const abort = () => reject(isTold ? signal?.reason : new DOMException('', 'AbortError'));
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort);
      calls.push({
        input,
        init,
        answer(status, headers = {}) {
          resolve(new Response('body', { status, headers }));
          return settle();
        },
        fail(error) {
          reject(error);
          return settle();
        },
      });
    });
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const url = 'https://server.example/api/v1/users/7';
const route = 'https://server.example/api/v1/users';

/**
 * Opens `fetch` at a hub that is up, and that answers as one does: a failure with how the breaker is, which is open once so many
 * have failed, and a question with yes while there is any budget.
 */
const open = async ({ threshold = Infinity, budget = Infinity, isSilent = false } = {}) => {
  const hub = createHub();
  const given = { budget, failures: 0 };
  // Any breaker makes the tab seek its hub.
  hub.breaker('none');
  const port = workers.latest;
  const post = port.postMessage.bind(port);
  vi.spyOn(port, 'postMessage').mockImplementation((message) => {
    post(message);
    if (message[0] === Op.Outcome && message[4] === Outcome.Failure) {
      const isOpen = ++given.failures >= threshold;
      const items = isOpen ? { generation: 1, remaining: 5000 } : {};
      queueMicrotask(() => say(port, isOpen ? 'open' : 'closed', items, message[1]));
    } else if (message[0] === Op.Acquire && !isSilent) {
      const [, name, id, wish] = message;
      queueMicrotask(() => {
        if (wish === 0 || given.budget-- > 0) port.say(Op.Verdict, name, id, 1, 0, 0, null);
        else port.say(Op.Verdict, name, id, 0, 'retry-budget-spent', null);
      });
    }
  });
  port.welcome();
  await settle();
  port.take();
  const get = (init?: GatedRequestInit, input: RequestInfo | URL = url) => watch(hub.fetch(input, init));
  return { hub, port, get };
};

/** What a call comes to, once it does. */
const watch = (promise: Promise<Response>) => {
  const seen: { response?: Response; error?: unknown; isSettled?: true } = {};
  promise.then(
    (response) => Object.assign(seen, { response, isSettled: true }),
    (error) => Object.assign(seen, { error, isSettled: true }),
  );
  return seen;
};

/** How calls have ended, as the hub was told. */
const told = async (port: FakeWorker) => {
  // Successes are told within 250 ms.
  await vi.advanceTimersByTimeAsync(250);
  return port.all(Op.Outcome).map(([, , , , outcome, , , , retryAfter]) => {
    return retryAfter ? `${Outcome[outcome]} ${retryAfter}` : Outcome[outcome];
  });
};

const last = () => {
  const call = calls.at(-1);
  if (!call) throw new Error('nothing was fetched');
  return call;
};

const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('a call', () => {
  test('is on its way in the same task, with the arguments of fetch and no others', async () => {
    const { get } = await open();
    get({ method: 'POST', body: 'text', breaker: route, timeout: undefined } as GatedRequestInit);
    expect(calls.map(({ input, init }) => [input, init])).toEqual([[url, { method: 'POST', body: 'text' }]]);
  });

  test('gives the response of fetch itself', async () => {
    const { get } = await open();
    const seen = get();
    const response = new Response('body');
    vi.spyOn(response, 'text');
    await last().answer(200);
    expect(seen.response).toBeInstanceOf(Response);
    expect(await seen.response?.text()).toBe('body');
  });

  test('may be a Request or a URL, which fetch gets as it is', async () => {
    const { get } = await open();
    const request = new Request(url, { method: 'POST', body: 'text' });
    get({}, request);
    get({}, new URL(url));
    expect(calls.map(({ input }) => input)).toEqual([request, new URL(url)]);
    expect(calls[0]?.input).toBe(request);
  });

  test.each([
    [200, 'Success'],
    [204, 'Success'],
    [304, 'Success'],
    [401, 'Success'],
    [404, 'Success'],
    [408, 'Failure'],
    [429, 'Failure'],
    [500, 'Failure'],
    [503, 'Failure'],
    [599, 'Failure'],
  ])('that is answered with %i is a %s, and is answered', async (status, outcome) => {
    const { get, port } = await open();
    const seen = get();
    await last().answer(status);
    expect(seen.response?.status).toBe(status);
    expect(await told(port)).toEqual([outcome]);
  });

  test('without an answer is a failure, unless the browser is offline', async () => {
    const { get, port } = await open();
    const seen = get();
    await last().fail(new TypeError('failed'));
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    get();
    await settle();
    await last().fail(new TypeError('failed'));
    expect(seen.error).toEqual(new TypeError('failed'));
    expect(await told(port)).toEqual(['Failure', 'Neutral']);
  });

  test('is refused while the breaker of its route is open', async () => {
    const { get, port } = await open();
    get();
    await last().answer(200);
    say(port, 'open', { generation: 1, remaining: 5000, reason: 'failure-rate' }, route);
    const [seen, other] = [get(), get({}, 'https://server.example/api/v1/orders')];
    await settle();
    expect(seen.error).toBeInstanceOf(CircuitOpenError);
    expect(seen.error).toMatchObject({ name: route, reason: 'failure-rate' });
    expect(other.isSettled).toBeUndefined();
    expect(calls).toHaveLength(2);
  });
});

describe('a signal', () => {
  test('that is aborted before refuses the call, whatever the breaker would say', async () => {
    const { get, port } = await open();
    say(port, 'forced-open', { generation: 1 }, route);
    const seen = get({ signal: AbortSignal.abort('enough') });
    await settle();
    expect([seen.error, calls]).toEqual(['enough', []]);
    expect(await told(port)).toEqual([]);
  });

  test.each([[undefined], [5000]])(
    'that is aborted meanwhile ends the call, and is neutral (timeout %s)',
    async (timeout) => {
      const { get, port } = await open();
      const controller = new AbortController();
      const seen = get({ signal: controller.signal, ...(timeout && { timeout }) });
      controller.abort(new Error('enough'));
      await settle();
      expect(seen.error).toEqual(new Error('enough'));
      expect(await told(port)).toEqual(['Neutral']);
    },
  );

  test('of a Request counts as well, unless another or none takes its place', async () => {
    const { get, port } = await open();
    const controller = new AbortController();
    const request = () => new Request(url, { signal: controller.signal });
    const own = get({}, request());
    const other = get({ signal: new AbortController().signal }, request());
    const none = get({ signal: null }, request());
    controller.abort('enough');
    await settle();
    expect([own.error, other.isSettled, none.isSettled]).toEqual(['enough', undefined, undefined]);
    await last().fail(new TypeError('failed'));
    expect(await told(port)).toEqual(['Neutral', 'Failure']);
  });

  test('that is aborted after the headers ends the body, and is no failure', async () => {
    const { get, port } = await open();
    const controller = new AbortController();
    get({ signal: controller.signal, timeout: 50 });
    await last().answer(200);
    controller.abort();
    expect(last().init.signal?.aborted).toBe(true);
    expect(await told(port)).toEqual(['Success']);
  });

  test('is heard where there is no AbortSignal.any', async () => {
    vi.spyOn(AbortSignal, 'any').mockImplementation(undefined as never);
    Object.defineProperty(AbortSignal, 'any', { value: undefined, configurable: true, writable: true });
    const { get } = await open();
    const controller = new AbortController();
    const seen = get({ signal: controller.signal, timeout: 50 });
    controller.abort('enough');
    await settle();
    expect(seen.error).toBe('enough');
  });
});

describe('timeout', () => {
  test('ends the call with TimeoutError, and is a failure', async () => {
    const { get, port } = await open();
    const seen = get({ timeout: 50 });
    await later(49);
    expect(seen).toEqual({});
    await later(1);
    expect(seen.error).toMatchObject({ name: 'TimeoutError' });
    expect(await told(port)).toEqual(['Failure']);
  });

  test('is told by TimeoutError where fetch rejects with AbortError, and what the caller aborts is not', async () => {
    const { get, port } = await open();
    const controller = new AbortController();
    const [late, own] = [get({ timeout: 50 }), get({ timeout: 50, signal: controller.signal })];
    isTold = false;
    controller.abort('enough');
    await later(50);
    expect(late.error).toMatchObject({ name: 'TimeoutError' });
    expect(own.error).toMatchObject({ name: 'AbortError' });
    expect(await told(port)).toEqual(['Neutral', 'Failure']);
  });

  test('ends with the headers: a body may take as long as it takes', async () => {
    const { get } = await open();
    get({ timeout: 50 });
    await last().answer(200);
    await later(1000);
    expect(last().init.signal?.aborted).toBe(false);
  });
});

describe('what fetch refuses', () => {
  test.each([
    ['a body of GET', { body: 'text' }, url],
    ['a url with a password', {}, 'https://user:secret@server.example/'],
  ])('is refused by fetch itself, and neutral: %s', async (_, init, input) => {
    const { get, port } = await open();
    const seen = get(init, input);
    await settle();
    if (calls[0]) await calls[0].fail(new TypeError('credentials'));
    expect(seen.error).toBeInstanceOf(TypeError);
    expect(await told(port)).toEqual(['Neutral']);
  });

  test('is refused without a breaker, where none can be told', async () => {
    const { get, port } = await open();
    const used = new Request(url, { method: 'POST', body: 'text' });
    await used.text();
    get({}, 'https://');
    get({}, used);
    get({ method: 'POST', body: { locked: true } as ReadableStream });
    expect(calls).toHaveLength(3);
    for (const call of calls) await call.fail(new TypeError('refused'));
    expect(await told(port)).toEqual([]);
  });

  test('is not what was good and found no server', async () => {
    const { get, port } = await open();
    const request = new Request(url, { method: 'POST', body: 'text' });
    get({}, request);
    await last().fail(new TypeError('failed'));
    get({ body: 'other' }, new Request(url, { method: 'PUT' }));
    await settle();
    await last().fail(new TypeError('failed'));
    expect(calls).toHaveLength(2);
    expect(await told(port)).toEqual(['Failure', 'Failure']);
  });
});

describe('Retry-After', () => {
  test.each([
    ['120', 'Failure 120000'],
    [' 5 ', 'Failure 5000'],
    ['0', 'Failure'],
    ['-5', 'Failure'],
    ['soon', 'Failure'],
  ])('in seconds, or not at all: %j', async (value, outcome) => {
    const { get, port } = await open();
    get();
    await last().answer(503, { 'Retry-After': value });
    expect(await told(port)).toEqual([outcome]);
  });

  test('as a date', async () => {
    vi.setSystemTime('2026-01-01T00:00:00Z');
    const { get, port } = await open();
    get();
    await last().answer(429, { 'Retry-After': 'Thu, 01 Jan 2026 00:01:00 GMT' });
    vi.setSystemTime('2026-01-01T00:00:00Z');
    get();
    await settle();
    await last().answer(429, { 'Retry-After': 'Wed, 31 Dec 2025 00:00:00 GMT' });
    expect(await told(port)).toEqual(['Failure 60000', 'Failure']);
  });

  test('of a success means nothing', async () => {
    const { get, port } = await open();
    get();
    await last().answer(202, { 'Retry-After': '120' });
    expect(await told(port)).toEqual(['Success']);
  });
});

describe('retry', () => {
  /** Answers every call with 503, and gives after how many ms each was made. */
  const failAll = async (ms: number) => {
    const times: number[] = [];
    const start = Date.now();
    for (let passed = 0; passed <= ms; passed += 10) {
      while (times.length < calls.length) {
        await calls[times.length]?.answer(503);
        times.push(Date.now() - start);
      }
      await later(10);
    }
    return times;
  };

  test('without jitter comes after 100, 200 and 400 ms, and then gives the last answer', async () => {
    const { get } = await open();
    const seen = get({ retry: { attempts: 3, minDelay: 100, jitter: 'none' } });
    expect(await failAll(2000)).toEqual([0, 100, 300, 700]);
    expect(seen.response?.status).toBe(503);
  });

  test('with jitter comes after a part of that', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { get } = await open();
    get({ retry: 2 });
    expect(await failAll(2000)).toEqual([0, 100, 300]);
  });

  test('waits no longer than maxDelay', async () => {
    const { get } = await open();
    get({ retry: { attempts: 3, minDelay: 100, maxDelay: 150, growth: 10, jitter: 'none' } });
    expect(await failAll(2000)).toEqual([0, 100, 250, 400]);
  });

  test('ends with what succeeds', async () => {
    const { get, port } = await open();
    const seen = get({ retry: { attempts: 3, minDelay: 100, jitter: 'none' } });
    await last().fail(new TypeError('failed'));
    await later(100);
    await last().answer(200);
    await later(10_000);
    expect(seen.response?.status).toBe(200);
    expect(calls).toHaveLength(2);
    expect(await told(port)).toEqual(['Failure', 'Success']);
  });

  test('does not make again what has not failed', async () => {
    const { get } = await open();
    const seen = get({ retry: 3 });
    await last().answer(404);
    await later(10_000);
    expect([seen.response?.status, calls.length]).toEqual([404, 1]);
  });

  test.each([
    ['GET', 2],
    ['head', 2],
    ['OPTIONS', 2],
    ['PUT', 2],
    ['delete', 2],
    ['POST', 1],
    ['PATCH', 1],
  ])('makes %s %i times', async (method, times) => {
    const { get } = await open();
    get({ method, retry: 1 });
    await failAll(500);
    expect(calls).toHaveLength(times);
  });

  test('makes other methods again when told so', async () => {
    const { get } = await open();
    const retry = { attempts: 1, methods: ['post'] };
    get({ method: 'POST', body: 'text', retry });
    await failAll(500);
    expect(calls.map(({ init }) => init.body)).toEqual(['text', 'text']);
    get({ method: 'PUT', retry });
    await failAll(500);
    expect(calls).toHaveLength(3);
  });

  test('does not send a stream again, since that is used up', async () => {
    const { get } = await open();
    get({ method: 'PUT', body: new ReadableStream(), retry: 3, duplex: 'half' } as GatedRequestInit);
    await failAll(500);
    expect(calls).toHaveLength(1);
  });

  test('sends a Request again with its body', async () => {
    const { get } = await open();
    get({ retry: 1 }, new Request(url, { method: 'PUT', body: 'text' }));
    await failAll(500);
    const bodies = await Promise.all(calls.map(({ input }) => (input as Request).text()));
    expect(bodies).toEqual(['text', 'text']);
  });

  test('is within the budget of all tabs: without it the last answer is given at once', async () => {
    const { get, port } = await open({ budget: 1 });
    const seen = get({ retry: { attempts: 5, minDelay: 100, jitter: 'none' } });
    expect(await failAll(5000)).toEqual([0, 100]);
    expect(seen.response?.status).toBe(503);
    expect(port.all(Op.Acquire).filter(([, , , wish]) => wish === 1)).toHaveLength(2);
  });

  test('waits as long as the server says', async () => {
    const { get } = await open();
    get({ retry: { attempts: 1, minDelay: 100 } });
    await last().answer(503, { 'Retry-After': '2' });
    await later(1999);
    expect(calls).toHaveLength(1);
    await later(1);
    expect(calls).toHaveLength(2);
  });

  test('gives the answer when that is longer than maxDelay, and asks for no budget', async () => {
    const { get, port } = await open();
    const seen = get({ retry: { attempts: 1, maxDelay: 1999 } });
    await last().answer(503, { 'Retry-After': '2' });
    expect(seen.response?.status).toBe(503);
    expect(port.all(Op.Acquire)).toEqual([]);
  });

  test('ends when the breaker opens meanwhile, with the last answer', async () => {
    const { get } = await open({ threshold: 2 });
    const seen = get({ retry: { attempts: 5, minDelay: 100, jitter: 'none' } });
    expect(await failAll(5000)).toEqual([0, 100]);
    expect(seen.response?.status).toBe(503);
    expect(await seen.response?.text()).toBe('body');
  });

  test.each([
    ['while it waits', false],
    ['while the hub is asked', true],
  ])('ends at once when it is aborted %s', async (_, isSilent) => {
    const { get } = await open({ isSilent });
    const controller = new AbortController();
    const retry = { attempts: 1, minDelay: 100, jitter: 'none' } as const;
    const seen = get({ signal: controller.signal, retry });
    await last().answer(503);
    await later(50);
    expect(seen).toEqual({});
    controller.abort('enough');
    await settle();
    expect(seen.error).toBe('enough');
    await later(10_000);
    expect(calls).toHaveLength(1);
  });

  test('gives each attempt the whole timeout', async () => {
    const { get } = await open();
    const seen = get({ timeout: 50, retry: { attempts: 1, minDelay: 100, jitter: 'none' } });
    await later(199);
    expect(calls).toHaveLength(2);
    expect(seen).toEqual({});
    await later(1);
    expect(seen.error).toMatchObject({ name: 'TimeoutError' });
  });
});

describe('the breaker of a url', () => {
  test.each([
    ['https://server.example', 'https://server.example'],
    ['https://server.example/', 'https://server.example'],
    ['https://server.example/users?id=7#top', 'https://server.example/users'],
    ['https://server.example/api/v1/users', 'https://server.example/api/v1/users'],
    ['https://server.example/api/v1/users/7/orders', 'https://server.example/api/v1/users'],
    ['https://server.example/api/users/7/orders', 'https://server.example/api/users'],
    ['https://server.example/api/V12/a/b/c', 'https://server.example/api/V12/a'],
    ['https://server.example/7f9c2ba4-e88f-4b9a/a', 'https://server.example'],
    ['https://user:secret@server.example:8443/a//b', 'https://server.example:8443/a/b'],
    ['/relative/path', 'http://localhost:3000/relative/path'],
    ['data:text/plain,hello', 'null/plain,hello'],
  ])('%s is that of %s', async (input, name) => {
    const { get, port } = await open();
    get({}, input);
    expect(port.all(Op.Gate).map(([, name]) => name)).toEqual([name]);
  });

  test('has a name that is short enough, whatever the url', async () => {
    const { get, port } = await open();
    get({}, `https://server.example/${'a'.repeat(5000)}`);
    expect(port.all(Op.Gate)[0]?.[1]).toHaveLength(1024);
    expect(calls).toHaveLength(1);
  });

  test('is another where one is named', async () => {
    const { get, port } = await open();
    get({ breaker: 'users' });
    expect(port.all(Op.Gate)[0]?.[1]).toBe('users');
  });
});

describe('bad options', () => {
  test.each([
    [{ timeout: 0 }, RangeError, 'timeout: 0'],
    [{ timeout: '5' }, TypeError, 'timeout: "5"'],
    [{ retry: -1 }, RangeError, 'retry.attempts: -1'],
    [{ retry: Number.POSITIVE_INFINITY }, RangeError, 'retry.attempts: Infinity'],
    [{ retry: 'often' }, TypeError, 'retry: "often"'],
    [{ retry: { attempts: 1, minDelay: -1 } }, RangeError, 'retry.minDelay: -1'],
    [{ retry: { attempts: 1, maxDelay: Number.NaN } }, RangeError, 'retry.maxDelay: NaN'],
    [{ retry: { attempts: 1, growth: 0.5 } }, RangeError, 'retry.growth: 0.5'],
    [{ retry: { attempts: 1, jitter: 'some' } }, RangeError, 'retry.jitter: "some"'],
    [{ retry: { attempts: 1, methods: 'GET' } }, TypeError, 'retry.methods: "GET"'],
    [{ retry: { attempts: 1, methods: [5] } }, TypeError, 'retry.methods: 5'],
    [{ retry: { attempts: 1, delay: 5 } }, TypeError, 'retry.delay: 5'],
    [{ breaker: '' }, RangeError, 'name: ""'],
    [{ breaker: 5 }, TypeError, 'name: 5'],
  ])('%o reject with an error that names option and value, and nothing is called', async (init, kind, message) => {
    const { get } = await open();
    const seen = get(init as GatedRequestInit);
    await settle();
    expect(seen.error).toEqual(new kind(message));
    expect(calls).toEqual([]);
  });
});
