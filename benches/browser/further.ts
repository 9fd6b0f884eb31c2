import type { Server, Tab } from '../../tests/browser/harness/index.js';
import { median } from './summary.js';
import { join, joined, leave, type Way } from './ways.js';

/** Measures how long a further tab, with a fresh page each time, takes to be connected when the others are: the median, in ms. */
export function furtherTab(
  tabs: readonly Tab[],
  further: Tab,
  way: Way,
  { server, url }: { server: Server; url: string },
): Promise<number> {
  return joined(tabs, way, { server, url }, async () => {
    const times: number[] = [];
    while (times.length < repeats) {
      await further.reload();
      times.push(await join(further, way, url));
      await leave(further);
    }
    return median(times);
  });
}

/** The round trip of the path that is not loopback, in ms. */
export const farRoundTrip = 100;

const repeats = 5;
