//! The loop that feeds the hub and carries out what it says, as `src/web` does, with the reference watching.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use core::time::Duration;

use tabwire::core::{
    Deadline, Delivery, Hub, Input, Output, Parcel, ParcelKind, PortId, SocketEvent, SocketId,
};
use tabwire::protocol::{HubMessage, Peer, Report};
use tabwire::time::Time;

use crate::event::{Event, ToPage};
use crate::frame::Frame;
use crate::hubs::HubNo;
use crate::invariants::{Check, Held};
use crate::link::LinkId;
use crate::net::Net;
use crate::page::TabNo;
use crate::reference::Reference;
use crate::trace::Trace;
use crate::worker::Worker;

/// A hub and what connects it to its world.
#[derive(Debug)]
pub struct Driver {
    no: HubNo,
    worker: Worker,
    hub: Hub<Frame>,
    rng: fastrand::Rng,
    reference: Reference,
    /// Whether the reference keeps the books. Its books know nothing of topics.
    is_booked: bool,
    links: BTreeMap<SocketId, LinkId>,
    sockets: BTreeMap<LinkId, SocketId>,
    forgotten: BTreeSet<PortId>,
    /// Ports that go by the number of another: the page's own, and the one that the hub knows it by.
    aliases: BTreeMap<PortId, PortId>,
    watches: BTreeMap<PortId, TabNo>,
    peers: BTreeSet<HubNo>,
    is_dead: bool,
    still_since: Option<Time>,
    is_tick_asked: bool,
    timer: Option<Time>,
    timers: u64,
    deadline: Option<Deadline>,
    /// Inputs so far.
    pub inputs: u64,
}

/// An input leads to fewer outputs than this.
const MOST_OUTPUTS: usize = 20_000;
/// How soon other hubs hear what one says.
const ANNOUNCED: Duration = Duration::from_micros(400);
/// How soon a tick comes: as the next task.
const TICK: Duration = Duration::from_micros(40);

impl Driver {
    /// A driver with an empty hub.
    pub fn new(no: HubNo, worker: Worker, is_booked: bool, rng: &mut fastrand::Rng) -> Self {
        Self {
            no,
            worker,
            hub: Hub::new(rng.u64(..)),
            rng: rng.fork(),
            reference: Reference::new(),
            is_booked,
            links: BTreeMap::new(),
            sockets: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            aliases: BTreeMap::new(),
            watches: BTreeMap::new(),
            peers: BTreeSet::new(),
            is_dead: false,
            still_since: None,
            is_tick_asked: false,
            timer: None,
            timers: 0,
            deadline: None,
            inputs: 0,
        }
    }

    /// What the hub should be doing, where there are books of that.
    pub fn reference(&self) -> Option<&Reference> {
        self.is_booked.then_some(&self.reference)
    }

    /// When the hub wants to be called.
    pub fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    /// What the hub tells of itself.
    pub fn report(&self, port: PortId) -> Report {
        self.hub.report(port)
    }

    /// The socket of a link.
    pub fn socket_of(&self, link: LinkId) -> Option<SocketId> {
        self.sockets.get(&link).copied()
    }

    /// Its number.
    pub fn no(&self) -> HubNo {
        self.no
    }

    /// The worker that it runs in.
    pub fn worker(&self) -> Worker {
        self.worker
    }

    /// What other hubs are told of it.
    pub fn peer(&self, build: String, net: &Net) -> Peer {
        Peer {
            build,
            epoch: self.no.epoch(),
            lock: Some(self.no.lock()),
            address: self.worker.address(),
            since: net.clock.wall(net.now()).as_secs_f64() * 1000.0,
        }
    }

    /// The lock of another hub is free. True if this one has waited for it.
    pub fn hears_end_of(&mut self, peer: HubNo) -> bool {
        self.peers.remove(&peer)
    }

    /// Whether it is still there.
    pub fn lives(&self) -> bool {
        !self.is_dead
    }

    /// Its worker has ended.
    pub fn die(&mut self) {
        self.is_dead = true;
        self.watches.clear();
        self.reference.die();
    }

    /// The ports that wait for the lock of a page.
    pub fn watchers(&self, tab: TabNo) -> Vec<PortId> {
        let watches = self.watches.iter().filter(|(_, watched)| **watched == tab);
        watches.map(|(port, _)| *port).collect()
    }

    /// It does nothing from now on.
    pub fn stand_still(&mut self, net: &Net) {
        let now = net.clock.monotonic(net.now());
        self.still_since.get_or_insert(now);
    }

    /// It goes on.
    pub fn stood_still(&mut self, net: &Net) {
        let now = net.clock.monotonic(net.now());
        if let Some(since) = self.still_since.take() {
            self.reference.stood_still(now, now.since(since));
        }
    }

