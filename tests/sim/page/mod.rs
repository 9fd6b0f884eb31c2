//! A model of the page side, by the letter of `docs/PROTOCOL.md`.

mod answers;
mod ear;
mod gate;
mod handle;
mod hear;
mod inbox;
mod sends;
mod topics;
mod view;
mod wishes;

use std::collections::{BTreeMap, BTreeSet};

use core::time::Duration;

use tabwire::core::PortId;
use tabwire::protocol::{Answer, Attach, ConnId, HandleId, Hello, Liveness, MAJOR, TabMessage};
use tabwire::time::Time;

use crate::event::Event;
use crate::frame::{Frame, HandleNo};
use crate::hubs::HubNo;
use crate::invariants::Held;
use crate::net::Net;
use crate::topics::TopicNo;
use crate::worker::Worker;
use ear::Ear;
use gate::{Gate, clock_of};
use topics::Topics;

pub use answers::Candour;
pub use handle::{Handle, Stage};
pub use inbox::Inbox;
pub use sends::{Fate, Loss};
pub use topics::Outcome;
pub use view::Shown;
pub use wishes::HandleIndex;

/// A page, numbered through its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TabNo(pub u32);

/// Whether a page can do anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It can.
    Awake,
    /// It is frozen or cached.
    Suspended,
    /// It is gone.
    Dead,
}

/// One tab's page.
#[derive(Debug)]
pub struct Page {
    /// Its number.
    pub no: TabNo,
    /// The port it uses.
    pub port: PortId,
    /// The worker that it has its port to.
    pub worker: Worker,
    /// How its death shows.
    pub liveness: Liveness,
    /// Whether it can do anything.
    pub life: Life,
    /// Whether it was frozen or cached when it died: its hub takes it for one that is, for a while.
    pub is_ghost: bool,
    /// Whether it holds its lock.
    pub has_lock: bool,
    /// Its handles, ended ones too.
    pub handles: Vec<Handle>,
    /// How its user's functions answer.
    pub candour: Candour,
    answers: u32,
    /// What the hub has said and it has not handled.
    pub inbox: Inbox,
    /// Topics that it has ever listened to.
    wanted: BTreeSet<TopicNo>,
    visible: bool,
    online: bool,
    /// The hub that has welcomed it, unless that has forgotten it.
    hub: Option<HubNo>,
    /// The hub that has forgotten it, until it is known whether the next one is the same.
    unsettled: Option<HubNo>,
    /// The hub that was lost last, if the worker of that is tried again.
    lost: Option<HubNo>,
    is_lost: bool,
    is_moved: bool,
    conns: BTreeMap<ConnId, u64>,
    heard_at: Time,
    waiting_since: Option<Time>,
    /// Hellos on this port that are not answered by `welcome`.
    hellos: u32,
    /// A hub has asked who this is, since the last `welcome`.
    is_unknown: bool,
    /// Whether its hub is that of a page which leads. It asks by silence then, however its death shows.
    is_led: bool,
    /// Whether something that this hub has said has not come.
    has_missed: bool,
    /// The breaker that it uses, where pages use one.
    pub gate: Option<Gate>,
}

/// Nobody listens to this port: that of a page which seeks a hub.
pub const NOWHERE: PortId = PortId(0);

/// A page without locks asks after so much silence.
const SILENCE: Duration = Duration::from_secs(5);
/// And waits so long for the answer.
const ANSWER: Duration = Duration::from_secs(2);
/// How often it looks.
pub const LOOK_EVERY: Duration = Duration::from_millis(1500);

impl Page {
    /// A page that says hello on its port.
    pub fn open(
        no: TabNo,
        (port, worker): (PortId, Worker),
        liveness: Liveness,
        (visible, online): (bool, bool),
        net: &mut Net,
    ) -> Self {
        let mut page = Self {
            no,
            port,
            worker,
            liveness,
            life: Life::Awake,
            is_ghost: false,
            has_lock: liveness == Liveness::Locks,
            handles: Vec::new(),
            candour: Candour::default(),
            answers: 0,
            inbox: Inbox::new(no),
            wanted: BTreeSet::new(),
            visible,
            online,
            hub: None,
            unsettled: None,
            lost: None,
            is_lost: false,
            is_moved: false,
            conns: BTreeMap::new(),
            heard_at: net.now(),
            waiting_since: None,
            hellos: 0,
            is_unknown: false,
            is_led: false,
            has_missed: false,
            gate: None,
        };
        page.say_hello(net);
        net.after(LOOK_EVERY, Event::Look(no));
        page
    }

