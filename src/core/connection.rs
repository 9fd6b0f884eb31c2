//! One connection: its life, its heartbeat and its handles.

use core::time::Duration;
use std::rc::Rc;

use litemap::LiteMap;

use super::access::Access;
use super::backoff::Backoff;
use super::fallback::Fallback;
use super::fanout::Fanout;
use super::flow::strictest;
use super::gates::Gates;
use super::heartbeat::Heartbeat;
use super::io::{Output, Payload, PortId, SocketId, TimerReason};
use super::lean::Lean;
use super::outbox::Outbox;
use super::outflow::Outflow;
use super::outputs::Outputs;
use super::pool::{Pool, Shard};
use super::replace::Successor;
use super::shared::{Shared, Subprotocol};
use super::subprotocol::Template;
use super::tabs::{Departure, Mode, Tabs};
use super::tally::Tally;
use super::timers::Timers;
use super::topics::{Of, Topics};
use crate::protocol::{
    Attach, Cause, ConnId, ConnectionConfig, FlowConfig, HandleId, HubMessage, Needs, Options,
    Outgoing, Reason, Remark, Seen, SendFailure, State, Status,
};
use crate::time::Time;

/// What makes two handles share a connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The normalised absolute url.
    pub url: Box<str>,
    /// The subprotocols to offer, in order.
    pub protocols: Box<[String]>,
    /// The key that separates users.
    pub key: Box<str>,
}

/// What stands for the url of a connection whose urls come from a function.
pub const FUNCTION: &str = "function";

impl Identity {
    /// The identity that an attach asks for.
    pub fn of(attach: &Attach) -> Self {
        Self {
            url: attach.url.as_str().into(),
            protocols: attach.protocols.as_slice().into(),
            key: attach.key.as_str().into(),
        }
    }
}

/// A timer of a connection, a tab or the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A connection.
    Conn(ConnId),
    /// A tab.
    Tab(PortId),
    /// The hub.
    Hub,
}

/// What a connection needs of its hub for one input.
#[derive(Debug)]
pub struct Cx<'a, P> {
    /// The time.
    pub now: Time,
    /// Randomness.
    pub rng: &'a mut fastrand::Rng,
    /// The timers of all.
    pub timers: &'a mut Timers<Owner>,
    /// The tabs.
    pub tabs: &'a Tabs,
    /// What the driver shall do.
    pub out: &'a mut Outputs<P>,
    /// Whether the browser says it is online.
    pub online: bool,
    /// Whether other hubs are asked first: no socket is opened meanwhile.
    pub meeting: bool,
    /// What connections have alike.
    pub shared: &'a mut Shared,
    /// The number of the last question to a tab.
    pub questions: &'a mut u32,
    /// The breakers.
    pub gates: &'a mut Gates,
}

/// A connection and everybody who wants it.
#[derive(Debug)]
pub struct Connection<P> {
    pub(super) id: ConnId,
    pub(super) identity: Rc<Identity>,
    pub(super) config: Rc<ConnectionConfig>,
    pub(super) linger: Duration,
    pub(super) phase: Phase,
    pub(super) generation: u32,
    pub(super) status: Status,
    pub(super) backoff: Backoff,
    pub(super) attempts: u32,
    pub(super) heartbeat: Heartbeat<P>,
    pub(super) access: Access,
    /// When the last message came.
    pub(super) inbound_at: Time,
    /// Since when there has been this socket.
    pub(super) socket_at: Time,
    /// When it was made.
    pub(super) made_at: Time,
    pub(super) successor: Option<Box<Successor>>,
    pub(super) retired: Option<SocketId>,
    /// How the server speaks of topics, if it does, and what is wanted of them.
    pub(super) subprotocol: Rc<Subprotocol>,
    pub(super) template: Option<Rc<Template>>,
    pub(super) topics: Lean<Topics<P>>,
    pub(super) outbox: Outbox<P>,
    pub(super) outflow: Outflow,
    pub(super) fanout: Fanout<P>,
    pub(super) handles: LiteMap<(PortId, HandleId), Rc<FlowConfig>>,
    pub(super) needs: Lean<LiteMap<(PortId, HandleId), Needs>>,
    /// Whether a token belongs to each attempt.
    pub(super) with_token: bool,
    /// Whether it is to be flushed at the next tick.
    pub(super) is_unflushed: bool,
    pub(super) counters: Tally,
    pub(super) parting: Option<Box<(Option<u16>, String)>>,
    /// What came before the socket was verified: it is for the tabs once it is.
    pub(super) early: Lean<Vec<P>>,
    /// Its further sockets, if its topics are shared out.
    pub(super) pool: Option<Box<Pool>>,
    /// What it is a further socket of, if it is one.
    pub(super) shard: Option<Box<Shard<P>>>,
    /// What takes the place of its WebSocket, once something has had to.
    pub(super) fallback: Option<Box<Fallback<P>>>,
}

