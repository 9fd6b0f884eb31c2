//! The server's topics: who has subscribed to which, what it remembers of each, and what it answers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::message::{Message, TopicNo};
use super::speech::Speech;
use crate::frame::{Frame, HandleNo, SendNo};
use crate::invariants::{Check, Held};
use crate::link::LinkId;

/// The topics of all identities.
#[derive(Debug)]
pub struct Broker {
    speech: Speech,
    rooms: BTreeMap<(usize, TopicNo), Room>,
    eras: BTreeMap<usize, u32>,
    subscribed: BTreeMap<LinkId, BTreeSet<TopicNo>>,
    asked: BTreeSet<u64>,
    held: Held,
}

/// A topic of an identity.
#[derive(Debug, Default)]
struct Room {
    said: u64,
    last: u64,
    history: VecDeque<Rc<Message>>,
}

/// What the server says, and to whom.
pub type Said = Vec<(LinkId, Frame)>;

impl Broker {
    /// One that remembers nothing yet.
    pub fn new(speech: Speech) -> Self {
        Self {
            speech,
            rooms: BTreeMap::new(),
            eras: BTreeMap::new(),
            subscribed: BTreeMap::new(),
            asked: BTreeSet::new(),
            held: Ok(()),
        }
    }

    /// Whether nothing has come that should not.
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// What a connection has subscribed to.
    pub fn subscribed(&self, link: LinkId) -> impl Iterator<Item = TopicNo> {
        self.subscribed.get(&link).into_iter().flatten().copied()
    }

    /// How many messages of a topic there were.
    pub fn said(&self, identity: usize, topic: TopicNo) -> u64 {
        self.rooms
            .get(&(identity, topic))
            .map_or(0, |room| room.said)
    }

    /// A connection is gone.
    pub fn leave(&mut self, link: LinkId) {
        self.subscribed.remove(&link);
    }

    /// All that is remembered of an identity is gone.
    pub fn forget(&mut self, identity: usize) {
        *self.eras.entry(identity).or_default() += 1;
        for ((own, _), room) in &mut self.rooms {
            if *own == identity {
                room.last = 0;
                room.history.clear();
            }
        }
    }

