import { expect, test } from 'vitest';
import { asked, give, giveLater, listenWithToken, listenWithUrl, look } from './asking.js';
import { describeEngines, type Tab, type Use, waitFor } from './harness/index.js';
import { first, receivedTexts, send, untilState } from './listening.js';

const quick = { reconnect: { minDelay: 250, firstDelayMax: 250, jitter: 'none' as const } };

/** The one connection of the server. */
async function connection(use: Use) {
  const { connections } = await use.server.control.wait({ live: 1 });
  const [only] = connections;
  if (!only) throw new Error('there is no connection');
  return only;
}

/** The reasons that a tab has shown, without what comes after the code. */
const reasonsOf = (tab: Tab) =>
  tab.run(() => window.probe().statuses.map(({ state, reason }) => `${state} ${reason.split(';')[0]}`));

const untilReason = (tab: Tab, reason: string) =>
  tab.waitFor(`reason ${reason}`, () => window.socket().status, {
    until: (status) => status.reason.split(';')[0] === reason,
  });

/** Three tabs with url functions, of which the first is visible, the second focused, and the third hidden. */
async function threeAsked(use: Use): Promise<[Tab, Tab, Tab]> {
  const [a, b, c] = await use.browser.openTabs(3, use.server.page());
  if (!a || !b || !c) throw new Error('three tabs were asked for');
  for (const [tab, name, how] of [
    [a, 'a', 'visible'],
    [b, 'b', 'focused'],
    [c, 'c', 'hidden'],
  ] as const) {
    await look(tab, how);
    await listenWithUrl(tab, name, use.server.socket());
    await untilState(tab, 'open');
  }
  return [a, b, c];
}

/** Has the connection made anew, and tells which tab was asked for its url. */
async function whoIsAsked(use: Use, tab: Tab) {
  const { total } = await use.server.control.stats();
  await tab.run(() => window.socket().reconnect());
  await use.server.control.wait({ total: total + 1 });
  await untilState(tab, 'open');
  return new URLSearchParams((await connection(use)).query).get('of');
}

describeEngines('a token function', (use) => {
  test('is called in one tab, once for all tabs, and not again for a token that is good', async () => {
    const tabs = await use.browser.openTabs(3, use.server.page());
    for (const [index, tab] of tabs.entries()) {
      await giveLater(tab);
      await listenWithToken(tab, `${index}`, use.server.socket(), quick);
      // The next joins when this one has been asked, or has heard that another is.
      await untilReason(tab, 'asking');
    }
    expect(await asked(tabs)).toEqual([1, 0, 0]);
    expect((await use.server.control.stats()).attempts).toBe(0);
    await first(tabs).run(() => window.answer('the only one'));
    for (const tab of tabs) await untilState(tab, 'open');
    expect(await connection(use)).toMatchObject({ token: 'the only one' });

    await use.server.control.close({ code: 1012 });
    await use.server.control.wait({ live: 1, total: 2 });
    for (const tab of tabs) await untilState(tab, 'open');
    expect(await connection(use)).toMatchObject({ token: 'the only one' });
    expect(await asked(tabs)).toEqual([1, 0, 0]);
  });

  test('that fails makes another tab the one to ask, and where there is none the connection waits', async () => {
    const tabs = await use.browser.openTabs(2, use.server.page());
    const [a, b] = tabs as [Tab, Tab];
    await listenWithToken(a, 'a', use.server.socket(), quick);
    await untilState(a, 'open');
    await listenWithToken(b, 'b', use.server.socket(), quick);
    await untilState(b, 'open');
    await look(a, 'hidden');
    await look(b, 'focused');
    await give(b, 'no luck', 'thrown');
    await use.server.control.close({ code: 4401 });
    await use.server.control.wait({ live: 1, total: 2 });
    expect(await asked(tabs)).toEqual([2, 1]);
    expect(await connection(use)).toMatchObject({ token: 'a-2' });

    await give(a, 'no luck either', 'thrown');
    await b.close();
    const { attempts } = await use.server.control.stats();
    await use.server.control.close({ code: 4401 });
    await untilReason(a, 'token-wait');
    await a.waitFor('being asked again', () => window.asked, { until: (count) => count > 4 });
    expect((await use.server.control.stats()).attempts).toBe(attempts);
    await give(a, 'at last');
    await untilState(a, 'open');
    expect(await connection(use)).toMatchObject({ token: 'at last' });
  });
});