    /// Locks that may have been granted while nobody listened.
    pub fn missed(&self) -> Vec<Event> {
        let tabs = self.watches.values().map(|tab| Event::TabGone(*tab));
        let peers = self.peers.iter().map(|peer| Event::HubGone(*peer));
        tabs.chain(peers).collect()
    }

    /// One input, then outputs until the hub waits. What an output causes at once is the next input.
    pub fn handle(&mut self, input: Input<Frame>, net: &mut Net, trace: &mut Trace) -> Held {
        if self.is_unheard(&input) {
            return Ok(());
        }
        let mut input = input;
        if let Input::Message(port, _) = &mut input
            && let Some(known) = self.aliases.get(port)
        {
            *port = *known;
        }
        let now = net.clock.monotonic(net.now());
        let mut inbox = VecDeque::from([input]);
        while let Some(input) = inbox.pop_front() {
            self.inputs += 1;
            let no = self.no.0;
            trace.say(net.now(), || format!("{no} → {input:?}"));
            if matches!(input, Input::Tick) {
                self.is_tick_asked = false;
            }
            let before = matches!(input, Input::Timeout { .. }).then_some(self.deadline);
            if self.is_booked {
                self.reference.take(now, &input);
            }
            self.hub.handle_input(now, input);
            self.resolve_ends()?;
            self.drain(net, trace, &mut inbox)?;
            let is_measured =
                |input: &Input<Frame>| matches!(input, Input::Socket(_, SocketEvent::Buffered(_)));
            if self.is_booked && !inbox.front().is_some_and(is_measured) {
                self.reference.drained(!self.is_tick_asked)?;
            }
            let is_over = self.deadline.is_none_or(|deadline| deadline.at > now);
            Check::NoEndlessWork.require(before != Some(self.deadline) || is_over, || {
                format!("{:?} is due again at once", self.deadline)
            })?;
        }
        self.arm(net);
        Ok(())
    }

    /// The timer has come, unless it was set anew meanwhile.
    pub fn is_timer(&mut self, number: u64) -> bool {
        let is_it = self.timer.is_some() && self.timers == number;
        if is_it {
            self.timer = None;
        }
        is_it
    }

    fn drain(
        &mut self,
        net: &mut Net,
        trace: &mut Trace,
        inbox: &mut VecDeque<Input<Frame>>,
    ) -> Held {
        for _ in 0..MOST_OUTPUTS {
            let output = self.hub.poll_output();
            if let Output::Timeout(deadline) = output {
                self.deadline = deadline;
                return Ok(());
            }
            let no = self.no.0;
            trace.say(net.now(), || format!("{no}   {output:?}"));
            if self.is_booked {
                self.reference.observe(&output)?;
                self.resolve_ends()?;
            }
            self.carry_out(output, net, inbox);
        }
        Err(Check::NoEndlessWork.breach(format!("more than {MOST_OUTPUTS} outputs")))
    }

    fn resolve_ends(&mut self) -> Held {
        if !self.is_booked {
            return Ok(());
        }
        let hub = &self.hub;
        self.reference.resolve_ends(|port| hub.report(port))?;
        self.reference.resolve_questions(|port| hub.report(port))
    }

    fn carry_out(
        &mut self,
        output: Output<Frame>,
        net: &mut Net,
        inbox: &mut VecDeque<Input<Frame>>,
    ) {
        match output {
            Output::Timeout(_) => {}
            Output::Post(port, message) => {
                let message = self.encode(message);
                net.post_to_page(self.own(port), message);
            }
            Output::Hand(port, parcel) => {
                net.post_to_page(self.own(port), encode_parcel(parcel));
            }
            Output::Deliver(delivery) => deliver(&delivery, |port| self.own(port), net),
            Output::Open {
                socket,
                url,
                protocols,
                ..
            } => {
                let identity = identity_of(&url).unwrap_or_default();
                let token = token_of(&url, &protocols);
                let whose = (self.no, socket);
                match net.links.open(&mut net.schedule, whose, (identity, token)) {
                    Some(link) => {
                        self.links.insert(socket, link);
                        self.sockets.insert(link, socket);
                    }
                    None => inbox.push_back(Input::Socket(socket, SocketEvent::Refused)),
                }
            }
            Output::Send(socket, frame) => {
                if let Some(link) = self.links.get(&socket) {
                    net.links.send(&mut net.schedule, *link, frame);
                }
            }
            Output::Close { socket, code, .. } => {
                if let Some(link) = self.links.get(&socket) {
                    net.links.close(&mut net.schedule, *link, code);
                }
            }
            Output::Retire { socket, code, .. } => {
                if let Some(link) = self.links.get(&socket) {
                    net.links.retire(&mut net.schedule, *link, code);
                }
            }
            Output::Announce(message) => {
                net.after(ANNOUNCED, Event::Announced(self.no, message));
            }
            // Nobody in these worlds looks inside.
            Output::Show(..) | Output::Fetch(_) | Output::Abort(..) => {}
            Output::WatchPeer { epoch, .. } => {
                if let Some(peer) = HubNo::of(&epoch) {
                    self.peers.insert(peer);
                    net.after(Duration::from_millis(1), Event::HubGone(peer));
                }
            }
            Output::Watch(port, lock) => {
                if let Some(tab) = tab_of(&lock) {
                    self.watches.insert(port, tab);
                    net.after(Duration::from_millis(1), Event::TabGone(tab));
                }
            }
            Output::Rebind { from, to } => {
                self.forgotten.insert(self.own(to));
                self.aliases.retain(|_, known| *known != to);
                self.aliases.insert(from, to);
            }
            Output::Forget(port) => {
                self.forgotten.insert(self.own(port));
                self.watches.remove(&port);
            }
            Output::Measure(socket) => {
                // Sockets of the simulation pass on at once what they are given.
                inbox.push_front(Input::Socket(socket, SocketEvent::Buffered(0)));
            }
            Output::Tick => {
                self.is_tick_asked = true;
                net.after(TICK, Event::Tick(self.no));
            }
        }
    }

