//! The planned replacement of a socket: the new one is open and verified before the old one is closed.

use core::time::Duration;

use super::access::{ASK_AGAIN, REFRESH_AGAIN};
use super::connection::{Connection, Cx, Phase, close};
use super::io::{Output, Payload, SocketEvent, SocketId, TimerReason};
use super::reading::Meaning;
use crate::protocol::{Cause, Notice, Reason, Remark, Seen, State};

/// How long a closing handshake that the hub has started may take before what was handed counts as unknown.
pub const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// A replacement that failed is tried again after this.
const REPLACE_AGAIN: Duration = Duration::from_secs(30);
/// The sockets of one server are not all replaced in the same moment: up to this share of `maxAge` earlier.
const AGE_SPREAD: f64 = 0.1;

/// A socket that is to take over.
#[derive(Debug)]
pub struct Successor {
    /// The socket.
    pub socket: SocketId,
    /// The subprotocol and the extensions, once it is open.
    chosen: Option<(String, String)>,
    /// Whether the server wants it replaced already, and after how long.
    reconnect: Option<Option<Duration>>,
}

impl Successor {
    /// Whether its handshake is complete.
    pub const fn is_open(&self) -> bool {
        self.chosen.is_some()
    }
}

impl<P: Payload> Connection<P> {
    /// Sets the timers of an open socket: for its age, its token and its silence.
    pub(super) fn watch_age(&mut self, cx: &mut Cx<'_, P>) {
        self.inbound_at = cx.now;
        self.socket_at = cx.now;
        // Also what was set after a replacement that failed.
        cx.timers.clear(self.owner(), TimerReason::MaxAge);
        if let Some(age) = self.config.staleness.max_age {
            let spread = 1.0 - AGE_SPREAD * cx.rng.f64();
            self.set_timer_in(TimerReason::MaxAge, age.get().mul_f64(spread), cx);
        }
        let refresh_at = self.access.refresh_at(&self.config.auth);
        self.set_timer(TimerReason::Refresh, refresh_at, cx);
        if self.config.staleness.stale_after.is_some() {
            let every = self.config.staleness.check_every.get();
            self.set_timer_in(TimerReason::Stale, every, cx);
        }
    }

    /// Time to see whether anything has come.
    pub(super) fn handle_stale(&mut self, cx: &mut Cx<'_, P>) {
        let Some(after) = self.config.staleness.stale_after else {
            return;
        };
        if cx.now.since(self.inbound_at) >= after.get() {
            self.status.notice = Some(Notice::Stale);
            self.abandon(Reason::Stale, cx);
        } else {
            let every = self.config.staleness.check_every.get();
            self.set_timer_in(TimerReason::Stale, every, cx);
        }
    }

    /// Opens the socket that is to take over, unless one is under way.
    pub(super) fn replace(&mut self, cx: &mut Cx<'_, P>) {
        let is_up = matches!(self.phase, Phase::Up { .. });
        if !is_up || self.successor.is_some() {
            return;
        }
        if self.access.asking.is_some() {
            self.set_timer_in(TimerReason::MaxAge, ASK_AGAIN, cx);
        } else {
            self.prepare(Reason::Handover, true, None, cx);
        }
    }

    pub(super) fn open_successor(&mut self, url: String, cx: &mut Cx<'_, P>) {
        let (socket, open) = self.next_socket(url, cx.now);
        self.successor = Some(Box::new(Successor {
            socket,
            chosen: None,
            reconnect: None,
        }));
        self.counters.attempts += 1;
        self.set_timer_in(TimerReason::Successor, self.connect_timeout(), cx);
        cx.out.push(open);
    }

    /// Handles an event of the socket that is to take over. What comes before it has is not for the tabs: the old one still works.
    pub(super) fn handle_successor(&mut self, event: SocketEvent<P>, cx: &mut Cx<'_, P>) {
        let Some(successor) = &mut self.successor else {
            return;
        };
        match event {
            SocketEvent::Opened {
                protocol,
                extensions,
            } => {
                successor.chosen = Some((protocol, extensions));
                let socket = successor.socket;
                self.authenticate(socket, cx);
                let ping = self.heartbeat.ping().cloned();
                match ping.filter(|_| self.config.heartbeat.verify_on_open) {
                    Some(ping) => {
                        self.put(socket, ping, cx);
                        self.counters.pings += 1;
                        let timeout = self.config.heartbeat.timeout.get();
                        self.set_timer_in(TimerReason::Successor, timeout, cx);
                    }
                    None => self.cut_over(cx),
                }
            }
            SocketEvent::Frame(frame) => {
                let is_open = successor.is_open();
                self.see_in(&frame, cx);
                let meaning = self.meaning(&frame);
                if let (Some(successor), Meaning::Reconnect(delay)) =
                    (&mut self.successor, &meaning)
                {
                    successor.reconnect = Some(*delay);
                }
                if is_open && (meaning == Meaning::Pong || self.takes_any_pong()) {
                    self.cut_over(cx);
                    self.take_frame(frame, meaning, cx);
                }
            }
            // It has been given next to nothing.
            SocketEvent::Buffered(_)
            | SocketEvent::Garbled
            | SocketEvent::Response(..)
            | SocketEvent::Text(..)
            | SocketEvent::Done(..) => {}
            SocketEvent::Closed { code, .. } => {
                if self.with_token && self.config.auth.refused_codes.contains(&code) {
                    self.access.handle_refused();
                }
                self.successor = None;
                self.handle_failed_successor(cx);
            }
            SocketEvent::Refused => {
                self.successor = None;
                self.handle_failed_successor(cx);
            }
        }
    }

