//! Ten thousand browsers with default options come back to a server that was down, and do not run it over.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail by panicking"
)]

#[path = "../examples/storm/browser.rs"]
mod browser;
#[path = "support/json.rs"]
mod json;
#[path = "../examples/storm/model.rs"]
mod model;

use std::time::Duration;

use browser::Browser;
use model::{Client, Storm};
use tabwire::time::Time;

#[test]
fn after_half_a_minute_the_herd_stays_under_800_attempts_a_second_and_is_back_in_29_seconds() {
    let outcome = Storm::REFERENCE.median(SEEDS, Browser::new);
    assert!(outcome.peak <= 800.0, "{outcome:?}");
    assert!(outcome.p99 <= 29.0, "{outcome:?}");
}

#[test]
fn the_model_lets_no_more_in_than_its_server_takes() {
    let storm = Storm {
        clients: 1000,
        down: Duration::from_secs(2),
    };
    // 50 at once and 500 a second make 990 in 1.88 s; an answer takes 20 to 40 ms more.
    let outcome = storm.run(1, |_| Hasty);
    assert!((1.88..1.93).contains(&outcome.p99), "{outcome:?}");
    assert!(outcome.peak > 10_000.0, "{outcome:?}");
}

/// Tries again at once.
struct Hasty;

impl Client for Hasty {
    fn lost(&mut self, now: Time) -> Time {
        now
    }

    fn refused(&mut self, now: Time) -> Time {
        now
    }
}

/// An odd number, for a median; more make the test slower, not stricter.
const SEEDS: u64 = 3;
