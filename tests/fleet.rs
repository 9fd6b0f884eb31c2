//! A day of a client with thousands of topics on dozens of sockets: rare pings, nothing in step, no topic lost.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail by panicking"
)]

#[path = "../examples/fleet/day.rs"]
mod day;
#[path = "support/json.rs"]
mod json;
#[path = "../examples/fleet/plans.rs"]
mod plans;

use day::Outcome;

/// Half a second between any two starts is what is asked for; 30 s for 56 sockets make a little more.
const APART: f64 = 0.5;

fn check(outcome: &Outcome, sockets: usize, pings: f64) {
    assert_eq!(outcome.sockets, sockets, "{outcome:?}");
    assert_eq!(outcome.most_topics, 50, "{outcome:?}");
    assert_eq!((outcome.astray, outcome.missed), (0, 0), "{outcome:?}");
    assert!(outcome.pings.0 <= pings, "{outcome:?}");
    assert!(outcome.apart >= APART, "{outcome:?}");
    assert!(
        outcome.starts > 3 * sockets,
        "twice all of them were lost: {outcome:?}"
    );
}

#[test]
fn the_preset_of_a_fleet_sends_a_sixth_of_the_pings_and_starts_no_two_sockets_at_once() {
    let [(_, fleet), (_, often), (_, flat), _] = plans::all(1);
    check(&fleet.run(), 56, 23.0);
    check(&flat.run(), 40, 13.5);
    let often = often.run();
    assert!(often.pings.0 >= 134.0, "{often:?}");
}

#[test]
fn pings_of_a_fleet_do_not_fall_into_step() {
    let [(_, fleet), ..] = plans::all(2);
    let outcome = fleet.run();
    // Of 56 sockets that ping in step 56 would do so within a second; by chance 22.5 a minute make 6 at most in a day.
    assert!(outcome.pings_at_once <= 8, "{outcome:?}");
}
