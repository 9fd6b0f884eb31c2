//! How long a breaker stays open.

use serde_json::json;
use tabwire::protocol::{BreakerState, Order};

use super::bench::{Bench, FAILURE, SUCCESS, come_again_after};

/// How long it stays open, one failed probe after the other.
fn growth(bench: &mut Bench, times: usize) -> Vec<u128> {
    let lengths = (0..times).map(|_| {
        let left = bench.left();
        bench.now = bench.now + bench.breaker.view(bench.now).remaining.unwrap();
        let probe = bench.call();
        bench.end(probe, FAILURE);
        left
    });
    lengths.collect()
}

#[test]
fn it_stays_open_for_twice_as_long_each_time_up_to_the_most() {
    let mut bench = Bench::open(json!({"maxResetTimeout": 10_000}));
    let lengths = growth(&mut bench, 7);
    assert_eq!(lengths, [1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
    assert_eq!(bench.breaker.view(bench.now).openings, 8);
}

#[test]
fn a_first_time_that_is_longer_than_the_most_is_the_most() {
    let mut bench = Bench::open(json!({"maxResetTimeout": 10}));
    assert_eq!(growth(&mut bench, 3), [1000, 1000, 1000]);
}

#[test]
fn that_time_varies_by_its_share_at_the_most_as_well() {
    let mut drawn = Vec::new();
    for seed in 0..200 {
        let mut bench = Bench::quick(json!({"jitter": 0.2, "maxResetTimeout": 2000}));
        bench.rng = fastrand::Rng::with_seed(seed);
        bench.fail(2);
        let lengths = growth(&mut bench, 4);
        assert!((800..=1200).contains(&lengths[0]), "{lengths:?}");
        drawn.extend_from_slice(&lengths[1..]);
    }
    drawn.sort_unstable();
    let (least, most) = (drawn[0], drawn[drawn.len() - 1]);
    assert!((1600..1610).contains(&least) && (2390..=2400).contains(&most));
}

#[test]
fn once_it_was_closed_it_starts_over() {
    let mut bench = Bench::open(json!({}));
    growth(&mut bench, 3);
    assert_eq!(bench.left(), 8000);
    bench.pass(8000);
    let probe = bench.call();
    bench.end(probe, SUCCESS);
    assert_eq!(bench.breaker.view(bench.now).openings, 0);
    bench.fail(2);
    assert_eq!(bench.left(), 1000);
}

#[test]
fn once_it_was_reset_it_starts_over() {
    let mut bench = Bench::open(json!({}));
    growth(&mut bench, 3);
    bench.force(Order::Reset);
    bench.fail(2);
    assert_eq!(bench.left(), 1000);
}

#[test]
fn it_stays_open_for_as_long_as_the_service_wants_to_be_left_alone() {
    let mut bench = Bench::quick(json!({}));
    bench.fail(1);
    bench.ends(come_again_after(7000), 1);
    assert_eq!(bench.left(), 7000);
    let refusal = bench.refused();
    assert_eq!(refusal.retry_after.unwrap().as_millis(), 7000);
}

#[test]
fn that_counts_from_when_it_was_said_though_later_failures_say_nothing() {
    let mut bench = Bench::quick(json!({}));
    bench.ends(come_again_after(7000), 1);
    bench.pass(2000);
    bench.fail(1);
    assert_eq!(bench.left(), 5000);
}

#[test]
fn it_never_makes_the_time_shorter() {
    let mut bench = Bench::quick(json!({}));
    bench.fail(1);
    bench.ends(come_again_after(3), 1);
    assert_eq!(bench.left(), 1000);
    bench.ends(come_again_after(3), 1);
    assert_eq!(bench.left(), 1000, "nor does a late one");
}

#[test]
fn it_is_not_believed_beyond_all_measure() {
    let mut bench = Bench::quick(json!({"maxRetryAfter": 9000}));
    bench.fail(1);
    bench.ends(come_again_after(1 << 40), 1);
    assert_eq!(bench.left(), 9000);
    let mut bench = Bench::quick(json!({"maxRetryAfter": 0}));
    bench.ends(come_again_after(1 << 40), 2);
    assert_eq!(bench.left(), 1000);
}

#[test]
fn a_success_since_takes_it_back() {
    let mut bench = Bench::quick(json!({}));
    bench.ends(come_again_after(7000), 1);
    bench.succeed(1);
    bench.fail(2);
    assert_eq!(bench.left(), 1000);
}

#[test]
fn a_success_from_before_does_not_take_it_back() {
    let mut bench = Bench::quick(json!({}));
    bench.ends(come_again_after(7000), 1);
    bench.pass(100);
    bench.batch(SUCCESS, 5, 0, 101);
    bench.fail(1);
    assert_eq!(bench.left(), 6900);
}

#[test]
fn what_a_late_call_is_told_makes_it_stay_open_for_longer() {
    let mut bench = Bench::quick(json!({"maxRetryAfter": 9000}));
    let late = [(); 3].map(|()| bench.call());
    bench.fail(2);
    bench.pass(500);
    bench.end(late[0], come_again_after(4000));
    assert_eq!((bench.state(), bench.left()), (BreakerState::Open, 4000));
    let view = bench.breaker.view(bench.now);
    assert_eq!(view.open_for.as_millis(), 4500, "in all");
    assert_eq!((view.generation, view.openings), (1, 1), "no transition");
    bench.end(late[1], come_again_after(1 << 40));
    assert_eq!(bench.left(), 9000);
    bench.end(late[2], come_again_after(100));
    assert_eq!(bench.left(), 9000);
    assert_eq!(bench.breaker.counters.stale, 3);
}

#[test]
fn a_probe_may_be_told_to_come_later_too() {
    let (mut bench, probe) = Bench::half_open(json!({}));
    bench.end(probe, come_again_after(60_000));
    assert_eq!(bench.left(), 60_000);
}

#[test]
fn numbers_without_measure_break_nothing() {
    let options = json!({"failureThreshold": 1, "growth": 1e300, "maxResetTimeout": 1e300, "resetTimeout": 1e300, "jitter": 1});
    let mut bench = Bench::new(options);
    bench.fail(1);
    for _ in 0..2000 {
        bench.now = bench.now + bench.breaker.view(bench.now).remaining.unwrap();
        match bench.acquire(1) {
            Ok(probe) => bench.end(probe, FAILURE),
            Err(refusal) => panic!("{refusal:?}"),
        }
    }
}
