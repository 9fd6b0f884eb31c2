//! The demo server of tabwire, which is also the fault server of its browser tests.
//!
//! Two listeners on the loopback interface share one state. The *wire* is what a hub connects to, and it can be
//! stopped, reset, hung and delayed. The *site* serves the pages and the controls, and always answers.
//! `README.md` lists every endpoint.

pub mod args;
mod clock;
mod connection;
mod control;
mod cors;
mod events;
mod fault;
mod files;
mod flood;
mod listener;
mod offer;
mod pending;
mod pipeline;
mod prices;
mod random;
mod record;
mod registry;
mod route_fault;
mod send;
mod server;
mod service;
mod session;
mod sieve;
mod signal;
mod site;
mod speech;
mod state;
mod stats;
mod sync;
mod tcp;
mod tokens;
mod topics;
mod upgrade;
mod wait;
mod watch;
mod wire;

pub use server::{Options, Server, start};
