//! What happens to the messages of a tab that does not keep up.

use std::rc::Rc;

use super::flow::{Batch, Item, Lane, Load};
use super::interest::{EVERYBODY, Interest};
use super::io::Payload;
use super::queue::Queue;
use super::topics::TopicNo;
use crate::protocol::{Amount, HubMessage, WhenSlow};

impl<P: Payload> Lane<P> {
    /// Applies the policy to what could not be posted; returns how many messages are newly lost.
    ///
    /// `is_due` is false for a hidden tab that only waits for its beat: it is not slow.
    pub fn enforce(&mut self, is_due: bool) -> u64 {
        let can_merge = self.config.when_slow != WhenSlow::Latest && self.queued.messages > 1;
        let conflated = self.conflated.take_if(|_| can_merge);
        let merged = conflated.map_or(0, |conflated| {
            let merged = self.conflate(|topic| topic != EVERYBODY && conflated.covers(topic));
            self.conflated = Some(conflated);
            merged
        });
        merged + self.enforce_bounds(is_due)
    }

    fn enforce_bounds(&mut self, is_due: bool) -> u64 {
        match self.config.when_slow {
            WhenSlow::Latest
                if self.queued.messages > 1
                    && (is_due || self.queued.exceeds(self.config.cap))
                    && self.has_topics() =>
            {
                self.conflate(|_| true)
            }
            WhenSlow::Latest if is_due && self.queued.messages > 1 => {
                self.drop_oldest(Amount::new(1, u32::MAX))
            }
            WhenSlow::Latest | WhenSlow::DropOldest if self.queued.exceeds(self.config.cap) => {
                self.drop_oldest(self.config.cap)
            }
            WhenSlow::Queue if self.queued.exceeds(self.config.cap) => self.drop_newest(),
            WhenSlow::Latest | WhenSlow::DropOldest | WhenSlow::Queue => 0,
        }
    }

    fn has_topics(&self) -> bool {
        let has_topics =
            |item: &Item<P>| matches!(item, Item::Frames(batch, ..) if !batch.topics.is_empty());
        self.queue.iter().any(has_topics)
    }

    fn drop_oldest(&mut self, keep: Amount) -> u64 {
        let mut dropped = 0;
        let mut kept = Queue::default();
        for item in self.queue.take() {
            match item {
                Item::Frames(batch, mut range, first) => {
                    let from = first + range.start as u64;
                    while self.queued.exceeds(keep)
                        && self.queued.messages > 1
                        && range.start < range.end
                    {
                        let bytes = batch.frames.get(range.start).map_or(0, Payload::size);
                        self.queued.sub(Load { messages: 1, bytes });
                        range.start += 1;
                        dropped += 1;
                    }
                    let to = first + range.start as u64;
                    if to > from {
                        push_lost(&mut kept, from, to);
                    }
                    if range.start < range.end {
                        kept.push_back(Item::Frames(batch, range, first));
                    }
                }
                Item::Lost(from, to) => push_lost(&mut kept, from, to),
                item @ (Item::Note(_) | Item::Parcel(_)) => kept.push_back(item),
            }
        }
        self.queue = kept;
        dropped
    }

    /// Keeps the newest message of each of these topics, and all of the others. No message that waits has been told its sequence, so
    /// what is kept moves up behind one gap with all that is lost, and handles that come meanwhile begin where they stand then.
    fn conflate(&mut self, is_meant: impl Fn(TopicNo) -> bool) -> u64 {
        let (mut newest, mut has_other) = (Interest::default(), false);
        let mut is_newest = |topic| match topic {
            EVERYBODY => !core::mem::replace(&mut has_other, true),
            topic => newest.add(topic),
        };
        let (mut waits, mut lost) = (0, 0);
        let mut kept = Queue::default();
        self.queued = Load::default();
        for item in self.queue.take().rev() {
            match item {
                Item::Frames(batch, range, _) => {
                    waits += range.len() as u64;
                    let topic_of = |at| batch.topics.get(at).copied().unwrap_or(EVERYBODY);
                    let mut is_kept = |topic| !is_meant(topic) || is_newest(topic);
                    let mut last: Vec<_> =
                        range.rev().filter(|at| is_kept(topic_of(*at))).collect();
                    last.reverse();
                    let frames = last.iter().filter_map(|at| batch.frames.get(*at).cloned());
                    let topics = last.iter().map(|at| topic_of(*at));
                    let part = Batch::new(frames, topics);
                    let messages = part.frames.len();
                    if messages > 0 {
                        self.queued.add(Load {
                            messages,
                            bytes: part.bytes,
                        });
                        kept.push_front(Item::Frames(Rc::new(part), 0..messages, 0));
                    }
                }
                Item::Lost(from, to) => lost += to - from,
                item @ (Item::Note(_) | Item::Parcel(_)) => kept.push_front(item),
            }
        }
        let mut next = self.next - waits - lost;
        let merged = waits - self.queued.messages as u64;
        lost += merged;
        for item in kept.take() {
            match item {
                Item::Frames(batch, range, _) => {
                    if lost > 0 {
                        self.queue.push_back(Item::Lost(next, next + lost));
                        next += core::mem::take(&mut lost);
                    }
                    let first = next;
                    next += range.len() as u64;
                    self.queue.push_back(Item::Frames(batch, range, first));
                }
                Item::Note(mut note) => {
                    // It is for this lane alone.
                    if let Some(HubMessage::Attached { next: begins, .. }) = Rc::get_mut(&mut note)
                    {
                        *begins = next;
                    }
                    self.queue.push_back(Item::Note(note));
                }
                item @ (Item::Lost(..) | Item::Parcel(_)) => self.queue.push_back(item),
            }
        }
        merged
    }

    fn drop_newest(&mut self) -> u64 {
        let mut dropped = 0;
        let mut tail = Vec::new();
        while self.queued.exceeds(self.config.cap) && self.queued.messages > 1 {
            match self.queue.pop_back() {
                Some(Item::Frames(batch, mut range, first)) => {
                    let to = first + range.end as u64;
                    while self.queued.exceeds(self.config.cap)
                        && self.queued.messages > 1
                        && range.start < range.end
                    {
                        range.end -= 1;
                        let bytes = batch.frames.get(range.end).map_or(0, Payload::size);
                        self.queued.sub(Load { messages: 1, bytes });
                        dropped += 1;
                    }
                    tail.push(Item::Lost(first + range.end as u64, to));
                    if range.start < range.end {
                        self.queue.push_back(Item::Frames(batch, range, first));
                    }
                }
                Some(other) => tail.push(other),
                None => break,
            }
        }
        for item in tail.into_iter().rev() {
            match item {
                Item::Lost(from, to) => push_lost(&mut self.queue, from, to),
                Item::Note(_) | Item::Parcel(_) | Item::Frames(..) => self.queue.push_back(item),
            }
        }
        self.losing = true;
        dropped
    }
}

/// Adds a gap at the end, to the one that ends there if one does.
pub(super) fn push_lost<P>(queue: &mut Queue<Item<P>>, from: u64, to: u64) {
    match queue.back_mut() {
        Some(Item::Lost(_, end)) if *end == from => *end = to,
        Some(_) | None => queue.push_back(Item::Lost(from, to)),
    }
}
