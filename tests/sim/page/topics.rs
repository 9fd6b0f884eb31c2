//! The topics of a handle, by the letter of `www/client/topics.ts`.

use std::collections::BTreeMap;
use std::rc::Rc;

use core::time::Duration;

use serde_json::{Value, json};
use tabwire::protocol::{ConnId, HandleId, Millis, RequestError, Subscription, TabMessage};

use super::ear::Ear;
use crate::frame::Frame;
use crate::invariants::{Check, Held};
use crate::topics::{Message, TopicNo};

/// What it listens to, and what it has asked.
#[derive(Debug)]
pub struct Topics {
    has_positions: bool,
    /// Whether there have been messages without a topic, which nothing brings back.
    has_others: bool,
    entries: BTreeMap<u32, Listening>,
    asked: BTreeMap<u32, Asked>,
    /// What has been settled, by the number at the hub: the number in the world, and how.
    settled: BTreeMap<u32, (u32, Outcome)>,
    fresh: Vec<u32>,
    gone: Vec<u32>,
    last: u32,
    is_moved: bool,
    /// The connection by which messages come.
    current: Option<ConnId>,
}

#[derive(Debug)]
struct Listening {
    topic: TopicNo,
    replay: u32,
    /// What the hub marks the messages of its topic with, once it has said so.
    place: Option<u32>,
    /// The last message that its listener was called with, if there are positions.
    last: Option<Rc<Message>>,
    ear: Ear,
}

/// A request by its number in the world.
#[derive(Debug)]
struct Asked {
    number: u32,
    patience: Duration,
    is_posted: bool,
}

/// How a request has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With its answer.
    Answered,
    /// With the error that the server answers.
    Refused,
    /// The page has waited long enough.
    GivenUp,
    /// The page has lost the hub, or the connection.
    Lost,
    /// The handle has ended.
    Closed,
    /// The hub says why.
    Unanswered(RequestError),
}

/// A handle listens to no more than this.
const MOST_ENTRIES: usize = 12;
/// What a message without a topic is marked with.
const NONE: u32 = u32::MAX;

impl Topics {
    /// Of a handle whose server has positions or not.
    pub fn new(has_positions: bool) -> Self {
        Self {
            has_positions,
            has_others: false,
            entries: BTreeMap::new(),
            asked: BTreeMap::new(),
            settled: BTreeMap::new(),
            fresh: Vec::new(),
            gone: Vec::new(),
            last: 0,
            is_moved: false,
            current: None,
        }
    }

    /// Its listeners.
    pub fn listening(&self) -> impl Iterator<Item = &Ear> {
        self.entries.values().map(|entry| &entry.ear)
    }

    /// What has become of its requests.
    pub fn outcomes(&self) -> impl Iterator<Item = (u32, Option<Outcome>)> {
        let settled = self.settled.values();
        let settled = settled.map(|(number, outcome)| (*number, Some(*outcome)));
        settled.chain(self.asked.values().map(|asked| (asked.number, None)))
    }

    /// Starts to listen.
    pub fn subscribe(&mut self, topic: TopicNo, replay: u32) {
        if self.entries.len() >= MOST_ENTRIES {
            return;
        }
        self.last += 1;
        let entry = Listening {
            topic,
            replay,
            place: None,
            last: None,
            ear: Ear::new(topic, self.has_positions),
        };
        self.entries.insert(self.last, entry);
        self.fresh.push(self.last);
    }

    /// Ends one of the subscriptions.
    pub fn unsubscribe(&mut self, number: u8) {
        let index = usize::from(number) % self.entries.len().max(1);
        if let Some(number) = self.entries.keys().nth(index).copied() {
            self.entries.remove(&number);
            self.gone.push(number);
        }
    }

    /// Asks the server. Gives the number at the hub.
    pub fn ask(&mut self, number: u32, patience: Duration) -> u32 {
        self.last += 1;
        let asked = Asked {
            number,
            patience,
            is_posted: false,
        };
        self.asked.insert(self.last, asked);
        self.last
    }

