//! What tabs ask of the server, and what is published.

use core::time::Duration;

use super::connection::{Connection, Cx, Phase};
use super::flow::{Parcel, ParcelKind};
use super::interest::EVERYBODY;
use super::io::Payload;
use super::reading::Reply;
use super::subprotocol::{Filling, Form};
use super::topics::{Of, Request};
use crate::protocol::{HubMessage, Outgoing, RequestError};

/// Requests of a connection that wait for an answer.
const MOST_REQUESTS: usize = 1000;

impl<P: Payload> Connection<P> {
    /// Asks the server something for a handle.
    pub fn request(
        &mut self,
        of: Of,
        (number, data): (u32, String),
        timeout: Duration,
        cx: &mut Cx<'_, P>,
    ) {
        let can = self
            .template
            .as_ref()
            .is_some_and(|own| own.request.is_some());
        if !can {
            self.tell_unanswered(of, number, RequestError::Unsupported);
        } else if self.topics.requests() >= MOST_REQUESTS {
            self.tell_unanswered(of, number, RequestError::Full);
        } else {
            let id = self.topics.next_id();
            let request = Request {
                of,
                number,
                data: Some(data),
                until: cx.now + timeout,
            };
            self.topics.add_request(id, request);
            self.send_requests(cx);
            self.watch_topics(cx);
        }
        self.flush(cx);
    }

    /// Forgets the requests of a handle, or one of them.
    pub fn cancel(&mut self, is_meant: impl Fn(&Request) -> bool, cx: &mut Cx<'_, P>) {
        if self.template.is_none() {
            return;
        }
        self.topics.take_requests(is_meant);
        self.watch_topics(cx);
    }

    /// Whether the subprotocol has a form for this.
    pub(super) fn can_send(&self, outgoing: &Outgoing<P>) -> bool {
        match outgoing {
            Outgoing::Frame(_) => true,
            Outgoing::Publish { .. } => {
                let template = self.template.as_ref();
                template.is_some_and(|own| own.publish.is_some())
            }
        }
    }

    /// The frame that something to send becomes at this moment.
    pub(super) fn frame_of(&self, outgoing: Outgoing<P>) -> Option<P> {
        match outgoing {
            Outgoing::Frame(frame) => Some(frame),
            Outgoing::Publish { topic, data } => {
                let form = self.template.as_ref()?.publish.as_ref()?;
                Some(self.fill(
                    form,
                    Filling {
                        topics: &[&topic],
                        data: &data,
                        ..Filling::default()
                    },
                ))
            }
        }
    }

    /// What a form becomes with the token of this connection.
    pub(super) fn fill(&self, form: &Form, with: Filling<'_>) -> P {
        P::from_text(&form.fill(&Filling {
            token: self.access.token(),
            ..with
        }))
    }

    /// Sends the requests that have not been sent.
    pub(super) fn send_requests(&mut self, cx: &mut Cx<'_, P>) {
        let template = self.template.clone();
        let form = template.as_ref().and_then(|own| own.request.as_ref());
        let (Phase::Up { socket, .. }, Some(form)) = (&self.phase, form) else {
            return;
        };
        if !self.can_hand() {
            return;
        }
        let socket = *socket;
        for (id, data) in self.topics.take_unsent() {
            let data = &data;
            let with = Filling {
                id,
                data,
                ..Filling::default()
            };
            let frame = self.fill(form, with);
            self.give(socket, frame, cx);
        }
    }

    /// The server has answered what was sent with this id.
    pub(super) fn handle_server_answer(
        &mut self,
        frame: P,
        id: u32,
        reply: &Reply,
        cx: &mut Cx<'_, P>,
    ) {
        if let Some(request) = self.topics.take_request(id) {
            let parcel = Parcel {
                handle: request.of.1,
                number: request.number,
                kind: ParcelKind::Answered,
                topic: EVERYBODY,
                frames: vec![(frame, cx.now)],
            };
            self.fanout.push_parcel(request.of.0, parcel);
        } else if let Some((topics, are_several)) = self.topics.take_asked(id) {
            self.handle_topics_answer(&topics, are_several, reply, cx);
        } else {
            self.counters.rare.unwanted += 1;
        }
        self.watch_topics(cx);
    }

    /// A request gets no answer.
    pub(super) fn tell_unanswered(&mut self, of: Of, number: u32, code: RequestError) {
        let note = HubMessage::Unanswered {
            handle: of.1,
            number,
            code,
        };
        self.fanout.push_note_to(of.0, note);
    }
}
