//! Sleep and freeze: how they are noticed, and what a connection does about them.

use core::time::Duration;

use super::backoff::local_delay;
use super::connection::{Connection, Cx, Owner, Phase};
use super::hub::Hub;
use super::io::{Input, Payload, TimerReason};
use super::topics::SUBSCRIBE_WITHIN;
use crate::protocol::{Cause, Reason, State};
use crate::time::Time;

/// How often the hub looks at its clocks.
pub const WATCH_EVERY: Duration = Duration::from_secs(5);
/// A timer so late, or a wall clock so far ahead of where it should be, means that the worker was frozen or the computer asleep.
pub const ASLEEP_AFTER: Duration = Duration::from_secs(10);
/// An unclean loss so soon after that has its cause in the sleep, and is tried again at once; a later one is the server's.
pub const DOUBT_FOR: Duration = Duration::from_secs(30);
/// After that a connection has so long to answer a ping.
pub const PROBE_WITHIN: Duration = Duration::from_secs(4);

/// Two clocks, compared with each other and with what was planned. The monotonic one stands still while most computers sleep
/// (on Windows it does not), and the wall clock may be set.
#[derive(Debug)]
pub struct Watch {
    due: Time,
    offset: Option<Duration>,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            due: Time::NEVER,
            offset: None,
        }
    }
}

impl Watch {
    /// The next look is planned for then.
    pub fn set(&mut self, due: Time) {
        self.due = due;
        if due == Time::NEVER {
            self.offset = None;
        }
    }

    /// Whether the look that was planned is far too late.
    pub fn is_late(&self, now: Time) -> bool {
        now >= self.due + ASLEEP_AFTER
    }

    /// Compares the wall clock. Returns by how much it has gone ahead of the monotonic one, if that is much.
    pub fn compare(&mut self, now: Time, wall: Duration) -> Option<Duration> {
        let offset = wall.saturating_sub(now.since(Time::ZERO));
        let before = self.offset.replace(offset)?;
        let ahead = offset.saturating_sub(before);
        (ahead >= ASLEEP_AFTER).then_some(ahead)
    }
}

impl<P: Payload> Hub<P> {
    /// Notices that the worker was frozen or the computer asleep: before anything that was due meanwhile is taken for a fault.
    pub(super) fn look_at_clocks(&mut self, input: &Input<P>) {
        let is_late = self.watch.is_late(self.now);
        let ahead = if let Input::Timeout { wall } = input {
            self.watch.compare(self.now, *wall)
        } else {
            None
        };
        if is_late || ahead.is_some() {
            self.wake_up(ahead.unwrap_or_default());
        }
    }

    fn wake_up(&mut self, slept: Duration) {
        let ports: Vec<_> = self.tabs.ports().collect();
        for port in ports {
            if let Some(tab) = self.tabs.get_mut(port) {
                tab.handle_wake(self.now);
            }
            self.watch_silence(port);
        }
        self.with_all(&|connection, cx| connection.handle_wake(slept, cx));
        self.watch_clocks();
    }

    /// Plans the next look at the clocks, as long as there is something to look after.
    pub(super) fn watch_clocks(&mut self) {
        let due = if self.connections.is_empty() {
            Time::NEVER
        } else {
            self.now + WATCH_EVERY
        };
        self.watch.set(due);
        self.timers.set(Owner::Hub, TimerReason::Watch, due);
    }
}

impl<P: Payload> Connection<P> {
    /// The worker was frozen or the computer asleep. What was due meanwhile proves nothing: an open socket is suspect until it
    /// answers or says something, and what waited is tried at once.
    pub(super) fn handle_wake(&mut self, slept: Duration, cx: &mut Cx<'_, P>) {
        self.access.handle_slept(slept);
        self.topics.handle_wake();
        match self.phase {
            Phase::Up { .. } => self.doubt(cx),
            Phase::Verifying(_) => {
                self.heartbeat.handle_lost();
                self.ping(cx);
            }
            Phase::Handshake(_) => {
                self.set_timer_in(TimerReason::ConnectTimeout, self.connect_timeout(), cx);
            }
            Phase::Waiting => {
                let delay = local_delay(cx.rng);
                self.wait(delay, Reason::Woke, Cause::None, cx);
            }
            Phase::Asking => {
                self.set_timer_in(TimerReason::Answer, super::access::ANSWER_WITHIN, cx);
            }
            Phase::Idle | Phase::Moving | Phase::Ended => {}
        }
    }

    fn doubt(&mut self, cx: &mut Cx<'_, P>) {
        self.inbound_at = cx.now;
        self.counters.rare.woke_at = cx.now;
        let was_waiting = self.heartbeat.is_waiting();
        self.heartbeat.handle_lost();
        cx.timers.clear(self.owner(), TimerReason::PongLate);
        self.transition(State::Suspect, Reason::Woke, Cause::None, cx);
        if self.successor.is_some() {
            self.set_timer_in(TimerReason::Successor, self.connect_timeout(), cx);
        }
        let refresh_at = self.access.refresh_at(&self.config.auth);
        self.set_timer(TimerReason::Refresh, refresh_at, cx);
        if self.template.is_some() {
            self.topics.wait_longer(cx.now + SUBSCRIBE_WITHIN);
            self.watch_topics(cx);
        }
        if self.is_on_stream() {
            self.fetch_again(cx);
            return;
        }
        let (Some(socket), Some(ping)) = (self.socket(), self.heartbeat.ping().cloned()) else {
            self.outbox.handle_wake(cx.now);
            self.set_timer(TimerReason::Confirm, self.outbox.next_confirm(), cx);
            return;
        };
        self.put(socket, ping, cx);
        self.counters.pings += 1;
        self.heartbeat.handle_sent(cx.now);
        if !was_waiting {
            // Otherwise the pong may be that of the ping before.
            self.outbox.handle_ping();
        }
        self.schedule_ping(cx);
        let timeout = self.config.heartbeat.timeout.get().min(PROBE_WITHIN);
        self.set_timer_in(TimerReason::PongTimeout, timeout, cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn a_look_that_is_a_little_late_is_nothing() {
        let mut watch = Watch::default();
        watch.set(Time::from_millis(5000));
        assert!(!watch.is_late(Time::from_millis(14_999)));
        assert!(watch.is_late(Time::from_millis(15_000)));
    }

    #[test]
    fn sleep_shows_as_a_wall_clock_that_has_gone_ahead() {
        let mut watch = Watch::default();
        assert_eq!(watch.compare(Time::ZERO, DAY), None);
        let later = Time::from_millis(5000);
        assert_eq!(watch.compare(later, DAY + Duration::from_secs(6)), None);
        let slept = DAY + Duration::from_secs(66);
        assert_eq!(watch.compare(later, slept), Some(Duration::from_secs(60)));
        assert_eq!(watch.compare(later, slept), None);
    }

    #[test]
    fn a_clock_that_is_set_back_is_not_sleep() {
        let mut watch = Watch::default();
        assert_eq!(watch.compare(Time::ZERO, DAY), None);
        assert_eq!(watch.compare(Time::ZERO, DAY / 2), None);
    }
}
