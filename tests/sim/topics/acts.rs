//! What the actions with topics do to a world.

use core::time::Duration;

use super::{Deed, TopicNo, Word};
use crate::event::Event;
use crate::page::{HandleIndex, TabNo};
use crate::plan::Action;
use crate::world::World;

/// One topic of so many that pages ask for is refused.
const REFUSED_OF: u8 = 12;

impl World {
    /// The topic with this number of a world that has some.
    fn topic(&self, number: u8) -> Option<TopicNo> {
        let speech = self.plan.speech.as_ref()?;
        Some(TopicNo(number % speech.topics))
    }

    /// A page does something with topics.
    pub fn do_with_topics(&mut self, tab: u8, handle: u8, deed: Deed) {
        let Some(speech) = self.plan.speech else {
            return;
        };
        match deed {
            Deed::Subscribe(number, replay) => {
                let topic = if speech.answers && number.is_multiple_of(REFUSED_OF) {
                    TopicNo::refused(number / REFUSED_OF)
                } else {
                    TopicNo((number / REFUSED_OF) % speech.topics)
                };
                self.with_handle(tab, handle, |page, index, net| {
                    page.subscribe(index, topic, replay.into(), net);
                });
            }
            Deed::Unsubscribe(number) => self.with_handle(tab, handle, |page, index, net| {
                page.unsubscribe(index, number, net);
            }),
            Deed::Publish(number, count) => {
                let Some(topic) = self.topic(number) else {
                    return;
                };
                self.with_handle(tab, handle, |page, index, net| {
                    page.publish(index, topic, count, net);
                });
            }
            Deed::Ask(millis) => {
                let number = self.requests;
                self.requests += 1;
                let patience = Duration::from_millis(millis.into());
                self.with_handle(tab, handle, |page, index, net| {
                    page.ask(index, (number, patience), net);
                });
            }
        }
    }

    /// A server does something with its topics.
    pub fn speak(&mut self, identity: usize, word: Word) {
        match word {
            Word::Say(number, count) => {
                if let Some(topic) = self.topic(number) {
                    for _ in 0..count {
                        self.server.say_of(&mut self.net, identity, topic);
                    }
                }
            }
            Word::Forget => {
                self.disturb(identity);
                self.server.reset(&mut self.net, identity, false);
                self.server.forget(identity);
            }
            Word::Hint(delay) => self.server.hint(&mut self.net, identity, delay),
        }
    }

    /// A page has waited long enough for an answer, once it can notice.
    pub fn lose_patience(&mut self, tab: TabNo, handle: HandleIndex, number: u32) {
        let page = &mut self.pages[tab.0 as usize];
        if page.life == crate::page::Life::Suspended {
            let later = Event::Patience(tab, handle, number);
            self.net.after(Duration::from_secs(1), later);
        } else if page.is_awake() {
            page.give_up(handle, number, &mut self.net);
        }
    }
}

impl Action {
    /// Whether a world in which nothing is said without a topic may have it.
    pub fn needs_others(self) -> bool {
        matches!(self, Self::Cast(..))
    }
}
