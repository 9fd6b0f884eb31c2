//! Whether what the hub does is what must be done.

use tabwire::core::{Delivery, Output, PortId, SocketId};
use tabwire::protocol::{
    ConnId, GapReason, HandleId, HubMessage, PeerMessage, Reason, State, Status,
};
use tabwire::time::Time;

use super::conn::{Conn, Departure, Successor};
use super::lane::Lane;
use super::phase::{GAVE_UP, Phase};
use super::tabs::Answer;
use super::{Doing, Reference};
use crate::frame::Frame;
use crate::invariants::{Breach, Check, Held};

impl Reference {
    /// The hub has said what to do.
    pub fn observe(&mut self, output: &Output<Frame>) -> Held {
        match output {
            Output::Timeout(_) | Output::Tick | Output::Measure(_) => Ok(()),
            Output::Post(port, _) if self.leaving.contains(port) => Ok(()),
            Output::Post(port, message) => {
                // What has woken the hub may be that this tab is suspended or gone. It was told of the sleep before.
                if !self.is_waking {
                    self.tabs.check_post(*port, Some(message))?;
                }
                self.observe_post(*port, message)
            }
            Output::Deliver(delivery) => self.observe_delivery(delivery),
            Output::Show(..) => Err(Check::AttachIsAnswered.breach(NOBODY_LOOKS_INSIDE)),
            Output::Hand(..) => Err(Check::AttachIsAnswered.breach(NOBODY_SUBSCRIBES)),
            Output::Open {
                socket,
                url,
                protocols,
                ..
            } => self.observe_open(*socket, (url, protocols)),
            Output::Send(socket, frame) => self.observe_send(*socket, frame),
            Output::Close { socket, code, .. } => self.observe_close(*socket, *code),
            Output::Retire { socket, .. } => self.observe_retire(*socket),
            Output::Announce(message) => {
                if matches!(message, PeerMessage::Gone { .. }) {
                    self.observe_gone()?;
                }
                Ok(())
            }
            // Nobody in these worlds has a fallback.
            Output::WatchPeer { .. } | Output::Fetch(_) | Output::Abort(..) => Ok(()),
            Output::Watch(port, lock) => self.tabs.answered(*port, Answer::Watch(lock.clone())),
            Output::Rebind { from, to } => self.tabs.answered(*from, Answer::Rebind(*to)),
            Output::Forget(port) => self.observe_forget(*port),
        }
    }

