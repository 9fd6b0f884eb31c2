//! Running many worlds, and telling what went wrong in one.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use core::time::Duration;

use crate::invariants::{Breach, Check};
use crate::world::World;

/// What became of a world.
#[derive(Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// What failed, if something did.
    pub breach: Option<Breach>,
    /// How long it lived, in its own time.
    pub lived: Duration,
    /// Events.
    pub steps: u64,
    /// Fingerprint of its trace, if it was traced.
    pub fingerprint: u64,
    /// Last lines of its trace, if it was traced.
    pub lines: Vec<String>,
}

/// A world that takes this long of real time hangs.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// Runs worlds on all processors, prints how much was simulated, and fails if one of them did.
pub fn run_all(seeds: impl IntoIterator<Item = u64>) {
    let seeds: Vec<u64> = seeds.into_iter().collect();
    let (mut worlds, mut lived, mut steps) = (0, Duration::ZERO, 0);
    let mut failed: BTreeMap<Check, BTreeMap<u64, Breach>> = BTreeMap::new();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let running: Arc<Mutex<Vec<Option<u64>>>> = Arc::new(Mutex::new(vec![None; workers]));
    let next = Arc::new(AtomicU64::new(0));
    let (report, outcomes) = channel();
    for worker in 0..workers {
        let (seeds, running, next) = (seeds.clone(), Arc::clone(&running), Arc::clone(&next));
        let report = report.clone();
        thread::spawn(move || {
            while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                running.lock().unwrap()[worker] = Some(*seed);
                if report.send(run_one(*seed, false)).is_err() {
                    return;
                }
            }
        });
    }
    drop(report);
    loop {
        match outcomes.recv_timeout(HANGS_AFTER) {
            Ok(outcome) => {
                worlds += 1;
                lived += outcome.lived;
                steps += outcome.steps;
                if let Some(breach) = outcome.breach {
                    let of_check = failed.entry(breach.check).or_default();
                    of_check.insert(outcome.seed, breach);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let seeds = running.lock().unwrap().clone();
                panic!("no world ends within {HANGS_AFTER:?}; the hub hangs in one of {seeds:?}");
            }
        }
    }
    let minutes = lived.as_secs() / 60;
    println!("{worlds} worlds, {minutes} virtual minutes, {steps} steps");
    for (check, worlds) in &failed {
        let seeds: Vec<_> = worlds.keys().take(5).collect();
        println!("{check:?} breaks in {} of them: {seeds:?} …", worlds.len());
    }
    if let Some((seed, breach)) = failed.values().next().and_then(BTreeMap::first_key_value) {
        fail(*seed, breach);
    }
}

/// Runs one world.
pub fn run_one(seed: u64, is_traced: bool) -> Outcome {
    let mut world = World::new(seed, is_traced);
    let lived = catch_unwind(AssertUnwindSafe(|| world.live()));
    let breach = match lived {
        Ok(held) => held.err(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()));
            Some(Check::NoPanic.breach(text.unwrap_or_default()))
        }
    };
    Outcome {
        seed,
        breach,
        lived: world.net.now().since(tabwire::time::Time::ZERO),
        steps: world.steps,
        fingerprint: world.trace.fingerprint(),
        lines: world.trace.lines(),
    }
}

/// Runs the world again to see what led there, and prints it.
fn fail(seed: u64, breach: &Breach) -> ! {
    let lines = run_one(seed, true).lines.join("\n");
    panic!(
        "seed {seed} breaks {:?}: {}\n\n{lines}\n\nTABWIRE_SEED={seed} cargo test --test sim\n",
        breach.check, breach.detail
    );
}
