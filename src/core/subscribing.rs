//! What tabs want of the topics of a connection, and what the server is asked for.

use super::connection::{Connection, Cx, Phase};
use super::flow::{Parcel, ParcelKind};
use super::io::{Payload, PortId, SocketId, TimerReason};
use super::pool::{UPWARD, Upward};
use super::position::Position;
use super::reading::Reply;
use super::subprotocol::{Filling, Form, Hole, Reading, is_something, part_of};
use super::topics::{Of, SUBSCRIBE_WITHIN, Stage, TopicNo, Want};
use crate::protocol::{HubMessage, Loss, RequestError, Subscription, Via};
use crate::time::Time;

/// Topics in one frame, where several go into one.
const MOST_TOPICS: usize = 100;

impl<P: Payload> Connection<P> {
    /// Adds subscriptions of a handle.
    pub fn subscribe(&mut self, of: Of, subscriptions: Vec<Subscription>, cx: &mut Cx<'_, P>) {
        let can = self
            .template
            .as_ref()
            .is_some_and(|own| own.subscribe.is_some());
        for subscription in subscriptions {
            if can {
                self.add_subscription(of, subscription, cx);
            } else {
                self.tell_unsubscribed(of, subscription.number, RequestError::Unsupported, "");
            }
        }
        self.ask_for_topics(cx);
        self.hand_on(None, cx);
        self.flush(cx);
    }

    fn add_subscription(&mut self, of: Of, subscription: Subscription, cx: &mut Cx<'_, P>) {
        let Subscription {
            number,
            topic,
            replay,
            last,
            is_conflated,
            is_single,
        } = subscription;
        let want = Want {
            of,
            sub: number,
            is_conflated,
            is_single,
        };
        let (no, is_new) = self.topics.want(&topic, want);
        self.fanout
            .set_interest(of.0, no, self.topics.share(no, of.0));
        let seen = last.and_then(|last| self.position_in(&last, &topic));
        let kept = match seen {
            _ if !is_new => Vec::new(),
            Some(seen) if is_single => {
                self.topics.catch_up_single(no, seen, cx.now);
                Vec::new()
            }
            // What one of them has had is not for another.
            None if is_single => Vec::new(),
            None => self.topics.replay(no, replay as usize, cx.now),
            Some(seen) => {
                let caught = self.topics.catch_up(no, of.0, seen, cx.now);
                if let Some((from, to)) = caught.missed {
                    let to = to.as_ref();
                    self.tell_missed_by((of, number), (Some(&from), to), Loss::NotKept);
                }
                caught.kept
            }
        };
        let parcel = Parcel {
            handle: of.1,
            number,
            kind: ParcelKind::Subscribed,
            topic: no,
            frames: kept.into_iter().map(|kept| (kept.frame, kept.at)).collect(),
        };
        self.fanout.push_parcel(of.0, parcel);
    }

    /// The position of the last message that a tab has had of a topic.
    fn position_in(&self, last: &str, topic: &str) -> Option<Position> {
        match self.template.as_ref()?.read(last, true) {
            Reading::Message(own, position) if own == topic => Position::parse(position?),
            Reading::Message(..)
            | Reading::Answer(_)
            | Reading::Pong
            | Reading::Reconnect(_)
            | Reading::Other
            | Reading::Malformed
            | Reading::Unfinished => None,
        }
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
        for no in self.topics.unwant(port, is_gone, cx.now) {
            let share = self.topics.share(no, port);
            self.fanout.set_interest(port, no, share);
        }
        self.hand_on(None, cx);
        self.watch_topics(cx);
    }

    /// A socket is open: the server knows nothing of what the tabs want. After a loss it is told of that by and by.
    pub(super) fn introduce(&mut self, is_new: bool, cx: &mut Cx<'_, P>) {
        if self.template.is_none() {
            return;
        }
        self.forget_server();
        if self.counters.opened > 1 && is_new {
            let spread = self.config.pool.resubscribe_spread.draw(cx.rng.f64());
            self.topics.gather_until = cx.now + spread;
        }
        self.ask_for_topics(cx);
        self.send_requests(cx);
    }

    /// Shows the server the token, where that is done by a message.
    pub(super) fn authenticate(&self, socket: SocketId, cx: &mut Cx<'_, P>) {
        let template = self.template.as_ref();
        let form = template.and_then(|own| own.authenticate.as_ref());
        let is_told = self.with_token && self.config.auth.via == Via::Message;
        if let Some(form) = form.filter(|_| is_told) {
            let frame = self.fill(form, Filling::default());
            self.put(socket, frame, cx);
        }
    }

    /// The connection is lost, and with it what the server knew.
    pub(super) fn forget_server(&mut self) {
        if self.template.is_none() {
            return;
        }
        for request in self.topics.handle_lost() {
            self.tell_unanswered(request.of, request.number, RequestError::Lost);
        }
    }

