import { expect, test } from 'vitest';
import type { SocketOptions } from '../../www/client/index.js';
import { describeEngines, type Tab, type Use, waitFor } from './harness/index.js';
import { first, listen, untilState } from './listening.js';

/** How long a tab is blocked, how many messages a second there are, and for how long. */
const blockedFor = 30_000;
const rate = 5000;
const count = rate * 36;
/** What a tab may have waiting, by default: its window and the cap beyond. */
const window_ = 8192;
const cap = 65_536;

/** Opens a tab whose messages are dropped by this policy when it does not keep up. */
async function open(use: Use, whenSlow: 'queue' | 'latest' | 'drop-oldest'): Promise<Tab> {
  const tab = first(await use.browser.openTabs(1, use.server.page()));
  const options: SocketOptions = { flow: { whenSlow, hiddenFlush: 0 } };
  await listen(tab, use.server.socket(), options);
  await untilState(tab, 'open');
  return tab;
}

const block = (tab: Tab) =>
  tab.run((blockedFor) => {
    setTimeout(() => {
      for (const until = performance.now() + blockedFor; performance.now() < until; );
      // The driver has to be gone from the page by then.
    }, 2000);
  }, blockedFor);

/** What a tab has, once it has got or been told of everything. */
async function outcome(tab: Tab) {
  const { got, lost, next } = await tab.waitFor(
    'all messages, got or told',
    () => {
      const { got, gaps, next } = window.probe();
      const lost = gaps.reduce((sum, { from, to }) => sum + Number(to) - Number(from), 0);
      return { got, lost, next };
    },
    { until: ({ got, lost }) => got + lost >= count, timeout: 60_000 },
  );
  const dropped = await tab.run(() => window.probe().overflows.reduce((sum, { count }) => sum + count, 0));
  return { got, lost, dropped, next };
}

describeEngines('a tab that is blocked for 30 s under 5000 messages a second', (use) => {
  test('costs the others nothing, holds no more than its cap, and is told exactly what it has missed', async () => {
    const [healthy, queue, latest] = [await open(use, 'queue'), await open(use, 'queue'), await open(use, 'latest')];
    await block(queue);
    await block(latest);
    const { id } = await use.server.control.startFlood({ count, rate, size: 200 });
    const backlogs: number[] = [];
    const report = () =>
      healthy.run(async () => {
        const { attached } = await window.hub().report();
        return attached[0]?.backlog ?? 0;
      });
    await waitFor(
      'the end of the flood',
      async () => {
        backlogs.push(await report());
        return use.server.control.floodProgress(id);
      },
      { until: ({ done }) => done, timeout: 120_000 },
    );
    expect(await outcome(healthy)).toEqual({ got: count, lost: 0, dropped: 0, next: count });
    const queued = await outcome(queue);
    const newest = await outcome(latest);
    console.log(
      `${use.engine}: queue ${JSON.stringify(queued)}, latest ${JSON.stringify(newest)}, backlog ${Math.max(...backlogs)}`,
    );
    expect(queued.got + queued.lost).toBe(count);
    expect(queued.dropped).toBe(queued.lost);
    expect(queued.got).toBeGreaterThanOrEqual(window_ + cap);
    expect(newest.got + newest.lost).toBe(count);
    expect(newest.dropped).toBe(newest.lost);
    expect(newest.next).toBe(count);
    expect(newest.lost).toBeGreaterThan(queued.lost);
    // One waits up to its cap, of the other at most one message.
    expect(Math.max(...backlogs)).toBeGreaterThan(cap / 2);
    expect(Math.max(...backlogs)).toBeLessThanOrEqual(cap + 1 + rate);
  }, 180_000);
});
