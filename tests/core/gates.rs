//! The breakers of a hub: who is told what, and when.

use std::time::Duration;

use serde_json::{Value, json};
use tabwire::core::{Input, MOST_BREAKERS, PortId};
use tabwire::protocol::{
    BreakerState, BreakerView, HubMessage, MessageError, Permit, Refusal, TabMessage,
};

use crate::rig::{A, B, Rig};

const C: PortId = PortId(3);
const D: PortId = PortId(4);

/// A rig whose tabs use a breaker that two failures open for a second.
fn gated(ports: &[PortId]) -> Rig {
    let mut rig = Rig::new();
    for port in ports {
        rig.hello(*port);
        gate(&mut rig, *port, "api");
    }
    rig.got.clear();
    rig
}

fn options() -> Value {
    json!({"breaker": {"failureThreshold": 2, "resetTimeout": 1000, "jitter": 0, "lease": 5000}})
}

fn gate(rig: &mut Rig, port: PortId, name: &str) {
    rig.wire(port, json!([21, name, options(), null]));
}

fn gate_with(rig: &mut Rig, port: PortId, snapshot: Value) {
    rig.wire(port, json!([21, "api", options(), snapshot]));
}

/// A call without a permit has ended in a tab.
fn end(rig: &mut Rig, port: PortId, generation: u32, outcome: u32) {
    rig.wire(port, json!([22, "api", generation, 0, outcome, 1, 0]));
}

fn trip(rig: &mut Rig, port: PortId) {
    end(rig, port, 0, 1);
    end(rig, port, 0, 1);
}

/// What a tab has been told of breakers, with their names.
fn told_names(rig: &mut Rig, port: PortId) -> Vec<(String, BreakerView)> {
    let told = rig.notes(port).into_iter().filter_map(|note| match note {
        HubMessage::Breaker { name, view, .. } => Some((name.to_string(), view)),
        _ => None,
    });
    told.collect()
}

fn told(rig: &mut Rig, port: PortId) -> Vec<BreakerView> {
    let told = told_names(rig, port).into_iter();
    told.map(|(_, view)| view).collect()
}

fn states(rig: &mut Rig, port: PortId) -> Vec<BreakerState> {
    told(rig, port).iter().map(|view| view.state).collect()
}

fn acquire(rig: &mut Rig, port: PortId) -> Result<Permit, Refusal> {
    ask(rig, port, 0)
}

fn may_retry(rig: &mut Rig, port: PortId) -> bool {
    ask(rig, port, 1).is_ok()
}