    fn observe_post(&mut self, port: PortId, message: &HubMessage) -> Held {
        match message {
            HubMessage::Welcome => self.tabs.answered(port, Answer::Welcome),
            HubMessage::Who => self.tabs.answered(port, Answer::Who),
            HubMessage::Beat => self.tabs.answered(port, Answer::Beat),
            HubMessage::Reply(id, _) => self.tabs.answered(port, Answer::Reply(*id)),
            HubMessage::Error { op, error } => self.tabs.answered(port, Answer::Error(*op, *error)),
            HubMessage::Refused { handle, .. } => {
                self.tabs.answered(port, Answer::Refused(handle.0))
            }
            HubMessage::Ask => {
                let now = self.now;
                let tab = self.tabs.get_mut(port).filter(|tab| tab.may_be_asked(now));
                Check::TabsAreForgottenInTime.require(tab.is_some(), || {
                    format!("{port:?} is asked whether it is there, too early")
                })?;
                if let Some(tab) = tab {
                    tab.asked_at = Some(now);
                }
                Ok(())
            }
            HubMessage::Census { tabs, connections } => {
                if let Some(tab) = self.tabs.get_mut(port) {
                    tab.census = Some((*tabs, *connections));
                }
                Ok(())
            }
            HubMessage::Attached {
                handle,
                conn,
                next,
                ignored,
                status,
            } => self.observe_attached(port, *handle, *conn, (*next, ignored, status)),
            HubMessage::Status(conn, status) => self.observe_status(port, *conn, status),
            HubMessage::Gap { conn, lost, reason } => {
                self.with_lane(port, *conn, |lane, conn| match (lost, reason) {
                    (Some((from, to)), GapReason::Dropped(_)) => lane.gap(*from, *to, &conn.stream),
                    (None, GapReason::Lost(reason)) => lane.suspected_gap(*reason),
                    (Some(_), GapReason::Lost(_)) | (None, GapReason::Dropped(_)) => {
                        Err(Check::GapsCoverTheLoss.breach(format!("{message:?}")))
                    }
                })
            }
            HubMessage::Overflow {
                conn,
                count,
                policy,
            } => self.with_lane(port, *conn, |lane, _| lane.overflow(*count, *policy)),
            HubMessage::Sent {
                handle,
                handed,
                confirmed,
            } => {
                let now = self.now;
                let conn = self.conn_with(port, *handle)?;
                let by_age = !conn.has_pings();
                let told = (*handed, *confirmed);
                conn.outgoing.tell_sent((port, *handle), told, by_age, now)
            }
            HubMessage::Failed {
                handle,
                first,
                count,
                reason,
            } => {
                let now = self.now;
                let conn = self.conn_with(port, *handle)?;
                for id in *first..*first + *count {
                    conn.outgoing
                        .tell_failed((port, *handle), id, *reason, now)?;
                }
                Ok(())
            }
            HubMessage::Alert(conn, _) => self.with_lane(port, *conn, |_, _| Ok(())),
            HubMessage::Need { handle, id, kind } => self.observe_need((port, *handle), *id, *kind),
            HubMessage::Move(_) => self.observe_move(port),
            // Breakers have books of their own.
            HubMessage::Beside { .. }
            | HubMessage::Breaker { .. }
            | HubMessage::Verdict { .. }
            | HubMessage::Ungated(_) => Ok(()),
            HubMessage::Unsubscribed { .. }
            | HubMessage::Missed { .. }
            | HubMessage::Unanswered { .. } => {
                Err(Check::AttachIsAnswered.breach(NOBODY_SUBSCRIBES))
            }
            HubMessage::Closed {
                handle,
                code,
                clean,
                ..
            } => self.observe_closed(port, *handle, (*code, *clean)),
        }
    }

