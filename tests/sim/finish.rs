//! How a world ends: everything heals and settles, then everybody leaves, and the books are closed.

use std::collections::BTreeSet;

use core::time::Duration;

use tabwire::core::{FORGET_SUSPENDED_AFTER, PortId};

use crate::invariants::{Check, Held};
use crate::page::{Fate, Life, Stage};
use crate::plan::Action;
use crate::world::World;

/// Long enough for every timeout, wait and retry of the options drawn, one after the other.
const SETTLE: Duration = Duration::from_secs(150);
/// Long enough for dead tabs to be noticed and connections to linger.
const LEAVE: Duration = Duration::from_secs(100);

impl World {
    /// Lives through the plan and to the end.
    pub fn live(&mut self) -> Held {
        self.run_until(self.plan.end)?;
        self.heal()?;
        self.run_until(self.net.now() + SETTLE)?;
        for identity in 0..self.plan.identities.len() {
            self.carry_out(Action::Cast(identity as u8, 3, 100))?;
        }
        self.run_until(self.net.now() + Duration::from_secs(20))?;
        self.driver.reference().check_settled()?;
        self.leave()?;
        self.run_until(self.net.now() + LEAVE)?;
        let report = self.driver.report(PortId(0));
        let deadline = self.driver.deadline();
        self.driver.reference().check_empty(deadline, &report)?;
        self.close_the_books()
    }

    /// The server is back, the browser online, every page awake and quick.
    fn heal(&mut self) -> Held {
        self.carry_out(Action::Restart)?;
        self.set_online(true);
        for identity in 0..self.plan.identities.len() {
            self.carry_out(Action::Forbid(identity as u8, false))?;
        }
        for _ in 0..self.pages.len() {
            self.bring_back(0, true);
        }
        for page in &mut self.pages {
            page.inbox.set_pace(Duration::from_micros(5));
        }
        Ok(())
    }

    /// Every page leaves, each in its own way.
    fn leave(&mut self) -> Held {
        while let Some(index) = self.living().next() {
            let handles = self.pages[index].handles.len();
            if self.rng.bool() {
                for handle in 0..handles {
                    if self.pages[index].handles[handle].is_usable() {
                        self.pages[index].detach(handle, Some(4000), &mut self.net);
                    }
                }
            }
            let says_bye = self.rng.bool();
            self.carry_out(if says_bye { Action::Bye(0) } else { Action::Die(0) })?;
        }
        Ok(())
    }

    /// Every send has arrived once or was counted once, as far as anything was promised.
    fn close_the_books(&self) -> Held {
        let arrived = self.server.arrivals.iter().filter_map(|arrival| {
            let socket = self.driver.socket_of(arrival.link)?;
            Some((arrival.send, socket))
        });
        let arrivals: BTreeSet<_> = arrived.collect();
        let excused = self.driver.reference().check_arrivals(&arrivals)?;
        for page in &self.pages {
            for handle in &page.handles {
                for (send, fate) in handle.sends.fates() {
                    let copies = arrivals.range((send, LEAST)..).take_while(|(other, _)| *other == send).count();
                    let holds = match fate {
                        Fate::Reported(reason) => copies == 0 || handle.may_arrive_all_the_same(reason),
                        Fate::Settled => copies > 0 || excused.contains(&send),
                        Fate::Unsettled => page.life == Life::Dead || handle.stage == Stage::Ended(true),
                    };
                    let holds = holds && (copies <= 1 || handle.resends());
                    Check::SendsArriveOrAreCounted.require(holds, || {
                        format!("{send:?} of {:?} arrived {copies} times and is {fate:?}", page.no)
                    })?;
                }
            }
        }
        Ok(())
    }
}