fn ask(rig: &mut Rig, port: PortId, wish: u32) -> Result<Permit, Refusal> {
    rig.take(port);
    rig.wire(port, json!([23, "api", 17, wish]));
    match rig.notes(port).pop() {
        Some(HubMessage::Verdict {
            id: 17, verdict, ..
        }) => verdict,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tab_that_uses_a_breaker_is_told_how_it_is() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.take(A);
    gate(&mut rig, A, "api");
    let notes = rig.notes(A);
    let [
        HubMessage::Breaker {
            name,
            view,
            ignored,
        },
    ] = &notes[..]
    else {
        panic!("{notes:?}")
    };
    assert_eq!((&**name, view.reason.code()), ("api", "new"));
    assert_eq!((view.state, view.generation), (BreakerState::Closed, 0));
    assert_eq!((view.age, ignored.len()), (None, 0));
}

#[test]
fn who_comes_later_is_told_which_options_are_not_in_force() {
    let mut rig = gated(&[A]);
    rig.hello(B);
    rig.take(B);
    let other = json!({"breaker": {"failureThreshold": 3, "jitter": 0, "window": {"calls": 5}}});
    rig.wire(B, json!([21, "api", other, null]));
    let Some(HubMessage::Breaker { ignored, .. }) = rig.notes(B).pop() else {
        panic!("nothing told")
    };
    assert_eq!(ignored, ["breaker.failureThreshold", "breaker.window"]);
}

#[test]
fn bad_options_make_no_breaker() {
    let mut rig = Rig::new();
    rig.hello(A);
    for options in [
        json!({"breaker": {"failureThreshold": 0}}),
        json!({"breaker": {"window": {"calls": 1001}}}),
        json!({"breaker": {"window": "30s"}}),
        json!({"breaker": {"retryBudget": {"ratio": -1}}}),
        json!({"breaker": {"jitter": 2}}),
    ] {
        rig.take(A);
        rig.wire(A, json!([21, "api", options, null]));
        let error = MessageError::Malformed;
        assert_eq!(rig.notes(A), [HubMessage::Error { op: 21, error }]);
    }
    rig.wire(A, json!([23, "api", 1, 0]));
    assert_eq!(rig.notes(A), [HubMessage::Ungated("api".into())]);
}

#[test]
fn a_breaker_that_opens_is_told_to_every_tab_that_uses_it_and_to_no_other() {
    let mut rig = gated(&[A, B]);
    rig.hello(C);
    gate(&mut rig, C, "other");
    rig.hello(D);
    rig.got.clear();
    end(&mut rig, A, 0, 1);
    end(&mut rig, B, 0, 1);
    let open = [BreakerState::Open];
    assert_eq!(states(&mut rig, A)[1..], open);
    assert_eq!(states(&mut rig, B), open);
    assert!(rig.take(C).is_empty() && rig.take(D).is_empty());
    rig.pass_millis(5000);
    assert!(rig.take(C).is_empty() && rig.take(D).is_empty());
}

#[test]
fn whoever_reports_a_failure_is_answered_whether_it_opens_or_not() {
    let mut rig = gated(&[A, B]);
    end(&mut rig, A, 0, 1);
    assert_eq!(states(&mut rig, A), [BreakerState::Closed]);
    assert!(rig.take(B).is_empty());
    end(&mut rig, A, 0, 1);
    assert_eq!(states(&mut rig, A), [BreakerState::Open]);
    end(&mut rig, A, 0, 1);
    assert_eq!(states(&mut rig, A), [BreakerState::Open], "a late one");
}

#[test]
fn a_longer_wait_is_told_to_all() {
    let mut rig = gated(&[A, B]);
    trip(&mut rig, A);
    rig.got.clear();
    rig.wire(A, json!([22, "api", 0, 0, 1, 1, 0, 0, 60_000]));
    let views = told(&mut rig, B);
    assert_eq!(views.len(), 1);
    assert_eq!(views[0].remaining.unwrap().as_secs(), 60);
    assert_eq!(views[0].generation, 1);
}

#[test]
fn one_of_ten_tabs_that_ask_in_half_open_passes() {
    let ports: Vec<_> = (1..=10).map(PortId).collect();
    let mut rig = gated(&ports);
    trip(&mut rig, PortId(4));
    rig.pass_millis(1000);
    let verdicts: Vec<_> = ports.iter().map(|port| acquire(&mut rig, *port)).collect();
    assert!(verdicts[0].is_ok());
    for refusal in &verdicts[1..] {
        let refusal = refusal.unwrap_err();
        assert_eq!(refusal.reason.code(), "probing");
        assert_eq!(refusal.retry_after.unwrap().as_millis(), 1000);
    }
}

#[test]
fn everybody_hears_that_a_probe_is_under_way_and_the_prober_before_its_verdict() {
    let mut rig = gated(&[A, B]);
    trip(&mut rig, A);
    rig.pass_millis(1000);
    rig.got.clear();
    rig.wire(A, json!([23, "api", 1, 0]));
    assert_eq!(states(&mut rig, B), [BreakerState::HalfOpen]);
    let notes = rig.notes(A);
    assert!(matches!(
        notes[..],
        [HubMessage::Breaker { .. }, HubMessage::Verdict { .. }]
    ));
}

#[test]
fn a_tab_that_dies_gives_its_permit_to_the_next_that_asks() {
    type Death = fn(&mut Rig);
    let deaths: [Death; 3] = [
        |rig| rig.input(Input::LockGranted(A)),
        |rig| rig.wire(A, json!([2])),
        |rig| rig.hello_as(A, "another page on its port", "locks"),
    ];
    for die in deaths {
        let mut rig = gated(&[A, B, C]);
        trip(&mut rig, A);
        rig.pass_millis(1000);
        let permit = acquire(&mut rig, A).unwrap();
        assert!(acquire(&mut rig, B).is_err());
        die(&mut rig);
        let next = acquire(&mut rig, B).unwrap();
        assert_ne!(next.id, permit.id);
        assert!(acquire(&mut rig, C).is_err(), "for one");
        rig.wire(B, json!([22, "api", next.generation, next.id, 0, 1, 0]));
        assert_eq!(states(&mut rig, C).pop(), Some(BreakerState::Closed));
        rig.pass_millis(1000);
        let view = told(&mut rig, C).pop().unwrap();
        assert_eq!(view.counters.neutral, 1);
    }
}

#[test]
fn a_tab_without_a_lock_that_has_fallen_silent_gives_its_permit_back() {
    let mut rig = Rig::new();
    rig.hello_as(A, "silent", "heartbeat");
    let mut options = options();
    options["breaker"]["lease"] = json!(3_600_000);
    rig.wire(A, json!([21, "api", options, null]));
    rig.hello(B);
    gate(&mut rig, B, "api");
    trip(&mut rig, B);
    rig.pass_millis(1000);
    let permit = acquire(&mut rig, A).unwrap();
    assert!(acquire(&mut rig, B).is_err());
    rig.pass(Duration::from_secs(70));
    let next = acquire(&mut rig, B).unwrap();
    rig.wire(A, json!([22, "api", permit.generation, permit.id, 0, 1, 0]));
    assert_eq!(rig.notes(A).pop(), Some(HubMessage::Who));
    rig.wire(B, json!([22, "api", next.generation, next.id, 0, 1, 0]));
    let view = told(&mut rig, B).pop().unwrap();
    assert_eq!(view.state, BreakerState::Closed);
    assert_eq!((view.counters.neutral, view.counters.expired), (1, 0));
}

#[test]
fn a_suspended_tab_is_told_nothing_and_all_when_it_is_back() {
    type Return = fn(&mut Rig);
    let returns: [Return; 2] = [|rig| rig.wire(B, json!([11])), |rig| rig.hello(B)];
    for come_back in returns {
        let mut rig = gated(&[A, B]);
        gate(&mut rig, B, "other");
        rig.wire(B, json!([10]));
        rig.got.clear();
        trip(&mut rig, A);
        rig.pass_millis(1000);
        let probe = acquire(&mut rig, A).unwrap();
        rig.wire(A, json!([22, "api", probe.generation, probe.id, 1, 1, 0]));
        rig.pass_millis(1500);
        assert!(rig.take(B).is_empty());
        come_back(&mut rig);
        let told = told_names(&mut rig, B);
        let names: Vec<_> = told.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["api", "other"]);
        let view = told[0].1;
        assert_eq!((view.state, view.generation), (BreakerState::Open, 3));
        assert_eq!(view.remaining.unwrap().as_millis(), 500);
        assert_eq!(view.counters.failures, 3);
    }
}

