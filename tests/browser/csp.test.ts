import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { makeVariant } from '../../scripts/build/variant.mjs';
import type { HostOptions, SocketOptions } from '../../www/client/index.js';
import { describeEngines, type Tab, type Use } from './harness/index.js';
import { first, listen, untilState } from './listening.js';

declare global {
  interface Window {
    /** What the policy of strict.html has forbidden: directive and url. */
    forbidden: string[];
    trustedTypes?: { createPolicy(name: string, rules: object): { createScriptURL(url: string): URL } };
  }
}

/** What docs/SECURITY.md tells to send with the page, with the worker, and with a page that has to run the hub, and to do first. */
const { pagePolicy, workerPolicy, hostingPolicy, defaultPolicy } = (() => {
  const text = readFileSync('docs/SECURITY.md', 'utf8');
  const policies = [...text.matchAll(/```http\nContent-Security-Policy: (.*)\n```/g)].map(([, policy = '']) => policy);
  const [pagePolicy = '', workerPolicy = '', hostingPolicy = ''] = policies;
  return {
    pagePolicy,
    workerPolicy,
    hostingPolicy,
    defaultPolicy: /```js\n(globalThis[\s\S]*?)```/.exec(text)?.[1] ?? '',
  };
})();

const newer = '/9.9.9';

beforeAll(() => makeVariant('9.9.9', `target/test-site${newer}`));

/** A policy of the document, with the server of this test in the place of the one that it names. */
const here = (use: Use, policy: string) => policy.replace('wss://example.com', use.server.socket(''));

/** Has a page and the worker scripts of both builds sent with these policies. */
async function send(use: Use, page: string, worker = workerPolicy) {
  const { control } = use.server;
  await control.headers('/strict.html', { 'Content-Security-Policy': here(use, page) });
  for (const script of ['/dist/worker.js', `${newer}/worker.js`]) {
    await control.headers(script, { 'Content-Security-Policy': here(use, worker) });
  }
}

/** Opens pages that have a default policy for Trusted Types, as the document has it. */
async function openWithDefaultPolicy(use: Use, count: number, build = '/dist'): Promise<Tab[]> {
  const tabs = await use.browser.openTabs(count, use.server.page(`/strict.html?dist=${build}`));
  // The page itself may not make code of text: WebDriver may.
  for (const tab of tabs) await use.browser.within(tab.handle, (driver) => driver.executeScript(defaultPolicy));
  return tabs;
}

/** Opens a socket with the page's hub where it is told to be. */
async function listenBy(use: Use, tab: Tab, host: HostOptions = {}, options: SocketOptions = {}) {
  await tab.run((host) => {
    window.hubOptions = { host: { scriptDeadline: 5000, readyDeadline: 10_000, ...host } };
  }, host);
  await listen(tab, use.server.socket(), options);
}

const untilEnd = (tab: Tab) =>
  tab.waitFor('an end', () => window.socket().status, {
    until: ({ state }) => state === 'open' || state === 'failed',
    timeout: 40_000,
  });

const forbidden = (tab: Tab) => tab.run(() => window.forbidden);

