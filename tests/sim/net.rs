//! All that carries something from one to another, and when it arrives.

use core::time::Duration;

use tabwire::core::PortId;
use tabwire::protocol::TabMessage;
use tabwire::time::Time;

use crate::clock::Clock;
use crate::event::{Event, ToPage};
use crate::frame::Frame;
use crate::hubs::HubNo;
use crate::led::{LedEvent, Note};
use crate::link::{Down, LinkId, Links, Weather};
use crate::ports::Ports;
use crate::schedule::Schedule;

/// Links and ports, and the schedule by which things arrive.
#[derive(Debug)]
pub struct Net {
    /// What will happen.
    pub schedule: Schedule,
    /// The clocks of the computer.
    pub clock: Clock,
    /// The links to the server.
    pub links: Links,
    ports: Ports,
}

impl Net {
    /// Nothing is connected, and it is midnight.
    pub fn new(weather: Weather, rng: &mut fastrand::Rng) -> Self {
        Self {
            schedule: Schedule::default(),
            clock: Clock::default(),
            links: Links::new(weather, rng.fork()),
            ports: Ports::new(rng.fork()),
        }
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.schedule.now()
    }

    /// Plans an event.
    pub fn after(&mut self, delay: Duration, event: Event) {
        self.schedule.after(delay, event);
    }

    /// The server says something.
    pub fn go_down(&mut self, link: LinkId, what: Down) {
        self.links.go_down(&mut self.schedule, link, what);
    }

    /// A link breaks.
    pub fn reset(&mut self, link: LinkId, all: bool) {
        self.links.reset(&mut self.schedule, link, all);
    }

    /// The browser has lost the connections of a hub.
    pub fn drop_links(&mut self, hub: HubNo) {
        self.links.drop_all(&mut self.schedule, hub);
    }

    /// The connections of a hub are cut.
    pub fn cut(&mut self, hub: HubNo, arrives: bool) {
        self.links.cut(&mut self.schedule, hub, arrives);
    }

    /// Whoever listens at this port needs so long to start.
    pub fn hold_port(&mut self, port: PortId, startup: Duration) {
        let until = self.now() + startup;
        self.ports.hold(port, until);
    }

    /// Nothing comes through this port until then, and then all of it.
    pub fn cut_port(&mut self, port: PortId, until: Time) {
        self.ports.cut(port, until);
    }

    /// What a page posts to one port arrives after what it has posted to another.
    pub fn follow_port(&mut self, port: PortId, before: PortId) {
        self.ports.follow(port, before);
    }

    /// A page posts something to the hub.
    pub fn post_to_hub(&mut self, port: PortId, message: TabMessage<Frame>) {
        let at = self.ports.arrival_at_hub(port, self.now());
        self.schedule.at(at, Event::AtHub(port, message));
    }

    /// The hub posts something to a page.
    pub fn post_to_page(&mut self, port: PortId, message: ToPage) {
        let away = self.ports.note_post(port, &message);
        let at = self.ports.arrival_at_page(port, self.now());
        self.schedule.at(at, Event::AtPage(port, message, away));
    }

    /// This port is a channel to a page that follows.
    pub fn open_channel(&mut self, port: PortId) {
        self.ports.open_channel(port);
    }

    /// The page says something of its channel, by it.
    pub fn post_note(&mut self, port: PortId, note: Note) {
        let at = self.ports.arrival_at_hub(port, self.now());
        let event = Event::Led(LedEvent::AtChannel(port, note));
        self.schedule.at(at, event);
    }

    /// Such a note has come to the worker of the page that leads.
    pub fn hear_note(&mut self, port: PortId, note: Note) {
        match note {
            Note::Confirmed => self.ports.confirm(port),
            Note::Away(away) => self.ports.go_away(port, away),
        }
    }

    /// A message of a page has come to its hub: one that was away is told again what it may not have heard of failed sends.
    pub fn welcome_back(&mut self, port: PortId) {
        for message in self.ports.come_back(port) {
            self.post_to_page(port, message);
        }
    }
}
