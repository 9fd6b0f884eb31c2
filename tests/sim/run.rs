//! Running many worlds, and telling what went wrong in one.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
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
    let seeds: Arc<[u64]> = seeds.into_iter().collect();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let running: Arc<Mutex<Vec<Option<u64>>>> = Arc::new(Mutex::new(vec![None; workers]));
    let next = Arc::new(AtomicUsize::new(0));
    let (report, outcomes) = channel();
    for worker in 0..workers {
        let (seeds, running, next) = (Arc::clone(&seeds), Arc::clone(&running), Arc::clone(&next));
        let report = report.clone();
        thread::spawn(move || {
            while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                running.lock().unwrap()[worker] = Some(*seed);
                if report.send(run_one(*seed, false)).is_err() {
                    return;
                }
            }
        });
    }
    drop(report);
    let mut tally = Tally::default();
    loop {
        match outcomes.recv_timeout(HANGS_AFTER) {
            Ok(outcome) => tally.add(outcome),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let seeds = running.lock().unwrap().clone();
                panic!("no world ends within {HANGS_AFTER:?}; the hub hangs in one of {seeds:?}");
            }
        }
    }
    tally.tell();
}

/// How much was simulated, and what failed.
#[derive(Debug, Default)]
struct Tally {
    worlds: u64,
    lived: Duration,
    steps: u64,
    failed: BTreeMap<Check, BTreeMap<u64, Breach>>,
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        self.worlds += 1;
        self.lived += outcome.lived;
        self.steps += outcome.steps;
        if let Some(breach) = outcome.breach {
            let worlds = self.failed.entry(breach.check).or_default();
            worlds.insert(outcome.seed, breach);
        }
    }

    fn tell(&self) {
        let minutes = self.lived.as_secs() / 60;
        let (worlds, steps) = (self.worlds, self.steps);
        println!("{worlds} worlds, {minutes} virtual minutes, {steps} steps");
        for (check, worlds) in &self.failed {
            let seeds: Vec<_> = worlds.keys().take(5).collect();
            println!("{check:?} breaks in {} worlds: {seeds:?} …", worlds.len());
        }
        let first = self.failed.values().next();
        if let Some((seed, breach)) = first.and_then(BTreeMap::first_key_value) {
            fail(*seed, breach);
        }
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
