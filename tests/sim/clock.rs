//! The clocks of the computer: a monotonic one that may stand still while it sleeps, and a wall clock that may be set.

use core::time::Duration;

use tabwire::time::Time;

/// How both differ from the time of the world.
#[derive(Debug, Default)]
pub struct Clock {
    /// How long the monotonic clock has stood still.
    stood_still: Duration,
    /// By how much the wall clock was set ahead.
    ahead: Duration,
    /// Until when the computer sleeps.
    wakes_at: Time,
}

/// When worlds begin, since 1970: late enough for a wall clock to be set back.
const BEGINNING: Duration = Duration::from_secs(1_700_000_000);

impl Clock {
    /// The time of a hub.
    pub fn monotonic(&self, now: Time) -> Time {
        now - self.stood_still
    }

    /// When it will be that time for a hub, unless the computer sleeps before.
    pub fn when(&self, monotonic: Time) -> Time {
        monotonic + self.stood_still
    }

    /// What the wall clock says, since 1970.
    pub fn wall(&self, now: Time) -> Duration {
        BEGINNING + self.ahead + now.since(Time::ZERO)
    }

    /// The wall clock is set ahead, or back by as much as it was ahead.
    pub fn set_wall(&mut self, ahead: Duration) {
        self.ahead = ahead;
    }

    /// The computer falls asleep.
    pub fn sleep(&mut self, now: Time, span: Duration, stands_still: bool) {
        self.wakes_at = now + span;
        if stands_still {
            self.stood_still += span;
        }
    }

    /// When the computer wakes up, if it sleeps.
    pub fn wakes_at(&self, now: Time) -> Option<Time> {
        (now < self.wakes_at).then_some(self.wakes_at)
    }
}
