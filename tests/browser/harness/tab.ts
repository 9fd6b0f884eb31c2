import type { WebDriver } from 'selenium-webdriver';
import type { Browser } from './browser.js';
import { type WaitOptions, waitFor } from './wait.js';
import './page.js';

/** One tab of a browser; calls from several tabs wait for each other. */
export class Tab {
  readonly browser: Browser;
  /** WebDriver's window handle. */
  readonly handle: string;

  constructor(browser: Browser, handle: string) {
    this.browser = browser;
    this.handle = handle;
  }

  /**
   * Runs a function in the page and returns what it returns or resolves to, as JSON carries it.
   * It sees the page's globals and its arguments, nothing of the test around it; what it throws is thrown here.
   * An unsettled promise holds up all tabs of the browser: let a page work on its own and poll it with `waitFor`.
   */
  run<Args extends unknown[], Result>(
    action: (...args: Args) => Result | Promise<Result>,
    ...args: Args
  ): Promise<Result> {
    return this.browser.within(this.handle, (driver) => runIn(driver, action, args));
  }

  /** Polls a function in the page until its value is as wished, and returns that. */
  waitFor<Result>(
    description: string,
    probe: () => Result | Promise<Result>,
    options?: WaitOptions<Result>,
  ): Promise<Result> {
    return waitFor(description, () => this.run(probe), options);
  }

  /** Goes to another page in the same tab, and waits until it is ready. */
  navigate(url: string): Promise<void> {
    return this.browser.within(this.handle, async (driver) => {
      await driver.get(url);
      await this.untilReady(driver);
    });
  }

  /** Loads the page again, and waits until it is ready. */
  reload(): Promise<void> {
    return this.#traverse((driver) => driver.navigate().refresh());
  }

  /** Goes back in the tab's history, and waits until the page is ready. */
  back(): Promise<void> {
    return this.#traverse((driver) => driver.navigate().back());
  }

  /** Closes the tab. */
  close(): Promise<void> {
    return this.browser.closeTab(this);
  }

  /** Kills the page's process, as a crash does; not in WebKit. */
  crash(): Promise<void> {
    return this.browser.crashTab(this);
  }

  /** Freezes the page; nothing can be run in it until `thaw`. */
  freeze(): Promise<void> {
    return this.browser.faults.freeze(this);
  }

  /** Lets a frozen page go on. */
  thaw(): Promise<void> {
    return this.browser.faults.thaw(this);
  }

  /** A PNG of what the tab shows. */
  screenshot(): Promise<Buffer> {
    return this.browser.within(this.handle, async (driver) => Buffer.from(await driver.takeScreenshot(), 'base64'));
  }

  /** Waits for the page's `__ready` promise; for the browser, which has the driver look at this tab already. */
  untilReady(driver: WebDriver): Promise<void> {
    return runIn(driver, async () => void (await window.__ready), []);
  }

  #traverse(action: (driver: WebDriver) => Promise<void>): Promise<void> {
    return this.browser.within(this.handle, async (driver) => {
      await action(driver);
      await this.untilReady(driver);
    });
  }
}

async function runIn<Args extends unknown[], Result>(
  driver: WebDriver,
  action: (...args: Args) => Result | Promise<Result>,
  args: Args,
): Promise<Result> {
  const outcome = JSON.parse(await driver.executeAsyncScript<string>(inPage(action), ...args));
  if ('error' in outcome) throw new Error(`in the tab: ${outcome.error}`);
  return outcome.value;
}

/**
 * The script that calls `action` in the page and hands its outcome to WebDriver's callback, its last argument.
 * As one string, because WebDriver clones an array element by element, and knows no `undefined`.
 * Vitest has put its own name in the place of every `import()`.
 */
const inPage = (action: (...args: never[]) => unknown) => `
  const done = arguments[arguments.length - 1];
  const args = Array.prototype.slice.call(arguments, 0, -1);
  const __vite_ssr_dynamic_import__ = (specifier) => import(specifier);
  new Promise((resolve) => resolve((${action}).apply(undefined, args))).then(
    (value) => done(JSON.stringify({ value })),
    (error) => done(JSON.stringify({ error: String(error) + (error && error.stack ? '\\n' + error.stack : '') })),
  );`;
