//! The life of a connection by what has come in: attempts, waits, losses and ends.

use core::time::Duration;

use tabwire::protocol::{Jitter, ReconnectConfig};
use tabwire::time::Time;

use tabwire::core::{ASK_AGAIN, DOUBT_FOR, PROBE_WITHIN, SocketEvent, SocketId};

use super::conn::Conn;
use super::outgoing::Loss;
use super::sender::Proof;
use crate::frame::Frame;
use crate::server::PING;

/// Where in its life a connection is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    /// It has just been made.
    Idle,
    /// Until the next attempt.
    Waiting(Wait),
    /// Somebody is asked for what the attempt needs.
    Asking,
    /// The socket is connecting since then.
    Handshake(Time),
    /// The socket is open and must answer a ping.
    Verifying(Time),
    /// Messages flow.
    Up {
        /// Since when.
        since: Time,
        /// It has been up for long enough.
        stable: bool,
        /// It has carried a frame.
        proved: bool,
    },
    /// The hub yields to another.
    Moving,
    /// For good.
    Ended,
}

/// A wait for the next attempt, and how long it may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wait {
    /// When it began.
    pub from: Time,
    /// It ends then at the earliest.
    pub least: Time,
    /// And then at the latest.
    pub most: Time,
}

/// Failures since a connection was last stable. Whether the loss of a stable one counts is left to the hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Attempts that failed in a row.
    pub in_a_row: u32,
    /// With connections that were lost before they were stable.
    pub least: u32,
    /// With the loss of a stable one.
    pub most: u32,
    /// Waits since nobody could be asked, or the token was refused, at least and at most: delays grow with these as well.
    pub unanswered: (u32, u32),
}

impl Failures {
    /// How often the delay has grown, at least and at most.
    fn growth(self) -> (u32, u32) {
        let (least, most) = self.unanswered;
        (self.least + least, self.most.saturating_add(most))
    }
}

/// With what a connection ends that cannot be opened.
pub const GAVE_UP: (u16, bool) = (1006, false);
/// A wait with a local cause (online again) is no longer than this.
const LOCAL: Duration = Duration::from_millis(250);

impl Conn {
    /// The hub starts an attempt.
    pub fn start(&mut self, now: Time) {
        self.tries += 1;
        self.handle_transitions(1);
        self.attempts.push((now, self.tries));
        self.phase = Phase::Handshake(now);
        self.ping_at = None;
        self.early.clear();
        self.access.asking = None;
        self.waits_for_tab = false;
    }

    /// The handshake is complete.
    pub fn handle_opened(&mut self, now: Time) {
        if !matches!(self.phase, Phase::Handshake(_)) {
            return;
        }
        self.last_ping = now;
        self.access.handle_opened();
        if self.config.heartbeat.verify_on_open && self.has_pings() {
            self.phase = Phase::Verifying(now);
        } else {
            self.come_up(now);
        }
    }

    /// A frame has come.
    pub fn handle_frame(&mut self, frame: Frame, now: Time) {
        let is_pong = self.is_pong(&frame);
        if !is_pong {
            self.inbound_at = now;
        }
        if !self.has_pings() && self.in_doubt_since.take().is_some() {
            self.handle_transitions(1);
        }
        if is_pong || (self.is_any_pong() && self.ping_at.is_some()) {
            if self.ping_at.take().is_some() {
                self.in_doubt_since = None;
                let proof = if is_pong { Proof::Sure } else { Proof::Assumed };
                self.outgoing.handle_pong(proof);
            }
            if matches!(self.phase, Phase::Verifying(_)) {
                self.come_up(now);
            }
        }
        if !is_pong {
            if matches!(self.phase, Phase::Verifying(_)) {
                self.early.push(frame);
            } else {
                self.push_message(frame, now);
            }
        }
        let was_calm = self.is_calm();
        if let Phase::Up { proved, .. } = &mut self.phase {
            *proved = true;
        }
        self.calm_down(was_calm);
    }

