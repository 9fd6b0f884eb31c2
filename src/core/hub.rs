//! The hub: tabs on one side, connections on the other.

use std::rc::Rc;

use litemap::LiteMap;

use super::connection::{Connection, Cx, Identity, Owner};
use super::gates::Gates;
use super::io::{Deadline, Input, Output, Payload, PortId, SocketEvent, SocketId, TimerReason};
use super::meeting::Meeting;
use super::outputs::Outputs;
use super::shared::Shared;
use super::tabs::{Departure, Tab, Tabs};
use super::timers::Timers;
use super::wake::Watch;
use crate::protocol::{
    Answer, Attach, ConnId, HandleId, Hello, HubMessage, Liveness, MAJOR, MessageError, Via, op,
};
use crate::time::Time;

/// A hub without a browser: connections shared by the tabs behind ports.
///
/// It is driven by one contract: [`handle_input`](Self::handle_input), then [`poll_output`](Self::poll_output)
/// until it gives [`Output::Timeout`]; then the next input, or [`Input::Timeout`] when the deadline has come.
/// Time never goes back between calls; if it does, the hub goes on with the latest it has seen.
///
/// ```
/// use tabwire::core::{Hub, Input, Output, Payload, PortId};
/// use tabwire::protocol::TabMessage;
/// use tabwire::time::Time;
///
/// #[derive(Clone, PartialEq)]
/// struct Text(String);
/// impl Payload for Text {
///     fn size(&self) -> usize { self.0.len() }
///     fn from_text(text: &str) -> Self { Text(text.into()) }
///     fn head(&self, _: usize) -> Option<std::borrow::Cow<'_, str>> { Some(self.0.as_str().into()) }
/// }
///
/// let mut hub: Hub<Text> = Hub::new(42);
/// hub.handle_input(Time::ZERO, Input::Message(PortId(1), TabMessage::Alive));
/// // Nobody has said hello on that port yet, so the hub asks who it is.
/// assert!(matches!(hub.poll_output(), Output::Post(PortId(1), _)));
/// assert!(matches!(hub.poll_output(), Output::Timeout(None)));
/// ```
#[derive(Debug)]
pub struct Hub<P> {
    pub(super) now: Time,
    pub(super) rng: fastrand::Rng,
    pub(super) tabs: Tabs,
    pub(super) connections: LiteMap<ConnId, Box<Connection<P>>>,
    pub(super) by_identity: LiteMap<Rc<Identity>, ConnId>,
    pub(super) timers: Timers<Owner>,
    pub(super) out: Outputs<P>,
    unflushed: Vec<ConnId>,
    tick_pending: bool,
    online: bool,
    last_conn: u32,
    questions: u32,
    pub(super) census: (u32, u32),
    /// When the health of connections was looked at last.
    pub(super) looked_at: Time,
    pub(super) watch: Watch,
    /// Ports whose tabs were given up, and may not know it.
    given_up: Vec<PortId>,
    pub(super) locks_fall: bool,
    pub(super) meeting: Meeting,
    shared: Shared,
    pub(super) gates: Gates,
}

/// So many of those are remembered. A browser has fewer pages that are frozen or blocked for a minute at once.
const MOST_GIVEN_UP: usize = 256;

