//! What each input must lead to.

use core::cmp::Ordering;
use tabwire::core::{ASLEEP_AFTER, Input, PortId, SocketEvent, SocketId, WATCH_EVERY};
use tabwire::protocol::{
    Attach, ConnId, HandleId, Hello, Liveness, MAJOR, MessageError, Outgoing, Peer, PeerMessage,
    TabMessage, op,
};
use tabwire::time::Time;

use super::conn::{Conn, Departure, identity_of};
use super::phase::{GAVE_UP, Phase};
use super::tabs::Answer;
use super::{Doing, Reference};
use crate::frame::Frame;

impl Reference {
    /// The hub is about to be told.
    pub fn take(&mut self, now: Time, input: &Input<Frame>) {
        let before = core::mem::replace(&mut self.now, now);
        self.doing = Doing::Other;
        self.leaving.clear();
        self.is_waking = false;
        self.look_at_clocks(before, input);
        match input {
            Input::Message(port, TabMessage::Hello(hello)) => self.take_hello(*port, hello),
            Input::Message(port, message) => self.take_message(*port, message),
            Input::Malformed(port, op, error) => {
                self.tabs.owe(*port, Answer::Error(*op, *error));
            }
            Input::LockGranted(port) => self.take_lock(*port),
            Input::Socket(socket, event) => self.take_socket(*socket, event),
            Input::Tick => {}
            Input::Start { me, .. } => self.me = Some(me.clone()),
            Input::Peer(PeerMessage::Here(peer)) => self.take_peer(peer),
            Input::Peer(_) => {}
            Input::PeerGone { epoch } => {
                let better = self.better.as_ref();
                if better.is_some_and(|peer| peer.epoch == *epoch) {
                    self.better = None;
                    self.has_yielded = false;
                    self.give_all_up();
                }
            }
            Input::Timeout { .. } => {
                self.doing = Doing::Timeout;
                self.leaving = self.tabs.silent(now);
                for port in self.leaving.clone() {
                    self.remove_tab(port, Departure::Silent);
                }
                self.unask_silent();
            }
        }
    }

    fn take_hello(&mut self, port: PortId, hello: &Hello) {
        if self.given_up.remove(&port) {
            self.tabs.owe(port, Answer::Who);
            return;
        }
        if hello.protocol != MAJOR {
            let error = Answer::Error(op::HELLO, MessageError::ProtocolMismatch);
            self.tabs.owe(port, error);
            return;
        }
        let port = match self.tabs.other_port_of(&hello.tab, port) {
            Some(known) => {
                self.remove_tab(port, Departure::Silent);
                self.tabs.owe(port, Answer::Rebind(known));
                known
            }
            None => port,
        };
        if self.tabs.get(port).is_some_and(|tab| tab.id != hello.tab) {
            self.remove_tab(port, Departure::Silent);
        }
        self.given_up.remove(&port);
        self.tabs.insert(port, hello, self.now);
        if self.has_yielded {
            self.tabs.owe(port, Answer::Move);
            return;
        }
        self.tabs.owe(port, Answer::Welcome);
        if hello.liveness == Liveness::Locks {
            self.tabs.owe(port, Answer::Watch(hello.lock.clone()));
        }
        self.take_online(hello.online);
    }

