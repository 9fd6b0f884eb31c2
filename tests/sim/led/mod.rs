//! Worlds without SharedWorker: a page leads, its hub runs in a worker of its own, and the others come by channels.

mod absence;
mod acts;
mod channel;
mod draw;
mod event;
mod leader;
mod lock;
mod rules;
mod seat;
mod seek;

use std::collections::BTreeMap;

use core::time::Duration;

use tabwire::core::PortId;
use tabwire::time::Time;

use crate::event::Event;
use crate::hubs::HubNo;
use crate::net::Net;
use crate::page::TabNo;
use channel::Channel;
use lock::Lock;
use seat::Seeker;

pub use draw::{Deed, KINDS};
pub use event::{LedEvent, Note, SeatNo};

/// Worlds of seeds from here on are led.
pub const LED: u64 = 2_000_000_000;

/// What there is besides pages and hubs where pages lead each other.
#[derive(Debug)]
pub struct Led {
    rng: fastrand::Rng,
    /// The Web Lock of the one who leads. It is the browser's, and is not partitioned.
    lock: Lock,
    /// The BroadcastChannel to which all listen, and who is cut off from the others.
    channel: Channel,
    /// What each page does to find a hub.
    seekers: BTreeMap<TabNo, Seeker>,
    /// The workers that have been started.
    workers: BTreeMap<HubNo, LedWorker>,
    /// The ports that are channels between pages: of the one that follows, and of the one that leads.
    ports: BTreeMap<PortId, (TabNo, TabNo)>,
    seats: u32,
    /// Since when there have been several hubs with sockets.
    rivals_since: Option<Time>,
}

/// The worker of a page that leads.
#[derive(Clone, Copy, Debug)]
struct LedWorker {
    tab: TabNo,
    seat: SeatNo,
    /// The port of that page itself.
    port: PortId,
    /// Whether its script runs, and hears what is said on the channel.
    listens: bool,
    /// When its wasm is loaded.
    up_at: Time,
}

impl Led {
    /// Nobody leads yet. Other worlds draw nothing for this.
    pub fn new(is_led: bool, rng: &mut fastrand::Rng, net: &mut Net) -> Self {
        let mut rng = if is_led {
            net.after(rules::LOOK_EVERY, Event::Led(LedEvent::Look));
            rng.fork()
        } else {
            fastrand::Rng::with_seed(0)
        };
        Self {
            lock: Lock::default(),
            channel: Channel::new(rng.fork()),
            rng,
            seekers: BTreeMap::new(),
            workers: BTreeMap::new(),
            ports: BTreeMap::new(),
            seats: 0,
            rivals_since: None,
        }
    }

    /// Whether what came through this port was held up just now.
    fn was_cut(&self, port: PortId, now: Time) -> bool {
        let ends = self.ports.get(&port);
        let before = now - Duration::from_millis(20).min(now.since(Time::ZERO));
        ends.is_some_and(|(one, other)| self.channel.cut_until(*one, *other, before).is_some())
    }

    /// How long a task of a page waits for its turn: a word of the lock manager, or what it wakes up to.
    fn task_delay(&mut self) -> Duration {
        Duration::from_micros(self.rng.u64(200..2000))
    }
}
