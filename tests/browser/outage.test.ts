import { expect, test } from 'vitest';
import { describeEngines } from './harness/index.js';
import { first, openListening, receivedTexts, send, untilGot, untilState } from './listening.js';

const quick = { reconnect: { minDelay: 250, maxDelay: 1000, firstDelayMax: 250, jitter: 'none' as const } };

describeEngines('a server that is stopped for five seconds under traffic', (use) => {
  test('costs one reconnect, and every send arrives once or is counted', async () => {
    const tabs = await openListening(use, 3, quick);
    const tab = first(tabs);
    await use.server.control.startFlood({ count: 100_000, rate: 500, size: 50 });
    await untilGot(tab, 100);
    await send(tab, 'before 0', 'before 1');
    await use.server.control.wait({ received: 2 });
    await use.server.control.stop();
    for (const each of tabs) {
      await each.waitFor('the loss', () => window.probe().events.some(({ type }) => type === 'close'));
    }
    await send(tab, 'meanwhile 0', 'meanwhile 1', 'meanwhile 2');
    expect(await tab.run(() => window.socket().readyState)).toBe(0);
    expect(await tab.run(() => window.socket().bufferedAmount)).toBe(33);
    await use.server.control.restart(5000);
    await use.server.control.wait({ live: 1, total: 2, timeout: 30_000 });
    await use.server.control.wait({ received: 5 });
    const texts = await receivedTexts(use);
    expect(texts).toEqual(['before 0', 'before 1', 'meanwhile 0', 'meanwhile 1', 'meanwhile 2']);
    for (const each of tabs) {
      await untilState(each, 'open');
      const { events, statuses, gaps, wrong } = await each.run(() => window.probe());
      expect(events.filter(({ type }) => type !== 'error').map(({ type }) => type)).toEqual(['open', 'close', 'open']);
      expect(events.find(({ type }) => type === 'close')).toMatchObject({ code: 1006, wasClean: false, readyState: 0 });
      expect(gaps).toEqual([{ reason: 'connection-lost', suspected: true }]);
      expect(wrong).toEqual([]);
      const seen = statuses.map(({ state, reason }) => `${state} ${reason}`);
      expect(seen).toContain('reconnecting connection-lost');
      expect(seen).toContain('reconnecting connect-failed');
      expect(seen).toContain('connecting retry');
      expect(seen.at(-1)).toBe('open opened');
    }
    const { failed } = await tab.run(() => window.probe());
    expect(failed).toEqual([{ count: 2, reason: 'unknown' }]);
    expect((await use.server.control.stats()).total).toBe(2);
  });
});

describeEngines('a server that hangs', (use) => {
  test('is noticed within interval and timeout, and its socket replaced without waiting for close', async () => {
    const heartbeat = { message: 'ping', pong: 'pong', interval: 1000, jitter: 0, timeout: 1000 };
    const tab = first(await openListening(use, 1, { ...quick, heartbeat }));
    await use.server.control.fault({ kind: 'hang', scope: 'live' });
    const began = Date.now();
    await use.server.control.wait({ total: 2, timeout: 20_000 });
    await untilState(tab, 'open');
    const { statuses, events } = await tab.run(() => window.probe());
    const lost = statuses.find(({ reason }) => reason === 'pong-timeout');
    expect(lost?.state).toBe('reconnecting');
    expect(statuses.some(({ state, reason }) => state === 'suspect' && reason === 'pong-late')).toBe(true);
    expect((lost?.since ?? Number.NaN) - began).toBeLessThan(1000 + 1000 + 250);
    expect(events.map(({ type }) => type)).toEqual(['open', 'close', 'open']);
  });

  test('and one that answers late is suspect and then open again', async () => {
    const heartbeat = { message: 'ping', pong: 'pong', interval: 500, jitter: 0, timeout: 4000 };
    const tab = first(await openListening(use, 1, { heartbeat }));
    await use.server.control.fault({ kind: 'hang', scope: 'live' });
    await untilState(tab, 'suspect');
    await use.server.control.fault({ kind: 'none' });
    const status = await untilState(tab, 'open');
    expect(status.reason).toBe('recovered');
    expect((await use.server.control.stats()).total).toBe(1);
  });
});

describeEngines('other ends of a connection', (use) => {
  test('a close by the server with a reason is told with code and reason, then tried again', async () => {
    const tab = first(await openListening(use, 1, quick));
    await use.server.control.close({ code: 4000, reason: 'restarting' });
    await use.server.control.wait({ live: 1, total: 2 });
    const { events } = await tab.waitFor('open again', () => window.probe(), {
      until: ({ events }) => events.length === 3,
    });
    expect(events[1]).toEqual({ type: 'close', code: 4000, reason: 'restarting', wasClean: true, readyState: 0 });
  });

  test('a fatal code ends every handle with it, and nothing is tried again', async () => {
    const tabs = await openListening(use, 2, quick);
    await use.server.control.close({ code: 4401, reason: 'who are you' });
    for (const tab of tabs) {
      const { events } = await tab.waitFor('the end', () => window.probe(), {
        until: ({ events }) => events.length === 2,
      });
      expect(events[1]).toEqual({ type: 'close', code: 4401, reason: 'who are you', wasClean: true, readyState: 3 });
      expect(await tab.run(() => window.socket().status.state)).toBe('closed');
    }
    await first(tabs).run(() => window.socket().reconnect());
    await untilState(first(tabs), 'open');
    expect((await use.server.control.stats()).total).toBe(2);
  });

  test('accept-then-close does not become a loop', async () => {
    const options = { reconnect: { minDelay: 300, jitter: 'none' as const, firstDelayMax: 0, floor: 0 } };
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await use.server.control.fault({ kind: 'accept-then-close', code: 1011 });
    await tab.run((url, options) => window.listen(url, options), use.server.socket(), options);
    const statuses = await tab.waitFor('five attempts', () => window.probe().statuses, {
      until: (statuses) => statuses.filter(({ state }) => state === 'connecting').length >= 5,
      timeout: 30_000,
    });
    const waits = statuses
      .filter(({ state }) => state === 'reconnecting')
      .map(({ since, nextAttemptAt }) => Math.round(((nextAttemptAt ?? 0) - since) / 100) * 100);
    expect(waits.slice(0, 4)).toEqual([0, 600, 1200, 2400]);
  });

  test('a refused upgrade is an error and an attempt, not a close', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await use.server.control.fault({ kind: 'refuse', times: 1 });
    await tab.run((url, options) => window.listen(url, options), use.server.socket(), quick);
    await untilState(tab, 'open');
    const { events } = await tab.run(() => window.probe());
    expect(events.map(({ type }) => type)).toEqual(['error', 'open']);
  });

  test('shutdown closes every tab with 1000', async () => {
    const [tab, other] = await openListening(use, 2);
    await tab?.run(() => window.socket().shutdown());
    const { events } = await (other ?? first([])).waitFor('the end', () => window.probe(), {
      until: ({ events }) => events.length === 2,
    });
    expect(events[1]).toEqual({ type: 'close', code: 1000, reason: 'shutdown', wasClean: true, readyState: 3 });
    const { closes } = await use.server.control.wait({ live: 0 });
    expect(closes.at(-1)).toMatchObject({ code: 1000, reason: 'shutdown', clean: true });
  });
});
