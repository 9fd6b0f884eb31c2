//! Many connections in one hub, natively: the bytes of state that each costs, and the events a second.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a bench may fail by panicking, and documents nothing"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tabwire::core::subprotocol::Template;
use tabwire::core::{Hub, Input, Output, Payload, PortId, SocketEvent, SocketId};
use tabwire::protocol::{
    Attach, Cause, ConnectionConfig, FlowConfig, HandleId, Hello, HubMessage, Liveness, Needs,
    Options, QueueConfig, Status, Subscription, TabMessage,
};
use tabwire::time::Time;

/// So many connections there are in each column.
const COUNTS: [u32; 3] = [1, 1_000, 10_000];
/// The least number of events behind a rate, where few connections have to be asked more often.
const EVENTS: u32 = 200_000;
/// So many messages on each connection are less than what a tab is asked to acknowledge.
const UNASKED: u32 = 100;
/// The least number of connections that are dropped, or attached and detached.
const TURNS: u32 = 10_000;
/// So long the pings go on, in virtual time.
const PINGS_FOR: Duration = Duration::from_secs(3600);
/// The one tab.
const TAB: PortId = PortId(0);
/// The one topic of a connection that has topics.
const TOPIC: &str = "prices";

#[global_allocator]
static HEAP: Counting = Counting {
    bytes: AtomicUsize::new(0),
    blocks: AtomicUsize::new(0),
};

/// The allocator of the system, and what is in use of it. There is one thread: plain loads and stores will do.
struct Counting {
    bytes: AtomicUsize,
    blocks: AtomicUsize,
}

impl Counting {
    fn add(&self, bytes: usize, blocks: usize) {
        let sum = |total: &AtomicUsize, more| total.store(total.load(Relaxed) + more, Relaxed);
        sum(&self.bytes, bytes);
        sum(&self.blocks, blocks);
    }

    fn sub(&self, bytes: usize, blocks: usize) {
        let rest = |total: &AtomicUsize, less| total.store(total.load(Relaxed) - less, Relaxed);
        rest(&self.bytes, bytes);
        rest(&self.blocks, blocks);
    }

    fn in_use(&self) -> (usize, usize) {
        (self.bytes.load(Relaxed), self.blocks.load(Relaxed))
    }
}

// SAFETY: every call goes to the allocator of the system as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size(), 1);
        // SAFETY: see above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.sub(layout.size(), 1);
        // SAFETY: see above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.sub(layout.size(), 0);
        self.add(size, 0);
        // SAFETY: see above.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// All frames that there are here: without memory of their own, as a `JsValue` has none in wasm.
#[derive(Clone, Copy, PartialEq)]
enum Frame {
    Message,
    Ping,
    Pong,
    Subscribe(u32),
    Answer(u32),
}

impl Payload for Frame {
    fn size(&self) -> usize {
        200
    }

    fn from_text(text: &str) -> Self {
        if text.contains("subscribe") {
            let digits = text.chars().filter(char::is_ascii_digit);
            Self::Subscribe(digits.collect::<String>().parse().unwrap())
        } else if text.contains("ping") {
            Self::Ping
        } else {
            Self::Pong
        }
    }

    fn head(&self, _: usize) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Message => r#"{"type":"message","topic":"prices","data":1}"#.into(),
            Self::Pong => r#"{"type":"pong"}"#.into(),
            Self::Answer(id) => format!(r#"{{"type":"answer","id":{id}}}"#).into(),
            Self::Ping | Self::Subscribe(_) => return None,
        })
    }
}

impl Frame {
    /// What the server says to it.
    fn answer(self) -> Option<Self> {
        match self {
            Self::Ping => Some(Self::Pong),
            Self::Subscribe(id) => Some(Self::Answer(id)),
            Self::Message | Self::Pong | Self::Answer(_) => None,
        }
    }
}