    fn observe_attached(
        &mut self,
        port: PortId,
        handle: HandleId,
        id: ConnId,
        (next, ignored, status): (u64, &[&'static str], &Status),
    ) -> Held {
        self.bear(id);
        let (now, online) = (self.now, self.online);
        self.with_lane(port, id, |lane, conn| {
            // To a tab that joins it is told at once, to others when it is their turn.
            let is_new = lane.view.is_none();
            lane.attached(handle, next, ignored, status)?;
            let states = conn.states(online);
            // What it joins may be about to ask it, and so to leave that state.
            let is_known = states.contains(&status.state) || conn.access.asked_at == now;
            Check::NotesKeepTheirPlace.require(!is_new || is_known, || {
                format!(
                    "{} is one of {states:?}, told {:?}",
                    conn.name(id),
                    status.state
                )
            })
        })
    }

    fn observe_status(&mut self, port: PortId, id: ConnId, status: &Status) -> Held {
        self.bear(id);
        let now = self.now;
        let conn = self.conns.get(&id);
        let has_lane = conn.is_some_and(|conn| conn.lanes.contains_key(&port));
        if !has_lane && status.reason == Reason::Woke && self.is_waking {
            return Ok(());
        }
        self.with_lane(port, id, |lane, conn| {
            lane.status(status, &conn.stream)?;
            check_status(conn, status, now)
        })
    }

    fn observe_closed(&mut self, port: PortId, handle: HandleId, with: (u16, bool)) -> Held {
        let key = (port, handle);
        let is_wish = self.tabs.owes_closed(port, handle);
        let conn = self.conn_with(port, handle)?;
        conn.outgoing.handle_closed(key)?;
        if is_wish {
            let answer = Answer::Closed(handle.0, with.0, with.1);
            return self.tabs.answered(port, answer);
        }
        Check::ClosedComesLast.require(
            conn.closing.remove(&key) && with == conn.ended_with,
            || {
                format!(
                    "{key:?} is closed with {with:?}, ended is {:?}",
                    conn.ended_with
                )
            },
        )?;
        conn.lanes
            .get(&port)
            .map_or(Ok(()), |lane| lane.closed(&conn.stream))
    }

    fn observe_delivery(&mut self, delivery: &Delivery<Frame>) -> Held {
        let now = self.now;
        let is_moving = self.better.is_some();
        let leaving = self.leaving.clone();
        let ports = delivery.ports.iter();
        for (port, first) in ports.filter(|(port, _)| !leaving.contains(port)) {
            if !self.is_waking {
                self.tabs.check_post(*port, None)?;
            }
            self.with_lane(*port, delivery.conn, |lane, conn| {
                lane.handle_moving(is_moving);
                let frames = delivery.frames();
                lane.deliver(*first, frames, delivery.want_ack, &conn.stream, now)
            })?;
        }
        Ok(())
    }

    fn observe_open(&mut self, socket: SocketId, (url, protocols): (&str, &[String])) -> Held {
        self.bear(socket.conn);
        let now = self.now;
        let Some(conn) = self.conns.get(&socket.conn) else {
            return Err(Check::DelaysAreWithinBounds.breach(format!("{socket:?} of nobody")));
        };
        let others = self
            .conns
            .iter()
            .filter(|(_, other)| other.identity == conn.identity);
        for (id, other) in others {
            let is_planned =
                *id == socket.conn && (other.may_be_replaced(now) || other.access.asking.is_some());
            Check::OneLiveSocket.require(other.socket.is_none() || is_planned, || {
                format!(
                    "{socket:?} is opened, {:?} of {id:?} is still there",
                    other.socket
                )
            })?;
        }
        self.check_time(socket.conn, conn)?;
        Check::OneLiveSocket.require(socket.generation > conn.generation, || {
            format!("{socket:?} is not a new one")
        })?;
        conn.check_means(url, protocols, &self.tabs, now)?;
        if let Some(conn) = self.conns.get_mut(&socket.conn) {
            if matches!(conn.phase, Phase::Up { .. }) {
                conn.attempts.push((now, conn.tries));
                conn.generation = socket.generation;
                conn.access.asking = None;
                conn.successor = Some(Successor {
                    socket,
                    is_open: false,
                });
                return Ok(());
            }
            conn.start(now);
            conn.socket = Some(socket);
            conn.generation = socket.generation;
        }
        Ok(())
    }

    fn observe_send(&mut self, socket: SocketId, frame: &Frame) -> Held {
        let now = self.now;
        let mut conn = self.conns.get_mut(&socket.conn);
        if let Some(conn) = &mut conn
            && conn.is_ping(frame)
            && conn.probe_due.take_if(|due| *due == socket).is_some()
        {
            return Ok(());
        }
        if let Some(conn) = &conn
            && conn
                .successor
                .is_some_and(|successor| successor.socket == socket && successor.is_open)
        {
            return Check::SendsToLiveSocket.require(conn.is_ping(frame), || {
                format!("{frame:?} to {socket:?}, which has not taken over")
            });
        }
        let Some(conn) = conn.filter(|conn| conn.socket == Some(socket)) else {
            return Err(Check::SendsToLiveSocket.breach(format!("{frame:?} to {socket:?}")));
        };
        let is_up = matches!(conn.phase, Phase::Up { .. });
        if conn.is_ping(frame) {
            Check::SendsToLiveSocket
                .require(is_up || matches!(conn.phase, Phase::Verifying(_)), || {
                    format!("a ping in {:?}", conn.phase)
                })?;
            // It may make the connection suspect, and its pong recover it.
            conn.handle_transitions(2);
            conn.handle_ping(now);
            return Ok(());
        }
        Check::SendsToLiveSocket.require(is_up, || format!("{frame:?} in {:?}", conn.phase))?;
        match frame {
            Frame::Sent(send, _) => conn.outgoing.handle_handed(socket, *send, now),
            Frame::Text(_) | Frame::Cast(..) | Frame::Message(_) => {
                Err(Check::SendsKeepTheirOrder.breach(format!("{frame:?} is no send")))
            }
        }
    }

    fn observe_close(&mut self, socket: SocketId, code: Option<u16>) -> Held {
        let (now, doing, online) = (self.now, self.doing, self.online);
        let Some(conn) = self.conns.get_mut(&socket.conn) else {
            return Err(Check::OneLiveSocket.breach(format!("{socket:?} of nobody is closed")));
        };
        if conn.settled.take_if(|settled| *settled == socket).is_some() {
            return Ok(());
        }
        if conn
            .successor
            .is_some_and(|successor| successor.socket == socket)
        {
            conn.successor = None;
            if matches!(conn.phase, Phase::Up { .. }) && conn.socket.is_some() {
                conn.fail_successor();
            }
            return Ok(());
        }
        if conn
            .retired
            .take_if(|(retired, _)| *retired == socket)
            .is_some()
        {
            let has_pings = conn.has_pings();
            conn.outgoing.settle_retired(false, has_pings, now);
            return Ok(());
        }
        if conn.socket != Some(socket) {
            return Err(Check::OneLiveSocket.breach(format!("{socket:?} is closed again")));
        }
        conn.socket = None;
        if conn.phase == Phase::Moving {
            return Ok(());
        }
        let due = if conn.is_ended() {
            Some(Some(1000))
        } else {
            (doing == Doing::Timeout && conn.is_unwanted(now)).then_some(conn.parting)
        };
        if let Some(due) = due {
            // Something else may be due at the same moment, and come first.
            let is_first = code.is_none() && !conn.is_ended();
            return Check::CodesReachTheServer.require(code == due || is_first, || {
                format!("{socket:?} is closed with {code:?}, should be {due:?}")
            });
        }
        let timeout = conn.pong_within;
        let is_pong_late = conn.ping_at.is_some_and(|at| at + timeout <= now);
        let (is_due, is_up) = match conn.phase {
            Phase::Handshake(since) => {
                let (timeout, _) = conn.connect_within();
                (since + timeout <= now, false)
            }
            Phase::Verifying(_) => (is_pong_late, false),
            Phase::Up { .. } => (is_pong_late || conn.is_stale(now), true),
            Phase::Idle | Phase::Waiting(_) | Phase::Asking | Phase::Moving | Phase::Ended => {
                (false, false)
            }
        };
        let is_wished = doing == Doing::Reconnect(socket.conn);
        Check::DeadPathsAreNoticed
            .require(is_wished || (doing == Doing::Timeout && is_due), || {
                format!("{socket:?} is given up in {:?}", conn.phase)
            })?;
        if is_up {
            let due = conn.ping_at.map(|at| at + timeout).filter(|_| !is_wished);
            let stale_at = conn.is_stale(now).then_some(conn.stale_at);
            if let Some(due) = due.into_iter().chain(stale_at).min() {
                // It may have become stable just before that.
                conn.handle_time(now.min(due));
            }
            conn.abandon(online, now);
        } else if !is_wished && conn.fail(online, now) {
            conn.end(GAVE_UP, false);
            self.unlist(socket.conn);
        }
        Ok(())
    }

    fn observe_retire(&mut self, socket: SocketId) -> Held {
        let now = self.now;
        let conn = self.conns.get_mut(&socket.conn);
        let due = conn.and_then(|conn| {
            conn.retiring.take_if(|due| *due == socket)?;
            conn.retired = Some((socket, now));
            Some(())
        });
        Check::OneLiveSocket.require(due.is_some(), || {
            format!("{socket:?} is retired, and nothing takes its place")
        })
    }

    /// The hub says that it has yielded: the fate of all that was handed is known, and every tab that is awake is sent on.
    fn observe_gone(&mut self) -> Held {
        let open = self
            .conns
            .values()
            .find(|conn| conn.socket.is_some() || conn.retired.is_some());
        Check::OneLiveSocket.require(open.is_none() && self.better.is_some(), || {
            format!("it has yielded, and {open:?} has a socket")
        })?;
        self.has_yielded = true;
        let awake: Vec<_> = self
            .tabs
            .iter()
            .filter(|(_, tab)| !tab.suspended)
            .map(|(port, _)| port)
            .collect();
        for port in awake {
            self.tabs.owe(port, Answer::Move);
        }
        Ok(())
    }

    /// A tab is sent on. It must have been told everything.
    fn observe_move(&mut self, port: PortId) -> Held {
        self.tabs.answered(port, Answer::Move)?;
        for (id, conn) in &self.conns {
            if let Some(lane) = conn.lanes.get(&port) {
                Check::NobodyStarves.require(lane.is_done(&conn.stream), || {
                    format!("{port:?} is sent on, and has not heard all of {id:?}: {lane:?}")
                })?;
                conn.outgoing.check_told_all(port)?;
            }
        }
        self.remove_tab(port, Departure::Moved);
        Ok(())
    }

    fn observe_forget(&mut self, port: PortId) -> Held {
        if self.doing == Doing::Timeout && self.tabs.get(port).is_some() {
            self.tabs.check_silence(port, self.now)?;
            self.remove_tab(port, Departure::Left);
        }
        self.tabs.answered(port, Answer::Forget)
    }

    /// A new connection has told its number.
    fn bear(&mut self, id: ConnId) {
        if !self.conns.contains_key(&id)
            && let Some(conn) = self.unborn.take()
        {
            self.by_identity.insert(conn.identity.clone(), id);
            self.conns.insert(id, conn);
        }
    }

    fn with_lane(
        &mut self,
        port: PortId,
        id: ConnId,
        check: impl FnOnce(&mut Lane, &Conn) -> Held,
    ) -> Held {
        let conn = self.conns.get_mut(&id);
        let lane = conn.and_then(|conn| Some((conn.lanes.remove(&port)?, conn)));
        let Some((mut lane, conn)) = lane else {
            return Err(Check::EveryMessageOnceInOrder.breach(format!(
                "{port:?} hears of {id:?}, which it has not attached"
            )));
        };
        let held = check(&mut lane, conn);
        conn.lanes.insert(port, lane);
        held
    }

    /// The connection that a handle is or was on.
    fn conn_with(&mut self, port: PortId, handle: HandleId) -> Result<&mut Conn, Breach> {
        let key = (port, handle);
        self.conns
            .values_mut()
            .find(|conn| conn.outgoing.has(key))
            .ok_or_else(|| {
                Check::ClosedComesLast.breach(format!("{key:?} is told something and is not there"))
            })
    }
}

/// Whether a transition tells what is done.
fn check_status(conn: &Conn, status: &Status, now: Time) -> Held {
    match status.state {
        State::Connecting => {
            let of_time = conn
                .attempts
                .iter()
                .rev()
                .take_while(|(at, _)| *at >= status.since);
            let mut numbers: Vec<u32> = of_time.map(|(_, number)| *number).collect();
            // This very attempt may still have to be started.
            numbers.push(conn.tries + 1);
            if status.reason == Reason::Asking {
                return Ok(());
            }
            Check::AttemptsAreTold.require(numbers.contains(&status.attempt), || {
                format!("attempt is {}, should be of {numbers:?}", status.attempt)
            })
        }
        State::Reconnecting | State::Offline if status.reason == Reason::Moved => Ok(()),
        // The state may have begun before.
        State::Reconnecting | State::Offline if status.reason == Reason::TokenWait => Ok(()),
        State::Reconnecting | State::Offline => {
            let at = status.next_attempt_at.unwrap_or_default();
            // Sleep ends a wait early, and the state lasts.
            let mut waits = conn
                .waits
                .iter()
                .rev()
                .filter(|wait| wait.from == status.since || status.reason == Reason::Woke);
            Check::AttemptsAreTold.require(
                conn.has_waited_unheard || waits.any(|wait| wait.least <= at && at <= wait.most),
                || {
                    format!(
                        "the next attempt is told for {at:?}, after {:?}",
                        conn.phase
                    )
                },
            )
        }
        State::Suspect if status.reason == Reason::Woke => Ok(()),
        State::Suspect if status.since == now => {
            let patience = conn.config.heartbeat.timeout.get() / 2;
            let is_late = conn.ping_at.is_some_and(|at| at + patience <= now);
            Check::DeadPathsAreNoticed.require(is_late, || {
                format!("suspect, and the ping went out at {:?}", conn.ping_at)
            })
        }
        State::Idle | State::Open | State::Suspect | State::Closed | State::Failed => Ok(()),
    }
}

/// Pages of the simulation have no topics.
const NOBODY_SUBSCRIBES: &str = "nobody has subscribed";
const NOBODY_LOOKS_INSIDE: &str = "nobody looks inside in these worlds";
