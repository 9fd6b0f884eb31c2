//! The last calls through a breaker: those of some time, or so many.

use core::time::Duration;
use std::collections::VecDeque;

use crate::protocol::{Calls, Recent};
use crate::time::Time;

/// A window of time is cut into so many parts, which are forgotten one after the other.
const PARTS: u64 = 10;

/// What became of the last calls.
///
/// A part of a window of time is dropped by the time that has gone since, not by the calls that come: after a pause nothing
/// of before counts.
#[derive(Clone, Debug)]
pub enum Window {
    /// The calls of some time.
    Time {
        /// How long a part is.
        part: Duration,
        /// The parts in which there were calls, with their numbers since the origin of the clock.
        parts: VecDeque<(u64, Calls)>,
    },
    /// So many calls.
    Calls {
        /// How many.
        most: usize,
        /// The last, and how each was.
        last: VecDeque<Calls>,
        /// All of them together.
        sum: Calls,
    },
}

impl Window {
    /// An empty window.
    pub fn new(recent: Recent) -> Self {
        match recent {
            Recent::Time(span) => Self::Time {
                part: (span.get() / PARTS as u32).max(Duration::from_micros(1)),
                parts: VecDeque::new(),
            },
            Recent::Calls(most) => Self::Calls {
                most: most.get(),
                last: VecDeque::new(),
                sum: Calls::default(),
            },
        }
    }

    /// Adds calls that have ended alike.
    pub fn add(&mut self, calls: Calls, now: Time) {
        match self {
            Self::Time { part, parts } => {
                let number = number(*part, now);
                match parts.back_mut().filter(|(last, _)| *last == number) {
                    Some((_, known)) => known.add(calls),
                    None => parts.push_back((number, calls)),
                }
                forget(parts, number);
            }
            Self::Calls { most, last, sum } => {
                // What was reported together counts one by one, the newest last.
                for one in calls.each().take(*most) {
                    last.push_back(one);
                    sum.add(one);
                    if last.len() > *most
                        && let Some(oldest) = last.pop_front()
                    {
                        sum.sub(oldest);
                    }
                }
            }
        }
    }

    /// The calls in it.
    pub fn calls(&mut self, now: Time) -> Calls {
        match self {
            Self::Time { part, parts } => {
                forget(parts, number(*part, now));
                let mut sum = Calls::default();
                parts.iter().for_each(|(_, calls)| sum.add(*calls));
                sum
            }
            Self::Calls { sum, .. } => *sum,
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        match self {
            Self::Time { parts, .. } => parts.clear(),
            Self::Calls { last, sum, .. } => {
                last.clear();
                *sum = Calls::default();
            }
        }
    }
}

fn number(part: Duration, now: Time) -> u64 {
    now.as_micros() / (part.as_micros() as u64).max(1)
}

fn forget(parts: &mut VecDeque<(u64, Calls)>, number: u64) {
    while parts
        .front()
        .is_some_and(|(old, _)| old.saturating_add(PARTS) <= number)
    {
        parts.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Period, Positive};

    const FAILURE: Calls = Calls {
        all: 1,
        failures: 1,
        slow: 0,
    };
    const SUCCESS: Calls = Calls {
        all: 1,
        failures: 0,
        slow: 0,
    };

    #[test]
    fn calls_are_forgotten_after_the_time_of_the_window() {
        let mut window = Window::new(Recent::Time(Period::from_millis(1000)));
        window.add(FAILURE, Time::from_millis(50));
        window.add(SUCCESS, Time::from_millis(950));
        assert_eq!(window.calls(Time::from_millis(999)).all, 2);
        assert_eq!(window.calls(Time::from_millis(1000)).failures, 0);
        assert_eq!(window.calls(Time::from_millis(1000)).all, 1);
        assert_eq!(window.calls(Time::from_millis(2000)), Calls::default());
    }

    #[test]
    fn a_window_of_calls_holds_the_last_of_them() {
        let mut window = Window::new(Recent::Calls(Positive(3)));
        window.add(FAILURE, Time::ZERO);
        let many = Calls {
            all: 2,
            failures: 0,
            slow: 1,
        };
        window.add(many, Time::ZERO);
        assert_eq!(window.calls(Time::ZERO).failures, 1);
        window.add(SUCCESS, Time::ZERO);
        let expected = Calls {
            all: 3,
            failures: 0,
            slow: 1,
        };
        assert_eq!(window.calls(Time::from_millis(99_000_000)), expected);
    }

    #[test]
    fn a_report_of_more_calls_than_there_is_room_for_takes_no_more_room() {
        let mut window = Window::new(Recent::Calls(Positive(3)));
        let many = Calls {
            all: u32::MAX,
            failures: 0,
            slow: 0,
        };
        window.add(many, Time::ZERO);
        assert_eq!(window.calls(Time::ZERO).all, 3);
    }
}
