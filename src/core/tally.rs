//! What a connection counts.

use core::time::Duration;

use super::lately::Lately;
use super::lean::{Blank, Lean};
use crate::protocol::Counters;
use crate::time::Time;

/// The totals that are counted by the connection itself.
#[derive(Debug, Default)]
pub struct Tally {
    /// Attempts started.
    pub attempts: u32,
    /// Times the connection opened.
    pub opened: u32,
    /// Pings sent.
    pub pings: u32,
    /// Frames given to the socket, pings aside.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// What most connections never have to count.
    pub rare: Lean<Rare>,
}

/// What most connections never have to count.
#[derive(Debug, Default)]
pub struct Rare {
    /// Times an open connection was lost.
    pub lost: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// Times it opened again after a loss.
    pub recovered: u64,
    /// Times an open socket was replaced as planned.
    pub replaced: u64,
    /// Times that a socket held more than it passed on.
    pub congested: u64,
    /// Messages of topics that had come before.
    pub duplicates: u64,
    /// Messages for one tab alone that none has dealt with.
    pub untaken: u64,
    /// Messages of topics that nobody wanted.
    pub unwanted: u64,
    /// Frames that the subprotocol cannot read.
    pub malformed: u64,
    /// Pings that were not answered in time.
    pub pong_timeouts: u64,
    /// Times that it has become unhealthy, and whether it is so.
    pub unhealthy: (u32, bool),
    /// Times that it was told to be unstable, and for which of its reasons it is so.
    pub unstable: (u32, [bool; 2]),
    /// Sends that had failed when its health was looked at last.
    pub failed_sends: u64,
    /// What has gone wrong lately.
    pub lately: Lately,
    /// When the computer has woken last.
    pub woke_at: Time,
    /// Since when it is open, where that is longer than there has been this socket.
    pub up_since: Option<Time>,
    /// For how long it was open before it was lost last.
    pub uptime: Duration,
    /// Since when it is lost.
    pub down_since: Option<Time>,
    /// How long it took to open again, in all.
    pub recovery_time: Duration,
    /// The longest of those times.
    pub longest_recovery: Duration,
}

impl Tally {
    /// All totals; those that others count are zero.
    pub fn counters(&self) -> Counters {
        let rare = &*self.rare;
        Counters {
            attempts: u64::from(self.attempts),
            failed_attempts: rare.failed_attempts,
            opened: u64::from(self.opened),
            lost: rare.lost,
            recovered: rare.recovered,
            replaced: rare.replaced,
            pings: u64::from(self.pings),
            sent: self.sent,
            sent_bytes: self.sent_bytes,
            congested: rare.congested,
            duplicates: rare.duplicates,
            untaken: rare.untaken,
            unwanted: rare.unwanted,
            malformed: rare.malformed,
            pong_timeouts: rare.pong_timeouts,
            unhealthy: u64::from(rare.unhealthy.0),
            unstable: u64::from(rare.unstable.0),
            ..Counters::default()
        }
    }
}

impl Blank for Rare {
    const BLANK: &'static Self = &Self {
        lost: 0,
        failed_attempts: 0,
        recovered: 0,
        replaced: 0,
        congested: 0,
        duplicates: 0,
        untaken: 0,
        unwanted: 0,
        malformed: 0,
        pong_timeouts: 0,
        unhealthy: (0, false),
        unstable: (0, [false; 2]),
        failed_sends: 0,
        lately: Lately::NONE,
        woke_at: Time::ZERO,
        up_since: None,
        uptime: Duration::ZERO,
        down_since: None,
        recovery_time: Duration::ZERO,
        longest_recovery: Duration::ZERO,
    };
}
