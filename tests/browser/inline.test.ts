import { beforeEach, expect, test } from 'vitest';
import type { HostOptions } from '../../www/client/index.js';
import { describeEngines, type Tab } from './harness/index.js';
import { first, untilGot, untilState } from './listening.js';

describeEngines('the worker that has the wasm inside', (use) => {
  beforeEach(() => use.server.control.static('/dist/hub.wasm', '404'));

  test('is shared by all tabs', async () => {
    const tabs = await use.browser.openTabs(2, use.server.page());
    for (const tab of tabs) {
      await listenAt(tab, {});
      expect(await untilState(tab, 'open')).toMatchObject({ host: 'shared-worker', reason: 'opened' });
    }
    await use.server.control.wait({ live: 1, total: 1 });
    await use.server.control.broadcast('to all');
    for (const tab of tabs) expect((await untilGot(tab, 1)).texts).toEqual(['to all']);
  });

  test('runs as a dedicated worker too', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await listenAt(tab, { use: 'this-tab' });
    expect(await untilState(tab, 'open')).toMatchObject({ host: 'this-tab', reason: 'opened' });
  });

  test('takes the wasm that a page names instead of its own', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await listenAt(tab, { use: 'shared-worker', wasmUrl: '/dist/hub.wasm' });
    expect((await untilState(tab, 'failed')).reason).toContain('shared-worker: wasm-unavailable');
  });

  const listenAt = (tab: Tab, host: HostOptions) =>
    tab.run(
      (url, host) => {
        window.hubOptions = { host: { workerUrl: '/dist/worker.inline.js', ...host } };
        window.listen(url);
      },
      use.server.socket(),
      host,
    );
});