    /// The socket that was to take over has taken too long.
    pub(super) fn drop_successor(&mut self, cx: &mut Cx<'_, P>) {
        if let Some(successor) = self.successor.take() {
            cx.out.push(close(successor.socket, None, ""));
            self.handle_failed_successor(cx);
        }
    }

    /// The closing handshake of a socket is over, completely or not. A complete one confirms what was handed: the answer of the
    /// server follows all that it has read.
    pub(super) fn handle_retired(&mut self, clean: bool, cx: &mut Cx<'_, P>) {
        let Some(socket) = self.retired.take() else {
            return;
        };
        cx.timers.clear(self.owner(), TimerReason::Retired);
        cx.out.push(close(socket, None, ""));
        self.outbox.settle_retired(clean, cx.now);
        self.drain(cx);
        self.post_verdicts(cx);
    }

    /// Closes a socket that has done its work, and waits for the answer.
    pub(super) fn retire(&mut self, socket: SocketId, reason: &'static str, cx: &mut Cx<'_, P>) {
        if let Some(previous) = self.retired.replace(socket) {
            // Two handovers within two seconds: what was handed to either socket is of unknown fate, and told apart no more.
            cx.out.push(close(previous, None, ""));
            self.outbox.handle_lost(cx.now);
        }
        self.outbox.retire();
        self.set_timer_in(TimerReason::Retired, CLOSE_WITHIN, cx);
        cx.out.push(Output::Retire {
            socket,
            code: 1000,
            reason,
        });
        self.drain(cx);
        self.post_verdicts(cx);
    }

    /// From this moment on messages come from the new socket and go to it.
    fn cut_over(&mut self, cx: &mut Cx<'_, P>) {
        let (Some(successor), Phase::Up { socket: old, .. }) = (self.successor.take(), &self.phase)
        else {
            return;
        };
        let old = *old;
        let was_on_stream = self.is_on_stream();
        for reason in [
            TimerReason::Successor,
            TimerReason::Ping,
            TimerReason::PongLate,
            TimerReason::PongTimeout,
        ] {
            cx.timers.clear(self.owner(), reason);
        }
        if let Phase::Up { socket, .. } = &mut self.phase {
            *socket = successor.socket;
        }
        let (protocol, extensions) = successor.chosen.unwrap_or_default();
        if was_on_stream {
            self.leave_stream(cx);
        }
        self.status.protocol = protocol.into();
        self.status.extensions = extensions.into();
        self.counters.rare.replaced += 1;
        self.counters.rare.up_since = Some(self.up_since());
        self.see(Seen::Log(Remark::Replaced, 1), cx);
        self.heartbeat.handle_lost();
        self.reset_outflow(cx);
        self.access.handle_opened();
        self.push_gap(Reason::Handover);
        self.transition(State::Open, Reason::Handover, Cause::None, cx);
        self.introduce(false, cx);
        if was_on_stream {
            cx.timers.clear(self.owner(), TimerReason::QueueTtl);
            self.drain(cx);
            self.post_verdicts(cx);
        } else {
            self.retire(old, "replaced", cx);
        }
        self.schedule_ping(cx);
        self.watch_age(cx);
        if let Some(delay) = successor.reconnect {
            self.reconnect_in(delay, cx);
        }
        self.flush(cx);
    }

    fn handle_failed_successor(&mut self, cx: &mut Cx<'_, P>) {
        self.note_failed_attempt(cx.now);
        cx.timers.clear(self.owner(), TimerReason::Successor);
        self.access.handle_failed_handshake();
        if self.is_on_stream() {
            self.plan_return(cx);
            self.transition(self.status.state, self.status.reason, Cause::None, cx);
            return;
        }
        let is_for_token = self.access.refresh_at(&self.config.auth) <= cx.now;
        if is_for_token {
            self.set_timer_in(TimerReason::Refresh, REFRESH_AGAIN, cx);
        } else {
            self.set_timer_in(TimerReason::MaxAge, REPLACE_AGAIN, cx);
        }
    }
}
