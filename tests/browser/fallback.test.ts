import { expect, test } from 'vitest';
import type { CircuitBreaker, SocketOptions } from '../../www/client/index.js';
import { describeEngines, type Tab, type Use } from './harness/index.js';
import { first, listen, receivedTexts, send, untilGot } from './listening.js';

declare global {
  interface Window {
    gate: CircuitBreaker;
  }
}

/** Quick to give the WebSocket up, and quick to try it again. */
const options = (use: Use, fallback: SocketOptions['fallback'] = {}): SocketOptions => ({
  reconnect: { minDelay: 300, maxDelay: 300, firstDelayMax: 300, jitter: 'none' },
  fallback: {
    sse: { url: `${use.server.wire}/events` },
    polling: { url: `${use.server.wire}/poll`, interval: 200 },
    after: { attempts: 2, timeout: 2000 },
    ...fallback,
  },
});

async function open(use: Use, count: number, given: SocketOptions, path?: string) {
  const tabs = await use.browser.openTabs(count, use.server.page());
  for (const tab of tabs) await listen(tab, use.server.socket(path), given);
  return tabs;
}

const untilBy = (tab: Tab, transport: string) =>
  tab.waitFor(transport, () => window.socket().status, {
    until: (status) => status.state === 'open' && status.transport === transport,
  });

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `${from + at}`);

describeEngines('where a proxy refuses upgrades', (use) => {
  test('messages come by one stream for all tabs, and by the socket again once it is let through', async () => {
    await use.server.control.fault({ kind: 'refuse', scope: 'new' });
    const tabs = await open(use, 3, options(use));
    for (const tab of tabs) await untilBy(tab, 'sse');
    await use.server.control.wait({ streams: 1 });
    await use.server.control.broadcast(...numbered(0, 100));
    for (const tab of tabs) await untilGot(tab, 100);
    await use.server.control.fault({ kind: 'none' });
    for (const tab of tabs) await untilBy(tab, 'websocket');
    await use.server.control.wait({ streams: 0, live: 1 });
    await use.server.control.broadcast(...numbered(100, 200));
    for (const tab of tabs) {
      const { got, wrong, events, gaps } = await untilGot(tab, 200);
      expect({ got, wrong }).toEqual({ got: 200, wrong: [] });
      expect(events.filter(({ type }) => type !== 'error')).toEqual([{ type: 'open' }]);
      expect(gaps.map(({ reason, suspected }) => ({ reason, suspected }))).toEqual([
        { reason: 'handover', suspected: true },
      ]);
    }
    expect((await use.server.control.stats()).peak).toBe(1);
  });

  test('what tabs send is posted, in order, and waits for the socket where there is no place for it', async () => {
    await use.server.control.fault({ kind: 'refuse', scope: 'new' });
    const tab = first(await open(use, 1, options(use, { send: { url: `${use.server.wire}/send` } })));
    await untilBy(tab, 'sse');
    await send(tab, ...numbered(0, 20));
    await use.server.control.wait({ posted: 20 });
    await tab.waitFor('all is handed', () => window.socket().bufferedAmount, { until: (bytes) => bytes === 0 });
    expect(await receivedTexts(use)).toEqual(numbered(0, 20));
    const waiting = first(await use.browser.openTabs(1, use.server.page()));
    await listen(waiting, use.server.socket(), { ...options(use), key: 'another' });
    await untilBy(waiting, 'sse');
    await send(waiting, '20', '21');
    expect(await waiting.run(() => window.socket().bufferedAmount)).toBe(4);
    await use.server.control.fault({ kind: 'none' });
    await use.server.control.wait({ received: 22 });
    expect((await receivedTexts(use)).slice(20)).toEqual(['20', '21']);
    for (const each of [tab, waiting]) expect((await each.run(() => window.probe())).failed).toEqual([]);
  });

  test('a stream that is cut goes on after its last event', async () => {
    await use.server.control.fault({ kind: 'refuse', scope: 'new' });
    const tab = first(await open(use, 1, options(use)));
    await untilBy(tab, 'sse');
    await use.server.control.wait({ streams: 1 });
    await use.server.control.broadcast(...numbered(0, 10));
    await untilGot(tab, 10);
    await use.server.control.route('/events', 'cut');
    await use.server.control.broadcast(...numbered(10, 20));
    const { wrong, gaps } = await untilGot(tab, 20);
    expect({ wrong, gaps }).toEqual({ wrong: [], gaps: [] });
  });

  test('topics lose and repeat nothing on the way back to the socket', async () => {
    await use.server.control.fault({ kind: 'refuse', scope: 'new' });
    const given = { ...options(use), subprotocol: 'json' };
    const tabs = await open(use, 2, given, '/ws/topics');
    for (const tab of tabs) {
      await tab.run(() => {
        window.subscribe(['news']);
      });
      await untilBy(tab, 'sse');
    }
    await use.server.control.wait({ streams: 1 });
    let published = 0;
    const publish = async (count: number) => {
      for (const until = published + count; published < until; published++) {
        await use.server.control.publish(['news'], published);
      }
    };
    await publish(20);
    await use.server.control.fault({ kind: 'none' });
    const isBack = () => first(tabs).run(() => window.socket().status.transport === 'websocket');
    while (!(await isBack())) await publish(1);
    await publish(20);
    for (const tab of tabs) {
      await tab.waitFor(`${published} messages`, () => window.heard[0]?.messages.length, {
        until: (count) => (count ?? 0) >= published,
      });
      const heard = await tab.run(() => window.heard[0]?.messages.map(({ data }) => data));
      expect(heard).toEqual(Array.from({ length: published }, (_, number) => number));
    }
  });

  test('a route that fails is left alone by its breaker, which the calls of the pages share', async () => {
    await use.server.control.fault({ kind: 'refuse', scope: 'new' });
    await use.server.control.route('/poll', '503');
    const url = `${use.server.wire}/poll`;
    const fallback = { polling: { url }, after: { attempts: 1 } };
    const tab = first(await open(use, 1, { ...options(use), fallback }));
    await tab.run((url) => {
      window.gate = window.hub().breaker(url);
    }, url);
    await tab.waitFor('an open breaker', () => window.gate.state, { until: (state) => state === 'open' });
    expect((await use.server.control.stats()).faulted).toBe(5);
    const error = await tab.run(
      (url) =>
        window
          .hub()
          .fetch(url)
          .catch(({ code, name }) => ({ code, name })),
      url,
    );
    expect(error).toEqual({ code: 'circuit-open', name: url });
  });
});

