import type { HubReport, InspectEntry, LogLine } from 'tabwire';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Op } from '../../../www/client/protocol.js';
import { installFakes, settle } from './fakes.js';
import { openSocket } from './open-socket.js';
import { connectionReport, hubReport } from './reports.js';

beforeEach(installFakes);

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

type Opened = Awaited<ReturnType<typeof openSocket>>;

const start = async (options = {}) => {
  const opened = await openSocket(options);
  opened.attach();
  opened.fired.length = 0;
  return opened;
};

/** Answers the next question for a report. */
const answer = async <T>({ port }: Opened, asked: Promise<T>, report: HubReport) => {
  await settle();
  const [, id] = port.all(Op.Report).at(-1) as [Op.Report, number];
  port.say(Op.Reply, id, report);
  return asked;
};

describe('the stability report', () => {
  test('adds up the connections of this tab, and says which is that of the socket', async () => {
    const opened = await start();
    const other = connectionReport({ conn: 8, health: 'stale', score: 100, url: 'wss://other.example/' });
    const own = connectionReport({ conn: 7, health: 'unhealthy', score: 40 });
    const report = await answer(
      opened,
      opened.socket.getStabilityReport(),
      hubReport({ tabs: 3, suspended: 1, connections: 4, attached: [own, other] }),
    );
    expect(report).toMatchObject({
      tabs: 3,
      suspendedTabs: 1,
      allConnections: 4,
      total: 2,
      healthy: 0,
      unhealthy: 1,
      stale: 1,
      score: 40,
      own: { conn: 7, score: 40 },
    });
    // Each has received 60 messages of 600 bytes in all in its minute, sent 30 and pinged 2 times.
    expect(report.throughput).toEqual({ messagesIn: 2, messagesOut: 1, bytesIn: 20, bytesOut: 10 });
    expect(report.pingsPerMinute).toBe(4);
    // Opened twice each, and open for 50 s in all.
    expect(report.meanUptime).toBe(25_000);
    expect(report.errorRate).toBeCloseTo(10 / 190);
  });

  test('has no numbers that nothing stands for', async () => {
    const opened = await start();
    const report = await answer(opened, opened.socket.getStabilityReport(), hubReport({ attached: [] }));
    expect(report).toMatchObject({ total: 0, score: null, meanUptime: null, errorRate: 0, own: null });
  });
});

test('the recovery stats tell how lost connections came back, and how the breakers are', async () => {
  const opened = await start();
  const attached = [
    connectionReport({ recoveryTime: 3000, longestRecovery: 2500 }),
    connectionReport({ conn: 8, downFor: 500, reason: 'breaker-open' }),
  ];
  const stats = await answer(opened, opened.socket.getRecoveryStats(), hubReport({ attached }));
  expect(stats).toEqual({
    losses: 2,
    recoveries: 2,
    recovering: 1,
    attempts: 8,
    failedAttempts: 4,
    successRate: 0.5,
    meanTimeToRecover: 1500,
    longestTimeToRecover: 2500,
    paused: 1,
    breakers: {
      api: {
        state: 'open',
        reason: 'failure-rate',
        remaining: 1000,
        successes: 9,
        failures: 8,
        neutral: 7,
        rejected: 6,
        trips: 1,
      },
    },
  });
});

describe('metrics', () => {
  test('are a text in which each metric has its help, its type and its samples, once', async () => {
    const opened = await start();
    const attached = [connectionReport(), connectionReport({ conn: 8, smoothedRtt: null })];
    const text = await answer(opened, opened.socket.metrics(), hubReport({ attached }));
    const lines = text.trimEnd().split('\n');
    expect(text.endsWith('\n')).toBe(true);
    const names = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2] ?? '');
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^tabwire_[a-z_]+$/);
    for (const line of lines) {
      expect(line).toMatch(
        /^(# HELP tabwire_[a-z_]+ \S.*|# TYPE tabwire_[a-z_]+ (counter|gauge)|tabwire_[a-z_]+(\{([a-z]+="([^"\\\n]|\\.)*",?)+\})? -?[\d.e+-]+)$/,
      );
    }
    expect(lines).toContain('tabwire_connection_score{url="wss://server.example/ws",connection="0"} 100');
    expect(lines).toContain('tabwire_messages_received_total{url="wss://server.example/ws",connection="1"} 60');
    expect(lines.filter((line) => line.startsWith('tabwire_connection_rtt_smoothed_seconds{'))).toHaveLength(1);
  });

  test('escape what a label may not hold, and show no query of a breaker that is named like a url', async () => {
    const opened = await start();
    const [breaker] = hubReport().breakers;
    const breakers = ['a"b\\c\nd', 'https://me:pass@a.example/api?token=secret#x'].map((name) => ({
      ...breaker,
      name,
    }));
    const text = await answer(
      opened,
      opened.socket.metrics(),
      hubReport({ breakers: breakers as HubReport['breakers'] }),
    );
    expect(text).toContain('tabwire_breaker_open{name="a\\"b\\\\c\\nd"} 1');
    expect(text).toContain('tabwire_breaker_open{name="https://a.example/api"} 1');
    expect(text).not.toContain('secret');
  });
});

