//! What a hub tells of itself when asked.

use super::{ConnId, Env, Foreign, State};

/// The hub as a whole, and the connections that the asking tab has attached.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Tabs that are neither dead nor suspended.
    pub tabs: u32,
    /// Tabs that are frozen or in the back-forward cache.
    pub suspended: u32,
    /// Connections of all tabs.
    pub connections: u32,
    /// The connections that the asking tab has attached.
    pub attached: Vec<ConnectionReport>,
}

/// One connection.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionReport {
    /// Its number.
    pub conn: ConnId,
    /// What it is doing.
    pub state: State,
    /// Handles of all tabs.
    pub handles: u32,
    /// Tabs.
    pub tabs: u32,
    /// What has happened since the connection was made.
    pub counters: Counters,
    /// The last round trip of a ping, in milliseconds.
    pub rtt: Option<f64>,
    /// Messages waiting to be sent.
    pub queued: u32,
    /// Messages waiting for slow, hidden or suspended tabs.
    pub backlog: u32,
}

/// Totals of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Attempts started.
    pub attempts: u64,
    /// Times the connection opened.
    pub opened: u64,
    /// Times an open connection was lost.
    pub lost: u64,
    /// Frames received, pongs aside.
    pub received: u64,
    /// Frames given to the socket, pings aside.
    pub sent: u64,
    /// Sends reported as failed.
    pub failed: u64,
    /// Sends of tabs that died before they could be told of a failure.
    pub orphaned: u64,
    /// Messages that slow tabs lost, added up over tabs.
    pub dropped: u64,
    /// Pings that were not answered in time.
    pub pong_timeouts: u64,
}

impl Report {
    /// Writes the report as an object.
    pub fn encode<F: Foreign>(&self, env: &impl Env) -> F {
        let attached = self.attached.iter().map(ConnectionReport::encode).collect();
        F::object(vec![
            ("epoch", F::from_text(env.epoch())),
            ("build", F::from_text(env.build())),
            ("tabs", F::from_number(f64::from(self.tabs))),
            ("suspended", F::from_number(f64::from(self.suspended))),
            ("connections", F::from_number(f64::from(self.connections))),
            ("attached", F::array(attached)),
        ])
    }
}

impl ConnectionReport {
    fn encode<F: Foreign>(&self) -> F {
        let total = |count: u64| F::from_number(count as f64);
        let number = |count: u32| F::from_number(f64::from(count));
        let Counters {
            attempts,
            opened,
            lost,
            received,
            sent,
            failed,
            orphaned,
            dropped,
            pong_timeouts,
        } = self.counters;
        F::object(vec![
            ("conn", number(self.conn.0)),
            ("state", F::from_text(self.state.code())),
            ("handles", number(self.handles)),
            ("tabs", number(self.tabs)),
            ("rtt", self.rtt.map_or(F::null(), F::from_number)),
            ("queued", number(self.queued)),
            ("backlog", number(self.backlog)),
            ("attempts", total(attempts)),
            ("opened", total(opened)),
            ("lost", total(lost)),
            ("received", total(received)),
            ("sent", total(sent)),
            ("failed", total(failed)),
            ("orphaned", total(orphaned)),
            ("dropped", total(dropped)),
            ("pongTimeouts", total(pong_timeouts)),
        ])
    }
}
