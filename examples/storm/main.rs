//! Ten thousand browsers lose one server, and all want it back: what tabwire's reconnects do to it, beside others'.
//!
//! `cargo run --release --example storm -- [seconds down] [seeds] [browsers]`
#![allow(
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "an example may fail by panicking, and says only what it looks at"
)]

mod browser;
mod formulas;
#[path = "../../tests/support/json.rs"]
mod json;
mod model;

use std::time::Duration;

use browser::Browser;
use formulas::FORMULAS;
use model::{Outcome, Storm};

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|argument| argument.parse::<u64>().expect("a number"));
    let mut storm = Storm::REFERENCE;
    if let Some(seconds) = numbers.next() {
        storm.down = Duration::from_secs(seconds);
    }
    let seeds = numbers.next().unwrap_or(5);
    if let Some(browsers) = numbers.next() {
        storm.clients = browsers as usize;
    }
    println!(
        "{} browsers, server down {} s, then 500 connections a second, median of {seeds} seeds\n",
        storm.clients,
        storm.down.as_secs()
    );
    println!("| strategy | attempts a browser | peak attempts/s | p99 until back, s | source |");
    println!("| --- | --- | --- | --- | --- |");
    let tabwire = storm.median(seeds, Browser::new);
    print("**tabwire**", tabwire, "the hub itself");
    for formula in FORMULAS {
        let outcome = storm.median(seeds, |seed| formula.client(seed));
        print(formula.name, outcome, formula.source);
    }
}

fn print(name: &str, outcome: Outcome, source: &str) {
    let Outcome {
        attempts,
        peak,
        p99,
    } = outcome;
    println!("| {name} | {attempts:.1} | {peak:.0} | {p99:.1} | {source} |");
}
