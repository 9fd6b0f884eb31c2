import { afterEach, beforeAll, beforeEach, describe } from 'vitest';
import { type EngineName, engineNames } from '../../../scripts/lib/engines.mjs';
import { type Browser, openBrowser } from './browser.js';
import type { BrowserOptions } from './capabilities.js';
import { engines } from './engines.js';
import { type Server, type ServerOptions, startServer } from './server.js';

export interface SuiteOptions {
  /** The engines that the suite is about; all by default. */
  readonly only?: readonly EngineName[];
  readonly browser?: BrowserOptions;
  /** The hosts of the hub that the pages have: a SharedWorker by default. */
  readonly hosts?: readonly PageHost[];
  /** What the servers serve and how; the test pages by default. */
  readonly server?: ServerOptions;
}

/** What a page of the tests has for its hub: a SharedWorker, or none, so that one page leads. */
export type PageHost = 'shared-worker' | 'leader-tab';

/** What the tests of a suite work with; valid inside of tests and their hooks. */
export interface Use {
  readonly engine: EngineName;
  readonly host: PageHost;
  /** One for the whole suite; its tabs are closed after each test. */
  readonly browser: Browser;
  /** A fresh one for each test, hence an origin without workers, storage, locks or faults of the tests before. */
  readonly server: Server;
  /** The page of the tests, with what its host needs. */
  page(): string;
}

/** Defines the same tests once for each engine and host; engines that this run is not for are reported as skipped. */
export function describeEngines(name: string, define: (use: Use) => void, options: SuiteOptions = {}): void {
  const hosts = options.hosts ?? ['shared-worker'];
  const places = (options.only ?? engineNames).flatMap((engine) => hosts.map((host) => ({ engine, host })));
  for (const { engine, host } of places) {
    describe.skipIf(!engines.includes(engine))(`${name} in ${engine}${options.hosts ? `, ${host}` : ''}`, () => {
      const page = () => use.server.page(`/page.html?host=${host}`);
      const use = { engine, host, page } as { -readonly [Key in keyof Use]: Use[Key] };
      beforeAll(async () => {
        use.browser = await openBrowser(engine, options.browser);
        return () => use.browser.close();
      });
      beforeEach(async () => {
        use.server = await startServer(options.server);
      });
      afterEach(async () => {
        await use.browser.closeTabs();
        await use.server.close();
      });
      define(use);
    });
  }
}
