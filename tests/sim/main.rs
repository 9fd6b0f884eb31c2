//! The simulation: a hub among pages that come, freeze and die, behind links that fail, in virtual time.
//!
//! A seed makes a world, and the same world every time. A reference keeps the books and compares; what must hold is listed
//! in `invariants.rs`. A seed that fails is printed with its last steps:
//!
//! `TABWIRE_SEED=… cargo test --test sim` runs one world again, `TABWIRE_WORLDS=100000 cargo test --test sim` many.
//! Seeds that failed once stand in `seeds.txt` and are always run.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail by panicking"
)]

mod actions;
mod audit;
mod breakers;
mod clock;
mod driver;
mod event;
mod finish;
mod frame;
mod happen;
mod hubs;
mod invariants;
#[path = "../support/json.rs"]
mod json;
mod led;
mod link;
mod net;
mod options;
mod page;
mod plan;
mod ports;
mod reference;
mod run;
mod scenario;
mod schedule;
mod server;
mod tokens;
mod topics;
mod trace;
mod worker;
mod world;

use led::LED;
use run::{run_all, run_one};
use topics::TOPICS;

/// Worlds of a plain `cargo test`, and those of them in which pages lead.
const WORLDS: u64 = 300;
const LED_WORLDS: u64 = 100;

#[test]
fn random_worlds_keep_the_invariants() {
    if let Some(seed) = number_of("TABWIRE_SEED") {
        if number_of("TABWIRE_LINES").is_some() {
            println!("{}", run_one(seed, true).lines.join("\n"));
        }
        run_all([seed]);
    } else if let Some(worlds) = number_of("TABWIRE_TOPICS") {
        run_all(TOPICS..TOPICS + worlds);
    } else {
        let worlds = number_of("TABWIRE_WORLDS").unwrap_or(WORLDS);
        let with_topics = TOPICS..TOPICS + worlds / 2;
        run_all((0..worlds).chain(with_topics));
    }
}

#[test]
fn worlds_in_which_a_page_leads_keep_the_invariants() {
    let is_asked_for_others =
        ["TABWIRE_SEED", "TABWIRE_TOPICS"].map(|name| number_of(name).is_some());
    let usual = if is_asked_for_others.contains(&true) {
        0
    } else {
        LED_WORLDS
    };
    let worlds = number_of("TABWIRE_LED").unwrap_or(usual);
    run_all(LED..LED + worlds);
}

#[test]
fn seeds_that_failed_once_keep_the_invariants() {
    let seeds = include_str!("seeds.txt").lines().filter_map(|line| {
        let seed = line.split_whitespace().next()?;
        (!seed.starts_with('#')).then(|| seed.parse().expect("a seed"))
    });
    run_all(seeds);
}

#[test]
fn a_world_replays_identically() {
    for seed in (0..10).chain(TOPICS..TOPICS + 5).chain(LED..LED + 5) {
        let (first, second) = (run_one(seed, true), run_one(seed, true));
        assert_eq!(first.fingerprint, second.fingerprint, "seed {seed}");
        assert_eq!(first.steps, second.steps, "seed {seed}");
    }
}

fn number_of(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|value| value.parse().expect("a number"))
}
