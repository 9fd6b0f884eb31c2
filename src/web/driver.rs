//! The one loop that feeds the hub and carries out what it says.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use core::time::Duration;

use gloo_timers::callback::Timeout;
use js_sys::{Array, Uint32Array};
use wasm_bindgen::JsValue;

use litemap::LiteMap;

use super::channel::Channel;
use super::clock;
use super::convert::Frame;
use super::fetch_stream::Request;
use super::locks;
use super::port::{JsPort, Port};
use super::tick::Tick;
use super::websocket::Socket;
use crate::core::{
    Deadline, Delivery, Fetch, Hub, Input, Output, Parcel, ParcelKind, PortId, SocketEvent,
    SocketId,
};
use crate::protocol::{
    Address, Env, HubMessage, Peer, PeerMessage, TabMessage, encode_entries, op, op_of,
};
use crate::time::Time;

/// What the hub is told about the worker it runs in.
pub struct Surroundings {
    /// The build of the worker script.
    pub build: String,
    /// The url of the worker script, and what the SharedWorker is called.
    pub address: Address,
    /// The random name of this hub.
    pub epoch: String,
    /// The lock that this hub holds, where there are locks.
    pub lock: Option<String>,
    /// Told of each port that is no longer listened to.
    pub gone: js_sys::Function,
    /// Makes what stands between the hub and a socket whose subprotocol is code.
    pub translate: js_sys::Function,
    /// Makes a request.
    pub request: js_sys::Function,
}

impl Env for Surroundings {
    fn wall(&self, at: Time) -> f64 {
        clock::wall(at)
    }

    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn build(&self) -> &str {
        &self.build
    }

    fn address(&self) -> &Address {
        &self.address
    }

    fn lock(&self) -> Option<&str> {
        self.lock.as_deref()
    }
}

/// A hub with its ports, sockets, timer and tick.
pub struct Driver {
    hub: RefCell<Hub<Frame>>,
    surroundings: Surroundings,
    inbox: RefCell<VecDeque<Input<Frame>>>,
    running: Cell<bool>,
    ports: RefCell<LiteMap<PortId, Port>>,
    last_port: Cell<u32>,
    watches: RefCell<LiteMap<PortId, u32>>,
    last_watch: Cell<u32>,
    sockets: RefCell<LiteMap<SocketId, Socket>>,
    requests: RefCell<LiteMap<(SocketId, u32), Request>>,
    channel: RefCell<Option<Channel>>,
    tick: Tick,
    timer: RefCell<Option<(Time, Timeout)>>,
}

impl Driver {
    /// A driver with an empty hub.
    pub fn new(seed: u64, surroundings: Surroundings) -> Result<Rc<Self>, JsValue> {
        let me: Rc<RefCell<std::rc::Weak<Self>>> = Rc::default();
        let ticked = Rc::clone(&me);
        let tick = Tick::new(move || {
            if let Some(driver) = ticked.borrow().upgrade() {
                driver.handle(Input::Tick);
            }
        })?;
        let driver = Rc::new(Self {
            hub: RefCell::new(Hub::new(seed)),
            surroundings,
            inbox: RefCell::default(),
            running: Cell::new(false),
            ports: RefCell::default(),
            last_port: Cell::new(0),
            watches: RefCell::default(),
            last_watch: Cell::new(0),
            sockets: RefCell::default(),
            requests: RefCell::default(),
            channel: RefCell::default(),
            tick,
            timer: RefCell::default(),
        });
        *me.borrow_mut() = Rc::downgrade(&driver);
        Ok(driver)
    }

    /// Tells the hub which subprotocols in code there are, and the origin of its script.
    pub fn introduce(&self, names: Vec<String>, origin: &str) {
        let mut hub = self.hub.borrow_mut();
        hub.set_code(names);
        hub.set_origin(origin.into());
    }

    /// Lets the hub find others on a channel, and be found. `others`: whether the lock of another is held, where
    /// that can be seen.
    pub fn meet(self: &Rc<Self>, channel: &str, others: Option<bool>, locks_fall: bool) {
        let driver = Rc::downgrade(self);
        let channel = Channel::open(channel, move |event| {
            if let (Some(driver), Some(message)) =
                (driver.upgrade(), PeerMessage::decode(&event.data()))
            {
                driver.handle(Input::Peer(message));
            }
        });
        if channel.is_none() {
            return;
        }
        self.channel.replace(channel);
        let me = Peer {
            build: self.surroundings.build.clone(),
            epoch: self.surroundings.epoch.clone(),
            lock: self.surroundings.lock.clone(),
            address: self.surroundings.address.clone(),
            since: clock::wall(clock::now()),
        };
        self.handle(Input::Start {
            me: Box::new(me),
            others,
            locks_fall,
        });
    }

