import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type {
  BreakerStats,
  CircuitBreaker,
  CircuitBreakerOptions,
  GatedRequestInit,
  Host,
  HostOptions,
} from '../../www/client/index.js';
import { describeEngines, type ServiceRoute, type Tab, type Use, waitFor } from './harness/index.js';
import { first } from './listening.js';

declare global {
  interface Window {
    breaker: CircuitBreaker;
    /** What came of each call, oldest first: a status, why it was refused, or the name of an error. */
    ends: (number | string)[];
    /** Makes a call to a route of the service behind the page's breaker, and gives what came of it, and when to come again. */
    call(route: string, init?: GatedRequestInit): Promise<[end: number | string, retryAfter?: number | null]>;
    controller: AbortController;
    fetchAsUser: typeof fetch;
  }
}

interface Orders {
  /** Where to call. */
  route: string;
  /** So many more callers in each tab. */
  callers?: number;
}

/** Makes a page ready to call: its hub has said how its breaker is. */
function prepare(base: string, host: HostOptions, options: CircuitBreakerOptions): Promise<unknown> {
  const { CircuitBreaker, configure, gatedFetch, isCircuitOpenError } = window.tabwire;
  configure({ host });
  window.breaker = new CircuitBreaker('service', options);
  window.ends = [];
  window.call = async (route, init) => {
    let end: number | string;
    let retryAfter: number | null | undefined;
    try {
      // A browser makes one call after the other where the answer of one may do for all.
      const how: GatedRequestInit = { cache: 'no-store', breaker: 'service', ...init };
      end = (await gatedFetch(`${base}/api/v1/service/${route}`, how)).status;
    } catch (error) {
      if (isCircuitOpenError(error)) ({ reason: end, retryAfter } = error);
      else end = (error as Error).name;
    }
    window.ends.push(end);
    return [end, retryAfter];
  };
  // Callers call as fast as they are answered, come again when they are told to, and stop when all is well.
  let route: string;
  const caller = async () => {
    for (;;) {
      const [end, retryAfter] = await window.call(route);
      if (end === 200) return;
      const wait = Math.min(retryAfter ?? 0, end === 'probing' ? 1200 : Number.POSITIVE_INFINITY);
      if (wait) await new Promise((resolve) => setTimeout(resolve, wait));
    }
  };
  new BroadcastChannel('test-orders').onmessage = ({ data }: { data: Orders }) => {
    ({ route } = data);
    for (let callers = 0; callers < (data.callers ?? 0); callers++) caller();
  };
  return new Promise((resolve) => window.breaker.addEventListener('statschange', resolve));
}

/** Opens tabs whose breaker `service` has these options. */
async function open(use: Use, count: number, options: CircuitBreakerOptions = {}, host: HostOptions = {}) {
  // WebKit holds back the timers of hidden tabs, on a busy machine for long; its windows are visible.
  const kind = use.engine === 'webkit' ? 'window' : 'tab';
  const tabs = await use.browser.openTabs(count, use.server.page(), { kind });
  const { site, wire } = use.server;
  // A browser makes six calls to a host at a time.
  const bases = [site, wire, site.replace('127.0.0.1', 'localhost'), wire.replace('127.0.0.1', 'localhost')];
  for (const [index, tab] of tabs.entries()) {
    await tab.run(prepare, bases[index % bases.length] ?? site, host, options);
  }
  return tabs;
}

/** Has all tabs do something at once; said from a page of their origin that is none of them. */
const say = (speaker: Tab, orders: Orders) =>
  speaker.run((orders) => new BroadcastChannel('test-orders').postMessage(orders), orders);

const call = (tab: Tab, route: string, init?: GatedRequestInit) =>
  tab.run((route, init) => window.call(route, init).then(([end]) => end), route, init);

/** Lets a tab begin a call, which the server may hold. */
const begin = (tab: Tab, route: string) =>
  tab.run((route) => {
    window.controller = new AbortController();
    window.call(route, { signal: window.controller.signal });
  }, route);

