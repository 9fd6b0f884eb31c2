import { type Flooded, floodCount, size } from './flood.js';
import { farRoundTrip } from './further.js';
import { type Streamed, streamLength, streamRate } from './stream.js';
import { median } from './summary.js';
import { fine, spread, table, whole } from './table.js';
import { type Compared, ways } from './ways.js';

/** What every round measured, for each way. */
export type Rounds<T> = Record<Compared, T[]>;

/** Everything measured with that many tabs. */
export interface Measured {
  readonly tabs: number;
  readonly flood: Rounds<Flooded>;
  readonly stream: Rounds<Streamed>;
  /** Milliseconds until a further tab is connected. */
  readonly near: Rounds<number>;
  /** The same over a path of {@link farRoundTrip} ms. */
  readonly far: Rounds<number>;
}

/** One engine's run, as it is kept beside the report. */
export interface Run {
  readonly engine: string;
  readonly machine: string;
  readonly date: string;
  readonly measured: readonly Measured[];
}

/** The whole report, in Markdown. */
export const page = (runs: readonly Run[]) => `# What the browser benchmark measured last

Written by \`npm run bench\`; \`npm run bench -- chromium\` runs one engine, and leaves the others' numbers as they were.
Compared are *a socket a tab* (one native WebSocket each), a *plain worker* (a SharedWorker in JavaScript that does one
\`postMessage\` per message and tab, \`benches/browser/pages/plain-worker.js\`) and *tabwire* as it is built by \`npm run build\`.
Messages have ${size} bytes; every tab is visible, and checks that it gets every message, in order.
The three ways take turns, ${runs[0]?.measured[0]?.flood.native.length ?? 0} rounds long: a cell has the median and, in brackets, the least and the most of them;
a ratio is the median of the rounds' ratios. Server, browser and bench share the machine.

${runs.map((run) => `## ${run.engine}\n\n${run.machine}; ${run.date}.\n\n${tables(run)}`).join('\n')}`;

/** One engine's tables. */
export const tables = ({ measured }: Run) => `\
Messages as fast as the server sends them: deliveries a second, over all tabs.

${table(
  ['tabs', 'messages', ...titles, 'against sockets', 'against the plain worker', 'messages a batch'],
  measured.map(({ tabs, flood }) => {
    const rates = pick(flood, ({ deliveriesPerSecond }) => deliveriesPerSecond);
    return [
      `${tabs}`,
      whole(floodCount(tabs)),
      ...ways.map((way) => spread(rates[way], whole)),
      times(ratio(rates.tabwire, rates.native)),
      times(ratio(rates.tabwire, rates.plain)),
      spread(
        flood.tabwire.map(({ batch }) => batch ?? Number.NaN),
        whole,
      ),
    ];
  }),
)}
${streamRate} messages a second for ${streamLength} s: latency from the sender to the listener in ms, and processor time in seconds a second.

${table(
  ['tabs', '', 'p50', 'p99', 'browser CPU', 'server CPU'],
  measured.flatMap(({ tabs, stream }) =>
    ways.map((way, index) => [
      `${tabs}`,
      titles[index] ?? '',
      ...(['p50', 'p99', 'browserCpu', 'serverCpu'] as const).map((column) =>
        spread(
          stream[way].flatMap((round) => round[column] ?? []),
          fine,
        ),
      ),
    ]),
  ),
)}
One more tab beside those that are connected: ms from the constructor to the open event.

${table(
  ['tabs', 'path', ...titles, 'sockets ÷ tabwire'],
  measured.flatMap(({ tabs, near, far }) => [
    joining(`${tabs}`, 'loopback', near),
    joining(`${tabs}`, `${farRoundTrip} ms round trip`, far),
  ]),
)}
Connections that the server counts.

${table(
  ['tabs', ...titles],
  measured.map(({ tabs, flood }) => [`${tabs}`, ...ways.map((way) => `${flood[way][0]?.connections}`)]),
)}`;

const titles = ['a socket a tab', 'plain worker', 'tabwire'];

const joining = (tabs: string, path: string, rounds: Rounds<number>) => [
  tabs,
  path,
  ...ways.map((way) => spread(rounds[way], fine)),
  times(ratio(rounds.native, rounds.tabwire)),
];

const pick = <T>(rounds: Rounds<T>, value: (round: T) => number): Rounds<number> =>
  Object.fromEntries(ways.map((way) => [way, rounds[way].map(value)])) as Record<Compared, number[]>;

/** The median over rounds of how many times as much the one has. */
const ratio = (one: readonly number[], other: readonly number[]) =>
  median(one.map((value, round) => value / (other[round] ?? Number.NaN)));

const times = (value: number) => `${value.toFixed(1)} ×`;
