//! What a hub tells of itself when asked.

use serde::Serialize;

use super::ConnId;

/// The hub as a whole, and the connections that the asking tab has attached.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectionReport {
    /// Its number.
    pub conn: ConnId,
    /// What it is doing.
    pub state: &'static str,
    /// What carries its messages.
    pub transport: &'static str,
    /// Handles of all tabs.
    pub handles: u32,
    /// Tabs.
    pub tabs: u32,
    /// Sockets, where its topics are shared out (`pool`); otherwise one.
    pub sockets: u32,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// Attempts started.
    pub attempts: u64,
    /// Times the connection opened.
    pub opened: u64,
    /// Times an open connection was lost.
    pub lost: u64,
    /// Times an open socket was replaced as planned.
    pub replaced: u64,
    /// Frames received, pongs aside.
    pub received: u64,
    /// Pings sent.
    pub pings: u64,
    /// Frames given to the socket, pings aside.
    pub sent: u64,
    /// Times that a socket held more than it passed on, and was given nothing for a while.
    pub congested: u64,
    /// Sends reported as failed.
    pub failed: u64,
    /// Sends of tabs that died before they could be told of a failure.
    pub orphaned: u64,
    /// Messages that slow tabs lost, added up over tabs.
    pub dropped: u64,
    /// Messages of topics that had come before.
    pub duplicates: u64,
    /// Messages for one tab alone that none has dealt with.
    pub untaken: u64,
    /// Messages of topics that nobody wanted.
    pub unwanted: u64,
    /// Frames that the subprotocol cannot read, which went to every tab.
    pub malformed: u64,
    /// Pings that were not answered in time.
    pub pong_timeouts: u64,
}

impl Counters {
    /// Adds what has happened on another socket.
    pub fn add(&mut self, other: &Self) {
        self.attempts += other.attempts;
        self.opened += other.opened;
        self.lost += other.lost;
        self.replaced += other.replaced;
        self.received += other.received;
        self.pings += other.pings;
        self.sent += other.sent;
        self.congested += other.congested;
        self.failed += other.failed;
        self.orphaned += other.orphaned;
        self.dropped += other.dropped;
        self.duplicates += other.duplicates;
        self.untaken += other.untaken;
        self.unwanted += other.unwanted;
        self.malformed += other.malformed;
        self.pong_timeouts += other.pong_timeouts;
    }
}