    fn take_message(&mut self, port: PortId, message: &TabMessage<Frame>) {
        let Some(tab) = self.tabs.get_mut(port) else {
            if *message != TabMessage::Bye {
                self.given_up.remove(&port);
                self.tabs.owe(port, Answer::Who);
            }
            return;
        };
        tab.heard_at = self.now;
        tab.asked_at = None;
        match message {
            TabMessage::Hello(_) => {}
            TabMessage::Bye => self.remove_tab(port, Departure::Left),
            TabMessage::Attach(handle, attach) => self.take_attach(port, *handle, attach),
            TabMessage::Detach {
                handle,
                code,
                purge,
                ..
            } => {
                let (code, now) = (*code, self.now);
                let mut key = None;
                let of = (port, *handle);
                if let Some(conn) = self.conn_of(port, *handle, op::DETACH) {
                    conn.detach((port, *handle), code, now);
                    key = purge.then(|| conn.identity.2.clone());
                    let answer = Answer::Closed(handle.0, code.unwrap_or(1005), true);
                    self.tabs.owe(port, answer);
                }
                self.unask(|asked| asked == of);
                for conn in self.conns.values_mut() {
                    if Some(&conn.identity.2) == key.as_ref() {
                        conn.purge(now);
                    }
                }
            }
            TabMessage::Send {
                handle,
                conn,
                first,
                frames,
            } => self.take_send((port, *handle), *conn, *first, frames),
            // No page of the simulation has topics.
            TabMessage::Subscribe { .. }
            | TabMessage::Unsubscribe { .. }
            | TabMessage::Request { .. }
            | TabMessage::Cancel { .. }
            | TabMessage::Done { .. } => {}
            // Nor breakers: those have worlds of their own.
            TabMessage::Gate { .. }
            | TabMessage::Outcome { .. }
            | TabMessage::Acquire { .. }
            | TabMessage::Force { .. } => {}
            TabMessage::Ack { conn, next } => {
                let conn = self.conns.get_mut(conn);
                match conn.and_then(|conn| conn.lanes.get_mut(&port)) {
                    Some(lane) => lane.handle_ack(*next),
                    None => {
                        let error = MessageError::UnknownConnection;
                        self.tabs.owe(port, Answer::Error(op::ACK, error));
                    }
                }
            }
            TabMessage::Alive => self.tabs.owe(port, Answer::Beat),
            TabMessage::Visibility { visible, .. } => tab.visible = *visible,
            TabMessage::Online(online) => self.take_online(*online),
            TabMessage::Suspend => {
                tab.suspended = true;
                self.unask(|(owner, _)| owner == port);
            }
            TabMessage::Resume => {
                tab.suspended = false;
                if self.has_yielded {
                    self.tabs.owe(port, Answer::Move);
                }
            }
            TabMessage::Reconnect(handle) => {
                if self.conn_of(port, *handle, op::RECONNECT).is_some() {
                    let key = (port, *handle);
                    let conn = self
                        .conns
                        .iter()
                        .find(|(_, conn)| conn.handles.contains_key(&key));
                    self.doing = conn.map_or(Doing::Other, |(id, _)| Doing::Reconnect(*id));
                    if let Some(conn) = self.conn_of(port, *handle, op::RECONNECT) {
                        // Whatever was asked for the attempt before.
                        conn.access.asking = None;
                    }
                }
            }
            TabMessage::Shutdown(handle) => {
                if let Some(conn) = self.conn_of(port, *handle, op::SHUTDOWN) {
                    conn.end((1000, true), true);
                    self.by_identity.retain(|_, id| !self.conns[id].is_ended());
                }
            }
            TabMessage::Answer(id, answer) => self.take_answer(port, *id, answer),
            TabMessage::Inspect(_) => {}
            TabMessage::Report(id) => self.tabs.owe(port, Answer::Reply(*id)),
        }
    }

    fn take_attach(&mut self, port: PortId, handle: HandleId, attach: &Attach) {
        let Ok(options) = &attach.options else {
            self.tabs.owe(port, Answer::Refused(handle.0));
            return;
        };
        if self
            .conns
            .values()
            .any(|conn| conn.closing.contains(&(port, handle)))
        {
            // It has ended, and the tab is about to hear that.
            return;
        }
        let identity = identity_of(attach);
        let known = self.by_identity.get(&identity);
        if let Some(conn) = known.and_then(|id| self.conns.get_mut(id)) {
            conn.attach((port, handle), (options, attach.needs), self.now);
        } else {
            let mut conn = Conn::new(identity, options, self.now);
            conn.attach((port, handle), (options, attach.needs), self.now);
            self.unborn = Some(conn);
        }
    }

    fn take_send(
        &mut self,
        of: (PortId, HandleId),
        to: ConnId,
        first: u64,
        frames: &[Outgoing<Frame>],
    ) {
        let now = self.now;
        let conn = match self.conns.get_mut(&to) {
            Some(conn) if conn.handles.contains_key(&of) => conn,
            known => {
                let error = if known.is_some() {
                    MessageError::UnknownHandle
                } else {
                    MessageError::UnknownConnection
                };
                self.tabs.owe(of.0, Answer::Error(op::SEND, error));
                return;
            }
        };
        let is_open = matches!(conn.phase, Phase::Up { .. });
        for (id, frame) in (first..).zip(frames) {
            if let Outgoing::Frame(Frame::Sent(send, size)) = frame {
                let what = (*send, u64::from(*size));
                conn.outgoing.push(of, id, what, is_open, now);
            }
        }
    }

    fn take_lock(&mut self, port: PortId) {
        match self.tabs.get_mut(port) {
            Some(tab) if tab.suspended => tab.liveness = Liveness::Heartbeat,
            Some(_) => self.remove_tab(port, Departure::Left),
            None => {}
        }
    }

    fn take_online(&mut self, online: bool) {
        if core::mem::replace(&mut self.online, online) != online {
            for conn in self.conns.values_mut() {
                conn.handle_online(online, self.now);
            }
        }
    }