    /// Its hub is that of a page which leads, and it has none yet.
    pub fn be_led(&mut self) {
        self.is_led = true;
        self.waiting_since = None;
        self.gate = Some(Gate::default());
    }

    /// The hub that it has its handles at, if it knows.
    pub fn hub(&self) -> Option<HubNo> {
        self.hub
    }

    /// Whether it can do anything now.
    pub fn is_awake(&self) -> bool {
        self.life == Life::Awake
    }

    /// Opens a handle.
    pub fn attach(&mut self, no: HandleNo, attach: Attach, net: &mut Net) {
        let mut handle = Handle::new(no, HandleId(self.handles.len() as u32), attach);
        self.post(handle.attach(), net);
        self.handles.push(handle);
    }

    /// The url that the function of the newest handle gives.
    pub fn lead(&mut self, url: String) {
        if let Some(handle) = self.handles.last_mut() {
            handle.url = url;
        }
    }

    /// What the user's function has given comes to the hub that has asked, if the page can say so.
    pub fn give(&mut self, port: PortId, id: u32, answer: Answer, net: &mut Net) {
        if self.is_awake() && self.port == port {
            self.post(TabMessage::Answer(id, answer), net);
        }
    }

    /// Closes a handle.
    pub fn detach(&mut self, index: usize, code: Option<u16>, net: &mut Net) {
        self.flush(net);
        let handle = &mut self.handles[index];
        handle.stage = Stage::Detaching;
        let detach = handle.detach(code);
        self.post(detach, net);
    }

    /// Closes a handle, and wants everything about its key erased.
    pub fn purge(&mut self, index: usize, net: &mut Net) {
        self.flush(net);
        let handle = &mut self.handles[index];
        handle.stage = Stage::Detaching;
        let purge = TabMessage::Detach {
            handle: handle.id,
            code: None,
            reason: String::new(),
            purge: true,
        };
        self.post(purge, net);
    }

    /// Sends through a handle.
    pub fn send(&mut self, index: usize, count: u16, size: u32, net: &mut Net) {
        for _ in 0..count {
            self.handles[index].sends.push(size);
        }
        self.flush(net);
    }

    /// The user shows or hides it.
    pub fn show(&mut self, visible: bool, net: &mut Net) {
        self.visible = visible;
        let focused = visible;
        self.post(TabMessage::Visibility { visible, focused }, net);
    }

    /// The browser goes offline or online.
    pub fn set_online(&mut self, online: bool, net: &mut Net) {
        if self.is_awake() && online != self.online {
            self.online = online;
            self.post(TabMessage::Online(online), net);
        }
    }

    /// The page is frozen, or cached.
    pub fn suspend(&mut self, net: &mut Net) {
        self.post(TabMessage::Suspend, net);
        self.life = Life::Suspended;
        // It will not see when the connection opens and what it has posted is sent.
        self.risk();
        self.inbox.stop();
    }

    /// The page is back: from the cache with `hello`, from being frozen with `resume`.
    pub fn come_back(&mut self, says_hello: bool, online: bool, net: &mut Net) {
        self.life = Life::Awake;
        self.has_lock = self.liveness == Liveness::Locks;
        self.heard_at = net.now();
        if says_hello {
            self.online = online;
            self.introduce(net);
        } else {
            self.post(TabMessage::Resume, net);
            self.set_online(online, net);
            let (visible, focused) = (self.visible, self.visible);
            self.post(TabMessage::Visibility { visible, focused }, net);
        }
        self.inbox.start(net);
    }

