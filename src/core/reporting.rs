//! What the hub tells of itself.

use super::connection::Connection;
use super::hub::Hub;
use super::io::{Output, Payload, PortId};
use crate::protocol::{ConnectionReport, HubMessage, Report};

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
