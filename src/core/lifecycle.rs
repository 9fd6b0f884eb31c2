//! From the first attempt to the end: the transitions of a connection.

use core::time::Duration;

use super::backoff::local_delay;
use super::connection::{Connection, Cx, Phase, close};
use super::heartbeat::Beat;
use super::io::{Output, Payload, SocketEvent, SocketId, TimerReason};
use super::lately::Event;
use super::pool::Upward;
use super::reading::Meaning;
use super::wake::DOUBT_FOR;
use crate::protocol::{Cause, GapReason, HubMessage, Notice, Reason, State};
use crate::time::Time;

impl<P: Payload> Connection<P> {
    /// Handles an event of one of its sockets.
    pub(super) fn handle_socket(
        &mut self,
        socket: SocketId,
        event: SocketEvent<P>,
        cx: &mut Cx<'_, P>,
    ) {
        let Some(event) = self.take_answer_to_post(socket, event, cx) else {
            return;
        };
        if self.retired == Some(socket) {
            // With another code the server had begun to close by itself, and may have thrown away what came then.
            if let SocketEvent::Closed { code, clean, .. } = event {
                self.handle_retired(clean && code == 1000, cx);
            }
            return;
        }
        if self.socket() != Some(socket) {
            self.handle_successor(event, cx);
            return;
        }
        match event {
            SocketEvent::Opened {
                protocol,
                extensions,
            } => self.handle_opened(protocol, extensions, cx),
            SocketEvent::Frame(frame) => self.handle_frame(frame, cx),
            SocketEvent::Garbled => self.note_malformed(cx.now),
            SocketEvent::Response(number, response) => self.handle_response(number, *response, cx),
            SocketEvent::Text(number, text) => {
                self.handle_text(number, &text, cx);
                self.flush(cx);
            }
            SocketEvent::Done(number, ok) => {
                self.handle_done(number, ok, cx);
                self.flush(cx);
            }
            SocketEvent::Buffered(bytes) => self.handle_buffered(bytes, cx),
            SocketEvent::Closed {
                code,
                reason,
                clean,
            } => self.handle_closed(code, reason, clean, cx),
            SocketEvent::Refused => self.end(State::Failed, Reason::SocketRefused, 1006, false, cx),
        }
    }

    /// Replaces the socket now, at the user's wish.
    pub(super) fn reconnect(&mut self, cx: &mut Cx<'_, P>) {
        if self.is_ended() || cx.meeting {
            return;
        }
        if let Some(socket) = self.socket() {
            cx.out.push(close(socket, None, ""));
            if self.status.state.is_open() {
                self.lose(Reason::Requested, (1006, String::new(), false), cx);
            }
        }
        self.connect(Reason::Requested, cx);
    }

    /// Closes the connection for everybody.
    pub(super) fn shutdown(&mut self, cx: &mut Cx<'_, P>) {
        if let Some(socket) = self.socket() {
            cx.out.push(close(socket, Some(1000), "shutdown"));
        }
        self.status.close_reason = "shutdown".into();
        self.end(State::Closed, Reason::Shutdown, 1000, true, cx);
    }

    /// The browser went online or offline.
    pub(super) fn handle_online(&mut self, cx: &mut Cx<'_, P>) {
        if cx.online {
            self.hasten_return(cx);
        }
        if self.phase != Phase::Waiting {
            return;
        }
        if cx.online {
            let delay = local_delay(cx.rng);
            self.wait(delay, Reason::Online, Cause::None, cx);
        } else {
            self.wait(Duration::ZERO, Reason::Offline, Cause::None, cx);
        }
    }

    /// Starts an attempt; first of all somebody may have to be asked for what it needs.
    pub(super) fn connect(&mut self, reason: Reason, cx: &mut Cx<'_, P>) {
        self.stop_timers(cx);
        self.prepare(reason, false, None, cx);
    }

