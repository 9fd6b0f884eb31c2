//! One handle's sends, as the hub must treat them.

use std::collections::{BTreeMap, BTreeSet};

use tabwire::core::{PortId, SocketId};
use tabwire::protocol::{HandleId, Overflow, QueueConfig, Resend, SendFailure};
use tabwire::time::Time;

use crate::frame::SendNo;
use crate::invariants::{Check, Held};

/// What names a handle at the hub.
pub type Key = (PortId, HandleId);

/// The sends of a handle, from attach to close.
#[derive(Debug)]
pub struct Sender {
    /// What names the handle.
    pub key: Key,
    /// Its bounds and policies.
    pub config: QueueConfig,
    /// Whether the tab can still be told, and why not.
    pub presence: Presence,
    /// Every send the hub has got, by id.
    pub entries: BTreeMap<u64, Entry>,
    /// What the tab was told last: ids below were handed, ids below are confirmed.
    pub told: (u64, u64),
    /// Something of it was sent again, and no ping has gone out since: the next pong proves nothing.
    pub is_unproved: bool,
    waiting: (u64, u64),
}

/// Whether a tab can be told of its sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It can.
    Here,
    /// It closed the handle: waiting sends fail, handed ones are no longer its business.
    Detached,
    /// The connection has ended.
    Ended,
    /// It has gone to another hub, with what it had not been told of.
    Moved,
    /// It is gone.
    Orphaned,
}

/// A send at the hub.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which send of which page.
    pub send: SendNo,
    /// Its size.
    pub size: u64,
    /// When it has waited too long.
    pub expires: Time,
    /// How far it has come.
    pub state: State,
    /// The sockets it was handed to.
    pub sockets: Vec<SocketId>,
}

/// How far a send has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is queued; for the first time, or again after it was handed.
    Waiting(Again),
    /// It was given to a socket at this time.
    Handed(Time),
    /// It has arrived, and the tab must be told.
    Arrived(Proof),
    /// The closing handshake was complete, which may count as arrived or as unknown. If the tab is told nothing, it has arrived.
    Either,
    /// It has failed, and the tab must be told.
    Doomed(SendFailure),
    /// The tab has been told that it failed, or it has counted as orphaned.
    Failed(SendFailure),
    /// The tab has been told that it arrived.
    Confirmed(Proof),
    /// Nobody can be told any more, or promised anything.
    Excused,
}

/// Whether a send was queued before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// No.
    First,
    /// Yes, its fate is unknown.
    Resent,
    /// Perhaps: the hub may have taken it as arrived, for this reason.
    Perhaps(Proof),
}

/// Why a send counts as arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A pong came, or the closing handshake was complete.
    Sure,
    /// The documentation says so, and may be wrong: any frame was taken for the pong, or ten seconds have passed.
    Assumed,
}

impl State {
    /// Whether it waits, or has been taken as arrived.
    pub fn is_vague(self) -> bool {
        matches!(self, Self::Waiting(Again::Perhaps(_)))
    }
}

impl Sender {
    /// A handle that has not sent anything.
    pub fn new(key: Key, config: QueueConfig) -> Self {
        Self {
            key,
            config,
            presence: Presence::Here,
            entries: BTreeMap::new(),
            told: (0, 0),
            is_unproved: false,
            waiting: (0, 0),
        }
    }

    /// Whether what is of unknown fate is sent again.
    pub fn resends(&self) -> bool {
        self.config.resend == Resend::Unknown
    }

    /// Whether its tab is to be told what becomes of its sends, now or when it is back.
    pub fn is_followed(&self) -> bool {
        self.presence == Presence::Here
    }

    /// The hub is no more. What its tab was not told of, that counts by itself.
    pub fn die(&mut self) {
        if self.presence != Presence::Here {
            return;
        }
        self.presence = Presence::Ended;
        for entry in self.entries.values_mut() {
            if entry.state == State::Either {
                entry.state = State::Excused;
            }
        }
    }

    /// Messages and bytes that wait.
    pub fn waiting(&self) -> (u64, u64) {
        self.waiting
    }

    /// Adds to what waits.
    pub fn add_waiting(&mut self, size: u64) {
        self.waiting.0 += 1;
        self.waiting.1 += size;
    }

    /// Takes away from what waits.
    pub fn sub_waiting(&mut self, size: u64) {
        self.waiting.0 -= 1;
        self.waiting.1 -= size;
    }

    /// Whether the bounds are exceeded with one more of a size on top, or as it is. One message always fits.
    pub fn is_over(&self, more: Option<u64>, is_open: bool) -> bool {
        let messages = self.waiting.0 + u64::from(more.is_some());
        let bytes = self.waiting.1 + more.unwrap_or(0);
        if messages <= 1 {
            return false;
        }
        if is_open || self.config.overflow == Overflow::Reject {
            let most = self.config.max_in_flight.max(self.config.max_bytes);
            return bytes > u64::from(most.0);
        }
        messages > u64::from(self.config.max_messages.0)
            || bytes > u64::from(self.config.max_bytes.0)
    }

    /// Compares what has become of each send with what arrived. Adds the sends of which nothing is promised to `excused`.
    pub fn check_arrivals(
        &self,
        arrivals: &BTreeSet<(SendNo, SocketId)>,
        excused: &mut BTreeSet<SendNo>,
    ) -> Held {
        for (id, entry) in &self.entries {
            let copies = entry.sockets.iter();
            let arrived = copies
                .filter(|socket| arrivals.contains(&(entry.send, **socket)))
                .count();
            let holds = match entry.state {
                State::Confirmed(Proof::Sure) | State::Arrived(Proof::Sure) | State::Either => {
                    arrived > 0
                }
                State::Failed(SendFailure::Unknown) => true,
                State::Failed(_) => arrived == 0 || self.resends(),
                State::Waiting(_) | State::Doomed(_) => self.presence != Presence::Here,
                State::Confirmed(Proof::Assumed)
                | State::Arrived(Proof::Assumed)
                | State::Handed(_)
                | State::Excused => {
                    excused.insert(entry.send);
                    true
                }
            };
            let is_once = entry.sockets.len() <= 1 || self.resends();
            Check::SendsArriveOrAreCounted.require(holds && is_once, || {
                format!(
                    "send {id} of {:?} arrived {arrived} times: {entry:?}",
                    self.key
                )
            })?;
            if self.presence == Presence::Orphaned {
                excused.insert(entry.send);
            }
        }
        Ok(())
    }
}