describeEngines('a url function', (use) => {
  test('is called for each connection, in the focused tab, else in a visible one, else in the newest', async () => {
    const [a, b, c] = await threeAsked(use);
    expect(await a.run(() => window.socket().url)).toBe('');
    expect(await asked([a, b, c])).toEqual([1, 0, 0]);
    expect(await whoIsAsked(use, a)).toBe('b');
    await look(b, 'hidden');
    expect(await whoIsAsked(use, a)).toBe('a');
    await look(a, 'hidden');
    expect(await whoIsAsked(use, a)).toBe('c');
    expect(await asked([a, b, c])).toEqual([2, 1, 1]);
  });

  test('of a socket that is closed before it answers is not waited for', async () => {
    const [a, b, c] = await threeAsked(use);
    await giveLater(b);
    await a.run(() => window.socket().reconnect());
    await b.waitFor('being asked', () => window.asked === 1);
    await b.run(() => window.socket().close());
    await use.server.control.wait({ live: 1, total: 2, timeout: 5000 });
    expect((await connection(use)).query).toBe('of=a');
    expect(await asked([a, b, c])).toEqual([2, 1, 0]);
  });

  test('of a tab that is closed before it answers is not waited for', async () => {
    const [a, b, c] = await threeAsked(use);
    await giveLater(b);
    await a.run(() => window.socket().reconnect());
    await b.waitFor('being asked', () => window.asked === 1);
    await b.close();
    await use.server.control.wait({ live: 1, total: 2, timeout: 5000 });
    // Where the worker ends with this tab, as it may in WebKit, the next hub asks whom it likes.
    for (const tab of [a, c]) await untilState(tab, 'open');
    expect((await connection(use)).query).toMatch(/^of=[ac]$/);
  });
});

describeEngines('a token', (use) => {
  test('goes into the query, or beside the subprotocols, under its name', async () => {
    await use.server.control.tokens({ mode: 'required', param: 'ticket' });
    const [query, offered] = (await use.browser.openTabs(2, use.server.page())) as [Tab, Tab];
    await give(query, 'a b/ü+&=');
    await listenWithToken(query, '', use.server.socket('/ws?room=1'), { auth: { param: 'ticket' } }, ['v2']);
    await untilState(query, 'open');
    expect(await connection(use)).toMatchObject({
      token: 'a b/ü+&=',
      query: 'room=1&ticket=a%20b%2F%C3%BC%2B%26%3D',
      protocol: 'v2',
    });
    await query.close();
    await use.server.control.wait({ live: 0 });

    await listenWithToken(
      offered,
      'offered',
      use.server.socket('/ws?room=1'),
      { auth: { via: 'subprotocol', param: 'ticket' } },
      ['v2'],
    );
    await untilState(offered, 'open');
    expect(await connection(use)).toMatchObject({ token: 'offered-1', query: 'room=1', protocol: 'v2' });
    expect(await offered.run(() => window.socket().protocol)).toBe('v2');
  });

  test('is replaced before it expires, and its socket with it: nothing is lost, and no tab sees it closed', async () => {
    const tabs = await use.browser.openTabs(2, use.server.page());
    for (const [index, tab] of tabs.entries()) {
      await tab.run((index) => {
        window.give = () => ({ token: `${index}-${window.asked}`, expiresAt: Date.now() + 3000 });
      }, index);
      await listenWithToken(tab, '', use.server.socket(), { ...quick, auth: { refreshBefore: 2000 } });
      await untilState(tab, 'open');
    }
    const tokens = new Set<string | null>();
    let cast = 0;
    await waitFor(
      'three connections',
      async () => {
        await use.server.control.broadcast(`${cast}`);
        cast += 1;
        await send(first(tabs), `sent ${cast}`);
        const { total, connections } = await use.server.control.stats();
        for (const { token } of connections) tokens.add(token);
        return total;
      },
      { until: (total) => total >= 3, timeout: 20_000 },
    );
    await use.server.control.wait({ live: 1 });
    await use.server.control.broadcast('last');
    for (const tab of tabs) {
      await tab.waitFor('the last message', () => window.probe().texts.includes('last'));
      const { texts, events, gaps, failed, statuses } = await tab.run(() => window.probe());
      const numbers = texts.filter((text) => /^\d+$/.test(text)).map(Number);
      expect(new Set(numbers).size, `all of ${cast}`).toBe(cast);
      expect(events).toEqual([{ type: 'open' }]);
      expect(gaps).toEqual(Array(2).fill({ reason: 'handover', suspected: true }));
      expect(failed).toEqual([]);
      expect(statuses.map(({ state }) => state)).not.toContain('reconnecting');
    }
    const sent = Array.from({ length: cast }, (_, index) => `sent ${index + 1}`);
    await use.server.control.wait({ received: cast });
    expect(await receivedTexts(use)).toEqual(sent);
    expect(tokens.size).toBe(3);
    expect((await asked(tabs)).reduce((sum, count) => sum + count)).toBe(3);
  });

  test('that the server refuses with a close code is asked for afresh at once', async () => {
    const tabs = await use.browser.openTabs(2, use.server.page());
    for (const [index, tab] of tabs.entries()) {
      await listenWithToken(tab, `${index}`, use.server.socket(), quick);
      await untilState(tab, 'open');
    }
    await use.server.control.tokens({ mode: 'refuse-known', close: 4401 });
    await use.server.control.wait({ live: 1, total: 2 });
    for (const tab of tabs) {
      await untilState(tab, 'open');
      expect(await reasonsOf(tab)).toContain('reconnecting auth-refused');
      const { gaps, events } = await tab.run(() => window.probe());
      expect(gaps).toEqual([{ reason: 'auth-refused', suspected: true }]);
      expect(events.find(({ type }) => type === 'close')).toMatchObject({ code: 4401 });
    }
    const { refused, attempts } = await use.server.control.stats();
    expect({ refused, attempts }).toEqual({ refused: 0, attempts: 2 });
    expect((await asked(tabs)).reduce((sum, count) => sum + count)).toBe(2);
  });

  test('with which two handshakes fail is asked for afresh', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await listenWithToken(tab, 'a', use.server.socket(), quick);
    await untilState(tab, 'open');
    await use.server.control.tokens({ mode: 'refuse-known' });
    await use.server.control.close({ code: 1012 });
    await use.server.control.wait({ live: 1, total: 2 });
    expect(await connection(use)).toMatchObject({ token: 'a-2' });
    expect((await use.server.control.stats()).refused_tokens).toBe(2);
    expect(await asked([tab])).toEqual([2]);
  });

  test.each([
    ['at the handshake', { kind: 'unauthorized' }],
    ['once it is connected', { kind: 'accept-then-close', code: 4401 }],
  ] as const)('that is refused for ever, %s, is tried less and less often', async (_, fault) => {
    await use.server.control.fault({ ...fault, scope: 'new' });
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    const began = Date.now();
    await listenWithToken(tab, 'a', use.server.socket(), {
      reconnect: { minDelay: 400, firstDelayMax: 400, jitter: 'none' },
    });
    const { attempts } = await use.server.control.wait({ attempts: 5, timeout: 30_000 });
    const took = Date.now() - began;
    // One is made at once, with a fresh token; the next wait at least 400, 800 and 1600 ms.
    expect(took).toBeGreaterThan(2800);
    expect(attempts).toBe(5);
    const [count] = await asked([tab]);
    expect(count).toBeGreaterThan(1);
    expect(count).toBeLessThanOrEqual(attempts);
    await use.server.control.fault({ kind: 'none' });
    await untilState(tab, 'open', 30_000);
  });
});

