//! What other breakers get wrong: each once, by the numbers of the survey. The rules themselves are in the modules below.

mod bench;
mod opening;
mod probing;
mod restoring;
mod tripping;

use serde_json::json;
use tabwire::protocol::{BreakerState, Order, Outcome};

use bench::{Bench, FAILURE, SUCCESS};

/// D1: buckets that move with the calls and not with the time.
#[test]
fn failures_before_a_pause_do_not_count_after_it() {
    let mut bench = Bench::new(json!({"window": 500, "minimumCalls": 5, "failureThreshold": 100}));
    bench.fail(4);
    bench.pass(3000);
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Closed);
    bench.fail(4);
    assert_eq!(bench.state(), BreakerState::Open, "five within the window");
}

/// D2, the one way.
#[test]
fn a_late_failure_of_a_closed_time_decides_nothing_while_a_probe_is_under_way() {
    let mut bench = Bench::quick(json!({}));
    let late = bench.call();
    bench.fail(2);
    bench.pass(1000);
    let probe = bench.call();
    bench.end(late, FAILURE);
    assert_eq!(bench.state(), BreakerState::HalfOpen);
    assert_eq!(bench.breaker.counters.stale, 1);
    bench.end(probe, SUCCESS);
    assert_eq!(bench.state(), BreakerState::Closed);
}

/// D3, the other way.
#[test]
fn a_late_success_of_a_closed_time_closes_nothing_without_a_probe() {
    let mut bench = Bench::quick(json!({}));
    let late = [bench.call(), bench.call(), bench.call()];
    bench.fail(2);
    bench.end(late[0], SUCCESS);
    assert_eq!(bench.state(), BreakerState::Open);
    bench.pass(1000);
    bench.end(late[1], SUCCESS);
    assert_eq!(bench.state(), BreakerState::HalfOpen);
    let probe = bench.call();
    bench.end(late[2], SUCCESS);
    assert_eq!(bench.state(), BreakerState::HalfOpen);
    assert_eq!(bench.breaker.counters.stale, 3);
    bench.end(probe, FAILURE);
    assert_eq!(bench.state(), BreakerState::Open);
}

#[test]
fn late_results_of_a_closed_time_count_in_no_later_one() {
    let mut bench = Bench::quick(json!({}));
    let late = [(); 4].map(|()| bench.call());
    bench.fail(2);
    bench.pass(1000);
    let probe = bench.call();
    bench.end(probe, SUCCESS);
    bench.fail(1);
    bench.end(late[0], FAILURE);
    bench.end(late[1], FAILURE);
    assert_eq!(bench.state(), BreakerState::Closed);
    bench.end(late[2], SUCCESS);
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Open, "nor did it end the row");
    assert_eq!(bench.breaker.counters.stale, 3);
}

/// D4: the probe waits for ever, and everybody with it.
#[test]
fn a_probe_that_never_ends_blocks_nobody_for_ever() {
    let (mut bench, first) = Bench::half_open(json!({"lease": 4000}));
    bench.pass(3999);
    let refusal = bench.acquire(2).unwrap_err();
    assert_eq!(refusal.retry_after.unwrap().as_millis(), 1);
    bench.pass(1);
    let second = bench.acquire(2).unwrap();
    assert_ne!(first.id, second.id);
    bench.end_of(2, second, SUCCESS);
    assert_eq!(bench.state(), BreakerState::Closed);
}

/// D5: an abort is no failure.
#[test]
fn calls_that_their_callers_give_up_do_not_open_it() {
    let mut bench = Bench::new(json!({"failureThreshold": 2, "minimumCalls": 1}));
    bench.ends(Outcome::Neutral, 100);
    assert_eq!(bench.state(), BreakerState::Closed);
    assert_eq!(bench.breaker.counters.neutral, 100);
    assert_eq!(bench.breaker.generation(), 0);
}

/// D6: what says nothing of the service as the result of the probe.
#[test]
fn a_probe_that_says_nothing_closes_nothing_and_gives_its_permit_back() {
    let (mut bench, probe) = Bench::half_open(json!({}));
    bench.end(probe, Outcome::Neutral);
    assert_eq!(bench.state(), BreakerState::HalfOpen);
    let again = bench.acquire(2).unwrap();
    assert!(bench.acquire(3).is_err(), "one at a time all the same");
    bench.end_of(2, again, Outcome::Neutral);
    assert_eq!(bench.state(), BreakerState::HalfOpen);
    assert!(bench.acquire(3).is_ok());
}

/// D7: all of the time over again.
#[test]
fn one_that_is_restored_open_waits_only_for_what_is_left() {
    let mut before = Bench::open(json!({}));
    before.pass(950);
    let mut bench = Bench::quick(json!({}));
    assert!(bench.restore(&before.snapshot()));
    assert_eq!((bench.state(), bench.left()), (BreakerState::Open, 50));
    bench.pass(49);
    assert!(bench.acquire(1).is_err());
    bench.pass(1);
    assert!(bench.acquire(1).is_ok());
}

