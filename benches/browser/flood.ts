import type { Server, Tab } from '../../tests/browser/harness/index.js';
import { joined, recordedBy, type Way } from './ways.js';

/** How many messages a flood has for each of so many tabs: fewer for many, for the plain worker needs a minute for a million deliveries. */
export const floodCount = (tabs: number) => (tabs > 10 ? 10_000 : 20_000);

/** Bytes a message, of the flood and of the steady stream. */
export const size = 200;

export interface Flooded {
  /** Over all tabs, from the first delivery to the last. */
  readonly deliveriesPerSecond: number;
  /** Of the server, while all tabs were connected. */
  readonly connections: number;
  /** Messages a batch, which only tabwire has. */
  readonly batch: number | null;
}

/** Lets the server send as fast as it can, and measures how many messages a second reach listeners. */
export function flood(
  tabs: readonly Tab[],
  way: Way,
  server: Server,
  count = floodCount(tabs.length),
): Promise<Flooded> {
  return joined(tabs, way, { server }, async () => {
    const { live } = await server.control.stats();
    for (const tab of tabs) await tab.run((count) => window.bench.expectNumbered(count), count);
    await server.control.startFlood({ count, size });
    const records = await recordedBy(tabs, count);
    const first = Math.min(...records.map((record) => record.first));
    const last = Math.max(...records.map((record) => record.last));
    const batches = records.reduce((sum, record) => sum + record.batches, 0);
    const batched = records.reduce((sum, record) => sum + record.batched, 0);
    return {
      deliveriesPerSecond: (count * tabs.length * 1000) / (last - first),
      connections: live,
      batch: batches > 0 ? batched / batches : null,
    };
  });
}
