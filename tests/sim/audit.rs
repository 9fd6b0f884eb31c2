//! Looking at what must hold at any time.

use std::collections::BTreeMap;

use core::time::Duration;

use crate::driver::identity_of;
use crate::invariants::{Check, Held};
use crate::server::Mode;
use crate::worker::Worker;
use crate::world::World;

/// How long two hubs may have a connection to the same identity: until one that was out of touch has met the other and has
/// yielded.
const HANDOVER: Duration = Duration::from_secs(8);

impl World {
    /// Looks at all hubs that can do anything.
    pub fn audit(&mut self) -> Held {
        let clock = &self.net.clock;
        let now = clock.monotonic(self.net.now());
        let reachable = |url: &str| match identity_of(url) {
            Some(identity) if self.is_online && self.server.mode(identity) == Mode::Normal => {
                clock.monotonic(self.reachable_since[identity])
            }
            Some(_) | None => now,
        };
        for driver in self.hubs.awake() {
            if let Some(reference) = driver.reference() {
                reference.audit(now, reachable, |port| driver.report(port))?;
            }
        }
        self.check_rivals()
    }

    /// Two hubs have a connection to the same identity for the time of a handover only.
    fn check_rivals(&mut self) -> Held {
        let awake: Vec<_> = self
            .hubs
            .awake()
            .filter(|driver| matches!(driver.worker(), Worker::Shared(..)))
            .map(|driver| driver.no())
            .collect();
        let mut holders = BTreeMap::new();
        let mut is_beside = false;
        for (hub, identity) in self.net.links.live().filter(|(hub, _)| awake.contains(hub)) {
            is_beside |= *holders.entry(identity).or_insert(hub) != hub;
        }
        let now = self.net.now();
        if !is_beside {
            self.beside_since = None;
        }
        let since = *self.beside_since.get_or_insert(now);
        if !is_beside {
            self.beside_since = None;
        }
        Check::OneLiveSocket.require(now.since(since) <= HANDOVER, || {
            format!("{awake:?} have connections beside each other since {since:?}")
        })
    }
}
