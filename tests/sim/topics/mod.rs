//! Topics: what a server says of them, how it says it, and what must hold of that.

mod acts;
mod broker;
mod draw;
mod message;
mod quiet;
mod speech;

pub use broker::Broker;
pub use draw::{KINDS, Kind};
pub use message::{Message, TopicNo};
pub use speech::Speech;

/// What a page does with a topic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deed {
    /// It subscribes, and wants so many of the last messages first.
    Subscribe(u8, u8),
    /// One of its subscriptions ends.
    Unsubscribe(u8),
    /// It publishes so many messages.
    Publish(u8, u8),
    /// It asks the server, and waits so many milliseconds.
    Ask(u32),
}

/// What a server does with its topics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Word {
    /// It says so many messages of a topic.
    Say(u8, u8),
    /// It is restarted, and remembers nothing.
    Forget,
    /// It wants all connections made anew, after so many milliseconds or when they like.
    Hint(Option<u32>),
}

/// Worlds of seeds from here on have topics.
pub const TOPICS: u64 = 1_000_000_000;