/// Where in its life a connection is. What the tabs see of it is its [`Status`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nobody has asked for it.
    Idle,
    /// Until the next attempt.
    Waiting,
    /// A tab is asked for what the attempt needs.
    Asking,
    /// The WebSocket is connecting.
    Handshake(SocketId),
    /// The WebSocket is open, and its first ping not answered yet.
    Verifying(SocketId),
    /// Messages flow.
    Up {
        /// The socket.
        socket: SocketId,
        /// Whether it has been up for long enough.
        stable: bool,
        /// Whether it has carried a message or pong.
        proved: bool,
    },
    /// The hub yields to another, and the tabs go there.
    Moving,
    /// For good.
    Ended,
}

impl<P: Payload> Connection<P> {
    /// Whether the events of a socket count here.
    pub fn has_socket(&self, socket: SocketId) -> bool {
        let successor = self.successor.as_ref().map(|successor| successor.socket);
        let posting = self.fallback.as_ref().and_then(|own| own.posting);
        let posting = posting.map(|(socket, ..)| socket);
        [self.socket(), successor, self.retired, posting].contains(&Some(socket))
    }

    /// The socket that messages go through.
    pub fn socket(&self) -> Option<SocketId> {
        match self.phase {
            Phase::Handshake(socket) | Phase::Verifying(socket) | Phase::Up { socket, .. } => {
                Some(socket)
            }
            Phase::Idle | Phase::Waiting | Phase::Asking | Phase::Moving | Phase::Ended => None,
        }
    }

    /// Whether it will not connect again.
    pub fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Whether it has ended and every tab has been told.
    pub fn is_finished(&self) -> bool {
        self.is_ended() && self.fanout.is_drained() && self.retired.is_none()
    }

    /// Whether a tab has this handle here.
    pub fn has_handle(&self, port: PortId, handle: HandleId) -> bool {
        self.handles.contains_key(&(port, handle))
    }

    /// Whether a tab is about to be told that this handle is closed.
    pub fn is_closing(&self, port: PortId, handle: HandleId) -> bool {
        self.fanout.is_closing(port, handle)
    }

    /// Whether a tab gets this connection's messages.
    pub fn has_port(&self, port: PortId) -> bool {
        self.handles.keys().any(|(owner, _)| *owner == port)
    }

    /// The tabs that get this connection's messages.
    pub fn ports(&self) -> Vec<PortId> {
        let mut ports: Vec<_> = self.handles.keys().map(|(port, _)| *port).collect();
        ports.dedup();
        ports
    }

    /// Whether anything of this connection may still be posted to a tab.
    pub fn has_lane(&self, port: PortId) -> bool {
        self.fanout.has_lane(port)
    }

