import type { SocketOptions } from '../../www/client/index.js';
import type { Tab, Use } from './harness/index.js';
import type {} from './pages/probe.js';

/** Opens tabs that all listen to the same url, and waits until each is open. */
export async function openListening(use: Use, count: number, options: SocketOptions = {}, host?: string) {
  const tabs = await use.browser.openTabs(count, use.server.page('/page.html', host));
  for (const tab of tabs) await listen(tab, use.server.socket(), options);
  for (const tab of tabs) await untilState(tab, 'open');
  return tabs;
}

export function listen(tab: Tab, url: string, options: SocketOptions = {}) {
  return tab.run((url, options) => window.listen(url, options), url, options);
}

export function untilState(tab: Tab, state: string, timeout?: number) {
  return tab.waitFor(`state ${state}`, () => window.socket().status, {
    until: (status) => status.state === state,
    ...(timeout && { timeout }),
  });
}

/** Waits until a tab has so many messages, and gives what happened to it. */
export async function untilGot(tab: Tab, count: number, timeout = 30_000) {
  await tab.waitFor(`${count} messages`, () => window.probe().got, { until: (got) => got >= count, timeout });
  return tab.run(() => window.probe());
}

export function send(tab: Tab, ...texts: string[]) {
  return tab.run((texts) => {
    for (const text of texts) window.socket().send(text);
  }, texts);
}

/** What the server has received, as texts, pings left out. */
export async function receivedTexts(use: Use) {
  const { frames } = await use.server.control.received({ limit: 100_000 });
  return frames.map(({ text }) => text).filter((text) => text !== 'ping');
}

/** The first of some tabs, for tests that have just opened them. */
export function first(tabs: readonly Tab[]): Tab {
  const [tab] = tabs;
  if (!tab) throw new Error('there is no tab');
  return tab;
}
