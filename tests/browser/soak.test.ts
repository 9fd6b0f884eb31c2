import { expect, test } from 'vitest';
import { describeEngines, type Tab, type Use } from './harness/index.js';
import { first, listen, untilGot, untilState } from './listening.js';

/** Users that come and go in one round, and topics that each of them has. */
const users = 20;
const topics = 10;

/** Opens a socket for one user after the other, with topics and a request, and leaves nothing of it. */
const round = (tab: Tab, url: string) =>
  tab.run(
    async (url, users, topics) => {
      for (let user = 0; user < users; user++) {
        const options = { key: `user ${user}`, subprotocol: 'json', linger: 0 } as const;
        const ws = window.hub().socket(url, [], options);
        const opened = new Promise((resolve) => ws.addEventListener('open', resolve));
        for (let topic = 0; topic < topics; topic++) ws.subscribe(`topic ${topic}`, () => {});
        await opened;
        await ws.request('a turn');
        const closed = new Promise((resolve) => ws.addEventListener('close', resolve));
        ws.close({ purge: true });
        await closed;
      }
    },
    url,
    users,
    topics,
  );

/** How large the memory of the hub is, which never shrinks. */
const weigh = (tab: Tab) =>
  tab.run(
    () =>
      new Promise<number>((resolve) => {
        const channel = new BroadcastChannel('test-crash');
        channel.onmessage = ({ data }) => {
          if (!data.bytes) return;
          channel.close();
          resolve(data.bytes);
        };
        channel.postMessage('weigh');
      }),
  );

/** So many rounds, beside messages to a tab that stays. */
async function rounds(use: Use, tab: Tab, count: number, got: number) {
  for (let left = count; left > 0; left--) await round(tab, use.server.socket('/ws/topics'));
  await use.server.control.flood({ count: 10_000, size: 200 });
  await untilGot(tab, got + 10_000);
  return weigh(tab);
}

describeEngines('a hub that many come to and leave', (use) => {
  test('memory stable: after 800 connections with 8000 subscriptions it has kept none of those after the first 200', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await tab.run(() => {
      window.hubOptions = { host: { workerUrl: '/crashing-worker.js' } };
    });
    await listen(tab, use.server.socket());
    await untilState(tab, 'open');
    const before = await rounds(use, tab, 10, 0);
    const after = await rounds(use, tab, 30, 10_000);
    console.log(`${use.engine}: the hub's memory is ${before} bytes, and ${after} later`);
    // As a rule it does not grow at all; what waits for a slow page may take a few of its 64 KiB pages, a connection that is kept takes 1 KB.
    expect(after - before).toBeLessThan(30 * users * 512);
    expect(await tab.run(() => window.hub().report())).toMatchObject({ tabs: 1, connections: 1 });
    await use.server.control.wait({ live: 1 });
    expect((await use.server.control.topics()).connections.flatMap(({ topics }) => topics)).toEqual([]);
  }, 120_000);
});
