import type { WebDriver } from 'selenium-webdriver';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Browser, engines, openBrowser, type Server } from '../../tests/browser/harness/index.js';
import { flood } from './flood.js';
import { farRoundTrip, furtherTab } from './further.js';
import { openRelay, type Relay } from './relay.js';
import type { Measured, Rounds } from './report.js';
import { writeResults } from './results.js';
import { startSite } from './site.js';
import { stream } from './stream.js';
import { type Compared, ways } from './ways.js';

for (const engine of engines) {
  describe(`fan-out in ${engine}`, () => {
    const tabCounts = engine === 'chromium' ? [1, 10, 30] : [1, 10];
    const measured: Measured[] = [];
    let browser: Browser;
    let server: Server;
    let relay: Relay;
    let version = '';

    beforeAll(async () => {
      browser = await openBrowser(engine, { prefs: exactClocks });
      server = await startSite();
      relay = await openRelay(server.wire, farRoundTrip);
      return async () => {
        relay.close();
        await browser.close();
        await server.close();
      };
    });

    test.each(tabCounts)('%i tabs', { timeout: patience }, async (count) => {
      // Windows, because those are visible in every engine: hidden tabs are served at a slower beat by design.
      const [further, ...tabs] = await browser.openTabs(count + 1, server.page('/bench.html'), { kind: 'window' });
      if (!further) throw new Error('no further tab was opened');
      version = await browser.within(further.handle, versionOf);
      for (const way of ways) await flood(tabs, way, server, warmUp);
      measured.push({
        tabs: count,
        flood: await inRounds(`flood of ${count} tabs`, (way) => flood(tabs, way, server)),
        stream: await inRounds(`stream to ${count} tabs`, (way) => stream(tabs, way, server)),
        near: await inRounds(`a tab beside ${count}`, (way) =>
          furtherTab(tabs, further, way, { server, url: server.socket() }),
        ),
        far: await inRounds(`a tab beside ${count}, far`, (way) =>
          furtherTab(tabs, further, way, { server, url: relay.socket() }),
        ),
      });
      await browser.closeTabs();
    });

    afterAll(() => {
      // A part of a run is no result.
      if (measured.length === tabCounts.length) writeResults(engine, version, measured);
    });
  });
}

/** Measures all ways in turn, again and again, so that a noisy minute of the machine befalls all of them. */
async function inRounds<T>(what: string, measure: (way: Compared) => Promise<T>): Promise<Rounds<T>> {
  const measured: Rounds<T> = { native: [], plain: [], tabwire: [] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const way of ways) {
      const value = await measure(way);
      measured[way].push(value);
      process.stdout.write(`${what}, round ${round}, ${way}: ${JSON.stringify(value)}\n`);
    }
  }
  return measured;
}

const versionOf = async (driver: WebDriver) => (await driver.getCapabilities()).getBrowserVersion() ?? '';

const rounds = 5;

/** How many messages each tab gets before anything is measured. */
const warmUp = 2000;

/** Firefox rounds its clocks to a millisecond and adds noise otherwise. */
const exactClocks = { 'privacy.reduceTimerPrecision': false };

const patience = 20 * 60_000;