    /// Listens to a port, after handling what it has said already.
    pub fn connect(self: &Rc<Self>, js: JsPort, backlog: &Array) {
        let port = PortId(self.last_port.get() + 1);
        self.last_port.set(port.0);
        let driver = Rc::downgrade(self);
        let listening = Port::new(js, port, move |port, event| {
            if let Some(driver) = driver.upgrade() {
                driver.handle_message(port, &event.data());
            }
        });
        let id = listening.id();
        self.ports.borrow_mut().insert(port, listening);
        for message in backlog.iter() {
            self.handle_message(id.get(), &message);
        }
    }

    fn handle_message(self: &Rc<Self>, port: PortId, message: &JsValue) {
        self.handle(match TabMessage::decode(message) {
            Ok(message) => Input::Message(port, message),
            Err(error) => Input::Malformed(port, op_of(message), error),
        });
    }

    /// The loop: one input, then outputs until the hub waits. What an output causes at once is the next input.
    fn handle(self: &Rc<Self>, input: Input<Frame>) {
        self.inbox.borrow_mut().push_back(input);
        if self.running.replace(true) {
            return;
        }
        let mut deadline = None;
        while let Some(input) = self.next_input() {
            let now = clock::now();
            self.hub.borrow_mut().handle_input(now, input);
            deadline = loop {
                let output = self.hub.borrow_mut().poll_output();
                if let Output::Timeout(deadline) = output {
                    break deadline;
                }
                self.carry_out(output);
            };
        }
        self.arm(deadline);
        self.running.set(false);
    }

    fn next_input(&self) -> Option<Input<Frame>> {
        self.inbox.borrow_mut().pop_front()
    }

    fn carry_out(self: &Rc<Self>, output: Output<Frame>) {
        match output {
            Output::Timeout(_) => {}
            Output::Post(port, message) => self.post(port, &message),
            Output::Deliver(delivery) => self.deliver(&delivery),
            Output::Hand(port, parcel) => self.hand(port, &parcel),
            Output::Show(port, dropped, entries) => {
                if let Some(port) = self.ports.borrow().get(&port) {
                    let show = |frame: &Frame| frame.value().clone();
                    port.post(&encode_entries(dropped, &entries, &self.surroundings, show));
                }
            }
            Output::Send(socket, frame) => {
                let sockets = self.sockets.borrow();
                if sockets.get(&socket).is_some_and(|open| !open.send(&frame)) {
                    let garbled = Input::Socket(socket, SocketEvent::Garbled);
                    self.inbox.borrow_mut().push_back(garbled);
                }
            }
            Output::Measure(socket) => {
                let sockets = self.sockets.borrow();
                let bytes = sockets.get(&socket).map_or(0, Socket::buffered);
                let event = SocketEvent::Buffered(bytes);
                self.inbox
                    .borrow_mut()
                    .push_back(Input::Socket(socket, event));
            }
            Output::Open {
                socket,
                url,
                protocols,
                code,
            } => self.open(socket, (&url, &protocols), code.as_deref()),
            Output::Close {
                socket,
                code,
                reason,
            } => {
                self.requests
                    .borrow_mut()
                    .retain(|(by, _), _| *by != socket);
                let closing = self.sockets.borrow_mut().remove(&socket);
                if let Some(closing) = closing {
                    closing.close(code, &reason);
                }
            }
            Output::Retire {
                socket,
                code,
                reason,
            } => {
                if let Some(socket) = self.sockets.borrow().get(&socket) {
                    socket.retire(code, reason);
                }
            }
            Output::Fetch(fetch) => self.fetch(&fetch),
            Output::Abort(socket, request) => {
                self.requests.borrow_mut().remove(&(socket, request));
            }
            Output::Announce(message) => {
                if let Some(channel) = &*self.channel.borrow() {
                    channel.post(&message.encode());
                }
            }
            Output::WatchPeer { epoch, lock } => self.watch_peer(epoch, &lock),
            Output::Watch(port, lock) => self.watch(port, &lock),
            Output::Rebind { from, to } => self.rebind(from, to),
            Output::Forget(port) => self.forget(port),
            Output::Tick => self.tick.request(),
        }
    }

    fn post(&self, port: PortId, message: &HubMessage) {
        if let Some(port) = self.ports.borrow().get(&port) {
            port.post(&message.encode(&self.surroundings));
        }
    }

    fn deliver(&self, delivery: &Delivery<Frame>) {
        let frames = Array::new();
        for frame in delivery.frames() {
            frames.push(frame.value());
        }
        let message = Array::of5(
            &op::BATCH.into(),
            &delivery.conn.0.into(),
            &JsValue::NULL,
            &frames,
            &u32::from(delivery.want_ack).into(),
        );
        if let Some(topics) = delivery.topics() {
            message.push(&Uint32Array::from(topics.as_slice()));
        }
        let ports = self.ports.borrow();
        for (port, first) in &delivery.ports {
            if let Some(port) = ports.get(port) {
                // Each port gets a copy.
                message.set(2, (*first as f64).into());
                port.post(&message);
            }
        }
    }