#[test]
fn numbers_are_told_once_a_second_at_most_and_only_when_there_are_new_ones() {
    let mut rig = gated(&[A, B]);
    for _ in 0..50 {
        rig.wire(A, json!([22, "api", 0, 0, 0, 2, 1, 30]));
        rig.pass_millis(100);
    }
    rig.pass_millis(1000);
    for port in [A, B] {
        let views = told(&mut rig, port);
        assert!((5..=6).contains(&views.len()), "{}", views.len());
        let counters = views.last().unwrap().counters;
        assert_eq!((counters.successes, counters.slow), (100, 50));
    }
    rig.pass_millis(60_000);
    assert!(rig.take(A).is_empty() && rig.take(B).is_empty());
    assert_eq!(rig.deadline, None);
}

#[test]
fn what_was_refused_in_tabs_and_by_the_hub_is_counted_together() {
    let mut rig = gated(&[A, B]);
    trip(&mut rig, A);
    rig.wire(A, json!([22, "api", 1, 0, 3, 5, 0]));
    assert!(acquire(&mut rig, B).is_err());
    rig.pass_millis(1000);
    assert!(acquire(&mut rig, B).is_ok());
    assert!(acquire(&mut rig, A).is_err());
    rig.got.clear();
    rig.pass_millis(1000);
    assert_eq!(told(&mut rig, A).pop().unwrap().counters.rejected, 7);
}

