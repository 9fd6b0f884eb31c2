//! What must hold at any time, and in the end.

use core::time::Duration;

use tabwire::core::{CLOSE_WITHIN, Deadline, FUNCTION, PortId, YIELD_WITHIN};
use tabwire::protocol::{ConnId, ConnectionReport, Report};
use tabwire::time::Time;

use super::Reference;
use super::conn::Conn;
use super::lane::{Lane, Mode};
use super::phase::Phase;
use crate::invariants::{Check, Held};

/// What an attempt takes beside its timeouts, in the worst weather.
const HANDSHAKE: Duration = Duration::from_secs(2);

/// What has come this long ago has been handled by a quick page, hidden or not.
const PROMPT: Duration = Duration::from_secs(5);

impl Reference {
    /// Looks at everything. `disturbed` tells since when the server of a url has been within reach.
    pub fn audit(
        &self,
        now: Time,
        disturbed: impl Fn(&str) -> Time,
        report: impl Fn(PortId) -> Report,
    ) -> Held {
        let late = self.late();
        self.tabs.audit(now, late)?;
        for (id, conn) in &self.conns {
            check_phase(*id, conn, now, late)?;
            if self.better.is_none() {
                check_reach(*id, conn, disturbed(conn.place()), now)?;
            }
            for (port, lane) in &conn.lanes {
                if self.tabs.mode(*port) == Mode::Visible {
                    check_view(lane, conn, self.online)?;
                }
            }
        }
        self.audit_counts(report)
    }

    /// Everybody has had the time to hear everything: nothing may be left open.
    pub fn check_settled(&self, now: Time) -> Held {
        let can_hear = |port| self.tabs.mode(port) != Mode::Suspended;
        for (id, conn) in &self.conns {
            conn.outgoing.check_settled(can_hear, now)?;
            for (port, lane) in &conn.lanes {
                let is_fresh = conn.stream.came_at(lane.next) + PROMPT > now;
                let is_done = lane.is_done(&conn.stream) || is_fresh;
                Check::NobodyStarves.require(!can_hear(*port) || is_done, || {
                    format!("{port:?} never hears of {id:?}: {lane:?}")
                })?;
            }
        }
        Ok(())
    }

    /// Everybody has left.
    pub fn check_empty(&self, deadline: Option<Deadline>, report: &Report) -> Held {
        let left = (self.tabs.iter().count(), self.conns.len());
        let counts = (report.tabs, report.suspended, report.connections);
        Check::EverythingEnds.require(
            left == (0, 0) && counts == (0, 0, 0) && deadline.is_none(),
            || format!("expected {left:?}, there are {counts:?}, and {deadline:?}"),
        )
    }

    fn audit_counts(&self, report: impl Fn(PortId) -> Report) -> Held {
        let (tabs, suspended) = self.tabs.count();
        let census = (tabs, self.by_identity.len() as u32);
        for (port, tab) in self.tabs.iter().filter(|(_, tab)| !tab.suspended) {
            Check::CountsAreTrue.require(tab.census == Some(census), || {
                format!("{port:?} was told {:?}, there are {census:?}", tab.census)
            })?;
            let report = report(port);
            let counts = (report.tabs, report.suspended, report.connections);
            let expected = (tabs, suspended, self.conns.len() as u32);
            Check::CountsAreTrue.require(counts == expected, || {
                format!("the report says {counts:?}, there are {expected:?}")
            })?;
            for attached in &report.attached {
                if let Some(conn) = self.conns.get(&attached.conn) {
                    check_report(conn, attached)?;
                }
            }
        }
        Ok(())
    }
}

