//! How long others wait: their defaults, by their documentation and source, all attempts of which fail at once.

use std::time::Duration;

use tabwire::time::Time;

use crate::model::Client;

/// A strategy.
#[derive(Clone, Copy)]
pub struct Formula {
    /// Its name, with the numbers that are its defaults.
    pub name: &'static str,
    /// Where it stands.
    pub source: &'static str,
    wait: fn(&mut Waits) -> f64,
}

/// What a strategy goes by: the waits of one client since it lost its connection.
pub struct Waits {
    rng: fastrand::Rng,
    /// How many there have been.
    count: i32,
    /// Of the last one, seconds.
    last: f64,
    /// Drawn once in the life of a client, from 0 to 1.
    constant: f64,
}

/// A client that follows a formula.
pub struct Follower {
    formula: Formula,
    waits: Waits,
}

/// All strategies but ours.
pub const FORMULAS: [Formula; 10] = [
    Formula {
        name: "fixed, 1 s",
        source: "MQTT.js `reconnectPeriod`",
        wait: |_| 1.0,
    },
    Formula {
        name: "exponential without jitter, 1 → 30 s",
        source: "AWS simulator `ExpoBackoff`",
        wait: |waits| waits.grown(1.0, 2.0, 30.0),
    },
    Formula {
        name: "full jitter, 1 → 30 s",
        source: "AWS simulator `ExpoBackoffFullJitter`",
        wait: |waits| waits.grown(1.0, 2.0, 30.0) * waits.rng.f64(),
    },
    Formula {
        name: "equal jitter, 1 → 30 s",
        source: "AWS simulator `ExpoBackoffEqualJitter`",
        wait: |waits| waits.grown(1.0, 2.0, 30.0) * (0.5 + 0.5 * waits.rng.f64()),
    },
    Formula {
        name: "decorrelated jitter, 1 → 30 s",
        source: "AWS simulator `ExpoBackoffDecorr`",
        wait: |waits| (1.0 + (3.0 * waits.last.max(1.0) - 1.0) * waits.rng.f64()).min(30.0),
    },
    Formula {
        name: "gRPC, at once, then 1 → 120 s × 1.6 ± 20 %",
        source: "grpc/grpc doc/connection-backoff.md",
        wait: |waits| match waits.count {
            0 => 0.0,
            count => {
                let jitter = 0.8 + 0.4 * waits.rng.f64();
                grown(1.0, 1.6, 120.0, count - 1) * jitter
            }
        },
    },
    Formula {
        name: "socket.io, 1 → 5 s ± 50 %, clamped last",
        source: "socket.io-client lib/contrib/backo2.ts",
        wait: |waits| {
            let drawn = waits.rng.f64();
            let is_shorter = ((drawn * 10.0) as u32).is_multiple_of(2);
            let deviation = if is_shorter {
                -0.5 * drawn
            } else {
                0.5 * drawn
            };
            (2f64.powi(waits.count.min(64)) * (1.0 + deviation)).min(5.0)
        },
    },
    Formula {
        name: "Phoenix, a table from 10 ms to 5 s",
        source: "phoenix assets/js/phoenix/socket.js `reconnectAfterMs`",
        wait: |waits| {
            const TABLE: [f64; 9] = [0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0, 2.0];
            TABLE.get(waits.count as usize).copied().unwrap_or(5.0)
        },
    },
    Formula {
        name: "partysocket, 1 to 5 s, drawn once, → 10 s × 1.3",
        source: "partysocket src/ws.ts `_getNextDelay`",
        wait: |waits| waits.grown(1.0 + 4.0 * waits.constant, 1.3, 10.0),
    },
    Formula {
        name: "centrifuge-js, 0.5 → 20 s, full jitter",
        source: "centrifuge-js src/utils.ts `backoff`",
        wait: |waits| (0.5 + waits.grown(0.5, 2.0, 20.0) * waits.rng.f64()).min(20.0),
    },
];

impl Formula {
    /// A client that follows it.
    pub fn client(self, seed: u64) -> Follower {
        let mut rng = fastrand::Rng::with_seed(seed);
        Follower {
            formula: self,
            waits: Waits {
                count: 0,
                last: 0.0,
                constant: rng.f64(),
                rng,
            },
        }
    }
}

impl Waits {
    fn grown(&self, min: f64, growth: f64, max: f64) -> f64 {
        grown(min, growth, max, self.count)
    }
}

fn grown(min: f64, growth: f64, max: f64, steps: i32) -> f64 {
    (min * growth.powi(steps)).min(max)
}

impl Client for Follower {
    fn lost(&mut self, now: Time) -> Time {
        let wait = (self.formula.wait)(&mut self.waits);
        self.waits.last = wait;
        self.waits.count += 1;
        now + Duration::from_secs_f64(wait)
    }

    fn refused(&mut self, now: Time) -> Time {
        self.lost(now)
    }
}