    /// Nobody has come back for a topic, or the server has not answered.
    pub(super) fn handle_topics_timer(&mut self, cx: &mut Cx<'_, P>) {
        let mut given_back = self.handle_unanswered(cx);
        for request in self.topics.take_requests(|request| request.until <= cx.now) {
            self.tell_unanswered(request.of, request.number, RequestError::Timeout);
        }
        given_back.extend(self.topics.take_idle(self.linger, cx.now));
        self.hand_on(None, cx);
        self.give_back(&given_back, cx);
        self.ask_for_topics(cx);
        self.flush(cx);
    }

    /// The server has not answered about topics in time. Gives their names: it may know of them all the same.
    fn handle_unanswered(&mut self, cx: &mut Cx<'_, P>) -> Vec<String> {
        if self.heartbeat.ping().is_some() && self.topics.is_unanswered(cx.now) {
            // Nothing has come since: that may be the path, of which a ping tells.
            self.topics.wait_longer(cx.now + SUBSCRIBE_WITHIN);
            self.ping(cx);
            return Vec::new();
        }
        let mut names = Vec::new();
        for no in self.topics.take_unanswered(cx.now) {
            names.extend(self.topics.get(no).map(|topic| topic.name.clone()));
            self.refuse_topic(no, RequestError::Timeout, "");
        }
        names
    }

    fn give_back(&mut self, names: &[String], cx: &mut Cx<'_, P>) {
        let template = self.template.as_ref();
        let form = template.and_then(|own| own.unsubscribe.as_ref());
        let (Phase::Up { socket, .. }, Some(form)) = (&self.phase, form) else {
            return;
        };
        if self.is_on_stream() {
            return;
        }
        for names in names.chunks(most_topics(form)) {
            let topics: Vec<_> = names.iter().map(String::as_str).collect();
            let with = Filling {
                topics: &topics,
                id: self.topics.next_id(),
                ..Filling::default()
            };
            self.put(*socket, self.fill(form, with), cx);
        }
    }

    /// The server has answered about these topics. An error says nothing of which of several it is about: each is asked for alone.
    pub(super) fn handle_topics_answer(
        &mut self,
        topics: &[TopicNo],
        are_several: bool,
        reply: &Reply,
        cx: &mut Cx<'_, P>,
    ) {
        match &reply.error {
            None => {
                self.topics.set_stage(topics, Stage::On);
                for no in topics {
                    self.handle_course(*no, reply);
                }
            }
            Some(_) if are_several => {
                self.topics.ask_alone(topics);
                self.ask_for_topics(cx);
            }
            Some(detail) => {
                for no in topics {
                    if self.lose_course(*no, None) {
                        // It may be no more than that the position is too old.
                        self.topics.set_stage(topics, Stage::Off);
                        self.ask_for_topics(cx);
                    } else {
                        self.refuse_topic(*no, RequestError::Refused, detail);
                    }
                }
            }
        }
    }

    /// What an answer says of how far a topic is.
    fn handle_course(&mut self, no: TopicNo, reply: &Reply) {
        let Some(topic) = self.topics.get(no) else {
            return;
        };
        let part = |value: &Option<String>| {
            let part = part_of(value.as_deref()?, &topic.name)?;
            Some(part.to_owned())
        };
        let (at, recovered) = (part(&reply.position), part(&reply.recovered));
        let at = at.as_deref().and_then(Position::parse);
        if recovered.is_some_and(|value| !is_something(&value)) {
            self.lose_course(no, at);
        } else if let Some(at) = at {
            self.topics.begin(no, at);
        }
    }

    /// The server does not go on with a topic where it was asked to. False if it was not asked to.
    fn lose_course(&mut self, no: TopicNo, at: Option<Position>) -> bool {
        let from = self.topics.lose_course(no, at.clone());
        if let Some(from) = &from {
            self.tell_missed(no, None, (from, at.as_ref()), Loss::NotRecovered);
        }
        from.is_some()
    }

    /// Asks the server for the topics that are wanted and that it does not know of: from where they were, if that is known.
    pub(super) fn ask_for_topics(&mut self, cx: &mut Cx<'_, P>) {
        self.watch_topics(cx);
        let Phase::Up { socket, .. } = self.phase else {
            return;
        };
        // What a stream brings, its url says.
        if cx.now < self.topics.gather_until || self.is_on_stream() {
            return;
        }
        let can_resume = self.can_resume();
        let (mut fresh, mut resumed) = (Vec::new(), Vec::new());
        for no in self.topics.unasked() {
            match self.topics.resume(no).filter(|_| can_resume) {
                Some(from) => resumed.push((no, Some(from))),
                None => fresh.push((no, None)),
            }
        }
        for (topics, is_resumed) in [(fresh, false), (resumed, true)] {
            let (alone, together): (Vec<_>, Vec<_>) = topics
                .into_iter()
                .partition(|(no, _)| self.topics.is_alone(*no));
            let template = self.template.as_ref();
            let form = template.and_then(|own| own.asking(is_resumed));
            let most = form.map_or(1, most_topics);
            for topics in alone.chunks(1).chain(together.chunks(most)) {
                self.ask_for(topics, is_resumed, socket, cx);
            }
        }
        self.watch_topics(cx);
    }

