//! The log of numbered events: all that is broadcast or published, for those who read it without a WebSocket.

mod frame;
mod poll;
mod stream;
mod streams;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;

use axum::extract::ws::Utf8Bytes;
use axum::http::HeaderMap;
use serde::Deserialize;
use tokio::time::Instant;

use self::streams::Streams;
use crate::signal::Signal;
use crate::sync::lock;

pub use self::poll::{latest, poll};
pub use self::stream::events;

/// The last events, numbered from 1.
///
/// Holds at most 10 000 events and 256 MiB; the oldest make room.
#[derive(Default)]
pub struct Events {
    log: Mutex<Log>,
    /// The live streams of events.
    pub streams: Streams,
    /// Raised when an event is added and when streams are to end.
    grown: Signal,
}

#[derive(Default)]
struct Log {
    newest: u64,
    kept: VecDeque<Event>,
    bytes: usize,
}

/// One event.
struct Event {
    id: u64,
    /// The topic that it was published to; `None` for a broadcast.
    topic: Option<String>,
    text: Utf8Bytes,
}

/// Where a reader stands, and which topics it wants to hear of.
pub struct Reader {
    /// The number of the last event that it has got or does not want.
    pub position: u64,
    /// The last number that it has been told.
    pub told: u64,
    topics: Option<BTreeSet<String>>,
}

/// The query of a reader.
#[derive(Debug, Deserialize)]
pub struct ReaderQuery {
    topics: Option<String>,
    /// What a stream names as the time until it is opened again, in milliseconds.
    pub retry: Option<u64>,
}

impl Events {
    /// Adds what has been broadcast.
    pub fn add_broadcast(&self, text: impl Into<Utf8Bytes>) {
        self.add(None, text.into());
    }

    /// Adds what has been published to a topic.
    pub fn add_published(&self, topic: &str, text: impl Into<Utf8Bytes>) {
        self.add(Some(topic.into()), text.into());
    }

    /// Makes all streams of the wire end, and names them.
    pub fn cut_streams(&self) -> Vec<u64> {
        let cut = self.streams.cut();
        self.grown.raise();
        cut
    }

    fn add(&self, topic: Option<String>, text: Utf8Bytes) {
        lock(&self.log).add(topic, text);
        self.grown.raise();
    }

    fn newest(&self) -> u64 {
        lock(&self.log).newest
    }

    /// The number and text of the newest event.
    fn last(&self) -> Option<(u64, Utf8Bytes)> {
        let log = lock(&self.log);
        log.kept.back().map(|event| (event.id, event.text.clone()))
    }

    /// Makes a reader, which begins after the event that its request names, or else with the next one.
    ///
    /// Returns also what it is to be told first: where it stands, if it did not know.
    fn reader(&self, headers: &HeaderMap, query: &ReaderQuery) -> (Reader, String) {
        let topics = query.topics.as_ref();
        let topics = topics.map(|topics| topics.split(',').map(Into::into).collect());
        let mut first = String::new();
        let position = last_event_id(headers).unwrap_or_else(|| {
            let newest = self.newest();
            frame::position(&mut first, newest);
            newest
        });
        let reader = Reader {
            position,
            told: position,
            topics,
        };
        (reader, first)
    }

    /// What comes after a reader's position, up to about `most` bytes, with the position moved behind it.
    ///
    /// A reader whose position is not known any more, or was never, is told so and gets all that is kept.
    fn read(&self, reader: &mut Reader, most: usize) -> String {
        lock(&self.log).read(reader, most)
    }

    /// Waits until there is something after `position` or the stream is cut; `false` at the deadline.
    async fn grown(&self, deadline: Instant, position: u64, stream: u64) -> bool {
        let news = || self.newest() > position || self.streams.is_cut(stream);
        self.grown.until(deadline, news).await
    }
}

impl Log {
    fn add(&mut self, topic: Option<String>, text: Utf8Bytes) {
        self.newest += 1;
        self.bytes += text.len();
        self.kept.push_back(Event {
            id: self.newest,
            topic,
            text,
        });
        while self.kept.len() > MOST_EVENTS || self.bytes > MOST_BYTES {
            let Some(oldest) = self.kept.pop_front() else {
                return;
            };
            self.bytes -= oldest.text.len();
        }
    }

    fn read(&self, reader: &mut Reader, most: usize) -> String {
        let mut text = String::new();
        let before = self.newest - self.kept.len() as u64;
        if !(before..=self.newest).contains(&reader.position) {
            reader.position = before;
            reader.told = before;
            frame::reset(&mut text, before);
        }
        let skipped = usize::try_from(reader.position - before).unwrap_or(usize::MAX);
        for event in self.kept.iter().skip(skipped) {
            if text.len() >= most {
                break;
            }
            reader.position = event.id;
            if reader.wants(event) {
                reader.told = event.id;
                frame::event(&mut text, event.id, &event.text);
            }
        }
        text
    }
}

impl Reader {
    fn wants(&self, event: &Event) -> bool {
        match (&self.topics, &event.topic) {
            (Some(topics), Some(topic)) => topics.contains(topic),
            (None, _) | (_, None) => true,
        }
    }
}

/// The event that a request names as its last; one that is no number is none that was ever sent.
fn last_event_id(headers: &HeaderMap) -> Option<u64> {
    let id = headers.get("last-event-id")?;
    if id.is_empty() {
        return None;
    }
    let number = id.to_str().ok().and_then(|id| id.parse().ok());
    Some(number.unwrap_or(u64::MAX))
}

const MOST_EVENTS: usize = 10_000;
const MOST_BYTES: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: u64) -> Reader {
        Reader {
            position,
            told: position,
            topics: None,
        }
    }

    #[test]
    fn the_oldest_events_make_room_and_who_misses_them_is_told() {
        let events = Events::default();
        for n in 1..=10_002 {
            events.add_broadcast(n.to_string());
        }
        let all = events.read(&mut at(2), usize::MAX);
        assert!(all.starts_with("id: 3\ndata: 3\n\n"), "{}", &all[..40]);
        let missed = events.read(&mut at(1), 40);
        assert!(missed.starts_with("id: 2\nevent: reset\ndata:\n\nid: 3\n"));
        let mut unknown = at(u64::MAX);
        events.read(&mut unknown, usize::MAX);
        assert_eq!(unknown.position, 10_002);
    }

    #[test]
    fn large_events_make_room_by_their_bytes() {
        let events = Events::default();
        let large = "x".repeat(MOST_BYTES / 2);
        for _ in 0..3 {
            events.add_broadcast(large.clone());
        }
        assert_eq!(lock(&events.log).kept.len(), 2);
    }

    #[test]
    fn a_part_ends_where_it_is_large_enough_and_the_next_goes_on() {
        let events = Events::default();
        for n in 1..=3 {
            events.add_broadcast(n.to_string());
        }
        let mut reader = at(0);
        assert_eq!(
            events.read(&mut reader, 16),
            "id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n"
        );
        assert_eq!(events.read(&mut reader, 16), "id: 3\ndata: 3\n\n");
        assert_eq!(events.read(&mut reader, 16), "");
    }
}
