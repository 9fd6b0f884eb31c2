//! What opens a closed breaker, and what does not.

use serde_json::json;
use tabwire::protocol::{BreakerState, Order, Outcome};

use super::bench::{Bench, FAILURE, SUCCESS};

#[test]
fn five_failures_in_a_row_open_it() {
    let mut bench = Bench::new(json!({}));
    bench.fail(4);
    assert_eq!(bench.state(), BreakerState::Closed);
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Open);
    assert_eq!(bench.reason(), "consecutive-failures");
    assert_eq!(bench.breaker.counters.failures, 5);
}

#[test]
fn a_success_ends_the_row() {
    let mut bench = Bench::new(json!({"minimumCalls": 1000}));
    for _ in 0..20 {
        bench.fail(4);
        bench.succeed(1);
    }
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[test]
fn what_says_nothing_does_not_end_the_row() {
    let mut bench = Bench::new(json!({}));
    bench.fail(4);
    bench.ends(Outcome::Neutral, 3);
    bench.ends(Outcome::Rejected, 3);
    bench.fail(1);
    assert_eq!(bench.reason(), "consecutive-failures");
}

#[test]
fn failures_that_are_told_together_count_one_by_one() {
    let mut bench = Bench::new(json!({}));
    bench.fail(2);
    bench.batch(FAILURE, 3, 0, 0);
    assert_eq!(bench.state(), BreakerState::Open);
}

/// Successes are told late, and in one report.
#[test]
fn successes_from_before_the_last_failure_do_not_end_the_row() {
    let mut bench = Bench::new(json!({"minimumCalls": 1000}));
    bench.fail(4);
    bench.pass(200);
    bench.batch(SUCCESS, 50, 0, 201);
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Open);
}

#[test]
fn successes_from_after_the_last_failure_end_the_row() {
    let mut bench = Bench::new(json!({"minimumCalls": 1000}));
    bench.fail(4);
    bench.pass(200);
    bench.batch(SUCCESS, 50, 0, 200);
    bench.fail(4);
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[test]
fn half_of_the_last_calls_failing_opens_it_once_they_are_enough() {
    let mut bench = Bench::new(json!({"failureThreshold": 100}));
    for _ in 0..4 {
        bench.fail(1);
        bench.succeed(1);
    }
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Closed, "nine are not enough");
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Open);
    assert_eq!(bench.reason(), "failure-rate");
}

#[test]
fn a_smaller_share_does_not_open_it() {
    let mut bench = Bench::new(json!({"failureThreshold": 100}));
    bench.succeed(51);
    bench.fail(50);
    assert_eq!(bench.state(), BreakerState::Closed);
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Open);
}

#[test]
fn a_good_call_that_makes_the_calls_enough_is_no_occasion() {
    let mut bench = Bench::new(json!({"failureThreshold": 100}));
    bench.fail(9);
    for _ in 0..9 {
        bench.succeed(1);
        assert_eq!(bench.state(), BreakerState::Closed);
    }
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Open);
}

#[test]
fn a_window_of_calls_holds_the_last_of_them_for_however_long() {
    let options = json!({"window": {"calls": 10}, "failureThreshold": 100});
    let mut bench = Bench::new(options.clone());
    bench.fail(4);
    bench.pass(10_000_000);
    bench.succeed(5);
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Open);
    let mut bench = Bench::new(options);
    bench.fail(4);
    bench.succeed(6);
    bench.fail(4);
    assert_eq!(
        bench.state(),
        BreakerState::Closed,
        "the first four are out"
    );
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Open);
}

#[test]
fn a_window_of_time_forgets_what_is_older() {
    let mut bench = Bench::new(json!({"window": 1000, "failureThreshold": 100}));
    bench.fail(9);
    bench.pass(1000);
    bench.fail(9);
    assert_eq!(bench.state(), BreakerState::Closed);
    bench.pass(400);
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Open);
}

#[test]
fn slow_calls_open_it_though_they_succeed() {
    let options = json!({"slowCallDuration": 100, "slowCallRate": 0.5, "minimumCalls": 4});
    let mut bench = Bench::new(options);
    bench.succeed(2);
    bench.batch(SUCCESS, 1, 1, 0);
    assert_eq!(bench.state(), BreakerState::Closed);
    bench.batch(SUCCESS, 1, 1, 0);
    assert_eq!(bench.state(), BreakerState::Open);
    assert_eq!(bench.reason(), "slow-calls");
    assert_eq!(bench.breaker.counters.slow, 2);
    assert_eq!(bench.breaker.counters.successes, 4);
}

#[test]
fn a_quick_call_is_no_occasion_for_the_slow_ones_before() {
    let options = json!({"slowCallDuration": 100, "slowCallRate": 0.5, "minimumCalls": 4});
    let mut bench = Bench::new(options);
    bench.batch(SUCCESS, 3, 3, 0);
    bench.succeed(1);
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[test]
fn by_default_all_must_be_slow() {
    let mut bench = Bench::new(json!({"slowCallDuration": 100}));
    bench.succeed(1);
    bench.batch(SUCCESS, 200, 200, 0);
    assert_eq!(bench.state(), BreakerState::Closed);
    let mut bench = Bench::new(json!({"slowCallDuration": 100}));
    bench.batch(SUCCESS, 10, 10, 0);
    assert_eq!(bench.reason(), "slow-calls");
}

#[test]
fn what_was_counted_before_a_transition_counts_no_more() {
    let mut bench = Bench::quick(json!({"minimumCalls": 3}));
    bench.fail(2);
    bench.pass(1000);
    let probe = bench.call();
    bench.end(probe, SUCCESS);
    bench.fail(1);
    bench.succeed(1);
    assert_eq!(bench.state(), BreakerState::Closed);
    bench.fail(1);
    assert_eq!(bench.reason(), "failure-rate");
}

#[test]
fn forced_closed_lets_everything_pass_however_it_ends() {
    let mut bench = Bench::open(json!({}));
    bench.force(Order::Close);
    for _ in 0..100 {
        let call = bench.call();
        bench.end(call, FAILURE);
    }
    assert_eq!(bench.state(), BreakerState::ForcedClosed);
    assert_eq!(bench.breaker.counters.failures, 102);
    assert_eq!(bench.breaker.counters.stale, 0);
    bench.force(Order::Reset);
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Closed, "as new");
}

#[test]
fn forced_open_refuses_everything_until_it_is_reset() {
    let mut bench = Bench::quick(json!({}));
    let late = bench.call();
    bench.force(Order::Open);
    bench.end(late, SUCCESS);
    bench.pass(1_000_000_000);
    let refusal = bench.refused();
    assert_eq!(
        (refusal.reason.code(), refusal.retry_after),
        ("forced", None)
    );
    bench.force(Order::Reset);
    assert_eq!(bench.reason(), "reset");
    assert_eq!(bench.call().id, 0);
    assert_eq!(bench.breaker.counters.trips, 0, "nobody has failed");
}

#[test]
fn a_window_of_fewer_calls_than_the_least_is_enough_when_it_is_full() {
    let mut bench = Bench::new(json!({
        "failureThreshold": 1000, "window": {"calls": 4}, "minimumCalls": 10, "failureRate": 0.5,
    }));
    bench.succeed(2);
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Closed);
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Open);
}
