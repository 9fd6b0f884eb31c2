//! A client with thousands of topics on dozens of sockets of one server, for a day: what the preset `fleet` spares that server.
//!
//! `cargo run --release --example fleet -- [seed]`
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "an example may fail by panicking, and says only what it looks at"
)]

mod day;
#[path = "../../tests/support/json.rs"]
mod json;
mod plans;

use day::Outcome;

fn main() {
    let seed = std::env::args().nth(1);
    let seed = seed.map_or(1, |seed| seed.parse().expect("a number"));
    println!(
        "a day, 50 topics a socket; each socket is lost every 12 h on average, the server is down for 30 s once, and once\n\
         it asks all sockets at the same time to reconnect\n"
    );
    println!(
        "| sockets | options | pings a minute | at most | in one second | starts | least time between two, s | most topics | topics lost |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (name, plan) in plans::all(seed) {
        print(name, &plan.run());
    }
}

fn print(name: &str, outcome: &Outcome) {
    let Outcome {
        sockets,
        pings: (average, most),
        pings_at_once,
        starts,
        apart,
        most_topics,
        astray,
        missed,
    } = outcome;
    let lost = astray + missed;
    println!(
        "| {sockets} | {name} | {average:.1} | {most} | {pings_at_once} | {starts} | {apart:.2} | {most_topics} | {lost} |"
    );
}
