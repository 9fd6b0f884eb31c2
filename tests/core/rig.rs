//! A hub with scripted tabs and sockets.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tabwire::core::{
    Deadline, Fetch, Hub, Input, Output, ParcelKind, Payload, PortId, SocketEvent, SocketId,
};
use tabwire::protocol::{
    ConnId, Entry, HandleId, HubMessage, PeerMessage, State, Status, TabMessage,
};
use tabwire::time::Time;

use crate::json::{Bytes, Json};

/// What a tab got.
#[derive(Clone, Debug, PartialEq)]
pub enum Got {
    Note(HubMessage),
    Frames(u64, Vec<String>, bool),
    Parcel(ParcelKind, u32, Vec<(String, Time)>),
}

/// What a tab was shown that looks inside.
pub type Shown = (PortId, u64, VecDeque<Entry<Bytes>>);

pub struct Rig {
    pub hub: Hub<Bytes>,
    pub now: Time,
    pub got: BTreeMap<PortId, Vec<Got>>,
    /// The connection of the handle that a tab attached last.
    pub attached: BTreeMap<PortId, ConnId>,
    pub opened: Vec<(SocketId, String, Vec<String>)>,
    pub sent: Vec<(SocketId, String)>,
    pub closed: Vec<(SocketId, Option<u16>, String)>,
    pub watched: Vec<(PortId, String)>,
    pub forgotten: Vec<PortId>,
    pub rebound: Vec<(PortId, PortId)>,
    pub retired: Vec<(SocketId, &'static str)>,
    pub announced: Vec<PeerMessage>,
    pub watched_peers: Vec<String>,
    pub fetched: Vec<Fetch<Bytes>>,
    pub aborted: Vec<(SocketId, u32)>,
    pub shown: Vec<Shown>,
    /// How long the computer has slept with its monotonic clock standing still.
    pub slept: Duration,
    pub ticks: usize,
    /// What the sockets say that they have not passed on, and how often that was asked.
    pub buffered: usize,
    pub measured: usize,
    pub deadline: Option<Deadline>,
}

pub const A: PortId = PortId(1);
pub const B: PortId = PortId(2);
pub const H: HandleId = HandleId(1);
/// When the tests take place, since 1970.
const WALL: Duration = Duration::from_secs(1_700_000_000);
pub const URL: &str = "ws://server/ws";

impl Rig {
    pub fn new() -> Self {
        Self::seeded(1)
    }

    pub fn seeded(seed: u64) -> Self {
        Self {
            hub: Hub::new(seed),
            now: Time::from_millis(1000),
            got: BTreeMap::new(),
            attached: BTreeMap::new(),
            opened: Vec::new(),
            sent: Vec::new(),
            closed: Vec::new(),
            watched: Vec::new(),
            forgotten: Vec::new(),
            rebound: Vec::new(),
            retired: Vec::new(),
            announced: Vec::new(),
            watched_peers: Vec::new(),
            fetched: Vec::new(),
            aborted: Vec::new(),
            shown: Vec::new(),
            slept: Duration::ZERO,
            ticks: 0,
            buffered: 0,
            measured: 0,
            deadline: None,
        }
    }

    /// A rig whose tab A has an open connection.
    pub fn open(options: Value) -> Self {
        let mut rig = Self::new();
        rig.hello(A);
        rig.attach(A, H, options);
        rig.accept();
        rig
    }

