//! A connection as it must be, by what has come in.

use std::collections::{BTreeMap, BTreeSet};

use core::time::Duration;

use tabwire::core::{FUNCTION, PortId, SocketId};
use tabwire::protocol::{
    Amount, Attach, ConnId, ConnectionConfig, FlowConfig, Needs, Options, State, WhenSlow,
};
use tabwire::time::Time;

use super::access::Access;
use super::lane::Lane;
use super::outgoing::Outgoing;
use super::phase::{Failures, Phase, Wait};
use super::sender::Key;
use super::stream::Stream;
use crate::frame::Frame;

/// What makes handles share a connection.
pub type Identity = (String, Vec<String>, String);

/// How a tab was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// For good: its port is forgotten.
    Left,
    /// It did not answer: if it says something after all, it is asked who it is, and starts over.
    Silent,
    /// It goes to another hub, with what it has not been told of.
    Moved,
}

/// The identity that an attach asks for.
pub fn identity_of(attach: &Attach) -> Identity {
    (
        attach.url.clone(),
        attach.protocols.clone(),
        attach.key.clone(),
    )
}

/// A connection.
#[derive(Debug)]
pub struct Conn {
    /// What makes handles share it.
    pub identity: Identity,
    /// The options of the first attach.
    pub config: ConnectionConfig,
    /// Where in its life it is.
    pub phase: Phase,
    /// The socket that the hub opened last, unless it is closed.
    pub socket: Option<SocketId>,
    /// How many sockets it has had.
    pub generation: u32,
    /// When the ping went out that is not answered yet.
    pub ping_at: Option<Time>,
    /// How long that may take.
    pub pong_within: Duration,
    /// The connection is in doubt since the hub woke up, then.
    pub in_doubt_since: Option<Time>,
    /// The socket that must be given a ping now, for that. What has woken the hub may be that it is closed.
    pub probe_due: Option<SocketId>,
    /// When something came last.
    pub inbound_at: Time,
    /// When it is looked at whether anything comes.
    pub stale_at: Time,
    /// Since when it has had this socket.
    pub socket_since: Time,
    /// The socket that is to take over.
    pub successor: Option<Successor>,
    /// The socket that must be retired now.
    pub retiring: Option<SocketId>,
    /// The socket whose closing handshake is under way, since then.
    pub retired: Option<(SocketId, Time)>,
    /// One whose closing handshake has just ended: the hub still says that it is to be closed.
    pub settled: Option<SocketId>,
    /// What an attempt needs of the tabs.
    pub access: Access,
    /// A planned replacement has failed, and is tried again.
    pub replaces_again: bool,
    /// It has waited for reasons that nobody heard of.
    pub has_waited_unheard: bool,
    /// It waits because nobody could be asked.
    pub waits_for_tab: bool,
    /// When the last ping went out, or was to be planned.
    pub last_ping: Time,
    /// Frames that came before the socket was verified: they are for the tabs if it is.
    pub early: Vec<Frame>,
    /// Failed attempts and unstable connections since it was last stable.
    pub failures: Failures,
    /// Attempts since it was last stable.
    pub tries: u32,
    /// When each attempt began, and how many there had been since it was last stable, that one included.
    pub attempts: Vec<(Time, u32)>,
    /// Every wait for an attempt.
    pub waits: Vec<Wait>,
    /// Whether it may have ended by `maxAttempts`: the documentation leaves it open.
    pub may_have_ended: bool,
    /// Handles of tabs, with their limits.
    pub handles: BTreeMap<Key, FlowConfig>,
    /// Handles that must be told that they are closed.
    pub closing: BTreeSet<Key>,
    /// Since when nobody has a handle.
    pub empty_since: Option<Time>,
    /// Since when somebody has a handle.
    pub wanted_since: Time,
    /// The code for the server, if the last handle left with one.
    pub parting: Option<u16>,
    /// With which code it has ended, and whether that was clean.
    pub ended_with: (u16, bool),
    /// How long it outlives its last handle.
    pub linger: Duration,
    /// What it has received.
    pub stream: Stream,
    /// What each tab was told.
    pub lanes: BTreeMap<PortId, Lane>,
    /// What the tabs send.
    pub outgoing: Outgoing,
    /// How often it was opened and lost.
    pub counts: (u64, u64),
    /// Transitions so far, or a little more.
    pub transitions: u64,
    /// When it was last not open.
    pub down_since: Time,
}