/// A hub with one tab, and a server that opens and answers at once.
struct World {
    hub: Hub<Frame>,
    now: Time,
    deadline: Option<Time>,
    /// What tab and server have to say to what the hub did.
    answers: VecDeque<Input<Frame>>,
    /// The socket that each connection opened last.
    sockets: Vec<SocketId>,
    /// Connections that have opened, again after a loss.
    opened: u32,
    /// Whether the tab acknowledges what it is not asked to acknowledge.
    acks_all: bool,
}

impl World {
    /// A hub that the tab has said hello to, with room for what is noted of its connections.
    fn new(count: u32) -> Self {
        let mut world = Self {
            hub: Hub::new(1),
            now: Time::ZERO,
            deadline: None,
            answers: VecDeque::with_capacity(8),
            sockets: Vec::with_capacity(count as usize),
            opened: 0,
            acks_all: true,
        };
        world.say(TabMessage::Hello(Hello {
            protocol: 1,
            build: "bench".into(),
            tab: "tab".into(),
            liveness: Liveness::Locks,
            lock: String::new(),
            visible: true,
            focused: false,
            online: true,
        }));
        world
    }

    /// The same with all its connections open.
    fn with(count: u32, options: &Options) -> Self {
        let mut world = Self::new(count);
        world.attach_all(count, options);
        world
    }

    /// Opens the connections, each with one message that has been acknowledged, and one topic where there are topics.
    fn attach_all(&mut self, count: u32, options: &Options) {
        self.sockets.clear();
        for number in 0..count {
            let attach = Attach {
                url: format!("ws://server/{number}"),
                protocols: Vec::new(),
                key: String::new(),
                needs: Needs::default(),
                options: Ok(options.clone()),
            };
            let handle = HandleId(number);
            self.say(TabMessage::Attach(handle, Box::new(attach)));
            let socket = *self.sockets.last().unwrap();
            if options.subprotocol.is_some() {
                self.subscribe(handle, socket);
            }
            self.hear(socket, SocketEvent::Frame(Frame::Message));
            self.settle();
        }
    }

    fn subscribe(&mut self, handle: HandleId, socket: SocketId) {
        let subscription = Subscription {
            number: 1,
            topic: TOPIC.into(),
            replay: 1,
            last: None,
            is_conflated: false,
            is_single: false,
        };
        self.say(TabMessage::Subscribe {
            handle,
            conn: socket.conn,
            subscriptions: vec![subscription],
        });
    }

    /// Closes every handle, and waits until its connection is gone.
    fn detach_all(&mut self) {
        for number in 0..self.sockets.len() as u32 {
            self.say(TabMessage::Detach {
                handle: HandleId(number),
                code: None,
                reason: String::new(),
                purge: false,
            });
        }
        while self.deadline.is_some() {
            self.pass();
        }
    }

    /// One message on each connection. The tick comes after each of them, or after the last.
    fn round(&mut self, is_burst: bool) {
        for at in 0..self.sockets.len() {
            let socket = *self.sockets.get(at).unwrap();
            self.hear(socket, SocketEvent::Frame(Frame::Message));
            if is_burst {
                self.drain();
            } else {
                self.settle();
            }
        }
        self.settle();
    }

    /// Loses every connection, and waits until all are open again.
    fn lose_all(&mut self) {
        self.opened = 0;
        for at in 0..self.sockets.len() {
            let closed = SocketEvent::Closed {
                code: 1006,
                reason: String::new(),
                clean: false,
            };
            self.hear(*self.sockets.get(at).unwrap(), closed);
            self.settle();
        }
        while (self.opened as usize) < self.sockets.len() {
            self.pass();
        }
    }

    /// Lets virtual time pass. Returns how many timeouts there were.
    fn pass_for(&mut self, span: Duration) -> u32 {
        let until = self.now + span;
        let mut timeouts = 0;
        while self.deadline.is_some_and(|at| at <= until) {
            self.pass();
            timeouts += 1;
        }
        timeouts
    }

    /// Lets virtual time pass to the next deadline.
    fn pass(&mut self) {
        self.now = self.deadline.unwrap().max(self.now);
        let wall = self.now.since(Time::ZERO);
        self.hub.handle_input(self.now, Input::Timeout { wall });
        self.settle();
    }