impl<P: Payload> Hub<P> {
    /// An empty hub. `seed` makes all that is random.
    pub fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        // A late answer to a hub of before must not fit a question of this one, nor what was to be sent on its connection one of these.
        let numbered_from = rng.u32(..) / 2;
        Self {
            now: Time::ZERO,
            rng,
            tabs: Tabs::default(),
            connections: LiteMap::new(),
            by_identity: LiteMap::new(),
            timers: Timers::default(),
            out: Outputs::default(),
            unflushed: Vec::new(),
            tick_pending: false,
            online: true,
            last_conn: numbered_from,
            questions: numbered_from,
            census: (0, 0),
            looked_at: Time::ZERO,
            watch: Watch::default(),
            given_up: Vec::new(),
            locks_fall: true,
            meeting: Meeting::default(),
            shared: Shared::default(),
            gates: Gates::default(),
        }
    }

    /// Takes an input.
    pub fn handle_input(&mut self, now: Time, input: Input<P>) {
        self.now = self.now.max(now);
        self.look_at_clocks(&input);
        match input {
            Input::Socket(socket, event) => self.handle_socket(socket, event),
            Input::Tick => self.handle_tick(),
            Input::Message(port, message) => self.handle_message(port, message),
            Input::Malformed(port, op, error) => {
                self.out
                    .push(Output::Post(port, HubMessage::Error { op, error }));
            }
            Input::LockGranted(port) => self.handle_lock_granted(port),
            Input::Timeout { .. } => self.handle_timeout(),
            Input::Start {
                me,
                others,
                locks_fall,
            } => {
                self.locks_fall = locks_fall;
                self.handle_start(me, others);
            }
            Input::Peer(message) => self.handle_peer(message),
            Input::PeerGone { epoch } => self.handle_peer_gone(&epoch),
        }
    }

    /// Gives the next output. [`Output::Timeout`] says that there is nothing more until the next input.
    pub fn poll_output(&mut self) -> Output<P> {
        // Each way out by itself: an output is large, and a chain would move it once more for each link.
        if let Some(output) = self.out.pop() {
            return output;
        }
        if self.out.inspector.is_some()
            && let Some(shown) = self.show()
        {
            return shown;
        }
        Output::Timeout(
            self.timers
                .next()
                .map(|(at, _, reason)| Deadline { at, reason }),
        )
    }

    fn handle_socket(&mut self, socket: SocketId, event: SocketEvent<P>) {
        let conn = socket.conn;
        let is_frame = matches!(event, SocketEvent::Frame(_));
        // The first frame after a pause is posted at once, and what comes until the tick in one go.
        let can_wait = self.tick_pending;
        let handled = self.with(conn, |connection, cx| {
            if !connection.has_socket(socket) {
                return None;
            }
            connection.handle_socket(socket, event, cx);
            let shard_of = connection.shard.as_ref().map(|shard| shard.of);
            let is_posted_here = is_frame && shard_of.is_none();
            let starts_to_wait = is_posted_here && connection.flush_soon(can_wait, cx);
            Some((shard_of, starts_to_wait))
        });
        let Some((shard_of, mut starts_to_wait)) = handled.flatten() else {
            return;
        };
        if !is_frame {
            self.sweep(conn);
            self.go_on_yielding();
            return;
        }
        if let Some(first) = shard_of {
            let flushed = self.with(first, |first, cx| first.flush_soon(can_wait, cx));
            starts_to_wait = flushed == Some(true);
        }
        if starts_to_wait {
            self.unflushed.push(shard_of.unwrap_or(conn));
        }
        if !can_wait {
            self.tick_pending = true;
            self.out.push(Output::Tick);
        }
    }

    fn handle_tick(&mut self) {
        self.tick_pending = false;
        let unflushed = core::mem::take(&mut self.unflushed);
        if unflushed.is_empty() {
            return;
        }
        for conn in unflushed {
            self.with(conn, |connection, cx| {
                connection.is_unflushed = false;
                connection.flush(cx);
            });
        }
        self.tick_pending = true;
        self.out.push(Output::Tick);
    }

    fn handle_timeout(&mut self) {
        while let Some((owner, reason)) = self.timers.take_due(self.now) {
            match owner {
                Owner::Conn(conn) => {
                    if matches!(reason, TimerReason::Reconnect | TimerReason::MaxAge)
                        && let Some(at) = self.postpone_start(conn)
                    {
                        self.timers.set(owner, reason, at);
                        continue;
                    }
                    self.with(conn, |connection, cx| connection.handle_timer(reason, cx));
                    self.sweep(conn);
                }
                Owner::Tab(port) => self.handle_silence(port),
                Owner::Hub if reason == TimerReason::Meet => self.finish_meeting(),
                Owner::Hub if reason == TimerReason::Gates => self.tell_used(),
                Owner::Hub if reason == TimerReason::Health => self.look_at_health(),
                Owner::Hub => self.watch_clocks(),
            }
        }
        self.go_on_yielding();
    }

    pub(super) fn handle_hello(&mut self, port: PortId, hello: &Hello) {
        if self.given_up.contains(&port) {
            // What it had here is gone: it must start over before it goes on.
            self.ask_who(port);
            return;
        }
        if hello.protocol != MAJOR {
            let error = MessageError::ProtocolMismatch;
            self.out.push(Output::Post(
                port,
                HubMessage::Error {
                    op: op::HELLO,
                    error,
                },
            ));
            return;
        }
        // A tab that leaves a port says so. WebKit connects a page anew when it comes out of the cache, without the page's knowledge.
        let port = match self.tabs.other_port_of(&hello.tab, port) {
            Some(to) => {
                self.remove_tab(port, Departure::Silent);
                self.out.push(Output::Rebind { from: port, to });
                to
            }
            None => port,
        };
        if self.tabs.get(port).is_some_and(|tab| tab.id != hello.tab) {
            self.remove_tab(port, Departure::Silent);
        }
        self.given_up.retain(|other| *other != port);
        self.tabs.insert(port, Tab::new(hello, self.now));
        if self.send_on(port) {
            return;
        }
        if hello.liveness == Liveness::Locks {
            self.out.push(Output::Watch(port, hello.lock.clone()));
        }
        self.out.push(Output::Post(port, HubMessage::Welcome));
        self.tell_beside(port);
        self.wake(port);
        self.handle_online(hello.online);
    }

    pub(super) fn ask_who(&mut self, port: PortId) {
        self.given_up.retain(|other| *other != port);
        self.out.push(Output::Post(port, HubMessage::Who));
    }

    pub(super) fn attach(&mut self, port: PortId, handle: HandleId, attach: &Attach) {
        let options = match &attach.options {
            Ok(options) => options,
            Err(detail) => {
                self.refuse_handle(port, handle, "bad-options", (*detail).into());
                return;
            }
        };
        let last = self.tabs.connection_of(port, handle);
        let last = last.and_then(|conn| self.connections.get(&conn));
        if last.is_some_and(|connection| connection.is_closing(port, handle)) {
            // The handle ended while its tab was away or slow. It is about to hear that.
            return;
        }
        let identity = Rc::new(Identity::of(attach));
        let known = self.by_identity.get(&identity).copied();
        let subprotocol = match self.shared.subprotocol(options.subprotocol()) {
            Ok(subprotocol) => subprotocol,
            Err(error) => {
                self.refuse_handle(port, handle, "bad-subprotocol", error.text());
                return;
            }
        };
        let template = subprotocol.template.as_ref();
        let can_tell = template.is_some_and(|own| own.authenticate.is_some());
        if options.auth.via == Some(Via::Message) && !can_tell {
            self.refuse_handle(port, handle, "bad-options", "auth.via".into());
            return;
        }
        let in_force = known.and_then(|conn| self.connections.get(&conn));
        let in_force = in_force.map(|connection| &connection.subprotocol.text);
        if let Some(other) = in_force.filter(|other| *other != options.subprotocol()) {
            let detail = other.clone();
            self.refuse_handle(port, handle, "other-subprotocol", detail);
            return;
        }
        let conn = if let Some(conn) = known {
            conn
        } else {
            let conn = self.next_conn();
            let connection = Connection::new(
                conn,
                Rc::clone(&identity),
                (options, subprotocol),
                &mut self.shared,
                self.now,
            );
            self.connections.insert(conn, Box::new(connection));
            self.by_identity.insert(identity, conn);
            conn
        };
        self.with(conn, |connection, cx| {
            connection.attach(port, handle, (options, attach.needs), cx);
        });
        self.tabs.note_handle(port, handle, conn);
        if !self.timers.is_set(Owner::Hub, TimerReason::Watch) {
            self.watch_clocks();
        }
        self.watch_health(conn);
        self.announce_census();
    }

    /// The origin of the worker script, by which breakers are named.
    pub fn set_origin(&mut self, origin: String) {
        self.gates.set_origin(origin);
    }

    /// The subprotocols in code that there are.
    pub fn set_code(&mut self, names: Vec<String>) {
        self.shared.code = names;
    }

    pub(super) fn next_conn(&mut self) -> ConnId {
        self.last_conn += 1;
        ConnId(self.last_conn)
    }

    pub(super) fn detach(
        &mut self,
        port: PortId,
        handle: HandleId,
        parting: (Option<u16>, String),
        purge: bool,
    ) {
        let mut key = None;
        let is_known = self.with_handle(port, handle, op::DETACH, |connection, cx| {
            key = purge.then(|| connection.identity.key.clone());
            connection.detach(port, handle, parting, cx);
        });
        if is_known {
            self.tabs.forget_handle(port, handle);
        }
        if let Some(key) = key {
            self.with_all(&|connection, cx| {
                if connection.identity.key == key {
                    connection.purge(cx);
                }
            });
        }
    }

    pub(super) fn handle_answer(&mut self, port: PortId, id: u32, answer: Answer) {
        let mut connections = self.connections.iter();
        let asking = connections.find(|(_, connection)| connection.is_asking(port, id));
        if let Some(conn) = asking.map(|(conn, _)| *conn) {
            self.with(conn, |connection, cx| {
                connection.handle_answer(port, id, answer, cx);
            });
            self.sweep(conn);
        }
    }

    pub(super) fn handle_ack(&mut self, port: PortId, conn: ConnId, next: u64) {
        let known = self
            .with(conn, |connection, cx| connection.handle_ack(port, next, cx))
            .unwrap_or(false);
        if known {
            self.sweep(conn);
        } else {
            self.refuse(port, op::ACK, MessageError::UnknownConnection);
        }
    }

    pub(super) fn handle_online(&mut self, online: bool) {
        if self.online == online {
            return;
        }
        self.online = online;
        self.with_all(&|connection, cx| connection.handle_online(cx));
    }

    pub(super) fn remove_tab(&mut self, port: PortId, departure: Departure) {
        if self.tabs.remove(port).is_none() {
            return;
        }
        self.timers.remove(Owner::Tab(port));
        if departure == Departure::Silent {
            if self.given_up.len() == MOST_GIVEN_UP {
                self.given_up.remove(0);
            }
            self.given_up.push(port);
        }
        self.with_all(&|connection, cx| connection.remove_port(port, departure, cx));
        self.gates.remove_port(port);
        self.stop_inspection(port);
        if matches!(departure, Departure::Left | Departure::Moved) {
            self.out.push(Output::Forget(port));
        }
        self.announce_census();
    }

    pub(super) fn flush_port(&mut self, port: PortId) {
        self.with_all(&|connection, cx| {
            if connection.has_lane(port) {
                connection.post_verdicts(cx);
                connection.flush(cx);
            }
        });
    }

    /// Forgets a connection that has ended, once every tab knows.
    pub(super) fn sweep(&mut self, conn: ConnId) {
        self.forget_finished(conn);
        self.announce_census();
    }

    fn forget_finished(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get(&conn) else {
            return;
        };
        if connection.is_ended() && connection.shard.is_some() {
            self.bury(conn);
        }
        let Some(connection) = self.connections.get(&conn) else {
            return;
        };
        if connection.is_ended() && self.by_identity.get(&connection.identity) == Some(&conn) {
            self.by_identity.remove(&connection.identity);
        }
        if connection.is_finished() {
            for port in connection.fanout.ports() {
                self.tabs.forget_connection(port, conn);
            }
            self.connections.remove(&conn);
            self.timers.remove(Owner::Conn(conn));
            if self.connections.is_empty() {
                self.timers.clear(Owner::Hub, TimerReason::Health);
                self.watch_clocks();
            }
        }
    }

    pub(super) fn refuse(&mut self, port: PortId, op: u32, error: MessageError) {
        self.out
            .push(Output::Post(port, HubMessage::Error { op, error }));
    }

    fn refuse_handle(
        &mut self,
        port: PortId,
        handle: HandleId,
        code: &'static str,
        detail: String,
    ) {
        let refused = HubMessage::Refused {
            handle,
            code,
            detail,
        };
        self.out.push(Output::Post(port, refused));
    }

    /// Does something for a handle that is on this connection.
    pub(super) fn with_handle_on(
        &mut self,
        (port, handle): (PortId, HandleId),
        conn: ConnId,
        op: u32,
        act: impl FnOnce(&mut Connection<P>, &mut Cx<'_, P>),
    ) {
        match self.connections.get(&conn) {
            Some(connection) if connection.has_handle(port, handle) => {
                self.with(conn, act);
                self.sweep(conn);
            }
            Some(_) => self.refuse(port, op, MessageError::UnknownHandle),
            None => self.refuse(port, op, MessageError::UnknownConnection),
        }
    }

    /// Does something for a handle, if it is on a connection.
    pub(super) fn with_handle(
        &mut self,
        port: PortId,
        handle: HandleId,
        op: u32,
        act: impl FnOnce(&mut Connection<P>, &mut Cx<'_, P>),
    ) -> bool {
        let conn = self.tabs.connection_of(port, handle).filter(|conn| {
            let connection = self.connections.get(conn);
            connection.is_some_and(|connection| connection.has_handle(port, handle))
        });
        match conn {
            Some(conn) => {
                self.with(conn, act);
                self.sweep(conn);
            }
            None => self.refuse(port, op, MessageError::UnknownHandle),
        }
        conn.is_some()
    }

    /// Does something to every connection.
    pub(super) fn with_all(&mut self, act: &dyn Fn(&mut Connection<P>, &mut Cx<'_, P>)) {
        let conns: Vec<_> = self.connections.keys().copied().collect();
        for conn in &conns {
            self.with(*conn, act);
            self.forget_finished(*conn);
        }
        if !conns.is_empty() {
            self.announce_census();
        }
    }

    pub(super) fn with<T>(
        &mut self,
        conn: ConnId,
        act: impl FnOnce(&mut Connection<P>, &mut Cx<'_, P>) -> T,
    ) -> Option<T> {
        let audience = match self.out.inspector {
            Some(_) => self.audience(conn),
            None => None,
        };
        let mut connection = self.connections.get_mut(&conn)?;
        if connection.needs_loan(self.now) {
            self.lend(conn);
            connection = self.connections.get_mut(&conn)?;
        }
        let mut cx = Cx {
            now: self.now,
            rng: &mut self.rng,
            timers: &mut self.timers,
            tabs: &self.tabs,
            out: &mut self.out,
            online: self.online,
            meeting: self.meeting.is_asking() || self.meeting.better().is_some(),
            shared: &mut self.shared,
            questions: &mut self.questions,
            gates: &mut self.gates,
        };
        let result = act(connection, &mut cx);
        if let (Some(before), Some(inspector)) = (audience, &mut self.out.inspector) {
            inspector.share(&before, connection);
        }
        let has_mail = connection.has_mail();
        self.go_on(conn, has_mail);
        Some(result)
    }

    /// What follows from what was done to a connection. Apart, since there are many who do something to one.
    #[inline(never)]
    fn go_on(&mut self, conn: ConnId, has_mail: bool) {
        if has_mail {
            self.settle(conn);
        }
        self.tell_news();
    }
}
