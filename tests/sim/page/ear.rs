//! What a listener of a topic hears, and whether anything is missing.

use std::rc::Rc;

use crate::invariants::{Check, Held};
use crate::topics::{Message, TopicNo};

/// The judge of one listener.
#[derive(Debug)]
pub struct Ear {
    topic: TopicNo,
    has_positions: bool,
    heard: Option<Rc<Message>>,
    is_told: bool,
    /// Whether it was told last that its tab is too slow.
    pub is_slow: bool,
    /// What comes after this may come again: another listener of its tab lacks it.
    repeats_after: Option<u64>,
}

impl Ear {
    /// One that has heard nothing.
    pub fn new(topic: TopicNo, has_positions: bool) -> Self {
        Self {
            topic,
            has_positions,
            heard: None,
            is_told: false,
            is_slow: false,
            repeats_after: None,
        }
    }

    /// Of which topic it hears.
    pub fn topic(&self) -> TopicNo {
        self.topic
    }

    /// A listener of its tab is no further than this, and the tab gets what that one lacks.
    pub fn share(&mut self, least: Option<u64>) {
        self.repeats_after = least.filter(|least| Some(*least) < self.ordinal());
    }

    /// How far it is.
    pub fn ordinal(&self) -> Option<u64> {
        self.heard.as_ref().map(|message| message.ordinal)
    }

    /// Its user is told that something is or may be missing here.
    pub fn tell(&mut self, is_slow: bool) {
        self.is_told = true;
        self.is_slow |= is_slow;
    }

    /// It hears a message, or one that has come before it listened. Without positions nothing says how those follow each other.
    pub fn hear(&mut self, message: &Rc<Message>, is_kept: bool) -> Held {
        Check::ListenersHearTheirTopic.require(message.topic == self.topic, || {
            format!("a listener of {:?} hears {message:?}", self.topic)
        })?;
        let is_repeated = Some(message.ordinal) <= self.ordinal()
            && self
                .repeats_after
                .is_some_and(|after| message.ordinal > after);
        if is_repeated {
            return Ok(());
        }
        let before = self.heard.replace(Rc::clone(message));
        let was_told = core::mem::take(&mut self.is_told);
        self.is_slow = false;
        if is_kept && !self.has_positions {
            self.is_told = true;
            return Ok(());
        }
        let Some(before) = before else {
            return Ok(());
        };
        // A server that counts anew passes by positions that it had before: nobody can know which of the two it is.
        // Nor of one that has passed by the position of the listener of this tab which is furthest behind: that was asked for.
        let is_passed = message.position > before.position || self.repeats_after.is_some();
        let is_hidden = message.era != before.era && is_passed;
        let is_later = message.ordinal > before.ordinal || is_hidden;
        Check::TopicsKeepTheirOrder
            .require(is_later || (!self.has_positions && was_told), || {
                format!("{message:?} after {before:?}")
            })?;
        let is_next = message.ordinal <= before.ordinal + 1;
        Check::TopicHolesAreTold.require(is_next || was_told || is_hidden, || {
            format!("{message:?} after {before:?}, and no gap")
        })
    }
}