    fn hand(&self, port: PortId, parcel: &Parcel<Frame>) {
        let (frames, times) = (Array::new(), Array::new());
        for (frame, at) in &parcel.frames {
            frames.push(frame.value());
            times.push(&clock::wall(*at).into());
        }
        let op = match parcel.kind {
            ParcelKind::Subscribed => op::SUBSCRIBED,
            ParcelKind::Answered => op::ANSWERED,
            ParcelKind::Single { .. } => op::SINGLE,
        };
        let message = Array::of5(
            &op.into(),
            &parcel.handle.0.into(),
            &parcel.number.into(),
            &frames,
            &times,
        );
        match parcel.kind {
            ParcelKind::Subscribed => {
                message.push(&parcel.topic.into());
            }
            ParcelKind::Single { id, is_again } => {
                message.push(&id.into());
                message.push(&u32::from(is_again).into());
            }
            ParcelKind::Answered => {}
        }
        if let Some(port) = self.ports.borrow().get(&port) {
            port.post(&message);
        }
    }

    fn open(
        self: &Rc<Self>,
        id: SocketId,
        (url, protocols): (&str, &[String]),
        code: Option<&str>,
    ) {
        let driver = Rc::downgrade(self);
        let code = code.map(|name| (&self.surroundings.translate, name));
        let opened = Socket::open(url, protocols, code, move |event| {
            if let Some(driver) = driver.upgrade() {
                driver.handle_socket(id, event);
            }
        });
        match opened {
            Ok(socket) => {
                self.sockets.borrow_mut().insert(id, socket);
            }
            Err(_) => self.handle(Input::Socket(id, SocketEvent::Refused)),
        }
    }

    fn fetch(self: &Rc<Self>, fetch: &Fetch<Frame>) {
        let (driver, socket) = (Rc::downgrade(self), fetch.socket);
        let request = Request::make(&self.surroundings.request, fetch, move |event| {
            if let Some(driver) = driver.upgrade() {
                driver.handle(Input::Socket(socket, event));
            }
        });
        let id = (socket, fetch.request);
        self.requests.borrow_mut().insert(id, request);
    }

    fn handle_socket(self: &Rc<Self>, id: SocketId, event: SocketEvent<Frame>) {
        let is_closed = matches!(event, SocketEvent::Closed { .. });
        self.handle(Input::Socket(id, event));
        if is_closed {
            self.sockets.borrow_mut().remove(&id);
        }
    }

    fn watch(self: &Rc<Self>, port: PortId, lock: &str) {
        let watch = self.last_watch.get() + 1;
        self.last_watch.set(watch);
        self.watches.borrow_mut().insert(port, watch);
        let driver = Rc::downgrade(self);
        locks::watch(lock, move || {
            if let Some(driver) = driver.upgrade()
                && driver.watches.borrow().get(&port) == Some(&watch)
            {
                driver.handle(Input::LockGranted(port));
            }
        });
    }

    fn watch_peer(self: &Rc<Self>, epoch: String, lock: &str) {
        let driver = Rc::downgrade(self);
        locks::watch(lock, move || {
            if let Some(driver) = driver.upgrade() {
                driver.handle(Input::PeerGone { epoch });
            }
        });
    }

    fn rebind(&self, from: PortId, to: PortId) {
        let moved = self.ports.borrow_mut().remove(&from);
        let replaced = moved.and_then(|port| {
            port.rename(to);
            self.ports.borrow_mut().insert(to, port)
        });
        self.say_gone(replaced);
    }

    fn forget(&self, port: PortId) {
        self.watches.borrow_mut().remove(&port);
        let forgotten = self.ports.borrow_mut().remove(&port);
        self.say_gone(forgotten);
    }

    fn say_gone(&self, port: Option<Port>) {
        if let Some(port) = port {
            // Whoever keeps a list of ports may fail at its own cost.
            let _ = self.surroundings.gone.call1(&JsValue::NULL, port.js());
        }
    }

    /// Sets the timer, unless one that is set will come in time: a timer that comes early does no harm.
    fn arm(self: &Rc<Self>, deadline: Option<Deadline>) {
        let mut timer = self.timer.borrow_mut();
        let Some(Deadline { at, .. }) = deadline else {
            *timer = None;
            return;
        };
        if timer.as_ref().is_some_and(|(armed, _)| *armed <= at) {
            return;
        }
        let wait = at.since(clock::now()).min(LONGEST_WAIT);
        let driver = Rc::downgrade(self);
        let millis = wait.as_micros().div_ceil(1000) as u32;
        let timeout = Timeout::new(millis, move || {
            if let Some(driver) = driver.upgrade() {
                driver
                    .timer
                    .borrow_mut()
                    .take()
                    .map(|(_, timeout)| timeout.forget());
                driver.handle(Input::Timeout {
                    wall: clock::wall_now(),
                });
            }
        });
        *timer = Some((at, timeout));
    }
}

/// Browsers take timeouts of up to 2³¹ − 1 ms.
const LONGEST_WAIT: Duration = Duration::from_millis(0x7fff_ffff);
