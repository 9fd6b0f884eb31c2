//! A tab that makes calls: what it uses, what it remembers, and what is under way.

use core::time::Duration;

use tabwire::core::PortId;
use tabwire::protocol::{BreakerState, BreakerView, Snapshot};

/// A tab.
#[derive(Clone, Debug)]
pub struct Tab {
    pub id: u32,
    pub port: PortId,
    pub is_suspended: bool,
    /// Whether the hub that runs has heard of it.
    pub is_known: bool,
    pub uses: Vec<bool>,
    pub memories: Vec<Option<Memory>>,
    pub calls: Vec<Call>,
    /// Those that have ended, for tabs that say things twice.
    pub ended: Vec<Call>,
}

/// A call under way.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub of: usize,
    pub generation: u32,
    pub permit: u32,
}

/// What a tab was told last, by the clock of the wall, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub state: BreakerState,
    pub generation: u32,
    pub changed_at: i64,
    pub until: i64,
    pub open_for: Duration,
    openings: u32,
}

impl Tab {
    /// The generation that its next call begins in, if it needs not ask for one.
    pub fn free_pass(&self, of: usize) -> Option<u32> {
        match self.memories[of] {
            None => Some(0),
            Some(memory) => matches!(
                memory.state,
                BreakerState::Closed | BreakerState::ForcedClosed
            )
            .then_some(memory.generation),
        }
    }
}

impl Memory {
    /// Nothing is worth remembering before the first transition.
    pub fn of(view: &BreakerView, wall: i64) -> Option<Self> {
        Some(Self {
            state: view.state,
            generation: view.generation,
            changed_at: wall - view.age?.as_micros() as i64,
            until: wall + view.remaining.unwrap_or_default().as_micros() as i64,
            open_for: view.open_for,
            openings: view.openings,
        })
    }

    /// What it tells a hub. Times of less than nothing are none.
    pub fn snapshot(&self, wall: i64) -> Snapshot {
        let span = |micros: i64| Duration::from_micros(micros.max(0) as u64);
        Snapshot {
            state: self.state,
            generation: self.generation,
            age: span(wall - self.changed_at),
            remaining: span(self.until - wall),
            open_for: self.open_for,
            openings: self.openings,
        }
    }
}
