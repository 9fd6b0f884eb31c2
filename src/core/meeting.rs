//! Hubs that meet: the better one keeps its tabs, the other one sends its own there.

use core::cmp::Ordering;
use core::time::Duration;

use super::connection::{Connection, Owner};
use super::hub::Hub;
use super::io::{Output, Payload, PortId, TimerReason};
use super::tabs::{Departure, Mode};
use crate::protocol::{Address, HubMessage, Peer, PeerMessage};
use crate::time::Time;

/// How long a new hub waits for others where it cannot see their locks: they are of this browser, and answer in a few milliseconds.
pub const MEET_UNSEEN_WITHIN: Duration = Duration::from_millis(100);
/// How long a new hub waits for the others whose locks it has found.
pub const MEET_WITHIN: Duration = Duration::from_secs(1);
/// How long it waits for one that is about to yield.
pub const YIELD_WITHIN: Duration = Duration::from_secs(5);

/// What a hub knows of others.
#[derive(Debug, Default)]
pub struct Meeting {
    me: Option<Box<Peer>>,
    stage: Stage,
    /// Epochs that have been answered.
    known: Vec<String>,
    /// Hubs of other majors: they run beside this one.
    beside: Vec<(u32, String)>,
}

/// Where a hub stands among the others.
#[derive(Debug, Default)]
enum Stage {
    /// There is none that is better.
    #[default]
    First,
    /// The others are asked; these are about to yield.
    Asking(Vec<String>),
    /// It closes its sockets.
    Yielding(Box<Peer>),
    /// Its sockets are closed, and every tab that comes is sent on.
    Yielded(Box<Peer>),
}

impl Meeting {
    /// Whether no socket may be opened yet.
    pub fn is_asking(&self) -> bool {
        matches!(self.stage, Stage::Asking(_))
    }

    /// Where every tab that comes is sent.
    pub fn address(&self) -> Option<&Address> {
        match &self.stage {
            Stage::Yielded(peer) => Some(&peer.address),
            Stage::First | Stage::Asking(_) | Stage::Yielding(_) => None,
        }
    }

    /// The hub that is better than this one.
    pub fn better(&self) -> Option<&Peer> {
        match &self.stage {
            Stage::Yielding(peer) | Stage::Yielded(peer) => Some(peer),
            Stage::First | Stage::Asking(_) => None,
        }
    }
}

/// A hub does not remember more others than this: they come and go with the builds.
const MOST_KNOWN: usize = 64;

impl<P: Payload> Hub<P> {
    /// This hub can be found from now on.
    pub(super) fn handle_start(&mut self, me: Box<Peer>, others: Option<bool>) {
        self.out
            .push(Output::Announce(PeerMessage::Here(me.clone())));
        self.meeting.me = Some(me);
        let within = match others {
            Some(true) => MEET_WITHIN,
            None => MEET_UNSEEN_WITHIN,
            Some(false) => return,
        };
        self.meeting.stage = Stage::Asking(Vec::new());
        self.set_meet_timer(within);
    }

    /// Another hub, or a tab that looks for one, said something.
    pub(super) fn handle_peer(&mut self, message: PeerMessage) {
        let Some(me) = self.meeting.me.clone() else {
            return;
        };
        match message {
            PeerMessage::Here(peer) if peer.epoch == me.epoch => {}
            PeerMessage::Here(peer) => {
                if peer.rank(&me) == Ordering::Greater {
                    self.handle_better(peer);
                } else {
                    self.greet(&peer.epoch, me);
                    if let Stage::Asking(yielding) = &mut self.meeting.stage
                        && !yielding.contains(&peer.epoch)
                    {
                        yielding.push(peer.epoch);
                        self.set_meet_timer(YIELD_WITHIN);
                    }
                }
            }
            PeerMessage::Other {
                protocol,
                build,
                epoch,
            } => {
                self.greet(&epoch, me);
                let other = (protocol, build);
                if !self.meeting.beside.contains(&other) && self.meeting.beside.len() < MOST_KNOWN {
                    self.meeting.beside.push(other);
                    let awake: Vec<_> = self.tabs.awake().collect();
                    for port in awake {
                        self.tell_beside(port);
                    }
                }
            }
            PeerMessage::Gone { epoch } => {
                if let Stage::Asking(yielding) = &mut self.meeting.stage {
                    yielding.retain(|other| *other != epoch);
                    if yielding.is_empty() {
                        self.finish_meeting();
                    }
                }
            }
            PeerMessage::Who => {
                if self.meeting.better().is_none() {
                    self.out.push(Output::Announce(PeerMessage::Here(me)));
                }
            }
        }
    }

