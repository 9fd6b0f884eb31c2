//! What a frame means.

use std::borrow::Cow;

use core::time::Duration;

use super::json::{Cursor, Stop, members, text_of};
use super::pointer::Seek;
use super::template::Template;

/// When a frame is of a kind, and what it says then. The numbers are places among the pointers of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The kind.
    pub kind: Kind,
    /// What has to be so.
    pub when: Vec<(usize, Test)>,
    /// The topic or the id. Without it the frame is not of the kind.
    pub key: Option<usize>,
    /// The position of a message or in an answer, the delay of a reconnect.
    pub more: Option<usize>,
    /// Whether what was asked for has been recovered.
    pub recovered: Option<usize>,
    /// The error of an answer.
    pub error: Option<usize>,
}

/// A kind of frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message of a topic.
    Message,
    /// An answer to what was sent with an id.
    Answer,
    /// The pong.
    Pong,
    /// The server wants the client to reconnect.
    Reconnect,
}

/// What a value has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// Anything, if it is there.
    Any,
    /// This text.
    Text(String),
    /// A number or word, in this spelling.
    Spelled(String),
}

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading<'a> {
    /// A message of a topic, and its position as it is spelled.
    Message(Cow<'a, str>, Option<&'a str>),
    /// An answer.
    Answer(Answered<'a>),
    /// The pong.
    Pong,
    /// The client shall reconnect, after this long.
    Reconnect(Option<Duration>),
    /// Something else, which is for everybody.
    Other,
    /// It is not JSON, as far as it was read.
    Malformed,
    /// What was given of it is not enough.
    Unfinished,
}

/// An answer, as it is spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answered<'a> {
    /// What was sent with this id is answered.
    pub id: &'a str,
    /// The error that it is, if it is one.
    pub error: Option<&'a str>,
    /// The position of the topic that was asked for, or of each.
    pub position: Option<&'a str>,
    /// Whether it goes on where it was asked to, or each does.
    pub recovered: Option<&'a str>,
}

impl Rule {
    /// A rule for every frame.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            when: Vec::new(),
            key: None,
            more: None,
            recovered: None,
            error: None,
        }
    }

    /// Whether a frame with these values is of the kind; nothing while that depends on values that have not come.
    fn holds(&self, found: &[Option<&str>], is_end: bool) -> Option<bool> {
        let value = |slot: usize| found.get(slot).copied().flatten();
        let mut waits = false;
        for (slot, test) in &self.when {
            match value(*slot) {
                Some(value) if !test.holds(value) => return Some(false),
                Some(_) => {}
                None => waits = true,
            }
        }
        waits |= self.key.is_some_and(|slot| value(slot).is_none());
        match (waits, is_end) {
            (false, _) => Some(true),
            (true, true) => Some(false),
            (true, false) => None,
        }
    }

    /// Whether all that it reads has come.
    fn is_complete(&self, found: &[Option<&str>]) -> bool {
        [self.more, self.recovered, self.error]
            .into_iter()
            .flatten()
            .all(|slot| found.get(slot).is_some_and(Option::is_some))
    }
}

impl Test {
    /// Reads what a value has to be: `"{any}"`, another text, a number or a word.
    pub fn parse(value: &str) -> Option<Self> {
        match text_of(value) {
            Some(text) if text == "{any}" => Some(Self::Any),
            Some(text) => Some(Self::Text(text.into_owned())),
            None if value.starts_with(['{', '[']) => None,
            None => Some(Self::Spelled(value.into())),
        }
    }

    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Text(text) => text_of(value).is_some_and(|value| value == *text),
            Self::Spelled(spelled) => value == spelled,
        }
    }
}

impl Template {
    /// Reads a frame, or its head, no further than the first rule that holds needs.
    pub fn read<'a>(&self, text: &'a str, is_whole: bool) -> Reading<'a> {
        let mut found = vec![None; self.pointers.len()];
        let mask = 1_u64
            .checked_shl(self.pointers.len() as u32)
            .map_or(u64::MAX, |bit| bit - 1);
        let mut seek = Seek {
            pointers: &self.pointers,
            found: &mut found,
            is_enough: &|found| {
                self.decide(found, false)
                    .is_some_and(|rule| rule.is_none_or(|rule| rule.is_complete(found)))
            },
        };
        match seek.walk(&mut Cursor::new(text, is_whole), 0, mask) {
            Err(Stop::Ended) if !is_whole => return Reading::Unfinished,
            Err(Stop::Malformed | Stop::Ended) => return Reading::Malformed,
            Ok(_) => {}
        }
        match self.decide(&found, true).flatten() {
            Some(rule) => rule.reading(&found),
            None => Reading::Other,
        }
    }

    /// The rule that holds, if one does; nothing while that is not clear.
    fn decide(&self, found: &[Option<&str>], is_end: bool) -> Option<Option<&Rule>> {
        for rule in &self.rules {
            if rule.holds(found, is_end)? {
                return Some(Some(rule));
            }
        }
        Some(None)
    }
}

impl Rule {
    fn reading<'a>(&self, found: &[Option<&'a str>]) -> Reading<'a> {
        let value = |slot: Option<usize>| slot.and_then(|slot| found.get(slot).copied().flatten());
        let (key, more) = (value(self.key).unwrap_or_default(), value(self.more));
        match self.kind {
            Kind::Message => match text_of(key) {
                Some(topic) => Reading::Message(topic, more),
                None => Reading::Message(Cow::Borrowed(key), more),
            },
            Kind::Answer => Reading::Answer(Answered {
                id: key,
                error: value(self.error).filter(|error| is_something(error)),
                position: more,
                recovered: value(self.recovered),
            }),
            Kind::Pong => Reading::Pong,
            Kind::Reconnect => {
                // Whole milliseconds: to read other numbers would cost more than all the rest.
                let millis = more.and_then(|delay| delay.parse().ok());
                Reading::Reconnect(millis.map(Duration::from_millis))
            }
        }
    }
}

/// Whether a value says more than that there is nothing.
pub fn is_something(value: &str) -> bool {
    !["null", "false", "\"\"", "0"].contains(&value)
}

/// The part of a value that is about this topic: all of it, unless it is an object with a member for each.
pub fn part_of<'a>(value: &'a str, topic: &str) -> Option<&'a str> {
    match members(value) {
        None => Some(value),
        Some(members) => {
            let mut own = members.into_iter().filter(|(name, _)| name == topic);
            own.next().map(|(_, value)| value)
        }
    }
}
