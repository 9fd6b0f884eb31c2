//! Where a page stands in its search for a hub.

use std::collections::BTreeSet;

use core::time::Duration;

use tabwire::core::PortId;
use tabwire::time::Time;

use super::event::{SeatNo, Task};
use super::lock::Request;
use crate::hubs::HubNo;

/// What a page does to find a hub: the part of `www/client/life.ts` and `seek.ts` that is about this.
#[derive(Debug)]
pub struct Seeker {
    /// Its search, or the last one.
    pub seat: Seat,
    /// Why it does nothing.
    pub sleep: Option<Sleep>,
    /// What has come while it did nothing.
    pub tasks: Vec<(SeatNo, Task)>,
    /// When it last lost a hub.
    pub lost_at: Option<Time>,
    /// Whether it has ever had a hub, or lost one before that was up.
    pub has_past: bool,
    /// Whether its search has found nothing.
    pub has_failed: bool,
    /// How long it waits after that.
    pub pause: Duration,
}

/// Why a page does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// It was frozen, and told so.
    Frozen,
    /// It is in the back-forward cache.
    Cached,
    /// Its process was stopped.
    Stopped,
}

/// One search, by the letter of `www/client/lead.ts`, and what it has found.
#[derive(Debug)]
pub struct Seat {
    /// Its number.
    pub no: SeatNo,
    /// The page has left what it has found, or has not begun.
    pub is_over: bool,
    /// Whether it has a channel to all.
    pub listens: bool,
    /// The one that it follows, or is about to; or itself.
    pub term: Option<SeatNo>,
    /// Those that have said that they leave.
    pub left: BTreeSet<SeatNo>,
    /// What it waits for, while it waits.
    pub waits: Option<Request>,
    /// What it leads with: the hub in its worker, and the lock.
    pub leads: Option<(HubNo, Request)>,
    /// Its port, once it has one.
    pub port: Option<PortId>,
    /// Whether something has come through that.
    pub is_found: bool,
    /// Whether it is in the cache, without its channels.
    pub is_away: bool,
    /// How often it was.
    pub away: u32,
    /// What it has asked the lock manager.
    pub requests: u32,
    /// Deadlines so far; the last one counts.
    pub timers: u32,
    /// The same, of the script and the hub.
    pub lates: u32,
}

/// The pause after a search that has found nothing, or after a hub that has died so soon after another.
pub const PAUSE: Duration = Duration::from_secs(1);

impl Seeker {
    /// Of a page that is about to begin.
    pub fn new(no: SeatNo) -> Self {
        Self {
            seat: Seat::new(no),
            sleep: None,
            tasks: Vec::new(),
            lost_at: None,
            has_past: false,
            has_failed: false,
            pause: PAUSE,
        }
    }
}

impl Seat {
    /// A search that has not begun.
    pub fn new(no: SeatNo) -> Self {
        Self {
            no,
            is_over: true,
            listens: false,
            term: None,
            left: BTreeSet::new(),
            waits: None,
            leads: None,
            port: None,
            is_found: false,
            is_away: false,
            away: 0,
            requests: 0,
            timers: 0,
            lates: 0,
        }
    }

    /// Whether it has led, and stepped down.
    pub fn has_stepped_down(&self) -> bool {
        self.term == Some(self.no) && self.leads.is_none()
    }
}
