import { expect, test } from 'vitest';
import { describeEngines, type Use } from './harness/index.js';
import { first, listen, openListening, receivedTexts, send, untilGot, untilState } from './listening.js';

async function tenTabsGetEverything(use: Use, host?: string) {
  const tabs = await openListening(use, 10, {}, host);
  const { live, total } = await use.server.control.stats();
  expect({ live, total }).toEqual({ live: 1, total: 1 });

  await use.server.control.flood({ count: 10_000, size: 200 });
  for (const tab of tabs) {
    const { got, wrong, gaps } = await untilGot(tab, 10_000, 60_000);
    expect({ got, wrong, gaps }).toEqual({ got: 10_000, wrong: [], gaps: [] });
  }
  expect((await use.server.control.stats()).total).toBe(1);
}

describeEngines('sharing', (use) => {
  test('ten tabs hold one connection, and each gets 10 000 messages once and in order', async () => {
    await tenTabsGetEverything(use);
    const hosts = await use.browser.openTab(use.server.page());
    await listen(hosts, use.server.socket());
    expect((await untilState(hosts, 'open')).host).toBe('shared-worker');
  });

  test('any tab can send, and all tabs hear the answer', async () => {
    const tabs = await openListening(use, 3);
    for (const [index, tab] of tabs.entries()) await send(tab, `from tab ${index}`);
    await use.server.control.wait({ received: 3 });
    expect(await receivedTexts(use)).toEqual(['from tab 0', 'from tab 1', 'from tab 2']);
    for (const tab of tabs) {
      expect((await untilGot(tab, 3)).texts).toEqual(['from tab 0', 'from tab 1', 'from tab 2']);
    }
  });

  test('sends keep their order and binary data its bytes', async () => {
    const [tab, other] = await openListening(use, 2);
    await tab?.run(() => {
      const ws = window.socket();
      ws.send('text');
      ws.send(new Uint8Array([0, 1, 255]));
      ws.send(new Uint8Array([9, 2, 3, 9]).subarray(1, 3));
      ws.send(new Blob(['blob']));
      ws.send('last');
    });
    await use.server.control.wait({ received: 5 });
    const { frames } = await use.server.control.received();
    const seen = frames.map(({ text, bytes }) => text ?? [...Buffer.from(bytes ?? '', 'base64')]);
    expect(seen).toEqual(['text', [0, 1, 255], [2, 3], [...Buffer.from('blob')], 'last']);
    expect((await untilGot(other ?? first([]), 5)).texts).toEqual([
      'text',
      '[object Blob]',
      '[object Blob]',
      '[object Blob]',
      'last',
    ]);
  });

  test('handles with another key, url or protocols have connections of their own', async () => {
    const tab = first(await openListening(use, 1));
    await tab.run((url) => {
      window.listen(url, { key: 'alice' }, 'alice');
      window.listen(`${url}?other`, {}, 'other');
      window.listen(url, {}, 'protocol', ['v2']);
      window.listen(url, {}, 'same');
    }, use.server.socket());
    await use.server.control.wait({ live: 4 });
    await tab.waitFor('all open', () =>
      ['alice', 'other', 'protocol', 'same'].every((name) => window.socket(name).readyState === 1),
    );
    expect(await tab.run(() => window.socket('protocol').protocol)).toBe('v2');
    expect((await use.server.control.stats()).total).toBe(4);
    await tab.run(() => window.socket('alice').send('for alice alone'));
    await tab.waitFor('the echo', () => window.probe('alice').texts[0] === 'for alice alone');
    expect(await tab.run(() => ['main', 'same', 'other', 'protocol'].map((name) => window.probe(name).got))).toEqual([
      0, 0, 0, 0,
    ]);
  });

  test('a tab that joins later is open at once and gets what comes from then on', async () => {
    const tab = first(await openListening(use, 1));
    await use.server.control.flood({ count: 100 });
    await untilGot(tab, 100);
    const late = first(await openListening(use, 1));
    await use.server.control.flood({ count: 100, from: 100 });
    const { texts, events } = await untilGot(late, 100);
    expect(texts[0]).toMatch(/^100\b/);
    expect(events).toEqual([{ type: 'open' }]);
    expect((await use.server.control.stats()).total).toBe(1);
  });
});

describeEngines(
  'a page on a non-secure origin',
  (use) => {
    test('shares one connection among ten tabs as well', async () => {
      await tenTabsGetEverything(use, 'insecure.test');
    });
  },
  { only: ['chromium', 'firefox'], browser: { hosts: { 'insecure.test': '127.0.0.1' } } },
);
