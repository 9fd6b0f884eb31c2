//! The clocks of the worker.

use core::time::Duration;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::time::Time;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;
}

/// The time on the monotonic clock.
pub fn now() -> Time {
    Time::from_micros((performance_now() * 1000.0) as u64)
}

/// What the wall clock says, since 1970.
pub fn wall_now() -> Duration {
    Duration::from_millis(date_now() as u64)
}

/// The wall-clock milliseconds since 1970 of a moment on the monotonic clock.
pub fn wall(at: Time) -> f64 {
    (date_now() - performance_now() + at.as_millis_f64()).round()
}
