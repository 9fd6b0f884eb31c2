import { expect, test } from 'vitest';
import { asked, listenWithToken } from './asking.js';
import { describeEngines, type Tab } from './harness/index.js';
import { first, receivedTexts, untilState } from './listening.js';

const linger = 60_000;
const quick = { reconnect: { minDelay: 250, firstDelayMax: 250, jitter: 'none' as const } };

/** Lets the socket of a page be the other user's from now on, as at a login. */
const login = (tab: Tab, url: string, key: string, how: { purge?: boolean } = { purge: true }) =>
  tab.run(
    (url, key, how, quick) => {
      window.socket().close(how);
      window.listen(url, { ...quick, key });
    },
    url,
    key,
    how,
    quick,
  );

describeEngines('a user who logs in after another', (use) => {
  test('gets nothing of what the server goes on to say to the first, whose connection ends at once', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await listenWithToken(tab, 'alice', use.server.socket(), { key: 'alice', linger });
    await untilState(tab, 'open');
    const { id } = await use.server.control.startFlood({ count: 100_000, rate: 1000, size: 100 });
    await tab.waitFor('the flood', () => window.probe().got > 100);
    await login(tab, use.server.socket(), 'bob');
    await untilState(tab, 'open');
    await use.server.control.wait({ live: 1, total: 2 });
    await use.server.control.broadcast('for bob');
    await tab.waitFor('a message', () => window.probe().got);
    expect((await tab.run(() => window.probe())).texts).toEqual(['for bob']);
    expect((await use.server.control.floodProgress(id, 10_000)).done).toBe(true);
  });

  test('gets nothing of a connection of the first that lingers', async () => {
    const [alice, bob] = (await use.browser.openTabs(2, use.server.page())) as [Tab, Tab];
    await listenWithToken(alice, 'alice', use.server.socket(), { key: 'alice', linger });
    await untilState(alice, 'open');
    await use.server.control.startFlood({ count: 100_000, rate: 1000, size: 100 });
    await alice.waitFor('the flood', () => window.probe().got > 100);
    await alice.run(() => window.socket().close());
    await listenWithToken(bob, 'bob', use.server.socket(), { key: 'bob' });
    await login(alice, use.server.socket(), 'bob', {});
    for (const tab of [alice, bob]) await untilState(tab, 'open');
    expect((await use.server.control.stats()).live).toBe(2);
    await use.server.control.broadcast('for both');
    for (const tab of [alice, bob]) {
      await tab.waitFor('a message', () => window.probe().got);
      expect((await tab.run(() => window.probe())).texts).toEqual(['for both']);
    }
  });

  test('sends nothing that the first had waiting, and is known by another token', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await listenWithToken(tab, 'alice', use.server.socket(), { ...quick, key: 'alice', linger });
    await untilState(tab, 'open');
    await use.server.control.stop();
    await tab.waitFor('the loss', () => window.socket().readyState === 0);
    const failed = await tab.run(async () => {
      const alice = window.socket();
      alice.send('of alice');
      // Posted, and waiting in the hub.
      await window.hub().report();
      alice.close({ purge: true });
      await new Promise((resolve) => alice.addEventListener('close', resolve));
      return window.probe().failed;
    });
    expect(failed).toEqual([{ count: 1, reason: 'closed' }]);
    await tab.run(() => {
      window.give = () => 'token of bob';
    });
    await listenWithToken(tab, 'bob', use.server.socket(), { ...quick, key: 'bob' });
    await tab.run(() => window.socket().send('of bob'));
    await use.server.control.start();
    await untilState(tab, 'open');
    const { connections } = await use.server.control.wait({ live: 1, received: 1 });
    expect(connections.map(({ token }) => token)).toEqual(['token of bob']);
    expect(await receivedTexts(use)).toEqual(['of bob']);
  });

  test('leaves nothing behind: every connection of the key ends, and its next user is asked for a token of his own', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await listenWithToken(tab, 'first', use.server.socket(), { key: 'alice', linger });
    await untilState(tab, 'open');
    await tab.run(
      (url, linger) => window.listen(url, { key: 'alice', linger }, 'another'),
      use.server.socket('/ws?another'),
      linger,
    );
    await use.server.control.wait({ live: 2 });
    await tab.run(() => window.socket('another').close());
    await tab.waitFor('the end', () => window.socket('another').readyState === 3);
    expect((await use.server.control.stats()).live).toBe(2);
    await tab.run(() => window.socket().close({ purge: true }));
    await use.server.control.wait({ live: 0 });
    await listenWithToken(tab, 'again', use.server.socket(), { key: 'alice' });
    await untilState(tab, 'open');
    const { connections } = await use.server.control.wait({ live: 1 });
    expect(connections.map(({ token }) => token)).toEqual(['first-2']);
    expect(await asked([tab])).toEqual([2]);
  });

  test('does not cut off the first in another tab, who is not logged out there', async () => {
    const [one, other] = (await use.browser.openTabs(2, use.server.page())) as [Tab, Tab];
    for (const tab of [one, other]) {
      await listenWithToken(tab, 'alice', use.server.socket(), { key: 'alice', linger });
      await untilState(tab, 'open');
    }
    await login(one, use.server.socket(), 'bob');
    await untilState(one, 'open');
    await other.run(() => window.socket().send('of alice'));
    await other.waitFor('the echo', () => window.probe().texts.includes('of alice'));
    expect(await one.run(() => window.probe().got)).toBe(0);
    expect(await other.run(() => window.probe().events)).toEqual([{ type: 'open' }]);
    await login(other, use.server.socket(), 'bob');
    await use.server.control.wait({ live: 1 });
  });
});
