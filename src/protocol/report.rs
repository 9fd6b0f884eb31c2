//! What a hub tells of itself when asked. Spans are milliseconds. Nothing here is a secret: no token, no query of a url.

use super::{ConnId, Foreign};

/// Something that is told.
pub(super) trait Told {
    /// It as a value.
    fn tell<F: Foreign>(&self) -> F;
}

/// Declares a struct and how it is told: as an object of these fields.
macro_rules! told {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty, $key:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $($(#[$doc])* pub $field: $type,)* }

        impl Told for $name {
            fn tell<F: Foreign>(&self) -> F {
                F::object(vec![$(($key, self.$field.tell()),)*])
            }
        }
    };
}

told! {
    #[derive(Default)]
    /// The hub as a whole, and what the asking tab has of it.
    Report {
        /// Tabs that are neither dead nor suspended.
        tabs: u32, "tabs";
        /// Tabs that are frozen or in the back-forward cache.
        suspended: u32, "suspended";
        /// Connections of all tabs.
        connections: u32, "connections";
        /// The connections that the asking tab has attached.
        attached: Vec<ConnectionReport>, "attached";
        /// The breakers that the asking tab uses.
        breakers: Vec<BreakerReport>, "breakers";
    }
}

told! {
    /// One connection.
    ConnectionReport {
        /// Its number.
        conn: ConnId, "conn";
        /// Its url, without user, query and fragment.
        url: String, "url";
        /// What it is doing.
        state: &'static str, "state";
        /// Why.
        reason: &'static str, "reason";
        /// What carries its messages.
        transport: &'static str, "transport";
        /// Handles of all tabs.
        handles: u32, "handles";
        /// Tabs.
        tabs: u32, "tabs";
        /// Sockets, where its topics are shared out (`pool`); otherwise one.
        sockets: u32, "sockets";
        /// How well it does, from 0 to 100; of several sockets the lowest.
        score: u8, "score";
        /// What lowers the score, the gravest first.
        reasons: Vec<&'static str>, "reasons";
        /// `healthy`, `unhealthy` or `stale`.
        health: &'static str, "health";
        /// What has happened since the connection was made.
        counters: Counters, "counters";
        /// What has happened in the last five minutes.
        recent: Recent, "recent";
        /// The last round trip of a ping.
        rtt: Option<f64>, "rtt";
        /// The round trip, smoothed.
        smoothed_rtt: Option<f64>, "smoothedRtt";
        /// By how much it varies.
        rtt_variation: Option<f64>, "rttVariation";
        /// How long ago the last pong came.
        pong_ago: Option<f64>, "pongAgo";
        /// How long ago the connection was made.
        age: f64, "age";
        /// For how long it has been open; 0 while it is not.
        uptime: f64, "uptime";
        /// For how long it was open in all.
        total_uptime: f64, "totalUptime";
        /// How long it took to open again after a loss, in all.
        recovery_time: f64, "recoveryTime";
        /// The longest of those times.
        longest_recovery: f64, "longestRecovery";
        /// For how long it has been lost, or nothing.
        down_for: Option<f64>, "downFor";
        /// Messages waiting to be sent.
        queued: u32, "queued";
        /// The share of `queue.maxMessages` or `queue.maxBytes` that waits, of the handle that has most: from 0 to 1.
        queue_fill: f64, "queueFill";
        /// Messages waiting for slow, hidden or suspended tabs.
        backlog: u32, "backlog";
    }
}

told! {
    #[derive(Copy, Default, Eq)]
    /// What has happened to a connection in the last five minutes.
    Recent {
        /// Times it was lost.
        losses: u32, "losses";
        /// Pings that were not answered in time.
        missed_pongs: u32, "missedPongs";
        /// Attempts, sends and frames that failed.
        errors: u32, "errors";
        /// Attempts that opened it again.
        recoveries: u32, "recoveries";
        /// Attempts that failed.
        failed_attempts: u32, "failedAttempts";
    }
}

told! {
    /// One breaker.
    BreakerReport {
        /// Its name.
        name: String, "name";
        /// Its state.
        state: &'static str, "state";
        /// Why.
        reason: &'static str, "reason";
        /// For how long it stays open yet.
        remaining: Option<f64>, "remaining";
        /// Calls that have succeeded.
        successes: u64, "successes";
        /// Calls that have failed.
        failures: u64, "failures";
        /// Calls that say nothing about the service.
        neutral: u64, "neutral";
        /// Calls that were refused.
        rejected: u64, "rejected";
        /// Times that it has opened.
        trips: u64, "trips";
    }
}

/// Declares the totals of a connection, and how those of several sockets are added up.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident, $key:literal;)*) => {
        /// Totals of a connection.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters { $($(#[$doc])* pub $name: u64,)* }

        impl Counters {
            const KEYS: &'static [&'static str] = &[$($key,)*];

            /// Adds what has happened on another socket.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }

            fn all(&self) -> Vec<u64> {
                vec![$(self.$name,)*]
            }
        }
    };
}

