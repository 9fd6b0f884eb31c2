//! What takes the place of a WebSocket that does not open: when, and what becomes of it.
//!
//! A stream is a socket to its connection: it has a generation, opens, carries frames and is lost. While one carries the messages
//! the WebSocket goes on being tried as the successor of a planned replacement, and takes over as such.

use std::collections::VecDeque;

use super::backoff::{Backoff, local_delay};
use super::connection::{Connection, Cx, Phase, close};
use super::io::{Output, Payload, SocketId, TimerReason};
use super::stream::Stream;
use crate::protocol::{Cause, Place, Reason, State, Transport};

/// What a connection has besides its WebSocket, and what outlives each stream.
#[derive(Debug)]
pub struct Fallback<P> {
    /// What carries the messages, or is about to.
    pub stream: Option<Box<Stream>>,
    /// How long to wait before the WebSocket is tried again meanwhile.
    backoff: Backoff,
    /// The id of the last event.
    pub last_id: Option<String>,
    /// What the server called the last answer, and when it had changed.
    pub etag: Option<String>,
    /// See there.
    pub modified: Option<String>,
    /// The last answer that was a message as a whole.
    pub last_text: Option<String>,
    /// Frames that wait to be posted one after the other.
    pub posts: VecDeque<P>,
    /// The one that is on its way: by what, as which request, and whether it has been taken.
    pub posting: Option<(SocketId, u32, bool)>,
    last_request: u32,
}

impl<P> Default for Fallback<P> {
    fn default() -> Self {
        Self {
            stream: None,
            backoff: Backoff::default(),
            last_id: None,
            etag: None,
            modified: None,
            last_text: None,
            posts: VecDeque::new(),
            posting: None,
            last_request: 0,
        }
    }
}

impl<P> Fallback<P> {
    /// The number of another request.
    pub fn next_request(&mut self) -> u32 {
        self.last_request += 1;
        self.last_request
    }

    /// Remembers the id of an event; an empty one forgets that of the event before.
    pub fn set_last_id(&mut self, id: String) {
        self.last_id = Some(id).filter(|id| !id.is_empty());
    }
}

impl<P: Payload> Connection<P> {
    /// The url of a request, with the token if that belongs there.
    pub(super) fn with_access(&self, place: &Place) -> String {
        let mut url = place.url.clone();
        self.access
            .apply(&self.config.auth, &mut url, &mut Vec::new());
        url
    }

    /// The header of a request that has the token, if that belongs there.
    pub(super) fn authorization(&self) -> Option<(&'static str, String)> {
        let header = self.access.header(&self.config.auth);
        Some(("Authorization", header.filter(|_| self.with_token)?))
    }

    /// Whether something can take the place of its WebSocket. The topics of a pool are on several, of which each would need its own.
    fn has_fallback(&self) -> bool {
        let config = &self.config.fallback;
        let is_given = config.sse.is_some() || config.polling.is_some();
        is_given && self.shard.is_none() && self.pool.is_none()
    }

    /// Whether something else than a WebSocket carries the messages.
    pub(super) fn is_on_stream(&self) -> bool {
        let stream = self.stream();
        stream.is_some_and(|stream| self.socket() == Some(stream.socket))
    }

    /// What takes the place of the WebSocket, if something does.
    pub(super) fn stream(&self) -> Option<&Stream> {
        self.fallback.as_ref()?.stream.as_deref()
    }

    /// The same, to change.
    pub(super) fn stream_mut(&mut self) -> Option<&mut Stream> {
        self.fallback.as_mut()?.stream.as_deref_mut()
    }

    /// Whether what is sent can leave.
    pub(super) fn can_hand(&self) -> bool {
        let is_up = matches!(self.phase, Phase::Up { .. });
        is_up && (!self.is_on_stream() || self.config.fallback.send.is_some())
    }

    /// There is no connection: counts the time from now on, unless that has begun.
    pub(super) fn watch_fallback(&mut self, cx: &mut Cx<'_, P>) {
        let owner = self.owner();
        if self.has_fallback()
            && !self.is_on_stream()
            && !cx.timers.is_set(owner, TimerReason::Fallback)
            && let Some(time) = self.config.fallback.after.timeout
        {
            self.set_timer_in(TimerReason::Fallback, time.get(), cx);
        }
    }

    /// Whether so many attempts have failed that something else is tried.
    pub(super) fn is_fallback_due(&self) -> bool {
        self.has_fallback() && self.backoff.failed() >= self.config.fallback.after.attempts.0
    }

