import type { WebDriver } from 'selenium-webdriver';
import type { BrowserOptions } from './capabilities.js';
import type { EngineName } from './engines.js';
import { Faults } from './faults.js';
import { type Session, startSession } from './session.js';
import { Tab } from './tab.js';

/** Starts an engine with a fresh profile; `close` ends it and leaves nothing behind. */
export async function openBrowser(engine: EngineName, options: BrowserOptions = {}): Promise<Browser> {
  const session = await startSession(engine, options);
  return new Browser(engine, session, await session.driver.getWindowHandle());
}

export interface TabOptions {
  /**
   * Whether it is a tab of the first window (the default) or a window of its own.
   * WebKit's tabs are hidden ones, its windows visible; Firefox shows the tab that is driven; Chromium calls all visible.
   */
  readonly kind?: 'tab' | 'window';
}

/**
 * One browser with many tabs.
 * WebDriver looks at one tab at a time, so everything done in tabs is done one after the other, in the order of the calls.
 */
export class Browser {
  readonly engine: EngineName;
  /** The tabs opened by `openTab` that were neither closed nor crashed. */
  readonly tabs: Tab[] = [];
  /** What can befall it. */
  readonly faults: Faults;
  readonly #session: Session;
  readonly #driver: WebDriver;
  readonly #blank: string;
  #current: string;
  #queue: Promise<unknown> = Promise.resolve();

  /** Takes over a session that shows one blank tab, which stays. */
  constructor(engine: EngineName, session: Session, blank: string) {
    this.engine = engine;
    this.faults = new Faults(this, session.driverPid);
    this.#session = session;
    this.#driver = session.driver;
    this.#blank = blank;
    this.#current = blank;
  }

  /** Opens a real tab at a url, and resolves when the page has loaded and its `__ready` promise, if it has one, is kept. */
  openTab(url: string, { kind = 'tab' }: TabOptions = {}): Promise<Tab> {
    return this.#inTurn(async () => {
      await this.#driver.switchTo().newWindow(kind);
      this.#current = await this.#driver.getWindowHandle();
      const tab = new Tab(this, this.#current);
      this.tabs.push(tab);
      await this.#driver.get(url);
      await tab.untilReady(this.#driver);
      return tab;
    });
  }

  /** Opens several tabs at the same url, one after the other. */
  async openTabs(count: number, url: string, options?: TabOptions): Promise<Tab[]> {
    const tabs: Tab[] = [];
    while (tabs.length < count) tabs.push(await this.openTab(url, options));
    return tabs;
  }

  /** Closes every tab that is still open, and thaws those that are frozen; the browser goes on with its blank one. */
  async closeTabs(): Promise<void> {
    this.faults.release();
    for (const tab of [...this.tabs]) await tab.close();
  }

  /** Ends the browser and its driver, and removes the profile. */
  close(): Promise<void> {
    this.faults.release();
    return this.#inTurn(() => this.#session.stop());
  }

  /** Does something with the driver while it looks at that tab; for tabs and for what the harness has no word for. */
  within<T>(handle: string, action: (driver: WebDriver) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      await this.#show(handle);
      return action(this.#driver);
    });
  }

  /** Closes a tab, without its page being asked. */
  closeTab(tab: Tab): Promise<void> {
    return this.#inTurn(async () => {
      await this.#show(tab.handle);
      this.#forget(tab);
      await this.#driver.close();
      await this.#show(this.#blank);
    });
  }

  /** Kills the process of a tab's page; not in WebKit. Other tabs in the same process die with it. */
  async crashTab(tab: Tab): Promise<void> {
    await this.faults.crash(tab);
    return this.#inTurn(async () => {
      this.#forget(tab);
      await this.#show(this.#blank);
    });
  }

  #forget(tab: Tab): void {
    this.tabs.splice(this.tabs.indexOf(tab), 1);
  }

  async #show(handle: string): Promise<void> {
    if (this.#current === handle) return;
    await this.#driver.switchTo().window(handle);
    this.#current = handle;
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(action);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}
