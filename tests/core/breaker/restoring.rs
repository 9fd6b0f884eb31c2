//! What a new hub makes of what tabs remember of the hub before.

use std::time::Duration;

use serde_json::json;
use tabwire::protocol::{BreakerState, Order, Snapshot};

use super::bench::{Bench, FAILURE, SUCCESS};

const DAY: Duration = Duration::from_secs(86_400);

/// What is remembered of one that has been open for 400 ms of 1000.
fn remembered() -> Snapshot {
    let mut before = Bench::open(json!({}));
    before.pass(400);
    before.snapshot()
}

#[test]
fn what_is_left_of_the_time_is_waited_for_and_the_growth_goes_on() {
    let snapshot = Snapshot {
        openings: 3,
        ..remembered()
    };
    let mut bench = Bench::quick(json!({}));
    assert!(bench.restore(&snapshot));
    assert_eq!((bench.state(), bench.left()), (BreakerState::Open, 600));
    assert_eq!(bench.reason(), "restored");
    let view = bench.breaker.view(bench.now);
    assert_eq!((view.generation, view.openings), (1, 3));
    assert_eq!(view.age.unwrap().as_millis(), 400);
    assert_eq!(view.open_for.as_millis(), 1000);
    bench.pass(600);
    let probe = bench.call();
    bench.end(probe, FAILURE);
    assert_eq!(bench.left(), 8000);
}

#[test]
fn a_wall_clock_that_was_set_back_makes_it_wait_no_longer_than_it_would_have() {
    let mut bench = Bench::quick(json!({}));
    let snapshot = Snapshot {
        age: Duration::ZERO,
        remaining: DAY,
        ..remembered()
    };
    assert!(bench.restore(&snapshot));
    assert_eq!(bench.left(), 1000);
}

#[test]
fn a_wall_clock_that_was_set_ahead_makes_it_half_open() {
    let mut bench = Bench::quick(json!({}));
    let snapshot = Snapshot {
        age: DAY,
        remaining: Duration::ZERO,
        ..remembered()
    };
    assert!(bench.restore(&snapshot));
    assert_eq!(bench.state(), BreakerState::HalfOpen);
    assert_eq!(bench.call().generation, 2);
}

#[test]
fn whatever_is_remembered_it_waits_no_longer_than_the_options_allow() {
    let snapshot = Snapshot {
        remaining: DAY,
        open_for: DAY,
        ..remembered()
    };
    let limits = json!({"maxResetTimeout": 10_000, "maxRetryAfter": 0});
    let mut bench = Bench::quick(limits);
    bench.restore(&snapshot);
    assert_eq!(bench.left(), 10_000);
    let mut bench = Bench::quick(json!({}));
    bench.restore(&snapshot);
    assert_eq!(bench.left(), 300_000, "a Retry-After may be as long");
}

/// The time that varies up to a fifth beyond the longest.
#[test]
fn what_was_drawn_beyond_the_longest_time_is_waited_for_as_well() {
    let options = json!({"maxResetTimeout": 1000, "maxRetryAfter": 0, "jitter": 0.2});
    let mut bench = Bench::quick(options);
    let snapshot = Snapshot {
        remaining: Duration::from_millis(1150),
        open_for: Duration::from_millis(1190),
        ..remembered()
    };
    bench.restore(&snapshot);
    assert_eq!(bench.left(), 1150);
}