    /// The page's own port, by the number that the hub knows it by.
    fn own(&self, port: PortId) -> PortId {
        let alias = self.aliases.iter().find(|(_, known)| **known == port);
        alias.map_or(port, |(own, _)| *own)
    }

    /// What a page is told, with what the driver alone knows.
    fn encode(&self, message: HubMessage) -> ToPage {
        if matches!(message, HubMessage::Welcome) {
            ToPage::Welcome(self.no)
        } else if matches!(message, HubMessage::Beat) {
            ToPage::Beat(self.no)
        } else {
            ToPage::Message(message)
        }
    }

    /// Nobody listens to a forgotten port, and a lock is granted once.
    fn is_unheard(&mut self, input: &Input<Frame>) -> bool {
        match input {
            Input::Message(port, _) | Input::Malformed(port, ..) => self.forgotten.contains(port),
            Input::LockGranted(port) => self.watches.remove(port).is_none(),
            Input::Socket(..)
            | Input::Tick
            | Input::Timeout { .. }
            | Input::Start { .. }
            | Input::Peer(_)
            | Input::PeerGone { .. } => false,
        }
    }

    /// Sets the timer, unless one that is set will come in time: a timer that comes early does no harm.
    fn arm(&mut self, net: &mut Net) {
        let Some(Deadline { at, .. }) = self.deadline else {
            self.timer = None;
            return;
        };
        if self.timer.is_some_and(|armed| armed <= at) {
            return;
        }
        self.timer = Some(at);
        self.timers += 1;
        let late = match self.rng.u8(0..10) {
            0 => self.rng.u64(0..30_000),
            _ => self.rng.u64(0..1500),
        };
        let at = net.clock.when(at) + Duration::from_micros(late);
        net.schedule.at(at, Event::Timer(self.no, self.timers));
    }
}

/// The url of an identity.
pub fn url_of(identity: usize) -> String {
    format!("wss://sim.test/{identity}")
}

/// The identity of a url.
pub fn identity_of(url: &str) -> Option<usize> {
    let path = url.split('?').next().unwrap_or_default();
    path.rsplit('/').next().and_then(|tail| tail.parse().ok())
}

/// The token that is shown to the server.
fn token_of(url: &str, protocols: &[String]) -> Option<String> {
    let query = url.split_once("access_token=").map(|(_, token)| token);
    let named = protocols.iter().position(|name| name == "access_token");
    let offered = named.and_then(|index| protocols.get(index + 1));
    query.map(String::from).or_else(|| offered.cloned())
}

fn tab_of(lock: &str) -> Option<TabNo> {
    let number = lock.strip_prefix("tabwire:tab:")?.parse().ok()?;
    Some(TabNo(number))
}

fn encode_parcel(parcel: Parcel<Frame>) -> ToPage {
    let mut frames = parcel.frames.into_iter().map(|(frame, _)| frame);
    match (parcel.kind, parcel.number) {
        (ParcelKind::Subscribed, number) => {
            ToPage::Subscribed(parcel.handle, number, frames.collect(), parcel.topic)
        }
        (ParcelKind::Answered, number) => {
            let answer = frames.next().expect("an answer is one frame");
            ToPage::Answered(parcel.handle, number, answer)
        }
        (ParcelKind::Single { .. }, _) => unreachable!("no page wants messages alone"),
    }
}

fn deliver(delivery: &Delivery<Frame>, own: impl Fn(PortId) -> PortId, net: &mut Net) {
    let frames: Rc<Vec<_>> = Rc::new(delivery.frames().cloned().collect());
    let marks = delivery.topics().map(Rc::new);
    for (port, first) in &delivery.ports {
        let batch = ToPage::Batch {
            conn: delivery.conn,
            first: *first,
            frames: Rc::clone(&frames),
            want_ack: delivery.want_ack,
            marks: marks.clone(),
        };
        net.post_to_page(own(*port), batch);
    }
}
