//! What a hub must say of its breakers, and to whom.

use std::collections::BTreeSet;

use tabwire::core::PortId;
use tabwire::protocol::{
    BreakerReason, BreakerView, Calls, Order, Outcome, Permit, Refusal, Snapshot, Wish,
};

use core::time::Duration;

use super::model::Model;
use super::rules::{Budget, Rules};

/// What is said to a tab. Breakers are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// How it is.
    Breaker(usize),
    /// An answer to a tab that asks.
    Verdict(usize, u32, Result<Permit, Refusal>),
    /// The tab does not use it.
    Ungated(usize),
}

/// What is to be said, in order.
pub type Saying = Vec<(PortId, Said)>;

/// A report of calls.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    pub generation: u32,
    pub permit: u32,
    pub outcome: Outcome,
    pub calls: Calls,
    pub ago: Duration,
}

/// What a hub has told so far in this step, which shows what it has drawn.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub views: &'a [BreakerView],
    pub verdict: Option<Result<Permit, Refusal>>,
}

/// The books of one hub.
#[derive(Debug)]
pub struct Books {
    breakers: Vec<Entry>,
    /// Breakers with numbers that have not been told, and when they are.
    untold: Vec<usize>,
    pub tell_at: Option<u64>,
    pub suspended: BTreeSet<PortId>,
}

#[derive(Debug)]
struct Entry {
    model: Model,
    users: BTreeSet<PortId>,
    budget: Budget,
    born_at: u64,
    /// When calls have ended and how many, or when one was made again.
    spent: Vec<(u64, Option<u32>)>,
}

const TELL_EVERY: u64 = 1_000_000;

impl Books {
    pub fn new(rules: &[Rules], now: u64) -> Self {
        let breakers = rules.iter().map(|rules| Entry {
            model: Model::new(rules.clone()),
            users: BTreeSet::new(),
            budget: rules.budget,
            born_at: now,
            spent: Vec::new(),
        });
        Self {
            breakers: breakers.collect(),
            untold: Vec::new(),
            tell_at: None,
            suspended: BTreeSet::new(),
        }
    }

    pub fn view(&self, of: usize, now: u64) -> BreakerView {
        self.breakers[of].model.view(now)
    }

    /// How long it is until something is different.
    pub fn until_next(&self, of: usize, now: u64) -> u64 {
        self.breakers[of].model.until_next(now)
    }

    pub fn gate(&mut self, port: PortId, of: usize, known: Option<Snapshot>, now: u64) -> Saying {
        let entry = &mut self.breakers[of];
        entry.users.insert(port);
        let is_news = known.is_some_and(|known| entry.model.restore(&known, now));
        let mut saying = vec![(port, Said::Breaker(of))];
        if is_news {
            saying.extend(self.tell(of, |user| user != port));
        }
        saying
    }

    pub fn outcome(
        &mut self,
        port: PortId,
        of: usize,
        ended: Ended,
        (now, shown): (u64, Shown<'_>),
    ) -> Result<Saying, String> {
        let entry = &mut self.breakers[of];
        if !entry.users.contains(&port) {
            return Ok(vec![(port, Said::Ungated(of))]);
        }
        let before = entry.model.view(now);
        let began = (ended.generation, ended.permit, port);
        let how = (ended.outcome, ended.calls, ended.ago);
        entry.model.report(began, how, now, &shown.views[of])?;
        let is_failure = matches!(ended.outcome, Outcome::Failure(_));
        if is_failure || ended.outcome == Outcome::Success {
            entry.spent.push((now, Some(ended.calls.all)));
        }
        let after = entry.model.view(now);
        let is_changed = (before.generation, before.open_for) != (after.generation, after.open_for);
        self.note(of, now);
        Ok(self.tell(of, |user| is_changed || (is_failure && user == port)))
    }

    pub fn acquire(
        &mut self,
        port: PortId,
        (of, id, wish): (usize, u32, Wish),
        (now, shown): (u64, Shown<'_>),
    ) -> Result<Saying, String> {
        let entry = &mut self.breakers[of];
        if !entry.users.contains(&port) {
            return Ok(vec![(port, Said::Ungated(of))]);
        }
        let Some(given) = shown.verdict else {
            return Err("no verdict".into());
        };
        let before = entry.model.generation();
        let verdict = match wish {
            Wish::Call => entry.model.acquire((port, now), &shown.views[of], given)?,
            Wish::Retry => entry.again(given.is_ok(), now),
        };
        let is_changed = entry.model.generation() != before;
        let mut saying = self.tell(of, |_| is_changed);
        saying.push((port, Said::Verdict(of, id, verdict)));
        self.note(of, now);
        Ok(saying)
    }

    pub fn force(&mut self, of: usize, order: Order, now: u64) -> Saying {
        self.breakers[of].model.force(order, now);
        self.tell(of, |_| true)
    }

    /// A tab is back.
    pub fn wake(&mut self, port: PortId) -> Saying {
        self.suspended.remove(&port);
        let all = 0..self.breakers.len();
        let used = all.filter(|of| self.breakers[*of].users.contains(&port));
        used.map(|of| (port, Said::Breaker(of))).collect()
    }

    pub fn remove(&mut self, port: PortId, now: u64) {
        self.suspended.remove(&port);
        for entry in &mut self.breakers {
            entry.users.remove(&port);
            entry.model.release(port, now);
        }
    }

    /// The time has come to tell numbers, if it has.
    pub fn tell_numbers(&mut self, now: u64) -> Saying {
        if self.tell_at.is_none_or(|at| at > now) {
            return Saying::new();
        }
        self.tell_at = None;
        let untold = core::mem::take(&mut self.untold);
        let newest_first = untold.into_iter().rev();
        newest_first
            .flat_map(|of| self.tell(of, |_| true))
            .collect()
    }

    fn tell(&self, of: usize, is_meant: impl Fn(PortId) -> bool) -> Saying {
        let users = self.breakers[of].users.iter().copied();
        let awake = users.filter(|port| is_meant(*port) && !self.suspended.contains(port));
        awake.map(|port| (port, Said::Breaker(of))).collect()
    }

    fn note(&mut self, of: usize, now: u64) {
        self.tell_at.get_or_insert(now + TELL_EVERY);
        if !self.untold.contains(&of) {
            self.untold.push(of);
        }
    }
}

impl Entry {
    /// A call is to be made again. Where it is a matter of rounding whether it can be, the hub decides.
    fn again(&mut self, is_given: bool, now: u64) -> Result<Permit, Refusal> {
        let left = self.left(now);
        let is_granted = if (left - 1.0).abs() < 1e-6 {
            is_given
        } else {
            left > 1.0
        };
        self.model.again(is_granted, now);
        if !is_granted {
            return Err(Refusal {
                reason: BreakerReason::BudgetSpent,
                retry_after: None,
            });
        }
        self.spent.push((now, None));
        Ok(Permit {
            id: 0,
            generation: self.model.generation(),
            lease: None,
        })
    }

    /// How many calls may be made again.
    fn left(&self, now: u64) -> f64 {
        let Budget {
            ratio,
            per_second,
            burst,
        } = self.budget;
        let (mut left, mut at) = (burst, self.born_at);
        let ends = core::iter::once((now, Some(0)));
        for (then, ended) in self.spent.iter().copied().chain(ends) {
            left = burst.min(left + per_second * (then - at) as f64 / 1e6);
            left = match ended {
                Some(calls) => burst.min(left + ratio * f64::from(calls)),
                None => left - 1.0,
            };
            at = then;
        }
        left
    }
}
