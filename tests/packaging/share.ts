import { expect } from 'vitest';
import { type Browser, startServer, type Tab } from '../browser/harness/index.js';

/** Each kind of host that a page of these can be told to use, with what it shows then. */
const shown = { auto: 'open in shared-worker', 'leader-tab': 'open in leader-tab' };

/**
 * Opens two tabs of a page that `folders` hold or `url` serves, and sees that the server has one connection and that both get what it
 * sends; so with each kind of host.
 */
export async function share(browser: Browser, folders: readonly string[], url?: string, hosts = Object.keys(shown)) {
  for (const host of hosts) {
    const server = await startServer({ static: folders });
    try {
      const query = `/?use=${host}&socket=${encodeURIComponent(server.socket())}`;
      const tabs = await browser.openTabs(2, url ? `${url}${query}` : server.page(query));
      for (const tab of tabs) await shows(tab, shown[host as keyof typeof shown]);
      const { live, total } = await server.control.stats();
      expect({ live, total }).toEqual({ live: 1, total: 1 });
      await server.control.broadcast('to all');
      for (const tab of tabs) expect(await received(tab)).toEqual(['to all']);
    } finally {
      await browser.closeTabs();
      await server.close();
    }
  }
}

const shows = (tab: Tab, text: string) =>
  tab.waitFor(`the page to show '${text}'`, () => document.querySelector('output')?.textContent ?? '', {
    until: (shown) => shown === text,
    timeout: 30_000,
  });

const received = (tab: Tab) =>
  tab.waitFor('a message', () => (window as unknown as { texts: unknown[] }).texts, {
    until: (texts) => texts.length > 0,
  });
