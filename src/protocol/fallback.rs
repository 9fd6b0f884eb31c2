//! What tab and hub say about what takes the place of a WebSocket.

use super::Foreign;
use super::option_values::{Given, Millis, Period, Positive};

/// What carries the messages of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket.
    #[default]
    WebSocket,
    /// A stream of server-sent events.
    Sse,
    /// Requests, again and again.
    Polling,
}

impl Transport {
    /// The name on the wire and in the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
            Self::Polling => "polling",
        }
    }
}

/// Where something is fetched from or sent to. Given as `{ url }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The url; one that is not absolute counts from the worker script.
    pub url: String,
}

impl Given for Place {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        let url = from.field("url").text()?;
        Some(Self { url })
    }
}

/// What is asked for again and again. Given as `{ url, interval }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polling {
    /// Where.
    pub place: Place,
    /// From one answer to the next request. Default 5 s.
    pub interval: Period,
}

impl Given for Polling {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        let interval = from.field("interval");
        Some(Self {
            place: Place::read(from)?,
            interval: if interval.is_nothing() {
                Period::from_millis(5000)
            } else {
                Period::read(&interval)?
            },
        })
    }
}

/// When something takes the place of a WebSocket. Given as `{ attempts, timeout }`; one that is not given is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    /// After so many attempts in a row that have failed.
    pub attempts: Positive,
    /// After so long without a connection.
    pub timeout: Option<Millis>,
}

impl After {
    /// After three attempts or ten seconds.
    pub const DEFAULT: Self = Self {
        attempts: Positive(3),
        timeout: Some(Millis::from_millis(10_000)),
    };
}

impl Given for After {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        let (attempts, timeout) = (from.field("attempts"), from.field("timeout"));
        if from.number().is_some() || from.text().is_some() || from.flag().is_some() {
            return None;
        }
        Some(Self {
            attempts: if attempts.is_nothing() {
                Positive::INFINITE
            } else {
                Positive::read(&attempts)?
            },
            timeout: if timeout.is_nothing() {
                None
            } else {
                Some(Millis::read(&timeout)?)
            },
        })
    }
}
