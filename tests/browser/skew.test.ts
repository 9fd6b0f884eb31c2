import { mkdirSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { makeVariant } from '../../scripts/build/variant.mjs';
import { at } from '../../scripts/lib/paths.mjs';
import type { SocketOptions } from '../../www/client/index.js';
import { describeEngines, type Tab, type Use, waitFor } from './harness/index.js';
import { first, receivedTexts, untilState } from './listening.js';

declare global {
  interface Window {
    /** What came, in order: messages as their text, gaps as `gap`. */
    came: string[];
    /** Sends numbered messages, with the name of the page in them, until it is called; gives how many. */
    fallSilent: () => number;
  }
}

const newer = 'target/test-site/9.9.9';
/** A newer worker that ends without a word when it is told so on the channel `test-end`. */
const mortal = '/9.9.9/mortal.js';

beforeAll(async () => {
  mkdirSync(at(newer), { recursive: true });
  await makeVariant('9.9.9', newer);
  writeFileSync(
    at(newer, 'mortal.js'),
    "import './worker.js'; new BroadcastChannel('test-end').onmessage = () => self.close();",
  );
});

const quick: SocketOptions = { reconnect: { minDelay: 250, firstDelayMax: 250, jitter: 'none' } };

/** Opens a page of a build, and a socket in it that notes what comes. */
async function open(use: Use, build: 'older' | 'newer', workerUrl?: string): Promise<Tab> {
  const tab = first(await use.browser.openTabs(1, use.server.page()));
  await tab.run(
    async (index, url, options, workerUrl) => {
      window.tabwire = await import(index);
      if (workerUrl) window.hubOptions = { host: { workerUrl } };
      window.listen(url, options);
      window.came = [];
      window.socket().addEventListener('message', ({ data }) => window.came.push(data));
      window.socket().addEventListener('gap', () => window.came.push('gap'));
    },
    build === 'older' ? '/dist/index.js' : '/9.9.9/index.js',
    use.server.socket('/ws?mode=silent'),
    quick,
    workerUrl ?? '',
  );
  await untilState(tab, 'open', 20_000);
  return tab;
}

/** The distinct epochs of the hubs of some tabs. */
async function epochs(tabs: readonly Tab[]): Promise<Set<string | null>> {
  const seen = new Set<string | null>();
  for (const tab of tabs) seen.add((await tab.run(() => window.socket().status)).epoch);
  return seen;
}

/** Waits until all tabs are open at one hub, which is none of those. */
async function untilTogether(tabs: readonly Tab[], before: ReadonlySet<string | null> = new Set()) {
  await waitFor(
    'one hub',
    async () => {
      const statuses = [];
      for (const tab of tabs) statuses.push(await tab.run(() => window.socket().status));
      return statuses.map(({ state, reason, epoch }) => ({ state, reason, epoch }));
    },
    {
      until: (statuses) =>
        new Set(statuses.map(({ epoch }) => epoch)).size === 1 &&
        statuses.every(({ state, epoch }) => state === 'open' && !before.has(epoch)),
      timeout: 20_000,
    },
  );
}

/** Lets some tabs send and the server speak; until `stop`, which gives what came of it. */
async function startTraffic(use: Use, tabs: readonly Tab[]) {
  for (const [index, tab] of tabs.entries()) {
    await tab.run((index) => {
      let sent = 0;
      const timer = setInterval(() => window.socket().send(`${index}: ${sent++}`), 10);
      window.fallSilent = () => {
        clearInterval(timer);
        return sent;
      };
    }, index);
  }
  let isOver = false;
  let cast = 0;
  let longest = 0;
  const casting = (async () => {
    let since: number | undefined;
    while (!isOver) {
      const { connections } = await use.server.control.broadcast(`${cast++}`);
      since = connections < 2 ? undefined : (since ?? Date.now());
      longest = Math.max(longest, Date.now() - (since ?? Date.now()));
    }
  })();
  const silence = async () => {
    isOver = true;
    await casting;
  };
  onTestFinished(silence);
  return async () => {
    await silence();
    await use.server.control.broadcast('last');
    const sent: number[] = [];
    for (const tab of tabs) {
      sent.push(await tab.run(() => window.fallSilent()));
      await tab.waitFor('the last message', () => window.came.includes('last'));
      await tab.waitFor('nothing to wait', () => window.socket().bufferedAmount === 0);
    }
    return { sent, longest };
  };
}

/** Holds that a tab got every message once and in order, but for holes that it was told of. */
function expectNoSilentLoss(came: readonly string[]) {
  let before = -1;
  let wasTold = true;
  for (const text of came) {
    if (text === 'gap') wasTold = true;
    if (!/^\d+$/.test(text)) continue;
    const number = Number(text);
    expect(wasTold ? number > before : number === before + 1, `${number} after ${before}`).toBe(true);
    [before, wasTold] = [number, false];
  }
}

/** Holds that every send of a tab came to the server once, or was counted. */
async function expectNoSilentSends(use: Use, tabs: readonly Tab[], sent: readonly number[]) {
  const texts = await receivedTexts(use);
  expect(new Set(texts).size).toBe(texts.length);
  for (const [index, tab] of tabs.entries()) {
    const arrived = texts.filter((text) => text?.startsWith(`${index}: `)).length;
    const { failed } = await tab.run(() => window.probe());
    const counted = failed.reduce((sum, { count }) => sum + count, 0);
    expect(failed.every(({ reason }) => reason === 'unknown')).toBe(true);
    expect(arrived).toBeLessThanOrEqual(sent[index] ?? 0);
    expect(arrived + counted).toBeGreaterThanOrEqual(sent[index] ?? 0);
  }
}

describeEngines('tabs of an older build', (use) => {
  test('move to the worker of a newer one under traffic, without a reload and without silent loss', async () => {
    const older = [await open(use, 'older'), await open(use, 'older')];
    const before = await epochs(older);
    expect(before.size).toBe(1);
    const stop = await startTraffic(use, older);
    const all = [...older, await open(use, 'newer')];
    await untilTogether(all, before);
    const { sent, longest } = await stop();
    await expectNoSilentSends(use, older, sent);
    for (const tab of older) {
      const { statuses, gaps, events } = await tab.run(() => window.probe());
      expect(statuses.map(({ state, reason }) => `${state} ${reason}`)).toContain('reconnecting moved');
      expect(gaps).toEqual([{ reason: 'moved', suspected: true }]);
      expect(events).toEqual([
        { type: 'open' },
        { type: 'close', code: 1000, reason: 'moved', wasClean: true, readyState: 0 },
        { type: 'open' },
      ]);
      expectNoSilentLoss(await tab.run(() => window.came));
    }
    const { closes } = await use.server.control.wait({ live: 1, total: 2 });
    expect(closes).toMatchObject([{ code: 1000, clean: true, by: 'client' }]);
    console.log(`${use.engine}: two connections for ${longest} ms`);
    expect(longest).toBeLessThan(2000);
  });

  test('that come later go to the newer hub at once, over its one connection', async () => {
    const tabs = [await open(use, 'newer'), await open(use, 'older'), await open(use, 'older')];
    await untilTogether(tabs);
    const stop = await startTraffic(use, tabs);
    await use.server.control.wait({ received: 5 });
    const { sent } = await stop();
    await expectNoSilentSends(use, tabs, sent);
    expect((await use.server.control.stats()).total).toBe(1);
    for (const tab of tabs) {
      const { statuses, gaps } = await tab.run(() => window.probe());
      expect(gaps).toEqual([]);
      expect(statuses.at(-1)).toMatchObject({ host: 'shared-worker', reason: 'opened' });
    }
  });

  test('live on when the newer hub dies', async () => {
    const older = [await open(use, 'older'), await open(use, 'older')];
    const last = await open(use, 'newer', mortal);
    const all = [...older, last];
    await untilTogether(all);
    const before = await epochs(all);
    const stop = await startTraffic(use, all);
    await last.run(() => new BroadcastChannel('test-end').postMessage('now'));
    for (const tab of all) {
      await tab.waitFor('another hub', () => window.socket().status, {
        until: ({ state, epoch }) => state === 'open' && !before.has(epoch),
        timeout: 30_000,
      });
    }
    const after = await epochs(all);
    await untilTogether(all, before);
    const { sent } = await stop();
    await expectNoSilentSends(use, all, sent);
    for (const tab of all) {
      expect((await tab.run(() => window.probe())).gaps.length).toBeGreaterThan(0);
      expectNoSilentLoss(await tab.run(() => window.came));
    }
    console.log(
      `${use.engine}: ${after.size} hubs at first, host ${(await last.run(() => window.socket().status)).host}`,
    );
    await use.server.control.wait({ live: 1 });
  });
});

describeEngines('hubs', (use) => {
  test('of one build under two urls end as one', async () => {
    const tabs = [await open(use, 'older'), await open(use, 'older', '/dist/worker.js?twin')];
    await untilTogether(tabs);
    expect((await use.server.control.wait({ live: 1 })).total).toBeLessThanOrEqual(2);
    expect((await first(tabs).run(() => window.probe())).gaps).toEqual([]);
  });

  test('of another protocol run beside, which every tab is told', async () => {
    const tabs = [await open(use, 'older')];
    await first(tabs).run(() => {
      new BroadcastChannel('tabwire').postMessage(['here', 2, '2.0.0', 'another epoch', null, '/w.js', 'n', 1]);
    });
    const isTold = () => window.socket().status.reason;
    const until = (reason: string) => reason === 'opened; beside: protocol 2';
    await first(tabs).waitFor('the news', isTold, { until });
    tabs.push(await open(use, 'older'));
    for (const tab of tabs) {
      await tab.waitFor('the news', isTold, { until });
      expect((await tab.run(() => window.probe())).gaps).toEqual([]);
    }
    expect((await use.server.control.stats()).total).toBe(1);
  });
});