    /// A message of a topic, for all who have subscribed.
    pub fn say(&mut self, identity: usize, topic: TopicNo, links: &[LinkId]) -> Said {
        let era = self.eras.get(&identity).copied().unwrap_or_default();
        let room = self.rooms.entry((identity, topic)).or_default();
        room.said += 1;
        room.last += 1;
        let position = self.speech.spell(room.last);
        let (name, said) = (topic.name(), room.said);
        let text =
            format!(r#"{{"type":"message","topic":"{name}","seq":{position},"data":{said}}}"#);
        let message = Rc::new(Message {
            topic,
            ordinal: room.said,
            era,
            position: room.last,
            text: text.into(),
        });
        room.history.push_back(Rc::clone(&message));
        if room.history.len() > self.speech.history {
            room.history.pop_front();
        }
        let has_it = |link: &&LinkId| {
            let own = self.subscribed.get(link);
            own.is_some_and(|topics| topics.contains(&topic))
        };
        let links = links.iter().filter(has_it);
        links
            .map(|link| (*link, Frame::Message(Rc::clone(&message))))
            .collect()
    }

    /// Something has come from a connection. Gives what it is, if it was published, and what is answered.
    pub fn handle(
        &mut self,
        (identity, link): (usize, LinkId),
        text: &str,
        links: &[LinkId],
    ) -> (Option<SendNo>, Said) {
        let frame: Value = serde_json::from_str(text).expect("what the hub sends is JSON");
        let said = match frame["type"].as_str().expect("a type") {
            "ping" => vec![(link, Frame::Text(r#"{"type":"pong"}"#.into()))],
            "authenticate" => Vec::new(),
            "subscribe" => {
                let topics = names(&frame["topics"]).map(|topic| (topic, None));
                self.take(identity, link, &frame["id"], topics.collect())
            }
            "resume" => {
                let topics = frame["positions"].as_object().expect("positions");
                let topics = topics.iter().map(|(name, position)| {
                    let topic = TopicNo::of(name).expect("a topic");
                    (topic, Some(Speech::read(position)))
                });
                self.take(identity, link, &frame["id"], topics.collect())
            }
            "unsubscribe" => {
                let own = self.subscribed.entry(link).or_default();
                for topic in names(&frame["topics"]) {
                    own.remove(&topic);
                }
                Vec::new()
            }
            "publish" => {
                let topic = frame["topic"].as_str().and_then(TopicNo::of);
                let send = SendNo {
                    handle: HandleNo(frame["data"][0].as_u64().expect("a handle") as u32),
                    number: frame["data"][1].as_u64().expect("a number"),
                };
                return (
                    Some(send),
                    self.say(identity, topic.expect("a topic"), links),
                );
            }
            "request" => self.answer(link, &frame),
            other => {
                self.fail(Check::TopicsAreAskedOnce, format!("{other} is sent"));
                Vec::new()
            }
        };
        (None, said)
    }

    /// Subscribes a connection to topics, from a position on or from now on. One that cannot be had spoils all of them.
    fn take(
        &mut self,
        identity: usize,
        link: LinkId,
        id: &Value,
        topics: Vec<(TopicNo, Option<u64>)>,
    ) -> Said {
        let own = self.subscribed.entry(link).or_default();
        let known = topics.iter().find(|(topic, _)| own.contains(topic));
        if let Some((topic, _)) = known {
            let detail = format!("{topic:?} is subscribed to twice on {link:?}");
            self.fail(Check::TopicsAreAskedOnce, detail);
            return Vec::new();
        }
        let is_full = self.speech.most;
        let is_full = is_full.is_some_and(|most| own.len() + topics.len() > most);
        if is_full {
            let detail = format!("{topics:?} are too many for {link:?}, which has {own:?}");
            self.fail(Check::TopicsAreAskedOnce, detail);
        }
        let refuses = topics.iter().any(|(topic, _)| topic.is_refused());
        let can = |(topic, from): &(TopicNo, Option<u64>)| {
            from.is_none_or(|from| {
                self.goes_on(identity, *topic, from) || self.passes(identity, *topic, from)
            })
        };
        let is_old = !topics.iter().all(can) && self.speech.errs_on_old;
        if self.speech.answers && (refuses || is_old || is_full) {
            let error = json!({ "type": "answer", "id": id, "error": "it cannot be had" });
            return vec![(link, Frame::Text(error.to_string().into()))];
        }
        let (mut positions, mut recovered, mut missed) = (Map::new(), Map::new(), Vec::new());
        for (topic, from) in &topics {
            let last = self.rooms.entry((identity, *topic)).or_default().last;
            let is_passed = from.is_some_and(|from| self.passes(identity, *topic, from));
            if self.speech.says_positions && !is_passed {
                positions.insert(topic.name(), self.speech.spell(last));
            }
            if let Some(from) = from {
                let goes_on = self.goes_on(identity, *topic, *from);
                if !self.speech.errs_on_old && !self.passes(identity, *topic, *from) {
                    recovered.insert(topic.name(), goes_on.into());
                }
                let first = from + u64::from(!self.speech.repeats);
                let history = self.rooms[&(identity, *topic)].history.iter();
                let later =
                    history.filter(|message| goes_on && message.position >= first.max(*from));
                missed.extend(later.map(|message| (link, Frame::Message(Rc::clone(message)))));
            }
        }
        let own = self.subscribed.entry(link).or_default();
        own.extend(topics.iter().map(|(topic, _)| *topic));
        if !self.speech.answers {
            return missed;
        }
        let mut answer = json!({ "type": "answer", "id": id });
        if !positions.is_empty() {
            answer["positions"] = positions.into();
        }
        if !recovered.is_empty() {
            answer["recovered"] = recovered.into();
        }
        let answer = (link, Frame::Text(answer.to_string().into()));
        let at = if self.speech.is_eager {
            missed.len()
        } else {
            0
        };
        missed.insert(at, answer);
        missed
    }

    /// Whether it has all that came after a position.
    fn goes_on(&self, identity: usize, topic: TopicNo, from: u64) -> bool {
        let Some(room) = self.rooms.get(&(identity, topic)) else {
            return from == 0;
        };
        let oldest = room.history.front();
        let oldest = oldest.map_or(room.last + 1, |oldest| oldest.position);
        from + 1 >= oldest && from <= room.last
    }

    /// Whether it says nothing of a position, since it has not come to that.
    fn passes(&self, identity: usize, topic: TopicNo, from: u64) -> bool {
        let room = self.rooms.get(&(identity, topic));
        self.speech.is_silent && room.is_none_or(|room| from > room.last)
    }

    /// Some requests are never answered, some with an error.
    fn answer(&mut self, link: LinkId, frame: &Value) -> Said {
        let number = frame["data"].as_u64().expect("the number of a request");
        if !self.asked.insert(number) {
            self.fail(
                Check::RequestsSettleOnce,
                format!("request {number} comes twice"),
            );
        }
        let answer = match number % 8 {
            0 => return Vec::new(),
            1 => json!({ "type": "answer", "id": frame["id"], "error": number }),
            _ => json!({ "type": "answer", "id": frame["id"], "data": number }),
        };
        vec![(link, Frame::Text(answer.to_string().into()))]
    }

    fn fail(&mut self, check: Check, detail: String) {
        if self.held.is_ok() {
            self.held = Err(check.breach(detail));
        }
    }
}

fn names(value: &Value) -> impl Iterator<Item = TopicNo> {
    let names = value.as_array().into_iter().flatten();
    names.map(|name| name.as_str().and_then(TopicNo::of).expect("a topic"))
}