test('alerts are events of the sockets that have the connection', async () => {
  const { port, fired } = await start();
  port.say(Op.Alert, 7, 'unhealthyConnection', { score: 40, reasons: ['down'], count: 1 });
  port.say(Op.Alert, 8, 'unhealthyConnection', { score: 0, reasons: ['down'], count: 1 });
  port.say(Op.Alert, 7, 'stabilityAlert', { reason: 'losses', value: 5, threshold: 5, count: 2 });
  expect(fired).toEqual([
    ['unhealthyConnection', { score: 40, reasons: ['down'], count: 1 }],
    ['stabilityAlert', { reason: 'losses', value: 5, threshold: 5, count: 2 }],
  ]);
});

describe('inspect', () => {
  /** Takes all that comes, until it ends. */
  const collect = (entries: AsyncIterable<InspectEntry>) => {
    const got: InspectEntry[] = [];
    const done = (async () => {
      for await (const entry of entries) got.push(entry);
    })();
    return { got, done };
  };

  test('asks, shows what comes, and asks again', async () => {
    const { hub, port } = await start();
    const { got } = collect(hub.inspect());
    await settle();
    expect(port.all(Op.Inspect)).toEqual([[Op.Inspect, 1]]);
    port.say(Op.Inspected, 0, [
      ['in', 1, 7, 4],
      ['out', 2, 7, 5],
      ['state', 3, 7, 'open', 'opened', 1, null],
      ['log', 4, 7, 'warn', 'sends-failed', 3],
    ]);
    await settle();
    expect(got).toEqual([
      { kind: 'in', at: 1, conn: 7, size: 4 },
      { kind: 'out', at: 2, conn: 7, size: 5 },
      { kind: 'state', at: 3, conn: 7, state: 'open', reason: 'opened', attempt: 1, code: null },
      { kind: 'log', at: 4, conn: 7, level: 'warn', code: 'sends-failed', value: 3 },
    ]);
    expect(port.all(Op.Inspect)).toHaveLength(2);
  });

  test('gives payloads to who asks for them, also beside one who does not', async () => {
    const { hub, port } = await start();
    const sizes = collect(hub.inspect());
    const all = collect(hub.inspect({ payloads: true }));
    await settle();
    expect(port.all(Op.Inspect).at(-1)).toEqual([Op.Inspect, 2]);
    port.say(Op.Inspected, 0, [['in', 1, 7, 4, 'text']]);
    await settle();
    expect(sizes.got).toEqual([{ kind: 'in', at: 1, conn: 7, size: 4, payload: undefined }]);
    expect(all.got).toEqual([{ kind: 'in', at: 1, conn: 7, size: 4, payload: 'text' }]);
  });

  test('tells how much was dropped, by the hub and by a page that does not take it', async () => {
    const { hub, port } = await start();
    const entries = hub.inspect();
    await settle();
    port.say(
      Op.Inspected,
      3,
      Array.from({ length: 1002 }, (_, at) => ['in', at, 7, 1] as const).map((one) => [...one]),
    );
    expect((await entries.next()).value).toMatchObject({ kind: 'dropped', count: 5 });
    expect((await entries.next()).value).toMatchObject({ kind: 'in', at: 2 });
  });

  test('stops when the loop is left, when it is aborted, and with the last one the hub is told', async () => {
    const { hub, port } = await start();
    const abort = new AbortController();
    const aborted = collect(hub.inspect({ signal: abort.signal }));
    const left = (async () => {
      for await (const _ of hub.inspect()) break;
    })();
    await settle();
    port.say(Op.Inspected, 0, [['in', 1, 7, 1]]);
    await left;
    expect(port.all(Op.Inspect).every(([, level]) => level === 1)).toBe(true);
    abort.abort();
    await aborted.done;
    expect(port.all(Op.Inspect).at(-1)).toEqual([Op.Inspect, 0]);
    expect(await hub.inspect({ signal: abort.signal }).next()).toMatchObject({ done: true });
  });

  test('asks the hub that takes the place of another, and ends where there is none', async () => {
    const { hub, port } = await start();
    const { done } = collect(hub.inspect());
    await settle();
    port.say(Op.Who);
    expect(port.all(Op.Inspect)).toHaveLength(2);
    hub.close();
    await expect(done).rejects.toThrow('there is no hub');
  });

  test('refuses bad options at the call', async () => {
    const { hub } = await start();
    expect(() => hub.inspect({ payloads: 1 as never })).toThrow('payloads: 1');
    expect(() => hub.inspect({ signal: {} as never })).toThrow('signal');
  });
});