/// A socket that is to take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Successor {
    /// The socket.
    pub socket: SocketId,
    /// Whether it is open and must answer a ping.
    pub is_open: bool,
}

impl Conn {
    /// A connection that is about to get its first handle.
    pub fn new(identity: Identity, options: &Options, now: Time) -> Self {
        Self {
            identity,
            config: ConnectionConfig::new(options),
            phase: Phase::Idle,
            socket: None,
            generation: 0,
            ping_at: None,
            pong_within: Duration::ZERO,
            in_doubt_since: None,
            probe_due: None,
            inbound_at: now,
            stale_at: now,
            socket_since: now,
            successor: None,
            retiring: None,
            retired: None,
            settled: None,
            access: Access::default(),
            replaces_again: false,
            has_waited_unheard: false,
            waits_for_tab: false,
            last_ping: now,
            early: Vec::new(),
            failures: Failures::default(),
            tries: 0,
            attempts: Vec::new(),
            waits: Vec::new(),
            may_have_ended: false,
            handles: BTreeMap::new(),
            closing: BTreeSet::new(),
            empty_since: None,
            wanted_since: now,
            parting: None,
            ended_with: (0, false),
            linger: Duration::ZERO,
            stream: Stream::default(),
            lanes: BTreeMap::new(),
            outgoing: Outgoing::default(),
            counts: (0, 0),
            transitions: 0,
            down_since: now,
        }
    }

    /// A handle is attached, anew or again.
    pub fn attach(&mut self, key: Key, (options, needs): (&Options, Needs), now: Time) {
        if self.empty_since.take().is_some() {
            self.wanted_since = now;
        }
        self.linger = self.linger.max(options.linger());
        self.handles.insert(key, options.flow.resolve());
        self.access.needs.insert(key, needs);
        self.access.with_token |= needs.token;
        self.outgoing.add(key, options.queue.resolve());
        let config = self.lane_config(key.0);
        let next = self.stream.len();
        let lane = self
            .lanes
            .entry(key.0)
            .or_insert_with(|| Lane::new(next, config.clone(), now));
        lane.set_config(config, &self.stream);
        lane.owe(key.1, self.config.differences(options));
    }

    /// A handle is detached.
    pub fn detach(&mut self, key: Key, code: Option<u16>, now: Time) {
        self.handles.remove(&key);
        self.access.needs.remove(&key);
        self.outgoing.detach(key);
        if let Some(lane) = self.lanes.get_mut(&key.0) {
            lane.forgive(key.1);
        }
        self.parting = code;
        self.handle_left(key.0, now);
    }

    /// Nobody with this key shall find anything of it: it outlives its last handle no longer, and if that has left, it ends now.
    pub fn purge(&mut self, now: Time) {
        self.linger = Duration::ZERO;
        self.empty_since = self.empty_since.map(|_| now);
    }

    /// A tab is gone, or so it seems.
    pub fn remove_port(&mut self, port: PortId, departure: Departure, now: Time) {
        self.closing.retain(|(owner, _)| *owner != port);
        match departure {
            Departure::Left | Departure::Silent => self.outgoing.orphan(port),
            Departure::Moved => self.outgoing.send_on(port),
        }
        self.access.needs.retain(|(owner, _), _| *owner != port);
        self.lanes.remove(&port);
        let before = self.handles.len();
        self.handles.retain(|(owner, _), _| *owner != port);
        if self.handles.len() < before {
            self.parting = None;
            self.handle_left(port, now);
        }
    }

