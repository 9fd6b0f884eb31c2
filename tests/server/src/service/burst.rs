//! Failures that come in bursts.

use std::time::Duration;

use tokio::time::Instant;

use super::{Failure, Verdict};
use crate::random::Random;

/// Fails at the beginning of each period, always or with some probability.
pub struct Burst {
    failure: Failure,
    began: Instant,
    period: Duration,
    fails: Duration,
    chance: f64,
    random: Random,
}

impl Burst {
    /// Makes bursts of failures for the first `fails` of each `period` from now on.
    pub fn new(
        failure: Failure,
        [period, fails]: [Duration; 2],
        chance: f64,
        seed: Option<u64>,
    ) -> Self {
        Self {
            failure,
            began: Instant::now(),
            period,
            fails,
            chance,
            random: Random::new(seed.unwrap_or_default()),
        }
    }

    /// Judges a call of this moment.
    pub fn judge(&mut self, now: Instant) -> Verdict {
        if self.fails(now) {
            Verdict::Fail(self.failure.clone())
        } else {
            Verdict::Ok
        }
    }

    fn fails(&mut self, now: Instant) -> bool {
        let elapsed = now.duration_since(self.began).as_nanos();
        let within = elapsed.checked_rem(self.period.as_nanos());
        within.is_some_and(|within| within < self.fails.as_nanos())
            && self.random.next() < self.chance
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;

    fn burst(chance: f64, seed: u64) -> Burst {
        let failure = Failure {
            status: StatusCode::SERVICE_UNAVAILABLE,
            retry_after: None,
        };
        let times = [Duration::from_millis(100), Duration::from_millis(30)];
        Burst::new(failure, times, chance, Some(seed))
    }

    #[test]
    fn each_period_begins_with_failures() {
        let mut burst = burst(1.0, 0);
        for (after, fails) in [
            (0, true),
            (29, true),
            (30, false),
            (99, false),
            (100, true),
            (1029, true),
            (1030, false),
        ] {
            let now = burst.began + Duration::from_millis(after);
            assert_eq!(burst.fails(now), fails, "{after} ms");
        }
    }

    #[test]
    fn a_seed_repeats_its_failures_and_their_part_is_the_chance() {
        let run = |seed| -> Vec<bool> {
            let mut burst = burst(0.25, seed);
            let began = burst.began;
            (0..10_000).map(|_| burst.fails(began)).collect()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let failed = run(7).into_iter().filter(|failed| *failed).count();
        assert!((2300..2700).contains(&failed), "{failed} of 10 000");
        assert!(!burst(0.0, 1).fails(Instant::now()));
    }
}
