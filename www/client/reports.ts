// biome-ignore-all lint/suspicious/noDoubleEquals: as in the other files of the page side
import type { Client } from './client.js';
import { Cue, type Handle } from './cue.js';
import { UnsupportedError } from './errors.js';
import { format } from './metrics.js';
import { Op } from './protocol.js';
import type { BreakerReport, ConnectionReport, Counters, HubReport, RecoveryStats, StabilityReport } from './report.js';

/** Asks the hub for its report: by a handle of its own, which asks again when the hub has changed meanwhile. */
export const ask = ([post, add, remove]: Client): Promise<HubReport> =>
  new Promise((resolve, reject) => {
    const id = ++lastReport;
    const handle: Handle = (input) => {
      if (!Array.isArray(input)) return;
      if (input[0] == Cue.Attach) post([Op.Report, id]);
      if (input[0] == Op.Reply && input[1] == id) resolve(input[2] as HubReport);
      else if (input[0] == Cue.End) reject(new UnsupportedError(`there is no hub: ${input[2]}`));
      else return;
      remove(handle);
    };
    add(handle);
  });

/** How the connections of this page do. `connOf` gives the number of the one that asks, once there is an answer. */
export const getStabilityReport = async (client: Client, connOf: () => unknown): Promise<StabilityReport> => {
  const { tabs, suspended, connections, attached } = await ask(client);
  const sum = sumOf(attached);
  const a = (health: string) => attached.filter((one) => one.health == health).length;
  /** So many of that a second, of all connections. */
  const rate = (name: keyof Counters) =>
    attached.reduce((all, { counters, age }) => all + counters[name] / Math.max(age / 1000, 1), 0);
  const errors = sum('failedAttempts') + sum('pongTimeouts') + sum('failed') + sum('malformed');
  const at = Date.now();
  const own = attached.find((one) => one.conn == connOf());
  return {
    at,
    tabs,
    suspendedTabs: suspended,
    allConnections: connections,
    total: attached.length,
    healthy: a('healthy'),
    unhealthy: a('unhealthy'),
    stale: a('stale'),
    score: attached[0] ? Math.min(...attached.map(({ score }) => score)) : null,
    meanUptime: share(
      attached.reduce((all, { totalUptime }) => all + totalUptime, 0),
      sum('opened'),
    ),
    throughput: {
      messagesIn: rate('received'),
      messagesOut: rate('sent'),
      bytesIn: rate('receivedBytes'),
      bytesOut: rate('sentBytes'),
    },
    errorRate: share(errors, errors + sum('received') + sum('sent')) ?? 0,
    pingsPerMinute: rate('pings') * 60,
    connections: attached,
    own: own ?? null,
    brief: {
      isHealthy: own?.health == 'healthy',
      connectionCount: connections,
      tabCount: tabs,
      lastHeartbeat: own ? beatOf(own, at) : null,
      latency: own?.smoothedRtt ?? null,
      score: own?.score ?? 0,
      transport: own?.transport ?? 'websocket',
    },
  };
};

/** What has become of the lost connections of this page. */
export const getRecoveryStats = async (client: Client): Promise<RecoveryStats> => {
  const { attached, breakers } = await ask(client);
  const sum = sumOf(attached);
  const [recoveries, failedAttempts] = [sum('recovered'), sum('failedAttempts')];
  const longest = Math.max(...attached.map(({ longestRecovery }) => longestRecovery));
  return {
    losses: sum('lost'),
    recoveries,
    recovering: attached.filter(({ downFor }) => downFor !== null && downFor !== undefined).length,
    attempts: sum('attempts'),
    failedAttempts,
    successRate: share(sum('opened'), sum('opened') + failedAttempts),
    meanTimeToRecover: share(
      attached.reduce((all, { recoveryTime }) => all + recoveryTime, 0),
      recoveries,
    ),
    longestTimeToRecover: recoveries ? longest : null,
    paused: attached.filter(({ reason }) => reason == 'breaker-open').length,
    breakers: Object.fromEntries(breakers.map(({ name, ...rest }: BreakerReport) => [name, rest])),
  };
};

/** The numbers of this page's connections and breakers, in the text format of Prometheus. */
export const metrics = async (client: Client): Promise<string> => format(await ask(client));

/** When the last pong of a connection came: the clocks of hub and page are told apart by less than a second, and that is no news. */
const beatOf = ({ conn, pongAgo }: ConnectionReport, at: number) => {
  if (typeof pongAgo != 'number') return null;
  const known = beats.get(conn) ?? 0;
  if (Math.abs(at - pongAgo - known) >= 1000) beats.set(conn, at - pongAgo);
  return beats.get(conn) as number;
};

const sumOf = (attached: readonly ConnectionReport[]) => (name: keyof Counters) =>
  attached.reduce((sum, { counters }) => sum + counters[name], 0);

const share = (part: number, all: number) => (all ? part / all : null);

let lastReport = 0;
const beats = new Map<number, number>();