    /// Gives up the attempt that is under way, if one is, and tries something else.
    pub(super) fn fall_back(&mut self, cx: &mut Cx<'_, P>) {
        match self.phase {
            Phase::Waiting | Phase::Asking => {}
            Phase::Handshake(socket) | Phase::Verifying(socket) => {
                cx.out.push(close(socket, None, ""));
            }
            Phase::Idle | Phase::Up { .. } | Phase::Moving | Phase::Ended => return,
        }
        self.stop_timers(cx);
        cx.timers.clear(self.owner(), TimerReason::Fallback);
        let first = if self.config.fallback.sse.is_some() {
            Transport::Sse
        } else {
            Transport::Polling
        };
        self.open_stream(first, cx);
    }

    fn open_stream(&mut self, transport: Transport, cx: &mut Cx<'_, P>) {
        self.generation += 1;
        let socket = SocketId {
            conn: self.id,
            generation: self.generation,
        };
        let fallback = self.fallback.get_or_insert_default();
        fallback.stream = Some(Box::new(Stream::new(socket, transport)));
        self.phase = Phase::Handshake(socket);
        self.status.next_attempt_at = None;
        self.transition(State::Connecting, Reason::Fallback, Cause::None, cx);
        self.fetch(cx);
    }

    /// Whether the attempt that has failed was that of a stream, and another kind is tried in its place.
    pub(super) fn try_next_stream(&mut self, cx: &mut Cx<'_, P>) -> bool {
        let was_sse = self.is_on_stream()
            && self
                .stream()
                .is_some_and(|stream| stream.transport == Transport::Sse);
        let has_next = was_sse && self.config.fallback.polling.is_some();
        if has_next {
            self.drop_stream(cx);
            self.open_stream(Transport::Polling, cx);
        }
        has_next
    }

    /// A stream has said something for the first time: it takes the place of the WebSocket.
    pub(super) fn open_by_stream(&mut self, cx: &mut Cx<'_, P>) {
        let (Phase::Handshake(socket), Some(stream)) = (&self.phase, self.stream()) else {
            return;
        };
        let (socket, transport) = (*socket, stream.transport);
        self.status.transport = transport;
        self.status.protocol = Box::default();
        self.status.extensions = Box::default();
        // What can be asked for again on a WebSocket cannot on this.
        let has_hole = self.counters.opened > 0 && self.is_resumable();
        self.open(socket, cx);
        if has_hole {
            self.tell_gap(Reason::Fallback);
            self.flush(cx);
        }
    }

    /// Plans when the WebSocket is tried again.
    pub(super) fn plan_return(&mut self, cx: &mut Cx<'_, P>) {
        let Some(fallback) = &mut self.fallback else {
            return;
        };
        let delay = fallback
            .backoff
            .handle_failure(&self.config.reconnect, cx.rng);
        self.status.next_attempt_at = Some(cx.now + delay);
        self.set_timer_in(TimerReason::MaxAge, delay, cx);
    }

    /// The browser is online again: the WebSocket is tried at once.
    pub(super) fn hasten_return(&mut self, cx: &mut Cx<'_, P>) {
        if self.is_on_stream() && self.successor.is_none() {
            let delay = local_delay(cx.rng);
            self.set_timer_in(TimerReason::MaxAge, delay, cx);
        }
    }

    /// The WebSocket has taken over. What is being posted ends in its own time, and the next goes by the socket after that.
    pub(super) fn leave_stream(&mut self, cx: &mut Cx<'_, P>) {
        self.status.transport = Transport::WebSocket;
        self.status.next_attempt_at = None;
        self.end_fetch(cx);
        let Some(fallback) = &mut self.fallback else {
            return;
        };
        fallback.backoff.reset();
        fallback.posts.clear();
        if let Some(stream) = fallback.stream.take()
            && fallback.posting.is_none()
        {
            cx.out.push(close(stream.socket, None, ""));
        }
    }

    /// There is no stream any more. What was being posted is of unknown fate, as what was handed to a socket that is lost.
    pub(super) fn drop_stream(&mut self, cx: &mut Cx<'_, P>) {
        self.end_fetch(cx);
        let Some(fallback) = &mut self.fallback else {
            return;
        };
        fallback.posts.clear();
        let posting = fallback.posting.take().map(|(socket, ..)| socket);
        let stream = fallback.stream.take().map(|stream| stream.socket);
        let same = posting == stream;
        for socket in posting.filter(|_| !same).into_iter().chain(stream) {
            cx.out.push(close(socket, None, ""));
        }
        cx.timers.clear(self.owner(), TimerReason::Post);
        self.status.transport = Transport::WebSocket;
    }

    /// Gives a frame to what carries the messages.
    pub(super) fn give(&mut self, socket: SocketId, frame: P, cx: &mut Cx<'_, P>) {
        let is_stream = self.stream().is_some_and(|stream| stream.socket == socket);
        self.see_out(&frame, cx);
        match &mut self.fallback {
            Some(fallback) if is_stream => {
                fallback.posts.push_back(frame);
                self.post_next(cx);
            }
            Some(_) | None => cx.out.push(Output::Send(socket, frame)),
        }
    }
}
