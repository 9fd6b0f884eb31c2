//! What must be, by what has come in: a second, naive hub that only keeps the books.
//!
//! It is told every input before the hub and every output after it, so each check names the first output that is wrong.

mod access;
mod audit;
mod conn;
mod inputs;
mod lane;
mod outgoing;
mod outputs;
mod phase;
mod sender;
mod statuses;
mod stream;
mod tabs;

use std::collections::{BTreeMap, BTreeSet};

use core::time::Duration;

use tabwire::core::{PortId, SocketId, WATCH_EVERY};
use tabwire::protocol::{ConnId, Peer, Report};
use tabwire::time::Time;

use crate::frame::SendNo;
use crate::invariants::{Breach, Check, Held};
use conn::{Conn, Identity};
use outgoing::Outgoing;
use tabs::Tabs;

/// How late a timer of the hub may be in this simulation, with some room.
pub const LATE: Duration = Duration::from_millis(60);

/// The books.
#[derive(Debug, Default)]
pub struct Reference {
    tabs: Tabs,
    conns: BTreeMap<ConnId, Conn>,
    by_identity: BTreeMap<Identity, ConnId>,
    /// A connection that the hub must make now, and which will tell its number.
    unborn: Option<Conn>,
    /// The sends of connections that are no more.
    past: Vec<Outgoing>,
    doing: Doing,
    /// Ports whose tabs were given up, and may not know it.
    given_up: BTreeSet<PortId>,
    /// Tabs that are given up in this input; what they are told before that is not looked at.
    leaving: Vec<PortId>,
    online: bool,
    now: Time,
    /// When the hub went on after it had stood still, and for how long.
    back: (Time, Duration),
    /// It is to notice that, and tells of it before it handles what has woken it.
    is_waking: bool,
    /// When the hub looks at its clocks next, and how far they were apart.
    look_at: Option<Time>,
    offset: Option<Duration>,
    /// This hub as others see it, the better one that it has heard of, and whether it has yielded to that.
    me: Option<Box<Peer>>,
    better: Option<Peer>,
    has_yielded: bool,
}

/// What the hub was told, as far as it justifies what it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Doing {
    /// Something that justifies nothing.
    #[default]
    Other,
    /// Its deadline has come.
    Timeout,
    /// A tab wants a fresh socket.
    Reconnect(ConnId),
}

impl Reference {
    /// Nothing has come in, and the browser is online.
    pub fn new() -> Self {
        Self {
            online: true,
            ..Self::default()
        }
    }

    /// The hub waits for the next input. `is_quiet`: it has asked for no tick.
    pub fn drained(&mut self, is_quiet: bool) -> Held {
        self.tabs.drained()?;
        Check::AttachIsAnswered.require(self.unborn.is_none(), || {
            "a new identity was attached and nothing was opened".into()
        })?;
        if self.doing == Doing::Timeout {
            self.handle_time()?;
        }
        let late = self.late();
        let (doing, has_better) = (self.doing, self.better.is_some());
        for (id, conn) in &mut self.conns {
            conn.access.drained()?;
            let is_wished = doing == Doing::Reconnect(*id);
            if conn.is_attempt_due(is_wished, has_better, self.now)
                && conn.is_helpless(&self.tabs, self.now)
            {
                conn.wait_unheard(self.online, self.now);
            }
            let is_open = matches!(conn.phase, phase::Phase::Up { .. });
            let tabs = &self.tabs;
            let can_hear = |port| tabs.mode(port) != lane::Mode::Suspended;
            conn.outgoing.drained(is_open, can_hear)?;
            for (port, lane) in &mut conn.lanes {
                let known = (&conn.stream, conn.transitions);
                lane.drained(tabs.mode(*port), is_quiet, known, (self.now, late))?;
            }
            Check::DeadPathsAreNoticed.require(conn.probe_due.is_none(), || {
                format!("{id:?} was asleep and is not asked whether it works")
            })?;
            Check::OneLiveSocket.require(conn.socket.is_none() || !conn.is_ended(), || {
                format!("{id:?} has ended and left its socket open")
            })?;
        }
        self.forget_finished();
        if self.conns.is_empty() {
            if self.look_at.take().is_some() {
                self.offset = None;
            }
        } else if self.look_at.is_none() {
            self.look_at = Some(self.now + WATCH_EVERY);
        }
        Ok(())
    }

