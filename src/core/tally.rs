//! What a connection counts.

use super::lean::{Blank, Lean};
use crate::protocol::Counters;

/// The totals that are counted by the connection itself.
#[derive(Debug, Default)]
pub struct Tally {
    /// Attempts started.
    pub attempts: u64,
    /// Times the connection opened.
    pub opened: u64,
    /// Pings sent.
    pub pings: u64,
    /// Frames given to the socket, pings aside.
    pub sent: u64,
    /// What most connections never have to count.
    pub rare: Lean<Rare>,
}

/// What most connections never have to count.
#[derive(Debug, Default)]
pub struct Rare {
    /// Times an open connection was lost.
    pub lost: u64,
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
}

impl Tally {
    /// All totals; those that others count are zero.
    pub fn counters(&self) -> Counters {
        Counters {
            attempts: self.attempts,
            opened: self.opened,
            lost: self.rare.lost,
            replaced: self.rare.replaced,
            pings: self.pings,
            sent: self.sent,
            congested: self.rare.congested,
            duplicates: self.rare.duplicates,
            untaken: self.rare.untaken,
            unwanted: self.rare.unwanted,
            malformed: self.rare.malformed,
            pong_timeouts: self.rare.pong_timeouts,
            ..Counters::default()
        }
    }
}

impl Blank for Rare {
    const BLANK: &'static Self = &Self {
        lost: 0,
        replaced: 0,
        congested: 0,
        duplicates: 0,
        untaken: 0,
        unwanted: 0,
        malformed: 0,
        pong_timeouts: 0,
    };
}
