//! The links between browser and server: slow, in order, and broken now and then.

use std::collections::{BTreeMap, BTreeSet};

use core::time::Duration;

use tabwire::core::{SocketEvent, SocketId};
use tabwire::time::Time;

use crate::event::Event;
use crate::frame::Frame;
use crate::hubs::HubNo;
use crate::schedule::Schedule;

/// A WebSocket of the browser and the way to its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(pub u32);

/// What goes from browser to server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Up {
    /// The handshake, for an identity, with the token that goes with it.
    Connect(usize, Option<String>),
    /// A frame.
    Frame(Frame),
    /// A close frame, with its code.
    Close(Option<u16>),
    /// The end of the connection, without a close frame: the worker that had it is no more.
    Cut,
}

/// What goes from server to browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Down {
    /// The handshake was taken.
    Accept,
    /// The handshake was not taken, or the link is reset.
    Reset,
    /// A frame.
    Frame(Frame),
    /// A close frame, with its code.
    Close(u16),
    /// The end of a link whose closing handshake is complete.
    End(u16),
    /// The browser has waited for that end for too long. Comes from itself.
    GiveUp,
}

/// How links of a world are. Times of one way.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Least latency.
    pub latency: Duration,
    /// What comes on top at random.
    pub jitter: Duration,
}

/// What the browser says of a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ready {
    Connecting,
    Open,
    /// A close frame has come. The browser throws away what is sent from now on.
    Closing,
    /// The hub has begun the closing handshake and waits for its end.
    Retiring,
    /// It has ended, or the hub has forgotten it.
    Closed,
    /// Its worker has ended, and nobody is left who could hear of it.
    Cut,
}

#[derive(Debug)]
struct Link {
    hub: HubNo,
    identity: usize,
    socket: SocketId,
    ready: Ready,
    up: Way,
    down: Way,
    /// It is reset, and nothing else gets through any more.
    dying: bool,
    /// It was cut, and what was under way to the server is lost.
    is_torn: bool,
}

/// One direction of a link.
#[derive(Debug, Default)]
struct Way {
    hung: bool,
    last: Time,
}

/// All links of a world.
#[derive(Debug)]
pub struct Links {
    weather: Weather,
    rng: fastrand::Rng,
    by_id: BTreeMap<LinkId, Link>,
    forbidden: BTreeSet<usize>,
    last: u32,
}

/// How long a browser waits for the end of a link after it has answered the close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

impl Links {
    /// No links yet.
    pub fn new(weather: Weather, rng: fastrand::Rng) -> Self {
        Self {
            weather,
            rng,
            by_id: BTreeMap::new(),
            forbidden: BTreeSet::new(),
            last: 0,
        }
    }

    /// From now on the browser refuses to construct WebSockets to an identity, or does so again.
    pub fn forbid(&mut self, identity: usize, is_forbidden: bool) {
        if is_forbidden {
            self.forbidden.insert(identity);
        } else {
            self.forbidden.remove(&identity);
        }
    }

    /// The browser opens a WebSocket of a hub, unless it refuses to.
    pub fn open(
        &mut self,
        schedule: &mut Schedule,
        (hub, socket): (HubNo, SocketId),
        (identity, token): (usize, Option<String>),
    ) -> Option<LinkId> {
        if self.forbidden.contains(&identity) {
            return None;
        }
        self.last += 1;
        let id = LinkId(self.last);
        let link = Link {
            hub,
            identity,
            socket,
            ready: Ready::Connecting,
            up: Way::default(),
            down: Way::default(),
            dying: false,
            is_torn: false,
        };
        self.by_id.insert(id, link);
        self.go_up(schedule, id, Up::Connect(identity, token));
        Some(id)
    }

    /// Which hubs have a live WebSocket to which identity.
    pub fn live(&self) -> impl Iterator<Item = (HubNo, usize)> {
        let live = self
            .by_id
            .values()
            .filter(|link| matches!(link.ready, Ready::Connecting | Ready::Open | Ready::Closing));
        live.map(|link| (link.hub, link.identity))
    }

