import { expect, test } from 'vitest';
import { describeEngines } from './harness/index.js';
import { first, receivedTexts, untilState } from './listening.js';

const files = ['/crashing-worker.js', '/dist/worker.js', '/dist/hub.wasm', '/dist/local.js'];

describeEngines('a tab whose hub dies while none can be loaded', (use) => {
  test('is reconnecting and says what it has tried, seeks on, and comes back by itself', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await tab.run((url) => {
      window.hubOptions = {
        host: { workerUrl: '/crashing-worker.js', scriptDeadline: 500, readyDeadline: 2000 },
        liveness: 'locks',
      };
      window.listen(url);
    }, use.server.socket());
    const { epoch } = await untilState(tab, 'open');
    for (const file of files) await use.server.control.static(file, '404');
    await tab.run(() => new BroadcastChannel('test-crash').postMessage('close'));
    const lost = await tab.waitFor('a search in vain', () => window.socket().status, {
      until: ({ nextAttemptAt, reason }) => nextAttemptAt !== null && reason.includes('page: '),
      timeout: 20_000,
    });
    expect(lost).toMatchObject({
      state: 'reconnecting',
      epoch: null,
      reason: expect.stringMatching(/^hub-lost; fresh: /),
    });
    await tab.run(() => window.socket().send('kept'));

    for (const file of files) await use.server.control.static(file, 'ok');
    await tab.run(() => window.dispatchEvent(new Event('online')));
    const found = await untilState(tab, 'open', 40_000);
    expect(found.epoch).not.toBe(epoch);
    await use.server.control.wait({ received: 1 });
    expect(await receivedTexts(use)).toEqual(['kept']);
    const { events, failed } = await tab.run(() => window.probe());
    expect(events.map(({ type }) => type)).toEqual(['open', 'close', 'open']);
    expect(failed).toEqual([]);
  });
});
