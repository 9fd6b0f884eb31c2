//! The model: every client loses its connection at once, and the server comes back with a bounded rate.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use tabwire::time::Time;

/// What decides when a client tries again.
pub trait Client {
    /// Its connection was lost. When does the next attempt start, if ever?
    fn lost(&mut self, now: Time) -> Time;
    /// Its attempt was refused. When does the next one start, if ever?
    fn refused(&mut self, now: Time) -> Time;
    /// Its attempt succeeded.
    fn accepted(&mut self, _now: Time) {}
}

/// A storm. Attempts are refused while the server is down, and afterwards where its token bucket is empty, which is full
/// when it comes back. An answer takes a round trip, of which an attempt travels half.
#[derive(Clone, Copy, Debug)]
pub struct Storm {
    /// How many clients lose their connection.
    pub clients: usize,
    /// How long the server is down.
    pub down: Duration,
}

/// What came of a storm.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Attempts of a client, on average, with the last one, which succeeded.
    pub attempts: f64,
    /// Attempts a second in the busiest bin of 100 ms after the server came back.
    pub peak: f64,
    /// Seconds from the return of the server to that of all clients but one in a hundred.
    pub p99: f64,
}

/// When all connections are lost. Before that they are stable.
pub const DROPPED: Time = Time::from_millis(60_000);

/// How many connections the server accepts in a second.
const RATE: f64 = 500.0;

/// How many it accepts at once.
const BURST: f64 = RATE * 0.1;

const SHORTEST_ROUND_TRIP: Duration = Duration::from_millis(20);
const ROUND_TRIP_SPREAD: Duration = Duration::from_millis(20);

const BIN: Duration = Duration::from_millis(100);
const BINS_PER_SECOND: u32 = 10;

impl Storm {
    /// The storm that the bounds are for.
    pub const REFERENCE: Self = Self {
        clients: 10_000,
        down: Duration::from_secs(30),
    };

    /// The median of each number over so many runs.
    pub fn median<C: Client>(&self, runs: u64, make: impl Fn(u64) -> C) -> Outcome {
        let outcomes: Vec<_> = (1..=runs).map(|seed| self.run(seed, &make)).collect();
        let median = |number: fn(&Outcome) -> f64| {
            let mut numbers: Vec<_> = outcomes.iter().map(number).collect();
            numbers.sort_by(f64::total_cmp);
            numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
        };
        Outcome {
            attempts: median(|outcome| outcome.attempts),
            peak: median(|outcome| outcome.peak),
            p99: median(|outcome| outcome.p99),
        }
    }

    /// One run. `make` makes a client from its seed.
    pub fn run<C: Client>(&self, seed: u64, make: impl Fn(u64) -> C) -> Outcome {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut clients: Vec<_> = (0..self.clients).map(|_| make(rng.u64(..))).collect();
        let up = DROPPED + self.down;
        let mut bucket = Bucket::full(up);
        let mut arrivals = BinaryHeap::new();
        let mut travel = |index: usize, start: Time| {
            let round_trip = SHORTEST_ROUND_TRIP + ROUND_TRIP_SPREAD.mul_f64(rng.f64());
            Reverse((start + round_trip / 2, index, start + round_trip))
        };
        for (index, client) in clients.iter_mut().enumerate() {
            arrivals.push(travel(index, client.lost(DROPPED)));
        }
        let mut attempts = 0;
        let mut bins = Vec::new();
        let mut outages = Vec::new();
        while let Some(Reverse((arrival, index, answer))) = arrivals.pop() {
            if arrival == Time::NEVER {
                break;
            }
            let Some(client) = clients.get_mut(index) else {
                continue;
            };
            attempts += 1;
            if arrival >= up {
                count(&mut bins, arrival.since(up));
                if bucket.take(arrival) {
                    client.accepted(answer);
                    outages.push(answer.since(up).as_secs_f64());
                    continue;
                }
            }
            arrivals.push(travel(index, client.refused(answer)));
        }
        outages.resize(self.clients, f64::INFINITY);
        outages.sort_by(f64::total_cmp);
        let rank = (outages.len() * 99).div_ceil(100);
        let busiest = bins.into_iter().max().unwrap_or(0);
        Outcome {
            attempts: f64::from(attempts) / self.clients as f64,
            peak: f64::from(busiest * BINS_PER_SECOND),
            p99: outages
                .get(rank.saturating_sub(1))
                .copied()
                .unwrap_or(f64::NAN),
        }
    }
}

fn count(bins: &mut Vec<u32>, after: Duration) {
    let index = (after.as_micros() / BIN.as_micros()) as usize;
    if bins.len() <= index {
        bins.resize(index + 1, 0);
    }
    if let Some(bin) = bins.get_mut(index) {
        *bin += 1;
    }
}

/// Lets so many pass in a second, and a few at once.
struct Bucket {
    tokens: f64,
    at: Time,
}

impl Bucket {
    fn full(at: Time) -> Self {
        Self { tokens: BURST, at }
    }

    fn take(&mut self, now: Time) -> bool {
        let earned = now.since(self.at).as_secs_f64() * RATE;
        self.tokens = (self.tokens + earned).min(BURST);
        self.at = now;
        let is_enough = self.tokens >= 1.0;
        if is_enough {
            self.tokens -= 1.0;
        }
        is_enough
    }
}