counters! {
    /// Attempts started.
    attempts, "attempts";
    /// Attempts that failed.
    failed_attempts, "failedAttempts";
    /// Times the connection opened.
    opened, "opened";
    /// Times an open connection was lost.
    lost, "lost";
    /// Times it opened again after a loss.
    recovered, "recovered";
    /// Times an open socket was replaced as planned.
    replaced, "replaced";
    /// Frames received, pongs aside.
    received, "received";
    /// Their bytes, of texts UTF-16 units.
    received_bytes, "receivedBytes";
    /// Pings sent.
    pings, "pings";
    /// Frames given to the socket, pings aside.
    sent, "sent";
    /// Their bytes, of texts UTF-16 units.
    sent_bytes, "sentBytes";
    /// Times that a socket held more than it passed on, and was given nothing for a while.
    congested, "congested";
    /// Sends reported as failed.
    failed, "failed";
    /// Sends of tabs that died before they could be told of a failure.
    orphaned, "orphaned";
    /// Messages that slow tabs lost, added up over tabs.
    dropped, "dropped";
    /// Messages of topics that had come before.
    duplicates, "duplicates";
    /// Messages for one tab alone that none has dealt with.
    untaken, "untaken";
    /// Messages of topics that nobody wanted.
    unwanted, "unwanted";
    /// Frames that the subprotocol cannot read, which went to every tab.
    malformed, "malformed";
    /// Pings that were not answered in time.
    pong_timeouts, "pongTimeouts";
    /// Times that it has become unhealthy.
    unhealthy, "unhealthy";
    /// Times that it was told to be unstable.
    unstable, "unstable";
}

impl Told for Counters {
    fn tell<F: Foreign>(&self) -> F {
        let values = self.all();
        let fields = Self::KEYS.iter().zip(&values);
        F::object(fields.map(|(key, value)| (*key, value.tell())).collect())
    }
}

impl Told for f64 {
    fn tell<F: Foreign>(&self) -> F {
        F::from_number(*self)
    }
}

impl Told for u8 {
    fn tell<F: Foreign>(&self) -> F {
        F::from_number(f64::from(*self))
    }
}

impl Told for u32 {
    fn tell<F: Foreign>(&self) -> F {
        F::from_number(f64::from(*self))
    }
}

impl Told for u64 {
    fn tell<F: Foreign>(&self) -> F {
        F::from_number(*self as f64)
    }
}

impl Told for ConnId {
    fn tell<F: Foreign>(&self) -> F {
        self.0.tell()
    }
}

impl Told for &str {
    fn tell<F: Foreign>(&self) -> F {
        F::from_text(self)
    }
}

impl Told for String {
    fn tell<F: Foreign>(&self) -> F {
        F::from_text(self)
    }
}

impl<T: Told> Told for Option<T> {
    fn tell<F: Foreign>(&self) -> F {
        self.as_ref().map_or_else(F::null, Told::tell)
    }
}

impl<T: Told> Told for Vec<T> {
    fn tell<F: Foreign>(&self) -> F {
        F::array(self.iter().map(Told::tell).collect())
    }
}
