//! What the frames of the server mean to a connection.

use core::time::Duration;

use super::connection::{Connection, Cx};
use super::interest::EVERYBODY;
use super::io::{Payload, TimerReason};
use super::pool::Upward;
use super::position::Position;
use super::resuming::Arrival;
use super::subprotocol::{Reading, Template};
use super::topics::TopicNo;
use crate::protocol::Loss;

/// The meaning of a frame without a topic.
const EVERYBODYS: Meaning = Meaning::Message(EVERYBODY, None);
/// So much of a frame is read first: the topic is seldom behind it.
const HEAD: usize = 512;

/// What a frame means to a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It is for the tabs that want this topic, or for everybody. What it says of its position.
    Message(TopicNo, Option<Position>),
    /// It is of a topic that nobody wants.
    Unwanted,
    /// It answers what was sent with this id.
    Answer(u32, Box<Reply>),
    /// It is the pong.
    Pong,
    /// The server wants the socket replaced, after this long.
    Reconnect(Option<Duration>),
    /// It cannot be read. It is for everybody.
    Malformed,
}

/// What an answer says, as JSON texts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    /// The error that it is, if it is one.
    pub error: Option<String>,
    /// The position of the topic, or of each.
    pub position: Option<String>,
    /// Whether it goes on where it was asked to, or each does.
    pub recovered: Option<String>,
}

impl<P: Payload> Connection<P> {
    /// What a frame means.
    pub(super) fn meaning(&self, frame: &P) -> Meaning {
        if self.heartbeat.is_pong(frame) {
            return Meaning::Pong;
        }
        let Some(template) = &self.template else {
            return EVERYBODYS;
        };
        let size = frame.size();
        let head = frame.head(HEAD);
        let read = head
            .as_deref()
            .and_then(|text| self.read(template, text, size <= HEAD));
        read.or_else(|| self.read(template, &frame.head(usize::MAX)?, true))
            .unwrap_or(EVERYBODYS)
    }

    /// What a text means, unless that is not clear yet.
    fn read(&self, template: &Template, text: &str, is_whole: bool) -> Option<Meaning> {
        Some(match template.read(text, is_whole) {
            Reading::Unfinished => return None,
            Reading::Message(topic, position) => match self.topics.find(&topic) {
                Some(no) => Meaning::Message(no, position.and_then(Position::parse)),
                None => Meaning::Unwanted,
            },
            Reading::Answer(answered) => {
                let forms = [&template.subscribe, &template.resume, &template.request];
                let forms = forms.into_iter().flatten();
                let mut ids = forms.filter_map(|form| form.read_id(answered.id));
                match ids.next() {
                    Some(id) => {
                        let reply = Reply {
                            error: answered.error.map(Into::into),
                            position: answered.position.map(Into::into),
                            recovered: answered.recovered.map(Into::into),
                        };
                        Meaning::Answer(id, Box::new(reply))
                    }
                    None => EVERYBODYS,
                }
            }
            Reading::Pong => Meaning::Pong,
            Reading::Reconnect(delay) => Meaning::Reconnect(delay),
            Reading::Other => EVERYBODYS,
            Reading::Malformed => Meaning::Malformed,
        })
    }

    /// Handles a frame that is not the pong.
    pub(super) fn take_frame(&mut self, frame: P, meaning: Meaning, cx: &mut Cx<'_, P>) {
        match meaning {
            Meaning::Message(EVERYBODY, _) => self.push_other(frame),
            Meaning::Message(topic, position) => self.take_message(frame, topic, position, cx),
            Meaning::Unwanted => self.counters.rare.unwanted += 1,
            Meaning::Answer(id, reply) => self.handle_server_answer(frame, id, &reply, cx),
            Meaning::Reconnect(delay) => self.reconnect_in(delay, cx),
            Meaning::Pong => {}
            Meaning::Malformed => {
                self.note_malformed(cx.now);
                self.push_other(frame);
            }
        }
    }

    pub(super) fn push_other(&mut self, frame: P) {
        if self.template.is_some() {
            self.topics.has_others = true;
        }
        if let Some(Upward::Other(frame)) = self.send_upward(Upward::Other(frame)) {
            self.fanout.push_frame(frame, EVERYBODY, &[]);
        }
    }

    pub(super) fn take_message(
        &mut self,
        frame: P,
        topic: TopicNo,
        position: Option<Position>,
        cx: &mut Cx<'_, P>,
    ) {
        match self.topics.arrive(topic, position.as_ref()) {
            Arrival::New => {}
            Arrival::Duplicate => {
                self.counters.rare.duplicates += 1;
                return;
            }
            Arrival::Anew(last) => {
                self.tell_missed(topic, None, (&last, None), Loss::CountedAnew);
            }
        }
        if self.shard.is_some() {
            match self.topics.wanted_as(topic) {
                Some(number) => {
                    self.send_upward(Upward::Message(number, frame, position));
                }
                None => self.counters.rare.unwanted += 1,
            }
            return;
        }
        let (had, anew) = self.topics.take_ahead(topic, position.as_ref(), cx.now);
        for (port, last) in anew {
            self.tell_missed(topic, Some(port), (&last, None), Loss::CountedAnew);
        }
        if !self.topics.was_single(topic, position.as_ref()) {
            self.hand_single(topic, &frame, cx);
        }
        self.topics.keep(topic, &frame, position, cx.now);
        self.fanout.push_frame(frame, topic, &had);
    }

    /// The server wants the socket replaced, after this long if it says so.
    pub(super) fn reconnect_in(&mut self, delay: Option<Duration>, cx: &mut Cx<'_, P>) {
        let delay = delay.unwrap_or_else(|| self.spread(cx));
        let (owner, at) = (self.owner(), cx.now + delay);
        cx.timers.set_at_latest(owner, TimerReason::MaxAge, at);
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
}
