//! The hubs of a world, one after the other and now and then beside each other, and which port leads to which.

use std::collections::BTreeMap;

use core::time::Duration;

use tabwire::core::{Input, PortId};

use crate::driver::Driver;
use crate::event::{Event, ToPage};
use crate::frame::Frame;
use crate::invariants::Held;
use crate::net::Net;
use crate::trace::Trace;
use crate::worker::Worker;

/// A hub, numbered through its world. This is its epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HubNo(pub u32);

impl HubNo {
    /// Its epoch.
    pub fn epoch(self) -> String {
        format!("{}", self.0)
    }

    /// The lock that it holds.
    pub fn lock(self) -> String {
        format!("tabwire:hub:{}", self.0)
    }

    /// The hub with this epoch.
    pub fn of(epoch: &str) -> Option<Self> {
        epoch.parse().ok().map(Self)
    }
}

/// Every hub there has been; those that are no more are kept for the books.
#[derive(Debug)]
pub struct Hubs {
    all: Vec<Driver>,
    by_port: BTreeMap<PortId, HubNo>,
    workers: BTreeMap<Worker, HubNo>,
    /// What has happened to hubs while they were frozen.
    frozen: BTreeMap<HubNo, Vec<Event>>,
    /// Whether the books of each are kept.
    are_booked: bool,
    rng: fastrand::Rng,
}

impl Hubs {
    /// No hub yet: a worker starts when the first port is opened to it.
    pub fn new(are_booked: bool, rng: &mut fastrand::Rng) -> Self {
        Self {
            all: Vec::new(),
            by_port: BTreeMap::new(),
            workers: BTreeMap::new(),
            frozen: BTreeMap::new(),
            are_booked,
            rng: rng.fork(),
        }
    }

    /// Opens a port to a worker, which is started if it is not there. Returns how long that takes.
    pub fn connect(&mut self, port: PortId, worker: Worker, net: &mut Net) -> Duration {
        let (hub, startup) = match self.workers.get(&worker) {
            Some(hub) => (*hub, Duration::ZERO),
            None => {
                let startup = self.startup();
                net.hold_port(port, startup);
                (self.start(worker, startup, net), startup)
            }
        };
        self.by_port.insert(port, hub);
        startup
    }

    /// A hub opens a port to somebody who has asked for it.
    pub fn open_port(&mut self, port: PortId, hub: HubNo) {
        self.by_port.insert(port, hub);
    }

    /// Whether a hub lives, and is not frozen.
    pub fn is_awake(&self, hub: HubNo) -> bool {
        self.all[hub.0 as usize].lives() && !self.frozen.contains_key(&hub)
    }

    /// Every hub there has been.
    pub fn all(&self) -> &[Driver] {
        &self.all
    }

    /// The hubs that live.
    pub fn living(&self) -> impl Iterator<Item = &Driver> {
        self.all.iter().filter(|driver| driver.lives())
    }

    /// The hubs that live and are not frozen.
    pub fn awake(&self) -> impl Iterator<Item = &Driver> {
        self.living()
            .filter(|driver| !self.frozen.contains_key(&driver.no()))
    }

    /// A hub, if it lives.
    pub fn get_mut(&mut self, hub: HubNo) -> Option<&mut Driver> {
        let driver = self.all.get_mut(hub.0 as usize)?;
        driver.lives().then_some(driver)
    }

    /// The hub behind a port, if it lives.
    pub fn at(&self, port: PortId) -> Option<HubNo> {
        let hub = *self.by_port.get(&port)?;
        self.all[hub.0 as usize].lives().then_some(hub)
    }

    /// The hub of a worker, if that runs.
    pub fn of(&self, worker: Worker) -> Option<HubNo> {
        self.workers.get(&worker).copied()
    }

    /// Tells a hub something, if it lives.
    pub fn input(
        &mut self,
        hub: HubNo,
        input: Input<Frame>,
        net: &mut Net,
        trace: &mut Trace,
    ) -> Held {
        match self.get_mut(hub) {
            Some(driver) => driver.handle(input, net, trace),
            None => Ok(()),
        }
    }

    /// The worker of a hub ends without a word.
    pub fn kill(&mut self, hub: HubNo, net: &mut Net) {
        let Some(driver) = self.get_mut(hub) else {
            return;
        };
        driver.die();
        self.workers.retain(|_, other| *other != hub);
        self.frozen.remove(&hub);
        let arrives = self.rng.bool();
        net.cut(hub, arrives);
        let delay = Duration::from_millis(self.rng.u64(5..20));
        net.after(delay, Event::HubGone(hub));
    }

    /// The worker of a hub is restarted: these ports lead to an empty hub, whose script says so at once.
    pub fn restart(&mut self, before: HubNo, ports: &[PortId], net: &mut Net) {
        let Some(worker) = self.get_mut(before).map(|driver| driver.worker()) else {
            return;
        };
        self.kill(before, net);
        let startup = self.startup();
        let hub = self.start(worker, startup, net);
        for port in ports {
            if self.by_port.get(port) == Some(&before) {
                self.by_port.insert(*port, hub);
                net.hold_port(*port, startup);
                net.post_to_page(*port, ToPage::Script);
            }
        }
    }

    /// The worker of a hub does nothing until it is thawed.
    pub fn freeze(&mut self, hub: HubNo, net: &Net) {
        if self.get_mut(hub).is_some() {
            self.frozen.entry(hub).or_default();
            self.all[hub.0 as usize].stand_still(net);
        }
    }

    /// The worker of a hub goes on, if it was frozen: what has happened meanwhile happens now, in its order. Some browsers have
    /// dropped its connections.
    pub fn thaw(&mut self, hub: HubNo, net: &mut Net) {
        let Some(held) = self.frozen.remove(&hub) else {
            return;
        };
        if self.rng.bool() {
            net.drop_links(hub);
        }
        self.all[hub.0 as usize].stood_still(net);
        for event in held {
            net.after(Duration::ZERO, event);
        }
        for event in self.all[hub.0 as usize].missed() {
            net.after(Duration::ZERO, event);
        }
    }

    /// The computer falls asleep.
    pub fn sleep(&mut self, net: &Net) {
        for driver in self.all.iter_mut().filter(|driver| driver.lives()) {
            driver.stand_still(net);
        }
    }

    /// The computer is awake again. What is frozen stays so.
    pub fn wake(&mut self, net: &Net) {
        let frozen = &self.frozen;
        let is_awake = |driver: &&mut Driver| driver.lives() && !frozen.contains_key(&driver.no());
        for driver in self.all.iter_mut().filter(is_awake) {
            driver.stood_still(net);
        }
    }

    /// The hubs that are frozen.
    pub fn frozen(&self) -> Vec<HubNo> {
        self.frozen.keys().copied().collect()
    }

    /// Keeps what happens to a hub that is frozen. Gives it back otherwise.
    pub fn hold(&mut self, hub: Option<HubNo>, event: Event) -> Option<Event> {
        match hub.and_then(|hub| self.frozen.get_mut(&hub)) {
            Some(held) => {
                held.push(event);
                None
            }
            None => Some(event),
        }
    }

    fn start(&mut self, worker: Worker, startup: Duration, net: &mut Net) -> HubNo {
        let hub = HubNo(self.all.len() as u32);
        self.all
            .push(Driver::new(hub, worker, self.are_booked, &mut self.rng));
        self.workers.insert(worker, hub);
        net.after(startup, Event::HubUp(hub));
        hub
    }

    /// How long a worker takes to load its script and wasm.
    fn startup(&mut self) -> Duration {
        Duration::from_millis(self.rng.u64(2..400))
    }
}
