//! Messages of topics, as the server numbers them and as they truly follow each other.

use std::rc::Rc;

/// A topic of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicNo(pub u8);

/// Topics from here on are refused.
const REFUSED: u8 = 200;

impl TopicNo {
    /// One that the server gives to nobody.
    pub fn refused(number: u8) -> Self {
        Self(REFUSED + number % 2)
    }

    /// Whether the server gives it to nobody.
    pub fn is_refused(self) -> bool {
        self.0 >= REFUSED
    }

    /// Its name.
    pub fn name(self) -> String {
        format!("t{}", self.0)
    }

    /// The topic with this name.
    pub fn of(name: &str) -> Option<Self> {
        name.strip_prefix('t')?.parse().ok().map(Self)
    }
}

/// A message of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Of which.
    pub topic: TopicNo,
    /// Its place among all that there were of this topic, whatever the server remembers.
    pub ordinal: u64,
    /// How often the server had forgotten everything before.
    pub era: u32,
    /// Its position.
    pub position: u64,
    /// What is sent.
    pub text: Rc<str>,
}
