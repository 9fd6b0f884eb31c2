//! What a breaker must be: a list of all that has happened to it, and what follows from that.

use core::time::Duration;

use tabwire::core::PortId;
use tabwire::protocol::{
    BreakerCounters, BreakerReason, BreakerState, BreakerView, Calls, Order, Outcome, Permit,
    Refusal, Snapshot,
};

use super::rules::{Last, Rules};

/// The breaker of one name at one hub. Moments are microseconds on the clock of the hub.
#[derive(Debug)]
pub struct Model {
    rules: Rules,
    events: Vec<(u64, Event)>,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    /// It went into a state.
    Entered(Era),
    /// Calls were reported. Those of a closed time count from when they ended, so long ago.
    Told(Outcome, Calls),
    Counted(Outcome, Calls, Duration),
    /// They had begun before the last transition, or without a permit that was out.
    Stale(u32),
    /// The service is not to be called before then; and that is no more.
    TurnedAway(u64),
    WelcomedAgain,
    Refused,
    /// A permit was given to somebody until then, and was given back.
    Granted(u32, PortId, u64),
    Back(u32, Back),
    /// A call was made again, or could not be.
    Again(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Back {
    Success,
    Nothing,
    Died,
    Lost,
}

#[derive(Clone, Copy, Debug)]
struct Era {
    state: BreakerState,
    reason: BreakerReason,
    generation: u32,
    at: u64,
    /// How long it had been so elsewhere.
    before: Duration,
    /// When it opened itself until then, for so long in all.
    until: u64,
    length: Duration,
    openings: u32,
    is_trip: bool,
}

const NEW: Era = Era {
    state: BreakerState::Closed,
    reason: BreakerReason::New,
    generation: 0,
    at: 0,
    before: Duration::ZERO,
    until: 0,
    length: Duration::ZERO,
    openings: 0,
    is_trip: false,
};

/// So many probes in a row may be lost, less one.
const MOST_LOST: usize = 3;

impl Model {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            events: Vec::new(),
        }
    }

    /// What tabs are to see.
    pub fn view(&self, now: u64) -> BreakerView {
        let era = self.era();
        let (until, length) = self.open_until();
        let is_open = era.state == BreakerState::Open;
        BreakerView {
            state: self.state(now),
            reason: era.reason,
            generation: era.generation,
            remaining: is_open.then(|| micros(until.saturating_sub(now))),
            open_for: if is_open { length } else { Duration::ZERO },
            openings: era.openings,
            age: self.age(now),
            slow_after: self.rules.slow_after,
            counters: self.counters(),
        }
    }

    pub fn generation(&self) -> u32 {
        self.era().generation
    }

    /// How long it is until it is open no longer, a permit is lost, or calls are forgotten.
    pub fn until_next(&self, now: u64) -> u64 {
        let forgotten = match self.rules.window {
            Last::Millis(millis) => millis * 100 - now % (millis * 100),
            Last::Calls(_) => 0,
        };
        let lost = self.permits().iter().map(|(.., until)| *until).min();
        let next = match self.era().state {
            BreakerState::Open => self.open_until().0,
            _ => lost.unwrap_or(now + forgotten),
        };
        next.saturating_sub(now)
    }

    /// Somebody asks. What the hub has drawn or numbered is taken from what it has told, if it can be that.
    pub fn acquire(
        &mut self,
        (holder, now): (PortId, u64),
        told: &BreakerView,
        given: Result<Permit, Refusal>,
    ) -> Result<Result<Permit, Refusal>, String> {
        self.lose(now, told)?;
        if self.era().state == BreakerState::Open && self.state(now) == BreakerState::HalfOpen {
            self.enter(BreakerState::HalfOpen, BreakerReason::Probing, now);
        }
        let Era {
            state,
            reason,
            generation,
            ..
        } = self.era();
        let retry_after = match state {
            BreakerState::Closed | BreakerState::ForcedClosed => {
                return Ok(Ok(Permit {
                    id: 0,
                    generation,
                    lease: None,
                }));
            }
            BreakerState::ForcedOpen => None,
            BreakerState::Open => Some(self.open_until().0 - now),
            BreakerState::HalfOpen => {
                let out = self.permits();
                let still = self.rules.success_threshold - self.heard(Back::Success) as u32;
                if (out.len() as u32) < still.min(self.rules.probes) {
                    let id = given.map_or(0, |permit| permit.id);
                    let is_free = id != 0 && out.iter().all(|(other, ..)| *other != id);
                    if !is_free {
                        return Err(format!("a permit is free, and {given:?} is given"));
                    }
                    let until = now + self.rules.lease.as_micros() as u64;
                    self.push(now, Event::Granted(id, holder, until));
                    let lease = Some(self.rules.lease);
                    return Ok(Ok(Permit {
                        id,
                        generation,
                        lease,
                    }));
                }
                // A probe may be over long before its lease is.
                let first = out.iter().map(|(_, _, until)| until - now).min();
                first.map(|left| left.min(1_000_000))
            }
        };
        self.push(now, Event::Refused);
        let retry_after = retry_after.map(micros);
        Ok(Err(Refusal {
            reason,
            retry_after,
        }))
    }

