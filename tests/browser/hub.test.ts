import { expect, test } from 'vitest';
import { describeEngines, type Tab } from './harness/index.js';
import { first, openListening, send, untilGot, untilState } from './listening.js';
import { type Row, writeRow } from './scenarios/row.js';

/** What the table of docs/RELIABILITY.md says of a hub that panics. */
async function rowOf(engine: string, tabs: Tab[], began: number): Promise<Row> {
  const all = await Promise.all(tabs.map((tab) => tab.run(() => window.probe().statuses)));
  const sees = (all[0] ?? []).filter(({ since }) => since >= began).map(({ state, reason }) => `${state} ${reason}`);
  const recoverMs = Math.max(...all.map((statuses) => (statuses.at(-1)?.since ?? 0) - began));
  const name = { scenario: 'hub-panics', title: 'The hub panics', engine, host: 'shared-worker' };
  return { ...name, sees: [...new Set(sees)], recoverMs, lost: 0, failed: 1, duplicated: 0, reported: true };
}

describeEngines('the hub', (use) => {
  test('lives on after anything that a port can say', async () => {
    const tab = first(await openListening(use, 1));
    const codes = await tab.run(async () => {
      const { port } = new SharedWorker(new URL('/dist/worker.js', location.href), {
        type: 'module',
        name: 'tabwire@1',
      });
      const codes: unknown[] = [];
      const answered = new Promise<void>((resolve) => {
        port.onmessage = ({ data }) => {
          if (data[0] === 83 || data[0] === 82) codes.push(data[2] ?? 'who');
          if (codes.length === 9) resolve();
        };
      });
      const hello = { protocol: 1, build: 'x', tab: 'junk', liveness: 'heartbeat', visible: 1, focused: 0, online: 1 };
      port.postMessage([1, hello]);
      for (const junk of [
        null,
        'text',
        [],
        [5],
        [4, 7],
        [999],
        [3, 1, { url: 5 }],
        [6, 44, 1],
        [[[]], new Map(), new Date()],
      ]) {
        port.postMessage(junk);
      }
      await answered;
      port.postMessage([2]);
      return codes;
    });
    expect(codes).toEqual([
      'malformed',
      'malformed',
      'malformed',
      'malformed',
      'unknown-handle',
      'unknown-op',
      'malformed',
      'unknown-connection',
      'malformed',
    ]);
    await use.server.control.broadcast('still here');
    expect((await untilGot(tab, 1)).texts).toEqual(['still here']);
  });

  test.each(['panic', 'trap', 'close'])(
    'that ends by a %s is replaced, every tab comes back, and what is unknown is counted',
    async (how) => {
      const tabs = await use.browser.openTabs(3, use.server.page());
      for (const tab of tabs) {
        await tab.run((url) => {
          window.hubOptions = { host: { workerUrl: '/crashing-worker.js' } };
          window.listen(url, { reconnect: { firstDelayMax: 100 } });
        }, use.server.socket());
        await untilState(tab, 'open');
      }
      const epochs = new Set<string | null>();
      for (const tab of tabs) epochs.add((await tab.run(() => window.socket().status)).epoch);
      expect(epochs.size).toBe(1);
      await send(first(tabs), 'of unknown fate');
      await use.server.control.wait({ received: 1 });
      const began = Date.now();
      await first(tabs).run((how) => {
        new BroadcastChannel('test-crash').postMessage(how);
      }, how);
      await first(tabs).run(() => window.socket().reconnect());

      for (const tab of tabs) {
        const { statuses, gaps, events, failed } = await tab.waitFor('a fresh hub', () => window.probe(), {
          until: ({ statuses }) => statuses.at(-1)?.state === 'open' && statuses.at(-1)?.epoch !== [...epochs][0],
        });
        expect(statuses.map(({ reason }) => reason)).toContain('hub-lost');
        expect(gaps.map(({ suspected }) => suspected)).not.toContain(false);
        expect(gaps.length).toBeGreaterThanOrEqual(1);
        expect(events.at(0)).toEqual({ type: 'open' });
        expect(events.at(-1)).toEqual({ type: 'open' });
        expect(events.some(({ type }) => type === 'close')).toBe(true);
        expect(failed).toEqual(tab === tabs[0] ? [{ count: 1, reason: 'unknown' }] : []);
        epochs.add((await tab.run(() => window.socket().status)).epoch);
      }
      expect(epochs.size).toBe(2);
      if (how === 'panic') writeRow(await rowOf(use.engine, tabs, began));
      await use.server.control.wait({ live: 1 });
      await use.server.control.broadcast('after');
      for (const tab of tabs) await tab.waitFor('a message', () => window.probe().texts.includes('after'));
    },
  );
});