    /// Adds a handle, and connects if this is the first. Adding it again tells its state again.
    pub fn attach(
        &mut self,
        port: PortId,
        handle: HandleId,
        (options, needs): (&Options, Needs),
        cx: &mut Cx<'_, P>,
    ) {
        cx.timers.clear(self.owner(), TimerReason::Linger);
        self.parting = None;
        self.linger = self.linger.max(options.linger());
        let flow = cx.shared.flows.share(options.flow.resolve());
        self.handles.insert((port, handle), flow);
        if needs != Needs::default() {
            self.needs.insert((port, handle), needs);
            self.with_token |= needs.token;
        }
        let queue = cx.shared.queues.share(options.queue.resolve());
        self.outbox.add_sender((port, handle), queue);
        self.fanout.set_lane(port, self.lane_config(port));
        if self.phase == Phase::Idle && cx.meeting {
            self.status.reason = Reason::Meeting;
        }
        let attached = HubMessage::Attached {
            handle,
            conn: self.id,
            next: self.fanout.next(port),
            ignored: self.config.differences(options),
            status: Rc::new(Status {
                cause: Cause::None,
                notice: None,
                ..self.status.clone()
            }),
        };
        self.fanout.push_note_to(port, attached);
        let waits_for_tab = self.phase == Phase::Waiting && self.status.reason == Reason::TokenWait;
        if (self.phase == Phase::Idle && !cx.meeting)
            || (waits_for_tab && needs != Needs::default())
        {
            self.connect(Reason::Attached, cx);
        }
        self.flush(cx);
        self.post_verdicts(cx);
    }

    /// Closes a handle at its tab's wish.
    pub fn detach(
        &mut self,
        port: PortId,
        handle: HandleId,
        parting: (Option<u16>, String),
        cx: &mut Cx<'_, P>,
    ) {
        if self.handles.remove(&(port, handle)).is_none() {
            return;
        }
        self.needs.keep(|of| *of != (port, handle));
        self.forget_wants(port, |of| of == (port, handle), cx);
        self.outbox.close_sender((port, handle));
        self.post_verdicts(cx);
        let closed = HubMessage::Closed {
            handle,
            code: parting.0.unwrap_or(1005),
            reason: parting.1.clone(),
            clean: true,
        };
        cx.out.push(Output::Post(port, closed));
        self.parting = Some(Box::new(parting));
        self.fanout.forget_handle(port, handle);
        self.handle_left(port, cx);
        self.handle_unheard(|of| *of == (port, handle), cx);
    }

    /// Forgets all handles of a tab that is gone.
    pub fn remove_port(&mut self, port: PortId, departure: Departure, cx: &mut Cx<'_, P>) {
        self.forget_wants(port, |(owner, _)| owner == port, cx);
        self.fanout.remove_lane(port);
        match departure {
            Departure::Left | Departure::Silent => self.outbox.orphan_port(port),
            Departure::Moved => self.outbox.forget_port(port),
        }
        let before = self.handles.len();
        self.handles.retain(|(owner, _), _| *owner != port);
        self.needs.keep(|(owner, _)| *owner != port);
        if self.handles.len() < before {
            self.parting = None;
            self.handle_left(port, cx);
        }
        self.handle_unheard(|(owner, _)| *owner == port, cx);
    }

    /// Connects, if somebody waits for it.
    pub fn start(&mut self, cx: &mut Cx<'_, P>) {
        if self.phase == Phase::Idle && !self.handles.is_empty() {
            self.connect(Reason::Attached, cx);
        }
    }

    /// Nobody with this key shall find anything of it once nobody has it.
    pub fn purge(&mut self, cx: &mut Cx<'_, P>) {
        self.linger = Duration::ZERO;
        if self.handles.is_empty() && !self.is_ended() {
            self.set_timer(TimerReason::Linger, cx.now, cx);
        }
    }

    /// Queues sends, and hands them if the connection is open.
    pub fn send(
        &mut self,
        port: PortId,
        handle: HandleId,
        first: u64,
        frames: Vec<Outgoing<P>>,
        cx: &mut Cx<'_, P>,
    ) {
        let is_open = self.can_hand();
        for (index, outgoing) in frames.into_iter().enumerate() {
            let id = first.saturating_add(index as u64);
            let of = (port, handle);
            if self.can_send(&outgoing) {
                self.outbox.push(of, id, outgoing, is_open, cx.now);
            } else {
                self.outbox.fail(of, id, SendFailure::Unsupported);
            }
        }
        self.drain(cx);
        if !is_open {
            self.set_timer(TimerReason::QueueTtl, self.outbox.next_expiry(), cx);
        }
        self.post_verdicts(cx);
    }

    /// Notes what a tab has dispatched. False if the tab has nothing here.
    pub fn handle_ack(&mut self, port: PortId, next: u64, cx: &mut Cx<'_, P>) -> bool {
        let waits = self.fanout.handle_ack(port, next);
        if waits == Some(true) {
            self.flush(cx);
        }
        waits.is_some()
    }