#[test]
fn a_new_hub_takes_the_newest_of_what_its_tabs_remember() {
    let memories = [
        (A, json!(["open", 1, 9000, 500, 1000, 1])),
        (B, json!(["half-open", 2, 7000, 0, 1000, 1])),
        (C, json!(["open", 3, 100, 1900, 2000, 2])),
        (D, json!(null)),
    ];
    for first in 0..memories.len() {
        let mut rig = Rig::new();
        for (port, _) in &memories {
            rig.hello(*port);
        }
        rig.got.clear();
        for place in 0..memories.len() {
            let (port, memory) = &memories[(first + place) % memories.len()];
            gate_with(&mut rig, *port, memory.clone());
        }
        for (port, _) in &memories {
            let view = told(&mut rig, *port).pop().unwrap();
            assert_eq!((view.state, view.generation), (BreakerState::Open, 3));
            assert_eq!(view.remaining.unwrap().as_millis(), 1900);
            assert_eq!((view.reason.code(), view.openings), ("restored", 2));
        }
    }
}

#[test]
fn a_breaker_outlives_the_tabs_that_use_it() {
    let mut rig = gated(&[A]);
    trip(&mut rig, A);
    rig.wire(A, json!([2]));
    rig.pass_millis(300);
    rig.hello(B);
    gate(&mut rig, B, "api");
    let view = told(&mut rig, B).pop().unwrap();
    assert_eq!(view.state, BreakerState::Open);
    assert_eq!(view.remaining.unwrap().as_millis(), 700);
}

#[test]
fn all_tabs_share_what_may_be_called_again() {
    let mut rig = Rig::new();
    let budget = json!({"breaker": {"retryBudget": {"ratio": 0.5, "perSecond": 1, "burst": 3}}});
    for port in [A, B] {
        rig.hello(port);
        rig.wire(port, json!([21, "api", budget, null]));
    }
    let tries = [A, B, A, B, A].map(|port| may_retry(&mut rig, port));
    assert_eq!(tries, [true, true, true, false, false]);
    let refusal = ask(&mut rig, B, 1).unwrap_err();
    assert_eq!(refusal.reason.code(), "retry-budget-spent");
    assert_eq!(refusal.retry_after, None);
    rig.wire(A, json!([22, "api", 0, 0, 0, 2, 0, 0]));
    assert!(may_retry(&mut rig, B), "two calls that ended are worth one");
    assert!(!may_retry(&mut rig, A));
    rig.pass_millis(1000);
    assert!(may_retry(&mut rig, A), "and so is a second");
    rig.got.clear();
    rig.pass_millis(1000);
    let counters = told(&mut rig, B).pop().unwrap().counters;
    assert_eq!((counters.retries, counters.exhausted), (5, 4));
    assert_eq!(counters.rejected, 0);
}

#[test]
fn calls_that_say_nothing_pay_for_no_other() {
    let mut rig = gated(&[A]);
    while may_retry(&mut rig, A) {}
    for outcome in [2, 3] {
        rig.wire(A, json!([22, "api", 0, 0, outcome, 100, 0]));
    }
    assert!(!may_retry(&mut rig, A));
}