    /// Opens the socket of an attempt, with all that it needs.
    pub(super) fn open_socket(&mut self, reason: Reason, url: String, cx: &mut Cx<'_, P>) {
        self.watch_fallback(cx);
        let (socket, open) = self.next_socket(url, cx.now);
        self.phase = Phase::Handshake(socket);
        self.counters.attempts += 1;
        self.status.next_attempt_at = None;
        self.attempts += 1;
        self.status.attempt = self.attempts;
        self.transition(State::Connecting, reason, Cause::None, cx);
        self.set_timer_in(TimerReason::ConnectTimeout, self.connect_timeout(), cx);
        cx.out.push(open);
    }

    /// The next socket, and what opens it.
    pub(super) fn next_socket(&mut self, mut url: String, now: Time) -> (SocketId, Output<P>) {
        if let Some(pool) = &mut self.pool {
            pool.handle_start(&url, now);
        }
        self.generation += 1;
        let socket = SocketId {
            conn: self.id,
            generation: self.generation,
        };
        let mut protocols = self.identity.protocols.to_vec();
        self.access
            .apply(&self.config.auth, &mut url, &mut protocols);
        let open = Output::Open {
            socket,
            url,
            protocols,
            code: self.template.as_ref().and_then(|own| own.code.clone()),
        };
        (socket, open)
    }

    /// How long an attempt may take: what the browser may hold it back counts as no failure.
    pub(super) fn connect_timeout(&self) -> Duration {
        self.config.reconnect.connect_timeout.get() + self.backoff.browser_delay()
    }

    fn handle_opened(&mut self, protocol: String, extensions: String, cx: &mut Cx<'_, P>) {
        let Phase::Handshake(socket) = self.phase else {
            return;
        };
        self.status.protocol = protocol.into();
        self.status.extensions = extensions.into();
        self.access.handle_opened();
        cx.timers.clear(self.owner(), TimerReason::ConnectTimeout);
        self.authenticate(socket, cx);
        if self.config.heartbeat.verify_on_open && self.heartbeat.ping().is_some() {
            self.phase = Phase::Verifying(socket);
            self.ping(cx);
        } else {
            self.open(socket, cx);
        }
    }

    pub(super) fn open(&mut self, socket: SocketId, cx: &mut Cx<'_, P>) {
        self.phase = Phase::Up {
            socket,
            stable: false,
            proved: false,
        };
        self.counters.opened += 1;
        self.note_opened(cx.now);
        self.status.notice = (self.counters.opened > 1).then_some(Notice::Recovered);
        cx.timers.clear(self.owner(), TimerReason::Fallback);
        self.watch_age(cx);
        let reason = if self.is_on_stream() {
            self.plan_return(cx);
            Reason::Fallback
        } else {
            Reason::Opened
        };
        self.transition(State::Open, reason, Cause::Opened, cx);
        self.set_timer_in(
            TimerReason::Stable,
            self.config.reconnect.stable_after.get(),
            cx,
        );
        for frame in self.early.take() {
            let meaning = self.meaning(&frame);
            self.take_frame(frame, meaning, cx);
        }
        if !cx.timers.is_set(self.owner(), TimerReason::Ping) {
            self.schedule_ping(cx);
        }
        self.outbox.handle_ttl(cx.now);
        let expiry = self.outbox.next_expiry();
        let expiry = if self.can_hand() { Time::NEVER } else { expiry };
        self.set_timer(TimerReason::QueueTtl, expiry, cx);
        self.introduce(true, cx);
        self.drain(cx);
        self.post_verdicts(cx);
    }

