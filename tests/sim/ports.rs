//! The ports between pages and hub: quick, in order, and never lossy.

use std::collections::{BTreeMap, VecDeque};

use core::time::Duration;

use tabwire::core::PortId;
use tabwire::protocol::HubMessage;
use tabwire::time::Time;

use crate::event::ToPage;

/// When what is posted through a port arrives.
#[derive(Debug)]
pub struct Ports {
    rng: fastrand::Rng,
    last: BTreeMap<PortId, (Time, Time)>,
    channels: BTreeMap<PortId, Channel>,
}

/// The end of a port at the worker of a page that leads, where the port is a channel that the follower closes now and then.
#[derive(Debug, Default)]
struct Channel {
    /// How often the follower has said that it closes it.
    away: u32,
    is_away: bool,
    /// What it was told of failed sends, and has not confirmed.
    unconfirmed: VecDeque<ToPage>,
}

impl Ports {
    /// No ports yet.
    pub fn new(rng: fastrand::Rng) -> Self {
        Self {
            rng,
            last: BTreeMap::new(),
            channels: BTreeMap::new(),
        }
    }

    /// This port is a channel.
    pub fn open_channel(&mut self, port: PortId) {
        self.channels.insert(port, Channel::default());
    }

    /// A message is posted to a page. Returns how often that was away, as far as is known.
    pub fn note_post(&mut self, port: PortId, message: &ToPage) -> u32 {
        let Some(channel) = self.channels.get_mut(&port) else {
            return 0;
        };
        if matches!(message, ToPage::Message(HubMessage::Failed { .. })) {
            channel.unconfirmed.push_back(message.clone());
        }
        channel.away
    }

    /// The page has heard of failed sends.
    pub fn confirm(&mut self, port: PortId) {
        if let Some(channel) = self.channels.get_mut(&port) {
            channel.unconfirmed.pop_front();
        }
    }

    /// The page has closed its channel.
    pub fn go_away(&mut self, port: PortId, away: u32) {
        if let Some(channel) = self.channels.get_mut(&port) {
            channel.away = away;
            channel.is_away = true;
        }
    }

    /// The page says something. Returns what it has to be told again, if it was away.
    pub fn come_back(&mut self, port: PortId) -> VecDeque<ToPage> {
        let channel = self.channels.get_mut(&port);
        let Some(channel) = channel.filter(|channel| channel.is_away) else {
            return VecDeque::new();
        };
        channel.is_away = false;
        core::mem::take(&mut channel.unconfirmed)
    }

    /// When a message that a page posts now arrives at the hub.
    pub fn arrival_at_hub(&mut self, port: PortId, now: Time) -> Time {
        let at = now + self.delay();
        let (last, _) = self.last.entry(port).or_default();
        *last = at.max(*last);
        *last
    }

    /// When a message that the hub posts now arrives at a page.
    pub fn arrival_at_page(&mut self, port: PortId, now: Time) -> Time {
        let at = now + self.delay();
        let (_, last) = self.last.entry(port).or_default();
        *last = at.max(*last);
        *last
    }

    /// What is posted to the hub waits until then.
    pub fn hold(&mut self, port: PortId, until: Time) {
        let (last, _) = self.last.entry(port).or_default();
        *last = until.max(*last);
    }

    /// What is posted in either direction waits until then.
    pub fn cut(&mut self, port: PortId, until: Time) {
        self.hold(port, until);
        let (_, last) = self.last.entry(port).or_default();
        *last = until.max(*last);
    }

    /// What is posted to the hub through a port comes after what was posted through another.
    pub fn follow(&mut self, port: PortId, before: PortId) {
        if let Some((last, _)) = self.last.get(&before) {
            self.hold(port, *last);
        }
    }

    /// Mostly well below a millisecond, now and then some.
    fn delay(&mut self) -> Duration {
        let most = if self.rng.u8(0..20) == 0 { 4000 } else { 300 };
        Duration::from_micros(self.rng.u64(30..=most))
    }
}