#[test]
fn a_name_that_the_tab_does_not_use_is_answered() {
    let mut rig = gated(&[A]);
    rig.hello(B);
    for message in [
        json!([22, "other", 0, 0, 1, 1, 0]),
        json!([23, "other", 5, 0]),
        json!([23, "other", 5, 1]),
        json!([24, "other", 1]),
    ] {
        rig.take(A);
        rig.wire(A, message);
        assert_eq!(rig.notes(A), [HubMessage::Ungated("other".into())]);
    }
    for message in [json!([22, "api", 0, 0, 1, 1, 0]), json!([23, "api", 5, 0])] {
        rig.take(B);
        rig.wire(B, message);
        assert_eq!(rig.notes(B), [HubMessage::Ungated("api".into())]);
    }
}

#[test]
fn what_one_tab_decides_is_seen_by_all() {
    let mut rig = gated(&[A, B]);
    for (order, state) in [
        (1, BreakerState::ForcedOpen),
        (2, BreakerState::ForcedClosed),
        (0, BreakerState::Closed),
    ] {
        rig.got.clear();
        rig.wire(A, json!([24, "api", order]));
        assert_eq!(states(&mut rig, A), [state]);
        assert_eq!(states(&mut rig, B), [state]);
    }
}

/// Makes breakers of other names, all used once.
fn fill(rig: &mut Rig, port: PortId, count: usize) {
    let options = TabMessage::decode(&crate::json::Json(json!([21, "name", {}, null])));
    let Ok(TabMessage::Gate {
        options, snapshot, ..
    }) = options
    else {
        panic!("no gate")
    };
    for number in 0..count {
        let message = TabMessage::Gate {
            name: format!("other {number}"),
            options: options.clone(),
            snapshot,
        };
        rig.input(Input::Message(port, message));
    }
}

#[test]
fn of_too_many_names_the_closed_one_that_was_used_least_recently_makes_room() {
    let mut rig = gated(&[A]);
    trip(&mut rig, A);
    rig.hello(B);
    for name in ["first", "second"] {
        rig.pass_millis(1);
        gate(&mut rig, B, name);
    }
    rig.pass_millis(1);
    fill(&mut rig, B, MOST_BREAKERS - 3);
    rig.wire(B, json!([23, "first", 1, 0]));
    rig.take(B);
    gate(&mut rig, B, "one too many");
    for (name, is_there) in [("first", true), ("second", false)] {
        rig.take(B);
        rig.wire(B, json!([23, name, 1, 0]));
        let ungated = HubMessage::Ungated(name.into());
        assert_eq!(!rig.notes(B).contains(&ungated), is_there, "{name}");
    }
    assert!(acquire(&mut rig, A).is_err(), "it is still open");
}

#[test]
fn a_tab_whose_breaker_made_room_learns_of_it_though_another_tab_has_one_of_that_name() {
    let mut rig = gated(&[A]);
    rig.hello(B);
    rig.pass_millis(1);
    fill(&mut rig, B, MOST_BREAKERS);
    gate(&mut rig, B, "api");
    rig.take(A);
    rig.wire(A, json!([23, "api", 1, 0]));
    assert_eq!(rig.notes(A), [HubMessage::Ungated("api".into())]);
    gate(&mut rig, A, "api");
    rig.take(A);
    trip(&mut rig, B);
    assert_eq!(states(&mut rig, A).pop(), Some(BreakerState::Open));
}

#[test]
fn numbers_are_told_on_though_a_breaker_that_had_new_ones_made_room() {
    let mut rig = gated(&[A]);
    rig.hello(B);
    gate(&mut rig, B, "stays");
    rig.wire(B, json!([22, "stays", 0, 0, 0, 1, 0]));
    end(&mut rig, A, 0, 0);
    rig.pass_millis(1);
    rig.wire(B, json!([22, "stays", 0, 0, 0, 1, 0]));
    fill(&mut rig, B, MOST_BREAKERS - 1);
    rig.got.clear();
    rig.pass_millis(2000);
    assert_eq!(told(&mut rig, B).pop().unwrap().counters.successes, 2);
    rig.wire(B, json!([22, "stays", 0, 0, 0, 1, 0]));
    rig.pass_millis(2000);
    assert_eq!(told(&mut rig, B).pop().unwrap().counters.successes, 3);
}