const stats = (tab: Tab): Promise<BreakerStats> => tab.run(() => window.breaker.stats);

const untilStats = (tab: Tab, what: string, until: (stats: BreakerStats) => boolean) =>
  tab.waitFor(what, () => window.breaker.stats, { until, timeout: 20_000 });

const untilState = (tab: Tab, state: string) => untilStats(tab, `state ${state}`, (stats) => stats.state === state);

async function serviceOf(use: Use, route: string): Promise<ServiceRoute> {
  const none = { calls: 0, in_flight: 0, peak: 0, held: 0, answered: {}, aborted: 0 };
  return (await use.server.control.services()).routes[route] ?? none;
}

const hosts: Host[] = ['shared-worker', 'leader-tab', 'this-tab'];

describeEngines('ten tabs behind one breaker', (use) => {
  const count = 10;
  const failureThreshold = 5;

  test.each(hosts)('spare a service that fails, probe it, and come back without a stampede (%s)', async (host) => {
    const { control } = use.server;
    const isShared = host !== 'this-tab';
    const tabs = await open(use, count, { failureThreshold, resetTimeout: 2000, growth: 1 }, { use: host });
    const speaker = await use.browser.openTab(use.server.page('/bare.html'));
    const untilEach = async (what: string, until: (ends: (number | string)[]) => boolean) => {
      for (const tab of tabs) await tab.waitFor(what, () => window.ends, { until, timeout: 20_000 });
    };

    // Every tab has one call in flight at a time, all ten at once, until it is refused.
    await control.service({ route: 'failing', mode: 'hold' });
    await say(speaker, { route: 'failing', callers: 1 });
    await control.wait({ service: 'failing', held: count });
    await control.service({ route: 'probed', mode: 'hold' });
    await control.service({ route: 'failing', mode: 'fail' });
    await untilEach('a refusal', (ends) => ends.some((end) => typeof end === 'string'));
    const failing = await serviceOf(use, 'failing');
    expect(failing.peak).toBe(count);
    // The calls that make it open, and those that are in flight then: of a hub that all share; of one hub each.
    expect(failing.calls).toBeLessThanOrEqual(isShared ? failureThreshold + count - 1 : failureThreshold * count);

    // Twice as many come now.
    await say(speaker, { route: 'probed', callers: 1 });
    await untilEach('a refusal by half-open', (ends) => ends.includes('probing'));
    const probed = await serviceOf(use, 'probed');
    expect(probed).toMatchObject({ calls: isShared ? 1 : count, held: isShared ? 1 : count });

    // The probe fails, and there is another one when its time has come.
    await control.release('probed', { status: 503 });
    const again = await waitFor('another probe', () => serviceOf(use, 'probed'), {
      until: ({ calls, held }) => calls > probed.calls && held > 0,
      timeout: 20_000,
    });
    expect(again.peak).toBe(probed.peak);
    if (isShared) expect(again.calls).toBe(2);

    // The service is back. The browser would make all calls at once.
    await control.service({ route: 'back', mode: 'slow', delay_ms: 20 });
    await say(speaker, { route: 'back' });
    await control.service({ route: 'probed', mode: 'ok' });
    await untilEach('two answers', (ends) => ends.filter((end) => end === 200).length === 2);
    const back = await serviceOf(use, 'back');
    expect(back.calls).toBeGreaterThanOrEqual(count);
    // Hidden tabs have their timers bundled, so it is not one or two; all at once would be nearly 20.
    expect(back.peak).toBeLessThanOrEqual(1.4 * count);
    console.log(
      `${use.engine}, ${host}: ${failing.calls} calls until open, ${failing.peak} in flight; ` +
        `${probed.peak} probes at a time; ${back.calls} callers back, ${back.peak} at a time`,
    );
  });

  test('make no further call once it is open, however many are in flight', async () => {
    const { control } = use.server;
    const tabs = await open(use, count, { failureThreshold, resetTimeout: 60_000 });
    await control.service({ route: 'held', mode: 'hold' });
    for (const tab of tabs) await begin(tab, 'held');
    await control.wait({ service: 'held', held: count });
    await control.release('held', { status: 503, count: failureThreshold });
    for (const tab of tabs) await untilState(tab, 'open');
    for (const tab of tabs) for (const _ of [1, 2, 3]) expect(await call(tab, 'held')).toBe('consecutive-failures');
    await control.release('held', { status: 200 });
    await control.wait({ service: 'held', in_flight: 0 });
    // What succeeds now had begun before, and decides nothing.
    const { state, stale } = await untilStats(first(tabs), 'late answers', ({ stale }) => stale > 0);
    expect([state, stale]).toEqual(['open', count - failureThreshold]);
    expect((await serviceOf(use, 'held')).calls).toBe(count);
  });

  test.each([
    ['shared-worker', 17],
    ['leader-tab', 17],
    ['this-tab', 60],
  ] as const)('make calls again within one budget (%s: %i calls)', async (host, calls) => {
    const retryBudget = { ratio: 0, perSecond: 0, burst: 7 };
    const never = { failureThreshold: 1000, minimumCalls: 1000 };
    const tabs = await open(use, count, { ...never, retryBudget }, { use: host });
    await use.server.control.service({ route: 'failing', mode: 'fail' });
    const retry = { attempts: 5, minDelay: 0 };
    for (const tab of tabs) {
      await tab.run((retry) => {
        window.call('failing', { retry });
      }, retry);
    }
    for (const tab of tabs) await tab.waitFor('the answer', () => window.ends, { until: (ends) => ends[0] === 503 });
    expect((await serviceOf(use, 'failing')).calls).toBe(calls);
  });

  test('ask for one token when all of theirs are refused', async () => {
    const { control } = use.server;
    const tabs = await open(use, count);
    const code = documented('One token refresh for ten tabs');
    for (const tab of tabs) {
      await tab.run(async (code) => {
        const own = code.replace("'tabwire'", `'${location.origin}/dist/index.js'`);
        const url = URL.createObjectURL(new Blob([own], { type: 'text/javascript' }));
        window.fetchAsUser = (await import(url)).fetchAsUser;
        new BroadcastChannel('test-users').onmessage = async () => {
          const { status } = await window.fetchAsUser('/api/v1/service/secret', { cache: 'no-store' });
          window.ends.push(status);
        };
      }, code);
    }
    await control.service({ route: 'secret', mode: 'token' });
    const speaker = await use.browser.openTab(use.server.page('/bare.html'));
    for (const round of [1, 2]) {
      await speaker.run(() => new BroadcastChannel('test-users').postMessage(0));
      for (const tab of tabs) {
        await tab.waitFor('an answer', () => window.ends.length, { until: (length) => length === round });
      }
      expect((await control.services()).tokens).toEqual({ issued: round });
      await control.expireToken();
    }
    const ends = await Promise.all(tabs.map((tab) => tab.run(() => window.ends)));
    expect(ends).toEqual(Array(count).fill([200, 200]));
    const { answered } = await serviceOf(use, 'secret');
    console.log(`${use.engine}: ${answered[401]} calls were answered with 401, and 2 tokens issued`);
  });
});

