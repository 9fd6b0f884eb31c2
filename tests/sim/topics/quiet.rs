//! What must be true of topics once everything has healed and settled.

use std::collections::{BTreeMap, BTreeSet};

use core::time::Duration;

use tabwire::core::PortId;
use tabwire::protocol::{ConnId, RequestError};

use super::{Deed, TopicNo, Word};
use crate::hubs::HubNo;
use crate::invariants::{Check, Held};
use crate::page::{Handle, Life, Outcome, Page, Stage};
use crate::world::World;

/// A planned replacement may be under way: it is looked so often, and so many times.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOKS: u32 = 120;
/// So often every topic has a message; what one connection loses unplanned, the next gets.
const ROUNDS: u32 = 3;
const ROUND: Duration = Duration::from_secs(7);

/// How many times each hub has each topic of an identity.
type Counts = BTreeMap<(HubNo, usize, TopicNo), u32>;

impl World {
    /// Looks at topics when everything has settled.
    pub fn settle_topics(&mut self) -> Held {
        if self.plan.speech.is_none() {
            return Ok(());
        }
        self.check_subscriptions()?;
        let before = self.ordinals();
        let first = self.requests;
        for round in 0..ROUNDS {
            for identity in 0..self.plan.identities.len() {
                for topic in 0..self.topics() {
                    self.speak(identity, Word::Say(topic, 1));
                }
            }
            for tab in 0..self.living().count() {
                // What is asked now is answered.
                self.requests = self.requests.next_multiple_of(8) + 2;
                self.do_with_topics(tab as u8, round as u8, Deed::Ask(6000));
            }
            self.run_until(self.net.now() + ROUND)?;
        }
        self.check_listeners(&before)?;
        self.check_requests(first)
    }

    /// Looks at what the server holds against the hubs.
    pub fn check_broker(&self) -> Held {
        self.server
            .broker
            .as_ref()
            .map_or(Ok(()), |broker| broker.held().clone())
    }

    /// Nothing is left of what all have left.
    pub fn check_hub_is_empty(&self) -> Held {
        for driver in self.hubs.living() {
            let report = driver.report(PortId(0));
            let counts = (report.tabs, report.suspended, report.connections);
            let deadline = driver.deadline();
            Check::EverythingEnds.require(counts == (0, 0, 0) && deadline.is_none(), || {
                format!("there are {counts:?}, and {deadline:?}")
            })?;
        }
        Ok(())
    }

    fn topics(&self) -> u8 {
        self.plan.speech.map_or(0, |speech| speech.topics)
    }

    fn ordinals(&self) -> BTreeMap<(usize, TopicNo), u64> {
        let identities = 0..self.plan.identities.len();
        let all = identities
            .flat_map(|identity| (0..self.topics()).map(move |topic| (identity, TopicNo(topic))));
        all.map(|(identity, topic)| ((identity, topic), self.server.said(identity, topic)))
            .collect()
    }

    /// The server has been asked for exactly what is wanted, and for each topic once.
    fn check_subscriptions(&mut self) -> Held {
        for _ in 0..LOOKS {
            let (subscribed, least, most) =
                (self.subscribed(), self.wanted(false), self.wanted(true));
            if is_within(&least, &subscribed) && is_within(&subscribed, &most) {
                return Ok(());
            }
            self.run_until(self.net.now() + LOOK_EVERY)?;
        }
        let (wanted, subscribed) = (self.wanted(false), self.subscribed());
        Err(Check::TopicsAreThoseWanted.breach(format!("{wanted:?} != {subscribed:?}")))
    }

    /// What the pages want: each topic once for each connection. Those too, if wished, of which their hub cannot know that they are dead.
    fn wanted(&self, with_ghosts: bool) -> Counts {
        let mut wanted: BTreeSet<(HubNo, ConnId, usize, TopicNo)> = BTreeSet::new();
        let is_there = |page: &&Page| page.life != Life::Dead || (with_ghosts && page.is_ghost);
        let pages = self.pages.iter().filter(is_there);
        for page in pages.filter(|page| self.has_hub(page)) {
            for handle in page.handles.iter().filter(|handle| handle.is_usable()) {
                let (Some(hub), Some(conn), Some(topics)) =
                    (page.hub(), handle.conn, &handle.topics)
                else {
                    continue;
                };
                if !with_ghosts && !is_served(&handle) {
                    continue;
                }
                for ear in topics.listening() {
                    wanted.insert((hub, conn, handle.identity(), ear.topic()));
                }
            }
        }
        let mut counts = Counts::new();
        for (hub, _, identity, topic) in wanted {
            *counts.entry((hub, identity, topic)).or_default() += 1;
        }
        counts
    }

    fn subscribed(&self) -> Counts {
        let mut counts = Counts::new();
        let Some(broker) = &self.server.broker else {
            return counts;
        };
        for identity in 0..self.plan.identities.len() {
            for link in self.server.sessions(identity) {
                if let Some(hub) = self.net.links.user_of(link)
                    && self.hubs.living().any(|driver| driver.no() == hub)
                {
                    for topic in broker.subscribed(link) {
                        *counts.entry((hub, identity, topic)).or_default() += 1;
                    }
                }
            }
        }
        counts
    }

    /// Whether the hub of a page lives. The pages here have no ladder: one whose first hello was lost with its worker has none, and one that
    /// was welcomed by a dead hub does not notice.
    fn has_hub(&self, page: &Page) -> bool {
        let hub = page.hub();
        self.hubs.living().any(|driver| Some(driver.no()) == hub)
    }

    /// Every listener hears of what has been said now.
    fn check_listeners(&self, before: &BTreeMap<(usize, TopicNo), u64>) -> Held {
        for index in self.living() {
            let page = &self.pages[index];
            if !self.has_hub(page) {
                continue;
            }
            for handle in page.handles.iter().filter(is_served) {
                let listening = handle.topics.iter().flat_map(|topics| topics.listening());
                for ear in listening.filter(|ear| !ear.topic().is_refused() && !ear.is_slow) {
                    let (topic, heard) = (ear.topic(), ear.ordinal());
                    let said = before.get(&(handle.identity(), topic)).copied();
                    Check::ListenersAreServed.require(heard > said, || {
                        format!(
                            "{:?} of {:?} has heard {heard:?} of {topic:?}, and {said:?} were before",
                            handle.id, page.no
                        )
                    })?;
                }
            }
        }
        Ok(())
    }

    /// What was asked in quiet times has been answered.
    fn check_requests(&self, first: u32) -> Held {
        for page in self.pages.iter().filter(|page| self.has_hub(page)) {
            for handle in page.handles.iter().filter(is_served) {
                let outcomes = handle.topics.iter().flat_map(|topics| topics.outcomes());
                for (number, outcome) in outcomes.filter(|(number, _)| *number >= first) {
                    let holds = matches!(
                        outcome,
                        Some(
                            Outcome::Answered
                                | Outcome::Lost
                                | Outcome::Unanswered(RequestError::Lost)
                        )
                    );
                    Check::RequestsGetTheirAnswer.require(holds, || {
                        format!("request {number} of {:?}: {outcome:?}", page.no)
                    })?;
                }
            }
        }
        Ok(())
    }
}

/// Whether the hub has a handle, and what it needs for it.
fn is_served(handle: &&Handle) -> bool {
    handle.stage == Stage::Attached && !handle.view.waits
}

fn is_within(few: &Counts, many: &Counts) -> bool {
    few.iter()
        .all(|(what, count)| many.get(what).is_some_and(|most| count <= most))
}