describe('log', () => {
  const logging = async (log: object = {}) => {
    const lines: LogLine[] = [];
    const opened = await start({ log: { sink: (line: LogLine) => lines.push(line), ...log } });
    await settle();
    return { ...opened, lines };
  };

  test('writes what concerns its connection from its level on', async () => {
    const { port, lines } = await logging();
    expect(port.all(Op.Attach)).toEqual([]);
    port.say(Op.Inspected, 0, [
      ['in', 1, 7, 4],
      ['state', 2, 8, 'open', 'opened', 1],
      ['state', 3, 7, 'reconnecting', 'connection-lost', 1, 1006],
      ['state', 4, 7, 'open', 'opened', 2],
      ['log', 5, 7, 'warn', 'sends-failed', 3],
    ]);
    await settle();
    expect(lines).toEqual([
      { at: 3, level: 'warn', text: 'reconnecting: connection-lost, attempt 1, code 1006' },
      { at: 4, level: 'info', text: 'open: opened, attempt 2' },
      { at: 5, level: 'warn', text: 'sends-failed: 3' },
    ]);
  });

  test('has a line about health every healthEvery, until the socket is closed', async () => {
    const opened = await logging({ healthEvery: 5000 });
    const { port, socket, lines } = opened;
    await vi.advanceTimersByTimeAsync(5000);
    const [, id] = port.all(Op.Report).at(-1) as [Op.Report, number];
    port.say(Op.Reply, id, hubReport());
    await settle();
    expect(lines[0]?.text).toBe('health: healthy, score 100, open by websocket, rtt 12.0 ms, in 60, out 30, queued 0');
    socket.close();
    port.say(Op.Closed, port.handle, 1000, '', 1);
    await vi.advanceTimersByTimeAsync(5000);
    expect(port.all(Op.Inspect).at(-1)).toEqual([Op.Inspect, 0]);
    const asked = port.all(Op.Report).length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(port.all(Op.Report)).toHaveLength(asked);
  });

  test('has the line about the end, and none of what comes after', async () => {
    const { port, lines } = await logging();
    port.say(Op.Inspected, 0, [['state', Date.now(), 7, 'open', 'opened', 1]]);
    await settle();
    port.status('failed', 'max-attempts', 3);
    port.say(Op.Closed, port.handle, 1006, '', 0);
    port.say(Op.Inspected, 0, [
      ['state', Date.now(), 7, 'failed', 'max-attempts', 3, 1006],
      ['state', Date.now() + 2000, 7, 'connecting', 'requested', 1],
    ]);
    await settle();
    expect(lines.map(({ level, text }) => `${level} ${text}`)).toEqual([
      'info open: opened, attempt 1',
      'error failed: max-attempts, attempt 3, code 1006',
    ]);
    expect(port.all(Op.Inspect).at(-1)).toEqual([Op.Inspect, 0]);
  });

  test('a sink that throws is reported, and stops nothing', async () => {
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    const sink = vi.fn(() => {
      throw new Error('mine');
    });
    const { port } = await logging({ sink });
    port.say(Op.Inspected, 0, [
      ['state', 4, 7, 'open', 'opened', 2],
      ['state', 5, 7, 'suspect', 'pong-late', 2],
    ]);
    await settle();
    expect(sink).toHaveBeenCalledTimes(2);
    expect(reported).toHaveBeenCalledTimes(2);
  });
});
