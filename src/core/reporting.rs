//! What the hub tells of itself when asked.

use super::connection::Connection;
use super::hub::Hub;
use super::io::{Payload, PortId};
use crate::protocol::{ConnectionReport, Report};

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
                .map(|connection| self.report_pool(connection))
                .collect(),
        }
    }

    fn report_pool(&self, connection: &Connection<P>) -> ConnectionReport {
        let mut report = connection.report();
        for shard in connection.shards() {
            if let Some(shard) = self.connections.get(&shard) {
                report.sockets += 1;
                report.counters.add(&shard.report().counters);
            }
        }
        report
    }
}