    /// The hub goes on after it has stood still for so long.
    pub fn stood_still(&mut self, now: Time, span: Duration) {
        self.back = (now, span);
    }

    /// How late timers may be: what was due while the hub stood still has had a moment since.
    fn late(&self) -> Duration {
        let (back, span) = self.back;
        if self.now <= back + LATE {
            span + LATE
        } else {
            LATE
        }
    }

    /// The hub is no more. What waited in it is brought to the next one by the tabs.
    pub fn die(&mut self) {
        for conn in self.conns.values_mut() {
            for sender in &mut conn.outgoing.senders {
                sender.die();
            }
        }
    }

    /// Every send, on which sockets it was handed, and what has become of it.
    pub fn check_arrivals(
        &self,
        arrivals: &BTreeSet<(SendNo, SocketId)>,
    ) -> Result<BTreeSet<SendNo>, Breach> {
        let mut excused = BTreeSet::new();
        let present = self.conns.values().map(|conn| &conn.outgoing);
        for outgoing in self.past.iter().chain(present) {
            for sender in &outgoing.senders {
                sender.check_arrivals(arrivals, &mut excused)?;
            }
        }
        Ok(excused)
    }

    /// Finds out whether the hub gave up after as many attempts as it may, where the documentation leaves it open.
    pub fn resolve_ends(&mut self, report: impl Fn(PortId) -> Report) -> Held {
        let is_open = |conn: &Conn| conn.may_have_ended && !conn.is_ended();
        while let Some((&id, conn)) = self.conns.iter().find(|(_, conn)| is_open(conn)) {
            let connections = self.conns.len() as u32;
            let has_ended = match conn.handles.keys().next() {
                Some((port, _)) => report(*port).attached.iter().all(|other| other.conn != id),
                None => report(PortId(0)).connections < connections,
            };
            let least = conn.failures.least;
            let most = conn.config.reconnect.max_attempts.0;
            if let Some(conn) = self.conns.get_mut(&id) {
                conn.may_have_ended = false;
                if has_ended {
                    conn.end(phase::GAVE_UP, false);
                    Check::GivesUpByRule.require(least >= most, || {
                        format!("{id:?} failed after {least} attempts of {most}")
                    })?;
                    self.unlist(id);
                }
            }
        }
        Ok(())
    }

    /// The hub was told that time has passed: what is due must have been done.
    fn handle_time(&mut self) -> Held {
        let now = self.now;
        let mut ended = Vec::new();
        for (id, conn) in &mut self.conns {
            if !matches!(conn.phase, phase::Phase::Up { .. } | phase::Phase::Moving) {
                let least = conn.outgoing.orphaned.0;
                conn.outgoing.expire(now);
                if !self.leaving.is_empty() {
                    // A tab that is given up at this very moment may have been told just before.
                    conn.outgoing.orphaned.0 = least;
                }
            }
            conn.handle_time(now);
            if conn.is_unwanted(now) && !conn.is_ended() {
                Check::LingerIsKept.require(conn.socket.is_none(), || {
                    format!("{id:?} keeps its socket after its linger")
                })?;
                conn.end((1000, true), true);
                ended.push(*id);
            }
        }
        for id in ended {
            self.unlist(id);
        }
        Ok(())
    }

    /// An identity has no connection any more.
    fn unlist(&mut self, id: ConnId) {
        self.by_identity.retain(|_, listed| *listed != id);
    }

    fn forget_finished(&mut self) {
        let finished: Vec<_> = self
            .conns
            .iter()
            .filter(|(_, conn)| conn.is_finished())
            .map(|(id, _)| *id)
            .collect();
        for id in finished {
            if let Some(conn) = self.conns.remove(&id) {
                self.past.push(conn.outgoing);
            }
        }
    }
}