describeEngines('where a proxy lets the handshake hang', (use) => {
  test('messages come by a stream after the time of the option', async () => {
    await use.server.control.fault({ kind: 'hang-upgrade', scope: 'new' });
    const tab = first(await open(use, 1, options(use, { after: { timeout: 1500 } })));
    const { since } = await untilBy(tab, 'sse');
    const begun = await tab.run(() => window.probe().statuses.find(({ state }) => state === 'connecting')?.since);
    expect(since - (begun ?? 0)).toBeGreaterThanOrEqual(1450);
    await use.server.control.wait({ streams: 1 });
    await use.server.control.broadcast('0');
    await untilGot(tab, 1);
    await use.server.control.fault({ kind: 'none' });
    await untilBy(tab, 'websocket');
  });

  test.each(['404', '503', 'hang'] as const)('and a stream is answered with %s, by polling', async (mode) => {
    await use.server.control.fault({ kind: 'hang-upgrade', scope: 'new' });
    await use.server.control.route('/events', mode);
    const tabs = await open(use, 2, options(use, { after: { timeout: 500 } }));
    for (const tab of tabs) {
      await tab.waitFor('polling', () => window.socket().status, {
        until: ({ state, transport }) => state === 'open' && transport === 'polling',
        timeout: 20_000,
      });
    }
    await use.server.control.broadcast(...numbered(0, 50));
    for (const tab of tabs) {
      const { wrong } = await untilGot(tab, 50);
      expect(wrong).toEqual([]);
    }
    await use.server.control.fault({ kind: 'none' });
    for (const tab of tabs) await untilBy(tab, 'websocket');
  });
});
