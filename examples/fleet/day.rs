//! A day of one client with thousands of topics on dozens of sockets, on virtual time: the real hub, and a server that drops sockets.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use serde_json::{Value, json};
use tabwire::core::{Hub, Input, Output, Payload, PortId, SocketEvent, SocketId};
use tabwire::protocol::{HubMessage, TabMessage};
use tabwire::time::Time;

use crate::json::{Bytes, Json};

/// What is asked of the hub.
pub struct Plan {
    /// How many topics the tab wants.
    pub topics: usize,
    /// The options of the socket.
    pub options: Value,
    pub seed: u64,
}

/// What the day was like for the server.
#[derive(Debug)]
pub struct Outcome {
    /// Sockets at the end of the day.
    pub sockets: usize,
    /// Pings in a minute, on average and at most.
    pub pings: (f64, usize),
    /// Most pings within a second, once all sockets are there.
    pub pings_at_once: usize,
    /// Sockets started.
    pub starts: usize,
    /// The shortest time from one start to the next, in seconds.
    pub apart: f64,
    /// Most topics on a socket at the end, and how many topics are on none or on two.
    pub most_topics: usize,
    pub astray: usize,
    /// Messages that were due to the tab and that it did not get, at the end of the day.
    pub missed: usize,
}

/// What happens in the world outside of the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The handshake of a socket is complete, unless the server is down.
    Accept(SocketId),
    /// The network loses a socket.
    Drop(SocketId),
    /// The server goes down, with every socket.
    Down,
    /// The server says on every socket that it wants to be rid of it.
    Reconnect,
}

