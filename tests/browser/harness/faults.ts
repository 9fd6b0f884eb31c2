import type { ChromiumWebDriver } from 'selenium-webdriver/chromium.js';
import type { Browser } from './browser.js';
import type { EngineName } from './engines.js';
import { Processes } from './processes.js';
import type { Tab } from './tab.js';
import { waitFor } from './wait.js';

/**
 * What can befall the pages of one browser and the processes they run in.
 * Chromium's pages are frozen by the devtools protocol, and are told so; the others by stopping their process, and are not.
 */
export class Faults {
  readonly #browser: Browser;
  readonly #processes: Processes;
  readonly #frozen = new Map<Tab, number>();
  #worker: number | undefined;
  #search: Promise<unknown> = Promise.resolve();

  constructor(browser: Browser, driver: number) {
    this.#browser = browser;
    this.#processes = new Processes(driver);
  }

  /** Freezes a tab; nothing can be run in it until it is thawed. Not for the tab whose process hosts the SharedWorker. */
  async freeze(tab: Tab): Promise<void> {
    if (this.#browser.engine === 'chromium') return lifecycle(tab, 'frozen');
    const pid = await this.#processOf(tab);
    this.#frozen.set(tab, pid);
    this.#processes.stop(pid);
  }

  /** Whether a tab can be frozen, and no other with it: elsewhere than in Chromium, whether it has a process of its own. */
  async canFreeze(tab: Tab): Promise<boolean> {
    if (this.#browser.engine === 'chromium') return true;
    const pid = await this.#processOf(tab);
    for (const other of this.#browser.tabs) {
      if (other === tab) continue;
      if ((this.#frozen.get(other) ?? (await this.#processOf(other))) === pid) return false;
    }
    return true;
  }

  async thaw(tab: Tab): Promise<void> {
    if (this.#browser.engine === 'chromium') return lifecycle(tab, 'active');
    const pid = this.#frozen.get(tab);
    if (!pid) throw new Error('the tab is not frozen');
    this.#frozen.delete(tab);
    this.#processes.resume(pid);
  }

  /** Ends a tab as a crash does: Chromium by the devtools protocol, Firefox by killing its process; WebKit's driver would end with it. */
  async crash(tab: Tab): Promise<void> {
    const { engine } = this.#browser;
    if (engine === 'webkit') throw new Error('the driver of WebKit ends its session with the first page that crashes');
    if (engine === 'chromium') return devtools(tab, 'Page.crash').catch(ignoreCrash);
    this.#processes.kill(await this.#processOf(tab));
  }

  /** Stops the process that hosts the SharedWorker, and with it the tabs that live there: as a rule the one that made it. */
  async freezeWorker(): Promise<void> {
    this.#worker = await this.#workerProcess();
    this.#processes.stop(this.#worker);
  }

  thawWorker(): void {
    if (!this.#worker) throw new Error('the worker is not frozen');
    this.#processes.resume(this.#worker);
    this.#worker = undefined;
  }

  /** Whether the SharedWorker and this page run in one process. */
  async hostsWorker(tab: Tab): Promise<boolean> {
    return (await this.#processOf(tab)) === (await this.#workerProcess());
  }

  /** Stops the whole browser, as the sleep of a computer does, and lets it go on at `release`. */
  sleep(): void {
    this.#processes.stopAll();
  }

  /** Lets everything that was stopped go on. */
  release(): void {
    this.#processes.release();
    this.#frozen.clear();
    this.#worker = undefined;
  }

  /** The process of a tab's page. One search at a time: each starts a worker. */
  #processOf(tab: Tab): Promise<number> {
    const found = this.#search.then(() => this.#find(tab));
    this.#search = found.catch(() => {});
    return found;
  }

  /** The process of a tab's page: workers that the page starts show there as threads, more than pages start or end of themselves. */
  async #find(tab: Tab): Promise<number> {
    const { page } = workerThreads[this.#browser.engine];
    const before = this.#processes.withThread(page);
    const moreThan = (few: number, pid: number, count: number) => count > (before.get(pid) ?? 0) + few;
    await tab.run((markers) => {
      const script = URL.createObjectURL(new Blob(['postMessage(0)']));
      const workers = Array.from({ length: markers }, () => new Worker(script));
      Object.assign(window, { __markers: workers });
      return Promise.all(
        workers.map((worker) => new Promise<void>((resolve) => worker.addEventListener('message', () => resolve()))),
      ).then(() => {});
    }, ofItself + 3);
    const more = [...this.#processes.withThread(page)].filter(([pid, count]) => moreThan(ofItself, pid, count));
    await tab.run(() => {
      for (const worker of (window as unknown as { __markers: Worker[] }).__markers) worker.terminate();
    });
    const [found, ...others] = more;
    if (!found || others.length > 0) throw new Error(`the tab's process is one of ${JSON.stringify(more)}`);
    const [pid] = found;
    await waitFor('the markers to be gone', () => this.#processes.withThread(page).get(pid) ?? 0, {
      until: (count) => !moreThan(1, pid, count),
    });
    return pid;
  }

  #workerProcess(): Promise<number> {
    const { shared } = workerThreads[this.#browser.engine];
    return waitFor('one process with a SharedWorker', () => [...this.#processes.withThread(shared).keys()], {
      until: (pids) => pids.length === 1,
    }).then(([pid]) => pid as number);
  }
}

/** How many workers a process may have gained or lost meanwhile. */
const ofItself = 2;

/** What the engines call the threads of a page's own workers and of SharedWorkers. */
const workerThreads: Record<EngineName, { page: RegExp; shared: RegExp }> = {
  chromium: { page: /^DedicatedWorker/, shared: /^SharedWorker/ },
  firefox: { page: /^DOM Worker/, shared: /^DOM Worker/ },
  webkit: { page: /^WebCore: Worker$/, shared: /: SharedWorker$/ },
};

const lifecycle = (tab: Tab, state: 'frozen' | 'active') => devtools(tab, 'Page.setWebLifecycleState', { state });

function devtools(tab: Tab, command: string, parameters: object = {}): Promise<void> {
  return tab.browser.within(tab.handle, (driver) =>
    (driver as ChromiumWebDriver).sendDevToolsCommand(command, parameters),
  );
}

/** The driver answers a crash with an error about the crash. */
function ignoreCrash(error: unknown): void {
  if (!/crash/i.test(String(error))) throw error;
}
