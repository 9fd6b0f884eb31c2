import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, expect, test } from 'vitest';
import { buildDemo, demoFolder, press, pricesOf, show, stateOf, type } from './demo-page.js';
import { describeEngines, type Tab, type Use, waitFor } from './harness/index.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

beforeAll(buildDemo);

/** Opens the demo in tabs that want these symbols, and waits until each is open. */
async function open(use: Use, ...choices: string[]): Promise<[Tab, ...Tab[]]> {
  const tabs: Tab[] = [];
  for (const choice of choices) {
    const tab = await use.browser.openTab(use.server.page(`/#${choice}`));
    tabs.push(tab);
    await untilCarried(tab, 'WebSocket connected');
  }
  return tabs as [Tab, ...Tab[]];
}

const untilCarried = (tab: Tab, how: string) =>
  waitFor(how, () => stateOf(tab, 'status'), { until: (said) => said.endsWith(how), timeout: 30_000 });

const untilPrices = (tab: Tab, prices: object) =>
  waitFor(`prices ${JSON.stringify(prices)}`, () => pricesOf(tab), {
    until: (shown) => JSON.stringify(shown) === JSON.stringify(prices),
    timeout: 20_000,
  });

const untilBreaker = (tab: Tab, state: string) =>
  waitFor(`breaker ${state}`, () => stateOf(tab, 'service'), {
    until: (said) => said.startsWith(state),
    timeout: 20_000,
  });

/** What somebody who cannot see, or not well, would run into. */
async function violations(tab: Tab) {
  return tab.run(async (source) => {
    // biome-ignore lint/security/noGlobalEval: the page has no other way to it
    if (!('axe' in window)) globalThis.eval(source);
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  }, axe);
}

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

