//! What the hub does for the breakers of its tabs.

use core::time::Duration;
use std::rc::Rc;

use super::connection::Owner;
use super::gates::Gate;
use super::hub::Hub;
use super::io::{Output, Payload, PortId, TimerReason};
use super::tabs::Mode;
use crate::protocol::{
    BreakerOptions, BreakerReason, Calls, HubMessage, MessageError, Order, Outcome, Permit,
    Refusal, Snapshot, Wish, op,
};

/// Tabs are told of mere numbers this often at most.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A report of calls that have ended alike.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// The generation in which they began, and the permit of the one call or 0.
    pub began: (u32, u32),
    /// How they have ended.
    pub outcome: Outcome,
    /// How many they are.
    pub calls: Calls,
    /// How long ago the last of them ended.
    pub ago: Duration,
}

impl<P: Payload> Hub<P> {
    /// A tab uses a breaker from now on.
    pub(super) fn gate(
        &mut self,
        port: PortId,
        name: &str,
        options: &Result<Box<BreakerOptions>, &'static str>,
        snapshot: Option<Snapshot>,
    ) {
        let Ok(options) = options else {
            self.refuse(port, op::GATE, MessageError::Malformed);
            return;
        };
        let Some(gate) = self.gates.make(name, options.resolve(), self.now) else {
            return;
        };
        if gate.ports.is_empty() && gate.breaker.config() != &options.resolve() {
            // The hub's own calls go by whatever options there are.
            gate.breaker.set_config(options.resolve());
        }
        if !gate.ports.contains(&port) {
            gate.ports.push(port);
        }
        let is_news = snapshot.is_some_and(|known| gate.breaker.restore(&known, self.now));
        let mut ignored = Vec::new();
        options.differences(gate.breaker.config(), &mut ignored);
        let told = HubMessage::Breaker {
            name: Rc::clone(&gate.name),
            view: gate.breaker.view(self.now),
            ignored,
        };
        self.out.push(Output::Post(port, told));
        if is_news {
            self.tell_of(name, |other| other != port);
        }
    }

    /// Calls have ended.
    pub(super) fn handle_outcome(&mut self, port: PortId, name: &str, ended: Ended) {
        let Some(gate) = self.gates.get_of(port, name, self.now) else {
            self.out
                .push(Output::Post(port, HubMessage::Ungated(name.into())));
            return;
        };
        let before = gate.breaker.view(self.now);
        let (generation, permit) = ended.began;
        gate.breaker.report(
            (generation, permit, port),
            (ended.outcome, ended.calls, ended.ago),
            self.now,
            &mut self.rng,
        );
        let after = gate.breaker.view(self.now);
        if matches!(ended.outcome, Outcome::Success | Outcome::Failure(_)) {
            gate.purse.fill(ended.calls.all);
        }
        if after.generation != before.generation || after.open_for != before.open_for {
            self.tell_of(name, |_| true);
        } else if matches!(ended.outcome, Outcome::Failure(_)) {
            // Until then the tab does not know whether it was the last that may fail.
            self.tell_of(name, |own| own == port);
        }
        self.note_used(name);
    }

    /// A tab asks whether it may make a call.
    pub(super) fn acquire(&mut self, port: PortId, name: &str, id: u32, wish: Wish) {
        let Some(gate) = self.gates.get_of(port, name, self.now) else {
            self.out
                .push(Output::Post(port, HubMessage::Ungated(name.into())));
            return;
        };
        let generation = gate.breaker.generation();
        let verdict = match wish {
            Wish::Call => gate.breaker.acquire(port, self.now, &mut self.rng),
            Wish::Retry if gate.purse.take(self.now) => {
                gate.breaker.counters.retries += 1;
                Ok(Permit {
                    id: 0,
                    generation,
                    lease: None,
                })
            }
            Wish::Retry => {
                gate.breaker.counters.exhausted += 1;
                Err(Refusal {
                    reason: BreakerReason::BudgetSpent,
                    retry_after: None,
                })
            }
        };
        let has_changed = gate.breaker.generation() != generation;
        let verdict = HubMessage::Verdict {
            name: Rc::clone(&gate.name),
            id,
            verdict,
        };
        if has_changed {
            self.tell_of(name, |_| true);
        }
        self.out.push(Output::Post(port, verdict));
        self.note_used(name);
    }

    /// Somebody decides about a breaker.
    pub(super) fn force(&mut self, port: PortId, name: &str, order: Order) {
        match self.gates.get(name, self.now) {
            Some(gate) => {
                gate.breaker.force(order, self.now);
                self.tell_of(name, |_| true);
            }
            None => self
                .out
                .push(Output::Post(port, HubMessage::Ungated(name.into()))),
        }
    }

    /// Tells the tabs what the hub's own calls have changed.
    pub(super) fn tell_news(&mut self) {
        while let Some(name) = self.gates.take_news() {
            self.tell_of(&name, |_| true);
        }
    }

    /// A tab is back: what it has not been told meanwhile.
    pub(super) fn tell_gates(&mut self, port: PortId) {
        for gate in self.gates.of(port) {
            self.out.push(Output::Post(port, message(gate, self.now)));
        }
    }

    /// Tells the tabs what was used since the last time.
    pub(super) fn tell_used(&mut self) {
        while let Some(gate) = self.gates.take_changed() {
            let told = message(gate, self.now);
            for port in &gate.ports {
                if self.tabs.mode(*port) != Mode::Suspended {
                    self.out.push(Output::Post(*port, told.clone()));
                }
            }
        }
    }

    fn tell_of(&mut self, name: &str, is_meant: impl Fn(PortId) -> bool) {
        let Some(gate) = self.gates.get(name, self.now) else {
            return;
        };
        let told = message(gate, self.now);
        for port in &gate.ports {
            if is_meant(*port) && self.tabs.mode(*port) != Mode::Suspended {
                self.out.push(Output::Post(*port, told.clone()));
            }
        }
    }

    fn note_used(&mut self, name: &str) {
        if self.gates.note_changed(name) {
            let at = self.now + TELL_EVERY;
            self.timers.set(Owner::Hub, TimerReason::Gates, at);
        }
    }
}

fn message(gate: &Gate, now: crate::time::Time) -> HubMessage {
    HubMessage::Breaker {
        name: Rc::clone(&gate.name),
        view: gate.breaker.view(now),
        ignored: Vec::new(),
    }
}
