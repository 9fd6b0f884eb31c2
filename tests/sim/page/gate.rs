//! The breaker that a page uses, as far as `www/client/gate.ts` goes when a hub takes the place of another.

use core::time::Duration;

use serde_json::json;
use tabwire::protocol::{
    BreakerOptions, BreakerState, BreakerView, Calls, Outcome, Permit, Refusal, TabMessage, Wish,
};

use super::TabNo;
use crate::breakers::Memory;
use crate::frame::Frame;
use crate::invariants::{Check, Held};
use crate::json::Json;
use crate::net::Net;

/// What a page knows of its breaker. Times are of its clock, in microseconds.
#[derive(Debug, Default)]
pub struct Gate {
    memory: Option<Memory>,
    /// Whether the hub that it greets next is one that it comes to.
    pub is_new: bool,
    /// What it knew when it said so to the hub that it has come to, and when that was.
    told: Option<(i64, Memory)>,
    asked: u32,
    /// How the call that it has asked for will end.
    will_fail: bool,
}

const NAME: &str = "api";
/// What rounding may come to.
const SLACK: i64 = 5000;

impl Gate {
    /// What it says to a hub.
    pub fn greet(&mut self, now: i64) -> TabMessage<Frame> {
        let is_new = core::mem::take(&mut self.is_new);
        self.told = self.memory.filter(|_| is_new).map(|memory| (now, memory));
        let given = json!({ "breaker": { "failureThreshold": 3, "resetTimeout": 20_000 } });
        TabMessage::Gate {
            name: NAME.into(),
            options: BreakerOptions::read(&Json(given)).map(Box::new),
            snapshot: self.memory.map(|memory| memory.snapshot(now)),
        }
    }

    /// A call begins and ends, or is asked for.
    pub fn call(&mut self, fails: bool) -> TabMessage<Frame> {
        let state = self.memory.map(|memory| memory.state);
        if state.is_none_or(|state| state == BreakerState::Closed) {
            let generation = self.memory.map_or(0, |memory| memory.generation);
            return report(generation, 0, fails);
        }
        self.asked += 1;
        self.will_fail = fails;
        TabMessage::Acquire {
            name: NAME.into(),
            id: self.asked,
            wish: Wish::Call,
        }
    }

    /// The hub has decided about a call that was asked for: it ends at once.
    pub fn decide(&mut self, verdict: Result<Permit, Refusal>) -> Option<TabMessage<Frame>> {
        let permit = verdict.ok()?;
        Some(report(permit.generation, permit.id, self.will_fail))
    }

    /// The hub tells how it is. If it has just been told that it is open, it is, and for no longer than that; unless it knows
    /// of something that has happened since.
    pub fn hear(&mut self, tab: TabNo, view: &BreakerView, now: i64) -> Held {
        let told = self.told.take();
        self.memory = Memory::of(view, now).or(self.memory);
        let Some((at, known)) = told else {
            return Ok(());
        };
        let rest = known.until - at;
        if known.state != BreakerState::Open || rest <= 0 {
            return Ok(());
        }
        let age = view.age.map(micros);
        // What was said has got older on its way without the hub's knowing.
        let is_later = age.is_some_and(|age| now - age > known.changed_at + (now - at) + SLACK);
        let is_open = view.state == BreakerState::Open;
        let holds = if view.generation == known.generation && view.open_for == known.open_for {
            // A page that was told late believes that it is open for longer than it is.
            let is_over = age.is_some_and(|age| age + SLACK >= micros(view.open_for));
            let remaining = view.remaining.map_or(0, micros);
            is_over || (is_open && remaining <= rest + SLACK)
        } else {
            // Hubs that knew nothing of each other have counted alike: this is of another time that it was open.
            let has_opened = is_open || view.state == BreakerState::HalfOpen;
            let is_as_late = age.is_some_and(|age| now - age + SLACK > known.changed_at);
            view.generation > known.generation
                || (view.generation == known.generation && has_opened)
                || (is_as_late && has_opened)
        };
        Check::BreakersOutliveTheirHub.require(is_later || holds, || {
            format!("{tab:?} knew {known:?} at {at}, and is told {view:?} at {now}")
        })
    }
}

/// The clock of a page.
pub fn clock_of(net: &Net) -> i64 {
    let now = net.clock.monotonic(net.now());
    micros(now.since(tabwire::time::Time::ZERO))
}

fn micros(span: Duration) -> i64 {
    span.as_micros() as i64
}

fn report(generation: u32, permit: u32, fails: bool) -> TabMessage<Frame> {
    let outcome = if fails {
        Outcome::Failure(None)
    } else {
        Outcome::Success
    };
    TabMessage::Outcome {
        name: NAME.into(),
        generation,
        permit,
        outcome,
        calls: Calls {
            all: 1,
            failures: fails.into(),
            slow: 0,
        },
        ago: Duration::ZERO,
    }
}