/** The code that a section of docs/BREAKER.md shows. */
function documented(section: string): string {
  const text = readFileSync('docs/BREAKER.md', 'utf8').split(`## ${section}`)[1];
  const block = text?.match(/```js\n([\s\S]*?)```/)?.[1];
  if (!block) throw new Error(`there is no code in ${section}`);
  return block;
}

describeEngines('a breaker', (use) => {
  /** Makes the breaker open, by failures of a tab. */
  const trip = async (tab: Tab, failures = 1) => {
    await use.server.control.service({ route: 'failing', mode: 'fail' });
    for (let calls = 0; calls < failures; calls++) expect(await call(tab, 'failing')).toBe(503);
    await untilState(tab, 'open');
  };
  /** Leaves a tab for good. */
  const leave = (tab: Tab) =>
    // In WebKit the worker runs in the process of some tab of the site, and is another hub when that is closed.
    use.engine === 'webkit' ? tab.navigate(use.server.page('/bare.html')) : tab.close();

  test('opens after three failures for circuitBreakerManager.execute, in every tab, and calls no more', async () => {
    const [tab, other] = await open(use, 2);
    if (!tab || !other) throw new Error('there are no tabs');
    const execute = (tab: Tab) =>
      tab.run(async () => {
        let calls = 0;
        const ends: string[] = [];
        for (let times = 0; times < 5; times++) {
          const fail = async () => {
            calls++;
            throw new RangeError('no');
          };
          const options = { failureThreshold: 3, resetTimeout: 30_000 };
          await window.tabwire.circuitBreakerManager
            .execute('jobs', fail, options)
            .catch((error) => ends.push(error.reason ?? error.name));
        }
        const { jobs } = window.tabwire.circuitBreakerManager.getStats();
        return { calls, ends, state: jobs?.state, rest: (jobs?.retryAt ?? 0) - Date.now() };
      });
    const { rest, ...ended } = await execute(tab);
    const refused = 'consecutive-failures';
    expect(ended).toEqual({
      calls: 3,
      ends: ['RangeError', 'RangeError', 'RangeError', refused, refused],
      state: 'open',
    });
    // By default it varies by a fifth.
    expect(rest).toBeGreaterThan(23_000);
    expect(rest).toBeLessThanOrEqual(36_000);
    await other.waitFor(
      'the other tab',
      () => {
        window.tabwire.circuitBreakerManager.execute('jobs', () => 'too soon').catch(() => {});
        return window.tabwire.circuitBreakerManager.getStats();
      },
      { until: ({ jobs }) => jobs?.state === 'open' && jobs.reason === 'consecutive-failures' },
    );
    await other.run(() => window.tabwire.circuitBreakerManager.reset('jobs'));
    await tab.waitFor('closed', () => window.tabwire.circuitBreakerManager.getStats().jobs?.state === 'closed');
  });

  test.each(hosts)('is isolated and reset for all tabs by one (%s)', async (host) => {
    const tabs = await open(use, 3, {}, { use: host });
    const [tab, other] = tabs;
    if (!tab || !other) throw new Error('there are no tabs');
    await tab.run(() => window.breaker.isolate());
    for (const each of tabs) await untilState(each, 'forced-open');
    expect(await other.run(() => window.call('x'))).toEqual([expect.stringMatching(/forced|restored/), null]);
    await other.run(() => window.breaker.reset());
    for (const each of tabs) await untilState(each, 'closed');
    for (const each of tabs) expect(await call(each, 'x')).toBe(200);
    expect((await serviceOf(use, 'x')).calls).toBe(3);
  });

  test('that a tab opens is open at once in the others, also where each has a hub of its own', async () => {
    const tabs = await open(use, 3, { failureThreshold: 3, resetTimeout: 60_000 }, { use: 'this-tab' });
    await trip(first(tabs), 3);
    for (const tab of tabs.slice(1)) {
      await untilState(tab, 'open');
      expect(await call(tab, 'failing')).toBe('restored');
    }
    expect((await serviceOf(use, 'failing')).calls).toBe(3);
  });

  test('that a tab closes by its probe is closed in the others, also where each has a hub of its own', async () => {
    const tabs = await open(use, 3, { failureThreshold: 1, resetTimeout: 300 }, { use: 'this-tab' });
    await trip(first(tabs));
    for (const tab of tabs) await untilState(tab, 'half-open');
    expect(await call(first(tabs), 'probe')).toBe(200);
    for (const tab of tabs) await untilState(tab, 'closed');
  });

  test('makes no call wait while closed, not even for a hub that is not there yet', async () => {
    await use.server.control.static('/never.js', 'hang');
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    const isOnItsWay = await tab.run(() => {
      window.tabwire.configure({ host: { workerUrl: '/never.js' } });
      let calls = 0;
      const { fetch } = window;
      window.fetch = (...args) => {
        calls++;
        return fetch(...args);
      };
      window.tabwire.gatedFetch('/api/v1/service/here');
      window.tabwire.circuitBreakerManager.execute('jobs', () => calls++);
      return calls === 2;
    });
    expect(isOnItsWay).toBe(true);
    await use.server.control.wait({ service: 'here', calls: 1, in_flight: 0 });
  });

  test('gives the probe of a tab that is closed to another at once', async () => {
    const [tab, prober] = await open(use, 2, { failureThreshold: 1, resetTimeout: 300 });
    if (!tab || !prober) throw new Error('there are no tabs');
    await trip(tab);
    await untilState(prober, 'half-open');
    await use.server.control.service({ route: 'held', mode: 'hold' });
    await begin(prober, 'held');
    await use.server.control.wait({ service: 'held', held: 1 });
    expect(await call(tab, 'held')).toBe('probing');
    const left = Date.now();
    await leave(prober);
    // The lease of that probe lasts for 30 s.
    await waitFor('another probe', async () => {
      await begin(tab, 'held');
      return (await serviceOf(use, 'held')).calls === 2;
    });
    console.log(`${use.engine}: another tab had the probe ${Date.now() - left} ms after the first was told to go`);
    await use.server.control.release('held');
    await untilState(tab, 'closed');
  });

  test('gives a probe that is aborted to the next call, and stays half-open', async () => {
    const [tab, other] = await open(use, 2, { failureThreshold: 1, resetTimeout: 300 });
    if (!tab || !other) throw new Error('there are no tabs');
    await trip(tab);
    await untilState(tab, 'half-open');
    await use.server.control.service({ route: 'held', mode: 'hold' });
    await begin(tab, 'held');
    await use.server.control.wait({ service: 'held', held: 1 });
    expect(await call(other, 'held')).toBe('probing');
    await tab.run(() => window.controller.abort());
    await tab.waitFor('the abort', () => window.ends.at(-1) === 'AbortError');
    const { state, neutral } = await untilStats(tab, 'a neutral call', ({ neutral }) => neutral > 0);
    expect([state, neutral]).toEqual(['half-open', 1]);
    await begin(other, 'held');
    await use.server.control.wait({ service: 'held', calls: 2, held: 1 });
    await use.server.control.release('held');
    await untilState(tab, 'closed');
  });

  test.each([
    ['seconds', '3'],
    ['a date', () => new Date(Date.now() + 5000).toUTCString()],
  ])('stays open as long as the server wants, in %s, and not for more than maxRetryAfter', async (_, given) => {
    const value = typeof given === 'string' ? given : given();
    const options = { failureThreshold: 1, resetTimeout: 100 };
    const [tab, far] = await open(use, 2, options);
    if (!tab || !far) throw new Error('there are no tabs');
    await use.server.control.service({ route: 'failing', mode: 'fail', status: 429, retry_after: value });
    const retryAt = async (tab: Tab) => {
      expect(await call(tab, 'failing')).toBe(429);
      return ((await untilState(tab, 'open')).retryAt ?? 0) - Date.now();
    };
    const rest = await retryAt(tab);
    expect(rest).toBeGreaterThan(1000);
    expect(rest).toBeLessThanOrEqual(5000);
    // Another origin, which exposes it.
    await tab.run(() => window.breaker.reset());
    await untilState(far, 'closed');
    expect(await retryAt(far)).toBeGreaterThan(1000);
    const capped = await tab.run(async () => {
      const { CircuitBreaker, gatedFetch } = window.tabwire;
      const breaker = new CircuitBreaker('capped', { failureThreshold: 1, resetTimeout: 100, maxRetryAfter: 500 });
      await gatedFetch('/api/v1/service/failing', { breaker: 'capped' });
      await new Promise((resolve) => breaker.addEventListener('statechange', resolve));
      return (breaker.stats.retryAt ?? 0) - Date.now();
    });
    expect(capped).toBeLessThanOrEqual(500);
  });

  test.each(hosts)('outlives a reload of the only tab (%s)', async (host) => {
    const options = { failureThreshold: 2, resetTimeout: 60_000 };
    const tab = first(await open(use, 1, options, { use: host }));
    await trip(tab, 2);
    const before = await stats(tab);
    await tab.reload();
    await tab.run(prepare, use.server.site, { use: host }, options);
    const after = await stats(tab);
    expect(after).toMatchObject({ state: 'open', persisted: true });
    expect(Math.abs((after.retryAt ?? 0) - (before.retryAt ?? 0))).toBeLessThan(1000);
    expect(await call(tab, 'failing')).toMatch(/restored|consecutive-failures/);
    expect((await serviceOf(use, 'failing')).calls).toBe(2);
    // What somebody has decided outlives it as well, and can be taken back.
    await tab.run(() => window.breaker.isolate());
    await untilState(tab, 'forced-open');
    await tab.reload();
    await tab.run(prepare, use.server.site, { use: host }, options);
    expect((await stats(tab)).state).toBe('forced-open');
    await tab.run(() => window.breaker.reset());
    await untilState(tab, 'closed');
    expect(await call(tab, 'failing')).toBe(503);
  });

  test('outlives the worker, whose successor goes on where it was', async () => {
    const options = { failureThreshold: 2, resetTimeout: 60_000 };
    const tabs = await open(use, 2, options, { workerUrl: '/crashing-worker.js' });
    const [tab, other] = tabs;
    if (!tab || !other) throw new Error('there are no tabs');
    await trip(tab, 2);
    const before = await untilState(other, 'open');
    await tab.run(() => new BroadcastChannel('test-crash').postMessage('close'));
    for (const each of tabs) {
      const { state, retryAt, trips } = await untilStats(each, 'the next hub', ({ reason }) => reason === 'restored');
      expect([state, trips]).toEqual(['open', 0]);
      expect(Math.abs((retryAt ?? 0) - (before.retryAt ?? 0))).toBeLessThan(1000);
    }
    expect(await call(other, 'failing')).toBe('restored');
    expect((await serviceOf(use, 'failing')).calls).toBe(2);
    await tab.run(() => window.breaker.reset());
    await untilState(other, 'closed');
    expect(await call(other, 'failing')).toBe(503);
  });

  test('is known to a page before it has a hub', async () => {
    const tab = first(await open(use, 1, { failureThreshold: 1, resetTimeout: 60_000 }));
    await trip(tab);
    const late = await use.browser.openTab(use.server.page());
    const reason = await late.run(() => {
      const breaker = new window.tabwire.CircuitBreaker('service');
      return breaker.execute(() => 'passed').catch(({ reason }) => reason);
    });
    expect(reason).toBe('restored');
  });

  test('shows where its state cannot outlive the page', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    const persisted = await tab.run(() => {
      Object.defineProperty(window, 'localStorage', {
        get() {
          throw new DOMException('no', 'SecurityError');
        },
      });
      return new window.tabwire.CircuitBreaker('service').stats.persisted;
    });
    expect(persisted).toBe(false);
  });
});

