//! Keeps the frames that were received, so that a test can read what a client has sent.

use std::collections::VecDeque;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::sync::lock;

/// The last data frames received, over all connections, in order.
///
/// Holds at most 200 000 frames and 256 MiB; the oldest make room and are counted as dropped.
#[derive(Default)]
pub struct Record(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    frames: VecDeque<Frame>,
    bytes: usize,
    dropped: u64,
}

struct Frame {
    connection: u64,
    payload: Payload,
}

enum Payload {
    Text(Box<str>),
    Binary(Box<[u8]>),
}

/// The answer of `GET /control/received`.
#[derive(Debug, Serialize)]
pub struct Page {
    from: u64,
    total: u64,
    dropped: u64,
    frames: Vec<FrameView>,
}

#[derive(Debug, Serialize)]
struct FrameView {
    #[serde(rename = "conn")]
    connection: u64,
    #[serde(flatten)]
    payload: PayloadView,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum PayloadView {
    Text(Box<str>),
    Bytes(String),
}

impl Record {
    /// Adds a text frame.
    pub fn add_text(&self, connection: u64, text: &str) {
        self.add(Frame {
            connection,
            payload: Payload::Text(text.into()),
        });
    }

    /// Adds a binary frame.
    pub fn add_binary(&self, connection: u64, bytes: &[u8]) {
        self.add(Frame {
            connection,
            payload: Payload::Binary(bytes.into()),
        });
    }

    /// Reads at most `limit` frames, from number `from` (counted from 0 over all that were ever received) on.
    ///
    /// Starts with the first that is still kept where `from` lies before it, and says so in `from`.
    pub fn page(&self, from: u64, limit: usize) -> Page {
        let inner = lock(&self.0);
        let total = inner.dropped + inner.frames.len() as u64;
        let from = from.clamp(inner.dropped, total);
        let skipped = usize::try_from(from - inner.dropped).unwrap_or(usize::MAX);
        Page {
            from,
            total,
            dropped: inner.dropped,
            frames: inner
                .frames
                .iter()
                .skip(skipped)
                .take(limit)
                .map(Frame::view)
                .collect(),
        }
    }

    fn add(&self, frame: Frame) {
        let mut inner = lock(&self.0);
        inner.bytes += frame.len();
        inner.frames.push_back(frame);
        while inner.frames.len() > MOST_FRAMES || inner.bytes > MOST_BYTES {
            let Some(oldest) = inner.frames.pop_front() else {
                return;
            };
            inner.bytes -= oldest.len();
            inner.dropped += 1;
        }
    }
}

impl Frame {
    fn len(&self) -> usize {
        match &self.payload {
            Payload::Text(text) => text.len(),
            Payload::Binary(bytes) => bytes.len(),
        }
    }

    fn view(&self) -> FrameView {
        FrameView {
            connection: self.connection,
            payload: match &self.payload {
                Payload::Text(text) => PayloadView::Text(text.clone()),
                Payload::Binary(bytes) => PayloadView::Bytes(STANDARD.encode(bytes)),
            },
        }
    }
}

const MOST_FRAMES: usize = 200_000;
const MOST_BYTES: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_frames_make_room() {
        let record = Record::default();
        for n in 0..200_003 {
            record.add_text(1, &n.to_string());
        }
        let page = record.page(0, 1);
        assert_eq!((page.from, page.total, page.dropped), (3, 200_003, 3));
        assert_eq!(
            serde_json::to_string(&page.frames).unwrap(),
            r#"[{"conn":1,"text":"3"}]"#
        );
    }

    #[test]
    fn large_frames_make_room_by_their_bytes() {
        let record = Record::default();
        let large = vec![0; MOST_BYTES / 2];
        for _ in 0..3 {
            record.add_binary(1, &large);
        }
        let page = record.page(0, 0);
        assert_eq!((page.total, page.dropped), (3, 1));
    }

    #[test]
    fn a_page_beyond_the_end_is_empty() {
        let record = Record::default();
        record.add_binary(7, &[1, 2]);
        assert_eq!(
            serde_json::to_string(&record.page(0, 9)).unwrap(),
            r#"{"from":0,"total":1,"dropped":0,"frames":[{"conn":7,"bytes":"AQI="}]}"#
        );
        assert_eq!(record.page(5, 9).frames.len(), 0);
    }
}
