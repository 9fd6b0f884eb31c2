//! The breakers of all tabs, by name.

use core::time::Duration;
use std::rc::Rc;

use litemap::LiteMap;

use super::breaker::Breaker;
use super::budget::Purse;
use super::io::PortId;
use crate::protocol::{
    BreakerConfig, BreakerReason, BreakerState, Calls, Outcome, Permit, Refusal,
};
use crate::time::Time;

/// So many breakers are kept. The one that was used least recently makes room, one that is closed before one that is not.
pub const MOST: usize = 1000;

/// Who calls on behalf of nobody's tab: no driver numbers a port so.
pub const HUB: PortId = PortId(0);

/// The breakers, and who uses each.
#[derive(Debug, Default)]
pub struct Gates {
    by_name: LiteMap<Rc<str>, Gate>,
    changed: Vec<Rc<str>>,
    /// Those that the hub's own calls have changed, of which tabs have to be told.
    news: Vec<Rc<str>>,
    origin: String,
}

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

/// A breaker, and who uses it.
#[derive(Debug)]
pub struct Gate {
    /// Its name.
    pub name: Rc<str>,
    /// The breaker. Tabs hold its permits.
    pub breaker: Breaker<PortId>,
    /// How many calls may be made again.
    pub purse: Purse,
    /// The tabs that are told of it.
    pub ports: Vec<PortId>,
    used_at: Time,
}

impl Gate {
    /// Asks for the right to make a call. Tells as well whether there was a transition, of which all have to be told.
    pub fn acquire(
        &mut self,
        port: PortId,
        now: Time,
        rng: &mut fastrand::Rng,
    ) -> (Result<Permit, Refusal>, bool) {
        let before = self.breaker.generation();
        let verdict = self.breaker.acquire(port, now, rng);
        (verdict, self.breaker.generation() != before)
    }

    /// Calls have ended. Tells whether all have to be told: there was a transition, or it stays open for longer.
    pub fn report(
        &mut self,
        port: PortId,
        ended: Ended,
        now: Time,
        rng: &mut fastrand::Rng,
    ) -> bool {
        let before = (self.breaker.generation(), self.breaker.open_for());
        let (generation, permit) = ended.began;
        let calls = (ended.outcome, ended.calls, ended.ago);
        self.breaker
            .report((generation, permit, port), calls, now, rng);
        before != (self.breaker.generation(), self.breaker.open_for())
    }
}

impl Gates {
    /// The breaker of a name, if there is one, for use.
    pub fn get(&mut self, name: &str, now: Time) -> Option<&mut Gate> {
        let gate = self.by_name.get_mut(name)?;
        gate.used_at = now;
        Some(gate)
    }

    /// The breaker of a name, if this tab uses it, for use. One that had made room and is there again is not told to whom it was.
    pub fn get_of(&mut self, port: PortId, name: &str, now: Time) -> Option<&mut Gate> {
        let gate = self.get(name, now)?;
        gate.ports.contains(&port).then_some(gate)
    }

    /// The breaker of a name, made with these options if there is none.
    pub fn make(&mut self, name: &str, config: BreakerConfig, now: Time) -> Option<&mut Gate> {
        if !self.by_name.contains_key(name) {
            self.make_room(now);
            let name: Rc<str> = name.into();
            let gate = Gate {
                name: Rc::clone(&name),
                purse: Purse::new(config.retry_budget, now),
                breaker: Breaker::new(config),
                ports: Vec::new(),
                used_at: now,
            };
            self.by_name.insert(name, gate);
        }
        self.get(name, now)
    }

    /// The origin of the worker script.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Sets it.
    pub fn set_origin(&mut self, origin: String) {
        self.origin = origin;
    }

    /// Asks for a call of the hub's own.
    pub fn acquire_for_hub(
        &mut self,
        name: &str,
        now: Time,
        rng: &mut fastrand::Rng,
    ) -> Result<Permit, Refusal> {
        let Some(gate) = self.make(name, BreakerConfig::default(), now) else {
            return Err(Refusal {
                reason: BreakerReason::New,
                retry_after: None,
            });
        };
        let (verdict, is_news) = gate.acquire(HUB, now, rng);
        if is_news {
            let name = Rc::clone(&gate.name);
            self.news.push(name);
        }
        verdict
    }

    /// A call of the hub's own has ended.
    pub fn report_for_hub(
        &mut self,
        name: &str,
        permit: Permit,
        outcome: Outcome,
        now: Time,
        rng: &mut fastrand::Rng,
    ) {
        let Some(gate) = self.get(name, now) else {
            return;
        };
        let ended = Ended {
            began: (permit.generation, permit.id),
            outcome,
            calls: Calls {
                all: 1,
                failures: u32::from(matches!(outcome, Outcome::Failure(_))),
                slow: 0,
            },
            ago: Duration::ZERO,
        };
        if gate.report(HUB, ended, now, rng) {
            let name = Rc::clone(&gate.name);
            self.news.push(name);
        }
    }

    /// Takes the name of a breaker of which tabs have to be told.
    pub fn take_news(&mut self) -> Option<Rc<str>> {
        self.news.pop()
    }

    /// The breakers that a tab uses.
    pub fn of(&self, port: PortId) -> impl Iterator<Item = &Gate> {
        let gates = self.by_name.values();
        gates.filter(move |gate| gate.ports.contains(&port))
    }

    /// The next breaker that has been used since it was told of.
    pub fn take_changed(&mut self) -> Option<&Gate> {
        let name = self.changed.pop()?;
        self.by_name.get(&name)
    }

    /// Notes that a breaker has been used, for the next time that tabs are told. Tells whether it is the first.
    pub fn note_changed(&mut self, name: &str) -> bool {
        let is_first = self.changed.is_empty();
        if let Some(gate) = self.by_name.get(name)
            && !self.changed.contains(&gate.name)
        {
            self.changed.push(Rc::clone(&gate.name));
        }
        is_first
    }

    /// A tab is gone, and gives back what permits it had.
    pub fn remove_port(&mut self, port: PortId) {
        for (_, gate) in self.by_name.iter_mut() {
            gate.ports.retain(|own| *own != port);
            gate.breaker.release(port);
        }
    }

    fn make_room(&mut self, now: Time) {
        if self.by_name.len() < MOST {
            return;
        }
        let worth = |gate: &Gate| {
            (
                gate.breaker.state(now) != BreakerState::Closed,
                gate.used_at,
            )
        };
        let least = self.by_name.iter().min_by_key(|(_, gate)| worth(gate));
        if let Some(name) = least.map(|(name, _)| Rc::clone(name)) {
            self.by_name.remove(&name);
            self.changed.retain(|own| *own != name);
        }
    }
}
