//! A hub with whatever comes in, and what must hold of what goes out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tabwire::core::{Deadline, Hub, Input, MOST_ENTRIES, Output, PortId, SocketEvent, SocketId};
use tabwire::protocol::{
    Address, Env, HubMessage, MessageError, Peer, PeerMessage, TabMessage, encode_entries, op,
    op_of,
};
use tabwire::time::Time;

use crate::step::{Step, Word};
use crate::value::{Frame, Value};

/// Deadlines that come in one step.
const MOST_DEADLINES: usize = 32;
/// Outputs of one input, for each thing that has been said so far, and at the least.
const MOST_OUTPUTS: usize = 64;
/// When sessions take place, since 1970.
const WALL: Duration = Duration::from_secs(1_700_000_000);

/// A hub with four tabs.
pub struct Session {
    hub: Hub<Frame>,
    now: Time,
    deadline: Option<Deadline>,
    /// The socket that the hub wants measured.
    measured: Option<SocketId>,
    sockets: Vec<SocketId>,
    /// Those that can still be used, and whether they are open.
    live: BTreeMap<SocketId, bool>,
    told: BTreeMap<PortId, Told>,
    place: Place,
    /// Things that have been said, which all that goes out comes from.
    said: usize,
    /// Frames that have come.
    frames: usize,
    /// Frames that each tab was posted.
    posted: BTreeMap<PortId, usize>,
    /// The breakers that each tab has asked to be told of.
    gates: BTreeSet<(PortId, String)>,
}

/// What a tab has been told last.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    conn: u32,
    question: u32,
}

impl Session {
    pub fn new() -> Self {
        Self {
            hub: Hub::new(1),
            now: Time::from_millis(1000),
            deadline: None,
            measured: None,
            sockets: Vec::new(),
            live: BTreeMap::new(),
            told: BTreeMap::new(),
            place: Place(Address::default()),
            said: 0,
            frames: 0,
            posted: BTreeMap::new(),
            gates: BTreeSet::new(),
        }
    }

    /// Lets a step happen.
    pub fn take(&mut self, step: Step) {
        match step {
            Step::Post(port, message) => self.post(PortId(u32::from(port % 5)), message.0),
            Step::Opened(socket, Word(protocol)) => {
                let extensions = String::new();
                let opened = SocketEvent::Opened {
                    protocol,
                    extensions,
                };
                self.socket(socket, opened);
            }
            Step::Frame(socket, Word(text)) => {
                self.socket(socket, SocketEvent::Frame(Frame(text.into_bytes())));
            }
            Step::Closed(socket, code, clean) => {
                let reason = String::new();
                let closed = SocketEvent::Closed {
                    code,
                    reason,
                    clean,
                };
                self.socket(socket, closed);
            }
            Step::Refused(socket) => self.socket(socket, SocketEvent::Refused),
            Step::Pass(millis) => self.pass(Duration::from_millis(millis.into())),
            Step::Tick => self.input(Input::Tick),
            Step::Granted(port) => self.input(Input::LockGranted(PortId(u32::from(port % 5)))),
            Step::Start(others, locks_fall) => self.input(Input::Start {
                me: Box::new(me()),
                others,
                locks_fall,
            }),
            Step::Peer(greeting) => self.greet(&greeting.0),
            Step::Gone(Word(epoch)) => self.input(Input::PeerGone { epoch }),
        }
    }

    fn post(&mut self, port: PortId, message: Value) {
        let told = self.told.get(&port).copied().unwrap_or_default();
        let message = message.told(told.conn, told.question);
        self.said += size(&message);
        let input = match TabMessage::decode(&message) {
            Ok(message) => {
                if let TabMessage::Gate { name, .. } = &message {
                    self.gates.insert((port, name.clone()));
                }
                Input::Message(port, message)
            }
            Err(error) => {
                assert_ne!(error, MessageError::ProtocolMismatch, "no reader says that");
                Input::Malformed(port, op_of(&message), error)
            }
        };
        self.input(input);
    }

    fn greet(&mut self, greeting: &Value) {
        let Some(message) = PeerMessage::decode(greeting) else {
            return;
        };
        let again = PeerMessage::decode(&message.encode::<Value>());
        let spelled = format!("{message:?}");
        assert_eq!(format!("{:?}", again.as_ref()), format!("Some({spelled})"));
        self.input(Input::Peer(message));
    }

