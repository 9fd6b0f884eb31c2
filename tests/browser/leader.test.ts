import { expect, test } from 'vitest';
import type { SocketOptions } from '../../www/client/index.js';
import { describeEngines, type Tab, type Use, waitFor } from './harness/index.js';
import { listen, send, untilGot, untilState } from './listening.js';

/** Opens pages in which there is no SharedWorker, each with a socket. */
async function open(use: Use, count: number, options: SocketOptions = {}) {
  const tabs = await use.browser.openTabs(count, use.server.page());
  for (const tab of tabs) {
    await tab.run(() => {
      Object.defineProperty(window, 'SharedWorker', { value: undefined });
    });
    await listen(tab, use.server.socket(), { reconnect: { firstDelayMax: 0 }, ...options });
  }
  for (const tab of tabs) await untilState(tab, 'open');
  return tabs;
}

/** The page whose worker has the hub: the one that holds the lock. */
async function leaderOf(tabs: readonly Tab[]): Promise<number> {
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
  return leads.length;
}

describeEngines('without SharedWorker', (use) => {
  test('one page leads: five tabs have one connection, and each gets every message', async () => {
    const tabs = await open(use, 5);
    for (const tab of tabs) {
      const { host, reason } = await tab.run(() => window.socket().status);
      expect(host).toBe('leader-tab');
      expect(reason).toContain('shared-worker: missing');
    }
    expect(await leaderOf(tabs)).toBe(5);
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
});
