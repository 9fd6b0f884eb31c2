//! What the hub tells of itself.

use core::time::Duration;

use super::connection::Connection;
use super::gates::Gate;
use super::hub::Hub;
use super::io::{Output, Payload, PortId};
use super::route::without_secrets;
use crate::protocol::{BreakerReport, ConnectionReport, Counters, HubMessage, Report};

impl<P: Payload> Hub<P> {
    /// What there is to tell a tab.
    pub fn report(&self, port: PortId) -> Report {
        let (tabs, suspended) = self.tabs.count();
        Report {
            tabs,
            suspended,
            connections: self.connections.len() as u32,
            attached: self
                .connections
                .values()
                .filter(|connection| connection.has_port(port))
                .map(|connection| self.report_connection(connection))
                .collect(),
            breakers: self
                .gates
                .of(port)
                .map(|gate| self.report_breaker(gate))
                .collect(),
        }
    }

    /// Tells the tabs how many they are and how many connections they have, if that has changed.
    pub(super) fn announce_census(&mut self) {
        let census = (self.tabs.count().0, self.by_identity.len() as u32);
        if census == self.census {
            return;
        }
        self.census = census;
        let (tabs, connections) = census;
        for port in self.tabs.awake() {
            self.out
                .push(Output::Post(port, HubMessage::Census { tabs, connections }));
        }
    }

    fn report_connection(&self, connection: &Connection<P>) -> ConnectionReport {
        let health = self.health_of(connection);
        let (status, rare) = (&connection.status, &connection.counters.rare);
        let trips = connection.heartbeat.trips();
        let uptime = if connection.is_up() {
            self.now.since(connection.up_since())
        } else {
            Duration::ZERO
        };
        let mut report = ConnectionReport {
            conn: connection.id,
            url: without_secrets(&connection.identity.url),
            state: status.state.code(),
            reason: status.reason.code(),
            transport: status.transport.code(),
            handles: connection.handles.len() as u32,
            tabs: connection.ports().len() as u32,
            sockets: 1,
            score: health.score,
            reasons: health
                .ailments
                .iter()
                .map(|ailment| ailment.code())
                .collect(),
            health: if health.is_stale {
                "stale"
            } else if health.score < connection.config.health.thresholds.score {
                "unhealthy"
            } else {
                "healthy"
            },
            counters: totals(connection),
            recent: health.recent,
            rtt: trips.last().map(millis),
            smoothed_rtt: trips.smoothed().map(millis),
            rtt_variation: trips.variation().map(millis),
            pong_ago: trips.at().map(|at| millis(self.now.since(at))),
            age: millis(self.now.since(connection.made_at)),
            uptime: millis(uptime),
            total_uptime: millis(rare.uptime + uptime),
            recovery_time: millis(rare.recovery_time),
            longest_recovery: millis(rare.longest_recovery),
            down_for: rare.down_since.map(|since| millis(self.now.since(since))),
            queued: connection.outbox.len() as u32,
            queue_fill: connection.outbox.fill(),
            backlog: connection.fanout.backlog() as u32,
        };
        for shard in connection.shards() {
            if let Some(shard) = self.connections.get(&shard) {
                report.sockets += 1;
                report.counters.add(&totals(shard));
            }
        }
        report
    }

    fn report_breaker(&self, gate: &Gate) -> BreakerReport {
        let view = gate.breaker.view(self.now);
        BreakerReport {
            name: gate.name.as_ref().into(),
            state: view.state.code(),
            reason: view.reason.code(),
            remaining: view.remaining.map(millis),
            successes: view.counters.successes,
            failures: view.counters.failures,
            neutral: view.counters.neutral,
            rejected: view.counters.rejected,
            trips: view.counters.trips,
        }
    }
}

fn totals<P: Payload>(connection: &Connection<P>) -> Counters {
    let (failed, orphaned) = connection.outbox.failures();
    Counters {
        received: connection.fanout.received(),
        received_bytes: connection.fanout.received_bytes(),
        failed,
        orphaned,
        dropped: connection.fanout.dropped(),
        ..connection.counters.counters()
    }
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}
