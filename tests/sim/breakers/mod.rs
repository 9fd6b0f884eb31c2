//! Breakers by chance: tabs that call, die, sleep and forget against the hub, each step compared with a plain model.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "one kind of event is looked for among many"
)]

mod acts;
mod books;
mod model;
mod rules;
mod tab;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::number_of;
use world::{Tally, World};

pub use tab::Memory;

/// Worlds of a plain run.
const WORLDS: u64 = 10_000;

#[test]
fn breakers_do_what_a_list_of_all_that_has_happened_says() {
    if let Some(seed) = number_of("TABWIRE_BREAKER_SEED") {
        run(seed, true).unwrap_or_else(|failure| fail(seed, &failure));
        return;
    }
    let worlds = number_of("TABWIRE_BREAKERS").unwrap_or(WORLDS);
    let next = AtomicU64::new(0);
    let work = || {
        let mut tally = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= worlds {
                return Ok(tally);
            }
            // Whoever fails lets the others stop.
            let world = run(seed, false).inspect_err(|_| next.store(worlds, Ordering::Relaxed));
            tally.add(&world.map_err(|failure| (seed, failure))?);
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let results: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let running = running.into_iter();
        running.map(|worker| worker.join().unwrap()).collect()
    });
    let mut tally = Tally::default();
    for result in results {
        match result {
            Ok(part) => tally.add(&part),
            Err((seed, failure)) => fail(seed, &failure),
        }
    }
    println!("{worlds} worlds with breakers: {tally:?}");
    // Of few worlds not each has everything.
    if worlds >= 1000 {
        tally.require_all();
    }
}

/// What happened in a world, or what went wrong, with all that led there if that is wanted.
fn run(seed: u64, is_traced: bool) -> Result<Tally, String> {
    let mut world = World::new(seed, is_traced);
    let lived = catch_unwind(AssertUnwindSafe(|| world.live()));
    let failure = match lived {
        Ok(Ok(())) => return Ok(world.tally),
        Ok(Err(failure)) => failure,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            text.unwrap_or_else(|| "it panics".into())
        }
    };
    Err(format!("{}\n{failure}", world.lines.join("\n")))
}

fn fail(seed: u64, failure: &str) -> ! {
    let traced = run(seed, true).err();
    let failure = traced.unwrap_or_else(|| failure.to_owned());
    panic!("seed {seed}:\n{failure}\n\nTABWIRE_BREAKER_SEED={seed} cargo test --test sim\n");
}