    pub(super) fn handle_frame(&mut self, frame: P, cx: &mut Cx<'_, P>) {
        self.see_in(&frame, cx);
        if self.template.is_some() {
            self.topics.heard_at = cx.now;
        }
        let was_waiting = self.heartbeat.is_waiting();
        let meaning = self.meaning(&frame);
        let (is_pong, takes_any) = (meaning == Meaning::Pong, self.takes_any_pong());
        let beat = self.heartbeat.handle_frame(is_pong, takes_any, cx.now);
        if was_waiting && matches!(beat, Beat::Pong | Beat::MessageAndPong) {
            self.handle_pong(cx);
        }
        let cannot_ping = self.heartbeat.ping().is_none() || self.is_on_stream();
        if self.status.state == State::Suspect && cannot_ping {
            self.transition(State::Open, Reason::Recovered, Cause::None, cx);
        }
        if beat != Beat::Pong {
            self.inbound_at = cx.now;
            if matches!(self.phase, Phase::Verifying(_)) {
                self.early.push(frame);
            } else {
                self.take_frame(frame, meaning, cx);
            }
        }
        self.prove();
    }

    fn handle_pong(&mut self, cx: &mut Cx<'_, P>) {
        for reason in [TimerReason::PongLate, TimerReason::PongTimeout] {
            cx.timers.clear(self.owner(), reason);
        }
        if let Phase::Verifying(socket) = self.phase {
            self.open(socket, cx);
            return;
        }
        if self.status.state == State::Suspect {
            self.transition(State::Open, Reason::Recovered, Cause::None, cx);
        }
        self.outbox.handle_pong();
        self.post_verdicts(cx);
    }

    fn handle_closed(&mut self, code: u16, why: String, clean: bool, cx: &mut Cx<'_, P>) {
        let was_open = self.status.state.is_open();
        let is_refused = self.with_token && self.config.auth.refused_codes.contains(&code);
        if is_refused {
            self.handle_refused((code, why, clean), cx);
        } else if self.config.reconnect.fatal_codes.contains(&code) {
            self.status.close_reason = why.into();
            self.end(State::Closed, Reason::FatalCode, code, clean, cx);
        } else if was_open {
            let reason = if clean {
                Reason::ClosedByServer
            } else {
                Reason::ConnectionLost
            };
            self.lose(reason, (code, why, clean), cx);
        } else {
            self.status.code = Some(code);
            if matches!(self.phase, Phase::Handshake(_)) {
                self.access.handle_failed_handshake();
            }
            self.fail_attempt(Reason::ConnectFailed, cx);
        }
    }

    /// Gives up the socket without waiting for its close: on a dead path that may never come.
    pub(super) fn abandon(&mut self, reason: Reason, cx: &mut Cx<'_, P>) {
        let Some(socket) = self.socket() else {
            return;
        };
        cx.out.push(close(socket, None, ""));
        if self.status.state.is_open() {
            self.lose(reason, (1006, String::new(), false), cx);
        } else {
            self.fail_attempt(reason, cx);
        }
    }

    /// An open connection is gone. Tells the tabs, settles the sends and waits for the next attempt: at once, where the cause
    /// is the sleep of this computer.
    pub(super) fn lose(&mut self, reason: Reason, close: (u16, String, bool), cx: &mut Cx<'_, P>) {
        let woke = self.status.state == State::Suspect && self.status.reason == Reason::Woke;
        let has_slept = woke && !close.2 && cx.now.since(self.counters.rare.woke_at) < DOUBT_FOR;
        let delay = if has_slept {
            local_delay(cx.rng)
        } else {
            self.backoff.handle_loss(&self.config.reconnect, cx.rng)
        };
        self.lose_for(delay, reason, close, cx);
    }

    /// The same with a wait of this length.
    pub(super) fn lose_for(
        &mut self,
        delay: Duration,
        reason: Reason,
        (code, why, clean): (u16, String, bool),
        cx: &mut Cx<'_, P>,
    ) {
        self.note_loss((code, why, clean), cx);
        if reason != Reason::Requested {
            self.note(Event::Loss, 1, cx.now);
        }
        self.wait(delay, reason, Cause::Lost, cx);
        self.settle_loss(reason, cx);
    }

