//! What the hub knows of other hubs: whether it must wait for them, and whether it must yield.

use core::cmp::Ordering;

use tabwire::core::{MEET_WITHIN, YIELD_WITHIN};
use tabwire::protocol::{Peer, PeerMessage};
use tabwire::time::Time;

/// Where the hub stands among others.
#[derive(Debug, Default)]
pub struct Peers {
    me: Option<Peer>,
    /// Until when it waits for others before it opens a socket, and the epochs of those that are about to yield.
    asks: Option<(Time, Vec<String>)>,
    /// The hub that it yields to.
    better: Option<Peer>,
    /// It has told the others that its sockets are closed, and sends its tabs on.
    pub sends_on: bool,
    /// When it was done with waiting.
    pub met_at: Time,
}

impl Peers {
    /// The hub can be found from now on.
    pub fn start(&mut self, me: &Peer, others: bool, now: Time) {
        self.me = Some(me.clone());
        if others {
            self.asks = Some((now + MEET_WITHIN, Vec::new()));
        }
    }

    /// Whether it must not open a socket.
    pub fn holds_back(&self) -> bool {
        self.asks.is_some() || self.better.is_some()
    }

    /// Whether it yields to another.
    pub fn yields(&self) -> bool {
        self.better.is_some()
    }

    /// Until when it may wait for others.
    pub fn may_wait_until(&self) -> Time {
        self.asks.as_ref().map_or(self.met_at, |(until, _)| *until)
    }

    /// Another hub says something. Returns whether the hub must yield from now on.
    pub fn hear(&mut self, message: &PeerMessage, now: Time) -> bool {
        let Some(me) = &self.me else {
            return false;
        };
        match message {
            PeerMessage::Here(peer) if peer.epoch == me.epoch => false,
            PeerMessage::Here(peer) if peer.rank(me) == Ordering::Greater => {
                let better = self.better.as_ref();
                if better.is_some_and(|better| better.rank(peer) != Ordering::Less) {
                    return false;
                }
                self.asks = None;
                self.better.replace((**peer).clone()).is_none()
            }
            PeerMessage::Here(peer) => {
                if let Some((until, yielding)) = &mut self.asks
                    && !yielding.contains(&peer.epoch)
                {
                    yielding.push(peer.epoch.clone());
                    *until = now + YIELD_WITHIN;
                }
                false
            }
            PeerMessage::Gone { epoch } => {
                if let Some((_, yielding)) = &mut self.asks {
                    yielding.retain(|other| other != epoch);
                    if yielding.is_empty() {
                        self.finish(now);
                    }
                }
                false
            }
            PeerMessage::Other { .. } | PeerMessage::Who => false,
        }
    }

    /// The lock of another hub is free: after one that it had yielded to, it takes tabs again.
    pub fn lose(&mut self, epoch: &str) {
        if self.sends_on
            && self
                .better
                .as_ref()
                .is_some_and(|better| better.epoch == epoch)
        {
            self.better = None;
            self.sends_on = false;
        }
    }

    /// A deadline has come.
    pub fn handle_time(&mut self, now: Time) {
        if self.asks.as_ref().is_some_and(|(until, _)| *until <= now) {
            self.finish(now);
        }
    }

    fn finish(&mut self, now: Time) {
        self.asks = None;
        self.met_at = now;
    }
}
