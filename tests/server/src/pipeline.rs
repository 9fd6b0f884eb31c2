//! Makes the reports of the pipeline that the demo pretends to watch.

use std::f64::consts::TAU;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::clock::iso_now;

/// The present report: `{ type, timestamp, data }`.
pub fn report() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    json!({
        "type": "pipeline_status",
        "timestamp": iso_now(),
        "data": data(seconds),
    })
    .to_string()
}

/// Figures that follow the clock alone, so that every client sees the same ones.
fn data(seconds: u64) -> serde_json::Value {
    let throughput = wave(seconds, 240, 180, 420);
    let latency = wave(seconds, 90, 12, 48);
    let queued = wave(seconds, 150, 0, 64);
    json!({
        "status": if queued > 56 { "busy" } else { "running" },
        "active": wave(seconds, 60, 2, 8),
        "queued": queued,
        "processed": seconds % 86_400 * 300,
        "failed": seconds % 86_400 / 900,
        "throughput": throughput,
        "latency_ms": latency,
        "stages": [
            { "name": "ingest", "healthy": true, "rate": throughput + 6 },
            { "name": "transform", "healthy": true, "rate": throughput + 2 },
            { "name": "publish", "healthy": queued <= 56, "rate": throughput },
        ],
    })
}

/// Swings between `low` and `high` once in `period` seconds.
fn wave(seconds: u64, period: u64, low: u32, high: u32) -> u32 {
    let phase = (seconds % period) as f64 / period as f64;
    let swing = (1.0 - (phase * TAU).cos()) / 2.0;
    low + (f64::from(high - low) * swing).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stay_within_their_range() {
        for seconds in 0..500 {
            assert!((2..=8).contains(&wave(seconds, 60, 2, 8)));
        }
        assert_eq!(wave(0, 60, 2, 8), 2);
        assert_eq!(wave(30, 60, 2, 8), 8);
    }
}
