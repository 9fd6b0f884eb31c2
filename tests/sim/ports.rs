//! The ports between pages and hub: quick, in order, and never lossy.

use std::collections::BTreeMap;

use core::time::Duration;

use tabwire::core::PortId;
use tabwire::time::Time;

/// When what is posted through a port arrives.
#[derive(Debug)]
pub struct Ports {
    rng: fastrand::Rng,
    last: BTreeMap<PortId, (Time, Time)>,
}

impl Ports {
    /// No ports yet.
    pub fn new(rng: fastrand::Rng) -> Self {
        Self {
            rng,
            last: BTreeMap::new(),
        }
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
