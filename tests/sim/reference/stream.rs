//! What a connection has received: the messages that every tab must see.

use tabwire::core::Payload;
use tabwire::time::Time;

use crate::frame::Frame;

/// All messages of a connection, by sequence.
#[derive(Debug, Default)]
pub struct Stream {
    messages: Vec<(Frame, Time)>,
    /// Sizes of all before a sequence, added up.
    sizes: Vec<u64>,
}

impl Stream {
    /// Adds what came at `now`.
    pub fn push(&mut self, frame: Frame, now: Time) {
        let before = self.bytes(0, self.len());
        self.sizes.push(before + frame.size() as u64);
        self.messages.push((frame, now));
    }

    /// Sequence of the next message.
    pub fn len(&self) -> u64 {
        self.messages.len() as u64
    }

    /// A message, and when it came.
    pub fn get(&self, sequence: u64) -> Option<&(Frame, Time)> {
        self.messages.get(sequence as usize)
    }

    /// When a message came; if it has not, never.
    pub fn came_at(&self, sequence: u64) -> Time {
        self.get(sequence).map_or(Time::NEVER, |(_, at)| *at)
    }

    /// Bytes of a range.
    pub fn bytes(&self, from: u64, to: u64) -> u64 {
        let below = |end: u64| {
            end.checked_sub(1)
                .map_or(0, |last| self.sizes[last as usize])
        };
        below(to) - below(from)
    }
}