    /// The hub that this one yields to is gone: tabs may stay again. Those that are here start over: what they had is closed.
    pub(super) fn handle_peer_gone(&mut self, epoch: &str) {
        if self.meeting.better().is_none_or(|peer| peer.epoch != epoch) {
            return;
        }
        self.meeting.stage = Stage::First;
        let ports: Vec<_> = self.tabs.ports().collect();
        for port in &ports {
            if self.tabs.mode(*port) != Mode::Suspended {
                self.out.push(Output::Post(*port, HubMessage::Who));
            }
            if let Some(tab) = self.tabs.get_mut(*port) {
                // Nothing else is for it any more.
                tab.suspended = true;
            }
        }
        for port in ports {
            self.remove_tab(port, Departure::Silent);
        }
        // Its successor may have told of itself when the one before was still thought the best.
        self.out.push(Output::Announce(PeerMessage::Who));
    }

    /// The others have had their time.
    pub(super) fn finish_meeting(&mut self) {
        if !self.meeting.is_asking() {
            return;
        }
        self.meeting.stage = Stage::First;
        self.timers.clear(Owner::Hub, TimerReason::Meet);
        self.with_all(&Connection::start);
    }

    /// Tells a tab which hubs of other majors there are.
    pub(super) fn tell_beside(&mut self, port: PortId) {
        for (protocol, build) in self.meeting.beside.clone() {
            let beside = HubMessage::Beside { protocol, build };
            self.out.push(Output::Post(port, beside));
        }
    }

    /// Once the fate of all that was handed is known: tells the others, and sends the tabs on.
    pub(super) fn go_on_yielding(&mut self) {
        let Stage::Yielding(peer) = &self.meeting.stage else {
            return;
        };
        if !self
            .connections
            .values()
            .all(|connection| connection.has_settled())
        {
            return;
        }
        self.meeting.stage = Stage::Yielded(peer.clone());
        if let Some(me) = &self.meeting.me {
            let epoch = me.epoch.clone();
            self.out.push(Output::Announce(PeerMessage::Gone { epoch }));
        }
        let awake: Vec<_> = self.tabs.awake().collect();
        for port in awake {
            self.send_on(port);
        }
    }

    /// Sends a tab to the better hub, if its time has come. Returns whether the tab is gone now.
    pub(super) fn send_on(&mut self, port: PortId) -> bool {
        let Some(to) = self.meeting.address().cloned() else {
            return false;
        };
        self.with_all(&|connection, cx| {
            if connection.has_lane(port) {
                connection.empty_lane(port, cx);
            }
        });
        self.out.push(Output::Post(port, HubMessage::Move(to)));
        self.remove_tab(port, Departure::Moved);
        true
    }

    fn handle_better(&mut self, peer: Box<Peer>) {
        let better = self.meeting.better();
        if better.is_some_and(|other| other.rank(&peer) != Ordering::Less) {
            return;
        }
        if let Some(lock) = peer.lock.clone() {
            let epoch = peer.epoch.clone();
            self.out.push(Output::WatchPeer { epoch, lock });
        }
        match &mut self.meeting.stage {
            Stage::Yielding(to) | Stage::Yielded(to) => *to = peer,
            Stage::First | Stage::Asking(_) => {
                self.meeting.stage = Stage::Yielding(peer);
                self.by_identity.clear();
                self.timers.clear(Owner::Hub, TimerReason::Meet);
                self.with_all(&Connection::start_moving);
                self.go_on_yielding();
            }
        }
    }

    /// Answers a hub that is heard of for the first time.
    fn greet(&mut self, epoch: &str, me: Box<Peer>) {
        if self.meeting.better().is_some() || self.meeting.known.iter().any(|known| known == epoch)
        {
            return;
        }
        if self.meeting.known.len() == MOST_KNOWN {
            self.meeting.known.remove(0);
        }
        self.meeting.known.push(epoch.into());
        self.out.push(Output::Announce(PeerMessage::Here(me)));
    }

    fn set_meet_timer(&mut self, within: Duration) {
        let at: Time = self.now + within;
        self.timers.set(Owner::Hub, TimerReason::Meet, at);
    }
}
