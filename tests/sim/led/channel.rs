//! The channel to which pages and the workers of those who lead listen, and who is cut off from the others.

use std::collections::BTreeMap;

use core::time::Duration;

use tabwire::core::PortId;
use tabwire::time::Time;

use super::event::SeatNo;
use crate::hubs::HubNo;
use crate::page::TabNo;

/// What is said on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Who leads?
    Who,
    /// A page has the lock, and starts its worker.
    Claim(SeatNo),
    /// A worker takes pages.
    Lead(SeatNo),
    /// A page leads no more.
    Left(SeatNo),
    /// A page comes to a worker, and listens to this channel of its own.
    Join(SeatNo, PortId),
}

/// Who speaks and listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// A page.
    Page(TabNo),
    /// The worker of a page.
    Worker(HubNo),
}

/// It keeps the order between any two, and loses nothing.
#[derive(Debug)]
pub struct Channel {
    rng: fastrand::Rng,
    last: BTreeMap<(Party, Party), Time>,
    /// The pages that nobody else hears, nor they anybody else, until then. They have their worker with them.
    cut: BTreeMap<TabNo, Time>,
}

impl Channel {
    /// Nobody has said anything.
    pub fn new(rng: fastrand::Rng) -> Self {
        Self {
            rng,
            last: BTreeMap::new(),
            cut: BTreeMap::new(),
        }
    }

    /// When what is said now comes to somebody. Both are given with their pages.
    pub fn arrival(&mut self, from: (Party, TabNo), to: (Party, TabNo), now: Time) -> Time {
        let most = if self.rng.u8(0..20) == 0 { 4000 } else { 300 };
        let at = now + Duration::from_micros(self.rng.u64(30..=most));
        let at = at.max(self.cut_until(from.1, to.1, now).unwrap_or(at));
        let last = self.last.entry((from.0, to.0)).or_default();
        *last = at.max(*last);
        *last
    }

    /// Cuts a page off.
    pub fn cut(&mut self, tab: TabNo, until: Time) {
        let known = self.cut.entry(tab).or_default();
        *known = until.max(*known);
    }

    /// Until when nothing comes from one page to another, if that is so.
    pub fn cut_until(&self, one: TabNo, other: TabNo, now: Time) -> Option<Time> {
        if one == other {
            return None;
        }
        let until = [one, other].map(|tab| self.cut.get(&tab).copied().unwrap_or_default());
        until.into_iter().max().filter(|until| *until > now)
    }

    /// Whether a page is cut off.
    pub fn is_cut(&self, tab: TabNo, now: Time) -> bool {
        self.cut.get(&tab).is_some_and(|until| *until > now)
    }

    /// When nobody is cut off any more.
    pub fn whole_at(&self) -> Time {
        self.cut.values().copied().max().unwrap_or_default()
    }
}
