//! What a connection does when its hub yields to another: nothing is lost on the way.

use super::connection::{Connection, Cx, Phase, close};
use super::io::{Payload, PortId, TimerReason};
use crate::protocol::{Cause, Reason, State};

impl<P: Payload> Connection<P> {
    /// Ends the socket, so that what was handed is confirmed by the closing handshake. What waits goes with its tabs.
    pub(super) fn start_moving(&mut self, cx: &mut Cx<'_, P>) {
        if self.is_ended() {
            return;
        }
        for reason in [TimerReason::Linger, TimerReason::QueueTtl] {
            cx.timers.clear(self.owner(), reason);
        }
        let up = match self.phase {
            Phase::Up { socket, .. } => Some(socket),
            Phase::Handshake(socket) | Phase::Verifying(socket) => {
                cx.out.push(close(socket, None, ""));
                None
            }
            Phase::Idle | Phase::Waiting | Phase::Asking | Phase::Moving | Phase::Ended => None,
        };
        let was_on_stream = self.is_on_stream();
        self.note_loss_of(up.is_some(), cx);
        self.phase = if self.handles.is_empty() {
            Phase::Ended
        } else {
            Phase::Moving
        };
        self.status.next_attempt_at = None;
        if let Some(socket) = up {
            if !self.can_resume() {
                self.push_gap(Reason::Moved);
            }
            self.transition(State::Reconnecting, Reason::Moved, Cause::Lost, cx);
            if was_on_stream {
                self.outbox.handle_lost(cx.now);
                self.post_verdicts(cx);
            } else {
                self.retire(socket, "moved", cx);
            }
        }
        self.flush(cx);
    }

    /// Whether the fate of all that was handed is known.
    pub(super) fn has_settled(&self) -> bool {
        self.retired.is_none()
    }

    /// Posts all that waits for a tab, whatever its window says.
    pub(super) fn empty_lane(&mut self, port: PortId, cx: &mut Cx<'_, P>) {
        self.post_verdicts(cx);
        self.fanout.open_window(port);
        self.flush_all(true, cx);
    }

    fn note_loss_of(&mut self, was_up: bool, cx: &mut Cx<'_, P>) {
        if was_up {
            self.note_loss((1000, "moved".into(), true), cx);
        } else {
            self.stop_timers(cx);
        }
    }
}
