import { expect, test } from 'vitest';
import { describeEngines, type Tab, type Use } from './harness/index.js';
import { first, openListening } from './listening.js';

/** Bound of the issue: the hub's tab count follows within this. */
const SOON = 250;

/** Does something to a tab and tells how long after it began the hub counted `left` tabs, as another tab sees it. */
async function timeUntil(left: number, watcher: Tab, act: () => Promise<unknown>): Promise<number> {
  await watcher.run((left) => {
    Object.assign(window, { seenAt: 0 });
    void window.tabsAre(left).then((seenAt) => Object.assign(window, { seenAt }));
  }, left);
  const began = Date.now();
  await act();
  const seenAt = await watcher.waitFor('the count', () => (window as unknown as { seenAt: number }).seenAt);
  return seenAt - began;
}

async function threeTabs(use: Use): Promise<[Tab, Tab, Tab]> {
  const [watcher, second, third] = await openListening(use, 3);
  if (!watcher || !second || !third) throw new Error('three tabs were asked for');
  await watcher.run(() => window.tabsAre(3));
  return [watcher, second, third];
}

describeEngines('the count of tabs', (use) => {
  test('follows a tab that is closed', async () => {
    const [watcher, second] = await threeTabs(use);
    const took = await timeUntil(2, watcher, () => second.close());
    console.log(`${use.engine}: closed tab seen after ${took} ms`);
    expect(took).toBeLessThanOrEqual(SOON);
  });

  test('follows a tab that is navigated away', async () => {
    const [watcher, , third] = await threeTabs(use);
    const took = await timeUntil(2, watcher, () => third.navigate(use.server.page('/bare.html')));
    console.log(`${use.engine}: navigated tab seen after ${took} ms`);
    expect(took).toBeLessThanOrEqual(SOON);
  });

  test('follows a tab that comes back by the history', async () => {
    const [watcher, , third] = await threeTabs(use);
    await third.navigate(use.server.page('/bare.html'));
    await watcher.run(() => window.tabsAre(2));
    await third.back();
    await third.run((url) => {
      if (!performance.getEntriesByType('navigation').length) return;
      try {
        window.socket();
      } catch {
        window.listen(url);
      }
    }, use.server.socket());
    await watcher.run(() => window.tabsAre(3));
  });

  test('falls to nothing on the server after the last tab and the linger', async () => {
    const tabs = await openListening(use, 2, { linger: 100 });
    for (const tab of tabs) await tab.close();
    const began = Date.now();
    await use.server.control.wait({ live: 0, timeout: 30_000 });
    console.log(`${use.engine}: the server counted 0 connections ${Date.now() - began} ms after the last tab`);
  });

  test('and linger keeps the connection for a page that comes back soon', async () => {
    const [watcher, second] = await threeTabs(use);
    await watcher.run(() => window.socket().close());
    await second.reload();
    await second.run((url) => window.listen(url), use.server.socket());
    await second.waitFor('open', () => window.socket().readyState === 1);
    expect((await use.server.control.stats()).total).toBe(1);
  });
});

describeEngines(
  'a crashed tab',
  (use) => {
    test('is noticed when its process does not host the worker', async () => {
      // The first tab's process hosts the worker; a tab in a window of another site instance has its own.
      const watcher = first(await openListening(use, 1));
      const victim = first(await openListening(use, 1));
      await watcher.run(() => window.tabsAre(2));
      const took = await timeUntil(1, watcher, () => victim.crash());
      console.log(`chromium: crashed tab seen after ${took} ms`);
      expect(took).toBeLessThanOrEqual(SOON);
      expect((await use.server.control.stats()).total).toBe(1);
    });
  },
  { only: ['chromium'] },
);