    fn ask_for(
        &mut self,
        topics: &[(TopicNo, Option<Position>)],
        is_resumed: bool,
        socket: SocketId,
        cx: &mut Cx<'_, P>,
    ) {
        let Some(template) = &self.template else {
            return;
        };
        let Some(form) = template.asking(is_resumed) else {
            return;
        };
        let id = self.topics.next_id();
        let names = topics.iter().filter_map(|(no, _)| self.topics.get(*no));
        let names: Vec<_> = names.map(|topic| topic.name.as_str()).collect();
        let positions = topics.iter().flat_map(|(_, position)| position);
        let positions: Vec<_> = positions.map(Position::spelled).collect();
        let with = Filling {
            topics: &names,
            positions: &positions,
            id,
            ..Filling::default()
        };
        self.put(socket, self.fill(form, with), cx);
        let is_answered = form.has(&Hole::Id) && template.has_answers();
        let topics: Vec<_> = topics.iter().map(|(no, _)| *no).collect();
        if is_answered {
            self.topics.set_stage(&topics, Stage::Asked);
            self.topics.wait_for(id, topics, cx.now);
        } else {
            self.topics.set_stage(&topics, Stage::On);
        }
    }

    /// Some messages of a topic do not come: to one tab, or to any.
    pub(super) fn tell_missed(
        &mut self,
        no: TopicNo,
        only: Option<PortId>,
        (from, to): (&Position, Option<&Position>),
        loss: Loss,
    ) {
        for want in self.topics.one_for_each_handle(no) {
            if only.is_none_or(|port| want.of.0 == port) {
                self.tell_missed_by((want.of, want.sub), (Some(from), to), loss);
            }
        }
    }

    pub(super) fn tell_missed_by(
        &mut self,
        (of, number): (Of, u32),
        (from, to): (Option<&Position>, Option<&Position>),
        loss: Loss,
    ) {
        if let Some(from) = from.filter(|_| of.0 == UPWARD) {
            self.send_upward(Upward::Missed(number, from.clone(), to.cloned(), loss));
            return;
        }
        let note = HubMessage::Missed {
            handle: of.1,
            number,
            from: from.map(|from| from.spelled().into()),
            to: to.map(|to| to.spelled().into()),
            loss,
        };
        self.fanout.push_note_to(of.0, note);
    }

    /// Whether a new socket gets all that the one before may have missed.
    pub(super) fn is_resumable(&self) -> bool {
        self.can_resume() && self.topics.are_resumable()
    }

    /// Whether the server can be asked to go on from a position. Then tabs know how far they are.
    pub(super) fn can_resume(&self) -> bool {
        let template = self.template.as_ref();
        template.is_some_and(|own| own.resume.is_some())
    }

    /// The server gives nothing of a topic: whoever wants it is told.
    pub(super) fn refuse_topic(&mut self, no: TopicNo, code: RequestError, detail: &str) {
        for want in self.topics.refuse(no) {
            self.tell_unsubscribed(want.of, want.sub, code, detail);
        }
        self.fanout.forget_topic(no);
    }

    fn tell_unsubscribed(&mut self, of: Of, number: u32, code: RequestError, detail: &str) {
        if of.0 == UPWARD {
            self.send_upward(Upward::Refused(number, code, detail.into()));
            return;
        }
        let note = HubMessage::Unsubscribed {
            handle: of.1,
            number,
            code,
            detail: detail.into(),
        };
        self.fanout.push_note_to(of.0, note);
    }

    /// Sets the timer of the topics.
    pub(super) fn watch_topics(&mut self, cx: &mut Cx<'_, P>) {
        let singles = self.topics.singles.as_ref();
        let handed_on = singles.map_or(Time::NEVER, |singles| singles.next_deadline());
        let at = self.topics.next_deadline(self.linger, cx.now);
        let at = at.min(handed_on);
        self.set_timer(TimerReason::Topics, at, cx);
    }
}

/// How many topics go into a frame of a form.
fn most_topics(form: &Form) -> usize {
    if form.has(&Hole::Topics) || form.has(&Hole::Positions) {
        MOST_TOPICS
    } else {
        1
    }
}