    /// Calls are reported.
    pub fn report(
        &mut self,
        (generation, permit, holder): (u32, u32, PortId),
        (outcome, calls, ago): (Outcome, Calls, Duration),
        now: u64,
        told: &BreakerView,
    ) -> Result<(), String> {
        self.push(now, Event::Told(outcome, calls));
        if let Outcome::Failure(Some(after)) = outcome {
            let after = after.min(self.rules.max_retry_after);
            let until = now + after.as_micros() as u64;
            self.push(now, Event::TurnedAway(until));
        }
        if outcome == Outcome::Rejected {
            return Ok(());
        }
        self.lose(now, told)?;
        let era = self.era();
        let is_out = |(id, by, _): &(u32, PortId, u64)| *id == permit && *by == holder;
        let is_current = generation == era.generation
            && match era.state {
                BreakerState::Closed | BreakerState::ForcedClosed => permit == 0,
                BreakerState::HalfOpen => self.permits().iter().any(is_out),
                BreakerState::Open | BreakerState::ForcedOpen => false,
            };
        if !is_current {
            self.push(now, Event::Stale(calls.all));
        } else if era.state == BreakerState::Closed && outcome != Outcome::Neutral {
            self.judge((outcome, calls, ago), now, told)?;
        } else if era.state == BreakerState::HalfOpen {
            self.judge_probe(permit, (outcome, calls), now, told)?;
        }
        Ok(())
    }

    /// Whoever held permits is gone.
    pub fn release(&mut self, holder: PortId, now: u64) {
        for (id, by, _) in self.permits() {
            if by == holder {
                self.push(now, Event::Back(id, Back::Died));
            }
        }
    }

    pub fn force(&mut self, order: Order, now: u64) {
        let (state, reason) = match order {
            Order::Reset => (BreakerState::Closed, BreakerReason::Reset),
            Order::Open => (BreakerState::ForcedOpen, BreakerReason::Forced),
            Order::Close => (BreakerState::ForcedClosed, BreakerReason::Forced),
        };
        self.start_over(state, reason, now);
    }

    /// A tab remembers something. Returns whether it is news.
    pub fn restore(&mut self, known: &Snapshot, now: u64) -> bool {
        let era = self.era();
        let has_opened = |state| matches!(state, BreakerState::Open | BreakerState::HalfOpen);
        let is_same = known.generation == era.generation
            && (known.state == self.state(now)
                || (era.state == BreakerState::Open && has_opened(known.state)));
        let is_older = self.age(now).is_some_and(|age| age <= known.age);
        if is_same || is_older || known.generation == 0 {
            return false;
        }
        let length = known.open_for.min(self.rules.longest_remembered());
        let (state, reason, rest) = match known.state {
            BreakerState::Closed => (known.state, BreakerReason::Recovered, Duration::ZERO),
            BreakerState::Open => (known.state, BreakerReason::Restored, known.remaining),
            BreakerState::HalfOpen => (BreakerState::Open, BreakerReason::Probing, Duration::ZERO),
            BreakerState::ForcedOpen | BreakerState::ForcedClosed => {
                (known.state, BreakerReason::Forced, Duration::ZERO)
            }
        };
        let restored = Era {
            state,
            reason,
            generation: known.generation.max(era.generation + 1),
            at: now,
            before: known.age,
            until: now + rest.min(length).as_micros() as u64,
            length,
            openings: known.openings,
            is_trip: false,
        };
        self.push(now, Event::Entered(restored));
        true
    }

    /// A call was made again, or could not be.
    pub fn again(&mut self, is_granted: bool, now: u64) {
        self.push(now, Event::Again(is_granted));
    }

    fn judge(
        &mut self,
        (outcome, calls, ago): (Outcome, Calls, Duration),
        now: u64,
        told: &BreakerView,
    ) -> Result<(), String> {
        if outcome == Outcome::Success && self.ends_the_row(now, ago) {
            self.push(now, Event::WelcomedAgain);
        }
        self.push(now, Event::Counted(outcome, calls, ago));
        let last = self.last_calls(now);
        let wanted = match self.rules.window {
            Last::Calls(most) => self.rules.minimum_calls.min(most),
            Last::Millis(_) => self.rules.minimum_calls,
        };
        let is_enough = last.len() as u32 >= wanted;
        let share = |is_meant: fn(&(bool, bool)) -> bool| {
            last.iter().filter(|call| is_meant(call)).count() as f64
        };
        let reaches = |part: f64, rate: f64| is_enough && part >= rate * last.len() as f64;
        let (failed, slow) = (share(|call| call.0), share(|call| call.1));
        let reason = if self.row() >= u64::from(self.rules.failure_threshold) {
            BreakerReason::Consecutive
        } else if calls.failures > 0 && reaches(failed, self.rules.failure_rate) {
            BreakerReason::FailureRate
        } else if calls.slow > 0 && reaches(slow, self.rules.slow_rate) {
            BreakerReason::SlowCalls
        } else {
            return Ok(());
        };
        self.trip(reason, now, told)
    }