    /// Time has passed and the hub was told: what has been up for long enough is stable.
    pub fn handle_time(&mut self, now: Time) {
        let was_calm = self.is_calm();
        if let Phase::Up { since, stable, .. } = &mut self.phase {
            *stable |= *since + self.config.reconnect.stable_after.get() <= now;
            if self.stale_at <= now {
                self.stale_at = now + self.config.staleness.check_every.get();
            }
        }
        self.calm_down(was_calm);
    }

    /// The socket is closed. Returns with what the connection ends, if it does.
    pub fn handle_closed(
        &mut self,
        code: u16,
        is_clean: bool,
        online: bool,
        now: Time,
    ) -> Option<(u16, bool)> {
        let was_up = matches!(self.phase, Phase::Up { .. });
        if was_up {
            let has_pings = self.has_pings();
            let loss = Loss {
                is_clean,
                has_pings,
            };
            self.outgoing.handle_loss(loss, now);
        }
        if self.is_refusal(code) {
            return self.refuse(was_up, online, now).then_some(GAVE_UP);
        }
        if self.config.reconnect.fatal_codes.contains(&code) {
            return Some((code, is_clean));
        }
        if was_up {
            self.lose(is_clean, online, now);
            return None;
        }
        if matches!(self.phase, Phase::Handshake(_)) {
            self.access.handle_failed_handshake();
        }
        self.fail(online, now).then_some(GAVE_UP)
    }

    /// The hub was frozen or its computer asleep: nothing follows from the time that has passed since it was last told something.
    pub fn wake(&mut self, online: bool, (before, now): (Time, Time)) {
        self.access.wake(now);
        match self.phase {
            Phase::Up { .. } => {
                let was_pinged = self.ping_at.take().is_some();
                self.in_doubt_since = Some(now);
                self.inbound_at = now;
                self.last_ping = now;
                self.handle_transitions(1);
                if !self.has_pings() {
                    self.outgoing.handle_wake(before, now);
                }
                let within = self.config.heartbeat.timeout.get().min(PROBE_WITHIN);
                self.probe(within, now);
                if self.has_pings() && !was_pinged {
                    // Otherwise the next pong may be that of the ping before.
                    self.outgoing.handle_ping();
                }
            }
            Phase::Verifying(_) => {
                self.phase = Phase::Verifying(now);
                self.probe(self.config.heartbeat.timeout.get(), now);
            }
            Phase::Handshake(_) => self.phase = Phase::Handshake(now),
            Phase::Waiting(_) => self.wait((Duration::ZERO, LOCAL), online, now),
            Phase::Idle | Phase::Asking | Phase::Moving | Phase::Ended => {}
        }
    }

    /// A ping is given to the socket.
    pub fn handle_ping(&mut self, now: Time) {
        self.ping_at = Some(now);
        self.last_ping = now;
        self.pong_within = self.config.heartbeat.timeout.get();
        self.outgoing.handle_ping();
    }

    /// A ping must go out now, before anything else is handled.
    fn probe(&mut self, within: Duration, now: Time) {
        if self.has_pings() {
            self.handle_transitions(2);
            self.probe_due = self.socket;
            self.ping_at = Some(now);
            self.last_ping = now;
            self.pong_within = within;
        }
    }

    /// How long an attempt may take, at least and at most: what the browser may hold it back is added.
    pub fn connect_within(&self) -> (Duration, Duration) {
        let timeout = self.config.reconnect.connect_timeout.get();
        let held_back = |failures: u32| match failures {
            0 => Duration::ZERO,
            _ => {
                Duration::from_secs_f64((0.4 * 1.5_f64.powi(failures.min(20) as i32 - 1)).min(60.0))
            }
        };
        (
            timeout + held_back(self.failures.in_a_row),
            timeout + held_back(self.failures.most),
        )
    }

