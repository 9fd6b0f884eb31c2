//! What each input must lead to.

use tabwire::core::{Input, PortId, SocketEvent, SocketId};
use tabwire::protocol::{Attach, HandleId, Hello, Liveness, MAJOR, MessageError, TabMessage, op};
use tabwire::time::Time;

use super::conn::{Conn, Departure, identity_of};
use super::phase::{GAVE_UP, Phase};
use super::tabs::Answer;
use super::{Doing, Reference};
use crate::frame::Frame;

impl Reference {
    /// The hub is about to be told.
    pub fn take(&mut self, now: Time, input: &Input<Frame>) {
        self.now = now;
        self.doing = Doing::Other;
        self.leaving.clear();
        self.is_waking = false;
        self.look_at_clocks(input);
        match input {
            Input::Message(port, TabMessage::Hello(hello)) => self.take_hello(*port, hello),
            Input::Message(port, message) => self.take_message(*port, message),
            Input::Malformed(port, op, error) => {
                self.tabs.owe(*port, Answer::Error(*op, *error));
            }
            Input::LockGranted(port) => self.take_lock(*port),
            Input::Socket(socket, event) => self.take_socket(*socket, event),
            Input::Tick => {}
            Input::Start { me, others } => self.peers.start(me, *others, now),
            Input::Peer(message) => {
                if self.peers.hear(message, now) {
                    self.start_moving();
                }
            }
            Input::PeerGone { epoch } => self.peers.lose(epoch),
            Input::Timeout { .. } => {
                self.doing = Doing::Timeout;
                self.peers.handle_time(now);
                self.leaving = self.tabs.silent(now);
                for port in self.leaving.clone() {
                    self.remove_tab(port, Departure::Silent);
                }
            }
        }
    }

    fn take_hello(&mut self, port: PortId, hello: &Hello) {
        if hello.protocol != MAJOR {
            let error = Answer::Error(op::HELLO, MessageError::ProtocolMismatch);
            self.tabs.owe(port, error);
            return;
        }
        if let Some(old) = self.tabs.other_port_of(&hello.tab, port) {
            self.remove_tab(old, Departure::Left);
        }
        if self.tabs.get(port).is_some_and(|tab| tab.id != hello.tab) {
            self.remove_tab(port, Departure::Silent);
        }
        self.tabs.insert(port, hello, self.now);
        if self.peers.sends_on {
            self.tabs.owe(port, Answer::Move);
            return;
        }
        self.tabs.owe(port, Answer::Welcome);
        if hello.liveness == Liveness::Locks {
            let lock = format!("tabwire:tab:{}", hello.tab);
            self.tabs.owe(port, Answer::Watch(lock));
        }
        self.take_online(hello.online);
    }

    fn take_message(&mut self, port: PortId, message: &TabMessage<Frame>) {
        let Some(tab) = self.tabs.get_mut(port) else {
            if *message != TabMessage::Bye {
                let answer = if self.peers.sends_on {
                    Answer::Move
                } else {
                    Answer::Who
                };
                self.tabs.owe(port, answer);
            }
            return;
        };
        tab.heard_at = self.now;
        tab.asked_at = None;
        match message {
            TabMessage::Hello(_) => {}
            TabMessage::Bye => self.remove_tab(port, Departure::Left),
            TabMessage::Attach(handle, attach) => self.take_attach(port, *handle, attach),
            TabMessage::Detach { handle, code, .. } => {
                let (code, now) = (*code, self.now);
                if let Some(conn) = self.conn_of(port, *handle, op::DETACH) {
                    conn.detach((port, *handle), code, now);
                    let answer = Answer::Closed(handle.0, code.unwrap_or(1005), true);
                    self.tabs.owe(port, answer);
                }
            }
            TabMessage::Send {
                handle,
                first,
                frames,
            } => self.take_send(port, *handle, *first, frames),
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
            TabMessage::Suspend => tab.suspended = true,
            TabMessage::Resume => {
                tab.suspended = false;
                if self.peers.sends_on {
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
                }
            }
            TabMessage::Shutdown(handle) => {
                if let Some(conn) = self.conn_of(port, *handle, op::SHUTDOWN) {
                    conn.end((1000, true), true);
                    self.by_identity.retain(|_, id| !self.conns[id].is_ended());
                }
            }
            TabMessage::Answer(..) => {}
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
            conn.attach((port, handle), options, self.now);
        } else {
            let mut conn = Conn::new(identity, options, self.now);
            conn.attach((port, handle), options, self.now);
            self.unborn = Some(conn);
        }
    }

    fn take_send(&mut self, port: PortId, handle: HandleId, first: u64, frames: &[Frame]) {
        let now = self.now;
        let Some(conn) = self.conn_of(port, handle, op::SEND) else {
            return;
        };
        let is_open = matches!(conn.phase, Phase::Up { .. });
        for (id, frame) in (first..).zip(frames) {
            if let Frame::Sent(send, size) = frame {
                let what = (*send, u64::from(*size));
                conn.outgoing.push((port, handle), id, what, is_open, now);
            }
        }
    }

    fn take_lock(&mut self, port: PortId) {
        let is_cached = self.tabs.get(port).is_some_and(|tab| tab.suspended);
        let departure = if is_cached {
            Departure::Cached
        } else {
            Departure::Left
        };
        self.remove_tab(port, departure);
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
        if conn.retired == Some(socket) {
            if let SocketEvent::Closed { clean, .. } = event {
                conn.handle_retired(*clean, now);
            }
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

    /// A tab is gone.
    pub(super) fn remove_tab(&mut self, port: PortId, departure: Departure) {
        if self.tabs.remove(port).is_none() {
            return;
        }
        for conn in self.conns.values_mut() {
            conn.remove_port(port, departure, self.now);
        }
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