#[test]
fn half_open_is_open_with_nothing_left() {
    let (before, lost) = Bench::half_open(json!({}));
    let mut bench = Bench::quick(json!({}));
    assert!(bench.restore(&before.snapshot()));
    assert_eq!((bench.state(), bench.left()), (BreakerState::HalfOpen, 0));
    bench.end(lost, SUCCESS);
    assert_eq!(
        bench.state(),
        BreakerState::HalfOpen,
        "its permit was another hub's"
    );
    let probe = bench.acquire(2).unwrap();
    bench.end(lost, FAILURE);
    assert!(bench.acquire(3).is_err());
    bench.end_of(2, probe, SUCCESS);
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[test]
fn calls_of_a_closed_time_go_on_counting() {
    let (mut before, probe) = Bench::half_open(json!({}));
    before.end(probe, SUCCESS);
    let calls = [before.call(), before.call()];
    let mut bench = Bench::quick(json!({}));
    assert!(bench.restore(&before.snapshot()));
    assert_eq!(bench.breaker.generation(), 3);
    for call in calls {
        bench.end(call, FAILURE);
    }
    assert_eq!(bench.state(), BreakerState::Open);
}

#[test]
fn what_somebody_has_decided_stays_decided() {
    for (order, state) in [
        (Order::Open, BreakerState::ForcedOpen),
        (Order::Close, BreakerState::ForcedClosed),
    ] {
        let mut before = Bench::quick(json!({}));
        before.force(order);
        let mut bench = Bench::quick(json!({}));
        assert!(bench.restore(&before.snapshot()));
        assert_eq!((bench.state(), bench.reason()), (state, "forced"));
    }
}

#[test]
fn the_youngest_of_several_memories_counts_whatever_their_order() {
    let mut before = Bench::open(json!({}));
    let older = before.snapshot();
    before.pass(1000);
    let probe = before.call();
    before.end(probe, SUCCESS);
    before.pass(100);
    let aged = Snapshot {
        age: Duration::from_millis(1100),
        remaining: Duration::ZERO,
        ..older
    };
    for order in [[aged, before.snapshot()], [before.snapshot(), aged]] {
        let mut bench = Bench::quick(json!({}));
        for snapshot in &order {
            bench.restore(snapshot);
        }
        assert_eq!(bench.state(), BreakerState::Closed);
        assert_eq!(bench.breaker.generation(), 3);
    }
}

#[test]
fn what_is_older_than_what_has_happened_here_is_ignored() {
    let mut bench = Bench::open(json!({}));
    let old = Snapshot {
        state: BreakerState::ForcedOpen,
        generation: 900,
        age: Duration::from_millis(1),
        ..remembered()
    };
    assert!(!bench.restore(&old));
    assert_eq!(bench.state(), BreakerState::Open);
    assert_eq!(bench.breaker.generation(), 1);
}

#[test]
fn a_tab_that_has_never_seen_a_transition_has_nothing_to_tell() {
    let mut bench = Bench::quick(json!({}));
    let nothing = Bench::quick(json!({})).snapshot();
    assert!(!bench.restore(&nothing));
    assert_eq!(bench.reason(), "new");
}

/// No two tabs know to the microsecond how old it is.
#[test]
fn what_another_tab_has_told_already_is_no_news_though_it_seems_younger() {
    let states = [
        BreakerState::Closed,
        BreakerState::Open,
        BreakerState::HalfOpen,
        BreakerState::ForcedOpen,
        BreakerState::ForcedClosed,
    ];
    for state in states {
        let snapshot = Snapshot {
            state,
            generation: 6,
            ..remembered()
        };
        let mut bench = Bench::quick(json!({}));
        assert!(bench.restore(&snapshot));
        let again = Snapshot {
            age: snapshot.age - Duration::from_micros(300),
            ..snapshot
        };
        assert!(!bench.restore(&again), "{state:?}");
        bench.pass(5000);
        assert!(!bench.restore(&again), "{state:?}, some time later");
        assert_eq!(bench.breaker.generation(), 6);
    }
}

/// A result of before would fit one of the generations that come.
#[test]
fn a_younger_memory_of_a_lower_generation_does_not_make_generations_come_again() {
    let (mut bench, probe) = Bench::half_open(json!({}));
    bench.end(probe, SUCCESS);
    let late = [bench.call(), bench.call()];
    bench.pass(60_000);
    assert!(
        bench.restore(&remembered()),
        "by another hub, or by a clock that was set"
    );
    assert!(bench.breaker.generation() > late[0].generation);
    bench.pass(1000);
    let probe = bench.call();
    bench.end(probe, SUCCESS);
    for call in late {
        bench.end(call, FAILURE);
    }
    assert_eq!(bench.state(), BreakerState::Closed);
    assert_eq!(bench.breaker.counters.stale, 2);
}
