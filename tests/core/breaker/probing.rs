//! Half-open: permits, leases, and what the probes decide.

use serde_json::json;
use tabwire::core::MOST_EXPIRED;
use tabwire::protocol::{BreakerState, Outcome};

use super::bench::{Bench, FAILURE, SUCCESS};

#[test]
fn a_probe_that_succeeds_closes_it() {
    let (mut bench, probe) = Bench::half_open(json!({}));
    assert_eq!(bench.reason(), "probing");
    assert_eq!(probe.lease.unwrap().as_secs(), 30);
    bench.end(probe, SUCCESS);
    assert_eq!(
        (bench.state(), bench.reason()),
        (BreakerState::Closed, "recovered")
    );
    assert_eq!(bench.call().id, 0);
}

#[test]
fn a_probe_that_fails_opens_it_again() {
    let (mut bench, probe) = Bench::half_open(json!({}));
    bench.end(probe, FAILURE);
    assert_eq!(
        (bench.state(), bench.reason()),
        (BreakerState::Open, "probe-failed")
    );
    assert_eq!(bench.breaker.generation(), 3);
}

#[test]
fn a_probe_that_is_slow_opens_it_again() {
    let (mut bench, probe) = Bench::half_open(json!({"slowCallDuration": 10}));
    bench.end_slowly(probe, SUCCESS);
    assert_eq!(
        (bench.state(), bench.reason()),
        (BreakerState::Open, "slow-calls")
    );
}

#[test]
fn as_many_must_succeed_as_are_wanted() {
    let (mut bench, first) = Bench::half_open(json!({"successThreshold": 3}));
    bench.end(first, SUCCESS);
    let second = bench.call();
    assert!(bench.acquire(2).is_err());
    bench.end(second, SUCCESS);
    assert_eq!(bench.state(), BreakerState::HalfOpen);
    let third = bench.call();
    bench.end(third, SUCCESS);
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[test]
fn no_more_probes_pass_than_are_still_needed() {
    let (mut bench, first) = Bench::half_open(json!({"probes": 5, "successThreshold": 2}));
    let second = bench.acquire(2).unwrap();
    assert!(bench.acquire(3).is_err());
    bench.end(first, SUCCESS);
    assert!(
        bench.acquire(3).is_err(),
        "one has succeeded, one is under way"
    );
    bench.end_of(2, second, SUCCESS);
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[test]
fn one_failed_probe_of_several_decides_and_the_others_come_too_late() {
    let (mut bench, first) = Bench::half_open(json!({"probes": 3, "successThreshold": 3}));
    let second = bench.acquire(2).unwrap();
    bench.end(first, FAILURE);
    bench.end_of(2, second, SUCCESS);
    assert_eq!(bench.state(), BreakerState::Open);
    assert_eq!(bench.breaker.counters.stale, 1);
}

#[test]
fn a_probe_of_before_decides_nothing_in_the_next_half_open() {
    let (mut bench, first) = Bench::half_open(json!({"probes": 2, "successThreshold": 2}));
    let late = bench.call();
    bench.end(first, FAILURE);
    bench.pass(2000);
    let probe = bench.call();
    bench.end(late, SUCCESS);
    bench.end(probe, SUCCESS);
    assert_eq!(bench.state(), BreakerState::HalfOpen, "one of two");
}

#[test]
fn the_result_of_a_permit_that_was_given_up_comes_too_late() {
    let (mut bench, probe) = Bench::half_open(json!({"lease": 500}));
    bench.pass(500);
    bench.end(probe, SUCCESS);
    assert_eq!(bench.state(), BreakerState::HalfOpen);
    let counters = bench.breaker.counters;
    assert_eq!((counters.expired, counters.stale), (1, 1));
    assert!(bench.acquire(2).is_ok());
}

#[test]
fn a_result_just_in_time_counts() {
    let (mut bench, probe) = Bench::half_open(json!({"lease": 500}));
    bench.pass(499);
    bench.end(probe, SUCCESS);
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[test]
fn probes_of_which_nothing_is_heard_open_it_again_in_the_end() {
    let (mut bench, _) = Bench::half_open(json!({"lease": 500}));
    for _ in 1..MOST_EXPIRED {
        bench.pass(500);
        bench.call();
    }
    bench.pass(500);
    let refusal = bench.refused();
    assert_eq!(refusal.reason.code(), "probes-lost");
    assert_eq!(refusal.retry_after.unwrap().as_millis(), 2000);
    assert_eq!(bench.breaker.counters.expired, u64::from(MOST_EXPIRED));
    assert_eq!(bench.breaker.counters.trips, 2);
}

#[test]
fn several_that_are_lost_at_once_count_each() {
    let (mut bench, _) =
        Bench::half_open(json!({"lease": 500, "probes": 3, "successThreshold": 3}));
    bench.call();
    let last = bench.call();
    bench.pass(500);
    bench.end(last, SUCCESS);
    assert_eq!(
        (bench.state(), bench.reason()),
        (BreakerState::Open, "probes-lost")
    );
}

#[test]
fn a_success_in_between_ends_the_row_of_lost_probes() {
    let (mut bench, _) = Bench::half_open(json!({"lease": 500, "successThreshold": 9}));
    for _ in 0..4 {
        bench.pass(500);
        bench.call();
        bench.pass(500);
        let heard = bench.call();
        bench.end(heard, SUCCESS);
        bench.call();
    }
    assert_eq!(bench.state(), BreakerState::HalfOpen);
    assert_eq!(bench.breaker.counters.expired, 8);
}

#[test]
fn what_says_nothing_in_between_does_not_end_the_row_of_lost_probes() {
    let (mut bench, _) = Bench::half_open(json!({"lease": 500}));
    for _ in 1..MOST_EXPIRED {
        bench.pass(500);
        let given_up = bench.call();
        bench.end(given_up, Outcome::Neutral);
        bench.call();
    }
    bench.pass(500);
    assert_eq!(bench.refused().reason.code(), "probes-lost");
}

#[test]
fn whoever_is_gone_gives_all_permits_back() {
    let (mut bench, _) = Bench::half_open(json!({"probes": 2, "successThreshold": 2}));
    bench.call();
    assert!(bench.acquire(2).is_err());
    bench.breaker.release(1);
    assert_eq!(bench.breaker.counters.neutral, 2);
    assert_eq!(bench.state(), BreakerState::HalfOpen);
    assert!(bench.acquire(2).is_ok() && bench.acquire(3).is_ok());
    assert!(bench.acquire(4).is_err());
}

#[test]
fn a_call_without_a_permit_decides_nothing_while_it_is_half_open() {
    let (mut bench, _) = Bench::half_open(json!({}));
    bench.succeed(1);
    bench.fail(1);
    bench.batch(FAILURE, 10, 0, 0);
    assert_eq!(bench.state(), BreakerState::HalfOpen);
    assert_eq!(bench.breaker.counters.stale, 12);
}
