import { expect, test } from 'vitest';
import { describeEngines } from './harness/index.js';
import { first, openListening, untilGot, untilState } from './listening.js';

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
        [5, 7, 0, ['frame']],
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

  test('that crashes is replaced, every tab comes back, and what is unknown is counted', async () => {
    const tabs = await openListening(use, 3, { reconnect: { firstDelayMax: 100 } });
    const epochs = new Set<string | null>();
    for (const tab of tabs) epochs.add((await tab.run(() => window.socket().status)).epoch);
    expect(epochs.size).toBe(1);
    await first(tabs).run(() => {
      window.socket().send('unknown fate');
      const crash = new BroadcastChannel('test-crash');
      crash.postMessage('now');
    });
    for (const tab of tabs) {
      const { statuses, gaps, events } = await tab.waitFor('a fresh hub', () => window.probe(), {
        until: ({ events }) => events.filter(({ type }) => type === 'open').length === 2,
      });
      expect(statuses.map(({ reason }) => reason)).toContain('hub-lost');
      expect(gaps).toEqual([{ reason: 'hub-lost', suspected: true }]);
      expect(events.map(({ type }) => type)).toEqual(['open', 'close', 'open']);
      epochs.add((await tab.run(() => window.socket().status)).epoch);
    }
    expect(epochs.size).toBe(2);
    await use.server.control.wait({ live: 1 });
    await use.server.control.broadcast('after');
    for (const tab of tabs) await tab.waitFor('a message', () => window.probe().texts.includes('after'));
    await untilState(first(tabs), 'open');
  });
});
