//! How long to wait before the next attempt.

use core::time::Duration;

use crate::protocol::{Jitter, ReconnectConfig};

/// Counts failed attempts and draws the delay before the next one.
///
/// The delay before attempt *n* + 1 is drawn after the cap: with `v = min(maxDelay, minDelay × growth^n)`
/// it is U(0, v) for full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), and never below `floor`.
/// The first retry after an established connection was lost is spread over U(`floor`, `firstDelayMax`)
/// (RFC 6455 §7.2.3), so that clients of a restarted server do not come back as one.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
    failed: u32,
}

impl Backoff {
    /// Failed attempts since the growth was last reset.
    pub fn failed(&self) -> u32 {
        self.failed
    }

    /// Notes that an attempt failed and draws the wait before the next one.
    pub fn handle_failure(
        &mut self,
        config: &ReconnectConfig,
        rng: &mut fastrand::Rng,
    ) -> Duration {
        self.failed = self.failed.saturating_add(1);
        self.handle_unanswered(config, rng)
    }

    /// Draws the wait after an established connection was lost.
    ///
    /// A connection that had not proved stable counts as one more failure, so that a server that accepts
    /// and then closes is not hammered.
    pub fn handle_loss(&mut self, config: &ReconnectConfig, rng: &mut fastrand::Rng) -> Duration {
        if self.failures > 0 {
            return self.handle_failure(config, rng);
        }
        self.failures = 1;
        let floor = config.floor.get();
        let range = config.first_delay_max.get().saturating_sub(floor);
        floor + range.mul_f64(rng.f64())
    }

    /// Draws the wait after nobody answered what an attempt needs. It grows like the others, and is no attempt.
    pub fn handle_unanswered(
        &mut self,
        config: &ReconnectConfig,
        rng: &mut fastrand::Rng,
    ) -> Duration {
        let grown = grow(config, self.failures);
        self.failures = self.failures.saturating_add(1);
        spread(config, grown, rng)
    }

    /// How long the browser itself may hold back the next attempt, without an event.
    ///
    /// Firefox waits 200 to 400 ms after the first failure to a host and 1.5 times as long after each further one, up to 60 s
    /// (`FailDelay` in netwerk/protocol/websocket/WebSocketChannel.cpp). Chromium's 1 to 5 s after some 16 failures
    /// (services/network/websocket_throttler.cc) lie below that. The time is added to `connectTimeout`, so that being held back does not count as a failure.
    pub fn browser_delay(&self) -> Duration {
        if self.failed == 0 {
            return Duration::ZERO;
        }
        let seconds = 0.4 * 1.5_f64.powi(self.failed.min(20) as i32 - 1);
        Duration::from_secs_f64(seconds.min(60.0))
    }

    /// Forgets the failures: the connection has been stable and has carried a message.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Draws the wait before an attempt that has a local cause (online again, awake again, a token that was refused): up to 250 ms,
/// so that ten profiles woken by one network do not connect in the same instant.
pub fn local_delay(rng: &mut fastrand::Rng) -> Duration {
    Duration::from_millis(250).mul_f64(rng.f64())
}

fn grow(config: &ReconnectConfig, failures: u32) -> Duration {
    let min = config.min_delay.get().as_secs_f64();
    let max = config.max_delay.get().as_secs_f64();
    // Few powers are needed to reach any cap, and none may overflow: 0 × ∞ is no delay.
    let grown = min
        * config
            .growth
            .get()
            .powi(failures.min(64) as i32)
            .min(f64::MAX);
    if grown < max {
        Duration::try_from_secs_f64(grown).unwrap_or(config.max_delay.get())
    } else {
        config.max_delay.get()
    }
}

fn spread(config: &ReconnectConfig, delay: Duration, rng: &mut fastrand::Rng) -> Duration {
    let drawn = match config.jitter {
        Jitter::Full => delay.mul_f64(rng.f64()),
        Jitter::None => delay,
        Jitter::Fraction(share) => delay.mul_f64(1.0 + share.get() * (2.0 * rng.f64() - 1.0)),
        Jitter::Add(most) => delay + most.get().mul_f64(rng.f64()),
    };
    drawn.max(config.floor.get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Millis;

    fn delays(config: &ReconnectConfig, count: usize) -> Vec<Duration> {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut backoff = Backoff::default();
        (0..count)
            .map(|_| backoff.handle_failure(config, &mut rng))
            .collect()
    }

    #[test]
    fn without_jitter_the_delay_doubles_up_to_the_cap() {
        let config = ReconnectConfig {
            jitter: Jitter::None,
            ..Default::default()
        };
        let seconds: Vec<_> = delays(&config, 7).iter().map(Duration::as_secs).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn full_jitter_still_disperses_at_the_cap() {
        let config = ReconnectConfig::default();
        let drawn = delays(&config, 1000);
        let at_cap = &drawn[10..];
        let below_half = at_cap
            .iter()
            .filter(|delay| **delay < config.max_delay.get() / 2)
            .count();
        assert!((300..700).contains(&below_half), "{below_half}");
        assert!(drawn.iter().all(|delay| *delay >= config.floor.get()));
        assert!(drawn.iter().all(|delay| *delay <= config.max_delay.get()));
    }

    #[test]
    fn the_first_retry_after_a_loss_is_spread_over_five_seconds() {
        let config = ReconnectConfig::default();
        let mut rng = fastrand::Rng::with_seed(1);
        let drawn: Vec<_> = (0..1000)
            .map(|_| Backoff::default().handle_loss(&config, &mut rng))
            .collect();
        assert!(
            drawn
                .iter()
                .any(|delay| *delay > Duration::from_millis(4500))
        );
        assert!(drawn.iter().all(|delay| *delay <= Duration::from_secs(5)));
    }

    #[test]
    fn a_loss_before_stability_goes_on_growing() {
        let config = ReconnectConfig {
            jitter: Jitter::None,
            ..Default::default()
        };
        let mut rng = fastrand::Rng::with_seed(1);
        let mut backoff = Backoff::default();
        backoff.handle_failure(&config, &mut rng);
        backoff.handle_failure(&config, &mut rng);
        assert_eq!(
            backoff.handle_loss(&config, &mut rng),
            Duration::from_secs(4)
        );
    }

    #[test]
    fn the_browser_may_hold_back_an_attempt_for_longer_after_each_failure() {
        let config = ReconnectConfig::default();
        let mut rng = fastrand::Rng::with_seed(1);
        let mut backoff = Backoff::default();
        assert_eq!(backoff.browser_delay(), Duration::ZERO);
        backoff.handle_failure(&config, &mut rng);
        assert_eq!(backoff.browser_delay(), Duration::from_millis(400));
        backoff.handle_failure(&config, &mut rng);
        assert_eq!(backoff.browser_delay(), Duration::from_millis(600));
        for _ in 0..100 {
            backoff.handle_failure(&config, &mut rng);
        }
        assert_eq!(backoff.browser_delay(), Duration::from_secs(60));
    }

    #[test]
    fn added_jitter_lies_between_nothing_and_its_bound() {
        let config = ReconnectConfig {
            jitter: Jitter::Add(Millis::from_millis(1000)),
            ..Default::default()
        };
        let first = delays(&config, 1)[0];
        assert!(first >= Duration::from_secs(1) && first <= Duration::from_secs(2));
    }
}