    fn take_socket(&mut self, socket: SocketId, event: &SocketEvent<Frame>) {
        let (online, now) = (self.online, self.now);
        let Some(conn) = self.conns.get_mut(&socket.conn) else {
            return;
        };
        if conn.retired.is_some_and(|(retired, _)| retired == socket) {
            if let SocketEvent::Closed { code, clean, .. } = event {
                let has_pings = conn.has_pings();
                let is_complete = *clean && *code == 1000;
                conn.outgoing.settle_retired(is_complete, has_pings, now);
                conn.retired = None;
                conn.settled = Some(socket);
            }
            return;
        }
        if conn
            .successor
            .is_some_and(|successor| successor.socket == socket)
        {
            conn.take_successor(event, now);
            return;
        }
        if conn.socket != Some(socket) {
            return;
        }
        let ended_with = match event {
            SocketEvent::Opened { .. } => {
                conn.handle_opened(now);
                None
            }
            SocketEvent::Frame(frame) => {
                conn.handle_frame(frame.clone(), now);
                None
            }
            SocketEvent::Buffered(_)
            | SocketEvent::Garbled
            | SocketEvent::Response(..)
            | SocketEvent::Text(..)
            | SocketEvent::Done(..) => None,
            SocketEvent::Closed { code, clean, .. } => {
                conn.socket = None;
                conn.handle_closed(*code, *clean, online, now)
            }
            SocketEvent::Refused => {
                conn.socket = None;
                Some(GAVE_UP)
            }
        };
        if let Some(ended_with) = ended_with {
            conn.end(ended_with, false);
            self.unlist(socket.conn);
        }
    }

    /// Notices that the hub was frozen or its computer asleep, by the documented bounds.
    fn look_at_clocks(&mut self, before: Time, input: &Input<Frame>) {
        let now = self.now;
        let mut has_slept = self.look_at.is_some_and(|due| due + ASLEEP_AFTER <= now);
        if let Input::Timeout { wall } = input {
            let offset = wall.saturating_sub(now.since(Time::ZERO));
            let before = self.offset.replace(offset).unwrap_or(offset);
            let ahead = offset.saturating_sub(before);
            if ahead >= ASLEEP_AFTER {
                has_slept = true;
                for conn in self.conns.values_mut() {
                    conn.access.age(ahead);
                }
            }
        }
        if has_slept {
            self.is_waking = true;
            self.tabs.wake(now);
            for conn in self.conns.values_mut() {
                conn.wake(self.online, (before, now));
            }
        }
        let is_due = self.look_at.is_some_and(|due| due <= now);
        if has_slept || (is_due && matches!(input, Input::Timeout { .. })) {
            self.look_at = Some(now + WATCH_EVERY);
        }
    }

    /// Another hub tells of itself. If it is the better one, this one yields.
    fn take_peer(&mut self, peer: &Peer) {
        let is_better = |than: &Peer| peer.rank(than) == Ordering::Greater;
        if !self.me.as_deref().is_some_and(is_better) {
            return;
        }
        if self.better.is_none() {
            self.by_identity.clear();
            for conn in self.conns.values_mut() {
                conn.start_moving(self.now);
            }
        }
        if self.better.as_ref().is_none_or(is_better) {
            self.better = Some(peer.clone());
        }
    }

    /// The hub that this one yields to is gone: every tab starts over, and those that can hear are told so.
    fn give_all_up(&mut self) {
        let tabs: Vec<_> = self
            .tabs
            .iter()
            .map(|(port, tab)| (port, tab.suspended))
            .collect();
        for (port, is_suspended) in tabs {
            self.remove_tab(port, Departure::Silent);
            if !is_suspended {
                self.tabs.owe(port, Answer::Who);
            }
        }
    }

    /// A tab is gone.
    pub(super) fn remove_tab(&mut self, port: PortId, departure: Departure) {
        if self.tabs.remove(port).is_none() {
            return;
        }
        if departure == Departure::Silent {
            self.given_up.insert(port);
        }
        for conn in self.conns.values_mut() {
            conn.remove_port(port, departure, self.now);
        }
        self.unask(|(owner, _)| owner == port);
        if matches!(departure, Departure::Left | Departure::Moved) {
            self.tabs.owe(port, Answer::Forget);
        }
    }

    /// The connection that a handle is on; if there is none, an error is due.
    fn conn_of(&mut self, port: PortId, handle: HandleId, op: u32) -> Option<&mut Conn> {
        let key = (port, handle);
        let conn = self
            .conns
            .values_mut()
            .find(|conn| conn.handles.contains_key(&key));
        if conn.is_none() {
            let error = MessageError::UnknownHandle;
            self.tabs.owe(port, Answer::Error(op, error));
        }
        conn
    }
}
