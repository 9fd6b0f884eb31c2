import { expect, test } from 'vitest';
import { describeEngines, type Tab, type Use, waitFor } from './harness/index.js';

/** Connects a page to the plain worker that counts its ports. */
const connect = (tab: Tab) =>
  tab.run(
    () =>
      new Promise<number>((resolve) => {
        const { port } = new SharedWorker(new URL('/counting-worker.js', location.href), { type: 'module' });
        port.onmessage = ({ data }) => resolve(data);
      }),
  );

const setTitle = (tab: Tab, title: string) =>
  tab.run((text) => {
    document.title = text;
  }, title);

describeEngines('the harness', (use) => {
  test('opens tabs that share one SharedWorker', async () => {
    const tabs = await use.browser.openTabs(2, use.server.page('/bare.html'));
    const counts = await Promise.all(tabs.map(connect));
    expect(counts).toEqual([1, 2]);
  });

  test('opens windows, which are visible in every engine', async () => {
    const tabs = await use.browser.openTabs(2, use.server.page('/bare.html'), { kind: 'window' });
    const states = await Promise.all(tabs.map((tab) => tab.run(() => document.visibilityState)));
    expect(states).toEqual(['visible', 'visible']);
    expect(await Promise.all(tabs.map(connect))).toEqual([1, 2]);
  });

  test('gives each test an origin of its own', async () => {
    const tab = await use.browser.openTab(use.server.page('/bare.html'));
    expect(await connect(tab)).toBe(1);
  });

  test('runs functions in the tab they are meant for, and throws what they throw', async () => {
    const tabs = await use.browser.openTabs(3, use.server.page('/bare.html'));
    await Promise.all(tabs.map((tab, index) => setTitle(tab, `tab ${index}`)));
    expect(await Promise.all(tabs.map((tab) => tab.run(() => document.title)))).toEqual(['tab 0', 'tab 1', 'tab 2']);
    const failing = tabs[1]?.run(() => {
      throw new RangeError('out of bounds');
    });
    await expect(failing).rejects.toThrow('RangeError: out of bounds');
    expect(await tabs[1]?.run(() => undefined)).toBeUndefined();
  });

  test('reloads, navigates and goes back', async () => {
    const tab = await use.browser.openTab(use.server.page('/bare.html?one'));
    await setTitle(tab, 'changed');
    await tab.reload();
    expect(await tab.run(() => document.title)).toBe('page without tabwire');
    await tab.navigate(use.server.page('/bare.html?two'));
    await tab.back();
    expect(await tab.run(() => location.search)).toBe('?one');
  });

  test('closes a tab, whose socket the server then counts no more', async () => {
    const tab = await use.browser.openTab(use.server.page('/bare.html'));
    await tab.run((url) => void new WebSocket(url), use.server.socket());
    await use.server.control.wait({ live: 1 });
    await tab.close();
    await use.server.control.wait({ live: 0, timeout: 30_000 });
  });

  test('floods a socket and reads what it got', async () => {
    const tab = await use.browser.openTab(use.server.page('/bare.html'));
    await tab.run((url) => {
      const got: string[] = [];
      new WebSocket(url).onmessage = ({ data }) => got.push(data);
      Object.assign(window, { got });
    }, use.server.socket());
    await use.server.control.wait({ live: 1 });
    await use.server.control.flood({ count: 1000, size: 20 });
    const count = () => (window as unknown as { got: string[] }).got.length;
    expect(await tab.waitFor('1000 messages', count, { until: (seen) => seen >= 1000 })).toBe(1000);
    const last = await tab.run(() => (window as unknown as { got: string[] }).got.at(-1));
    expect(last).toMatch(/^999 .{16}$/);
  });

  test('says what it saw last when a wait is in vain', async () => {
    const waiting = waitFor('a miracle', () => 'nothing yet', { until: () => false, timeout: 50 });
    await expect(waiting).rejects.toThrow('waited 50 ms for a miracle; last seen: "nothing yet"');
  });
});