    /// What it has posted may have reached the server, unseen.
    pub fn risk(&mut self) {
        for handle in &mut self.handles {
            handle.sends.risk();
        }
    }

    /// Something that its hub has said does not come. What is numbered is missed by its number, and that is told as a gap.
    pub fn miss(&mut self) {
        self.has_missed = true;
    }

    /// It learns of the end of its hub before it hears what that has said.
    pub fn doubt(&mut self) {
        for handle in &mut self.handles {
            handle.sends.doubt();
        }
    }

    /// The page stops where it is, and knows nothing of it.
    pub fn halt(&mut self) {
        self.life = Life::Suspended;
        self.inbox.stop();
    }

    /// The page goes on where it stopped. Deadlines are counted in halves, so that it first hears what has come meanwhile.
    pub fn go_on(&mut self, net: &mut Net) {
        let now = net.now();
        self.life = Life::Awake;
        self.heard_at = now;
        self.waiting_since = self.waiting_since.map(|_| now);
        self.inbox.start(net);
    }

    /// The page is gone.
    pub fn die(&mut self) {
        self.is_ghost = self.life == Life::Suspended;
        self.life = Life::Dead;
        self.inbox.stop();
    }

    /// Looks whether the hub is silent.
    pub fn look(&mut self, net: &mut Net) {
        let now = net.now();
        if !self.is_awake() || !self.inbox.is_idle(now) {
            return;
        }
        if let Some(since) = self.waiting_since {
            if now.since(since) >= ANSWER {
                self.is_lost = true;
                // The hub may be frozen, and hand what it has when it thaws.
                self.risk();
            }
            return;
        }
        let has_hub = self.hub.is_some() || self.unsettled.is_some();
        let always = self.liveness == Liveness::Heartbeat && !self.is_led;
        let asks = always || (has_hub && (self.is_led || self.hellos > 0));
        if asks && now.since(self.heard_at) >= SILENCE {
            self.waiting_since = Some(now);
            self.post(TabMessage::Alive, net);
        }
    }

    /// Whether it is told when the lock of this hub is free.
    pub fn waits_for(&self, hub: HubNo) -> bool {
        self.life != Life::Dead && self.liveness == Liveness::Locks && self.hub == Some(hub)
    }

    /// Whether it needs a fresh port, since nobody listens to the one it has.
    pub fn has_lost_hub(&self) -> bool {
        self.is_lost
    }

    /// Has found none.
    pub fn lose_hub(&mut self) {
        self.is_lost = true;
    }

    /// Decides where to look for a hub: where the lost one was, and if nobody answers there, in a worker that replaces it.
    pub fn seek(&mut self) -> Worker {
        match (self.hub, self.lost, self.worker) {
            (Some(hub), ..) => self.lost = Some(hub),
            (None, Some(lost), Worker::Shared(build, _)) => {
                self.worker = Worker::Shared(build, Some(lost));
            }
            (None, ..) => {}
        }
        self.worker
    }

    /// Goes to a fresh port.
    pub fn move_to(&mut self, port: PortId, net: &mut Net) -> Held {
        let before = self.port;
        self.depart(net)?;
        net.follow_port(port, before);
        self.port = port;
        self.introduce(net);
        Ok(())
    }

    /// Has found a hub, which must say something within other bounds than one that it knows.
    pub fn arrive(&mut self, port: PortId, net: &mut Net) {
        self.port = port;
        self.hellos = 0;
        if let Some(gate) = &mut self.gate {
            gate.is_new = true;
        }
        self.introduce(net);
        self.waiting_since = None;
    }

    /// There is no hub for it: all that it has ends.
    pub fn quit(&mut self) -> Held {
        for handle in &mut self.handles {
            match handle.stage {
                Stage::Ended(_) => continue,
                Stage::Detaching => handle.stage = Stage::Ended(true),
                Stage::Attaching | Stage::Attached => {
                    handle.stage = Stage::Ended(false);
                    handle.sends.end()?;
                }
            }
            handle.conn = None;
            handle.stop_topics();
        }
        Ok(())
    }