    fn socket(&mut self, newest: u8, event: SocketEvent<Frame>) {
        let index = self.sockets.len().checked_sub(1 + usize::from(newest % 4));
        let Some(socket) = index.and_then(|index| self.sockets.get(index).copied()) else {
            return;
        };
        match event {
            SocketEvent::Opened { .. } => {
                self.live
                    .entry(socket)
                    .and_modify(|is_open| *is_open = true);
            }
            SocketEvent::Frame(_) => self.frames += 1,
            SocketEvent::Buffered(_)
            | SocketEvent::Garbled
            | SocketEvent::Response(..)
            | SocketEvent::Text(..)
            | SocketEvent::Done(..) => {}
            SocketEvent::Closed { .. } | SocketEvent::Refused => {
                self.live.remove(&socket);
            }
        }
        self.input(Input::Socket(socket, event));
    }

    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        for _ in 0..MOST_DEADLINES {
            let Some(deadline) = self.deadline.filter(|deadline| deadline.at <= until) else {
                break;
            };
            self.now = self.now.max(deadline.at);
            let wall = WALL + self.now.since(Time::ZERO);
            self.input(Input::Timeout { wall });
        }
        self.now = self.now.max(until);
    }

    /// Gives an input and carries out what comes of it, which has an end.
    fn input(&mut self, input: Input<Frame>) {
        self.said += 1;
        self.hub.handle_input(self.now, input);
        let most = MOST_OUTPUTS * (1 + self.said);
        for _ in 0..most {
            match self.hub.poll_output() {
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    if let Some(socket) = self.measured.take() {
                        self.input(Input::Socket(socket, SocketEvent::Buffered(0)));
                    }
                    return;
                }
                Output::Measure(socket) => self.measured = Some(socket),
                output => self.carry_out(output),
            }
        }
        panic!("more than {most} outputs of one input");
    }

    fn carry_out(&mut self, output: Output<Frame>) {
        match output {
            Output::Open { socket, .. } => {
                self.sockets.push(socket);
                let before = self.live.insert(socket, false);
                assert_eq!(before, None, "a socket is opened twice");
            }
            Output::Send(socket, _) => {
                let is_open = self.live.get(&socket);
                assert_eq!(
                    is_open,
                    Some(&true),
                    "a frame for a socket that is not open"
                );
            }
            Output::Close { socket, .. } | Output::Retire { socket, .. } => {
                self.live.remove(&socket);
            }
            Output::Post(port, message) => {
                let told = self.told.entry(port).or_default();
                match &message {
                    HubMessage::Attached { conn, .. } => told.conn = conn.0,
                    HubMessage::Need { id, .. } => told.question = *id,
                    HubMessage::Breaker { name, .. } => {
                        let asked = self.gates.contains(&(port, name.to_string()));
                        assert!(asked, "a tab is told of a breaker that it does not use");
                    }
                    _ => {}
                }
                let written: Value = message.encode(&self.place);
                assert!(op_of(&written) > 64, "{message:?} has no op of a hub");
            }
            Output::Show(_, dropped, entries) => {
                assert!(
                    entries.len() <= MOST_ENTRIES,
                    "a tab is shown more than is kept for it"
                );
                let written: Value =
                    encode_entries(dropped, &entries, &self.place, |_| Value::Nothing);
                assert_eq!(op_of(&written), op::INSPECTED);
            }
            Output::Deliver(delivery) => {
                for (port, _) in &delivery.ports {
                    let posted = self.posted.entry(*port).or_default();
                    *posted += delivery.frames().count();
                    assert!(*posted <= self.frames, "a tab gets a frame twice");
                }
            }
            _ => {}
        }
    }
}

/// How many values there are in a value.
fn size(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Record(fields) => 1 + fields.iter().map(|(_, value)| size(value)).sum::<usize>(),
        _ => 1,
    }
}

fn me() -> Peer {
    Peer {
        build: "0.2.0-rc.1".into(),
        epoch: "me".into(),
        lock: None,
        address: Address::default(),
        since: 1.0,
    }
}

/// Where the hub is.
struct Place(Address);

impl Env for Place {
    fn wall(&self, at: Time) -> f64 {
        WALL.as_secs_f64() * 1000.0 + at.as_millis_f64()
    }

    fn epoch(&self) -> &str {
        "me"
    }

    fn build(&self) -> &str {
        "0.2.0-rc.1"
    }

    fn address(&self) -> &Address {
        &self.0
    }

    fn lock(&self) -> Option<&str> {
        None
    }
}
