//! What tabs, servers and other hubs may say to a hub, in any order.
//!
//! An input is bytes that a session is made of, or a session that is written down: lines of JSON, one for each step.
#![no_main]

mod message;
mod session;
mod step;
mod value;

use std::env;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

/// Whether each step is printed before it happens.
static IS_TOLD: LazyLock<bool> = LazyLock::new(|| env::var_os("TABWIRE_STEPS").is_some());

fuzz_target!(|input: &[u8]| {
    let mut session = session::Session::new();
    for step in step::steps(input) {
        if *IS_TOLD {
            eprintln!("{step:?}");
        }
        session.take(step);
    }
});
