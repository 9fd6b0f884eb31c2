//! Sleep and freeze, and the move to another hub: what connections must do then.

use core::time::Duration;

use tabwire::core::{CLOSE_WITHIN, Input};
use tabwire::time::Time;

use super::Reference;
use super::conn::Conn;
use super::phase::{LOCAL, Phase};
use crate::frame::Frame;

impl Reference {
    /// The hub goes on after it has stood still for so long.
    pub fn stood_still(&mut self, now: Time, span: Duration) {
        self.clocks.stood_still(now, span);
    }

    /// The hub looks at its clocks before anything else.
    pub(super) fn look_at_clocks(&mut self, input: &Input<Frame>) {
        let wall = if let Input::Timeout { wall } = input {
            Some(*wall)
        } else {
            None
        };
        if !self.clocks.look(self.now, wall) {
            return;
        }
        self.tabs.handle_wake(self.now);
        self.woke_at = self.now;
        self.is_waking = true;
        for conn in self.conns.values_mut() {
            conn.handle_wake(self.online, self.now);
        }
        self.clocks.plan(self.now, !self.conns.is_empty());
    }

    /// There is a better hub.
    pub(super) fn start_moving(&mut self) {
        self.by_identity.clear();
        for conn in self.conns.values_mut() {
            conn.start_moving(self.now);
        }
    }
}

impl Conn {
    /// What was due while the hub slept proves nothing.
    fn handle_wake(&mut self, online: bool, now: Time) {
        match self.phase {
            Phase::Up { .. } => {
                self.woke = true;
                self.woke_at = now;
                let was_waiting = self.ping_at.take().is_some();
                self.handle_transitions(1);
                self.probe(now);
                if self.has_pings() && !was_waiting {
                    // Otherwise the next pong may be that of the ping before.
                    self.outgoing.handle_ping();
                }
            }
            Phase::Verifying(_) => {
                self.phase = Phase::Verifying(now);
                self.probe(now);
            }
            Phase::Handshake(_) => self.phase = Phase::Handshake(now),
            Phase::Waiting(_) => self.wait((Duration::ZERO, LOCAL), online, now),
            Phase::Idle | Phase::Moving | Phase::Ended => {}
        }
    }

    /// A ping must go out now.
    fn probe(&mut self, now: Time) {
        if self.has_pings() {
            self.handle_transitions(2);
            self.probe_due = self.socket;
            self.ping_at = Some(now);
            self.last_ping = now;
        }
    }

    /// It has proved that it works.
    pub(super) fn recover(&mut self) {
        if core::mem::take(&mut self.woke) {
            self.handle_transitions(1);
        }
    }

    fn start_moving(&mut self, now: Time) {
        if self.is_ended() {
            return;
        }
        if matches!(self.phase, Phase::Up { .. }) {
            self.note_loss(now);
            self.handle_transitions(1);
            self.retired = self.socket;
            self.retired_at = now;
        }
        self.woke = false;
        self.ping_at = None;
        self.early.clear();
        self.empty_since = None;
        self.phase = Phase::Moving;
    }

    /// The closing handshake that the hub has begun is over, completely or not.
    pub(super) fn handle_retired(&mut self, is_clean: bool, now: Time) {
        if self.retired.take().is_some() {
            self.outgoing.settle(is_clean, now);
        }
    }

    /// Whether the closing handshake that the hub has begun has taken its time.
    pub(super) fn is_retired_for_good(&self, now: Time) -> bool {
        self.retired.is_some() && self.retired_at + CLOSE_WITHIN <= now
    }
}
