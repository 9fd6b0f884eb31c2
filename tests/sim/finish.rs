//! How a world ends: everything heals and settles, then everybody leaves, and the books are closed.

use std::collections::{BTreeMap, BTreeSet};

use core::time::Duration;

use tabwire::core::{FORGET_SUSPENDED_AFTER, PortId};
use tabwire::protocol::SendFailure;

use crate::driver::Driver;
use crate::frame::SendNo;
use crate::invariants::{Check, Held};
use crate::page::{Candour, Fate, Handle, Life, Page, Stage};
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
        let awake = self.net.clock.wakes_at(self.net.now());
        // What sleep has put off happens before anything heals.
        self.run_until(awake.unwrap_or(self.net.now()) + Duration::from_millis(1))?;
        if self.plan.is_led {
            self.reunite()?;
        }
        self.heal()?;
        if self.plan.is_led {
            self.agree_who_leads()?;
        }
        self.run_until(self.net.now() + SETTLE)?;
        if self.plan.is_led {
            self.check_agreement()?;
        }
        for identity in 0..self.plan.identities.len() {
            if self.plan.speech.is_none_or(|speech| speech.has_others) {
                self.carry_out(Action::Cast(identity as u8, 3, 100))?;
            }
        }
        self.run_until(self.net.now() + Duration::from_secs(20))?;
        let now = self.net.clock.monotonic(self.net.now());
        for reference in self.hubs.living().filter_map(Driver::reference) {
            reference.check_settled(now)?;
        }
        self.settle_topics()?;
        self.leave()?;
        self.run_until(self.net.now() + FORGET_SUSPENDED_AFTER + LEAVE)?;
        for driver in self.hubs.living() {
            let report = driver.report(PortId(0));
            if let Some(reference) = driver.reference() {
                reference.check_empty(driver.deadline(), &report)?;
            }
        }
        self.check_hub_is_empty()?;
        self.close_the_books()
    }

    /// The server is back, the browser online, every worker and every page awake and quick.
    fn heal(&mut self) -> Held {
        self.carry_out(Action::Restart)?;
        self.set_online(true);
        for identity in 0..self.plan.identities.len() {
            self.carry_out(Action::Forbid(identity as u8, false))?;
        }
        for hub in self.hubs.frozen() {
            self.hubs.thaw(hub, &mut self.net);
        }
        for _ in 0..self.pages.len() {
            self.bring_back(0, true);
        }
        self.carry_out(Action::Tokens(false, false))?;
        for page in &mut self.pages {
            page.candour = Candour::default();
            page.inbox.set_pace(Duration::from_micros(5));
        }
        Ok(())
    }

    /// Every page leaves, each in its own way.
    fn leave(&mut self) -> Held {
        for index in self.living().collect::<Vec<_>>() {
            let handles = self.pages[index].handles.len();
            if self.rng.bool() {
                for handle in 0..handles {
                    if self.pages[index].handles[handle].is_usable() {
                        self.pages[index].detach(handle, Some(4000), &mut self.net);
                    }
                }
            }
            let says_bye = self.rng.bool();
            self.carry_out(if says_bye {
                Action::Bye(0)
            } else {
                Action::Die(0)
            })?;
        }
        Ok(())
    }

    /// Every send has arrived once or was counted once, as far as anything was promised.
    fn close_the_books(&self) -> Held {
        let mut excused = BTreeSet::new();
        for driver in self.hubs.all() {
            let arrived = self.server.arrivals.iter().filter_map(|arrival| {
                let socket = driver.socket_of(arrival.link)?;
                Some((arrival.send, socket))
            });
            let arrivals: BTreeSet<_> = arrived.collect();
            if let Some(reference) = driver.reference() {
                excused.append(&mut reference.check_arrivals(&arrivals)?);
            }
        }
        if self.plan.speech.is_some() {
            excused.extend(self.unproven());
        }
        let mut copies = BTreeMap::new();
        for arrival in &self.server.arrivals {
            *copies.entry(arrival.send).or_insert(0) += 1;
        }
        for (page, handle) in self.all_handles() {
            for (send, fate) in handle.sends.fates() {
                let copies = copies.get(&send).copied().unwrap_or(0);
                let holds = match fate {
                    Fate::Reported(SendFailure::Unknown) => true,
                    Fate::Reported(_) => {
                        copies == 0
                            || handle.resends
                            || excused.contains(&send)
                            || handle.sends.doubtful.contains(&send.number)
                    }
                    Fate::Settled => {
                        copies > 0
                            || excused.contains(&send)
                            || handle.sends.doubtful.contains(&send.number)
                    }
                    Fate::Unsettled => {
                        page.life == Life::Dead || handle.stage == Stage::Ended(true)
                    }
                };
                let is_doubtful = handle.sends.doubtful.contains(&send.number);
                let is_once = copies <= 1 || handle.resends || is_doubtful;
                Check::SendsArriveOrAreCounted.require(holds && is_once, || {
                    format!(
                        "{send:?} of {:?} arrived {copies} times and is {fate:?}",
                        page.no
                    )
                })?;
            }
        }
        Ok(())
    }

    /// What was handed by handles that ended before it was confirmed.
    fn unproven(&self) -> impl Iterator<Item = SendNo> {
        self.all_handles().flat_map(|(_, handle)| {
            let sends = handle.sends.fates().map(|(send, _)| send);
            sends.filter(|send| handle.sends.unproven.contains(&send.number))
        })
    }

    fn all_handles(&self) -> impl Iterator<Item = (&Page, &Handle)> {
        self.pages
            .iter()
            .flat_map(|page| page.handles.iter().map(move |handle| (page, handle)))
    }
}
