import { expect, test } from 'vitest';
import type { HostOptions } from '../../www/client/index.js';
import { describeEngines, type Use } from './harness/index.js';
import { first, untilState } from './listening.js';

const deadlines = { scriptDeadline: 2000, readyDeadline: 4000 };

/** Opens a page in which something is broken first, and a socket; gives its status once it is open. */
async function openWithout(use: Use, broken: () => void, host: HostOptions = deadlines) {
  const tab = first(await use.browser.openTabs(1, use.server.page()));
  await tab.run(broken);
  await tab.run(
    (url, host) => {
      window.hubOptions = { host };
      window.listen(url);
    },
    use.server.socket(),
    host,
  );
  return { tab, status: await untilState(tab, 'open', 20_000) };
}

describeEngines('a connection whose SharedWorker is no good', (use) => {
  test('is there without SharedWorker', async () => {
    const { status } = await openWithout(use, () => {
      Object.defineProperty(window, 'SharedWorker', { value: undefined });
    });
    expect(status).toMatchObject({ host: 'leader-tab', state: 'open' });
    expect(status.reason).toContain('shared-worker: missing');
  });

  test('is there when its constructor throws', async () => {
    const { status } = await openWithout(use, () => {
      window.SharedWorker = function refuse() {
        throw new DOMException('no', 'SecurityError');
      } as unknown as typeof SharedWorker;
    });
    expect(status.host).toBe('leader-tab');
    expect(status.reason).toContain('shared-worker: refused');
  });

  test('is there when the script is missing', async () => {
    const { status } = await openWithout(use, () => {
      const Original = SharedWorker;
      window.SharedWorker = function missing(_: URL, options: WorkerOptions) {
        return new Original(new URL('/no-such-worker.js', location.href), options);
      } as unknown as typeof SharedWorker;
    });
    expect(status.host).toBe('leader-tab');
    expect(status.reason).toMatch(/shared-worker: (error|script-timeout)/);
  });

  test('is there when the script never answers', async () => {
    await use.server.control.static('/never.js', 'hang');
    const { status } = await openWithout(use, () => {
      const Original = SharedWorker;
      window.SharedWorker = function silent(_: URL, options: WorkerOptions) {
        return new Original(new URL('/never.js', location.href), options);
      } as unknown as typeof SharedWorker;
    });
    expect(status.host).toBe('leader-tab');
    expect(status.reason).toContain('shared-worker: script-timeout');
  });

  test('is there when Worker is refused as well: then the page hosts the hub', async () => {
    const { tab, status } = await openWithout(use, () => {
      Object.defineProperty(window, 'SharedWorker', { value: undefined });
      window.Worker = function refuse() {
        throw new DOMException('no', 'SecurityError');
      } as unknown as typeof Worker;
    });
    expect(status.host).toBe('this-tab');
    expect(status.reason).toContain('worker: refused');
    await tab.run(() => window.socket().send('from the page'));
    await tab.waitFor('the echo', () => window.probe().texts.includes('from the page'));
  });

  test('is there when the wasm fails in workers only', async () => {
    const { status } = await openWithout(use, () => {
      const broken = new URL('/page-without-wasm-worker.js', location.href);
      const [Shared, Dedicated] = [SharedWorker, Worker];
      window.SharedWorker = function broke(_: URL, options: WorkerOptions) {
        return new Shared(broken, options);
      } as unknown as typeof SharedWorker;
      window.Worker = function broke(_: URL, options: WorkerOptions) {
        return new Dedicated(broken, options);
      } as unknown as typeof Worker;
    });
    expect(status.host).toBe('this-tab');
    expect(status.reason).toContain('shared-worker: wasm-unavailable');
    expect(status.reason).toContain('worker: wasm-unavailable');
  });

  test('is there without Web Locks: then each tab has a hub of its own', async () => {
    const { status } = await openWithout(use, () => {
      Object.defineProperty(window, 'SharedWorker', { value: undefined });
      Object.defineProperty(navigator, 'locks', { value: undefined });
    });
    expect(status.host).toBe('this-tab');
    expect(status.reason).toContain('leader-tab: missing');
  });

  test('can be asked for in this tab, and is then not shared', async () => {
    const tabs = await use.browser.openTabs(2, use.server.page());
    for (const tab of tabs) {
      await tab.run((url) => {
        window.hubOptions = { host: { use: 'this-tab' } };
        window.listen(url);
      }, use.server.socket());
      expect(await untilState(tab, 'open')).toMatchObject({ host: 'this-tab', reason: 'opened' });
    }
    await use.server.control.wait({ live: 2 });
  });

  test('fails with wasm-unavailable when the wasm can be had nowhere: error, then close 1006', async () => {
    await use.server.control.static('/dist/hub.wasm', '404');
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await tab.run(
      (url, host) => {
        window.hubOptions = { host };
        window.listen(url);
      },
      use.server.socket(),
      deadlines,
    );
    const status = await untilState(tab, 'failed', 3 * deadlines.readyDeadline);
    expect(status.reason).toContain('wasm-unavailable');
    const { events } = await tab.run(() => window.probe());
    expect(events).toEqual([
      { type: 'error' },
      { type: 'close', code: 1006, reason: '', wasClean: false, readyState: 3 },
    ]);
  });
});