    fn judge_probe(
        &mut self,
        permit: u32,
        (outcome, calls): (Outcome, Calls),
        now: u64,
        told: &BreakerView,
    ) -> Result<(), String> {
        let is_good = outcome == Outcome::Success && calls.slow == 0;
        let back = if is_good {
            Back::Success
        } else {
            Back::Nothing
        };
        self.push(now, Event::Back(permit, back));
        match outcome {
            Outcome::Failure(_) => self.trip(BreakerReason::ProbeFailed, now, told),
            Outcome::Success if !is_good => self.trip(BreakerReason::SlowCalls, now, told),
            Outcome::Success | Outcome::Neutral | Outcome::Rejected => {
                if self.heard(Back::Success) as u32 >= self.rules.success_threshold {
                    self.start_over(BreakerState::Closed, BreakerReason::Recovered, now);
                }
                Ok(())
            }
        }
    }

    /// Permits whose time is over are nobody's; three in a row are as good as a failure.
    fn lose(&mut self, now: u64, told: &BreakerView) -> Result<(), String> {
        for (id, _, until) in self.permits() {
            if until <= now {
                self.push(now, Event::Back(id, Back::Lost));
            }
        }
        let backs = self.backs();
        let heard = |back: &&Back| **back != Back::Success;
        let lost = backs.iter().rev().take_while(heard);
        if lost.filter(|back| **back == Back::Lost).count() >= MOST_LOST {
            return self.trip(BreakerReason::ProbesLost, now, told);
        }
        Ok(())
    }

    fn trip(&mut self, reason: BreakerReason, now: u64, told: &BreakerView) -> Result<(), String> {
        const ROUNDING: Duration = Duration::from_micros(1);
        let openings = self.era().openings;
        let (least, most) = self.rules.open_times(openings);
        let wanted = micros(self.unwelcome_until().saturating_sub(now));
        let (least, most) = (least.max(wanted), most.max(wanted));
        let length = told.open_for;
        if length + ROUNDING < least || length > most + ROUNDING {
            return Err(format!(
                "{reason:?}: open for {length:?}, not between {least:?} and {most:?}"
            ));
        }
        let opened = Era {
            state: BreakerState::Open,
            reason,
            generation: self.era().generation + 1,
            at: now,
            until: now + length.as_micros() as u64,
            length,
            openings: openings + 1,
            is_trip: true,
            ..NEW
        };
        self.push(now, Event::Entered(opened));
        Ok(())
    }

    fn start_over(&mut self, state: BreakerState, reason: BreakerReason, now: u64) {
        self.push(now, Event::WelcomedAgain);
        self.enter(state, reason, now);
        if let Some((_, Event::Entered(era))) = self.events.last_mut() {
            era.openings = 0;
        }
    }

    fn enter(&mut self, state: BreakerState, reason: BreakerReason, now: u64) {
        let Era {
            generation,
            openings,
            ..
        } = self.era();
        let entered = Era {
            state,
            reason,
            generation: generation + 1,
            at: now,
            openings,
            ..NEW
        };
        self.push(now, Event::Entered(entered));
    }

    fn push(&mut self, at: u64, event: Event) {
        self.events.push((at, event));
    }

    fn era(&self) -> Era {
        let entered = self.events.iter().rev().find_map(|(_, event)| match event {
            Event::Entered(era) => Some(*era),
            _ => None,
        });
        entered.unwrap_or(NEW)
    }

    /// What has happened since the last transition.
    fn since(&self) -> &[(u64, Event)] {
        let is_entered = |(_, event): &(u64, Event)| matches!(event, Event::Entered(_));
        let last = self.events.iter().rposition(is_entered);
        &self.events[last.map_or(0, |last| last + 1)..]
    }

    fn age(&self, now: u64) -> Option<Duration> {
        let era = self.era();
        (era.generation > 0).then(|| micros(now - era.at) + era.before)
    }

    fn state(&self, now: u64) -> BreakerState {
        match self.era().state {
            BreakerState::Open if self.open_until().0 <= now => BreakerState::HalfOpen,
            state => state,
        }
    }