describeEngines('what is no url or no token', (use) => {
  test.each([
    ['a url of another kind', 'url', 'ftp://elsewhere.example', 'bad-url'],
    ['no url at all', 'url', 5, 'bad-url'],
    ['an empty token', 'token', '', 'bad-token'],
    ['a token that is no text', 'token', { token: 7 }, 'bad-token'],
    ['a token that no subprotocol can be', 'subprotocol', 'with space', 'bad-token'],
  ] as const)('%s makes the connection fail, and says why', async (_, kind, given, reason) => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await give(tab, given);
    if (kind === 'url') await listenWithUrl(tab, '', use.server.socket());
    else await listenWithToken(tab, '', use.server.socket(), { auth: { via: kind === 'token' ? 'query' : kind } });
    expect(await untilState(tab, 'failed')).toMatchObject({ reason });
    expect((await tab.run(() => window.probe())).events).toEqual([
      { type: 'error' },
      { type: 'close', code: 1006, reason: '', wasClean: false, readyState: 3 },
    ]);
    expect(await asked([tab])).toEqual([1]);
    expect((await use.server.control.stats()).attempts).toBe(0);
  });
});

describeEngines('a secret', (use) => {
  test('is in no status, event, report or console, whatever becomes of the connection', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await tab.run(() => {
      window.written = [];
      for (const level of ['debug', 'log', 'info', 'warn', 'error'] as const) {
        console[level] = (...said: unknown[]) => window.written.push(said.map(String).join(' '));
      }
      window.onerror = (...said) => window.written.push(said.map(String).join(' '));
      window.onunhandledrejection = ({ reason }) => window.written.push(String(reason));
      window.give = () => `sesame-${window.asked}`;
    });
    const url = use.server.socket('/ws?password=sesame');
    await listenWithToken(tab, '', url, quick);
    await untilState(tab, 'open');
    // Options that differ are warned of.
    await tab.run((url) => window.listen(url, { auth: { param: 'sesame' } }, 'other'), url);
    await tab.waitFor('a warning', () => window.written.length);
    await use.server.control.tokens({ mode: 'refuse-known', close: 4401 });
    await use.server.control.wait({ live: 1, total: 2 });
    await use.server.control.tokens({ mode: 'refuse-known' });
    await use.server.control.drop();
    await use.server.control.wait({ live: 1, total: 3 });
    await give(tab, 'sesame', 'thrown');
    await use.server.control.close({ code: 4401 });
    await untilReason(tab, 'token-wait');
    await give(tab, { token: ['sesame'] });
    await untilState(tab, 'failed');
    const shown = await tab.run(async () => {
      const socket = window.socket();
      const { statuses, events, gaps, failed } = window.probe();
      const looks = [JSON.stringify(socket), String(socket), JSON.stringify(socket.status)];
      const report = JSON.stringify(await window.hub().report());
      return { statuses, events, gaps, failed, looks, report, written: window.written };
    });
    expect(shown.statuses.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['auth-refused', 'connect-failed', 'token-wait', 'bad-token']),
    );
    expect(JSON.stringify(shown)).not.toContain('sesame');
  });
});
