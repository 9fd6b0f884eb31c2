//! A browser: the real hub, with one tab and default options, on virtual time.

use serde_json::{Value, json};
use tabwire::core::{Hub, Input, Output, PortId, SocketEvent, SocketId};
use tabwire::protocol::{ConnId, TabMessage};
use tabwire::time::Time;

use crate::json::{Bytes, Json};
use crate::model::Client;

/// A hub whose only connection was open long before the storm.
pub struct Browser {
    hub: Hub<Bytes>,
    socket: SocketId,
    /// Whether the newest socket is to be opened now.
    is_opening: bool,
    deadline: Time,
}

impl Browser {
    /// Opens a tab with one socket.
    pub fn new(seed: u64) -> Self {
        let mut browser = Self {
            hub: Hub::new(seed),
            socket: SocketId {
                conn: ConnId(0),
                generation: 0,
            },
            is_opening: false,
            deadline: Time::NEVER,
        };
        browser.say(
            json!([1, {"protocol": 1, "build": "storm", "tab": "tab", "liveness": "locks",
                               "visible": 1, "focused": 1, "online": 1}]),
        );
        browser.say(
            json!([3, 1, {"url": "ws://server/ws", "protocols": [], "key": "", "options": {}}]),
        );
        let first = browser.attempt(Time::ZERO);
        browser.accepted(first);
        browser
    }

    fn say(&mut self, message: Value) {
        let message = TabMessage::decode(&Json(message)).expect("a message of the protocol");
        self.input(Time::ZERO, Input::Message(PortId(1), message));
    }

    fn event(&mut self, now: Time, event: SocketEvent<Bytes>) {
        self.input(now, Input::Socket(self.socket, event));
    }

    fn input(&mut self, now: Time, input: Input<Bytes>) {
        let mut next = Some(input);
        while let Some(input) = next.take() {
            self.hub.handle_input(now, input);
            loop {
                match self.hub.poll_output() {
                    Output::Timeout(deadline) => {
                        self.deadline = deadline.map_or(Time::NEVER, |deadline| deadline.at);
                        break;
                    }
                    Output::Open { socket, .. } => {
                        self.socket = socket;
                        self.is_opening = true;
                    }
                    Output::Tick => next = Some(Input::Tick),
                    _ => {}
                }
            }
        }
    }

    /// Lets time pass up to a moment, with every deadline on its way.
    fn pass(&mut self, until: Time) {
        while self.deadline <= until && !self.is_opening {
            self.input(self.deadline, timeout(self.deadline));
        }
    }

    /// Lets time pass until the next attempt, and tells when that is: nothing else happens to this hub meanwhile.
    fn attempt(&mut self, mut now: Time) -> Time {
        while !self.is_opening {
            now = now.max(self.deadline);
            if now == Time::NEVER {
                return now;
            }
            self.input(now, timeout(now));
        }
        self.is_opening = false;
        now
    }

    fn closed(&mut self, now: Time) -> Time {
        self.pass(now);
        let event = SocketEvent::Closed {
            code: 1006,
            reason: String::new(),
            clean: false,
        };
        self.event(now, event);
        self.attempt(now)
    }
}

impl Client for Browser {
    fn lost(&mut self, now: Time) -> Time {
        self.closed(now)
    }

    fn refused(&mut self, now: Time) -> Time {
        self.closed(now)
    }

    fn accepted(&mut self, now: Time) {
        let opened = SocketEvent::Opened {
            protocol: String::new(),
            extensions: String::new(),
        };
        self.event(now, opened);
        self.event(now, SocketEvent::Frame(Bytes(b"hello".to_vec())));
    }
}

fn timeout(at: Time) -> Input<Bytes> {
    let wall = at.since(Time::ZERO);
    Input::Timeout { wall }
}