    /// The browser has lost the connections of a hub, and says so.
    pub fn drop_all(&mut self, schedule: &mut Schedule, hub: HubNo) {
        let links = self.by_id.iter().filter(|(_, link)| link.hub == hub);
        for id in links.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.reset(schedule, id, true);
        }
    }

    /// The worker of a hub has ended, and the browser cuts its connections: what is under way to the server may still arrive.
    pub fn cut(&mut self, schedule: &mut Schedule, hub: HubNo, arrives: bool) {
        let cut: Vec<_> = self
            .by_id
            .iter()
            .filter(|(_, link)| link.hub == hub)
            .map(|(id, _)| *id)
            .collect();
        for id in cut {
            if let Some(link) = self.by_id.get_mut(&id) {
                link.ready = Ready::Cut;
                link.is_torn = !arrives;
            }
            self.go_up(schedule, id, Up::Cut);
        }
    }

    /// The browser sends a frame, or throws it away if the WebSocket is closing.
    pub fn send(&mut self, schedule: &mut Schedule, id: LinkId, frame: Frame) {
        if self
            .by_id
            .get(&id)
            .is_some_and(|link| link.ready == Ready::Open)
        {
            self.go_up(schedule, id, Up::Frame(frame));
        }
    }

    /// The hub closes a WebSocket and forgets it.
    pub fn close(&mut self, schedule: &mut Schedule, id: LinkId, code: Option<u16>) {
        if let Some(link) = self.by_id.get_mut(&id) {
            link.ready = Ready::Closed;
            self.go_up(schedule, id, Up::Close(code));
        }
    }

    /// The hub begins the closing handshake and waits for its end.
    pub fn retire(&mut self, schedule: &mut Schedule, id: LinkId, code: u16) {
        if let Some(link) = self
            .by_id
            .get_mut(&id)
            .filter(|link| link.ready == Ready::Open)
        {
            link.ready = Ready::Retiring;
            self.go_up(schedule, id, Up::Close(Some(code)));
        }
    }

    /// Whether what is sent through a link can come to the server.
    pub fn arrives(&self, id: LinkId) -> bool {
        self.by_id.get(&id).is_some_and(|link| !link.up.hung)
    }

    /// The hub that uses a link: it is open, and is not being closed.
    pub fn user_of(&self, id: LinkId) -> Option<HubNo> {
        let link = self.by_id.get(&id);
        link.filter(|link| link.ready == Ready::Open)
            .map(|link| link.hub)
    }

    /// The hub that has a link.
    pub fn hub_of(&self, id: LinkId) -> Option<HubNo> {
        self.by_id.get(&id).map(|link| link.hub)
    }

    /// The server says something.
    pub fn go_down(&mut self, schedule: &mut Schedule, id: LinkId, what: Down) {
        let delay = self.delay();
        if let Some(link) = self.by_id.get_mut(&id) {
            let at = link.down.arrival(schedule.now() + delay);
            schedule.at(at, Event::Down(id, what));
        }
    }

    /// Something may have come to the server: not if the link hangs.
    pub fn arrive_up(&mut self, id: LinkId, what: &Up) -> bool {
        let Some(link) = self.by_id.get(&id) else {
            return false;
        };
        let gets_through = !link.up.hung && (!link.is_torn || *what == Up::Cut);
        if *what == Up::Cut {
            self.by_id.remove(&id);
        }
        gets_through
    }

    /// Something has come to the browser. Returns what the WebSocket says, which it says of forgotten ones as well:
    /// the hub must know by itself that those do not count.
    pub fn arrive_down(
        &mut self,
        schedule: &mut Schedule,
        id: LinkId,
        what: Down,
    ) -> Option<(HubNo, SocketId, SocketEvent<Frame>)> {
        let link = self.by_id.get_mut(&id)?;
        if link.ready == Ready::Cut {
            return None;
        }
        let is_lost = match what {
            Down::Reset => link.down.hung,
            Down::GiveUp => link.ready != Ready::Closing,
            Down::Accept | Down::Frame(_) | Down::Close(_) | Down::End(_) => {
                link.down.hung || link.dying
            }
        };
        if is_lost {
            return None;
        }
        let (hub, socket) = (link.hub, link.socket);
        let event = match what {
            Down::Accept => {
                if link.ready == Ready::Connecting {
                    link.ready = Ready::Open;
                }
                SocketEvent::Opened {
                    protocol: String::new(),
                    extensions: String::new(),
                }
            }
            Down::Frame(frame) => SocketEvent::Frame(frame),
            Down::Close(code) => {
                if link.ready == Ready::Open {
                    link.ready = Ready::Closing;
                    self.go_up(schedule, id, Up::Close(Some(code)));
                    schedule.after(CLOSE_TIMEOUT, Event::Down(id, Down::GiveUp));
                }
                return None;
            }
            Down::End(code) => {
                self.by_id.remove(&id);
                SocketEvent::Closed {
                    code,
                    reason: "the server wishes it".into(),
                    clean: true,
                }
            }
            Down::Reset | Down::GiveUp => {
                self.by_id.remove(&id);
                SocketEvent::Closed {
                    code: 1006,
                    reason: String::new(),
                    clean: false,
                }
            }
        };
        Some((hub, socket, event))
    }

    /// From now on nothing gets through, in one direction or both.
    pub fn hang(&mut self, id: LinkId, up: bool, down: bool) {
        if let Some(link) = self.by_id.get_mut(&id) {
            link.up.hung |= up;
            link.down.hung |= down;
        }
    }

    /// Nothing gets through for so long, and then all of it.
    pub fn stall(&mut self, now: Time, id: LinkId, span: Duration) {
        if let Some(link) = self.by_id.get_mut(&id) {
            link.up.last = link.up.last.max(now + span);
            link.down.last = link.down.last.max(now + span);
        }
    }

    /// Breaks a link: what is under way to the server is lost, what is under way to the browser only if `all` is.
    pub fn reset(&mut self, schedule: &mut Schedule, id: LinkId, all: bool) {
        if let Some(link) = self.by_id.get_mut(&id) {
            link.up.hung = true;
            link.dying = all;
            self.go_down(schedule, id, Down::Reset);
        }
    }

    fn go_up(&mut self, schedule: &mut Schedule, id: LinkId, what: Up) {
        let delay = self.delay();
        if let Some(link) = self.by_id.get_mut(&id) {
            let at = link.up.arrival(schedule.now() + delay);
            schedule.at(at, Event::Up(id, what));
        }
    }

    fn delay(&mut self) -> Duration {
        let jitter = self.rng.u64(0..=self.weather.jitter.as_micros() as u64);
        self.weather.latency + Duration::from_micros(jitter)
    }
}

impl Way {
    /// Keeps the order: nothing arrives before what was sent earlier.
    fn arrival(&mut self, earliest: Time) -> Time {
        self.last = earliest.max(self.last + Duration::from_micros(1));
        self.last
    }
}
