//! Messages for one tab alone: handed to the best, and on to the next if that one is gone or says nothing.

use core::time::Duration;

use litemap::LiteMap;

use super::connection::{Connection, Cx};
use super::flow::{Parcel, ParcelKind};
use super::io::{Payload, PortId};
use super::tabs::Mode;
use super::topics::{Of, Topic, TopicNo, Want};
use crate::protocol::Loss;
use crate::time::Time;

/// How long a tab has to say that it has dealt with a message.
pub const SETTLE_WITHIN: Duration = Duration::from_secs(5);
/// Messages that wait for that, or for a tab. The oldest is given up for one more.
const MOST: usize = 1000;

/// Messages that nobody has dealt with.
#[derive(Debug)]
pub struct Singles<P> {
    waiting: LiteMap<u32, Single<P>>,
    last: u32,
}

/// A message that nobody has dealt with.
#[derive(Debug)]
struct Single<P> {
    topic: TopicNo,
    frame: P,
    at: Time,
    /// Who has it.
    holder: Option<Want>,
    /// The tabs that have been given it. Any of them may still deal with it.
    given: Vec<PortId>,
    until: Time,
}

impl<P> Default for Singles<P> {
    fn default() -> Self {
        Self {
            waiting: LiteMap::new(),
            last: 0,
        }
    }
}

impl<P> Singles<P> {
    /// When the next message is handed on.
    pub fn next_deadline(&self) -> Time {
        let deadlines = self.waiting.values().map(|single| single.until);
        deadlines.min().unwrap_or(Time::NEVER)
    }

    /// Those of which this is so.
    fn which(&self, is_meant: impl Fn(&Single<P>) -> bool) -> Vec<u32> {
        let meant = self.waiting.iter().filter(|(_, single)| is_meant(single));
        meant.map(|(id, _)| *id).collect()
    }
}

impl<P: Payload> Single<P> {
    fn hand(&mut self, id: u32, topic: &Topic<P>, cx: &Cx<'_, P>) -> Option<(PortId, Parcel<P>)> {
        self.until = cx.now + SETTLE_WITHIN;
        self.holder.take_if(|holder| !topic.wants.contains(holder));
        let candidates = topic.wants.iter().filter(|want| {
            let port = want.of.0;
            want.is_single && !self.given.contains(&port) && cx.tabs.mode(port) != Mode::Suspended
        });
        let best = candidates.max_by_key(|want| cx.tabs.rank(want.of.0, (want.of.1, want.sub)))?;
        let is_again = !self.given.is_empty();
        self.holder = Some(*best);
        self.given.push(best.of.0);
        let parcel = Parcel {
            handle: best.of.1,
            number: best.sub,
            kind: ParcelKind::Single { id, is_again },
            topic: self.topic,
            frames: vec![(self.frame.clone(), self.at)],
        };
        Some((best.of.0, parcel))
    }
}

impl<P: Payload> Connection<P> {
    /// Hands a message to one of those that want it alone, if there are such.
    pub(super) fn hand_single(&mut self, topic: TopicNo, frame: &P, cx: &mut Cx<'_, P>) {
        if !self.topics.has_singles(topic) {
            return;
        }
        let singles = self.topics.singles.get_or_insert_with(Box::default);
        singles.last = singles.last.wrapping_add(1);
        let id = singles.last;
        let single = Single {
            topic,
            frame: frame.clone(),
            at: cx.now,
            holder: None,
            given: Vec::new(),
            until: cx.now + SETTLE_WITHIN,
        };
        let oldest = singles.waiting.keys().next().copied();
        let oldest = oldest.filter(|_| singles.waiting.len() >= MOST);
        singles.waiting.insert(id, single);
        if let Some(oldest) = oldest {
            self.give_up_single(oldest);
        }
        self.hand(id, cx);
        self.watch_topics(cx);
    }

    /// A tab has dealt with a message.
    pub fn settle_single(&mut self, (port, _): Of, id: u32, cx: &mut Cx<'_, P>) {
        if let Some(topics) = self.topics.made()
            && let Some(singles) = &mut topics.singles
            && let Some(single) = singles.waiting.get(&id)
            && single.given.contains(&port)
        {
            singles.waiting.remove(&id);
            self.watch_topics(cx);
        }
    }

    /// Hands on what nobody has, what has been with a tab for too long, and what this tab has if it can be handed on.
    pub(super) fn hand_on(&mut self, port: Option<PortId>, cx: &mut Cx<'_, P>) {
        let Some(singles) = &self.topics.singles else {
            return;
        };
        let topics = &self.topics;
        let ids = singles.which(|single| {
            let holder = single.holder.as_ref();
            let has_it =
                |holder: &Want| topics.has_want(single.topic, holder) && Some(holder.of.0) != port;
            single.until <= cx.now || !holder.is_some_and(has_it)
        });
        if ids.is_empty() {
            return;
        }
        for id in ids {
            self.hand(id, cx);
        }
        self.watch_topics(cx);
        self.flush(cx);
    }

    /// Gives a message to the best tab that has not had it. Without one it stays where it is; without its topic it is given up.
    fn hand(&mut self, id: u32, cx: &mut Cx<'_, P>) {
        let topics = self.topics.made();
        let Some(mut singles) = topics.and_then(|topics| topics.singles.take()) else {
            return;
        };
        let single = singles.waiting.get_mut(&id);
        let topic = single.and_then(|single| Some((self.topics.get(single.topic)?, single)));
        let is_given_up = topic.is_none();
        let parcel = topic.and_then(|(topic, single)| single.hand(id, topic, cx));
        self.topics.singles = Some(singles);
        if let Some((port, parcel)) = parcel {
            self.fanout.push_parcel(port, parcel);
        } else if is_given_up {
            self.give_up_single(id);
        }
    }

    /// Nobody deals with a message any more.
    fn give_up_single(&mut self, id: u32) {
        let topics = self.topics.made();
        let singles = topics.and_then(|topics| topics.singles.as_mut());
        if let Some(single) = singles.and_then(|singles| singles.waiting.remove(&id)) {
            self.counters.rare.untaken += 1;
            for want in self.topics.one_for_each_handle(single.topic) {
                self.tell_missed_by((want.of, want.sub), (None, None), Loss::NotTaken);
            }
        }
    }
}
