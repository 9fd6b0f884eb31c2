//! The hubs of a world, one after the other, and which port leads to which.

use std::collections::BTreeMap;

use core::time::Duration;

use tabwire::core::{Input, PortId};

use crate::driver::Driver;
use crate::event::{Event, ToPage};
use crate::frame::Frame;
use crate::invariants::Held;
use crate::net::Net;
use crate::trace::Trace;

/// A hub, numbered through its world. This is its epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HubNo(pub u32);

/// Every hub there has been; those that are no more are kept for the books.
#[derive(Debug)]
pub struct Hubs {
    all: Vec<Driver>,
    by_port: BTreeMap<PortId, HubNo>,
    worker: Option<HubNo>,
    rng: fastrand::Rng,
}

impl Hubs {
    /// No hub yet: a worker starts when the first port is opened to it.
    pub fn new(rng: &mut fastrand::Rng) -> Self {
        Self {
            all: Vec::new(),
            by_port: BTreeMap::new(),
            worker: None,
            rng: rng.fork(),
        }
    }

    /// Opens a port to the worker, which is started if there is none.
    pub fn connect(&mut self, port: PortId, net: &mut Net) {
        let hub = match self.worker {
            Some(hub) => hub,
            None => {
                let hub = self.start();
                net.hold_port(port, self.startup());
                hub
            }
        };
        self.by_port.insert(port, hub);
    }

    /// Every hub there has been.
    pub fn all(&self) -> &[Driver] {
        &self.all
    }

    /// The hubs that live.
    pub fn living(&self) -> impl Iterator<Item = &Driver> {
        self.all.iter().filter(|driver| driver.lives())
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

    /// The worker ends without a word. Returns its hub, if there was one.
    pub fn kill(&mut self, net: &mut Net) -> Option<HubNo> {
        let hub = self.worker.take()?;
        let driver = self.get_mut(hub)?;
        driver.die();
        let arrives = self.rng.bool();
        net.cut(hub, arrives);
        net.after(
            Duration::from_millis(self.rng.u64(5..20)),
            Event::HubGone(hub),
        );
        Some(hub)
    }

    /// The worker is restarted: these ports lead to an empty hub, whose script says so at once.
    pub fn restart(&mut self, ports: &[PortId], net: &mut Net) {
        let Some(before) = self.kill(net) else {
            return;
        };
        let hub = self.start();
        let startup = self.startup();
        for port in ports {
            if self.by_port.get(port) == Some(&before) {
                self.by_port.insert(*port, hub);
                net.hold_port(*port, startup);
                net.post_to_page(*port, ToPage::Script);
            }
        }
    }

    fn start(&mut self) -> HubNo {
        let hub = HubNo(self.all.len() as u32);
        self.all.push(Driver::new(hub, &mut self.rng));
        self.worker = Some(hub);
        hub
    }

    /// How long a worker takes to load its script and wasm.
    fn startup(&mut self) -> Duration {
        Duration::from_millis(self.rng.u64(2..400))
    }
}
