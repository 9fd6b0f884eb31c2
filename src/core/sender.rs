//! What is known of the sends of one handle.

use core::ops::{Deref, DerefMut};
use core::time::Duration;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use super::flow::Load;
use super::lean::{Blank, Lean};
use crate::protocol::{Overflow, QueueConfig, Resend};
use crate::time::Time;

/// Without a heartbeat, what was handed this long ago counts as arrived.
pub const CONFIRM_AFTER: Duration = Duration::from_secs(10);
/// Sends of the same second share a confirmation.
pub const CONFIRM_GRAIN: Duration = Duration::from_secs(1);

/// A handle that may send, and its sends.
#[derive(Debug)]
pub struct Sender {
    /// The bounds.
    pub config: Rc<QueueConfig>,
    /// Whether the handle is still there.
    pub present: bool,
    /// Whether there is something to tell of its sends.
    pub dirty: bool,
    /// Blank until the first.
    pub sends: Lean<Sends>,
}

/// The sends of a handle.
#[derive(Debug, Default)]
pub struct Sends {
    /// What waits.
    pub waiting: Load,
    /// Ids below were given to the socket or failed.
    pub handed: u64,
    /// Of ids below the fate is known.
    pub confirmed: u64,
    /// Those that were handed and not confirmed.
    pub unconfirmed: Lean<VecDeque<Range<u64>>>,
    /// Ids below are confirmed by the next pong.
    pub ping_mark: u64,
    /// Ids below were handed to a socket whose closing handshake is under way.
    pub retiring: Option<u64>,
    /// Up to which id was handed when.
    pub history: Lean<VecDeque<(Time, u64)>>,
}

impl Blank for Sends {
    const BLANK: &'static Self = &Self {
        waiting: Load {
            messages: 0,
            bytes: 0,
        },
        handed: 0,
        confirmed: 0,
        unconfirmed: Lean::NONE,
        ping_mark: 0,
        retiring: None,
        history: Lean::NONE,
    };
}

impl Deref for Sender {
    type Target = Sends;

    fn deref(&self) -> &Sends {
        &self.sends
    }
}

impl DerefMut for Sender {
    fn deref_mut(&mut self) -> &mut Sends {
        &mut self.sends
    }
}

impl Sender {
    /// Whether the bounds are exceeded with `more` on top. The first waiting message always fits.
    ///
    /// With `reject` the tab has counted already; the hub only holds what a tab may have under way.
    pub fn is_over(&self, more: Load, is_open: bool) -> bool {
        let messages = self.waiting.messages + more.messages;
        let bytes = self.waiting.bytes + more.bytes;
        if messages <= 1 {
            return false;
        }
        if is_open || self.config.overflow == Overflow::Reject {
            let most = self
                .config
                .max_in_flight
                .get()
                .max(self.config.max_bytes.get());
            return bytes > most;
        }
        messages > self.config.max_messages.get() || bytes > self.config.max_bytes.get()
    }

    /// The share of the bounds that is taken, from 0 to 1.
    pub fn fill(&self) -> f64 {
        let of = |waiting: usize, most: usize| waiting as f64 / most.max(1) as f64;
        let messages = of(self.waiting.messages, self.config.max_messages.get());
        let bytes = of(self.waiting.bytes, self.config.max_bytes.get());
        messages.max(bytes).min(1.0)
    }

    /// Notes that a send was given to the socket.
    pub fn handle_handed(&mut self, id: u64, now: Time) {
        self.dirty = true;
        self.handed = self.handed.max(id + 1);
        match self.unconfirmed.back_mut() {
            Some(range) if range.end == id => range.end = id + 1,
            Some(_) | None => self.unconfirmed.push_back(id..id + 1),
        }
        match self.history.back_mut() {
            Some((at, last)) if now.since(*at) < CONFIRM_GRAIN => *last = id + 1,
            Some(_) | None => self.history.push_back((now, id + 1)),
        }
    }

    /// Of sends below the fate is known.
    pub fn confirm(&mut self, below: u64) {
        if below <= self.confirmed {
            return;
        }
        self.confirmed = below;
        self.dirty = true;
        while let Some(range) = self.unconfirmed.front_mut() {
            if range.end <= below {
                self.unconfirmed.pop_front();
            } else {
                range.start = range.start.max(below);
                break;
            }
        }
        self.unconfirmed.keep(|range| !range.is_empty());
        self.history.keep(|(_, id)| *id > below);
    }

    /// A send that was given to a socket waits to be given to another.
    pub fn take_back(&mut self, id: u64) {
        for range in self.unconfirmed.iter_mut() {
            if range.end == id + 1 {
                range.end = id;
            }
        }
        self.unconfirmed.keep(|range| !range.is_empty());
    }

    /// Takes the mark of the socket that is being closed, if there is one.
    pub fn take_mark(&mut self) -> Option<u64> {
        self.sends.made()?.retiring.take()
    }

    /// Makes ranges end and begin where those end that were handed to the socket that is being closed.
    pub fn split_at_mark(&mut self) {
        let mark = self.retiring.unwrap_or_default();
        let within = |range: &Range<u64>| range.start < mark && mark < range.end;
        if let Some(index) = self.unconfirmed.iter().position(within)
            && let Some(range) = self.unconfirmed.get_mut(index)
        {
            let rest = mark..core::mem::replace(&mut range.end, mark);
            self.unconfirmed.insert(index + 1, rest);
        }
    }

    /// Takes those, once they have been split.
    pub fn take_retired(&mut self) -> VecDeque<Range<u64>> {
        let Some(mark) = self.take_mark() else {
            return VecDeque::new();
        };
        self.history.keep(|(_, id)| *id > mark);
        if self.config.resend == Resend::Never && self.confirmed < mark {
            self.confirmed = mark;
            self.dirty = true;
        }
        let mut unconfirmed = self.unconfirmed.take();
        let below = unconfirmed.partition_point(|range| range.end <= mark);
        let kept = unconfirmed.split_off(below);
        if !kept.is_empty() {
            self.unconfirmed = Lean::of(Some(kept));
        }
        unconfirmed
    }

    /// Takes all whose fate is not known.
    pub fn take_unconfirmed(&mut self) -> VecDeque<Range<u64>> {
        if self.sends.made().is_none() {
            return VecDeque::new();
        }
        self.retiring = None;
        self.history = Lean::default();
        if self.config.resend == Resend::Never && self.confirmed < self.handed {
            self.confirmed = self.handed;
            self.dirty = true;
        }
        self.unconfirmed.take()
    }
}
