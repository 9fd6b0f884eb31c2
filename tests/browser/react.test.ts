import { beforeAll, expect, test } from 'vitest';
import { describeEngines, type Tab, type Use } from './harness/index.js';
import { buildReactPage } from './react/build.js';
import type {} from './react/page.js';

beforeAll(buildReactPage);

/** Opens two tabs whose components are mounted and show that they are open. */
async function openTwo(use: Use): Promise<[Tab, Tab]> {
  const tabs = (await use.browser.openTabs(2, use.server.page('/react.html'))) as [Tab, Tab];
  for (const tab of tabs) await show(use, tab);
  for (const tab of tabs) await until(tab, 'status', 'open');
  await use.server.control.wait({ live: 1, topics: 1 });
  return tabs;
}

const show = (use: Use, tab: Tab, userId: string | null = 'ada') =>
  tab.run(
    (url, userId) => window.show({ url, userId, options: { subprotocol: 'json', linger: 500 } }),
    use.server.socket('/ws/topics?speak=json'),
    userId,
  );

/** Waits until a component shows this. */
const until = (tab: Tab, name: keyof Window['commits'], value: unknown) =>
  tab.waitFor(`${name} ${value}`, () => window.commits, { until: (commits) => commits[name].at(-1) === value });

/** The renders that React has committed since the last look, and forgets them. */
const commits = (tab: Tab) =>
  tab.run(() => {
    const commits = structuredClone(window.commits);
    for (const list of Object.values(window.commits)) list.length = 0;
    return commits;
  });

describeEngines('React', (use) => {
  test('two tabs under StrictMode hold one connection, and the server is asked for a topic once', async () => {
    const tabs = await openTwo(use);
    await use.server.control.publish(['price'], 5);
    for (const tab of tabs) {
      await until(tab, 'topic', 5);
      await until(tab, 'sum', 5);
      expect(await tab.run(() => window.complaints)).toEqual([]);
    }
    const { connections, counts } = await use.server.control.topics();
    expect(connections.map(({ topics }) => topics)).toEqual([['price']]);
    expect(counts).toMatchObject({ subscribed: 1, unsubscribed: 0, duplicates: 0, strays: 0 });
    expect((await use.server.control.stats()).total).toBe(1);
  });

  test('mounting again and again opens nothing, asks for nothing, and shows the last value at once', async () => {
    const [tab, other] = await openTwo(use);
    await use.server.control.publish(['price'], 5);
    await until(tab, 'topic', 5);
    const { received } = await use.server.control.stats();
    await tab.run((url) => {
      const settings = { url, userId: 'ada', options: { subprotocol: 'json', linger: 500 } };
      for (let mounts = 0; mounts < 100; mounts++) {
        window.show(null);
        window.show(settings);
      }
    }, use.server.socket('/ws/topics?speak=json'));
    await until(tab, 'topic', 5);
    expect((await commits(tab)).status.at(-1)).toBe('open');
    await tab.run(() => window.result.request('a turn'));
    const stats = await use.server.control.stats();
    expect({ received: stats.received, total: stats.total }).toEqual({ received: received + 1, total: 1 });
    expect(await tab.run(() => window.complaints)).toEqual([]);

    await tab.run(() => window.show(null));
    await other.run(() => window.show(null));
    await use.server.control.wait({ live: 0 });
  });

  test('a component renders again for what it reads, and for nothing else', async () => {
    const [tab, other] = await openTwo(use);
    await until(tab, 'breaker', 'closed');
    await commits(tab);
    for (const [price, sum] of [
      [1, 1],
      [2, 3],
      [2, 5],
    ]) {
      await use.server.control.publish(['others', 'price'], price);
      await until(tab, 'sum', sum);
    }
    const { last, ...others } = await commits(tab);
    expect(others).toEqual({ status: [], topic: [1, 2], sum: [1, 3, 5], breaker: [], nothing: [] });
    expect(last.map((text) => JSON.parse(`${text}`).data)).toEqual([1, 2, 2]);

    await other.run(() => window.tabwire.circuitBreakerManager.isolate('api'));
    await until(tab, 'breaker', 'forced-open');
    expect(await commits(tab)).toEqual({
      status: [],
      last: [],
      topic: [],
      sum: [],
      breaker: ['forced-open'],
      nothing: [],
    });
  });

  test('another user has another connection, and nothing is left of the first', async () => {
    const [tab, other] = await openTwo(use);
    await use.server.control.publish(['price'], 5);
    await until(tab, 'topic', 5);
    await show(use, other, null);
    await commits(tab);
    await show(use, tab, 'bob');
    await until(tab, 'status', 'open');
    const { status, topic } = await commits(tab);
    expect([status[0], topic]).toEqual(['idle', [null]]);
    await use.server.control.wait({ live: 1, total: 2, topics: 1 });
    await use.server.control.publish(['price'], 6);
    await until(tab, 'topic', 6);
    expect((await commits(other)).status.at(-1)).toBe('idle');
  });
});