describeEngines('gatedFetch', (use) => {
  test('does what fetch does: with Request objects, streams, signals and bad arguments', async () => {
    const tab = first(await open(use, 1));
    for (const mode of ['ok', 'hang', 'reset'] as const) await use.server.control.service({ route: mode, mode });
    const outcomes = await tab.run(async () => {
      const base = '/api/v1/service';
      const read = async (response: Response) => {
        const reader = response.body?.getReader();
        let text = '';
        for (;;) {
          const { value, done } = (await reader?.read()) ?? { done: true };
          if (done) return text.replace(/"n":\d+/, '"n":0');
          text += new TextDecoder().decode(value as Uint8Array);
        }
      };
      const used = () => {
        const request = new Request(`${base}/ok`, { method: 'POST', body: 'used' });
        request.text();
        return request;
      };
      const abortedAfter = async (call: typeof fetch) => {
        const controller = new AbortController();
        const response = await call('/events', { signal: controller.signal });
        controller.abort();
        return response.text();
      };
      const abortedMeanwhile = (call: typeof fetch, reason?: unknown) => {
        const controller = new AbortController();
        const response = call(new Request(`${base}/hang`, { signal: controller.signal }));
        controller.abort(reason);
        return response;
      };
      const what: ((call: typeof fetch) => Promise<unknown>)[] = [
        (call) => call(`${base}/ok`).then(read),
        (call) => call(new URL(`${base}/ok`, location.href)).then(read),
        (call) => call(new Request(`${base}/ok`, { method: 'POST', body: 'text' })).then(read),
        (call) => call(new Request(`${base}/ok`), { method: 'PUT', body: 'text' }).then(read),
        (call) => call(`${base}/ok`, { method: 'POST', body: new Blob(['text']) }).then(read),
        (call) => call(`${base}/ok`, { signal: AbortSignal.abort() }),
        (call) => call(`${base}/ok`, { signal: AbortSignal.abort('enough') }),
        (call) => abortedMeanwhile(call),
        (call) => abortedMeanwhile(call, 'enough'),
        abortedAfter,
        (call) => call(`${base}/hang`, { signal: AbortSignal.timeout(50) }),
        (call) => call('http://'),
        (call) => call('http://user:secret@127.0.0.1/'),
        (call) => call(`${base}/ok`, { body: 'text' }),
        (call) => call(`${base}/ok`, { method: 'no method' }),
        (call) => call(used()),
        (call) => call(`${base}/reset`),
      ];
      const outcome = (call: typeof fetch, what: (call: typeof fetch) => Promise<unknown>) =>
        what(call).catch((error) => `rejects with ${error.name ?? error}`);
      const { gatedFetch } = window.tabwire;
      const gated = (input: RequestInfo | URL, init?: RequestInit) =>
        gatedFetch(input, { ...init, breaker: 'service' });
      const outcomes = [];
      for (const one of what) outcomes.push([await outcome(fetch, one), await outcome(gated, one)]);
      return outcomes;
    });
    for (const [own, gated] of outcomes) expect(gated).toBe(own);
    // WebKit does not tell why.
    const isTold = use.engine !== 'webkit';
    expect(outcomes.map(([own]) => own)).toEqual([
      '{"n":0,"route":"ok"}',
      '{"n":0,"route":"ok"}',
      '{"body":"text","n":0,"route":"ok"}',
      '{"body":"text","n":0,"route":"ok"}',
      '{"body":"text","n":0,"route":"ok"}',
      'rejects with AbortError',
      'rejects with enough',
      'rejects with AbortError',
      `rejects with ${isTold ? 'enough' : 'AbortError'}`,
      'rejects with AbortError',
      `rejects with ${isTold ? 'TimeoutError' : 'AbortError'}`,
      ...Array(6).fill('rejects with TypeError'),
    ]);
    // Only the last has to do with the service.
    const { failures } = await untilStats(
      tab,
      'the totals',
      ({ neutral, successes }) => neutral >= 7 && successes >= 6,
    );
    expect(failures).toBe(1);
  });

  test('gives up after its timeout with TimeoutError, which is a failure, and makes the call again', async () => {
    const tab = first(await open(use, 1));
    await use.server.control.service({ route: 'hang', mode: 'hang' });
    const retry = { attempts: 1, minDelay: 0 };
    expect(await call(tab, 'hang', { timeout: 200, retry })).toBe('TimeoutError');
    await use.server.control.wait({ service: 'hang', calls: 2, in_flight: 0 });
    await untilStats(tab, 'two failures', ({ failures, retries }) => failures === 2 && retries === 1);
  });

  test('makes a call again after 100, 200 and 400 ms, and gives the answer that comes then', async () => {
    const tab = first(await open(use, 1));
    await use.server.control.service({ route: 'failing', mode: 'fail', times: 3 });
    const took = await tab.run(async () => {
      const start = performance.now();
      await window.call('failing', { retry: { attempts: 3, minDelay: 100, jitter: 'none' } });
      return performance.now() - start;
    });
    expect(await tab.run(() => window.ends)).toEqual([200]);
    expect(took).toBeGreaterThanOrEqual(690);
    expect((await serviceOf(use, 'failing')).calls).toBe(4);
  });
});
