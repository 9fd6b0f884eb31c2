//! What a page has been told and has not handled: it does one thing at a time, at its own pace.

use std::collections::VecDeque;

use core::time::Duration;

use tabwire::time::Time;

use super::TabNo;
use crate::event::{Event, ToPage};
use crate::net::Net;

/// Messages in their order of arrival.
#[derive(Debug)]
pub struct Inbox {
    owner: TabNo,
    waiting: VecDeque<ToPage>,
    pace: Duration,
    blocked_until: Time,
    turn: u64,
    is_running: bool,
}

/// What a message costs whatever is in it.
const EACH: Duration = Duration::from_micros(20);

impl Inbox {
    /// An empty inbox of a quick page.
    pub fn new(owner: TabNo) -> Self {
        Self {
            owner,
            waiting: VecDeque::new(),
            pace: Duration::from_micros(5),
            blocked_until: Time::ZERO,
            turn: 0,
            is_running: false,
        }
    }

    /// Whether nothing waits and nothing keeps the page busy.
    pub fn is_idle(&self, now: Time) -> bool {
        self.waiting.is_empty() && self.blocked_until <= now
    }

    /// Until when the page does nothing.
    pub fn blocked_until(&self) -> Time {
        self.blocked_until
    }

    /// How long each message of a batch takes from now on.
    pub fn set_pace(&mut self, pace: Duration) {
        self.pace = pace;
    }

    /// The page does nothing for a while.
    pub fn block(&mut self, until: Time) {
        self.blocked_until = self.blocked_until.max(until);
    }

    /// Adds a message, and starts with it if nothing else is being handled and the page is awake.
    pub fn push(&mut self, message: ToPage, is_awake: bool, net: &mut Net) {
        self.waiting.push_back(message);
        if is_awake && !self.is_running {
            self.start(net);
        }
    }

    /// Starts with what is first, if there is something.
    pub fn start(&mut self, net: &mut Net) {
        self.turn += 1;
        self.is_running = !self.waiting.is_empty();
        let cost = match self.waiting.front() {
            None => return,
            Some(ToPage::Batch { frames, .. }) => EACH + self.pace * frames.len() as u32,
            Some(_) => EACH,
        };
        let at = self.blocked_until.max(net.now()) + cost;
        net.schedule.at(at, Event::Turn(self.owner, self.turn));
    }

    /// What is about to be handled, unless the turn was called off.
    pub fn first(&self, turn: u64) -> Option<&ToPage> {
        let is_on = self.is_running && turn == self.turn;
        self.waiting.front().filter(|_| is_on)
    }

    /// Takes what has been handled, unless the turn was called off.
    pub fn take(&mut self, turn: u64) -> Option<ToPage> {
        if !self.is_running || turn != self.turn {
            return None;
        }
        self.waiting.pop_front()
    }

    /// Handles nothing from now on.
    pub fn stop(&mut self) {
        self.is_running = false;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.is_running = false;
    }
}
