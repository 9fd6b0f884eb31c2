import type { Server, Tab } from '../../tests/browser/harness/index.js';
import { size } from './flood.js';
import { cpuSeconds } from './processes.js';
import { openPublisher } from './publisher.js';
import { percentile } from './summary.js';
import { joined, recordedBy, type Way } from './ways.js';

/** Messages a second. */
export const streamRate = 1000;

/** Seconds. */
export const streamLength = 5;

export interface Stream {
  /** Messages a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Tabs that are connected as well, and not measured. */
  readonly besides?: readonly Tab[];
}

export interface Streamed {
  /** From the publisher to the listener in ms, over all tabs. */
  readonly p50: number;
  readonly p99: number;
  /** Seconds of processor time per second, where the system tells. */
  readonly browserCpu: number | null;
  readonly serverCpu: number | null;
}

/** Publishes at a steady rate, and measures how long each message takes to each listener, and what it costs. */
export function stream(
  tabs: readonly Tab[],
  way: Way,
  server: Server,
  { rate, seconds: length, besides = [] }: Stream = { rate: streamRate, seconds: streamLength },
): Promise<Streamed> {
  return joined([...tabs, ...besides], way, { server }, async () => {
    const count = rate * length;
    for (const tab of tabs) await tab.run((count) => window.bench.expectStamped(count), count);
    const publisher = await openPublisher(`${server.site.replace('http', 'ws')}/ws`);
    const before = cpuSeconds();
    const began = performance.now();
    await publisher.publish({ count, rate, size });
    const records = await recordedBy(tabs, count);
    const seconds = (performance.now() - began) / 1000;
    const after = cpuSeconds();
    publisher.close();
    const latencies = records.flatMap((record) => record.latencies);
    return {
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
      browserCpu: before && after && (after.browser - before.browser) / seconds,
      serverCpu: before && after && (after.server - before.server) / seconds,
    };
  });
}
