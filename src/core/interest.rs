//! Which topics a tab wants.

use super::topics::TopicNo;

/// Which messages of a connection are for a tab.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// A bit for each topic.
    words: Box<[u64]>,
}

/// What a message without a topic is marked with: it is for every tab.
pub const EVERYBODY: TopicNo = TopicNo::MAX;

impl Interest {
    /// Notes whether a topic is wanted.
    pub fn set(&mut self, topic: TopicNo, is_wanted: bool) {
        let (word, bit) = Self::place(topic);
        if word >= self.words.len() {
            let mut words = core::mem::take(&mut self.words).into_vec();
            words.resize(word + 1, 0);
            self.words = words.into();
        }
        if let Some(word) = self.words.get_mut(word) {
            if is_wanted {
                *word |= bit;
            } else {
                *word &= !bit;
            }
        }
    }

    /// Adds a topic. False if it was there.
    pub fn add(&mut self, topic: TopicNo) -> bool {
        let is_new = !self.covers(topic);
        self.set(topic, true);
        is_new
    }

    /// Whether a message of this topic is for the tab.
    pub fn covers(&self, topic: TopicNo) -> bool {
        let (word, bit) = Self::place(topic);
        topic == EVERYBODY || self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    const fn place(topic: TopicNo) -> (usize, u64) {
        (topic as usize / 64, 1 << (topic % 64))
    }
}