/// D8: whoever has isolated it is gone, and nobody else can let it go.
#[test]
fn one_that_is_restored_forced_open_can_be_reset() {
    let mut before = Bench::quick(json!({}));
    before.force(Order::Open);
    let mut bench = Bench::quick(json!({}));
    assert!(bench.restore(&before.snapshot()));
    bench.pass(1_000_000_000);
    assert_eq!(bench.state(), BreakerState::ForcedOpen);
    assert_eq!(bench.refused().retry_after, None);
    bench.force(Order::Reset);
    let call = bench.call();
    bench.end(call, SUCCESS);
    assert_eq!(bench.state(), BreakerState::Closed);
    assert_eq!(bench.breaker.counters.stale, 0);
}

/// D9: refused calls stand in the denominator.
#[test]
fn refused_calls_do_not_dilute_the_share_of_failures() {
    let mut bench = Bench::new(json!({"minimumCalls": 4, "failureThreshold": 100}));
    bench.succeed(2);
    bench.fail(1);
    bench.ends(Outcome::Rejected, 1000);
    bench.ends(Outcome::Neutral, 1000);
    assert_eq!(
        bench.state(),
        BreakerState::Closed,
        "nor do they make enough"
    );
    bench.fail(1);
    assert_eq!(bench.state(), BreakerState::Open);
    assert_eq!(bench.reason(), "failure-rate");
    assert_eq!(bench.breaker.counters.rejected, 1000);
}

/// D10: one failure opens it, and the next stops the timer that would have let it go.
#[test]
fn failures_at_once_at_the_threshold_make_one_transition() {
    let mut bench = Bench::quick(json!({}));
    let calls = [(); 8].map(|()| bench.call());
    for call in calls {
        bench.end(call, FAILURE);
    }
    assert_eq!(bench.breaker.generation(), 1);
    assert_eq!(bench.breaker.counters.trips, 1);
    assert_eq!(bench.breaker.counters.stale, 6);
    bench.pass(1000);
    assert!(bench.acquire(1).is_ok());
}

/// D11: a flood through half-open, and a state that nothing leads out of.
#[test]
fn however_a_probe_ends_half_open_comes_to_an_end() {
    let ends = [
        (Some(SUCCESS), BreakerState::Closed),
        (Some(FAILURE), BreakerState::Open),
        (Some(Outcome::Neutral), BreakerState::HalfOpen),
        (None, BreakerState::HalfOpen),
    ];
    for (outcome, then) in ends {
        let (mut bench, probe) = Bench::half_open(json!({"lease": 100}));
        assert_eq!(
            (0..100).filter_map(|who| bench.acquire(who).ok()).count(),
            0
        );
        match outcome {
            Some(outcome) => bench.end(probe, outcome),
            None => bench.pass(100),
        }
        assert_eq!(bench.state(), then);
        bench.pass(2000);
        let next = bench.call();
        bench.end(next, SUCCESS);
        assert_eq!(bench.state(), BreakerState::Closed, "after {outcome:?}");
    }
}

/// D12: whoever asks at the moment of the change passes.
#[test]
fn no_more_probes_pass_at_the_moment_when_it_becomes_half_open() {
    let mut bench = Bench::open(json!({"probes": 3, "successThreshold": 3}));
    bench.pass(1000);
    let granted = (0..50).filter_map(|who| bench.acquire(who).ok());
    let ids: Vec<_> = granted.map(|permit| permit.id).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id != 0));
    assert_eq!(bench.breaker.counters.rejected, 47);
}

/// D13: a timer that nobody lives to see.
#[test]
fn it_becomes_half_open_by_time_alone() {
    let mut bench = Bench::open(json!({}));
    bench.pass(999);
    assert_eq!(bench.state(), BreakerState::Open);
    bench.pass(1);
    assert_eq!(bench.state(), BreakerState::HalfOpen);
    assert_eq!(bench.left(), 0);
    // Nobody has asked, so nothing has changed.
    assert_eq!(bench.breaker.generation(), 1);
    bench.pass(1_000_000_000);
    assert!(bench.acquire(1).is_ok());
    assert_eq!(bench.breaker.generation(), 2);
}

/// D14: what is given back twice makes room for two.
#[test]
fn a_permit_that_is_given_back_twice_makes_room_for_one() {
    for outcome in [Outcome::Neutral, SUCCESS] {
        let (mut bench, probe) = Bench::half_open(json!({"successThreshold": 9}));
        bench.end(probe, outcome);
        bench.end(probe, outcome);
        bench.breaker.release(1);
        assert_eq!(bench.breaker.counters.stale, 1);
        let granted = (0..9).filter(|who| bench.acquire(*who).is_ok());
        assert_eq!(granted.count(), 1);
    }
}

#[test]
fn a_permit_of_another_caller_cannot_be_given_back() {
    let (mut bench, probe) = Bench::half_open(json!({}));
    bench.end_of(2, probe, SUCCESS);
    assert_eq!(bench.state(), BreakerState::HalfOpen);
    bench.breaker.release(2);
    assert!(bench.acquire(2).is_err());
    bench.end(probe, SUCCESS);
    assert_eq!(bench.state(), BreakerState::Closed);
}