    /// Handles a timer of this connection.
    pub fn handle_timer(&mut self, reason: TimerReason, cx: &mut Cx<'_, P>) {
        match reason {
            TimerReason::ConnectTimeout => self.abandon(Reason::ConnectTimeout, cx),
            TimerReason::Reconnect => self.connect(Reason::Retry, cx),
            TimerReason::Stable => self.handle_stable(),
            TimerReason::Ping => self.ping(cx),
            TimerReason::PongLate => self.handle_pong_late(cx),
            TimerReason::PongTimeout => self.handle_pong_timeout(cx),
            TimerReason::QueueTtl => {
                self.outbox.handle_ttl(cx.now);
                self.set_timer(TimerReason::QueueTtl, self.outbox.next_expiry(), cx);
                self.post_verdicts(cx);
            }
            TimerReason::Confirm => {
                self.outbox.handle_confirm(cx.now);
                self.set_timer(TimerReason::Confirm, self.outbox.next_confirm(), cx);
                self.post_verdicts(cx);
            }
            TimerReason::Linger => self.handle_unwanted(cx),
            TimerReason::HiddenFlush => self.flush_all(true, cx),
            TimerReason::Answer => self.handle_no_answer(cx),
            TimerReason::Stale => self.handle_stale(cx),
            TimerReason::MaxAge => self.replace(cx),
            TimerReason::Refresh => self.refresh(cx),
            TimerReason::Successor => self.drop_successor(cx),
            TimerReason::Retired => self.handle_retired(false, cx),
            TimerReason::Topics => self.handle_topics_timer(cx),
            TimerReason::Drain => self.measure(cx),
            TimerReason::Fallback => self.fall_back(cx),
            TimerReason::Fetch => self.handle_fetch_timer(cx),
            TimerReason::Post => self.handle_posted(false, cx),
            TimerReason::TabSilence
            | TimerReason::Watch
            | TimerReason::Meet
            | TimerReason::Health
            | TimerReason::Gates => {}
        }
    }

    /// Posts what was collected to the tabs that can take it.
    pub fn flush(&mut self, cx: &mut Cx<'_, P>) {
        self.flush_all(false, cx);
    }

    /// Posts what was collected now, or with all else at the next tick. Tells whether it begins to wait for that.
    pub fn flush_soon(&mut self, can_wait: bool, cx: &mut Cx<'_, P>) -> bool {
        if !can_wait {
            self.flush(cx);
        }
        can_wait && !core::mem::replace(&mut self.is_unflushed, true)
    }

    /// Ends all that some handles of a tab want of the server.
    fn forget_wants(&mut self, port: PortId, is_gone: impl Fn(Of) -> bool, cx: &mut Cx<'_, P>) {
        self.unwant(port, |want| is_gone(want.of), cx);
        self.cancel(|request| is_gone(request.of), cx);
    }

    /// Whether any frame answers a ping.
    pub(super) fn takes_any_pong(&self) -> bool {
        let has_rule = self.template.as_ref().is_some_and(|own| own.has_pong());
        !has_rule && self.heartbeat.takes_any()
    }

    fn handle_left(&mut self, port: PortId, cx: &mut Cx<'_, P>) {
        if self.has_port(port) {
            self.fanout.set_lane(port, self.lane_config(port));
            return;
        }
        self.fanout.remove_lane(port);
        if !self.handles.is_empty() {
            return;
        }
        if self.phase == Phase::Moving {
            self.phase = Phase::Ended;
        } else if !self.is_ended() {
            self.set_timer_in(TimerReason::Linger, self.linger, cx);
        }
    }

