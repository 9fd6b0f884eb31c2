//! The hub without a browser: two tabs share one connection to a server in memory, which hangs up once.
//!
//! `cargo run --example native`. Time is virtual, so a minute of waiting takes none; a driver with a clock and sockets of its own
//! does the same, and sleeps until the deadline instead of going there.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "an example handles what it shows"
)]

use std::borrow::Cow;
use std::collections::VecDeque;

use tabwire::core::{Hub, Input, Output, Payload, PortId, SocketEvent, SocketId};
use tabwire::protocol::{
    Attach, ConnId, HandleId, Hello, HubMessage, Liveness, MAJOR, Needs, Options, Outgoing,
    TabMessage,
};
use tabwire::time::Time;

fn main() {
    let mut world = World::new();
    world.open_tab(1);
    world.open_tab(2);
    world.send(1, "hello from tab 1");
    world.hang_up();
    world.send(2, "sent while there is no connection");
    world.pass(Time::from_millis(60_000));
}

/// A frame: opaque to the hub but for its size.
#[derive(Clone, Debug, PartialEq)]
struct Text(String);

impl Payload for Text {
    fn size(&self) -> usize {
        self.0.len()
    }

    fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    fn head(&self, _most: usize) -> Option<Cow<'_, str>> {
        Some(self.0.as_str().into())
    }
}

/// A hub with what its driver knows: the time, when it wants to be called, and what has happened and was not told yet.
struct World {
    hub: Hub<Text>,
    now: Time,
    deadline: Time,
    happened: VecDeque<Input<Text>>,
    socket: Option<SocketId>,
    /// As the tabs have been told.
    conn: ConnId,
}

impl World {
    fn new() -> Self {
        Self {
            hub: Hub::new(42),
            now: Time::ZERO,
            deadline: Time::NEVER,
            happened: VecDeque::new(),
            socket: None,
            conn: ConnId(0),
        }
    }

    /// Each tab says who it is, and opens a handle: equal urls, protocols and keys share a connection.
    fn open_tab(&mut self, port: u32) {
        let hello = Hello {
            protocol: MAJOR,
            build: "0.1.0".into(),
            tab: format!("tab-{port}"),
            liveness: Liveness::Locks,
            lock: String::new(),
            visible: true,
            focused: port == 1,
            online: true,
        };
        let attach = Attach {
            url: "ws://memory/echo".into(),
            protocols: Vec::new(),
            key: String::new(),
            needs: Needs::default(),
            options: Ok(Options::default()),
        };
        self.say(port, TabMessage::Hello(hello));
        self.say(port, TabMessage::Attach(HANDLE, Box::new(attach)));
    }

    fn send(&mut self, port: u32, text: &str) {
        let frames = vec![Outgoing::Frame(Text(text.into()))];
        let message = TabMessage::Send {
            handle: HANDLE,
            conn: self.conn,
            first: 0,
            frames,
        };
        self.say(port, message);
    }

    /// The server goes away without a close frame.
    fn hang_up(&mut self) {
        let Some(socket) = self.socket.take() else {
            return;
        };
        let closed = SocketEvent::Closed {
            code: 1006,
            reason: String::new(),
            clean: false,
        };
        self.happened.push_back(Input::Socket(socket, closed));
        self.run();
    }

    fn say(&mut self, port: u32, message: TabMessage<Text>) {
        self.happened
            .push_back(Input::Message(PortId(port), message));
        self.run();
    }

    /// Lets time pass, and calls the hub at each of its deadlines.
    fn pass(&mut self, until: Time) {
        while self.deadline <= until {
            self.now = self.deadline;
            let wall = self.now.since(Time::ZERO);
            self.happened.push_back(Input::Timeout { wall });
            self.run();
        }
        self.now = until;
    }

    /// The whole contract: an input, then every output up to a timeout, then the next input.
    fn run(&mut self) {
        while let Some(input) = self.happened.pop_front() {
            self.hub.handle_input(self.now, input);
            loop {
                match self.hub.poll_output() {
                    Output::Timeout(deadline) => {
                        self.deadline = deadline.map_or(Time::NEVER, |deadline| deadline.at);
                        break;
                    }
                    output => self.act(output),
                }
            }
        }
    }

    /// Does what the hub wants done. The server in memory opens at once, and echoes.
    fn act(&mut self, output: Output<Text>) {
        match output {
            Output::Open { socket, url, .. } => {
                self.tell(&format!("the hub opens {url}"));
                self.socket = Some(socket);
                let opened = SocketEvent::Opened {
                    protocol: String::new(),
                    extensions: String::new(),
                };
                self.happened.push_back(Input::Socket(socket, opened));
            }
            Output::Send(socket, frame) => {
                self.tell(&format!("the server gets {:?}", frame.0));
                let echo = SocketEvent::Frame(frame);
                self.happened.push_back(Input::Socket(socket, echo));
            }
            Output::Deliver(delivery) => {
                for (port, _) in &delivery.ports {
                    for frame in delivery.frames() {
                        self.tell(&format!("tab {} gets {:?}", port.0, frame.0));
                    }
                }
            }
            Output::Post(port, HubMessage::Attached { conn, status, .. }) => {
                self.conn = conn;
                self.tell(&format!(
                    "tab {} is attached: {}",
                    port.0,
                    status.state.code()
                ));
            }
            Output::Post(port, HubMessage::Status(_, status)) => {
                self.tell(&format!("tab {} sees {}", port.0, status.state.code()));
            }
            Output::Tick => self.happened.push_back(Input::Tick),
            _ => {}
        }
    }

    fn tell(&self, what: &str) {
        println!("{:8.1} ms  {what}", self.now.as_millis_f64());
    }
}

/// The one handle of each tab: a number that it chose.
const HANDLE: HandleId = HandleId(1);
