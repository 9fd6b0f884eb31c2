//! What a hub shows to a tab that wants to look inside.

use std::collections::VecDeque;

use super::{ConnId, Env, Foreign, Reason, State, op};
use crate::time::Time;

/// What a tab wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inspection {
    /// Nothing any more.
    Off,
    /// Payloads as sizes.
    Sizes,
    /// Payloads too.
    Payloads,
}

/// Something that the hub has seen or done.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<P> {
    /// When.
    pub at: Time,
    /// On which connection.
    pub conn: ConnId,
    /// What.
    pub what: Seen<P>,
}

/// What the hub has seen or done.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen<P> {
    /// A frame came: its size, and the frame, unless it is not to be shown.
    In(usize, Option<P>),
    /// A frame was given to a socket.
    Out(usize, Option<P>),
    /// A transition: the state, why, which attempt, and the last close code.
    State(State, Reason, u32, Option<u16>),
    /// Something else, with a number.
    Log(Remark, u64),
}

/// Something worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The socket was replaced as planned.
    Replaced,
    /// So many sends have failed.
    SendsFailed,
    /// So many messages were dropped for slow tabs.
    MessagesDropped,
    /// The score has fallen to this.
    Unhealthy,
    /// It is lost too often, or seldom comes back: so often that was told.
    Unstable,
}

impl Remark {
    /// How grave it is.
    pub const fn level(self) -> &'static str {
        match self {
            Self::Replaced => "info",
            Self::SendsFailed | Self::MessagesDropped | Self::Unhealthy | Self::Unstable => "warn",
        }
    }

    /// The word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::SendsFailed => "sends-failed",
            Self::MessagesDropped => "messages-dropped",
            Self::Unhealthy => "unhealthy",
            Self::Unstable => "unstable",
        }
    }
}

/// Writes the answer to `inspect`. `show` writes a payload.
pub fn encode_entries<P, F: Foreign>(
    dropped: u64,
    entries: &VecDeque<Entry<P>>,
    env: &impl Env,
    show: impl Fn(&P) -> F,
) -> F {
    let entries = entries.iter().map(|entry| {
        let mut items = Vec::with_capacity(7);
        let head = |what| {
            [
                F::from_text(what),
                F::from_number(env.wall(entry.at)),
                F::from_number(f64::from(entry.conn.0)),
            ]
        };
        match &entry.what {
            Seen::In(size, frame) | Seen::Out(size, frame) => {
                let is_in = matches!(entry.what, Seen::In(..));
                items.extend(head(if is_in { "in" } else { "out" }));
                items.push(F::from_number(*size as f64));
                items.extend(frame.as_ref().map(&show));
            }
            Seen::State(state, reason, attempt, code) => {
                items.extend(head("state"));
                items.extend([
                    F::from_text(state.code()),
                    F::from_text(reason.code()),
                    F::from_number(f64::from(*attempt)),
                    code.map_or(F::null(), |code| F::from_number(f64::from(code))),
                ]);
            }
            Seen::Log(remark, number) => {
                items.extend(head("log"));
                items.extend([
                    F::from_text(remark.level()),
                    F::from_text(remark.code()),
                    F::from_number(*number as f64),
                ]);
            }
        }
        F::array(items)
    });
    F::array(vec![
        F::from_number(f64::from(op::INSPECTED)),
        F::from_number(dropped as f64),
        F::array(entries.collect()),
    ])
}
