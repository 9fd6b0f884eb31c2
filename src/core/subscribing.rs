//! What tabs want of the topics of a connection, and what the server is asked for.

use core::time::Duration;

use super::connection::{Connection, Cx, Phase};
use super::flow::{Parcel, ParcelKind};
use super::interest::EVERYBODY;
use super::io::{Output, Payload, PortId, TimerReason};
use super::subprotocol::{Filling, Form, Hole, Reading, Template};
use super::topics::{Of, Request, Stage, TopicNo, Want};
use crate::protocol::{HandleId, HubMessage, Outgoing, RequestError, Subscription, Via};

/// How long the server may take to answer a subscription.
pub const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(10);
/// Topics in one frame, where several go into one.
const MOST_TOPICS: usize = 100;
/// Requests of a connection that wait for an answer.
const MOST_REQUESTS: usize = 1000;
/// So much of a frame is read first: the topic is seldom behind it.
const HEAD: usize = 512;

/// What a frame means to a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It is for the tabs that want this topic, or for everybody.
    Message(TopicNo),
    /// It is of a topic that nobody wants.
    Unwanted,
    /// It answers what was sent with this id, perhaps with an error.
    Answer(u32, Option<String>),
    /// It is the pong.
    Pong,
    /// The server wants the socket replaced, after this long.
    Reconnect(Option<Duration>),
    /// It cannot be read. It is for everybody.
    Malformed,
}

impl<P: Payload> Connection<P> {
    /// Adds subscriptions of a handle.
    pub fn subscribe(&mut self, of: Of, subscriptions: Vec<Subscription>, cx: &mut Cx<'_, P>) {
        let can = self
            .template
            .as_ref()
            .is_some_and(|own| own.subscribe.is_some());
        for Subscription {
            number,
            topic,
            replay,
        } in subscriptions
        {
            if !can {
                self.tell_unsubscribed(of, number, RequestError::Unsupported, "");
                continue;
            }
            let (no, is_new) = self.topics.want(&topic, Want { of, sub: number });
            self.fanout.set_interest(of.0, no, true);
            let most = if is_new { replay as usize } else { 0 };
            let kept = self.topics.replay(no, most, cx.now);
            let parcel = Parcel {
                handle: of.1,
                number,
                kind: ParcelKind::Subscribed,
                frames: kept.into_iter().map(|kept| (kept.frame, kept.at)).collect(),
            };
            self.fanout.push_parcel(of.0, parcel);
        }
        self.ask_for_topics(cx);
        self.flush(cx);
    }

    /// Ends subscriptions of a handle, or all of them.
    pub fn unsubscribe(&mut self, of: Of, is_gone: impl Fn(u32) -> bool, cx: &mut Cx<'_, P>) {
        self.unwant(of.0, |want| want.of == of && is_gone(want.sub), cx);
    }