/** A page that counts in `ticks` while it runs. */
const openTicking = async (use: Use, kind: 'tab' | 'window') => {
  const tab = await use.browser.openTab(use.server.page('/bare.html'), { kind });
  await tab.run(() => {
    Object.assign(window, { ticks: 0 });
    setInterval(() => {
      (window as unknown as { ticks: number }).ticks += 1;
    }, 1);
  });
  return tab;
};

const ticks = () => (window as unknown as { ticks: number }).ticks;

describeEngines(
  'a fault',
  (use) => {
    test.skipIf(use.engine === 'webkit')('that is a crash kills one tab and leaves the others alone', async () => {
      const [first, second, third] = await use.browser.openTabs(3, use.server.page('/bare.html'));
      await second?.crash();
      expect(await first?.run(() => 'alive')).toBe('alive');
      expect(await third?.run(() => 'alive')).toBe('alive');
    });

    test('freezes a tab, and no other, until it is thawed', async () => {
      const [frozen, other] = [await openTicking(use, 'window'), await openTicking(use, 'window')];
      const before = await frozen.run(ticks);
      await frozen.freeze();
      const began = await other.run(ticks);
      await other.waitFor('the other tab to run on', ticks, { until: (count) => count > began + 100 });
      await frozen.thaw();
      expect(await frozen.run(ticks)).toBeLessThan(before + 100);
      await frozen.waitFor('it to run again', ticks, { until: (count) => count > before + 100 });
    });

    test('freezes the worker, and tabs in other processes run on', async () => {
      const [maker, other] = await use.browser.openTabs(2, use.server.page('/bare.html'));
      if (!maker || !other) throw new Error('two tabs were asked for');
      expect(await connect(maker)).toBe(1);
      expect(await use.browser.faults.hostsWorker(maker)).toBe(true);
      expect(await use.browser.faults.hostsWorker(other)).toBe(false);
      await use.browser.faults.freezeWorker();
      await other.run(() => {
        const { port } = new SharedWorker(new URL('/counting-worker.js', location.href), { type: 'module' });
        Object.assign(window, { count: 0 });
        port.onmessage = ({ data }) => Object.assign(window, { count: data });
      });
      const count = () => (window as unknown as { count: number }).count;
      expect(await other.run(count)).toBe(0);
      use.browser.faults.thawWorker();
      await other.waitFor('an answer of the worker', count, { until: (count) => count === 2 });
    });

    test('puts the browser to sleep and wakes it', async () => {
      const tab = await openTicking(use, 'tab');
      use.browser.faults.sleep();
      use.browser.faults.release();
      const before = await tab.run(ticks);
      await tab.waitFor('it to run on', ticks, { until: (count) => count > before });
    });

    test('is to be cached and restored', async () => {
      const tab = await openTicking(use, 'tab');
      await tab.run(() => {
        addEventListener('pageshow', ({ persisted }) => Object.assign(window, { persisted }));
      });
      // A page whose load event is under way is not cached, and the driver does not wait for its end.
      const loaded = () => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).loadEventEnd;
      await tab.waitFor('the end of its load event', loaded, { until: (end) => end > 0 });
      await tab.navigate(use.server.page('/bare.html?other'));
      await tab.back();
      await tab.waitFor('it to be restored', () => (window as unknown as { persisted: boolean }).persisted);
    });
  },
  { browser: { faults: true } },
);

describeEngines(
  'a page on a mapped host name',
  (use) => {
    test('is no secure context', async () => {
      const tab = await use.browser.openTab(use.server.page('/bare.html', 'insecure.test'));
      expect(await tab.run(() => [isSecureContext, 'locks' in navigator])).toEqual([false, false]);
    });
  },
  { only: ['chromium', 'firefox'], browser: { hosts: { 'insecure.test': '127.0.0.1' } } },
);