    /// Whether nothing has come for too long.
    pub fn is_stale(&self, now: Time) -> bool {
        let after = self.config.staleness.stale_after;
        self.stale_at <= now && after.is_some_and(|after| self.inbound_at + after.get() <= now)
    }

    /// Whether its socket may be replaced as planned: by its age, or for a token.
    pub fn may_be_replaced(&self, now: Time) -> bool {
        let age = self.config.staleness.max_age;
        self.replaces_again
            || self.access.refresh_at(&self.config.auth) <= now
            || age.is_some_and(|age| self.socket_since + age.get().mul_f64(0.899) <= now)
    }

    /// An event of the socket that is to take over.
    pub fn take_successor(&mut self, event: &SocketEvent<Frame>, now: Time) {
        let Some(successor) = &mut self.successor else {
            return;
        };
        let socket = successor.socket;
        match event {
            SocketEvent::Opened { .. } => {
                successor.is_open = true;
                if !(self.config.heartbeat.verify_on_open && self.has_pings()) {
                    self.cut_over(socket, now);
                }
            }
            SocketEvent::Frame(frame) => {
                let is_open = successor.is_open;
                let is_pong = self.is_pong(frame);
                if is_open && (is_pong || self.is_any_pong()) {
                    self.cut_over(socket, now);
                    if !is_pong {
                        self.push_message(frame.clone(), now);
                    }
                }
            }
            SocketEvent::Buffered(_)
            | SocketEvent::Garbled
            | SocketEvent::Response(..)
            | SocketEvent::Text(..)
            | SocketEvent::Done(..) => {}
            SocketEvent::Closed { code, .. } => {
                if self.is_refusal(*code) {
                    self.access.refuse();
                }
                self.fail_successor();
            }
            SocketEvent::Refused => self.fail_successor(),
        }
    }

    /// The socket that was to take over has not. It is tried again.
    pub fn fail_successor(&mut self) {
        self.successor = None;
        self.replaces_again = true;
        self.access.handle_failed_handshake();
    }

    /// Whether a server that closes with this code refuses the token.
    fn is_refusal(&self, code: u16) -> bool {
        self.access.with_token && self.config.auth.refused_codes.contains(&code)
    }

    /// The socket that was to take over has.
    pub fn cut_over(&mut self, successor: SocketId, now: Time) {
        self.retiring = self.socket.replace(successor);
        self.successor = None;
        self.replaces_again = false;
        self.access.handle_opened();
        self.ping_at = None;
        self.in_doubt_since = None;
        self.last_ping = now;
        self.watch_age(now);
        self.handle_transitions(2);
        for lane in self.lanes.values_mut() {
            lane.handle_handover();
        }
        self.retire(now);
    }

    /// The socket that was open is retired. If another still was, what was handed to either is of unknown fate.
    fn retire(&mut self, now: Time) {
        if let Some((socket, _)) = self.retired.take() {
            let has_pings = self.has_pings();
            let loss = Loss {
                is_clean: false,
                has_pings,
            };
            self.outgoing.handle_loss(loss, now);
            self.settled = Some(socket);
        }
        self.outgoing.retire();
    }

    /// A socket is open now.
    fn watch_age(&mut self, now: Time) {
        self.inbound_at = now;
        self.socket_since = now;
        self.stale_at = now + self.config.staleness.check_every.get();
    }

    /// The hub yields: an open socket is retired, any other is closed.
    pub fn start_moving(&mut self, now: Time) {
        if self.is_ended() {
            return;
        }
        self.empty_since = None;
        self.access.asking = None;
        if matches!(self.phase, Phase::Up { .. }) {
            self.counts.1 += 1;
            self.handle_transitions(2);
            self.retiring = self.socket.take();
            self.retire(now);
        } else {
            self.settled = self.socket.take();
        }
        self.phase = if self.handles.is_empty() {
            Phase::Ended
        } else {
            Phase::Moving
        };
    }