    fn say(&mut self, message: TabMessage<Frame>) {
        self.hub
            .handle_input(self.now, Input::Message(TAB, message));
        self.settle();
    }

    fn hear(&mut self, socket: SocketId, event: SocketEvent<Frame>) {
        self.hub
            .handle_input(self.now, Input::Socket(socket, event));
    }

    /// Goes on until nobody has anything to say.
    fn settle(&mut self) {
        self.drain();
        while let Some(answer) = self.answers.pop_front() {
            self.hub.handle_input(self.now, answer);
            self.drain();
        }
    }

    /// Carries out what the hub wants, and notes what is answered.
    fn drain(&mut self) {
        loop {
            let answer = match self.hub.poll_output() {
                Output::Timeout(deadline) => {
                    self.deadline = deadline.map(|deadline| deadline.at);
                    return;
                }
                Output::Open { socket, .. } => {
                    self.note(socket);
                    let opened = SocketEvent::Opened {
                        protocol: String::new(),
                        extensions: String::new(),
                    };
                    Some(Input::Socket(socket, opened))
                }
                Output::Send(socket, frame) => frame
                    .answer()
                    .map(|answer| Input::Socket(socket, SocketEvent::Frame(answer))),
                Output::Deliver(delivery) if self.acks_all || delivery.want_ack => {
                    let first = delivery.ports.first().unwrap().1;
                    let next = first + delivery.frames().count() as u64;
                    let conn = delivery.conn;
                    Some(Input::Message(TAB, TabMessage::Ack { conn, next }))
                }
                Output::Post(_, HubMessage::Status(_, status)) => {
                    self.opened += u32::from(status.cause == Cause::Opened);
                    None
                }
                Output::Tick => Some(Input::Tick),
                Output::Measure(socket) => Some(Input::Socket(socket, SocketEvent::Buffered(0))),
                Output::Deliver(_)
                | Output::Post(..)
                | Output::Hand(..)
                | Output::Show(..)
                | Output::Close { .. }
                | Output::Retire { .. }
                | Output::Announce(_)
                | Output::WatchPeer { .. }
                | Output::Fetch(_)
                | Output::Abort(..)
                | Output::Rebind { .. }
                | Output::Watch(..)
                | Output::Forget(_) => None,
            };
            self.answers.extend(answer);
        }
    }

    /// Connections are numbered in the order in which they were attached.
    fn note(&mut self, socket: SocketId) {
        let first = self.sockets.first().unwrap_or(&socket).conn.0;
        let at = (socket.conn.0 - first) as usize;
        match self.sockets.get_mut(at) {
            Some(known) => *known = socket,
            None => self.sockets.push(socket),
        }
    }
}

fn raw() -> Options {
    let mut options = Options::default();
    options.heartbeat.message = Some(Some("ping".into()));
    options.heartbeat.pong = Some(Some("pong".into()));
    options
}

/// Its ping and the rule for the pong are those of the subprotocol.
fn json() -> Options {
    Options {
        subprotocol: Some("\"json\"".into()),
        ..Options::default()
    }
}

fn main() {
    let spent = time(print_all);
    println!("\nmeasured in {:.1} s", spent.as_secs_f64());
}

fn print_all() {
    let columns = COUNTS.map(measure);
    print_row("connections", &COUNTS.map(f64::from));
    let [first, ..] = &columns;
    for (at, (name, _)) in first.iter().enumerate() {
        let values = columns.iter().filter_map(|column| column.get(at));
        print_row(name, &values.map(|(_, value)| *value).collect::<Vec<_>>());
    }
    println!();
    for (name, size) in sizes() {
        println!("{name:<40}{size:>12} bytes");
    }
}

fn print_row(name: &str, values: &[f64]) {
    let cells = values.iter().map(|value| format!("{value:>12.0}"));
    println!("{name:<40}{}", cells.collect::<String>());
}

