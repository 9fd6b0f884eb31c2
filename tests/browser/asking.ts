import type { SocketOptions } from '../../www/client/index.js';
import type { Tab } from './harness/index.js';

declare global {
  interface Window {
    /** How often this page was asked for a url or token. */
    asked: number;
    /** What it then gives: numbered tokens at first, with the name of the page in them. */
    give: () => unknown;
    /** Keeps the promise that `give` made, if it made one. */
    answer: (given: unknown) => void;
    /** What was written to the console. */
    written: string[];
  }
}

/** Opens a socket in a page that can be asked for tokens from now on. */
export function listenWithToken(
  tab: Tab,
  page: string,
  url: string,
  options: SocketOptions = {},
  protocols: string[] = [],
) {
  return tab.run(
    (page, url, options, protocols) => {
      window.asked ??= 0;
      window.give ??= () => `${page}-${window.asked}`;
      const token = () => {
        window.asked += 1;
        return window.give() as string;
      };
      window.listen(url, { ...options, auth: { ...options.auth, token } }, 'main', protocols);
    },
    page,
    url,
    options,
    protocols,
  );
}

/** Opens a socket whose url is asked of the page: that url, with the name of the page in it. */
export function listenWithUrl(tab: Tab, page: string, url: string, options: SocketOptions = {}) {
  return tab.run(
    (page, url, options) => {
      window.asked ??= 0;
      window.give ??= () => `${url}?of=${page}`;
      const give = () => {
        window.asked += 1;
        return window.give();
      };
      window.listen(give as unknown as string, { key: 'somebody', ...options });
    },
    page,
    url,
    options,
  );
}

/** From now on a page gives this, or throws it if it is an error. */
export function give(tab: Tab, given: unknown, how: 'returned' | 'thrown' = 'returned') {
  return tab.run(
    (given, how) => {
      window.give = () => {
        if (how === 'thrown') throw new Error(String(given));
        return given;
      };
    },
    given,
    how,
  );
}

/** From now on a page lets the hub wait for what it gives. */
export function giveLater(tab: Tab) {
  return tab.run(() => {
    window.asked ??= 0;
    window.give = () =>
      new Promise((resolve) => {
        window.answer = resolve;
      });
  });
}

/** How often each of these pages has been asked. */
export async function asked(tabs: readonly Tab[]): Promise<number[]> {
  const counts: number[] = [];
  for (const tab of tabs) counts.push(await tab.run(() => window.asked));
  return counts;
}

/** Lets a page look focused, visible or hidden, whatever the browser shows. */
export function look(tab: Tab, how: 'focused' | 'visible' | 'hidden') {
  return tab.run((how) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value: how === 'hidden' });
    document.hasFocus = () => how === 'focused';
    document.dispatchEvent(new Event('visibilitychange'));
  }, how);
}
