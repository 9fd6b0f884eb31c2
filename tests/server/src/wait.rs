//! What `GET /control/wait` can wait for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Deserialize;

use crate::state::App;

/// The query of a wait: everything named in it must hold at one moment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Exactly so many connections are live.
    live: Option<usize>,
    /// Exactly so many tabs were reported last.
    tabs: Option<u64>,
    /// The wire listens, or does not.
    listening: Option<bool>,
    /// Exactly so many topics are asked for, added up over live connections.
    topics: Option<usize>,
    /// At least so many connections have been live.
    total: Option<u64>,
    /// At least so many upgrades were refused.
    refused: Option<u64>,
    /// At least so many of them were refused for their token.
    refused_tokens: Option<u64>,
    /// At least so many TCP connections were accepted.
    attempts: Option<u64>,
    /// At least so many data frames were received.
    received: Option<u64>,
    /// At least so many messages were swallowed.
    swallowed: Option<u64>,
    /// At least so many data frames were sent.
    sent: Option<u64>,
    /// Milliseconds after which the wait is given up.
    timeout: Option<u64>,
}

impl Wish {
    /// Whether it has come true.
    pub fn holds(&self, app: &App) -> bool {
        let census = app.registry.census();
        let counts = &app.counts;
        self.live.is_none_or(|live| census.live == live)
            && self
                .topics
                .is_none_or(|topics| app.topics.asked() == topics)
            && self.total.is_none_or(|total| census.total >= total)
            && self
                .listening
                .is_none_or(|listening| app.wire.is_listening() == listening)
            && self
                .tabs
                .is_none_or(|tabs| counts.tabs.load(Ordering::SeqCst) == tabs)
            && reached(self.refused, &counts.refused)
            && reached(self.refused_tokens, &counts.refused_tokens)
            && reached(self.attempts, &counts.attempts)
            && reached(self.received, &counts.received)
            && reached(self.swallowed, &counts.swallowed)
            && reached(self.sent, &counts.sent)
    }

    /// How long to wait [10 s].
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout.unwrap_or(10_000))
    }
}

fn reached(wanted: Option<u64>, counter: &AtomicU64) -> bool {
    wanted.is_none_or(|wanted| counter.load(Ordering::SeqCst) >= wanted)
}
