//! How well a connection does: its score, and what is told when that falls.
//!
//! The score is 100 less the points of what ails the connection, and at least 0:
//!
//! | ailment | points |
//! | --- | --- |
//! | `down`: it is not open | 60 |
//! | `suspect`: it is open and in doubt | 20 |
//! | `losses`: it was lost lately | 15 each, at most 45 |
//! | `missed-pongs`: pings were not answered in time lately | 10 each, at most 30 |
//! | `errors`: attempts, sends or frames have failed lately | 5 each, at most 25 |
//! | `rtt`: the smoothed round trip is long | 0 up to a quarter of `thresholds.rtt`, and from there on evenly up to 25 at that |
//! | `queue`: what a handle sends waits | 25 times the share of its bounds that is taken |
//!
//! Lately is in the last five minutes ([`super::lately`]). The weights are ours: what is wrong now weighs as much as all that was wrong
//! lately can, so that a connection which is down is unhealthy however well it did, and so is one that is up between its losses.
//! One loss with a missed pong, as a dead path makes it, leaves 75.

use super::connection::{Connection, Cx, Owner, Phase};
use super::hub::Hub;
use super::io::{Output, Payload, TimerReason};
use super::lately::Event;
use crate::protocol::{
    Ailment, Alert, ConnId, HubMessage, Instability, Period, Reason, RecentReport, Remark, Seen,
    State,
};
use crate::time::Time;

/// A share of attempts says nothing before there were so many.
const FEWEST_ATTEMPTS: u32 = 4;

/// How a connection does.
#[derive(Clone, Debug)]
pub struct Health {
    /// From 0 to 100.
    pub score: u8,
    /// What lowers it, the gravest first.
    pub ailments: Vec<Ailment>,
    /// What has gone wrong lately.
    pub recent: RecentReport,
    /// Whether it is open, or was closed for that, and nothing but pongs has come for too long.
    pub is_stale: bool,
}

impl Health {
    /// Of the sockets of a pool the worst is looked at, and all that has gone wrong.
    fn take_worse(&mut self, other: Self) {
        let (a, b) = (&self.recent, &other.recent);
        let recent = RecentReport {
            losses: a.losses + b.losses,
            missed_pongs: a.missed_pongs + b.missed_pongs,
            errors: a.errors + b.errors,
            recoveries: a.recoveries + b.recoveries,
            failed_attempts: a.failed_attempts + b.failed_attempts,
        };
        if other.score < self.score {
            *self = other;
        }
        self.recent = recent;
    }

    /// The share of the last attempts that have opened a lost connection again, if there were enough.
    fn recovery_rate(&self) -> Option<f64> {
        let all = self.recent.recoveries + self.recent.failed_attempts;
        (all >= FEWEST_ATTEMPTS).then(|| f64::from(self.recent.recoveries) / f64::from(all))
    }
}

/// When a connection that is looked at so often is looked at next. All that are looked at equally often have the same moments, so that
/// none has to remember its own.
fn next_look(every: Period, now: Time) -> Time {
    let every = every.get().as_micros() as u64;
    Time::from_micros((now.as_micros() / every + 1).saturating_mul(every))
}

impl<P: Payload> Hub<P> {
    /// How a connection does, with all its sockets.
    pub(super) fn health_of(&self, connection: &Connection<P>) -> Health {
        let mut health = connection.health(self.now);
        for shard in connection.shards() {
            if let Some(shard) = self.connections.get(&shard) {
                health.take_worse(shard.health(self.now));
            }
        }
        health
    }

    /// A connection is to be looked at from now on.
    pub(super) fn watch_health(&mut self, conn: ConnId) {
        if let Some(connection) = self.connections.get(&conn) {
            let at = next_look(connection.config.health.check_every, self.now);
            self.timers
                .set_at_latest(Owner::Hub, TimerReason::Health, at);
        }
    }

    /// Looks at the connections whose moment has come since the last look.
    pub(super) fn look_at_health(&mut self) {
        let last = core::mem::replace(&mut self.looked_at, self.now);
        let mut next = Time::NEVER;
        let mut due = Vec::new();
        for (conn, connection) in &self.connections {
            if connection.shard.is_some() {
                continue;
            }
            let every = connection.config.health.check_every;
            if next_look(every, last) <= self.now {
                due.push((*conn, self.health_of(connection)));
            }
            next = next.min(next_look(every, self.now));
        }
        self.timers.set(Owner::Hub, TimerReason::Health, next);
        for (conn, health) in due {
            self.with(conn, |connection, cx| connection.judge(&health, cx));
        }
    }
}

