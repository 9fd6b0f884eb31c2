//! What a handle shows to its user.

use tabwire::protocol::{GapReason, Reason, State, Status};
use tabwire::time::Time;

use crate::frame::{Frame, HandleNo};
use crate::hubs::HubNo;
use crate::invariants::{Check, Held};

/// The state that is shown, and whether what the user missed lies at a gap.
#[derive(Debug)]
pub struct View {
    handle: HandleNo,
    state: State,
    cast: Option<u64>,
    has_gap: bool,
    /// Whether the connection waits for what no tab gives.
    pub waits: bool,
    /// Everything that was shown, where somebody wants to know.
    pub log: Option<Log>,
}

/// Everything that a handle has shown.
#[derive(Debug, Default)]
pub struct Log {
    /// States, one after the other.
    pub shown: Vec<Shown>,
    /// Reasons of gaps.
    pub gaps: Vec<&'static str>,
    /// Broadcasts that were missed at gaps.
    pub missed: u64,
}

/// A state that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Since when.
    pub since: Time,
    /// The state.
    pub state: State,
    /// Why.
    pub reason: &'static str,
    /// The hub that told it, unless the page knew by itself.
    pub hub: Option<HubNo>,
}

impl View {
    /// What a new handle shows.
    pub fn new(handle: HandleNo) -> Self {
        Self {
            handle,
            state: State::Connecting,
            cast: None,
            has_gap: false,
            waits: false,
            log: None,
        }
    }

    /// Whether the user may take the connection for open.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open | State::Suspect)
    }

    /// The last broadcast that the user heard.
    pub fn last_cast(&self) -> Option<u64> {
        self.cast
    }

    /// From now on everything is kept, and no broadcast after this one may be missed without a gap.
    pub fn keep(&mut self, cast: u64) {
        self.cast = Some(cast);
        self.log = Some(Log::default());
    }

    /// The hub tells of a transition.
    pub fn show(&mut self, status: &Status, hub: Option<HubNo>, now: Time) {
        self.state = status.state;
        self.waits = status.reason == Reason::TokenWait;
        self.note(status.reason.code(), hub, now);
    }

    /// The hub is gone. Tells whether that is a gap: if the connection was shown as open, and not all of it comes again.
    pub fn lose(&mut self, now: Time, is_covered: bool) -> bool {
        let was_open = self.is_open();
        if was_open {
            self.state = State::Reconnecting;
            self.note("hub-lost", None, now);
        }
        was_open && !is_covered
    }

    /// The user is told that something is or may be missing here.
    pub fn gap(&mut self, reason: &'static str) {
        self.has_gap = true;
        if let Some(log) = &mut self.log {
            log.gaps.push(reason);
        }
    }

    /// The user gets messages.
    pub fn hear(&mut self, frames: &[Frame]) -> Held {
        for frame in frames {
            let Frame::Cast(.., Some(number)) = frame else {
                continue;
            };
            let before = self.cast.replace(*number);
            let missed = before.map_or(0, |before| number.wrapping_sub(before + 1));
            Check::MissingMeansGap.require(missed == 0 || self.has_gap, || {
                format!(
                    "{:?} hears broadcast {number} after {before:?}",
                    self.handle
                )
            })?;
            self.has_gap = false;
            if let Some(log) = &mut self.log {
                log.missed += missed;
            }
        }
        Ok(())
    }

    fn note(&mut self, reason: &'static str, hub: Option<HubNo>, now: Time) {
        let shown = Shown {
            since: now,
            state: self.state,
            reason,
            hub,
        };
        if let Some(log) = &mut self.log {
            let last = log.shown.last();
            if last.is_none_or(|last| {
                (last.state, last.reason, last.hub) != (shown.state, reason, hub)
            }) {
                log.shown.push(shown);
            }
        }
    }
}

/// The word for the reason of a gap.
pub fn gap_code(reason: &GapReason) -> &'static str {
    match reason {
        GapReason::Lost(reason) => reason.code(),
        GapReason::Dropped(loss) => loss.code(),
    }
}
