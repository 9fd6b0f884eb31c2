//! What has gone wrong in the last five minutes.

use crate::protocol::RecentReport;
use crate::time::Time;

/// So many minutes are looked back at, the one under way included.
pub const MINUTES: usize = 5;
const MINUTE: u64 = 60_000_000;
const KINDS: usize = 5;

/// Counts by the minute, for the last [`MINUTES`] of the hub's clock: what is counted is forgotten after four to five minutes.
#[derive(Debug, Default)]
pub struct Lately([Minute; MINUTES]);

/// The counts of a minute.
#[derive(Clone, Copy, Debug, Default)]
struct Minute {
    number: u32,
    counts: [u16; KINDS],
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// An open connection was lost.
    Loss,
    /// A ping was not answered in time.
    MissedPong,
    /// An attempt, a send or a frame has failed.
    Error,
    /// An attempt has opened a lost connection again.
    Recovery,
    /// An attempt has failed.
    FailedAttempt,
}

impl Lately {
    /// Nothing has gone wrong.
    pub const NONE: Self = Self(
        [Minute {
            number: 0,
            counts: [0; KINDS],
        }; MINUTES],
    );

    /// Counts something, so many times.
    pub fn count(&mut self, event: Event, times: u64, now: Time) {
        let number = minute(now);
        let Some(minute) = self.0.get_mut(number as usize % MINUTES) else {
            return;
        };
        if minute.number != number {
            *minute = Minute {
                number,
                ..Minute::default()
            };
        }
        if let Some(count) = minute.counts.get_mut(event as usize) {
            *count = count.saturating_add(u16::try_from(times).unwrap_or(u16::MAX));
        }
    }

    /// The counts of the last minutes.
    pub fn look(&self, now: Time) -> RecentReport {
        let now = minute(now);
        let mut sums = [0; KINDS];
        for minute in &self.0 {
            if now.abs_diff(minute.number) < MINUTES as u32 {
                for (sum, count) in sums.iter_mut().zip(minute.counts) {
                    *sum += u32::from(count);
                }
            }
        }
        let [losses, missed_pongs, errors, recoveries, failed_attempts] = sums;
        RecentReport {
            losses,
            missed_pongs,
            errors,
            recoveries,
            failed_attempts,
        }
    }
}

fn minute(at: Time) -> u32 {
    (at.as_micros() / MINUTE) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    #[test]
    fn what_was_counted_is_forgotten_after_its_fifth_minute() {
        let mut lately = Lately::default();
        lately.count(Event::Loss, 1, at(65));
        lately.count(Event::Loss, 2, at(130));
        lately.count(Event::Error, 1, at(130));
        assert_eq!(lately.look(at(130)).losses, 3);
        assert_eq!(lately.look(at(359)).losses, 3);
        assert_eq!(lately.look(at(360)).losses, 2);
        assert_eq!(lately.look(at(420)), RecentReport::default());
        lately.count(Event::Recovery, 1, at(365));
        let seen = lately.look(at(365));
        assert_eq!((seen.losses, seen.errors, seen.recoveries), (2, 1, 1));
        lately.count(Event::Loss, 1, at(100_000));
        assert_eq!(lately.look(at(100_000)).losses, 1);
    }

    #[test]
    fn counts_stop_at_the_most_that_fits() {
        let mut lately = Lately::default();
        lately.count(Event::Error, 1 << 40, at(1));
        lately.count(Event::Error, 5, at(1));
        assert_eq!(lately.look(at(1)).errors, u32::from(u16::MAX));
    }
}
