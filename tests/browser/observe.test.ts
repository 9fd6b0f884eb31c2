import { expect, test } from 'vitest';
import type { InspectEntry } from '../../www/client/index.js';
import { describeEngines } from './harness/index.js';
import { first, listen, openListening, send, untilGot, untilState } from './listening.js';

declare global {
  interface Window {
    entries: InspectEntry[];
    alerts: { type: string; score?: number; reasons?: readonly string[] }[];
    lines: string[];
  }
}

const pinging = { heartbeat: { message: 'ping', pong: 'pong', interval: 200 } };

describeEngines('what there is to see of connections', (use) => {
  test('a tab is told of the connections that it has attached, and of no query', async () => {
    const [tab = first([]), other = first([])] = await use.browser.openTabs(2, use.server.page());
    await listen(tab, `${use.server.socket()}?secret=1`, pinging);
    await untilState(tab, 'open');
    await listen(other, use.server.socket(), { key: 'another' });
    await untilState(other, 'open');
    await tab.waitFor('two pings', async () => (await window.hub().report()).attached[0]?.counters.pings, {
      until: (pings) => (pings ?? 0) >= 2,
    });
    const { report, url } = await tab.run(async () => {
      const report = await window.socket().getStabilityReport();
      return { report, url: window.socket().url };
    });
    expect(url).toContain('secret');
    expect(report).toMatchObject({ tabs: 2, allConnections: 2, total: 1, healthy: 1, unhealthy: 0, stale: 0 });
    expect(report.own).toMatchObject({
      url: use.server.socket(),
      state: 'open',
      transport: 'websocket',
      health: 'healthy',
    });
    expect(report.own?.smoothedRtt).toBeGreaterThanOrEqual(0);
    expect(report.brief).toMatchObject({ isHealthy: true, connectionCount: 2, tabCount: 2 });
    expect(report.brief.lastHeartbeat).toBeGreaterThan(1.7e12);
    expect(JSON.stringify(report)).not.toContain('secret');
    const stats = await other.run(() => window.socket().getRecoveryStats());
    expect(stats).toMatchObject({ losses: 0, recoveries: 0, attempts: 1, successRate: 1, breakers: {} });
  });

  test('metrics count what the server counts', async () => {
    const [tab = first([]), other] = await openListening(use, 2);
    await use.server.control.flood({ count: 1000, size: 100 });
    await untilGot(tab, 1000);
    await send(other ?? tab, 'one', 'two');
    await use.server.control.wait({ received: 2 });
    await untilGot(tab, 1002);
    const lines = (await tab.run(() => window.socket().metrics())).split('\n');
    const labels = `{url="${use.server.socket()}",connection="0"}`;
    for (const line of [
      'tabwire_tabs 2',
      `tabwire_connection_up${labels} 1`,
      `tabwire_connection_tabs${labels} 2`,
      `tabwire_messages_received_total${labels} 1002`,
      `tabwire_received_bytes_total${labels} ${1000 * 100 + 6}`,
      `tabwire_messages_sent_total${labels} 2`,
      `tabwire_sent_bytes_total${labels} 6`,
    ]) {
      expect(lines).toContain(line);
    }
  });

  test('inspect shows frames by their size, and nothing of a connection that the tab has not attached', async () => {
    const [tab = first([]), other = first([])] = await use.browser.openTabs(2, use.server.page());
    await listen(tab, use.server.socket());
    await untilState(tab, 'open');
    await listen(other, use.server.socket(), { key: 'another' });
    await untilState(other, 'open');
    for (const [who, payloads] of [
      [tab, false],
      [other, true],
    ] as const) {
      await who.run((payloads) => {
        window.entries = [];
        (async () => {
          for await (const entry of window.hub().inspect({ payloads })) window.entries.push(entry);
        })();
      }, payloads);
      // What is answered came after the question to be shown: messages of a page keep their order.
      await who.run(async () => (await window.hub().report()).tabs);
    }
    await send(tab, 'hello');
    await send(other, 'secret');
    const seen = (who: typeof tab) =>
      who.waitFor('a frame each way', () => window.entries, {
        until: (entries) => entries.some(({ kind }) => kind === 'out') && entries.some(({ kind }) => kind === 'in'),
      });
    const frames = await seen(tab);
    expect(frames).toMatchObject([
      { kind: 'out', size: 5 },
      { kind: 'in', size: 5 },
    ]);
    expect(JSON.stringify(frames)).not.toMatch(/hello|secret/);
    expect(await seen(other)).toMatchObject([
      { kind: 'out', size: 6, payload: 'secret' },
      { kind: 'in', size: 6, payload: 'secret' },
    ]);
    await use.server.control.reset();
    const after = await tab.waitFor('the loss', () => window.entries, {
      until: (entries) => entries.some((entry) => entry.kind === 'state' && entry.state === 'reconnecting'),
    });
    expect(new Set(after.map((entry) => 'conn' in entry && entry.conn)).size).toBe(1);
  });

  test('a connection that is found down is an event in each of its tabs, and a line in the log', async () => {
    const options = { health: { checkEvery: 300 }, reconnect: { firstDelayMax: 250 } };
    const [tab = first([]), other = first([])] = await openListening(use, 2, options);
    for (const who of [tab, other]) {
      await who.run(
        (url, options) => {
          window.alerts = [];
          window.lines = [];
          window.socket().addEventListener('unhealthyConnection', ({ type, score, reasons }) => {
            window.alerts.push({ type, score, reasons });
          });
          window.listen(url, { ...options, log: { sink: ({ text }) => window.lines.push(text) } }, 'logging');
        },
        use.server.socket(),
        options,
      );
      await who.run(async () => (await window.hub().report()).tabs);
    }
    await use.server.control.stop();
    for (const who of [tab, other]) {
      const [alert] = await who.waitFor('an alert', () => window.alerts, { until: (alerts) => alerts.length > 0 });
      expect(alert?.reasons?.[0]).toBe('down');
      expect(alert?.score).toBeLessThan(50);
      const lines = await who.waitFor('its line', () => window.lines, {
        until: (lines) => lines.some((line) => line.startsWith('unhealthy: ')),
      });
      expect(lines.some((line) => line.startsWith('reconnecting: '))).toBe(true);
    }
    await use.server.control.start();
    await untilState(tab, 'open');
    const stats = await tab.run(() => window.socket().getRecoveryStats());
    expect(stats).toMatchObject({ losses: 1, recoveries: 1, recovering: 0 });
    expect(stats.meanTimeToRecover).toBeGreaterThan(0);
  });
});
