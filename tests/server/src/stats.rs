//! What `GET /control/stats` tells.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::connection::Connection;
use crate::fault::Fault;
use crate::registry::CloseRecord;
use crate::route_fault::{FaultyRoute, RouteMode};
use crate::state::App;
use crate::tokens::TokenStats;

/// All numbers of a server at one moment.
#[derive(Debug, Serialize)]
pub struct Stats {
    live: usize,
    total: u64,
    peak: usize,
    refused: u64,
    refused_tokens: u64,
    attempts: u64,
    upgrades: u64,
    pending: u64,
    received: u64,
    swallowed: u64,
    sent: u64,
    tabs: u64,
    streams: usize,
    polls: u64,
    posted: u64,
    faulted: u64,
    hung: usize,
    listening: bool,
    fault: Option<Fault>,
    routes: BTreeMap<FaultyRoute, RouteMode>,
    tokens: TokenStats,
    connections: Vec<ConnectionStats>,
    closes: Vec<CloseRecord>,
}

#[derive(Debug, Serialize)]
struct ConnectionStats {
    id: u64,
    path: String,
    query: String,
    protocol: String,
    token: Option<String>,
    age_ms: u64,
    received: u64,
    swallowed: u64,
    sent: u64,
    hung: bool,
    half_open: bool,
    wire: bool,
}

impl Stats {
    /// Takes the numbers.
    pub fn now(app: &App) -> Self {
        let connections: Vec<_> = app
            .registry
            .live()
            .iter()
            .map(|connection| ConnectionStats::of(connection))
            .collect();
        let census = app.registry.census();
        let counts = &app.counts;
        Self {
            live: census.live,
            total: census.total,
            peak: census.peak,
            refused: load(&counts.refused),
            refused_tokens: load(&counts.refused_tokens),
            attempts: load(&counts.attempts),
            upgrades: load(&counts.upgrades),
            pending: load(&counts.pending),
            received: load(&counts.received),
            swallowed: load(&counts.swallowed),
            sent: load(&counts.sent),
            tabs: load(&counts.tabs),
            streams: app.events.streams.count(),
            polls: load(&counts.polls),
            posted: load(&counts.posted),
            faulted: app.route_faults.faulted(),
            hung: connections
                .iter()
                .filter(|connection| connection.hung)
                .count(),
            listening: app.wire.is_listening(),
            fault: app.faults.in_force(),
            routes: app.route_faults.in_force(),
            tokens: app.tokens.stats(),
            connections,
            closes: app.registry.closes(),
        }
    }
}

impl ConnectionStats {
    fn of(connection: &Connection) -> Self {
        Self {
            id: connection.id,
            path: connection.origin.path.clone(),
            query: connection.origin.query.clone(),
            protocol: connection.origin.protocol.clone(),
            token: connection.origin.token.clone(),
            age_ms: u64::try_from(connection.opened.elapsed().as_millis()).unwrap_or(u64::MAX),
            received: load(&connection.received),
            swallowed: connection.tcp.swallowed(),
            sent: load(&connection.sent),
            hung: connection.tcp.is_hung(),
            half_open: connection.tcp.is_half_open(),
            wire: connection.tcp.wire,
        }
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::SeqCst)
}
