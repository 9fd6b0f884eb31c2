//! The options of a breaker, as plain numbers.

use core::time::Duration;

use serde_json::{Value, json};

/// The options that are in force.
#[derive(Clone, Debug)]
pub struct Rules {
    pub failure_threshold: u32,
    pub failure_rate: f64,
    pub minimum_calls: u32,
    pub window: Last,
    pub slow_after: Option<Duration>,
    pub slow_rate: f64,
    pub reset: Duration,
    pub growth: f64,
    pub max_reset: Duration,
    pub jitter: f64,
    pub probes: u32,
    pub success_threshold: u32,
    pub lease: Duration,
    pub max_retry_after: Duration,
    pub budget: Budget,
}

/// Which calls are the last.
#[derive(Clone, Copy, Debug)]
pub enum Last {
    /// Those of so many milliseconds.
    Millis(u64),
    /// So many.
    Calls(u32),
}

/// How many calls may be made again.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub ratio: f64,
    pub per_second: f64,
    pub burst: f64,
}

impl Rules {
    pub fn draw(rng: &mut fastrand::Rng) -> Self {
        let rates = [0.0, 0.25, 0.5, 0.5, 0.75, 1.0];
        Self {
            failure_threshold: one_of(rng, [1, 2, 3, 5, 8, 1000]),
            failure_rate: one_of(rng, rates),
            minimum_calls: one_of(rng, [1, 3, 5, 10]),
            window: match rng.bool() {
                true => Last::Millis(one_of(rng, [1, 77, 500, 3000, 20_000])),
                false => Last::Calls(rng.u32(1..15)),
            },
            slow_after: rng.bool().then_some(Duration::from_millis(250)),
            slow_rate: one_of(rng, rates),
            reset: millis(rng, [5, 100, 1000, 5000]),
            growth: one_of(rng, [1.0, 1.5, 2.0, 2.0, 10.0]),
            max_reset: millis(rng, [0, 1000, 8000, 60_000]),
            jitter: one_of(rng, [0.0, 0.2, 0.2, 0.9]),
            probes: rng.u32(1..4),
            success_threshold: rng.u32(1..5),
            lease: millis(rng, [1, 50, 1000, 30_000]),
            max_retry_after: millis(rng, [0, 700, 9000, 300_000]),
            budget: Budget {
                ratio: one_of(rng, [0.0, 0.2, 0.5, 1.0]),
                per_second: one_of(rng, [0.0, 0.1, 1.0]),
                burst: one_of(rng, [0.0, 1.0, 3.5, 10.0]),
            },
        }
    }

    /// As a tab gives them.
    pub fn wire(&self) -> Value {
        let budget = self.budget;
        json!({"breaker": {
            "failureThreshold": self.failure_threshold,
            "failureRate": self.failure_rate,
            "minimumCalls": self.minimum_calls,
            "window": match self.window {
                Last::Millis(millis) => json!(millis),
                Last::Calls(calls) => json!({"calls": calls}),
            },
            "slowCallDuration": self.slow_after.map(|span| span.as_millis() as u64),
            "slowCallRate": self.slow_rate,
            "resetTimeout": self.reset.as_millis() as u64,
            "growth": self.growth,
            "maxResetTimeout": self.max_reset.as_millis() as u64,
            "jitter": self.jitter,
            "probes": self.probes,
            "successThreshold": self.success_threshold,
            "lease": self.lease.as_millis() as u64,
            "maxRetryAfter": self.max_retry_after.as_millis() as u64,
            "retryBudget": {"ratio": budget.ratio, "perSecond": budget.per_second, "burst": budget.burst},
        }})
    }

    /// Between which the time lies for which it opens after so many openings since it was closed.
    pub fn open_times(&self, openings: u32) -> (Duration, Duration) {
        let mut base = self.reset.as_secs_f64();
        for _ in 0..openings.min(100) {
            base *= self.growth;
        }
        let base = base.min(self.longest().as_secs_f64());
        let at = |factor: f64| Duration::from_secs_f64(base * factor);
        (at(1.0 - self.jitter), at(1.0 + self.jitter))
    }

    /// What that time grows to, before it varies.
    pub fn longest(&self) -> Duration {
        self.max_reset.max(self.reset)
    }

    /// The longest that anybody can remember.
    pub fn longest_remembered(&self) -> Duration {
        let longest = self.longest().mul_f64(1.0 + self.jitter);
        longest.max(self.max_retry_after)
    }
}

pub fn one_of<T: Copy, const N: usize>(rng: &mut fastrand::Rng, from: [T; N]) -> T {
    from[rng.usize(..N)]
}

fn millis<const N: usize>(rng: &mut fastrand::Rng, from: [u64; N]) -> Duration {
    Duration::from_millis(one_of(rng, from))
}