describeEngines(
  'the demo page',
  (use) => {
    const quote = (symbol: string, price: number, open: number) =>
      use.server.control.publish([`prices.${symbol}`], { price, open });

    test('two tabs show prices of different symbols over one connection, and the server is asked for each once', async () => {
      const [one, other] = await open(use, 'BTC,ETH', 'ETH,OIL');
      await untilPrices(one, { BTC: '91,250.00 +0.00 %', ETH: '3,120.00 +0.00 %' });
      await quote('ETH', 3213.6, 3120);
      await quote('OIL', 70.686, 71.4);
      await untilPrices(one, { BTC: '91,250.00 +0.00 %', ETH: '3,213.60 +3.00 %' });
      await untilPrices(other as Tab, { ETH: '3,213.60 +3.00 %', OIL: '70.69 −1.00 %' });
      const { connections, counts } = await use.server.control.topics();
      expect(connections.map(({ topics }) => topics)).toEqual([['chat', 'prices.BTC', 'prices.ETH', 'prices.OIL']]);
      expect(counts).toMatchObject({ subscribed: 4, duplicates: 0 });
      expect((await use.server.control.stats()).total).toBe(1);
      const wanted = () => document.querySelector('[data-symbol=ETH] .who')?.textContent ?? '';
      await one.waitFor('both tabs at ETH', wanted, { until: (who) => who === '2 tabs' });
    });

    test('a new tab shows the last price at once, from the hub, and the server hears nothing of it', async () => {
      const [one] = await open(use, 'BTC');
      await quote('BTC', 90_000, 91_250);
      await untilPrices(one, { BTC: '90,000.00 −1.37 %' });
      const [later] = await open(use, 'BTC');
      await untilPrices(later, { BTC: '90,000.00 kept by the hub' });
      expect((await use.server.control.topics()).counts.subscribed).toBe(2);
    });

    test('a symbol that is chosen is asked for, and one that is given up is given back', async () => {
      const [tab] = await open(use, 'BTC');
      await press(tab, 'GOLD');
      await untilPrices(tab, { BTC: '91,250.00 +0.00 %', GOLD: '2,684.00 +0.00 %' });
      await press(tab, 'BTC');
      await use.server.control.wait({ topics: 2 });
      await untilPrices(tab, { GOLD: '2,684.00 +0.00 %' });
      expect(await tab.run(() => location.hash)).toBe('#GOLD');
    });

    test('a worker that is killed is followed by another, and prices go on in every tab', async () => {
      const tabs = await open(use, 'BTC', 'ETH');
      const epochs = (tab: Tab) => tab.run(() => document.querySelector('.status dl')?.textContent?.slice(-8));
      const before = await Promise.all(tabs.map(epochs));
      await press(tabs[0], 'Kill the worker');
      for (const [index, tab] of tabs.entries()) {
        await waitFor('another hub', () => epochs(tab), { until: (epoch) => epoch !== before[index], timeout: 20_000 });
        await untilCarried(tab, 'WebSocket connected');
      }
      await use.server.control.wait({ live: 1, total: 2, topics: 3 });
      await quote('BTC', 92_162.5, 91_250);
      await untilPrices(tabs[0], { BTC: '92,162.50 +1.00 %' });
    });

    test('a connection that is dropped comes back, and prices go on where they were', async () => {
      const [tab] = await open(use, 'BTC');
      await untilPrices(tab, { BTC: '91,250.00 +0.00 %' });
      await press(tab, 'Drop connection');
      await use.server.control.wait({ live: 1, total: 2, topics: 2 });
      await quote('BTC', 92_162.5, 91_250);
      await untilPrices(tab, { BTC: '92,162.50 +1.00 %' });
      const events = await tab.run(() => document.querySelector('.log')?.textContent);
      expect(events).toContain('reconnecting');
      expect(events).not.toContain('prices.BTC');
      expect((await use.server.control.topics()).counts).toMatchObject({ resumed: 2, duplicates: 0 });
    });

    test.for([
      ['Hang server', 'hang'],
      ['Slow network', 'delay'],
      ['Hang upgrades', 'hang-upgrade'],
    ] as const)('%s is shown as pressed while it is in force, and ended by a second press', async ([name, kind]) => {
      const [tab] = await open(use, 'BTC');
      const pressed = () => document.querySelector('[aria-pressed=true]')?.textContent ?? 'none';
      await press(tab, name);
      await tab.waitFor('the pressed button', pressed, { until: (found) => found === name });
      expect((await use.server.control.stats()).fault).toMatchObject({ kind });
      await press(tab, name);
      await tab.waitFor('no pressed button', pressed, { until: (found) => found === 'none' });
      expect((await use.server.control.stats()).fault).toBeNull();
      await untilCarried(tab, 'WebSocket connected');
    });

    test('refused upgrades lead to events, blocked events to polling, and the end of both back to the WebSocket', async () => {
      const [tab] = await open(use, 'BTC');
      await press(tab, 'Refuse upgrades');
      await untilCarried(tab, 'Server-sent events (WebSocket unavailable)');
      await quote('BTC', 92_162.5, 91_250);
      await untilPrices(tab, { BTC: '92,162.50 +1.00 %' });
      await press(tab, 'Block events');
      await untilCarried(tab, 'Polling (WebSocket unavailable)');
      const pressed = () => [...document.querySelectorAll('[aria-pressed=true]')].map((button) => button.textContent);
      await tab.waitFor('two pressed buttons', pressed, { until: ({ length }) => length === 2 });
      await press(tab, 'Refuse upgrades');
      await untilCarried(tab, 'WebSocket connected');
    });

    test('the pipeline is a second connection, only while it is watched, and polled where it has to be', async () => {
      const [tab] = await open(use, 'BTC');
      await press(tab, 'Watch it');
      await use.server.control.wait({ live: 2 });
      const carrier = () => document.querySelector('.pipeline .carrier')?.textContent ?? '';
      await tab.waitFor('a report', () => document.querySelector('.throughput b')?.textContent ?? '');
      await press(tab, 'Refuse upgrades');
      const isPolling = (said: string) => said === 'Polling (WebSocket unavailable)';
      await tab.waitFor('polling', carrier, { until: isPolling, timeout: 30_000 });
      await press(tab, 'Refuse upgrades');
      await use.server.control.wait({ live: 2, timeout: 30_000 });
      await press(tab, 'Watch it');
      await use.server.control.wait({ live: 1 });
    });

    test('calls that fail open the breaker for every tab, and one that succeeds closes it', async () => {
      const [one, other] = await open(use, 'BTC', 'ETH');
      await press(one, 'Let it fail');
      await press(one, 'Call 10 ×');
      for (const tab of [one, other as Tab]) await untilBreaker(tab, 'open');
      await press(one, 'Let it recover');
      await untilBreaker(one, 'half open');
      await press(one, 'Call');
      for (const tab of [one, other as Tab]) await untilBreaker(tab, 'closed');
    });

    test('the keyboard reaches every control in the order of the page, sees where it is, and can use it', async () => {
      const [tab] = await open(use, 'BTC');
      const controls = await tab.run(() => {
        const all = [...document.querySelectorAll<HTMLElement>('a, button, input, [tabindex="0"]')];
        for (const [index, control] of all.entries()) control.dataset.order = String(index);
        return all.length;
      });
      expect(controls).toBeGreaterThan(30);
      for (let index = 0; index < controls; index++) {
        await type(tab, 'TAB');
        const focused = await tab.run(() => {
          const { dataset } = document.activeElement as HTMLElement;
          return [dataset.order, getComputedStyle(document.activeElement as HTMLElement).outlineStyle];
        });
        expect(focused).toEqual([String(index), 'solid']);
      }
      await tab.run(() => document.querySelector<HTMLElement>('[data-symbol=EUR] input')?.focus());
      await type(tab, 'SPACE');
      await untilPrices(tab, { BTC: '91,250.00 +0.00 %', EUR: '1.0825 +0.00 %' });
    });

    test('a phone of 360 pixels shows all without scrolling sideways', async () => {
      const [tab] = await open(use, 'BTC,ETH,SOL,EUR,GBP,GOLD,OIL,WHEAT');
      await press(tab, 'Watch it');
      await tab.waitFor('a report', () => document.querySelector('.throughput b')?.textContent ?? '');
      await show(tab, 360);
      const outside = () => {
        const isOutside = (found: Element) => found.getBoundingClientRect().right > innerWidth;
        return [...document.querySelectorAll('body *')].filter(isOutside).map(({ outerHTML }) => outerHTML);
      };
      // What was on its way through the wider diagram has to arrive first.
      await tab.waitFor('nothing outside', outside, { until: ({ length }) => length === 0 });
      const widths = () => [innerWidth, document.documentElement.scrollWidth];
      expect(await tab.run(widths)).toEqual([360, 360]);
    });

    test('nothing moves for those who want no motion', async () => {
      const [tab] = await open(use, 'BTC');
      const moving = () =>
        document.getAnimations().map(({ effect }) => ((effect as KeyframeEffect).target as Element).outerHTML);
      await show(tab, 1440, { 'reduced-motion': 'no-preference' });
      await quote('BTC', 92_000, 91_250);
      await tab.waitFor('something that moves', moving, { until: ({ length }) => length > 0 });
      await show(tab, 1440, { 'reduced-motion': 'reduce' });
      await tab.waitFor('rest', moving, { until: ({ length }) => length === 0 });
      await quote('BTC', 92_162.5, 91_250);
      await untilPrices(tab, { BTC: '92,162.50 +1.00 %' });
      expect(await tab.run(moving)).toEqual([]);
    });

    test.for(['light', 'dark'])('axe finds nothing serious in %s, whatever the state', async (scheme) => {
      const [tab] = await open(use, 'BTC,ETH', 'ETH,OIL');
      await show(tab, 1440, { 'color-scheme': scheme, 'reduced-motion': 'reduce' });
      await press(tab, 'Watch it');
      await tab.waitFor('a report', () => document.querySelector('.throughput b')?.textContent ?? '');
      expect(await violations(tab), 'open').toEqual([]);
      await press(tab, 'Let it fail');
      await press(tab, 'Call 10 ×');
      await untilBreaker(tab, 'open');
      await use.server.control.stop();
      await untilCarried(tab, 'WebSocket not connected');
      expect(await violations(tab), 'the server down, the breaker open').toEqual([]);
      await show(tab, 360, { 'color-scheme': scheme, 'reduced-motion': 'reduce' });
      expect(await violations(tab), 'on a phone').toEqual([]);
    });
  },
  { only: ['chromium'], server: { static: [demoFolder], args: ['--prices', '3600000'] } },
);
