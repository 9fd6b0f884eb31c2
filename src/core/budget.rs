//! How many calls may be made again.

use crate::protocol::Budget;
use crate::time::Time;

/// A bucket of tokens, one for each call that is made again. Calls that end fill it, and time does.
///
/// Against a service that is down retries then add a share to the load, and do not multiply it (Finagle's `RetryBudget`,
/// Envoy's `retry_budget`).
#[derive(Clone, Debug)]
pub struct Purse {
    budget: Budget,
    tokens: f64,
    at: Time,
}

impl Purse {
    /// A full one.
    pub fn new(budget: Budget, now: Time) -> Self {
        Self {
            budget,
            tokens: budget.burst,
            at: now,
        }
    }

    /// Calls have ended.
    pub fn fill(&mut self, calls: u32) {
        self.add(self.budget.ratio * f64::from(calls));
    }

    /// Takes a token, if there is one.
    pub fn take(&mut self, now: Time) -> bool {
        let seconds = now.since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.add(self.budget.per_second * seconds);
        let has_one = self.tokens >= 1.0;
        if has_one {
            self.tokens -= 1.0;
        }
        has_one
    }

    fn add(&mut self, tokens: f64) {
        self.tokens = (self.tokens + tokens).min(self.budget.burst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_calls_and_some_a_second_are_made_again() {
        let budget = Budget {
            ratio: 0.5,
            per_second: 2.0,
            burst: 3.0,
        };
        let mut purse = Purse::new(budget, Time::ZERO);
        let take = |purse: &mut Purse, at| (0..10).filter(|_| purse.take(at)).count();
        assert_eq!(take(&mut purse, Time::ZERO), 3);
        purse.fill(4);
        assert_eq!(take(&mut purse, Time::ZERO), 2);
        assert_eq!(take(&mut purse, Time::from_millis(500)), 1);
        purse.fill(1_000_000);
        assert_eq!(take(&mut purse, Time::from_millis(500)), 3);
        assert_eq!(take(&mut purse, Time::ZERO), 0);
    }
}
