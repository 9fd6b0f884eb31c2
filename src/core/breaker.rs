//! A circuit breaker: which calls to a service may pass, by how those before have ended.

use core::time::Duration;

use super::window::Window;
use crate::protocol::{
    BreakerConfig, BreakerCounters, BreakerReason, BreakerState, BreakerView, Calls, Order,
    Outcome, Permit, Recent, Refusal, Snapshot,
};
use crate::time::Time;

/// A probe that is given up without a word may have had bad luck; so many in a row are a failure.
pub const MOST_EXPIRED: u32 = 3;
/// Those who are refused because of a probe are told to come again after this, though it may take longer.
pub const PROBE_WITHIN: Duration = Duration::from_secs(1);

/// A breaker, shared by all callers. `H` names who holds a permit.
///
/// It has no timer: that it is not open any more is computed from the time whenever somebody asks. Each transition raises its
/// generation, and what ended after a transition without having begun after it decides nothing.
#[derive(Clone, Debug)]
pub struct Breaker<H> {
    config: BreakerConfig,
    phase: Phase<H>,
    reason: BreakerReason,
    generation: u32,
    /// When the last transition was; and how long before that, where it was made elsewhere. Nothing: there was none.
    changed: Option<(Time, Duration)>,
    /// Failures since the last success.
    failed: u32,
    failed_at: Time,
    window: Window,
    /// How often it has opened since it was closed.
    openings: u32,
    /// The service does not want to hear of anybody until then.
    unwelcome_until: Time,
    last_permit: u32,
    /// The totals.
    pub counters: BreakerCounters,
}

#[derive(Clone, Debug)]
enum Phase<H> {
    Closed,
    Open {
        until: Time,
        /// How long that is in all.
        length: Duration,
    },
    HalfOpen {
        /// Their numbers, who holds them, and how long they are good for.
        permits: Vec<(u32, H, Time)>,
        successes: u32,
        /// Permits in a row of which nothing was heard.
        expired: u32,
    },
    ForcedOpen,
    ForcedClosed,
}

impl<H: Copy + Eq> Breaker<H> {
    /// A closed one.
    pub fn new(config: BreakerConfig) -> Self {
        Self {
            window: Window::new(config.window),
            config,
            phase: Phase::Closed,
            reason: BreakerReason::New,
            generation: 0,
            changed: None,
            failed: 0,
            failed_at: Time::ZERO,
            openings: 0,
            unwelcome_until: Time::ZERO,
            last_permit: 0,
            counters: BreakerCounters::default(),
        }
    }

    /// The options in force.
    pub fn config(&self) -> &BreakerConfig {
        &self.config
    }

    /// Goes on with other options.
    pub fn set_config(&mut self, config: BreakerConfig) {
        if config.window != self.config.window {
            self.window = Window::new(config.window);
        }
        self.config = config;
    }