    /// Leaves its port. Should somebody listen there after all, that one has nothing of it any more.
    pub fn depart(&mut self, net: &mut Net) -> Held {
        for handle in self.handles.iter().filter(|handle| handle.is_usable()) {
            self.post(handle.detach(None), net);
        }
        self.post(TabMessage::Bye, net);
        self.is_lost = false;
        self.has_missed = false;
        self.waiting_since = None;
        self.hellos = 0;
        self.is_unknown = false;
        self.inbox.clear();
        // Whether the hub before had given it up is not known any more.
        let why = match (self.unsettled.take(), self.is_moved) {
            (Some(_), _) => Loss::GivenUp,
            (None, true) => Loss::Moved,
            (None, false) => Loss::HubGone,
        };
        self.is_moved = false;
        self.forget_hub(net.now());
        self.unsettled = None;
        self.settle(why)
    }

    /// Tabs get what the listener that is furthest behind lacks, all of them.
    fn share_topics(&mut self, identity: usize) {
        let mut least: BTreeMap<TopicNo, u64> = BTreeMap::new();
        for ear in self.ears(identity) {
            if let Some(ordinal) = ear.ordinal() {
                let least = least.entry(ear.topic()).or_insert(ordinal);
                *least = ordinal.min(*least);
            }
        }
        for ear in self.ears(identity) {
            let least = least.get(&ear.topic()).copied();
            ear.share(least);
        }
    }

    fn ears(&mut self, identity: usize) -> impl Iterator<Item = &mut Ear> {
        let handles = self.handles.iter_mut();
        let handles = handles.filter(move |handle| handle.identity() == identity);
        handles
            .filter_map(|handle| handle.topics.as_mut())
            .flat_map(Topics::ears)
    }

    /// Posts a message.
    pub fn post(&self, message: TabMessage<Frame>, net: &mut Net) {
        net.post_to_hub(self.port, message);
    }

    /// The hub does not know this page: it says hello, attaches all, and settles its sends once it knows which hub it is.
    fn start_over(&mut self, net: &mut Net) {
        self.forget_hub(net.now());
        self.introduce(net);
    }

    fn forget_hub(&mut self, now: Time) {
        self.unsettled = self.unsettled.or(self.hub.take());
        self.conns.clear();
        for handle in &mut self.handles {
            handle.lose(now);
        }
    }

    /// Finds out what has become of the sends that another hub had, or this one, when it gave the page up.
    fn settle(&mut self, why: Loss) -> Held {
        for handle in self.handles.iter_mut().filter(|handle| handle.is_usable()) {
            handle.sends.lose(why)?;
        }
        Ok(())
    }

    fn introduce(&mut self, net: &mut Net) {
        self.say_hello(net);
        for handle in &mut self.handles {
            // Whether the hub still had it or not, it is not attached again.
            if handle.stage == Stage::Detaching {
                handle.stage = Stage::Ended(true);
                handle.conn = None;
                handle.stop_topics();
            }
        }
        let handles = &self.handles;
        self.conns
            .retain(|conn, _| handles.iter().any(|handle| handle.conn == Some(*conn)));
        let attach: Vec<_> = self
            .handles
            .iter_mut()
            .filter(|handle| handle.is_usable())
            .map(Handle::attach)
            .collect();
        for message in attach {
            self.post(message, net);
        }
        if let Some(gate) = &mut self.gate {
            let greeting = gate.greet(clock_of(net));
            self.post(greeting, net);
        }
    }

    fn say_hello(&mut self, net: &mut Net) {
        self.waiting_since = Some(net.now());
        self.hellos += 1;
        let hello = Hello {
            protocol: MAJOR,
            build: "sim".into(),
            tab: format!("{}", self.no.0),
            lock: format!("tabwire:tab:{}", self.no.0),
            liveness: self.liveness,
            visible: self.visible,
            focused: self.visible,
            online: self.online,
        };
        self.post(TabMessage::Hello(hello), net);
    }

    fn flush(&mut self, net: &mut Net) {
        let sends: Vec<_> = self.handles.iter_mut().filter_map(Handle::flush).collect();
        for send in sends {
            self.post(send, net);
        }
    }
}