    /// When it is not open any more, and how long it is open in all: longer if it was told so since.
    fn open_until(&self) -> (u64, Duration) {
        let era = self.era();
        let is_told = |(_, event): &(u64, Event)| matches!(event, Event::TurnedAway(_));
        let until = match self.since().iter().any(is_told) {
            true => self.unwelcome_until().max(era.until),
            false => era.until,
        };
        (until, era.length + micros(until - era.until))
    }

    fn unwelcome_until(&self) -> u64 {
        let events = self.events.iter().rev().map(|(_, event)| event);
        let valid = events.take_while(|event| !matches!(event, Event::WelcomedAgain));
        let untils = valid.filter_map(|event| match event {
            Event::TurnedAway(until) => Some(*until),
            _ => None,
        });
        untils.max().unwrap_or(0)
    }

    /// Permits that are out.
    fn permits(&self) -> Vec<(u32, PortId, u64)> {
        let mut out = Vec::new();
        for (_, event) in self.since() {
            match event {
                Event::Granted(id, holder, until) => out.push((*id, *holder, *until)),
                Event::Back(id, _) => out.retain(|(other, ..)| other != id),
                _ => {}
            }
        }
        out
    }

    /// How permits have come back since the last transition.
    fn backs(&self) -> Vec<Back> {
        let backs = self.since().iter().filter_map(|(_, event)| match event {
            Event::Back(_, back) => Some(*back),
            _ => None,
        });
        backs.collect()
    }

    fn heard(&self, what: Back) -> usize {
        self.backs().iter().filter(|back| **back == what).count()
    }

    /// Whether nothing has failed after what ended so long before now.
    fn ends_the_row(&self, now: u64, ago: Duration) -> bool {
        let last = self
            .events
            .iter()
            .rev()
            .find_map(|(at, event)| match event {
                Event::Counted(Outcome::Failure(_), ..) => Some(*at),
                _ => None,
            });
        now.saturating_sub(ago.as_micros() as u64) >= last.unwrap_or(0)
    }

    /// Failures in a row.
    fn row(&self) -> u64 {
        let (mut row, mut failed_at) = (0, 0);
        for (at, event) in self.since() {
            match event {
                Event::Counted(Outcome::Failure(_), calls, _) => {
                    row += u64::from(calls.all);
                    failed_at = *at;
                }
                Event::Counted(Outcome::Success, _, ago)
                    if at.saturating_sub(ago.as_micros() as u64) >= failed_at =>
                {
                    row = 0;
                }
                _ => {}
            }
        }
        row
    }

    /// The last calls: whether each failed, and whether it was slow.
    fn last_calls(&self, now: u64) -> Vec<(bool, bool)> {
        let counted = self.since().iter().filter_map(|(at, event)| match event {
            Event::Counted(_, calls, _) => Some((*at, *calls)),
            _ => None,
        });
        let each = |calls: Calls| {
            (0..calls.all).map(move |call| (call < calls.failures, call < calls.slow))
        };
        match self.rules.window {
            // A window is forgotten by tenths.
            Last::Millis(millis) => {
                let tenth = millis * 100;
                let recent = counted.filter(|(at, _)| at / tenth + 10 > now / tenth);
                recent.flat_map(|(_, calls)| each(calls)).collect()
            }
            // Of more than there is room for the bad ones count.
            Last::Calls(most) => {
                let most = most as usize;
                let all = counted.flat_map(|(_, calls)| each(calls).take(most));
                let all: Vec<_> = all.collect();
                all[all.len().saturating_sub(most)..].to_vec()
            }
        }
    }

    fn counters(&self) -> BreakerCounters {
        let mut sum = BreakerCounters::default();
        for (_, event) in &self.events {
            match event {
                Event::Told(outcome, calls) => {
                    sum.slow += u64::from(calls.slow);
                    *match outcome {
                        Outcome::Success => &mut sum.successes,
                        Outcome::Failure(_) => &mut sum.failures,
                        Outcome::Neutral => &mut sum.neutral,
                        Outcome::Rejected => &mut sum.rejected,
                    } += u64::from(calls.all);
                }
                Event::Stale(calls) => sum.stale += u64::from(*calls),
                Event::Refused => sum.rejected += 1,
                Event::Back(_, Back::Died) => sum.neutral += 1,
                Event::Back(_, Back::Lost) => sum.expired += 1,
                Event::Entered(era) => sum.trips += u64::from(era.is_trip),
                Event::Again(true) => sum.retries += 1,
                Event::Again(false) => sum.exhausted += 1,
                Event::Back(..)
                | Event::Counted(..)
                | Event::TurnedAway(_)
                | Event::WelcomedAgain
                | Event::Granted(..) => {}
            }
        }
        sum
    }
}

pub fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}
