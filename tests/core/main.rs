//! The hub on virtual time: one behaviour a test.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail by panicking"
)]

#[path = "../support/json.rs"]
mod json;

mod auth;
mod breaker;
mod fallback;
mod fanout;
mod gates;
mod handles;
mod health;
mod heartbeat;
mod inspect;
mod lifecycle;
mod meeting;
mod outflow;
mod pool;
mod positions;
mod positions_by_chance;
mod properties;
mod recovery;
mod replacement;
mod rig;
mod sends;
mod single;
mod staleness;
mod subprotocol;
mod tabs;
mod topics;
mod topics_by_chance;
mod wake;
