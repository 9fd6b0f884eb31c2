//! A breaker by itself, with callers.

use std::time::Duration;

use serde_json::{Value, json};
use tabwire::core::Breaker;
use tabwire::protocol::{
    BreakerOptions, BreakerState, Calls, Order, Outcome, Permit, Refusal, Snapshot,
};
use tabwire::time::Time;

use crate::json::Json;

pub const SUCCESS: Outcome = Outcome::Success;
pub const FAILURE: Outcome = Outcome::Failure(None);

/// Callers are numbers. Unless the options say otherwise nothing is drawn.
pub struct Bench {
    pub breaker: Breaker<u32>,
    pub now: Time,
    pub rng: fastrand::Rng,
}

impl Bench {
    pub fn new(mut options: Value) -> Self {
        if options.get("jitter").is_none() {
            options["jitter"] = json!(0);
        }
        let given = BreakerOptions::read(&Json(json!({"breaker": options})));
        Self {
            breaker: Breaker::new(given.unwrap().resolve()),
            now: Time::from_millis(1000),
            rng: fastrand::Rng::with_seed(7),
        }
    }

    /// One that two failures open for a second, with what else is given.
    pub fn quick(mut options: Value) -> Self {
        options["failureThreshold"] = json!(2);
        options["resetTimeout"] = json!(1000);
        Self::new(options)
    }

    /// A quick one that has just opened.
    pub fn open(options: Value) -> Self {
        let mut bench = Self::quick(options);
        bench.fail(2);
        assert_eq!(bench.state(), BreakerState::Open);
        bench
    }

    /// A quick one that has just let the first probe pass.
    pub fn half_open(options: Value) -> (Self, Permit) {
        let mut bench = Self::open(options);
        bench.pass(1000);
        let permit = bench.call();
        (bench, permit)
    }

    pub fn pass(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
    }

    pub fn state(&self) -> BreakerState {
        self.breaker.state(self.now)
    }

    pub fn reason(&self) -> &'static str {
        self.breaker.view(self.now).reason.code()
    }

    /// How long it stays open yet, in ms.
    pub fn left(&self) -> u128 {
        let view = self.breaker.view(self.now);
        view.remaining.unwrap_or_default().as_millis()
    }

    pub fn acquire(&mut self, holder: u32) -> Result<Permit, Refusal> {
        self.breaker.acquire(holder, self.now, &mut self.rng)
    }

    /// A call of the first caller, which is let pass.
    pub fn call(&mut self) -> Permit {
        self.acquire(1).unwrap()
    }

    /// The first caller is refused.
    pub fn refused(&mut self) -> Refusal {
        self.acquire(1).unwrap_err()
    }

    /// A call of a caller has ended.
    pub fn end_of(&mut self, holder: u32, permit: Permit, outcome: Outcome) {
        let calls = calls(outcome, 1, 0);
        self.told((permit.generation, permit.id, holder), outcome, calls, 0);
    }

    /// A call of the first caller has ended.
    pub fn end(&mut self, permit: Permit, outcome: Outcome) {
        self.end_of(1, permit, outcome);
    }

    /// A call of the first caller has ended, and was slow.
    pub fn end_slowly(&mut self, permit: Permit, outcome: Outcome) {
        let began = (permit.generation, permit.id, 1);
        self.told(began, outcome, calls(outcome, 1, 1), 0);
    }

    /// Calls that began in this generation have ended, one by one.
    pub fn ends(&mut self, outcome: Outcome, count: u32) {
        for _ in 0..count {
            self.batch(outcome, 1, 0, 0);
        }
    }

    pub fn fail(&mut self, count: u32) {
        self.ends(FAILURE, count);
    }

    pub fn succeed(&mut self, count: u32) {
        self.ends(SUCCESS, count);
    }

    /// Calls that began in this generation are reported together, the last ended so many ms ago.
    pub fn batch(&mut self, outcome: Outcome, count: u32, slow: u32, ago: u64) {
        let began = (self.breaker.generation(), 0, 1);
        self.told(began, outcome, calls(outcome, count, slow), ago);
    }

    pub fn force(&mut self, order: Order) {
        self.breaker.force(order, self.now);
    }

    /// What a tab remembers of it at this moment.
    pub fn snapshot(&self) -> Snapshot {
        let view = self.breaker.view(self.now);
        Snapshot {
            state: view.state,
            generation: view.generation,
            age: view.age.unwrap_or_default(),
            remaining: view.remaining.unwrap_or_default(),
            open_for: view.open_for,
            openings: view.openings,
        }
    }

    pub fn restore(&mut self, snapshot: &Snapshot) -> bool {
        self.breaker.restore(snapshot, self.now)
    }

    fn told(&mut self, began: (u32, u32, u32), outcome: Outcome, calls: Calls, ago: u64) {
        let ended = (outcome, calls, Duration::from_millis(ago));
        self.breaker.report(began, ended, self.now, &mut self.rng);
    }
}

fn calls(outcome: Outcome, all: u32, slow: u32) -> Calls {
    let is_failure = matches!(outcome, Outcome::Failure(_));
    let failures = if is_failure { all } else { 0 };
    Calls {
        all,
        failures,
        slow,
    }
}

/// A failure with a `Retry-After` of so many ms.
pub fn come_again_after(millis: u64) -> Outcome {
    Outcome::Failure(Some(Duration::from_millis(millis)))
}
