//! The life of a connection by what has come in: attempts, waits, losses and ends.

use core::time::Duration;

use tabwire::core::PROBE_WITHIN;
use tabwire::protocol::{Jitter, ReconnectConfig};
use tabwire::time::Time;

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
    /// Its hub yields to another.
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
}

/// With what a connection ends that cannot be opened.
pub const GAVE_UP: (u16, bool) = (1006, false);
/// A wait with a local cause (online again, awake again) is no longer than this.
pub const LOCAL: Duration = Duration::from_millis(250);

impl Conn {
    /// The hub starts an attempt.
    pub fn start(&mut self, now: Time) {
        self.tries += 1;
        self.handle_transitions(1);
        self.attempts.push((now, self.tries));
        self.phase = Phase::Handshake(now);
        self.ping_at = None;
        self.early.clear();
    }

    /// The handshake is complete.
    pub fn handle_opened(&mut self, now: Time) {
        if !matches!(self.phase, Phase::Handshake(_)) {
            return;
        }
        self.last_ping = now;
        if self.config.heartbeat.verify_on_open && self.has_pings() {
            self.phase = Phase::Verifying(now);
        } else {
            self.come_up(now);
        }
    }

    /// A frame has come.
    pub fn handle_frame(&mut self, frame: Frame, now: Time) {
        let is_pong = self.is_pong(&frame);
        if is_pong || (self.is_any_pong() && self.ping_at.is_some()) {
            if self.ping_at.take().is_some() {
                self.recover();
                let proof = if is_pong { Proof::Sure } else { Proof::Assumed };
                self.outgoing.handle_pong(proof);
            }
            if matches!(self.phase, Phase::Verifying(_)) {
                self.come_up(now);
            }
        }
        if !self.has_pings() {
            self.recover();
        }
        if !is_pong {
            if matches!(self.phase, Phase::Verifying(_)) {
                self.early.push(frame);
            } else {
                self.push_message(frame, now);
            }
        }
        if let Phase::Up { proved, .. } = &mut self.phase {
            *proved = true;
        }
        self.check_stable();
    }

    /// Time has passed and the hub was told: what has been up for long enough is stable.
    pub fn handle_time(&mut self, now: Time) {
        if let Phase::Up { since, stable, .. } = &mut self.phase {
            *stable |= *since + self.config.reconnect.stable_after.get() <= now;
        }
        self.check_stable();
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
        if self.config.reconnect.fatal_codes.contains(&code) {
            return Some((code, is_clean));
        }
        if was_up {
            self.lose(online, now);
            return None;
        }
        self.fail(online, now).then_some(GAVE_UP)
    }

    /// The hub gives up an open socket.
    pub fn abandon(&mut self, online: bool, now: Time) {
        let has_pings = self.has_pings();
        let loss = Loss {
            is_clean: false,
            has_pings,
        };
        self.outgoing.handle_loss(loss, now);
        self.lose(online, now);
    }

    /// An attempt has failed. Returns whether it was the last.
    pub fn fail(&mut self, online: bool, now: Time) -> bool {
        let config = &self.config.reconnect;
        let bounds = failed_delay(config, self.failures);
        self.failures.in_a_row += 1;
        self.failures.least += 1;
        self.failures.most += 1;
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
            self.wait((Duration::ZERO, LOCAL), online, now);
        }
    }

    /// The connection ends, with a code and cleanly or not. With `excuses` nothing is promised of what was handed.
    pub fn end(&mut self, ended_with: (u16, bool), excuses: bool) {
        self.ended_with = ended_with;
        self.outgoing.end(excuses);
        self.phase = Phase::Ended;
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
    }

    /// How long the browser may hold an attempt back after so many failures: that is added to its timeout.
    pub fn attempt_timeout(&self, failures: u32) -> Duration {
        let held_back = match failures {
            0 => 0.0,
            some => (0.4 * 1.5_f64.powi(some.min(20) as i32 - 1)).min(60.0),
        };
        self.config.reconnect.connect_timeout.get() + Duration::from_secs_f64(held_back)
    }

    /// How long a pong may take.
    pub fn pong_timeout(&self) -> Duration {
        let timeout = self.config.heartbeat.timeout.get();
        if self.woke {
            timeout.min(PROBE_WITHIN)
        } else {
            timeout
        }
    }

    fn come_up(&mut self, now: Time) {
        self.woke = false;
        self.phase = Phase::Up {
            since: now,
            stable: false,
            proved: false,
        };
        self.failures.in_a_row = 0;
        self.may_have_ended = false;
        self.counts.0 += 1;
        self.handle_transitions(1);
        self.outgoing.expire(now);
        for frame in core::mem::take(&mut self.early) {
            self.push_message(frame, now);
        }
    }

    fn lose(&mut self, online: bool, now: Time) {
        self.note_loss(now);
        if core::mem::take(&mut self.woke) {
            self.wait((Duration::ZERO, LOCAL), online, now);
            return;
        }
        let config = &self.config.reconnect;
        let first = (
            config.floor.get(),
            config.first_delay_max.get().max(config.floor.get()),
        );
        let failed = failed_delay(config, self.failures);
        let bounds = match self.failures {
            Failures { most: 0, .. } => first,
            Failures { least: 0, .. } => (first.0.min(failed.0), first.1.max(failed.1)),
            Failures { .. } => failed,
        };
        let is_stable = matches!(
            self.phase,
            Phase::Up {
                stable: true,
                proved: true,
                ..
            }
        );
        self.failures.least += u32::from(!is_stable);
        self.failures.most += 1;
        self.wait(bounds, online, now);
    }

    /// An open connection is gone, and its tabs must hear of a hole.
    pub fn note_loss(&mut self, now: Time) {
        self.counts.1 += 1;
        self.holes += 1;
        self.handle_transitions(1);
        self.down_since = now;
    }

    /// Waits for the next attempt.
    pub fn wait(&mut self, (least, most): (Duration, Duration), online: bool, now: Time) {
        self.handle_transitions(1);
        self.ping_at = None;
        self.early.clear();
        let longest = self.config.reconnect.max_delay.get();
        let (least, most) = if online {
            (least, most)
        } else {
            (longest, longest)
        };
        let wait = Wait {
            from: now,
            least: now + least,
            most: now + most,
        };
        self.waits.push(wait);
        self.phase = Phase::Waiting(wait);
    }

    fn check_stable(&mut self) {
        if matches!(
            self.phase,
            Phase::Up {
                stable: true,
                proved: true,
                ..
            }
        ) {
            self.failures = Failures::default();
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
    let least = grow(config, failures.least);
    let most = grow(config, failures.most);
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