    /// Ends what a handle, or a whole tab, wants of the server.
    pub(super) fn unwant(
        &mut self,
        port: PortId,
        is_gone: impl Fn(&Want) -> bool,
        cx: &mut Cx<'_, P>,
    ) {
        if self.template.is_none() {
            return;
        }
        for (no, is_wanted) in self.topics.unwant(port, is_gone, cx.now) {
            self.fanout.set_interest(port, no, is_wanted);
        }
        self.watch_topics(cx);
    }

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
        self.topics.take_requests(is_meant);
        self.watch_topics(cx);
    }

    /// The frame that something to send becomes. Nothing where the subprotocol has no form for it.
    pub(super) fn frame_of(&self, outgoing: Outgoing<P>) -> Option<P> {
        match outgoing {
            Outgoing::Frame(frame) => Some(frame),
            Outgoing::Publish { topic, data } => {
                let form = self.template.as_ref()?.publish.as_ref()?;
                Some(P::from_text(&form.fill(&Filling {
                    topics: &[&topic],
                    data: &data,
                    token: self.access.token(),
                    ..Filling::default()
                })))
            }
        }
    }

    /// A socket is open: the server knows nothing of what the tabs want.
    pub(super) fn introduce(&mut self, cx: &mut Cx<'_, P>) {
        if self.template.is_none() {
            return;
        }
        self.forget_server();
        self.authenticate(cx);
        self.ask_for_topics(cx);
        self.send_requests(cx);
    }

    /// Shows the server the token, where that is done by a message.
    pub(super) fn authenticate(&self, cx: &mut Cx<'_, P>) {
        let form = self
            .template
            .as_ref()
            .and_then(|own| own.authenticate.as_ref());
        let is_told = self.with_token && self.config.auth.via == Via::Message;
        if let (Phase::Up { socket, .. }, Some(form), true) = (&self.phase, form, is_told) {
            let frame = form.fill(&Filling {
                token: self.access.token(),
                ..Filling::default()
            });
            cx.out.push(Output::Send(*socket, P::from_text(&frame)));
        }
    }

    /// The connection is lost, and with it what the server knew.
    pub(super) fn forget_server(&mut self) {
        for request in self.topics.handle_lost() {
            self.tell_unanswered(request.of, request.number, RequestError::Lost);
        }
    }

    /// What a frame means.
    pub(super) fn meaning(&self, frame: &P) -> Meaning {
        let Some(template) = &self.template else {
            return if self.heartbeat.is_pong(frame) {
                Meaning::Pong
            } else {
                Meaning::Message(EVERYBODY)
            };
        };
        let size = frame.size();
        let head = frame.head(HEAD);
        let read = head
            .as_deref()
            .and_then(|text| self.read(template, text, size <= HEAD));
        read.or_else(|| self.read(template, &frame.head(usize::MAX)?, true))
            .unwrap_or(Meaning::Message(EVERYBODY))
    }

    /// What a text means, unless that is not clear yet.
    fn read(&self, template: &Template, text: &str, is_whole: bool) -> Option<Meaning> {
        Some(match template.read(text, is_whole) {
            Reading::Unfinished => return None,
            Reading::Message(topic, _) => match self.topics.find(&topic) {
                Some(no) => Meaning::Message(no),
                None => Meaning::Unwanted,
            },
            Reading::Answer(id, error) => {
                let forms = [&template.subscribe, &template.request];
                let ids = forms
                    .into_iter()
                    .flatten()
                    .filter_map(|form| form.read_id(id));
                match { ids }.next() {
                    Some(id) => Meaning::Answer(id, error.map(Into::into)),
                    None => Meaning::Message(EVERYBODY),
                }
            }
            Reading::Pong => Meaning::Pong,
            Reading::Reconnect(delay) => Meaning::Reconnect(delay),
            Reading::Other => Meaning::Message(EVERYBODY),
            Reading::Malformed => Meaning::Malformed,
        })
    }

    /// Handles a frame that is not the pong.
    pub(super) fn take_frame(&mut self, frame: P, meaning: Meaning, cx: &mut Cx<'_, P>) {
        match meaning {
            Meaning::Message(EVERYBODY) => self.fanout.push_frame(frame, EVERYBODY),
            Meaning::Message(topic) => {
                self.topics.keep(topic, &frame, cx.now);
                self.fanout.push_frame(frame, topic);
            }
            Meaning::Unwanted => self.counters.unwanted += 1,
            Meaning::Answer(id, error) => self.handle_server_answer(frame, id, error, cx),
            Meaning::Reconnect(delay) => {
                let delay = delay.unwrap_or_else(|| self.spread(cx));
                let (owner, at) = (self.owner(), cx.now + delay);
                cx.timers.set_at_latest(owner, TimerReason::MaxAge, at);
            }
            Meaning::Pong => {}
            Meaning::Malformed => {
                self.counters.malformed += 1;
                self.fanout.push_frame(frame, EVERYBODY);
            }
        }
    }

    /// How long to wait where the server says no more than that it wants a reconnect: it says so to many at once. One that says so on
    /// every socket does not have it in a circle.
    fn spread(&self, cx: &mut Cx<'_, P>) -> Duration {
        let reconnect = &self.config.reconnect;
        let spread = reconnect.first_delay_max.get().mul_f64(cx.rng.f64());
        let stable_after = reconnect.stable_after.get();
        if cx.now.since(self.socket_at) < stable_after {
            spread + stable_after
        } else {
            spread
        }
    }

    /// Nobody has come back for a topic, or the server has not answered.
    pub(super) fn handle_topics_timer(&mut self, cx: &mut Cx<'_, P>) {
        for no in self.topics.take_unanswered(cx.now) {
            self.refuse_topic(no, RequestError::Timeout, "");
        }
        for request in self.topics.take_requests(|request| request.until <= cx.now) {
            self.tell_unanswered(request.of, request.number, RequestError::Timeout);
        }
        let idle = self.topics.take_idle(self.linger, cx.now);
        let form = self
            .template
            .as_ref()
            .and_then(|own| own.unsubscribe.as_ref());
        if let (Phase::Up { socket, .. }, Some(form)) = (&self.phase, form) {
            for names in chunks(form, &idle) {
                let topics: Vec<_> = names.iter().map(String::as_str).collect();
                let frame = form.fill(&Filling {
                    topics: &topics,
                    id: self.topics.next_id(),
                    token: self.access.token(),
                    ..Filling::default()
                });
                cx.out.push(Output::Send(*socket, P::from_text(&frame)));
            }
        }
        self.watch_topics(cx);
        self.flush(cx);
    }

    fn handle_server_answer(
        &mut self,
        frame: P,
        id: u32,
        error: Option<String>,
        cx: &mut Cx<'_, P>,
    ) {
        if let Some(request) = self.topics.take_request(id) {
            let parcel = Parcel {
                handle: request.of.1,
                number: request.number,
                kind: ParcelKind::Answered,
                frames: vec![(frame, cx.now)],
            };
            self.fanout.push_parcel(request.of.0, parcel);
        } else if let Some(topics) = self.topics.take_asked(id) {
            match error {
                None => self.topics.set_stage(&topics, Stage::On),
                Some(detail) => {
                    for no in topics {
                        self.refuse_topic(no, RequestError::Refused, &detail);
                    }
                }
            }
        } else {
            self.counters.unwanted += 1;
        }
        self.watch_topics(cx);
    }

    /// Asks the server for the topics that are wanted and that it does not know of.
    fn ask_for_topics(&mut self, cx: &mut Cx<'_, P>) {
        let (Phase::Up { socket, .. }, Some(template)) = (&self.phase, &self.template) else {
            return;
        };
        let Some(form) = &template.subscribe else {
            return;
        };
        let unasked = self.topics.unasked();
        for topics in chunks(form, &unasked) {
            let id = self.topics.next_id();
            let names = topics.iter().filter_map(|no| self.topics.get(*no));
            let names: Vec<_> = names.map(|topic| topic.name.as_str()).collect();
            let frame = form.fill(&Filling {
                topics: &names,
                id,
                token: self.access.token(),
                ..Filling::default()
            });
            cx.out.push(Output::Send(*socket, P::from_text(&frame)));
            if form.has(&Hole::Id) && template.has_answers() {
                self.topics.set_stage(topics, Stage::Asked);
                let until = cx.now + SUBSCRIBE_WITHIN;
                self.topics.wait_for(id, topics.to_vec(), until);
            } else {
                self.topics.set_stage(topics, Stage::On);
            }
        }
        self.watch_topics(cx);
    }

    fn send_requests(&mut self, cx: &mut Cx<'_, P>) {
        let form = self.template.as_ref().and_then(|own| own.request.as_ref());
        let (Phase::Up { socket, .. }, Some(form)) = (&self.phase, form) else {
            return;
        };
        for (id, data) in self.topics.take_unsent() {
            let frame = form.fill(&Filling {
                id,
                data: &data,
                token: self.access.token(),
                ..Filling::default()
            });
            cx.out.push(Output::Send(*socket, P::from_text(&frame)));
        }
    }

    /// The server gives nothing of a topic: whoever wants it is told.
    fn refuse_topic(&mut self, no: TopicNo, code: RequestError, detail: &str) {
        for want in self.topics.refuse(no) {
            self.tell_unsubscribed(want.of, want.sub, code, detail);
        }
        self.fanout.forget_topic(no);
    }

    fn tell_unsubscribed(&mut self, of: Of, number: u32, code: RequestError, detail: &str) {
        let note = HubMessage::Unsubscribed {
            handle: of.1,
            number,
            code,
            detail: detail.into(),
        };
        self.fanout.push_note_to(of.0, note);
    }

    fn tell_unanswered(&mut self, of: (PortId, HandleId), number: u32, code: RequestError) {
        let note = HubMessage::Unanswered {
            handle: of.1,
            number,
            code,
        };
        self.fanout.push_note_to(of.0, note);
    }

    fn watch_topics(&mut self, cx: &mut Cx<'_, P>) {
        let at = self.topics.next_deadline(self.linger);
        self.set_timer(TimerReason::Topics, at, cx);
    }
}

/// What goes into each frame of a form: one topic, or many where it takes them.
fn chunks<'a, T>(form: &Form, all: &'a [T]) -> core::slice::Chunks<'a, T> {
    all.chunks(if form.has(&Hole::Topics) {
        MOST_TOPICS
    } else {
        1
    })
}