    pub fn input(&mut self, input: Input<Bytes>) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.hub.handle_input(self.now, input);
            self.drain(&mut inputs);
        }
    }

    fn drain(&mut self, inputs: &mut Vec<Input<Bytes>>) {
        loop {
            match self.hub.poll_output() {
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    return;
                }
                Output::Measure(socket) => {
                    self.measured += 1;
                    inputs.push(Input::Socket(socket, SocketEvent::Buffered(self.buffered)));
                }
                Output::Post(port, note) => {
                    if let HubMessage::Attached { conn, .. } = note {
                        self.attached.insert(port, conn);
                    }
                    self.got.entry(port).or_default().push(Got::Note(note));
                }
                Output::Hand(port, parcel) => {
                    let got = self.got.entry(port).or_default();
                    let frames = parcel.frames.iter();
                    let frames = frames.map(|(frame, at)| (text(frame), *at)).collect();
                    got.push(Got::Parcel(parcel.kind, parcel.number, frames));
                }
                Output::Deliver(delivery) => {
                    let frames: Vec<_> = delivery.frames().map(text).collect();
                    for (port, first) in &delivery.ports {
                        let got = Got::Frames(*first, frames.clone(), delivery.want_ack);
                        self.got.entry(*port).or_default().push(got);
                    }
                }
                Output::Open {
                    socket,
                    url,
                    protocols,
                    ..
                } => self.opened.push((socket, url, protocols)),
                Output::Send(socket, frame) => self.sent.push((socket, text(&frame))),
                Output::Close {
                    socket,
                    code,
                    reason,
                } => self.closed.push((socket, code, reason)),
                Output::Retire { socket, reason, .. } => self.retired.push((socket, reason)),
                Output::Announce(message) => self.announced.push(message),
                Output::WatchPeer { epoch, .. } => self.watched_peers.push(epoch),
                Output::Fetch(fetch) => self.fetched.push(*fetch),
                Output::Abort(socket, request) => self.aborted.push((socket, request)),
                Output::Show(port, dropped, entries) => self.shown.push((port, dropped, entries)),
                Output::Watch(port, lock) => self.watched.push((port, lock)),
                Output::Rebind { from, to } => self.rebound.push((from, to)),
                Output::Forget(port) => self.forgotten.push(port),
                Output::Tick => self.ticks += 1,
            }
        }
    }

    /// A message as it stands on the wire.
    pub fn wire(&mut self, port: PortId, wire: Value) {
        let message = TabMessage::decode(&Json(wire)).unwrap();
        self.input(Input::Message(port, message));
    }

    pub fn hello(&mut self, port: PortId) {
        self.hello_as(port, &format!("tab{}", port.0), "locks");
    }

    pub fn hello_as(&mut self, port: PortId, tab: &str, liveness: &str) {
        self.wire(
            port,
            json!([1, {"protocol": 1, "build": "test", "tab": tab, "liveness": liveness,
                       "visible": 1, "focused": 1, "online": 1}]),
        );
    }

    pub fn attach(&mut self, port: PortId, handle: HandleId, options: Value) {
        self.attach_to(port, handle, URL, "", options);
    }

    pub fn attach_to(
        &mut self,
        port: PortId,
        handle: HandleId,
        url: &str,
        key: &str,
        options: Value,
    ) {
        self.wire(
            port,
            json!([3, handle.0, {"url": url, "protocols": [], "key": key, "options": options}]),
        );
    }

    pub fn send(&mut self, port: PortId, first: u64, frames: &[&str]) {
        self.wire(port, json!([5, H.0, self.attached[&port].0, first, frames]));
    }

    /// Attaches a handle whose tab can be asked.
    pub fn attach_asked(&mut self, port: PortId, url: &str, needs: &[&str], options: Value) {
        self.wire(
            port,
            json!([3, H.0, {"url": url, "protocols": [], "key": "alice", "need": needs, "options": options}]),
        );
    }

    /// The question that a tab was asked last, and what for.
    pub fn asked(&mut self, port: PortId) -> Option<(u32, &'static str)> {
        let notes = self.notes(port).into_iter();
        notes.rev().find_map(|note| match note {
            HubMessage::Need { id, kind, .. } => Some((id, kind.code())),
            _ => None,
        })
    }

    /// The computer sleeps: its monotonic clock stands still, or goes on.
    pub fn sleep(&mut self, span: Duration, stands_still: bool) {
        if stands_still {
            self.slept += span;
        } else {
            self.now = self.now + span;
        }
    }

    /// The newest socket.
    pub fn socket(&self) -> SocketId {
        self.opened.last().unwrap().0
    }

    pub fn event(&mut self, event: SocketEvent<Bytes>) {
        let socket = self.socket();
        self.input(Input::Socket(socket, event));
    }

    pub fn accept(&mut self) {
        self.event(SocketEvent::Opened {
            protocol: String::new(),
            extensions: String::new(),
        });
    }

    pub fn frame(&mut self, frame: &str) {
        self.event(SocketEvent::Frame(Bytes::from_text(frame)));
    }

    pub fn tick(&mut self) {
        self.input(Input::Tick);
    }

    pub fn server_closes(&mut self, code: u16, clean: bool) {
        self.event(SocketEvent::Closed {
            code,
            reason: "because".into(),
            clean,
        });
    }

    /// Lets time pass, with every deadline on its way.
    pub fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(deadline) = self.deadline.filter(|deadline| deadline.at <= until) {
            self.now = self.now.max(deadline.at);
            self.timeout();
        }
        self.now = until;
    }

    /// The deadline has come.
    pub fn timeout(&mut self) {
        let wall = WALL + self.slept + self.now.since(Time::ZERO);
        self.input(Input::Timeout { wall });
    }

    /// How long until the next attempt, as it was told last.
    pub fn next_wait(&mut self, port: PortId) -> u128 {
        let status = self.statuses(port).pop().unwrap();
        status.next_attempt_at.unwrap().since(self.now).as_millis()
    }

    pub fn pass_millis(&mut self, millis: u64) {
        self.pass(Duration::from_millis(millis));
    }

    /// Lets time pass until the next attempt starts, and accepts it.
    pub fn reopen(&mut self) {
        let before = self.opened.len();
        while self.opened.len() == before {
            let deadline = self.deadline.unwrap();
            self.pass(deadline.at.since(self.now));
        }
        self.accept();
    }

    /// Forgets what was got, and gives it.
    pub fn take(&mut self, port: PortId) -> Vec<Got> {
        self.got.remove(&port).unwrap_or_default()
    }

    pub fn notes(&mut self, port: PortId) -> Vec<HubMessage> {
        let notes = self.take(port).into_iter().filter_map(|got| match got {
            Got::Note(note) => Some(note),
            Got::Frames(..) | Got::Parcel(..) => None,
        });
        notes.collect()
    }

    pub fn statuses(&mut self, port: PortId) -> Vec<Status> {
        let statuses = self.notes(port).into_iter().filter_map(|note| match note {
            HubMessage::Status(_, status) => Some(Rc::unwrap_or_clone(status)),
            _ => None,
        });
        statuses.collect()
    }

    pub fn states(&mut self, port: PortId) -> Vec<State> {
        let statuses = self.statuses(port);
        statuses.into_iter().map(|status| status.state).collect()
    }

    pub fn frames(&mut self, port: PortId) -> Vec<String> {
        let frames = self.take(port).into_iter().filter_map(|got| match got {
            Got::Frames(_, frames, _) => Some(frames),
            Got::Note(_) | Got::Parcel(..) => None,
        });
        frames.flatten().collect()
    }

    pub fn sent_texts(&self) -> Vec<&str> {
        self.sent.iter().map(|(_, text)| text.as_str()).collect()
    }

    pub fn conn(&self) -> ConnId {
        self.socket().conn
    }
}

fn text(frame: &Bytes) -> String {
    String::from_utf8(frame.0.clone()).unwrap()
}
