//! What `GET /control/wait` can wait for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Deserialize;

use crate::service::route_name;
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
    /// Exactly so many requests are left unanswered by a fault.
    pending: Option<u64>,
    /// Exactly so many streams of events are live.
    streams: Option<usize>,
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
    /// At least so many requests for the events so far were answered.
    polls: Option<u64>,
    /// At least so many frames came without a socket.
    posted: Option<u64>,
    /// At least so many requests were befallen by the fault of their route.
    faulted: Option<u64>,
    /// The route of the service that the next three are about.
    service: Option<String>,
    /// At least so many calls of it.
    calls: Option<u64>,
    /// Exactly so many of them are in flight.
    in_flight: Option<u64>,
    /// Exactly so many of those are held.
    held: Option<u64>,
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
            && self
                .pending
                .is_none_or(|pending| counts.pending.load(Ordering::SeqCst) == pending)
            && self
                .streams
                .is_none_or(|streams| app.events.streams.count() == streams)
            && self
                .faulted
                .is_none_or(|faulted| app.route_faults.faulted() >= faulted)
            && self.service_holds(app)
            && reached(self.polls, &counts.polls)
            && reached(self.posted, &counts.posted)
            && reached(self.refused, &counts.refused)
            && reached(self.refused_tokens, &counts.refused_tokens)
            && reached(self.attempts, &counts.attempts)
            && reached(self.received, &counts.received)
            && reached(self.swallowed, &counts.swallowed)
            && reached(self.sent, &counts.sent)
    }

    /// Checks that what is wished of the service names its route.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    pub fn check(&self) -> Result<(), String> {
        let wishes = [self.calls, self.in_flight, self.held];
        if self.service.is_none() && wishes.iter().any(Option::is_some) {
            return Err("calls, in_flight and held need service".into());
        }
        Ok(())
    }

    fn service_holds(&self, app: &App) -> bool {
        let Some(route) = &self.service else {
            return true;
        };
        let load = app.services.load(route_name(route));
        self.calls.is_none_or(|calls| load.calls >= calls)
            && self
                .in_flight
                .is_none_or(|in_flight| load.in_flight == in_flight)
            && self.held.is_none_or(|held| load.held == held)
    }

    /// How long to wait [10 s].
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout.unwrap_or(10_000))
    }
}

fn reached(wanted: Option<u64>, counter: &AtomicU64) -> bool {
    wanted.is_none_or(|wanted| counter.load(Ordering::SeqCst) >= wanted)
}