/// How long a handshake takes.
const HANDSHAKE: Duration = Duration::from_millis(50);
/// A socket lives so long on average, if nothing else ends it.
const LIFE: Duration = Duration::from_secs(12 * 3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// When the server goes down, for how long, and when it wants to be rid of its sockets.
const DOWN_AT: Duration = Duration::from_secs(8 * 3600);
const DOWN_FOR: Duration = Duration::from_secs(30);
const RECONNECT_AT: Duration = Duration::from_secs(16 * 3600);
const TAB: PortId = PortId(1);

struct Day {
    hub: Hub<Bytes>,
    now: Time,
    rng: fastrand::Rng,
    events: BinaryHeap<Reverse<(Time, Event)>>,
    /// The topics that the server has been asked for on each socket that is open.
    sockets: BTreeMap<SocketId, BTreeSet<String>>,
    starts: Vec<Time>,
    pings: Vec<Time>,
    heard: usize,
    deadline: Time,
}

impl Plan {
    /// Runs the day.
    pub fn run(&self) -> Outcome {
        let mut day = Day {
            hub: Hub::new(self.seed),
            now: Time::ZERO,
            rng: fastrand::Rng::with_seed(self.seed),
            events: BinaryHeap::new(),
            sockets: BTreeMap::new(),
            starts: Vec::new(),
            pings: Vec::new(),
            heard: 0,
            deadline: Time::NEVER,
        };
        day.plan(DOWN_AT, Event::Down);
        day.plan(RECONNECT_AT, Event::Reconnect);
        day.say(
            json!([1, {"protocol": 1, "build": "fleet", "tab": "tab", "liveness": "locks",
                       "visible": 1, "focused": 1, "online": 1}]),
        );
        day.say(json!([3, 1, {"url": "ws://server/ws", "protocols": [], "key": "", "options": self.options}]));
        let conn = day.starts_conn();
        let wants: Vec<_> = (0..self.topics)
            .map(|number| json!([number, format!("topic.{number}"), 0]))
            .collect();
        day.say(json!([16, 1, conn, wants]));
        day.pass(DAY);
        day.outcome(self.topics)
    }
}

impl Day {
    fn plan(&mut self, delay: Duration, event: Event) {
        self.events.push(Reverse((self.now + delay, event)));
    }

    /// The connection of the first socket.
    fn starts_conn(&self) -> u32 {
        let first = self
            .events
            .iter()
            .find_map(|Reverse((_, event))| match event {
                Event::Accept(socket) => Some(socket.conn.0),
                Event::Drop(_) | Event::Down | Event::Reconnect => None,
            });
        first.unwrap_or_default()
    }

    fn say(&mut self, message: Value) {
        let message = TabMessage::decode(&Json(message)).expect("a message of the protocol");
        self.input(Input::Message(TAB, message));
    }

    fn frame(&mut self, socket: SocketId, frame: &Value) {
        let frame = Bytes::from_text(&frame.to_string());
        self.input(Input::Socket(socket, SocketEvent::Frame(frame)));
    }

    fn input(&mut self, input: Input<Bytes>) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.hub.handle_input(self.now, input);
            loop {
                match self.hub.poll_output() {
                    Output::Timeout(deadline) => {
                        self.deadline = deadline.map_or(Time::NEVER, |deadline| deadline.at);
                        break;
                    }
                    Output::Open { socket, .. } => {
                        self.starts.push(self.now);
                        self.plan(HANDSHAKE, Event::Accept(socket));
                    }
                    Output::Send(socket, frame) => {
                        inputs.extend(self.receive(socket, &frame));
                    }
                    Output::Close { socket, .. } => {
                        self.sockets.remove(&socket);
                    }
                    Output::Retire { socket, .. } => {
                        self.sockets.remove(&socket);
                        inputs.push(closed(socket, 1000));
                    }
                    Output::Deliver(delivery) => self.heard += delivery.frames().count(),
                    Output::Post(_, HubMessage::Unsubscribed { number, .. }) => {
                        panic!("topic.{number} is lost");
                    }
                    Output::Tick => inputs.push(Input::Tick),
                    _ => {}
                }
            }
        }
    }

    /// What the server answers.
    fn receive(&mut self, socket: SocketId, frame: &Bytes) -> Option<Input<Bytes>> {
        let frame: Value = serde_json::from_slice(&frame.0).expect("JSON");
        let topics = self.sockets.get_mut(&socket)?;
        let answer = match frame["type"].as_str()? {
            "ping" => {
                self.pings.push(self.now);
                json!({"type": "pong"})
            }
            "subscribe" => {
                let names = frame["topics"].as_array().into_iter().flatten();
                topics.extend(names.filter_map(|name| name.as_str().map(Into::into)));
                json!({"type": "answer", "id": frame["id"]})
            }
            _ => return None,
        };
        let frame = Bytes::from_text(&answer.to_string());
        Some(Input::Socket(socket, SocketEvent::Frame(frame)))
    }

    /// Lets time pass.
    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        loop {
            let event = self.events.peek().map(|Reverse((at, _))| *at);
            let at = event.unwrap_or(Time::NEVER).min(self.deadline);
            if at > until {
                break;
            }
            self.now = self.now.max(at);
            if event == Some(at) {
                if let Some(Reverse((_, event))) = self.events.pop() {
                    self.happen(event);
                }
            } else {
                let wall = self.now.since(Time::ZERO);
                self.input(Input::Timeout { wall });
            }
        }
        self.now = until;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Accept(socket) => self.accept(socket),
            Event::Drop(socket) => {
                if self.sockets.remove(&socket).is_some() {
                    self.input(closed(socket, 1006));
                }
            }
            Event::Down => {
                for socket in core::mem::take(&mut self.sockets).into_keys() {
                    self.input(closed(socket, 1006));
                }
            }
            Event::Reconnect => {
                let sockets: Vec<_> = self.sockets.keys().copied().collect();
                for socket in sockets {
                    self.frame(socket, &json!({"type": "reconnect"}));
                }
            }
        }
    }

    fn accept(&mut self, socket: SocketId) {
        let down = Time::ZERO + DOWN_AT;
        if (down..down + DOWN_FOR).contains(&self.now) {
            self.input(closed(socket, 1006));
            return;
        }
        self.sockets.insert(socket, BTreeSet::new());
        let life = LIFE.mul_f64(-(1.0 - self.rng.f64()).ln());
        self.plan(life, Event::Drop(socket));
        let (protocol, extensions) = (String::new(), String::new());
        self.input(Input::Socket(
            socket,
            SocketEvent::Opened {
                protocol,
                extensions,
            },
        ));
    }

    fn outcome(mut self, topics: usize) -> Outcome {
        // Whatever is under way comes to its end.
        self.events
            .retain(|Reverse((_, event))| matches!(event, Event::Accept(_)));
        self.pass(Duration::from_secs(300));
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for topic in self.sockets.values().flatten() {
            *known.entry(topic).or_default() += 1;
        }
        let once = known.values().filter(|count| **count == 1).count();
        let most_topics = self.sockets.values().map(BTreeSet::len).max();
        let sockets = self.sockets.len();
        let said: Vec<(SocketId, String)> = self
            .sockets
            .iter()
            .flat_map(|(socket, topics)| topics.iter().map(|topic| (*socket, topic.clone())))
            .collect();
        let before = self.heard;
        for (socket, topic) in &said {
            self.frame(
                *socket,
                &json!({"type": "message", "topic": topic, "data": 1}),
            );
        }
        self.starts.sort_unstable();
        let apart = self.starts.windows(2).map(|pair| match pair {
            [one, next] => next.since(*one),
            _ => Duration::MAX,
        });
        let settled = Time::ZERO + Duration::from_secs(300);
        let later: Vec<_> = self
            .pings
            .iter()
            .copied()
            .filter(|at| *at >= settled)
            .collect();
        Outcome {
            sockets,
            pings: (
                self.pings.len() as f64 / (DAY.as_secs_f64() / 60.0),
                most_within(&later, Duration::from_secs(60)),
            ),
            pings_at_once: most_within(&later, Duration::from_secs(1)),
            starts: self.starts.len(),
            apart: apart.min().unwrap_or_default().as_secs_f64(),
            most_topics: most_topics.unwrap_or_default(),
            astray: topics - once,
            missed: topics - (self.heard - before).min(topics),
        }
    }
}

fn closed(socket: SocketId, code: u16) -> Input<Bytes> {
    Input::Socket(
        socket,
        SocketEvent::Closed {
            code,
            reason: String::new(),
            clean: code == 1000,
        },
    )
}

/// Most moments within any such span.
fn most_within(moments: &[Time], span: Duration) -> usize {
    let mut from = 0;
    let mut most = 0;
    for (index, at) in moments.iter().enumerate() {
        while moments.get(from).is_some_and(|first| *first + span <= *at) {
            from += 1;
        }
        most = most.max(index + 1 - from);
    }
    most
}