/// Whether nothing is overdue.
fn check_phase(id: ConnId, conn: &Conn, now: Time, late: Duration) -> Held {
    let heartbeat = &conn.config.heartbeat;
    let timeout = heartbeat.timeout.get();
    let overdue = match conn.phase {
        Phase::Idle | Phase::Asking | Phase::Moving | Phase::Ended => None,
        Phase::Waiting(_) if conn.waits_for_tab => None,
        Phase::Waiting(wait) => Some((wait.most, "attempt")),
        Phase::Handshake(since) => {
            let (_, timeout) = conn.connect_within();
            Some((since + timeout, "end of the attempt"))
        }
        Phase::Verifying(since) => Some((since + timeout, "end of the attempt")),
        Phase::Up { .. } if !conn.has_pings() => None,
        Phase::Up { .. } => match conn.ping_at {
            Some(at) => Some((at + conn.pong_within, "end of the dead path")),
            None => {
                let interval = heartbeat.interval.get();
                let longest = interval.mul_f64(1.0 + heartbeat.jitter.get());
                // A ping that comes due while another waits is left out.
                let again = if timeout < interval.mul_f64(1.0 - heartbeat.jitter.get()) {
                    Duration::ZERO
                } else {
                    longest + timeout
                };
                Some((conn.last_ping + longest + again, "ping"))
            }
        },
    };
    let staleness = &conn.config.staleness;
    if let (Phase::Up { .. }, Some(after)) = (conn.phase, staleness.stale_after) {
        let latest = conn.inbound_at + after.get() + staleness.check_every.get() + late;
        Check::DeadPathsAreNoticed.require(now <= latest, || {
            format!("{} is stale since {latest:?}", conn.name(id))
        })?;
    }
    if let Some(due) = conn.access.due() {
        Check::TheBestTabIsAsked.require(now <= due + late, || {
            format!("{} waits for an answer until {due:?}", conn.name(id))
        })?;
    }
    if let Some((_, since)) = conn.retired {
        Check::DeadPathsAreNoticed.require(now <= since + CLOSE_WITHIN + late, || {
            format!("{}: a closing handshake since {since:?}", conn.name(id))
        })?;
    }
    if let Some((due, what)) = overdue {
        Check::DeadPathsAreNoticed.require(now <= due + late, || {
            format!("{}: no {what} by {due:?}", conn.name(id))
        })?;
    }
    Check::LingerIsKept.require(
        conn.is_ended()
            || conn
                .empty_since
                .is_none_or(|since| now <= since + conn.linger + late),
        || {
            format!(
                "{} is wanted by nobody since {:?}",
                conn.name(id),
                conn.empty_since
            )
        },
    )?;
    let is_over = matches!(conn.phase, Phase::Moving | Phase::Ended);
    let expiry = conn.outgoing.next_expiry();
    Check::FailuresAreTold.require(
        is_over || expiry == Time::NEVER || now <= expiry + late,
        || format!("{}: a send has expired at {expiry:?}", conn.name(id)),
    )
}

/// Whether it is open, if it can be.
fn check_reach(id: ConnId, conn: &Conn, disturbed: Time, now: Time) -> Held {
    let waits_for_tabs = conn.phase == Phase::Asking || conn.waits_for_tab;
    let is_up = matches!(conn.phase, Phase::Up { .. } | Phase::Moving | Phase::Ended);
    if conn.handles.is_empty() || is_up || waits_for_tabs {
        return Ok(());
    }
    // What an attempt needs is asked for before, and two may fail by the token that there is.
    let asks = conn.access.with_token || conn.identity.0 == FUNCTION;
    let attempts = if asks { 3 } else { 1 };
    let since = disturbed
        .max(conn.wanted_since)
        .max(conn.down_since)
        .max(conn.access.asked_at);
    let bound = conn.longest_wait()
        + YIELD_WITHIN
        + conn.connect_within().1
        + conn.config.heartbeat.timeout.get()
        + HANDSHAKE;
    let bound = bound * attempts;
    Check::ReconnectsInTime.require(now <= since + bound, || {
        let phase = conn.phase;
        format!(
            "{} could be open since {since:?} + {bound:?}, and is {phase:?}",
            conn.name(id)
        )
    })
}

/// Whether a tab that has been told all there is knows the state.
fn check_view(lane: &Lane, conn: &Conn, online: bool) -> Held {
    if lane.backlog(&conn.stream) > 0 {
        return Ok(());
    }
    let seen = lane.view.as_ref().map(|view| view.state);
    let states = conn.states(online);
    Check::NotesKeepTheirPlace.require(
        lane.is_done(&conn.stream) && seen.is_some_and(|seen| states.contains(&seen)),
        || format!("a tab sees {seen:?}, and it is one of {states:?}"),
    )
}

fn check_report(conn: &Conn, report: &ConnectionReport) -> Held {
    let counters = report.counters;
    let told = (
        (counters.attempts, counters.opened, counters.lost),
        (counters.received, counters.sent),
        (report.handles as usize, report.queued as usize),
    );
    let queued = conn.outgoing.len();
    let expected = (
        (conn.attempts.len() as u64, conn.counts.0, conn.counts.1),
        (conn.stream.len(), conn.outgoing.sent),
        (conn.handles.len(), queued),
    );
    let is_vague = conn.outgoing.is_vague() || !conn.early.is_empty();
    Check::CountsAreTrue.require(told == expected || is_vague, || {
        format!("the report says {told:?}, expected {expected:?}")
    })?;
    let (least, most) = conn.outgoing.orphaned;
    Check::OrphansAreCounted.require(
        least <= counters.orphaned && counters.orphaned <= most,
        || {
            format!(
                "{} sends are orphaned, expected {least} to {most}",
                counters.orphaned
            )
        },
    )
}