    /// Waits for an answer no longer. Tells whether the hub has been asked.
    pub fn give_up(&mut self, number: u32) -> bool {
        let is_posted = self.asked.get(&number).is_some_and(|asked| asked.is_posted);
        self.settle(number, Outcome::GivenUp);
        is_posted
    }

    /// What is to be posted, while it is attached.
    pub fn flush(&mut self, handle: HandleId, conn: ConnId) -> Vec<TabMessage<Frame>> {
        let mut posted = Vec::new();
        let wanted: Vec<_> = core::mem::take(&mut self.fresh)
            .into_iter()
            .filter_map(|number| {
                let entry = self.entries.get(&number)?;
                Some(Subscription {
                    number,
                    topic: entry.topic.name(),
                    replay: entry.replay,
                    last: entry.last.as_ref().map(|message| message.text.to_string()),
                    is_conflated: false,
                    is_single: false,
                })
            })
            .collect();
        let numbers = core::mem::take(&mut self.gone);
        if !numbers.is_empty() {
            posted.push(TabMessage::Unsubscribe {
                handle,
                conn,
                numbers,
            });
        }
        if !wanted.is_empty() {
            posted.push(TabMessage::Subscribe {
                handle,
                conn,
                subscriptions: wanted,
            });
        }
        for (number, asked) in self.asked.iter_mut().filter(|(_, asked)| !asked.is_posted) {
            asked.is_posted = true;
            posted.push(TabMessage::Request {
                handle,
                conn,
                number: *number,
                data: asked.number.to_string(),
                timeout: Millis::from_millis(asked.patience.as_millis() as u64),
            });
        }
        posted
    }

    /// Whether the next hub gets all that comes while there is none.
    pub fn is_covered(&self) -> bool {
        let mut entries = self.entries.values();
        self.has_positions && !self.has_others && entries.all(|entry| entry.last.is_some())
    }

    /// The hub is gone. Tells whether something is in doubt that only this knows of.
    pub fn lose_hub(&mut self) -> bool {
        let is_in_doubt = self.is_moved && self.has_positions && !self.is_covered();
        self.lose();
        is_in_doubt
    }

    /// How far its listeners of each topic are.
    pub fn ears(&mut self) -> impl Iterator<Item = &mut Ear> {
        self.entries.values_mut().map(|entry| &mut entry.ear)
    }

    /// The handle has ended.
    pub fn stop(&mut self) {
        for number in self.asked.keys().copied().collect::<Vec<_>>() {
            self.settle(number, Outcome::Closed);
        }
        self.lose();
    }

    /// The user is told of a gap, or that its tab is slow.
    pub fn tell_gap(&mut self, is_slow: bool) {
        for entry in self.entries.values_mut() {
            entry.ear.tell(is_slow);
        }
    }

    /// The hub has the handle on this connection.
    pub fn hear_attached(&mut self, conn: ConnId) {
        if self.current != Some(conn) {
            self.lose();
        }
        self.current = Some(conn);
        self.fresh = self.entries.keys().copied().collect();
    }

    /// The connection is as it is.
    pub fn hear_status(&mut self, conn: ConnId, is_moved: bool) {
        if self.current == Some(conn) {
            self.is_moved = is_moved;
        }
    }

    /// From here on a subscription gets what is marked so; this has come before.
    pub fn hear_subscribed(&mut self, number: u32, frames: &[Frame], mark: u32) -> Held {
        let has_positions = self.has_positions;
        let Some(entry) = self.entries.get_mut(&number) else {
            return Ok(());
        };
        entry.place = Some(mark);
        for frame in frames {
            entry.hear(frame, true, has_positions)?;
        }
        Ok(())
    }

    /// A subscription has ended.
    pub fn hear_unsubscribed(&mut self, number: u32, code: RequestError) -> Held {
        let Some(entry) = self.entries.remove(&number) else {
            return Ok(());
        };
        let holds = match code {
            RequestError::Refused => entry.topic.is_refused(),
            RequestError::Timeout => true,
            RequestError::Lost | RequestError::Unsupported | RequestError::Full => false,
        };
        Check::RefusalsAreJustified.require(holds, || {
            format!("{:?} is ended with {code:?}", entry.topic)
        })
    }

