import type { Client } from './client.js';
import { inspect } from './inspect.js';
import type { LogLine, LogOptions } from './options.js';
import type { InspectEntry } from './report.js';
import { getStabilityReport } from './reports.js';

/**
 * Writes lines about one connection of this page, as long as its socket is not closed: what the hub sees, and every
 * `healthEvery` how the connection does. `connOf` gives the number of the connection, and false when the socket has ended.
 */
export const follow = async (
  { level = 'info', sink = toConsole, healthEvery = 60_000 }: LogOptions,
  client: Client,
  connOf: () => number | undefined | false,
): Promise<void> => {
  const write = (line: LogLine) => {
    try {
      if (levels.indexOf(line.level) >= levels.indexOf(level)) sink(line);
    } catch (error) {
      reportError(error);
    }
  };
  const abort = new AbortController();
  let last: number | undefined;
  let endedAt: number | undefined;
  const tell = async () => {
    if (connOf() === false) return abort.abort();
    const { at, own } = await getStabilityReport(client, connOf);
    if (!own) return;
    const { health, score, reasons, state, transport, smoothedRtt, counters, queued } = own;
    const rtt = typeof smoothedRtt === 'number' ? `rtt ${smoothedRtt.toFixed(1)} ms, ` : '';
    const why = reasons[0] ? ` (${reasons.join(' ')})` : '';
    const text = `${health}, score ${score}${why}, ${state} by ${transport}, ${rtt}in ${counters.received}, out ${counters.sent}, queued ${queued}`;
    write({ at, level: 'info', text: `health: ${text}` });
  };
  // Where there is no hub any more the loop below says so.
  const timer = setInterval(() => tell().catch(() => {}), healthEvery);
  try {
    for await (const entry of inspect(client, { signal: abort.signal })) {
      const conn = connOf();
      // The end itself is seen when the socket has ended, and the clock of the hub may be a little ahead.
      if (conn === false) endedAt ??= Date.now();
      else last = conn ?? last;
      if (endedAt !== undefined && entry.at > endedAt + 1000) break;
      if (entry.kind === 'dropped' || entry.conn === last) write(lineOf(entry));
    }
  } catch (error) {
    write({ at: Date.now(), level: 'error', text: `log: ${error}` });
  } finally {
    clearInterval(timer);
  }
};

const levels = ['debug', 'info', 'warn', 'error'];

const toConsole = ({ level, text }: LogLine) => console[level]('tabwire', text);

const lineOf = (entry: InspectEntry): LogLine => {
  const { at } = entry;
  switch (entry.kind) {
    case 'in':
    case 'out':
      return { at, level: 'debug', text: `${entry.kind}: ${entry.size} bytes` };
    case 'state': {
      const { state, reason, attempt, code } = entry;
      const isBad = ['suspect', 'reconnecting', 'offline'].includes(state);
      const level = state === 'failed' ? 'error' : isBad ? 'warn' : 'info';
      return { at, level, text: `${state}: ${reason}, attempt ${attempt}${code ? `, code ${code}` : ''}` };
    }
    case 'log':
      return { at, level: entry.level, text: `${entry.code}: ${entry.value}` };
    case 'dropped':
      return { at, level: 'warn', text: `dropped: ${entry.count} entries` };
  }
};