impl<P: Payload> Connection<P> {
    /// How it does, its further sockets aside.
    #[inline(never)]
    pub(super) fn health(&self, now: Time) -> Health {
        let thresholds = &self.config.health.thresholds;
        let mut recent = self.counters.rare.lately.look(now);
        recent.errors += self.new_failures() as u32;
        let points = [
            (Ailment::Down, if self.is_up() { 0.0 } else { 60.0 }),
            (
                Ailment::Suspect,
                if self.status.state == State::Suspect {
                    20.0
                } else {
                    0.0
                },
            ),
            (Ailment::Losses, capped(recent.losses, 15.0, 45.0)),
            (
                Ailment::MissedPongs,
                capped(recent.missed_pongs, 10.0, 30.0),
            ),
            (Ailment::Errors, capped(recent.errors, 5.0, 25.0)),
            (Ailment::Rtt, {
                let most = thresholds.rtt.get().as_secs_f64();
                let rtt = self.heartbeat.trips().smoothed();
                let rtt = rtt.map_or(0.0, |rtt| rtt.as_secs_f64());
                25.0 * ((rtt - most / 4.0) / (most * 0.75)).clamp(0.0, 1.0)
            }),
            (Ailment::Queue, 25.0 * self.outbox.fill()),
        ];
        let sum: f64 = points.iter().map(|(_, points)| points).sum();
        let mut ailing: Vec<(Ailment, f64)> = Vec::new();
        for (ailment, points) in points.into_iter().filter(|(_, of)| *of >= 1.0) {
            let mut others = ailing.iter();
            let at = others.position(|(_, other)| *other < points);
            ailing.insert(at.unwrap_or(ailing.len()), (ailment, points));
        }
        let is_silent = now.since(self.inbound_at) >= thresholds.silence.get();
        Health {
            score: (100.0 - sum).clamp(0.0, 100.0) as u8,
            ailments: ailing.into_iter().map(|(ailment, _)| ailment).collect(),
            recent,
            is_stale: if self.is_up() {
                is_silent
            } else {
                self.status.reason == Reason::Stale
            },
        }
    }

    /// Tells the tabs what has become bad since it was looked at last.
    fn judge(&mut self, health: &Health, cx: &mut Cx<'_, P>) {
        if matches!(self.phase, Phase::Idle | Phase::Moving | Phase::Ended) {
            return;
        }
        let failures = self.new_failures();
        if failures > 0 {
            self.counters.rare.failed_sends += failures;
            self.note(Event::Error, failures, cx.now);
        }
        let thresholds = self.config.health.thresholds;
        let is_unhealthy = health.score < thresholds.score;
        if is_unhealthy != self.counters.rare.unhealthy.1 {
            let (count, was) = &mut self.counters.rare.unhealthy;
            *was = is_unhealthy;
            *count += u32::from(is_unhealthy);
            let alert = Alert::Unhealthy {
                score: health.score,
                reasons: health.ailments.clone(),
                count: *count,
            };
            if is_unhealthy {
                self.see(Seen::Log(Remark::Unhealthy, u64::from(health.score)), cx);
                self.alert(&alert, cx);
            }
        }
        let (losses, most) = (health.recent.losses, thresholds.losses.0);
        let rate = health.recovery_rate();
        let least = thresholds.recovery_rate.get();
        let now = [losses >= most, rate.is_some_and(|rate| rate < least)];
        let before = self.counters.rare.unstable.1;
        if now == before {
            return;
        }
        self.counters.rare.unstable.1 = now;
        let values = [
            (Instability::Losses, f64::from(losses), f64::from(most)),
            (Instability::RecoveryRate, rate.unwrap_or_default(), least),
        ];
        for ((is, was), (reason, value, threshold)) in now.into_iter().zip(before).zip(values) {
            if is && !was {
                self.counters.rare.unstable.0 += 1;
                let count = self.counters.rare.unstable.0;
                let alert = Alert::Unstable {
                    reason,
                    value,
                    threshold,
                    count,
                };
                self.see(Seen::Log(Remark::Unstable, u64::from(count)), cx);
                self.alert(&alert, cx);
            }
        }
    }

    fn alert(&self, alert: &Alert, cx: &mut Cx<'_, P>) {
        let awake: Vec<_> = cx.tabs.awake().collect();
        for port in awake.into_iter().filter(|port| self.has_port(*port)) {
            cx.out.push(Output::Post(
                port,
                HubMessage::Alert(self.id, alert.clone()),
            ));
        }
    }

    /// Something has gone wrong, or right.
    #[inline(never)]
    pub(super) fn note(&mut self, event: Event, times: u64, now: Time) {
        self.counters.rare.lately.count(event, times, now);
    }

    /// An attempt has failed.
    pub(super) fn note_failed_attempt(&mut self, now: Time) {
        self.counters.rare.failed_attempts += 1;
        self.note(Event::FailedAttempt, 1, now);
        self.note(Event::Error, 1, now);
    }

    /// A frame cannot be read.
    pub(super) fn note_malformed(&mut self, now: Time) {
        self.counters.rare.malformed += 1;
        self.note(Event::Error, 1, now);
    }

    /// It is open, for the first time or again.
    pub(super) fn note_opened(&mut self, now: Time) {
        let Some(since) = self.counters.rare.down_since else {
            return;
        };
        let taken = now.since(since);
        let rare = &mut self.counters.rare;
        rare.down_since = None;
        rare.recovered += 1;
        rare.recovery_time += taken;
        rare.longest_recovery = rare.longest_recovery.max(taken);
        self.note(Event::Recovery, 1, now);
    }

    /// It is open no more.
    pub(super) fn note_down(&mut self, now: Time) {
        let uptime = now.since(self.up_since());
        let rare = &mut self.counters.rare;
        rare.lost += 1;
        rare.uptime += uptime;
        rare.up_since = None;
        rare.down_since = Some(now);
    }

    /// Since when it is open, if it is.
    pub(super) fn up_since(&self) -> Time {
        self.counters.rare.up_since.unwrap_or(self.socket_at)
    }

    /// Whether messages flow.
    pub(super) fn is_up(&self) -> bool {
        self.status.state.is_open()
    }

    /// Sends that have failed since its health was looked at last.
    fn new_failures(&self) -> u64 {
        let (failed, _) = self.outbox.failures();
        failed.saturating_sub(self.counters.rare.failed_sends)
    }
}

fn capped(times: u32, each: f64, most: f64) -> f64 {
    (f64::from(times) * each).min(most)
}