    /// Some messages of a topic are not had.
    pub fn hear_missed(&mut self, number: u32) {
        let Some(topic) = self.entries.get(&number).map(|entry| entry.topic) else {
            return;
        };
        for entry in self.entries.values_mut() {
            if entry.topic == topic {
                entry.ear.tell(false);
            }
        }
    }

    /// The server has answered.
    pub fn hear_answered(&mut self, number: u32, frame: &Frame) -> Held {
        self.check_unsettled(number)?;
        let Some(asked) = self.asked.get(&number) else {
            return Ok(());
        };
        let Frame::Text(text) = frame else {
            return Err(Check::RequestsGetTheirAnswer.breach(format!("{frame:?}")));
        };
        let answer: Value = serde_json::from_str(text).unwrap_or_default();
        let own = json!(asked.number);
        let outcome = if answer["error"] == own {
            Outcome::Refused
        } else {
            Outcome::Answered
        };
        Check::RequestsGetTheirAnswer
            .require(outcome == Outcome::Refused || answer["data"] == own, || {
                format!("request {own} is answered with {text}")
            })?;
        self.settle(number, outcome);
        Ok(())
    }

    /// There is no answer.
    pub fn hear_unanswered(&mut self, number: u32, code: RequestError) -> Held {
        self.check_unsettled(number)?;
        let holds = matches!(code, RequestError::Timeout | RequestError::Lost);
        Check::RequestsGetTheirAnswer.require(holds, || format!("{number}: {code:?}"))?;
        self.settle(number, Outcome::Unanswered(code));
        Ok(())
    }

    /// Messages of a connection have come.
    pub fn hear(&mut self, conn: ConnId, frames: &[Frame], marks: Option<&[u32]>) -> Held {
        let has_places = self.entries.values().any(|entry| entry.place.is_some());
        if self.current != Some(conn) || !(has_places || self.has_positions) {
            return Ok(());
        }
        let has_positions = self.has_positions;
        for (index, frame) in frames.iter().enumerate() {
            let mark = marks.and_then(|marks| marks.get(index).copied());
            self.has_others |= mark.unwrap_or(NONE) == NONE;
            let Some(mark) = mark else {
                continue;
            };
            let entries = self.entries.values_mut();
            for entry in entries.filter(|entry| entry.place == Some(mark)) {
                entry.hear(frame, false, has_positions)?;
            }
        }
        Ok(())
    }

    /// The hub settles a request once, unless the page has done so before.
    fn check_unsettled(&self, number: u32) -> Held {
        let settled = self.settled.get(&number).map(|(_, outcome)| *outcome);
        let by_page = [Outcome::GivenUp, Outcome::Lost, Outcome::Closed];
        let holds = settled.is_none_or(|outcome| by_page.contains(&outcome));
        Check::RequestsSettleOnce.require(holds, || format!("{number} is settled twice"))
    }

    fn settle(&mut self, number: u32, outcome: Outcome) {
        if let Some(asked) = self.asked.remove(&number) {
            self.settled.insert(number, (asked.number, outcome));
        }
    }

    /// The hub, or the connection that it had, is gone, and what they knew.
    fn lose(&mut self) {
        self.current = None;
        self.is_moved = false;
        for entry in self.entries.values_mut() {
            entry.place = None;
        }
        let posted = self.asked.iter().filter(|(_, asked)| asked.is_posted);
        for number in posted.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.settle(number, Outcome::Lost);
        }
    }
}

impl Listening {
    fn hear(&mut self, frame: &Frame, is_kept: bool, has_positions: bool) -> Held {
        let Frame::Message(message) = frame else {
            let detail = format!("a listener of {:?} hears {frame:?}", self.topic);
            return Err(Check::ListenersHearTheirTopic.breach(detail));
        };
        if has_positions {
            self.last = Some(Rc::clone(message));
        }
        self.ear.hear(message, is_kept)
    }
}