    /// An open connection is gone: what is to be known of it.
    pub(super) fn note_loss(
        &mut self,
        (code, why, clean): (u16, String, bool),
        cx: &mut Cx<'_, P>,
    ) {
        self.note_down(cx.now);
        self.status.code = Some(code);
        self.status.close_reason = why.into();
        self.status.clean = clean;
        self.stop_timers(cx);
    }

    /// The tabs know of the loss: tells them of the hole, and settles the sends.
    pub(super) fn settle_loss(&mut self, reason: Reason, cx: &mut Cx<'_, P>) {
        self.push_gap(reason);
        self.forget_server();
        if let Some(retired) = self.retired.take() {
            cx.out.push(close(retired, None, ""));
            cx.timers.clear(self.owner(), TimerReason::Retired);
        }
        self.outbox.handle_lost(cx.now);
        self.set_timer(TimerReason::QueueTtl, self.outbox.next_expiry(), cx);
        self.post_verdicts(cx);
        self.flush(cx);
    }

    /// There may be a hole in what the tabs get here, unless all of it can be asked for again.
    pub(super) fn push_gap(&mut self, reason: Reason) {
        if self.is_resumable() || self.send_upward(Upward::Gap(reason)).is_none() {
            return;
        }
        self.tell_gap(reason);
    }

    /// There may be a hole in what the tabs get here.
    pub(super) fn tell_gap(&mut self, reason: Reason) {
        let gap = HubMessage::Gap {
            conn: self.id,
            lost: None,
            reason: GapReason::Lost(reason),
        };
        self.fanout.push_note(gap);
    }

    pub(super) fn fail_attempt(&mut self, reason: Reason, cx: &mut Cx<'_, P>) {
        self.note_failed_attempt(cx.now);
        if self.try_next_stream(cx) {
            return;
        }
        let was_stream = self.is_on_stream();
        self.stop_timers(cx);
        let delay = self.backoff.handle_failure(&self.config.reconnect, cx.rng);
        let recovery = &self.config.recovery;
        if !was_stream && self.is_fallback_due() {
            self.fall_back(cx);
        } else if self.backoff.failed() >= self.config.reconnect.max_attempts.0 {
            self.end(State::Failed, Reason::MaxAttempts, 1006, false, cx);
        } else if self.backoff.failed() >= recovery.failure_threshold.0 {
            self.status.notice = Some(Notice::BreakerOpened);
            let open_for = recovery.open_for.get();
            self.wait(open_for, Reason::BreakerOpen, Cause::AttemptFailed, cx);
        } else {
            self.wait(delay, reason, Cause::AttemptFailed, cx);
        }
    }

    /// Waits for the next attempt. Offline the wait is the longest there is: an `online` event ends it, but the
    /// browser's word is not trusted for ever.
    pub(super) fn wait(
        &mut self,
        delay: Duration,
        reason: Reason,
        cause: Cause,
        cx: &mut Cx<'_, P>,
    ) {
        self.phase = Phase::Waiting;
        self.watch_fallback(cx);
        let (state, delay) = if cx.online {
            (State::Reconnecting, delay)
        } else {
            let longest = self.config.reconnect.max_delay.get();
            (State::Offline, delay.max(longest))
        };
        self.status.next_attempt_at = Some(cx.now + delay);
        self.transition(state, reason, cause, cx);
        self.set_timer_in(TimerReason::Reconnect, delay, cx);
    }