    pub(super) fn drain(&mut self, cx: &mut Cx<'_, P>) {
        let Phase::Up { socket, .. } = self.phase else {
            return;
        };
        let mut sent = 0;
        // What is posted is taken one by one, and what comes after it waits.
        while self.outflow.is_open()
            && self.can_hand()
            && !self.is_posting()
            && let Some(outgoing) = self.outbox.poll(cx.now)
        {
            sent += 1;
            if let Some(frame) = self.frame_of(outgoing) {
                self.counters.sent_bytes += frame.size() as u64;
                let is_due = self.outflow.give(frame.size());
                self.give(socket, frame, cx);
                if is_due {
                    self.measure(cx);
                }
            }
        }
        self.counters.sent += sent;
        if sent > 0
            && !self.is_on_stream()
            && self.heartbeat.ping().is_none()
            && !cx.timers.is_set(self.owner(), TimerReason::Confirm)
        {
            self.set_timer(TimerReason::Confirm, self.outbox.next_confirm(), cx);
        }
    }

    pub(super) fn post_verdicts(&mut self, cx: &mut Cx<'_, P>) {
        let can_hear = |port| cx.tabs.mode(port) != Mode::Suspended;
        for (port, verdict) in self.outbox.take_verdicts(can_hear) {
            if let HubMessage::Failed { count, .. } = verdict {
                self.see(Seen::Log(Remark::SendsFailed, count), cx);
            }
            cx.out.push(Output::Post(port, verdict));
        }
    }

    #[inline(never)]
    pub(super) fn transition(
        &mut self,
        state: State,
        reason: Reason,
        cause: Cause,
        cx: &mut Cx<'_, P>,
    ) {
        if self.status.state != state {
            self.status.since = cx.now;
        }
        self.status.state = state;
        self.status.reason = reason;
        self.status.cause = cause;
        let Status { attempt, code, .. } = self.status;
        self.see(Seen::State(state, reason, attempt, code), cx);
        let note = HubMessage::Status(self.id, Rc::new(self.status.clone()));
        self.status.notice = None;
        self.fanout.push_note(note);
        self.flush(cx);
    }

    pub(super) fn flush_all(&mut self, hidden_due: bool, cx: &mut Cx<'_, P>) {
        let (owner, reason) = (self.owner(), TimerReason::HiddenFlush);
        let dropped = self.fanout.dropped();
        let wait = self.fanout.flush(self.id, cx.tabs, hidden_due, cx.out);
        let dropped = self.fanout.dropped() - dropped;
        if dropped > 0 {
            self.see(Seen::Log(Remark::MessagesDropped, dropped), cx);
        }
        match wait {
            Some(wait) => cx.timers.set_at_latest(owner, reason, cx.now + wait),
            None => cx.timers.clear(owner, reason),
        }
    }

    /// The limits for a tab with several handles.
    fn lane_config(&self, port: PortId) -> Rc<FlowConfig> {
        let own = self.handles.iter().filter(|((owner, _), _)| *owner == port);
        strictest(own.map(|(_, flow)| flow))
    }

    pub(super) fn stop_timers(&mut self, cx: &mut Cx<'_, P>) {
        self.heartbeat.handle_lost();
        self.reset_outflow(cx);
        self.early = Lean::default();
        self.access.asking = None;
        self.drop_stream(cx);
        if let Some(successor) = self.successor.take() {
            cx.out.push(close(successor.socket, None, ""));
        }
        for reason in [
            TimerReason::ConnectTimeout,
            TimerReason::Reconnect,
            TimerReason::Stable,
            TimerReason::Ping,
            TimerReason::PongLate,
            TimerReason::PongTimeout,
            TimerReason::Confirm,
            TimerReason::Answer,
            TimerReason::Refresh,
            TimerReason::Stale,
            TimerReason::MaxAge,
            TimerReason::Successor,
        ] {
            cx.timers.clear(self.owner(), reason);
        }
    }

    pub(super) fn owner(&self) -> Owner {
        Owner::Conn(self.id)
    }

    pub(super) fn set_timer(&self, reason: TimerReason, at: Time, cx: &mut Cx<'_, P>) {
        cx.timers.set(self.owner(), reason, at);
    }

    pub(super) fn set_timer_in(&self, reason: TimerReason, delay: Duration, cx: &mut Cx<'_, P>) {
        self.set_timer(reason, cx.now + delay, cx);
    }
}

/// Closes a socket without waiting for anything.
pub(super) fn close<P>(socket: SocketId, code: Option<u16>, reason: &str) -> Output<P> {
    Output::Close {
        socket,
        code,
        reason: reason.into(),
    }
}
