//! One WebSocket for the whole browser: a hub that every tab shares.
//!
//! The hub is sans-IO: [`core::Hub`] is a state machine that is given inputs and the time and gives outputs back.
//! Nothing in [`core`] or [`protocol`] names a browser, a clock or a source of randomness, so everything that can
//! go wrong is tested natively, in virtual time. In the browser `web` drives it inside a SharedWorker.
//!
//! The layers point one way: [`time`] ← [`protocol`] ← [`core`] ← `web`.

pub mod core;
pub mod protocol;
pub mod time;
#[cfg(target_arch = "wasm32")]
pub mod web;
