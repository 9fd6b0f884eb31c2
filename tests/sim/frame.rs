//! What travels on the simulated sockets: small values that say where they come from.

use std::borrow::Cow;
use std::rc::Rc;

use tabwire::core::Payload;

use crate::link::LinkId;
use crate::topics::Message;

/// A handle of a page, numbered through the whole world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HandleNo(pub u32);

/// A send of a page: the handle and how many it had sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SendNo {
    /// Whose it is.
    pub handle: HandleNo,
    /// Its place among the handle's sends.
    pub number: u64,
}

/// A WebSocket frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A ping or pong.
    Text(Rc<str>),
    /// What a page sent.
    Sent(SendNo, u32),
    /// What the server said: its place among all the server said on this link, its size, and its place among the broadcasts
    /// to the identity, if it is one.
    Cast(LinkId, u64, u32, Option<u64>),
    /// What the server said of a topic.
    Message(Rc<Message>),
}

impl Payload for Frame {
    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Message(message) => message.text.len(),
            Self::Sent(_, size) | Self::Cast(_, _, size, _) => *size as usize,
        }
    }

    fn from_text(text: &str) -> Self {
        Self::Text(text.into())
    }

    fn head(&self, most: usize) -> Option<Cow<'_, str>> {
        let text = match self {
            Self::Text(text) => text,
            Self::Message(message) => &message.text,
            Self::Sent(..) | Self::Cast(..) => return None,
        };
        text.get(..most.min(text.len())).map(Cow::Borrowed)
    }
}