    /// Nobody could be asked: the hub waits, and asks again.
    pub fn wait_for_tab(&mut self, online: bool, now: Time) {
        let (least, most) = self.unanswered_delay();
        self.wait((least.max(ASK_AGAIN), most.max(ASK_AGAIN)), online, now);
        self.waits_for_tab = true;
    }

    /// How long to wait after a failure that is not one of an attempt.
    fn unanswered_delay(&mut self) -> (Duration, Duration) {
        let bounds = failed_delay(&self.config.reconnect, self.failures);
        self.failures.unanswered.0 += 1;
        self.failures.unanswered.1 += 1;
        bounds
    }

    /// The server has refused the token: the first time the next attempt comes at once.
    /// Returns whether that was the last attempt.
    fn refuse(&mut self, was_up: bool, online: bool, now: Time) -> bool {
        let is_first = self.access.refuse();
        if was_up {
            self.counts.1 += 1;
            self.handle_transitions(1);
            self.down_since = now;
        } else if !is_first {
            return self.fail(online, now);
        }
        let bounds = if is_first {
            (Duration::ZERO, LOCAL)
        } else {
            self.unanswered_delay()
        };
        self.wait(bounds, online, now);
        false
    }

    /// The hub gives up an open socket.
    pub fn abandon(&mut self, online: bool, now: Time) {
        let has_pings = self.has_pings();
        let loss = Loss {
            is_clean: false,
            has_pings,
        };
        self.outgoing.handle_loss(loss, now);
        self.lose(false, online, now);
    }

    /// An attempt has failed. Returns whether it was the last.
    pub fn fail(&mut self, online: bool, now: Time) -> bool {
        let config = &self.config.reconnect;
        let mut bounds = failed_delay(config, self.failures);
        self.failures.in_a_row += 1;
        self.failures.least += 1;
        self.failures.most += 1;
        let recovery = &self.config.recovery;
        let open_for = recovery.open_for.get();
        if self.failures.in_a_row >= recovery.failure_threshold.0 {
            bounds = (open_for, open_for);
        } else if self.failures.most >= recovery.failure_threshold.0 {
            bounds = (bounds.0.min(open_for), bounds.1.max(open_for));
        }
        let most = config.max_attempts.0;
        self.may_have_ended = self.failures.most >= most;
        if self.failures.in_a_row >= most {
            return true;
        }
        self.wait(bounds, online, now);
        false
    }

    /// The browser is online or offline now.
    pub fn handle_online(&mut self, online: bool, now: Time) {
        if matches!(self.phase, Phase::Waiting(_)) {
            // A tab that says hello may be asked just before.
            let waits_for_tab = self.waits_for_tab;
            self.wait((Duration::ZERO, LOCAL), online, now);
            self.waits_for_tab = waits_for_tab;
        }
    }

    /// The connection ends, with a code and cleanly or not. With `excuses` nothing is promised of what was handed.
    pub fn end(&mut self, ended_with: (u16, bool), excuses: bool) {
        self.ended_with = ended_with;
        self.outgoing.end(excuses);
        self.phase = Phase::Ended;
        self.access.asking = None;
        self.ping_at = None;
        self.empty_since = None;
        self.closing = core::mem::take(&mut self.handles).into_keys().collect();
    }

    /// Whether there are pings.
    pub fn has_pings(&self) -> bool {
        self.config.heartbeat.message.is_some()
    }

    /// Whether this frame is a ping.
    pub fn is_ping(&self, frame: &Frame) -> bool {
        self.has_pings() && matches!(frame, Frame::Text(text) if &**text == PING)
    }

    /// The longest that a wait for an attempt can be.
    pub fn longest_wait(&self) -> Duration {
        let config = &self.config.reconnect;
        let (_, most) = spread(config, Duration::ZERO, config.max_delay.get());
        most.max(config.first_delay_max.get())
            .max(self.config.recovery.open_for.get())
    }

