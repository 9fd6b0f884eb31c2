//! Whether the hub must have noticed that it was frozen or that the computer slept, and how late its timers may be.

use core::time::Duration;

use tabwire::core::{ASLEEP_AFTER, WATCH_EVERY};
use tabwire::time::Time;

use super::LATE;

/// What the hub can tell from its clocks.
#[derive(Debug)]
pub struct Clocks {
    /// When it looks at them again.
    due: Time,
    offset: Option<Duration>,
    /// When it went on after it had stood still, and for how long.
    back: (Time, Duration),
}

impl Default for Clocks {
    fn default() -> Self {
        Self {
            due: Time::NEVER,
            offset: None,
            back: (Time::ZERO, Duration::ZERO),
        }
    }
}

impl Clocks {
    /// The hub looks at its clocks, at the wall clock only with a deadline. Returns whether it must notice anything.
    pub fn look(&mut self, now: Time, wall: Option<Duration>) -> bool {
        let is_late = now >= self.due + ASLEEP_AFTER;
        let ahead = wall.and_then(|wall| {
            let offset = wall.saturating_sub(now.since(Time::ZERO));
            let before = self.offset.replace(offset)?;
            Some(offset.saturating_sub(before))
        });
        is_late || ahead.is_some_and(|ahead| ahead >= ASLEEP_AFTER)
    }

    /// The hub has looked, or must begin to: it does as long as there are connections.
    pub fn plan(&mut self, now: Time, is_needed: bool) {
        if is_needed {
            self.due = now + WATCH_EVERY;
        } else {
            self.due = Time::NEVER;
            self.offset = None;
        }
    }

    /// When it looks again.
    pub fn due(&self) -> Time {
        self.due
    }

    /// The hub goes on after it has stood still for so long.
    pub fn stood_still(&mut self, now: Time, span: Duration) {
        self.back = (now, span);
    }

    /// How late its timers may be: what was due while it stood still has had a moment since.
    pub fn late(&self, now: Time) -> Duration {
        let (back, span) = self.back;
        if now <= back + LATE {
            span + LATE
        } else {
            LATE
        }
    }
}
