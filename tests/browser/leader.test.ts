import { expect, test } from 'vitest';
import type { SocketOptions } from '../../www/client/index.js';
import { describeEngines, type Tab, type Use, waitFor } from './harness/index.js';
import { listen, send, untilGot, untilState } from './listening.js';

/** Opens pages in which there is no SharedWorker, each with a socket. */
async function open(use: Use, count: number, options: SocketOptions = {}, path?: string) {
  const tabs = await use.browser.openTabs(count, use.page());
  for (const tab of tabs) await listen(tab, use.server.socket(path), { reconnect: { firstDelayMax: 0 }, ...options });
  for (const tab of tabs) await untilState(tab, 'open');
  return tabs;
}

/** How many leaders the pages hear of. */
async function leadersOf(tabs: readonly Tab[]): Promise<number> {
  const leads = await Promise.all(
    tabs.map((tab) =>
      tab.run(async () => {
        const channel = new BroadcastChannel('tabwire:lead:1');
        const term = await new Promise((resolve) => {
          channel.onmessage = ({ data: [what, term] }) => what === 'lead' && resolve(term);
          channel.postMessage(['who']);
        });
        channel.close();
        return term;
      }),
    ),
  );
  return new Set(leads).size;
}

describeEngines('without SharedWorker', define, { hosts: ['leader-tab'] });

function define(use: Use) {
  test('one page leads: five tabs have one connection, and each gets every message', async () => {
    const tabs = await open(use, 5);
    for (const tab of tabs) {
      const { host, reason } = await tab.run(() => window.socket().status);
      expect(host).toBe('leader-tab');
      expect(reason).toContain('shared-worker: missing');
    }
    expect(await leadersOf(tabs)).toBe(1);
    await use.server.control.flood({ count: 10_000, size: 200 });
    for (const tab of tabs) {
      const { got, wrong, gaps } = await untilGot(tab, 10_000);
      expect({ got, wrong, gaps }).toEqual({ got: 10_000, wrong: [], gaps: [] });
    }
    const { total, peak } = await use.server.control.stats();
    expect({ total, peak }).toEqual({ total: 1, peak: 1 });
  });

  test('another page leads when the leader is closed, and nothing is sent twice or lost uncounted', async () => {
    const tabs = await open(use, 4);
    const [leader, ...rest] = tabs;
    for (const [index, tab] of rest.entries()) await send(tab, `before ${index}`);
    await use.server.control.wait({ received: 3 });
    const began = Date.now();
    await leader?.close();
    for (const tab of rest) {
      await tab.waitFor('another hub', () => window.probe().statuses, {
        until: (statuses) => statuses.some(({ reason }) => reason.startsWith('hub-lost')),
      });
      const { since, host } = await untilState(tab, 'open');
      expect(host).toBe('leader-tab');
      console.log(`${use.engine}: open again ${since - began} ms after the close of the leader was asked for`);
    }
    for (const [index, tab] of rest.entries()) await send(tab, `after ${index}`);
    await waitFor('all sends', () => use.server.control.received(), {
      until: ({ frames }) => frames.filter(({ text }) => text?.startsWith('after')).length === 3,
    });
    await use.server.control.wait({ live: 1 });
  });

  test('topics go on where they were and breakers stay open when another page leads', async () => {
    const tabs = await open(
      use,
      3,
      { subprotocol: 'json', liveness: 'locks', replay: { perTopic: 100 } },
      '/ws/topics',
    );
    const [leader, ...rest] = tabs;
    for (const tab of tabs) {
      await tab.run(() => {
        window.subscribe(['news']);
        const options = { failureThreshold: 1, resetTimeout: 60_000, jitter: 0 };
        Object.assign(window, { gate: window.hub().breaker('service', options) });
      });
    }
    await use.server.control.wait({ topics: 1 });
    await leader?.run(() =>
      window
        .hub()
        .breaker('service')
        .execute(() => Promise.reject(new Error('no')))
        .catch(() => {}),
    );
    const stateOf = (tab: Tab) => tab.run(() => window.hub().breaker('service').stats);
    for (const tab of rest)
      await waitFor('an open breaker', () => stateOf(tab), { until: ({ state }) => state === 'open' });
    const retryAt = await Promise.all(rest.map((tab) => stateOf(tab).then(({ retryAt }) => retryAt ?? 0)));

    const untilHeard = (tab: Tab, count: number) =>
      tab.waitFor(`${count} messages`, () => window.heard[0]?.messages.length ?? 0, {
        until: (heard) => heard >= count,
      });
    let published = 0;
    const publish = async (count: number) => {
      for (const until = published + count; published < until; published++) {
        await use.server.control.publish(['news'], published);
      }
    };
    await publish(10);
    for (const tab of rest) await untilHeard(tab, published);
    await leader?.close();
    await publish(20);
    await use.server.control.wait({ topics: 1, live: 1 });
    await publish(10);
    for (const [index, tab] of rest.entries()) {
      await untilHeard(tab, published);
      const heard = await tab.run(() => window.heard[0]?.messages.map(({ data }) => data));
      expect(heard).toEqual(Array.from({ length: published }, (_, number) => number));
      const { state, retryAt: later } = await stateOf(tab);
      expect(state).toBe('open');
      // Each clock is rounded to a millisecond on the way.
      expect(Math.abs((later ?? 0) - (retryAt[index] ?? 0))).toBeLessThan(1000);
    }
  });
}
