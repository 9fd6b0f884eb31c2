import { Key } from 'selenium-webdriver';
import type { ChromiumWebDriver } from 'selenium-webdriver/chromium.js';
import { build } from 'vite';
import { at } from '../../scripts/lib/paths.mjs';
import type { Tab } from './harness/index.js';

/** Where the built demo page is, for these tests alone. */
export const demoFolder = at('target/test-demo');

/** Builds the demo page from its sources, over the package in `dist`. */
export const buildDemo = () =>
  build({ root: at('www/demo'), logLevel: 'error', build: { outDir: demoFolder, emptyOutDir: true } });

/** Presses the button, or ticks the box, that is called so. */
export const press = (tab: Tab, name: string) =>
  tab.run((name) => {
    const named = [...document.querySelectorAll('button, label')].filter((found) => found.textContent.trim() === name);
    if (named.length !== 1) throw new Error(`${named.length} controls are called ${name}`);
    (named[0] as HTMLElement).click();
  }, name);

/** What a card says of itself in large letters, and what else stands on that line. */
export const stateOf = (tab: Tab, card: string) =>
  tab.run((card) => document.querySelector(`.${card} .state`)?.textContent ?? '', card);

/** Each symbol whose price this tab shows, with that price and what is said beside it. */
export const pricesOf = (tab: Tab) =>
  tab.run(() => {
    const rows = [...document.querySelectorAll<HTMLElement>('tr[data-symbol]')];
    const said = (row: HTMLElement, part: string) => row.querySelector(part)?.textContent ?? '';
    const shown = rows.filter((row) => row.querySelector('.price'));
    return Object.fromEntries(
      shown.map((row) => [row.dataset.symbol, `${said(row, '.price')} ${said(row, '.change')}`]),
    );
  });

/** Has the page shown on a screen of this width, to somebody with these preferences. */
export const show = async (tab: Tab, width: number, preferences: Record<string, string> = {}) => {
  const features = Object.entries(preferences).map(([name, value]) => ({ name: `prefers-${name}`, value }));
  await tab.browser.within(tab.handle, async (driver) => {
    const devtools = (command: string, parameters: object) =>
      (driver as ChromiumWebDriver).sendDevToolsCommand(command, parameters);
    const size = { width, height: 800, deviceScaleFactor: 1, mobile: width < 500 };
    await devtools('Emulation.setDeviceMetricsOverride', size);
    await devtools('Emulation.setEmulatedMedia', { features });
  });
};

/** Presses keys, each for itself. */
export const type = (tab: Tab, ...keys: (keyof typeof Key)[]) =>
  tab.browser.within(tab.handle, async (driver) => {
    for (const key of keys) {
      await driver
        .actions()
        .sendKeys(Key[key] as string)
        .perform();
    }
  });