    /// The connection ends for good, and with it every handle.
    pub(super) fn end(
        &mut self,
        state: State,
        reason: Reason,
        code: u16,
        clean: bool,
        cx: &mut Cx<'_, P>,
    ) {
        if let Some(retired) = self.retired.take() {
            cx.out.push(close(retired, None, ""));
            cx.timers.clear(self.owner(), TimerReason::Retired);
        }
        if self.status.state.is_open() && reason == Reason::FatalCode {
            self.outbox.handle_lost(cx.now);
        }
        self.stop_timers(cx);
        for reason in [
            TimerReason::Linger,
            TimerReason::QueueTtl,
            TimerReason::Fallback,
        ] {
            cx.timers.clear(self.owner(), reason);
        }
        self.phase = Phase::Ended;
        self.status.code = Some(code);
        self.status.clean = clean;
        self.status.next_attempt_at = None;
        let handles = &self.handles;
        self.outbox.handle_end(|key| handles.contains_key(&key));
        self.post_verdicts(cx);
        let cause = if state == State::Failed {
            Cause::AttemptFailed
        } else {
            Cause::None
        };
        self.transition(state, reason, cause, cx);
        for ((port, handle), _) in core::mem::take(&mut self.handles) {
            let closed = HubMessage::Closed {
                handle,
                code,
                reason: self.status.close_reason.as_ref().into(),
                clean,
            };
            self.fanout.push_note_to(port, closed);
        }
        self.flush(cx);
    }

    pub(super) fn handle_unwanted(&mut self, cx: &mut Cx<'_, P>) {
        if !self.handles.is_empty() {
            return;
        }
        if let Some(socket) = self.socket() {
            let parting = self.parting.take();
            let (code, reason) = parting.map_or_else(Default::default, |parting| *parting);
            cx.out.push(Output::Close {
                socket,
                code,
                reason,
            });
        }
        self.end(State::Closed, Reason::Unwanted, 1000, true, cx);
    }

    pub(super) fn ping(&mut self, cx: &mut Cx<'_, P>) {
        let (Some(socket), Some(ping)) = (self.socket(), self.heartbeat.ping().cloned()) else {
            return;
        };
        if self.is_on_stream() {
            return;
        }
        self.schedule_ping(cx);
        if self.heartbeat.is_waiting() {
            return;
        }
        self.put(socket, ping, cx);
        self.counters.pings += 1;
        self.heartbeat.handle_sent(cx.now);
        self.outbox.handle_ping();
        let timeout = self.config.heartbeat.timeout.get();
        if self.status.state.is_open() {
            self.set_timer_in(TimerReason::PongLate, timeout / 2, cx);
        }
        self.set_timer_in(TimerReason::PongTimeout, timeout, cx);
    }

    pub(super) fn schedule_ping(&mut self, cx: &mut Cx<'_, P>) {
        if self.heartbeat.ping().is_none() || self.is_on_stream() {
            return;
        }
        let spread = self.config.heartbeat.jitter.get() * (2.0 * cx.rng.f64() - 1.0);
        let interval = self.config.heartbeat.interval.get().mul_f64(1.0 + spread);
        self.set_timer_in(TimerReason::Ping, interval, cx);
    }

    pub(super) fn handle_pong_late(&mut self, cx: &mut Cx<'_, P>) {
        if self.status.state == State::Open {
            self.transition(State::Suspect, Reason::PongLate, Cause::None, cx);
        }
    }

    pub(super) fn handle_pong_timeout(&mut self, cx: &mut Cx<'_, P>) {
        self.counters.rare.pong_timeouts += 1;
        self.note(Event::MissedPong, 1, cx.now);
        let reason = if self.status.reason == Reason::Woke {
            Reason::WakeTimeout
        } else if self.status.state.is_open() {
            Reason::PongTimeout
        } else {
            Reason::VerifyTimeout
        };
        self.abandon(reason, cx);
    }

    pub(super) fn handle_stable(&mut self) {
        if let Phase::Up { stable, .. } = &mut self.phase {
            *stable = true;
        }
        self.reset_growth();
    }

    /// A frame or pong has come: together with stable uptime that resets the growth of the delays.
    fn prove(&mut self) {
        if let Phase::Up { proved, .. } = &mut self.phase
            && !*proved
        {
            *proved = true;
            self.reset_growth();
        }
    }

    fn reset_growth(&mut self) {
        if let Phase::Up {
            stable: true,
            proved: true,
            ..
        } = self.phase
        {
            self.backoff.reset();
            self.access.handle_stable();
            self.attempts = 0;
            self.status.attempt = 0;
        }
    }
}