/// One row of a column: what, and how much.
type Row = (&'static str, f64);

/// All that is measured with so many connections.
fn measure(count: u32) -> Vec<Row> {
    let mut rows = state(count).to_vec();
    rows.extend(rates(count));
    rows
}

fn state(count: u32) -> [Row; 5] {
    let (bytes, blocks) = cost(count, &raw());
    let mut world = World::with(count, &raw());
    world.acks_all = false;
    repeat(UNASKED, || world.round(false));
    let unasked = kept(&mut world, count);
    let (json_bytes, json_blocks) = cost(count, &json());
    [
        ("bytes each, raw", bytes),
        ("blocks each, raw", blocks),
        ("bytes each, raw, 100 not acknowledged", unasked),
        ("bytes each, json with a topic", json_bytes),
        ("blocks each, json with a topic", json_blocks),
    ]
}

/// The bytes and blocks of memory that each connection keeps when all is quiet.
fn cost(count: u32, options: &Options) -> (f64, f64) {
    let mut world = World::new(count);
    let before = HEAP.in_use();
    world.attach_all(count, options);
    assert!(world.answers.is_empty() && world.opened == count);
    let after = HEAP.in_use();
    let each = |after: usize, before: usize| (after - before) as f64 / f64::from(count);
    (each(after.0, before.0), each(after.1, before.1))
}

fn rates(count: u32) -> [Row; 7] {
    let options = raw();
    let turns = (TURNS / count).max(1);
    let mut world = World::with(count, &options);
    let rounds = EVENTS.div_ceil(count);
    let quiet = rate(rounds * count, || repeat(rounds, || world.round(false)));
    let burst = rate(rounds * count, || repeat(rounds, || world.round(true)));
    let mut timeouts = 0;
    let spent = time(|| timeouts = world.pass_for(PINGS_FOR * turns));
    let pings = f64::from(timeouts) / spent.as_secs_f64();
    let reopened = rate(turns * count, || repeat(turns, || world.lose_all()));
    let after = kept(&mut world, count);
    let mut world = World::new(count);
    let (mut attach, mut detach) = (Duration::ZERO, Duration::ZERO);
    repeat(turns, || {
        attach += time(|| world.attach_all(count, &options));
        detach += time(|| world.detach_all());
    });
    let each = |spent: Duration| f64::from(turns * count) / spent.as_secs_f64();
    [
        ("frames a second, a tick for each", quiet),
        ("frames a second, a tick for all", burst),
        ("timeouts a second, pings", pings),
        ("reconnects a second", reopened),
        ("attaches a second", each(attach)),
        ("detaches a second", each(detach)),
        ("bytes each, raw, after all that", after),
    ]
}

/// What a world keeps, its own notes aside.
fn kept(world: &mut World, count: u32) -> f64 {
    world.answers.shrink_to_fit();
    let before = HEAP.in_use().0;
    world.hub = Hub::new(1);
    (before - HEAP.in_use().0) as f64 / f64::from(count)
}

fn repeat(times: u32, mut act: impl FnMut()) {
    for _ in 0..times {
        act();
    }
}

/// How long something takes.
#[allow(
    clippy::disallowed_methods,
    reason = "nothing but a clock tells how long the hub takes; its own time is an argument"
)]
fn time(act: impl FnOnce()) -> Duration {
    let started = Instant::now();
    act();
    started.elapsed()
}

fn rate(events: u32, act: impl FnOnce()) -> f64 {
    f64::from(events) / time(act).as_secs_f64()
}

/// The parts of a connection that are public.
fn sizes() -> [(&'static str, usize); 6] {
    [
        ("ConnectionConfig", size_of::<ConnectionConfig>()),
        ("Template", size_of::<Template>()),
        ("Status", size_of::<Status>()),
        ("QueueConfig", size_of::<QueueConfig>()),
        ("FlowConfig", size_of::<FlowConfig>()),
        ("Output", size_of::<Output<Frame>>()),
    ]
}
