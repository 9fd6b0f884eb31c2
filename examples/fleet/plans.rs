//! What is compared.

use serde_json::{Value, json};

use crate::day::Plan;

/// The plans, by name.
pub fn all(seed: u64) -> [(&'static str, Plan); 4] {
    let heartbeat = |interval: u32| json!({"interval": interval, "jitter": 0});
    let [fleet, flat, often] = [json!({}), heartbeat(180_000), heartbeat(25_000)];
    [
        ("`preset: 'fleet'`", plan(2800, fleet, seed)),
        ("a ping every 25 s", plan(2800, often.clone(), seed)),
        ("a ping every 180 s", plan(2000, flat, seed)),
        ("a ping every 25 s", plan(2000, often, seed)),
    ]
}

/// A plan with the preset, and this heartbeat in the place of its own.
fn plan(topics: usize, heartbeat: Value, seed: u64) -> Plan {
    let options = json!({"subprotocol": "\"json\"", "preset": "fleet", "staleness": {"staleAfter": 864_000_000}, "heartbeat": heartbeat});
    Plan {
        topics,
        options,
        seed,
    }
}
