//! Frames to the server by POST, while no WebSocket takes them: one after the other, so that their order stays.

use super::connection::{Connection, Cx};
use super::io::{Fetch, Method, Output, Payload, SocketEvent, SocketId, TimerReason};
use super::stream::FETCH_WITHIN;

impl<P: Payload> Connection<P> {
    /// Whether a frame is on its way, behind which the next one waits, whatever it goes by.
    pub(super) fn is_posting(&self) -> bool {
        let fallback = self.fallback.as_ref();
        fallback.is_some_and(|own| own.posting.is_some())
    }

    /// Posts the next frame.
    pub(super) fn post_next(&mut self, cx: &mut Cx<'_, P>) {
        let (auth, config) = (self.authorization(), &self.config.fallback);
        let Some(url) = config.send.as_ref().map(|place| self.with_access(place)) else {
            return;
        };
        let Some(fallback) = &mut self.fallback else {
            return;
        };
        let Some(stream) = &fallback.stream else {
            return;
        };
        if fallback.posting.is_some() {
            return;
        }
        let Some(frame) = fallback.posts.pop_front() else {
            return;
        };
        let socket = stream.socket;
        let request = fallback.next_request();
        fallback.posting = Some((socket, request, false));
        // What has been handed until now is confirmed by the answer to this.
        self.outbox.handle_ping();
        cx.out.push(Output::Fetch(Box::new(Fetch {
            socket,
            request,
            method: Method::Post,
            url,
            headers: auth.into_iter().collect(),
            body: Some(frame),
        })));
        self.set_timer_in(TimerReason::Post, FETCH_WITHIN, cx);
    }

    /// Handles an event that is of what was posted. Gives it back if it is not.
    pub(super) fn take_answer_to_post(
        &mut self,
        socket: SocketId,
        event: SocketEvent<P>,
        cx: &mut Cx<'_, P>,
    ) -> Option<SocketEvent<P>> {
        let posting = self.fallback.as_mut().and_then(|own| own.posting.as_mut());
        let Some((by, number, is_taken)) = posting else {
            return Some(event);
        };
        if event.request() != Some(*number) || *by != socket {
            return Some(event);
        }
        if let SocketEvent::Response(_, response) = event {
            *is_taken = (200..300).contains(&response.status);
        } else if let SocketEvent::Text(_, text) = event {
            // What the server says to it is a frame of its own.
            if text.bytes().any(|byte| !byte.is_ascii_whitespace()) {
                self.handle_frame(P::from_text(&text), cx);
                self.flush(cx);
            }
        } else if let SocketEvent::Done(_, ok) = event {
            self.handle_posted(ok, cx);
        }
        None
    }

    /// The answer to what was posted has ended. Without a good one the fate of the frame is unknown.
    pub(super) fn handle_posted(&mut self, ok: bool, cx: &mut Cx<'_, P>) {
        cx.timers.clear(self.owner(), TimerReason::Post);
        let fallback = self.fallback.as_mut();
        let Some((socket, number, is_taken)) = fallback.and_then(|own| own.posting.take()) else {
            return;
        };
        cx.out.push(Output::Abort(socket, number));
        if ok && is_taken {
            self.outbox.handle_pong();
        } else {
            self.outbox.handle_lost(cx.now);
        }
        self.post_next(cx);
        self.drain(cx);
        self.post_verdicts(cx);
    }
}
