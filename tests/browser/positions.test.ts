import { mkdirSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { makeVariant } from '../../scripts/build/variant.mjs';
import { at } from '../../scripts/lib/paths.mjs';
import type { SocketOptions } from '../../www/client/index.js';
import { describeEngines, type Tab, type Use } from './harness/index.js';
import { first, listen, untilState } from './listening.js';

const newer = 'target/test-site/9.9.9';

beforeAll(async () => {
  mkdirSync(at(newer), { recursive: true });
  await makeVariant('9.9.9', newer);
});

const quick: SocketOptions = { subprotocol: 'json', reconnect: { minDelay: 250, firstDelayMax: 500, jitter: 'none' } };

/** Opens tabs that follow some topics. */
async function follow(use: Use, count: number, topics: string[], options = quick, prepare?: (tab: Tab) => unknown) {
  const tabs = await use.browser.openTabs(count, use.page());
  for (const tab of tabs) {
    await prepare?.(tab);
    await listen(tab, use.server.socket('/ws/topics'), options);
    await untilState(tab, 'open');
    await tab.run((topics) => window.subscribe(topics), topics);
    // What is answered is behind the subscriptions.
    await tab.run(() => window.socket().request('a turn'));
  }
  return tabs;
}

/** Publishes the next numbers on each of some topics. */
async function publish(use: Use, topics: string[], from: number, count: number) {
  for (let number = from; number < from + count; number++) await use.server.control.publish(topics, number);
}

/** Waits until the subscriptions of a tab have all heard this number, and expects that they have heard each before it, once. */
async function expectAll(tab: Tab, to: number, from = 1) {
  const heard = await tab.waitFor(
    `message ${to}`,
    () => window.heard.map(({ messages }) => messages.map(({ data }) => data as number)),
    { until: (heard) => heard.every((numbers) => numbers.at(-1) === to) },
  );
  for (const numbers of heard)
    expect(numbers).toEqual(Array.from({ length: to - from + 1 }, (_, index) => from + index));
}

const gapsOf = (tab: Tab) => tab.run(() => window.probe().gaps);

const hosts = ['shared-worker', 'leader-tab'] as const;

// A page that shares its process with others is not always let into Firefox's back-forward cache on a busy machine.
describeEngines('topics with positions', define, { hosts, browser: { faults: true } });

function define(use: Use) {
  test('go on over a lost connection: nothing is missed, nothing comes twice, and nothing is in doubt', async () => {
    const tab = first(await follow(use, 1, ['a', 'b']));
    await publish(use, ['a', 'b'], 1, 3);
    await expectAll(tab, 3);
    await use.server.control.reset();
    await publish(use, ['a', 'b'], 4, 20);
    await use.server.control.wait({ total: 2 });
    await publish(use, ['a', 'b'], 24, 3);
    await expectAll(tab, 26);
    expect(await gapsOf(tab)).toEqual([]);
    expect((await use.server.control.topics()).counts).toMatchObject({ resumed: 2, duplicates: 0 });
  });

  test('that the server has forgotten are a gap from one position to the other', async () => {
    const tab = first(await follow(use, 1, ['a']));
    await publish(use, ['a'], 1, 2);
    await expectAll(tab, 2);
    await use.server.control.reset();
    const many = Array.from({ length: 150 }, () => 'a');
    await use.server.control.publish(many, 'missed');
    await use.server.control.wait({ total: 2 });
    await tab.waitFor('a gap', () => window.probe().gaps.length > 0);
    expect(await gapsOf(tab)).toEqual([{ topic: 'a', from: 2, to: 152, reason: 'not-recovered', suspected: false }]);
    await use.server.control.publish(['a'], 'after');
    await tab.waitFor('the next message', () => window.heard[0]?.messages.at(-1)?.data === 'after');
  });

  test('go on at the next hub, from the tab that is furthest behind', async () => {
    // Without locks tabs see that a hub is dead one after the other: the second gets what the hub has kept by then.
    const options = { ...quick, replay: { perTopic: 100 } };
    const tabs = await follow(use, 2, ['a', 'b'], options, (tab) =>
      tab.run(() => {
        window.hubOptions = { host: { workerUrl: '/crashing-worker.js' } };
      }),
    );
    await publish(use, ['a', 'b'], 1, 3);
    for (const tab of tabs) await expectAll(tab, 3);
    await first(tabs).run(() => new BroadcastChannel('test-crash').postMessage('close'));
    await publish(use, ['a', 'b'], 4, 20);
    await use.server.control.wait({ total: 2 });
    await use.server.control.wait({ topics: 2 });
    await publish(use, ['a', 'b'], 24, 3);
    for (const tab of tabs) {
      await expectAll(tab, 26);
      expect(await gapsOf(tab)).toEqual([]);
    }
  });

  test('have no gap while sockets are replaced as planned', async () => {
    const tab = first(await follow(use, 1, ['a'], { ...quick, staleness: { maxAge: 300 } }));
    let number = 0;
    while ((await use.server.control.stats()).total < 4) await publish(use, ['a'], ++number, 1);
    await expectAll(tab, number);
    expect(await gapsOf(tab)).toEqual([]);
  });

  // Without SharedWorker both builds use the hub of the tab that leads.
  test.skipIf(use.host === 'leader-tab')('have no gap while the tabs go to the hub of a newer build', async () => {
    const tabs = await follow(use, 2, ['a']);
    await publish(use, ['a'], 1, 3);
    for (const tab of tabs) await expectAll(tab, 3);
    const later = first(await use.browser.openTabs(1, use.page()));
    await later.run(async () => {
      window.tabwire = await import('/9.9.9/index.js' as string);
    });
    await listen(later, use.server.socket('/ws/topics'), quick);
    let number = 3;
    const epochs = async () => {
      const statuses = await Promise.all([...tabs, later].map((tab) => tab.run(() => window.socket().status)));
      return new Set(statuses.map(({ state, epoch }) => (state === 'open' ? epoch : state)));
    };
    await untilState(later, 'open', 20_000);
    while ((await epochs()).size > 1) await publish(use, ['a'], ++number, 1);
    await publish(use, ['a'], ++number, 1);
    for (const tab of tabs) {
      await expectAll(tab, number);
      expect(await gapsOf(tab)).toEqual([]);
    }
  });

  test('of a page that was cached are complete when it is back, or it is told which are not', async () => {
    const tabs = await follow(use, 2, ['a'], { ...quick, replay: { perTopic: 100 } });
    // The first leads where there is no SharedWorker, and a page that leads is not cached in each engine.
    const [tab, other] = use.host === 'leader-tab' ? tabs.reverse() : tabs;
    if (!tab || !other) throw new Error('there are no tabs');
    await publish(use, ['a'], 1, 3);
    for (const each of tabs) await expectAll(each, 3);
    await tab.navigate(use.server.page('/bare.html'));
    // What is posted before the hub has heard that the page is cached takes it out of the cache again.
    await other.run(() => window.tabsAre(1));
    await publish(use, ['a'], 4, 20);
    await expectAll(other, 23);
    await tab.back();
    await tab.waitFor('the page to be out of the back-forward cache', () => window.restored.at(-1));
    await publish(use, ['a'], 24, 1);
    await expectAll(other, 24);
    const gaps = await gapsOf(tab);
    if (use.engine !== 'webkit' || gaps.length === 0) {
      await expectAll(tab, 24);
      expect(gaps).toEqual([]);
      return;
    }
    // WebKit may restart the worker without a word when it caches the page that made it: the hub that follows goes on from the other
    // tab, and keeps nothing of what was before.
    const to = Number(gaps[0]?.to);
    expect(gaps).toEqual([{ topic: 'a', from: 3, to, reason: 'not-kept', suspected: false }]);
    const heard = await tab.waitFor(
      'message 24',
      () => window.heard[0]?.messages.map(({ data }) => data as number) ?? [],
      {
        until: (heard) => heard.at(-1) === 24,
      },
    );
    expect(heard).toEqual([1, 2, 3, ...Array.from({ length: 24 - to }, (_, index) => to + 1 + index)]);
  });
}
