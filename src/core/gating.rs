//! What the hub does for the breakers of its tabs.

use core::time::Duration;
use std::rc::Rc;

use super::connection::Owner;
use super::gates::{Ended, Gate};
use super::hub::Hub;
use super::io::{Output, Payload, PortId, TimerReason};
use super::outputs::Outputs;
use super::tabs::{Mode, Tabs};
use crate::protocol::{
    BreakerOptions, BreakerReason, HubMessage, MessageError, Order, Outcome, Permit, Refusal,
    Snapshot, Wish, op,
};
use crate::time::Time;

/// Tabs are told of mere numbers this often at most.
const TELL_EVERY: Duration = Duration::from_secs(1);

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
        let config = options.resolve();
        let Some(gate) = self.gates.make(name, config.clone(), self.now) else {
            return;
        };
        if gate.ports.is_empty() && gate.breaker.config() != &config {
            // The hub's own calls go by whatever options there are.
            gate.breaker.set_config(config);
        }
        if !gate.ports.contains(&port) {
            gate.ports.push(port);
        }
        let is_news = snapshot.is_some_and(|known| gate.breaker.restore(&known, self.now));
        let mut ignored = Vec::new();
        options.differences(gate.breaker.config(), &mut ignored);
        let told = message(gate, ignored, self.now);
        self.out.push(Output::Post(port, told));
        if is_news {
            self.tell_of(name, |other| other != port);
        }
    }

    /// Calls have ended.
    pub(super) fn handle_outcome(&mut self, port: PortId, name: &str, ended: Ended) {
        let Some(gate) = self.gates.get_of(port, name, self.now) else {
            self.tell_ungated(port, name);
            return;
        };
        let is_news = gate.report(port, ended, self.now, &mut self.rng);
        if matches!(ended.outcome, Outcome::Success | Outcome::Failure(_)) {
            gate.purse.fill(ended.calls.all);
        }
        if is_news {
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
            self.tell_ungated(port, name);
            return;
        };
        let (verdict, is_news) = match wish {
            Wish::Call => gate.acquire(port, self.now, &mut self.rng),
            Wish::Retry if gate.purse.take(self.now) => {
                gate.breaker.counters.retries += 1;
                let permit = Permit {
                    id: 0,
                    generation: gate.breaker.generation(),
                    lease: None,
                };
                (Ok(permit), false)
            }
            Wish::Retry => {
                gate.breaker.counters.exhausted += 1;
                let refusal = Refusal {
                    reason: BreakerReason::BudgetSpent,
                    retry_after: None,
                };
                (Err(refusal), false)
            }
        };
        let verdict = HubMessage::Verdict {
            name: Rc::clone(&gate.name),
            id,
            verdict,
        };
        if is_news {
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
            None => self.tell_ungated(port, name),
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
            let told = message(gate, Vec::new(), self.now);
            self.out.push(Output::Post(port, told));
        }
    }

    /// Tells the tabs what was used since the last time.
    pub(super) fn tell_used(&mut self) {
        while let Some(gate) = self.gates.take_changed() {
            post(gate, |_| true, (&self.tabs, &mut self.out), self.now);
        }
    }

    /// This hub has no such breaker, or not for this tab.
    fn tell_ungated(&mut self, port: PortId, name: &str) {
        let told = HubMessage::Ungated(name.into());
        self.out.push(Output::Post(port, told));
    }

    fn tell_of(&mut self, name: &str, is_meant: impl Fn(PortId) -> bool) {
        if let Some(gate) = self.gates.get(name, self.now) {
            post(gate, is_meant, (&self.tabs, &mut self.out), self.now);
        }
    }

    fn note_used(&mut self, name: &str) {
        if self.gates.note_changed(name) {
            let at = self.now + TELL_EVERY;
            self.timers.set(Owner::Hub, TimerReason::Gates, at);
        }
    }
}

/// Tells the tabs that are meant, unless they sleep: those hear of it when they are back.
fn post<P>(
    gate: &Gate,
    is_meant: impl Fn(PortId) -> bool,
    (tabs, out): (&Tabs, &mut Outputs<P>),
    now: Time,
) {
    let told = message(gate, Vec::new(), now);
    for port in &gate.ports {
        if is_meant(*port) && tabs.mode(*port) != Mode::Suspended {
            out.push(Output::Post(*port, told.clone()));
        }
    }
}

fn message(gate: &Gate, ignored: Vec<&'static str>, now: Time) -> HubMessage {
    HubMessage::Breaker {
        name: Rc::clone(&gate.name),
        view: gate.breaker.view(now),
        ignored,
    }
}