describeEngines('under the strictest policy', (use) => {
  for (const [host, live] of [
    ['shared-worker', 1],
    ['leader-tab', 1],
    ['this-tab', 2],
  ] as const) {
    test(`two tabs by ${host} have what the server sends, and nothing is forbidden that they do`, async () => {
      await send(use, pagePolicy);
      const tabs = await openWithDefaultPolicy(use, 2);
      for (const tab of tabs) await listenBy(use, tab, { use: host });
      for (const tab of tabs) expect(await untilEnd(tab)).toMatchObject({ state: 'open', host, reason: 'opened' });
      await use.server.control.wait({ live, total: live });
      await use.server.control.broadcast('to all');
      for (const tab of tabs) {
        await tab.waitFor('the message', () => window.probe().texts.includes('to all'));
        expect(await forbidden(tab)).toEqual([]);
      }
    });
  }

  test('tabs follow their hub to a newer build', async () => {
    await send(use, pagePolicy);
    const [older] = await openWithDefaultPolicy(use, 1);
    await listenBy(use, older as Tab);
    const { epoch } = await untilEnd(older as Tab);
    const [newest] = await openWithDefaultPolicy(use, 1, newer);
    await listenBy(use, newest as Tab);
    const now = await untilEnd(newest as Tab);
    await (older as Tab).waitFor('the hub of the newer build', () => window.socket().status, {
      until: (status) => status.state === 'open' && status.epoch === now.epoch && status.epoch !== epoch,
      timeout: 20_000,
    });
    await use.server.control.wait({ live: 1 });
    expect(await forbidden(older as Tab)).toEqual([]);
  });

  test('a TrustedScriptURL is enough where there may be no default policy, but not to follow to a newer build', async () => {
    await send(use, pagePolicy.replace('trusted-types default', 'trusted-types app'));
    const open = async (build: string) => {
      const tab = first(await use.browser.openTabs(1, use.server.page(`/strict.html?dist=${build}`)));
      await tab.run((build) => {
        const policy = window.trustedTypes?.createPolicy('app', { createScriptURL: (url: string) => url });
        window.hubOptions = { host: { workerUrl: policy?.createScriptURL(`${build}/worker.js`) ?? '' } };
      }, build);
      await listen(tab, use.server.socket());
      expect(await untilEnd(tab)).toMatchObject({ state: 'open', host: 'shared-worker', reason: 'opened' });
      expect(await forbidden(tab)).toEqual([]);
      return tab;
    };
    const older = await open('/dist');
    await open(newer);
    const { reason } = await older.waitFor('a host of its own', () => window.socket().status, {
      until: ({ state, host }) => state === 'open' && host === 'leader-tab',
      timeout: 20_000,
    });
    expect(reason).toContain('moved: refused');
  });
});

describeEngines('under a policy that forbids', (use) => {
  test('workers, the page runs the hub', async () => {
    await send(use, hostingPolicy);
    const tab = first(await use.browser.openTabs(1, use.server.page('/strict.html')));
    await listenBy(use, tab);
    const status = await untilEnd(tab);
    expect(status).toMatchObject({ state: 'open', host: 'this-tab' });
    expect(status.reason).toMatch(/^opened; shared-worker: (refused|error)/);
  });

  test('wasm, the socket has failed with wasm-unavailable: error, then close 1006', async () => {
    await send(use, pagePolicy, workerPolicy.replace("'wasm-unsafe-eval'", "'none'"));
    const tab = first(await openWithDefaultPolicy(use, 1));
    await listenBy(use, tab);
    const status = await untilEnd(tab);
    expect(status.state).toBe('failed');
    expect(status.reason).toMatch(/^wasm-unavailable; shared-worker: wasm-unavailable; /);
    const { events } = await tab.run(() => window.probe());
    expect(events.map(({ type, code }) => [type, code])).toEqual([
      ['error', undefined],
      ['close', 1006],
    ]);
  });

  test('the server, the browser refuses the socket or says nothing of it', async () => {
    await send(use, pagePolicy, workerPolicy.replace(' wss://example.com', ''));
    const tab = first(await openWithDefaultPolicy(use, 1));
    await listenBy(use, tab, {}, { reconnect: { connectTimeout: 2000 } });
    const seen =
      use.engine === 'chromium'
        ? { state: 'reconnecting', reason: 'connect-timeout' }
        : { state: 'failed', reason: 'socket-refused' };
    expect(await untilState(tab, seen.state)).toMatchObject(seen);
    expect(await use.server.control.stats()).toMatchObject({ upgrades: 0 });
  });

  test('urls of scripts as text, every worker is refused', async () => {
    await send(use, pagePolicy.replace('trusted-types default', "trusted-types 'none'"));
    const tab = first(await use.browser.openTabs(1, use.server.page('/strict.html')));
    await listenBy(use, tab);
    const status = await untilEnd(tab);
    expect(status.state).toBe('failed');
    expect(status.reason).toContain('shared-worker: refused; leader-tab: refused; worker: refused');
  });
});
