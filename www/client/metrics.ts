import type { BreakerReport, ConnectionReport, HubReport } from './report.js';

/** One metric: its name without `tabwire_`, what it is, and its samples as labels with values; none where there is no value. */
type Metric<T> = [name: string, help: string, value: (of: T) => number | null | undefined];

/** Writes a report in the text format of Prometheus, version 0.0.4. A metric whose name ends with `_total` is a counter, any other a gauge. */
export const format = (report: HubReport): string => {
  const lines: string[] = [];
  const write = <T>(metrics: Metric<T>[], things: readonly T[], labelsOf: (of: T, at: number) => Labels) => {
    for (const [name, help, value] of metrics) {
      const samples = things.flatMap((of, at) => {
        const number = value(of);
        return typeof number === 'number' ? [`tabwire_${name}${written(labelsOf(of, at))} ${number}`] : [];
      });
      if (!samples[0]) continue;
      const type = name.endsWith('_total') ? 'counter' : 'gauge';
      lines.push(`# HELP tabwire_${name} ${help}`, `# TYPE tabwire_${name} ${type}`, ...samples);
    }
  };

  write(ofHub, [report], () => ({}));
  write(ofConnections, report.attached, ({ url }, at) => ({ url, connection: `${at}` }));
  write(ofBreakers, report.breakers, ({ name }) => ({ name: withoutQuery(name) }));
  return `${lines.join('\n')}\n`;
};

type Labels = Record<string, string>;

const written = (labels: Labels) => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs[0] ? `{${pairs}}` : '';
};

const escaped = (value: string) => value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n');

/** A breaker may be called like a url by its user. */
const withoutQuery = (name: string) => name.replace(/^([a-z]+:\/\/)([^/?#]*@)?([^?#]*).*$/is, '$1$3');

const seconds = (millis: number | null | undefined) => typeof millis === 'number' && millis / 1000;

const orNothing = (value: number | false) => (value === false ? null : value);

const ofHub: Metric<HubReport>[] = [
  ['tabs', 'Tabs that share the hub and are awake.', ({ tabs }) => tabs],
  ['tabs_suspended', 'Tabs that are frozen or in the back-forward cache.', ({ suspended }) => suspended],
  ['connections', 'Connections of all tabs.', ({ connections }) => connections],
];

const ofConnections: Metric<ConnectionReport>[] = [
  ['connection_up', 'Whether the connection is open.', ({ state }) => Number(state === 'open' || state === 'suspect')],
  ['connection_score', 'How well the connection does, from 0 to 100.', ({ score }) => score],
  ['connection_healthy', 'Whether it is neither unhealthy nor stale.', ({ health }) => Number(health === 'healthy')],
  ['connection_stale', 'Whether nothing has come for too long.', ({ health }) => Number(health === 'stale')],
  ['connection_tabs', 'Tabs that have the connection.', ({ tabs }) => tabs],
  ['connection_handles', 'Handles of all tabs.', ({ handles }) => handles],
  ['connection_sockets', 'Sockets of the connection.', ({ sockets }) => sockets],
  ['connection_age_seconds', 'How long ago it was made.', ({ age }) => orNothing(seconds(age))],
  [
    'connection_uptime_seconds',
    'For how long it has been open; 0 while it is not.',
    ({ uptime }) => orNothing(seconds(uptime)),
  ],
  ['connection_rtt_seconds', 'The last round trip of a ping.', ({ rtt }) => orNothing(seconds(rtt))],
  [
    'connection_rtt_smoothed_seconds',
    'The round trip, smoothed as RFC 6298 does.',
    ({ smoothedRtt }) => orNothing(seconds(smoothedRtt)),
  ],
  [
    'connection_rtt_variation_seconds',
    'By how much the round trip varies.',
    ({ rttVariation }) => orNothing(seconds(rttVariation)),
  ],
  ['connection_queued_messages', 'Messages waiting to be sent.', ({ queued }) => queued],
  [
    'connection_queue_fill_ratio',
    'The share of its bounds that the fullest queue takes.',
    ({ queueFill }) => queueFill,
  ],
  ['connection_backlog_messages', 'Messages waiting for slow, hidden or suspended tabs.', ({ backlog }) => backlog],
  ['attempts_total', 'Attempts to connect.', ({ counters }) => counters.attempts],
  ['failed_attempts_total', 'Attempts that failed.', ({ counters }) => counters.failedAttempts],
  ['opened_total', 'Times the connection opened.', ({ counters }) => counters.opened],
  ['lost_total', 'Times the open connection was lost.', ({ counters }) => counters.lost],
  ['recovered_total', 'Times it opened again after a loss.', ({ counters }) => counters.recovered],
  ['recovery_seconds_total', 'How long that took, in all.', ({ recoveryTime }) => orNothing(seconds(recoveryTime))],
  ['replaced_total', 'Times a socket was replaced as planned.', ({ counters }) => counters.replaced],
  ['messages_received_total', 'Messages received, pongs aside.', ({ counters }) => counters.received],
  ['received_bytes_total', 'Their bytes, of texts UTF-16 units.', ({ counters }) => counters.receivedBytes],
  ['messages_sent_total', 'Messages given to the socket, pings aside.', ({ counters }) => counters.sent],
  ['sent_bytes_total', 'Their bytes, of texts UTF-16 units.', ({ counters }) => counters.sentBytes],
  ['pings_total', 'Pings sent.', ({ counters }) => counters.pings],
  ['missed_pongs_total', 'Pings that were not answered in time.', ({ counters }) => counters.pongTimeouts],
  ['failed_sends_total', 'Sends reported as failed.', ({ counters }) => counters.failed],
  ['orphaned_sends_total', 'Failed sends of tabs that were gone by then.', ({ counters }) => counters.orphaned],
  ['dropped_messages_total', 'Messages that slow tabs lost, added up over tabs.', ({ counters }) => counters.dropped],
  ['duplicates_total', 'Messages of topics that had come before.', ({ counters }) => counters.duplicates],
  ['untaken_total', 'Messages for one tab alone that none has dealt with.', ({ counters }) => counters.untaken],
  ['unwanted_total', 'Messages of topics that nobody wanted.', ({ counters }) => counters.unwanted],
  ['malformed_total', 'Frames that the subprotocol cannot read.', ({ counters }) => counters.malformed],
  ['congested_total', 'Times a socket was given nothing for a while.', ({ counters }) => counters.congested],
  ['unhealthy_total', 'Times the connection became unhealthy.', ({ counters }) => counters.unhealthy],
  ['unstable_total', 'Times the connection was told to be unstable.', ({ counters }) => counters.unstable],
];

const ofBreakers: Metric<BreakerReport>[] = [
  [
    'breaker_open',
    'Whether the breaker refuses calls.',
    ({ state }) => Number(state === 'open' || state === 'forced-open'),
  ],
  ['breaker_trips_total', 'Times the breaker has opened.', ({ trips }) => trips],
  ['breaker_successes_total', 'Calls that have succeeded.', ({ successes }) => successes],
  ['breaker_failures_total', 'Calls that have failed.', ({ failures }) => failures],
  ['breaker_neutral_total', 'Calls that say nothing about the service.', ({ neutral }) => neutral],
  ['breaker_rejected_total', 'Calls that were refused.', ({ rejected }) => rejected],
];