    fn come_up(&mut self, now: Time) {
        self.phase = Phase::Up {
            since: now,
            stable: false,
            proved: false,
        };
        self.watch_age(now);
        self.in_doubt_since = None;
        self.failures.in_a_row = 0;
        self.may_have_ended = false;
        self.counts.0 += 1;
        self.handle_transitions(1);
        self.outgoing.expire(now);
        for frame in core::mem::take(&mut self.early) {
            self.push_message(frame, now);
        }
    }

    fn lose(&mut self, is_clean: bool, online: bool, now: Time) {
        self.counts.1 += 1;
        // For its gap.
        self.handle_transitions(1);
        self.down_since = now;
        let config = &self.config.reconnect;
        let first = (
            config.floor.get(),
            config.first_delay_max.get().max(config.floor.get()),
        );
        let failed = failed_delay(config, self.failures);
        let bounds = match self.failures.growth() {
            (_, 0) => first,
            (0, _) => (first.0.min(failed.0), first.1.max(failed.1)),
            _ => failed,
        };
        let doubt = self.in_doubt_since.take();
        if !is_clean && doubt.is_some_and(|since| now.since(since) < DOUBT_FOR) {
            self.wait((Duration::ZERO, LOCAL), online, now);
            return;
        }
        self.failures.least += u32::from(!self.is_calm());
        self.failures.most += 1;
        self.wait(bounds, online, now);
    }

    fn wait(&mut self, (least, most): (Duration, Duration), online: bool, now: Time) {
        self.handle_transitions(1);
        self.ping_at = None;
        self.in_doubt_since = None;
        self.access.asking = None;
        self.replaces_again = false;
        self.waits_for_tab = false;
        self.early.clear();
        let longest = self.config.reconnect.max_delay.get();
        let (least, most) = if online {
            (least, most)
        } else {
            (least.max(longest), most.max(longest))
        };
        let wait = Wait {
            from: now,
            least: now + least,
            most: now + most,
        };
        self.waits.push(wait);
        self.phase = Phase::Waiting(wait);
    }

    /// Whether it is up for long enough, and something has come.
    fn is_calm(&self) -> bool {
        matches!(
            self.phase,
            Phase::Up {
                stable: true,
                proved: true,
                ..
            }
        )
    }

    /// From the moment on at which it is so, failures begin anew. What comes later by the same socket says nothing of the next.
    fn calm_down(&mut self, was_calm: bool) {
        if !was_calm && self.is_calm() {
            self.failures = Failures::default();
            self.access.handle_stable();
            self.tries = 0;
        }
    }

    fn is_pong(&self, frame: &Frame) -> bool {
        let pong = self.config.heartbeat.pong.as_deref();
        self.has_pings() && matches!(frame, Frame::Text(text) if pong == Some(text))
    }

    fn is_any_pong(&self) -> bool {
        self.has_pings() && self.config.heartbeat.pong.is_none()
    }
}

/// How long to wait after a failed attempt, at least and at most.
fn failed_delay(config: &ReconnectConfig, failures: Failures) -> (Duration, Duration) {
    let (least, most) = failures.growth();
    let (least, most) = (grow(config, least), grow(config, most));
    spread(config, least, most)
}

fn grow(config: &ReconnectConfig, failures: u32) -> Duration {
    let max = config.max_delay.get();
    let factor = config.growth.get().powi(failures.min(64) as i32);
    let grown = config.min_delay.get().as_secs_f64() * factor;
    Duration::try_from_secs_f64(grown).map_or(max, |grown| grown.min(max))
}

fn spread(config: &ReconnectConfig, least: Duration, most: Duration) -> (Duration, Duration) {
    let (least, most) = match config.jitter {
        Jitter::Full => (Duration::ZERO, most),
        Jitter::None => (least, most),
        Jitter::Fraction(share) => (
            least.mul_f64(1.0 - share.get()),
            most.mul_f64(1.0 + share.get()),
        ),
        Jitter::Add(more) => (least, most + more.get()),
    };
    (least.max(config.floor.get()), most.max(config.floor.get()))
}
