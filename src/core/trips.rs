//! Round trips of pings, as RFC 6298 (§2) reckons them.

use core::time::Duration;

use crate::time::Time;

/// The last round trip, and what they come to: with the first one R the smoothed one is R and its variation R / 2; each further
/// one moves the variation by a quarter of the distance to |smoothed − R|, and then the smoothed one by an eighth of that to R.
///
/// In microseconds, of at most 71 minutes: a pong that takes longer than its timeout is none. When the last came is known to a tenth of a
/// second, which takes half of the room, and every connection has one of these.
#[derive(Clone, Copy, Debug)]
pub struct Trips {
    last: u32,
    smoothed: u32,
    variation: u32,
    /// In tenths of a second.
    at: u32,
}

impl Trips {
    /// None yet.
    pub const NONE: Self = Self {
        last: 0,
        smoothed: 0,
        variation: 0,
        at: u32::MAX,
    };

    /// A ping that went out at one time was answered at another.
    pub fn add(&mut self, sent_at: Time, now: Time) {
        let taken = u32::try_from(now.since(sent_at).as_micros()).unwrap_or(u32::MAX);
        if self.at == u32::MAX {
            self.smoothed = taken;
            self.variation = taken / 2;
        } else {
            let off = self.smoothed.abs_diff(taken);
            self.variation = mean(self.variation, off, 4);
            self.smoothed = mean(self.smoothed, taken, 8);
        }
        self.last = taken;
        self.at = u32::try_from(now.as_micros() / TENTH).unwrap_or(u32::MAX - 1);
    }

    /// When the last pong came.
    pub fn at(&self) -> Option<Time> {
        (self.at != u32::MAX).then(|| Time::from_micros(u64::from(self.at) * TENTH))
    }

    /// The last round trip.
    pub fn last(&self) -> Option<Duration> {
        self.at().map(|_| span(self.last))
    }

    /// The smoothed one.
    pub fn smoothed(&self) -> Option<Duration> {
        self.at().map(|_| span(self.smoothed))
    }

    /// By how much they vary.
    pub fn variation(&self) -> Option<Duration> {
        self.at().map(|_| span(self.variation))
    }
}

const TENTH: u64 = 100_000;

fn mean(old: u32, new: u32, weight: u64) -> u32 {
    ((u64::from(old) * (weight - 1) + u64::from(new)) / weight) as u32
}

fn span(micros: u32) -> Duration {
    Duration::from_micros(u64::from(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(trips: &mut Trips, millis: u64) {
        trips.add(Time::from_millis(1000), Time::from_millis(1000 + millis));
    }

    #[test]
    fn they_are_smoothed_as_the_rfc_says() {
        let mut trips = Trips::NONE;
        assert_eq!(
            (trips.last(), trips.smoothed(), trips.at()),
            (None, None, None)
        );
        add(&mut trips, 100);
        let millis = Duration::from_millis;
        assert_eq!(
            (trips.smoothed(), trips.variation()),
            (Some(millis(100)), Some(millis(50)))
        );
        add(&mut trips, 180);
        assert_eq!(trips.last(), Some(millis(180)));
        // 3/4 × 50 + 1/4 × 80, and 7/8 × 100 + 1/8 × 180.
        assert_eq!(trips.variation(), Some(Duration::from_micros(57_500)));
        assert_eq!(trips.smoothed(), Some(millis(110)));
    }

    #[test]
    fn what_takes_longer_than_can_be_held_is_the_longest() {
        let mut trips = Trips::NONE;
        add(&mut trips, 10_000_000);
        add(&mut trips, 10_000_000);
        assert_eq!(trips.smoothed(), Some(span(u32::MAX)));
    }
}
