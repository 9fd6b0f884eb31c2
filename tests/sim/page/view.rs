//! What a handle shows to its user.

use tabwire::protocol::{State, Status};

use crate::frame::{Frame, HandleNo};
use crate::invariants::{Check, Held};

/// The state that is shown, and whether what the user missed lies at a gap.
#[derive(Debug)]
pub struct View {
    handle: HandleNo,
    state: State,
    cast: Option<u64>,
    has_gap: bool,
}

impl View {
    /// What a new handle shows.
    pub fn new(handle: HandleNo) -> Self {
        Self {
            handle,
            state: State::Connecting,
            cast: None,
            has_gap: false,
        }
    }

    /// Whether the user may take the connection for open.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open | State::Suspect)
    }

    /// The hub tells of a transition.
    pub fn show(&mut self, status: &Status) {
        self.state = status.state;
    }

    /// The hub is gone. Raises a gap, if the connection was shown as open.
    pub fn lose(&mut self) {
        if self.is_open() {
            self.state = State::Reconnecting;
            self.gap();
        }
    }

    /// The user is told that something may be missing here.
    pub fn gap(&mut self) {
        self.has_gap = true;
    }

    /// The user gets messages.
    pub fn hear(&mut self, frames: &[Frame]) -> Held {
        for frame in frames {
            let Frame::Cast(.., Some(number)) = frame else {
                continue;
            };
            let before = self.cast.replace(*number);
            let is_next = before.is_none_or(|before| before + 1 == *number);
            Check::MissingMeansGap.require(is_next || self.has_gap, || {
                format!(
                    "{:?} hears broadcast {number} after {before:?}",
                    self.handle
                )
            })?;
            self.has_gap = false;
        }
        Ok(())
    }
}