    /// How many transitions there were.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Its state. One that has been open for long enough is half-open, whether or not somebody has asked for a permit.
    pub fn state(&self, now: Time) -> BreakerState {
        match &self.phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { until, .. } if *until <= now => BreakerState::HalfOpen,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
            Phase::ForcedOpen => BreakerState::ForcedOpen,
            Phase::ForcedClosed => BreakerState::ForcedClosed,
        }
    }

    /// How long it is open in all; not at all, if it is not.
    pub fn open_for(&self) -> Duration {
        match self.phase {
            Phase::Open { length, .. } => length,
            Phase::Closed | Phase::HalfOpen { .. } | Phase::ForcedOpen | Phase::ForcedClosed => {
                Duration::ZERO
            }
        }
    }

    /// What there is to see of it.
    pub fn view(&self, now: Time) -> BreakerView {
        let until = match self.phase {
            Phase::Open { until, .. } => Some(until),
            Phase::Closed | Phase::HalfOpen { .. } | Phase::ForcedOpen | Phase::ForcedClosed => {
                None
            }
        };
        BreakerView {
            state: self.state(now),
            reason: self.reason,
            generation: self.generation,
            remaining: until.map(|until| until.since(now)),
            open_for: self.open_for(),
            openings: self.openings,
            age: self.age(now),
            slow_after: self.config.slow_call_duration.map(|span| span.get()),
            counters: self.counters,
        }
    }

    /// Asks for the right to make a call. A refusal is counted.
    pub fn acquire(
        &mut self,
        holder: H,
        now: Time,
        rng: &mut fastrand::Rng,
    ) -> Result<Permit, Refusal> {
        let verdict = self.decide(holder, now, rng);
        self.counters.rejected += u64::from(verdict.is_err());
        verdict
    }

    fn decide(&mut self, holder: H, now: Time, rng: &mut fastrand::Rng) -> Result<Permit, Refusal> {
        self.expire(now, rng);
        if let Phase::Open { until, .. } = self.phase
            && until <= now
        {
            let phase = Phase::HalfOpen {
                permits: Vec::new(),
                successes: 0,
                expired: 0,
            };
            self.change(phase, BreakerReason::Probing, now);
        }
        let (most, wanted) = (self.config.probes.get(), self.config.success_threshold.0);
        match &mut self.phase {
            Phase::Closed | Phase::ForcedClosed => Ok(Permit {
                id: 0,
                generation: self.generation,
                lease: None,
            }),
            Phase::Open { until, .. } => Err(Refusal {
                reason: self.reason,
                retry_after: Some(until.since(now)),
            }),
            Phase::ForcedOpen => Err(Refusal {
                reason: self.reason,
                retry_after: None,
            }),
            Phase::HalfOpen {
                permits, successes, ..
            } => {
                // No more than are still needed: what has succeeded already is not asked again.
                let needed = wanted.saturating_sub(*successes) as usize;
                if permits.len() >= most.min(needed) {
                    let first = permits.iter().map(|(_, _, until)| *until).min();
                    return Err(Refusal {
                        reason: self.reason,
                        retry_after: first.map(|until| until.since(now).min(PROBE_WITHIN)),
                    });
                }
                self.last_permit = self.last_permit.wrapping_add(1).max(1);
                let lease = self.config.lease.get();
                permits.push((self.last_permit, holder, now + lease));
                Ok(Permit {
                    id: self.last_permit,
                    generation: self.generation,
                    lease: Some(lease),
                })
            }
        }
    }

    /// Calls have ended that had begun in a generation with this permit, 0 if without one. `ago` is how long before now the last
    /// of them ended: good news is told late. Those with a permit end alone.
    pub fn report(
        &mut self,
        (generation, permit, holder): (u32, u32, H),
        (outcome, calls, ago): (Outcome, Calls, Duration),
        now: Time,
        rng: &mut fastrand::Rng,
    ) {
        self.count(outcome, calls);
        if let Outcome::Failure(Some(after)) = outcome {
            self.turn_away(after, now);
        }
        if outcome == Outcome::Rejected {
            return;
        }
        self.expire(now, rng);
        if generation != self.generation {
            self.counters.stale += u64::from(calls.all);
            return;
        }
        match &mut self.phase {
            Phase::Closed if permit == 0 => self.judge((outcome, calls, ago), now, rng),
            Phase::ForcedClosed if permit == 0 => {}
            Phase::HalfOpen { permits, .. } => {
                let place = permits
                    .iter()
                    .position(|(own, by, _)| *own == permit && *by == holder);
                match place {
                    Some(place) => {
                        permits.swap_remove(place);
                        self.judge_probe(outcome, calls, now, rng);
                    }
                    None => self.counters.stale += u64::from(calls.all),
                }
            }
            Phase::Closed | Phase::Open { .. } | Phase::ForcedOpen | Phase::ForcedClosed => {
                self.counters.stale += u64::from(calls.all);
            }
        }
    }

    /// Whoever held these permits is gone: they say nothing.
    pub fn release(&mut self, holder: H) {
        if let Phase::HalfOpen { permits, .. } = &mut self.phase {
            let before = permits.len();
            permits.retain(|(_, by, _)| *by != holder);
            self.counters.neutral += (before - permits.len()) as u64;
        }
    }

    /// Somebody decides.
    pub fn force(&mut self, order: Order, now: Time) {
        let (phase, reason) = match order {
            Order::Reset => (Phase::Closed, BreakerReason::Reset),
            Order::Open => (Phase::ForcedOpen, BreakerReason::Forced),
            Order::Close => (Phase::ForcedClosed, BreakerReason::Forced),
        };
        self.openings = 0;
        self.unwelcome_until = Time::ZERO;
        self.change(phase, reason, now);
    }

    /// Takes over what a tab remembers, if that is newer than what is known here. Returns whether it was.
    ///
    /// A probe of before is nobody's any more, so half-open is open with nothing left.
    pub fn restore(&mut self, snapshot: &Snapshot, now: Time) -> bool {
        let is_newer = self.age(now).is_none_or(|known| snapshot.age < known);
        if !is_newer || self.knows(snapshot, now) || snapshot.generation == 0 {
            return false;
        }
        let longest = self.longest().mul_f64(1.0 + self.config.jitter.get());
        let longest = longest.max(self.config.max_retry_after.get());
        let length = snapshot.open_for.min(longest);
        let remaining = snapshot.remaining.min(length);
        let (phase, reason) = match snapshot.state {
            BreakerState::Closed => (Phase::Closed, BreakerReason::Recovered),
            BreakerState::ForcedOpen => (Phase::ForcedOpen, BreakerReason::Forced),
            BreakerState::ForcedClosed => (Phase::ForcedClosed, BreakerReason::Forced),
            BreakerState::HalfOpen => (open(now, Duration::ZERO, length), BreakerReason::Probing),
            BreakerState::Open => (open(now, remaining, length), BreakerReason::Restored),
        };
        self.change(phase, reason, now);
        self.changed = Some((now, snapshot.age));
        // Calls of the same closed time still count, those that began here before do not: their generation never comes again.
        self.generation = self.generation.max(snapshot.generation);
        self.openings = snapshot.openings;
        true
    }

    /// Whether another tab has told the same already, as far as that can be: of one generation, what is half-open was open before.
    fn knows(&self, snapshot: &Snapshot, now: Time) -> bool {
        let is_open = matches!(self.phase, Phase::Open { .. });
        let was_open = matches!(snapshot.state, BreakerState::Open | BreakerState::HalfOpen);
        let is_same = snapshot.state == self.state(now) || (is_open && was_open);
        is_same && snapshot.generation == self.generation
    }

    fn count(&mut self, outcome: Outcome, calls: Calls) {
        let all = u64::from(calls.all);
        self.counters.slow += u64::from(calls.slow);
        match outcome {
            Outcome::Success => self.counters.successes += all,
            Outcome::Failure(_) => self.counters.failures += all,
            Outcome::Neutral => self.counters.neutral += all,
            Outcome::Rejected => self.counters.rejected += all,
        }
    }

    /// The service has said how long it wants to be left alone. Before it opens that is remembered, since it may be about to.
    fn turn_away(&mut self, after: Duration, now: Time) {
        let after = after.min(self.config.max_retry_after.get());
        self.unwelcome_until = self.unwelcome_until.max(now + after);
        if let Phase::Open { until, length } = &mut self.phase
            && *until < self.unwelcome_until
        {
            *length += self.unwelcome_until.since(*until);
            *until = self.unwelcome_until;
        }
    }

    /// Calls of a closed time have ended.
    fn judge(
        &mut self,
        (outcome, calls, ago): (Outcome, Calls, Duration),
        now: Time,
        rng: &mut fastrand::Rng,
    ) {
        match outcome {
            Outcome::Success => {
                // What failed since then still failed in a row.
                if now - ago >= self.failed_at {
                    self.failed = 0;
                    self.unwelcome_until = Time::ZERO;
                }
            }
            Outcome::Failure(_) => {
                self.failed = self.failed.saturating_add(calls.all);
                self.failed_at = now;
            }
            Outcome::Neutral | Outcome::Rejected => return,
        }
        self.window.add(calls, now);
        if self.failed >= self.config.failure_threshold.0 {
            self.trip(BreakerReason::Consecutive, now, rng);
            return;
        }
        let last = self.window.calls(now);
        // A window of fewer calls is full before.
        let wanted = match self.config.window {
            Recent::Calls(most) => self.config.minimum_calls.min(most),
            Recent::Time(_) => self.config.minimum_calls,
        };
        let is_enough = last.all >= wanted.0;
        let reaches = |part: u32, rate: f64| f64::from(part) >= rate * f64::from(last.all);
        // Only what is bad opens it: a good call may make the calls enough, but is no occasion.
        if calls.failures > 0 && is_enough && reaches(last.failures, self.config.failure_rate.get())
        {
            self.trip(BreakerReason::FailureRate, now, rng);
        } else if calls.slow > 0
            && is_enough
            && reaches(last.slow, self.config.slow_call_rate.get())
        {
            self.trip(BreakerReason::SlowCalls, now, rng);
        }
    }

    /// A probe has ended, and given its permit back.
    fn judge_probe(&mut self, outcome: Outcome, calls: Calls, now: Time, rng: &mut fastrand::Rng) {
        let wanted = self.config.success_threshold.0;
        let Phase::HalfOpen {
            successes, expired, ..
        } = &mut self.phase
        else {
            return;
        };
        match outcome {
            Outcome::Success if calls.slow > 0 => self.trip(BreakerReason::SlowCalls, now, rng),
            Outcome::Success => {
                *expired = 0;
                *successes += 1;
                if *successes >= wanted {
                    self.openings = 0;
                    self.unwelcome_until = Time::ZERO;
                    self.change(Phase::Closed, BreakerReason::Recovered, now);
                }
            }
            Outcome::Failure(_) => self.trip(BreakerReason::ProbeFailed, now, rng),
            Outcome::Neutral | Outcome::Rejected => {}
        }
    }

    /// Takes back the permits of which nothing was heard in time.
    fn expire(&mut self, now: Time, rng: &mut fastrand::Rng) {
        let Phase::HalfOpen {
            permits, expired, ..
        } = &mut self.phase
        else {
            return;
        };
        let before = permits.len();
        permits.retain(|(_, _, until)| *until > now);
        let gone = (before - permits.len()) as u32;
        *expired += gone;
        self.counters.expired += u64::from(gone);
        if *expired >= MOST_EXPIRED {
            self.trip(BreakerReason::ProbesLost, now, rng);
        }
    }

    fn trip(&mut self, reason: BreakerReason, now: Time, rng: &mut fastrand::Rng) {
        let spread = self.config.jitter.get() * (2.0 * rng.f64() - 1.0);
        let grown = self
            .config
            .growth
            .get()
            .powi(self.openings.min(1000) as i32);
        let base = self.config.reset_timeout.get().as_secs_f64() * grown;
        let base = base.min(self.longest().as_secs_f64());
        let drawn = Duration::from_secs_f64(base * (1.0 + spread));
        let length = drawn.max(self.unwelcome_until.since(now));
        self.openings = self.openings.saturating_add(1);
        self.counters.trips += 1;
        self.change(open(now, length, length), reason, now);
    }

    fn age(&self, now: Time) -> Option<Duration> {
        self.changed.map(|(at, before)| now.since(at) + before)
    }

    /// What the time for which it is open grows to.
    fn longest(&self) -> Duration {
        let config = &self.config;
        config
            .max_reset_timeout
            .get()
            .max(config.reset_timeout.get())
    }

    fn change(&mut self, phase: Phase<H>, reason: BreakerReason, now: Time) {
        self.phase = phase;
        self.reason = reason;
        self.generation = self.generation.saturating_add(1);
        self.changed = Some((now, Duration::ZERO));
        self.failed = 0;
        self.window.clear();
    }
}

fn open<H>(now: Time, remaining: Duration, length: Duration) -> Phase<H> {
    Phase::Open {
        until: now + remaining,
        length,
    }
}
