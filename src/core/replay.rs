//! The last messages of topics, for those who come later.

use super::io::Payload;
use super::position::Position;
use super::topics::{TopicNo, Topics};
use crate::time::Time;

/// A message that is kept for those who come later.
#[derive(Clone, Debug)]
pub struct Kept<P> {
    /// The message.
    pub frame: P,
    /// When it came.
    pub at: Time,
    /// Its position, if it has one.
    pub position: Option<Position>,
    no: u64,
}

impl<P: Payload> Topics<P> {
    /// Keeps a message for those who come later, within the bounds.
    pub fn keep(&mut self, no: TopicNo, frame: &P, position: Option<Position>, now: Time) {
        let most = self.replay.per_topic.get();
        self.keeps += 1;
        let kept = Kept {
            frame: frame.clone(),
            at: now,
            position,
            no: self.keeps,
        };
        let Some(topic) = self.get_mut(no) else {
            return;
        };
        if most == 0 {
            topic.set_floor(kept.position);
            return;
        }
        topic.kept.push_back(kept);
        let freed = if topic.kept.len() > most {
            topic.drop_oldest()
        } else {
            0
        };
        self.kept.push_back((no, self.keeps));
        self.kept_bytes = self.kept_bytes + frame.size() - freed;
        while self.kept_bytes > self.replay.max_bytes.get() {
            let Some((no, keep)) = self.kept.pop_front() else {
                break;
            };
            self.drop_kept(no, keep);
        }
        // What its topic has dropped by itself still stands here.
        if self.kept.len() > self.places.len().saturating_mul(most).saturating_mul(2) + 64 {
            let places = &self.places;
            self.kept.retain(|(no, keep)| {
                let topic = places.get(*no as usize).and_then(Option::as_ref);
                topic.is_some_and(|topic| topic.kept.iter().any(|kept| kept.no == *keep))
            });
        }
    }

    /// The last messages of a topic that are not too old.
    pub fn replay(&self, no: TopicNo, most: usize, now: Time) -> Vec<Kept<P>> {
        let Some(topic) = self.get(no) else {
            return Vec::new();
        };
        let from = topic.kept.len().saturating_sub(most);
        topic
            .kept
            .iter()
            .skip(from)
            .filter(|kept| now.since(kept.at) <= self.replay.max_age.get())
            .cloned()
            .collect()
    }

    fn drop_kept(&mut self, no: TopicNo, keep: u64) {
        if let Some(topic) = self.get_mut(no)
            && topic.kept.front().is_some_and(|oldest| oldest.no == keep)
        {
            let freed = topic.drop_oldest();
            self.kept_bytes -= freed;
        }
    }
}