    /// Where it leads: if functions give its urls, that is told by its key.
    pub fn place(&self) -> &str {
        if self.identity.0 == FUNCTION {
            &self.identity.2
        } else {
            &self.identity.0
        }
    }

    /// Whether a tab has a handle here.
    pub fn has_port(&self, port: PortId) -> bool {
        self.handles.keys().any(|(owner, _)| *owner == port)
    }

    /// Whether it will not connect again.
    pub fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Whether it has ended and everybody knows.
    pub fn is_finished(&self) -> bool {
        let mut lanes = self.lanes.values();
        self.is_ended()
            && self.retired.is_none()
            && self.retiring.is_none()
            && self.closing.is_empty()
            && lanes.all(|lane| lane.is_done(&self.stream))
    }

    /// Whether its linger is over.
    pub fn is_unwanted(&self, now: Time) -> bool {
        self.empty_since
            .is_some_and(|since| since + self.linger <= now)
    }

    /// The states that a tab may be shown.
    pub fn states(&self, online: bool) -> &'static [State] {
        match self.phase {
            Phase::Idle if self.waits_for_tab => {
                &[State::Idle, State::Reconnecting, State::Offline]
            }
            Phase::Idle => &[State::Idle],
            Phase::Handshake(_) | Phase::Verifying(_) | Phase::Asking => &[State::Connecting],
            Phase::Moving => &[
                State::Idle,
                State::Connecting,
                State::Reconnecting,
                State::Offline,
            ],
            Phase::Up { .. } => &[State::Open, State::Suspect],
            Phase::Waiting(_) if online => &[State::Reconnecting],
            Phase::Waiting(_) => &[State::Offline],
            Phase::Ended => &[State::Closed, State::Failed],
        }
    }

    /// Notes a message for the tabs.
    pub fn push_message(&mut self, frame: Frame, now: Time) {
        self.stream.push(frame, now);
        for lane in self.lanes.values_mut() {
            lane.handle_growth(&self.stream);
        }
    }

    /// Notes transitions that the tabs must be told.
    pub fn handle_transitions(&mut self, count: u64) {
        self.transitions += count;
        for lane in self.lanes.values_mut() {
            lane.handle_transitions(self.transitions);
        }
    }

    /// How it is called in a report of a breach.
    pub fn name(&self, id: ConnId) -> String {
        format!("{id:?} to {}", self.identity.0)
    }

    fn handle_left(&mut self, port: PortId, now: Time) {
        if self.has_port(port) {
            let config = self.lane_config(port);
            if let Some(lane) = self.lanes.get_mut(&port) {
                lane.set_config(config, &self.stream);
            }
            return;
        }
        self.lanes.remove(&port);
        if self.handles.is_empty() && self.phase == Phase::Moving {
            self.phase = Phase::Ended;
        }
        if self.handles.is_empty() && !self.is_ended() {
            self.empty_since = Some(now);
        }
    }

    /// The limits for a tab with several handles: the strictest of each.
    fn lane_config(&self, port: PortId) -> FlowConfig {
        let mut flows = self
            .handles
            .iter()
            .filter(|((owner, _), _)| *owner == port)
            .map(|(_, flow)| flow);
        let mut config = flows.next().cloned().unwrap_or_default();
        for flow in flows {
            config.window = least(config.window, flow.window);
            config.cap = least(config.cap, flow.cap);
            config.hidden_flush = config.hidden_flush.min(flow.hidden_flush);
            if config.when_slow == WhenSlow::Queue {
                config.when_slow = flow.when_slow;
            }
        }
        config
    }
}

fn least(one: Amount, other: Amount) -> Amount {
    Amount {
        messages: one.messages.min(other.messages),
        bytes: one.bytes.min(other.bytes),
    }
}
