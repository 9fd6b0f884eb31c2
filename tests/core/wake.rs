//! Sleep of the computer, and a worker that was frozen.

use std::time::Duration;

use serde_json::{Value, json};
use tabwire::core::TimerReason;
use tabwire::protocol::{Reason, State, Status};

use crate::rig::{A, H, Rig};

const HOUR: Duration = Duration::from_secs(3600);

fn pinged() -> Value {
    json!({"heartbeat": {"message": "ping", "pong": "pong", "interval": 25_000, "jitter": 0, "timeout": 10_000}})
}

fn open() -> Rig {
    let mut rig = Rig::open(pinged());
    rig.frame("pong");
    rig.pass_millis(6_000);
    rig.take(A);
    rig.sent.clear();
    rig
}

fn last(rig: &mut Rig) -> (State, Reason) {
    let Status { state, reason, .. } = rig.statuses(A).pop().unwrap();
    (state, reason)
}

#[test]
fn after_sleep_an_open_connection_is_suspect_until_it_answers_one_probe() {
    for stands_still in [true, false] {
        let mut rig = open();
        rig.sleep(HOUR, stands_still);
        while rig.sent.is_empty() {
            rig.pass_millis(10);
        }
        assert_eq!(last(&mut rig), (State::Suspect, Reason::Woke));
        assert_eq!(rig.sent_texts(), ["ping"]);
        rig.frame("pong");
        assert_eq!(last(&mut rig), (State::Open, Reason::Recovered));
        assert!(rig.closed.is_empty(), "time that has passed is no proof");
    }
}

#[test]
fn a_probe_that_is_not_answered_in_four_seconds_replaces_the_socket_at_once() {
    let mut rig = open();
    rig.sleep(HOUR, true);
    rig.pass_millis(5_000);
    rig.take(A);
    let woke_at = rig.now;
    while rig.closed.is_empty() {
        rig.pass_millis(10);
    }
    assert!(rig.now.since(woke_at) <= Duration::from_secs(4));
    let lost = rig.statuses(A).remove(0);
    assert_eq!(lost.reason, Reason::WakeTimeout);
    rig.pass_millis(250);
    assert_eq!(rig.opened.len(), 2, "without the spread of a server's loss");
}

#[test]
fn a_loss_right_after_waking_up_is_no_fault_of_the_server() {
    let mut rig = open();
    rig.sleep(HOUR, false);
    rig.server_closes(1006, false);
    assert_eq!(
        last(&mut rig),
        (State::Reconnecting, Reason::ConnectionLost)
    );
    rig.pass_millis(250);
    assert_eq!(rig.opened.len(), 2);
}

#[test]
fn what_waited_is_tried_at_once_after_waking_up() {
    let options = json!({"reconnect": {"minDelay": 30_000, "jitter": "none"}});
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, options);
    rig.server_closes(1006, false);
    rig.pass_millis(6_000);
    rig.take(A);
    rig.sleep(HOUR, true);
    rig.pass_millis(5_000);
    assert_eq!(rig.statuses(A).remove(0).reason, Reason::Woke);
    assert_eq!(rig.opened.len(), 2);
}

#[test]
fn a_pong_of_before_the_sleep_confirms_nothing_of_after() {
    let mut rig = open();
    rig.pass_millis(20_000);
    assert_eq!(rig.sent_texts(), ["ping"]);
    rig.send(A, 0, &["into the night"]);
    rig.sleep(HOUR, true);
    rig.pass_millis(1_000);
    rig.timeout();
    assert_eq!(rig.sent_texts(), ["ping", "into the night", "ping"]);
    rig.take(A);
    rig.frame("pong");
    assert!(
        !format!("{:?}", rig.notes(A)).contains("confirmed: 1"),
        "it may be the answer to the first ping"
    );
}

#[test]
fn without_pings_the_time_of_a_freeze_confirms_nothing() {
    let mut rig = Rig::open(json!({}));
    rig.pass_millis(6_000);
    rig.send(A, 0, &["into the night"]);
    rig.take(A);
    rig.sleep(Duration::from_secs(60), false);
    rig.timeout();
    rig.server_closes(1006, false);
    let told = format!("{:?}", rig.notes(A));
    assert!(told.contains("reason: Unknown"), "{told}");
}

#[test]
fn a_loss_hours_after_waking_up_is_the_servers() {
    let mut rig = Rig::open(json!({"reconnect": {"firstDelayMax": 60_000, "floor": 1000}}));
    rig.pass_millis(6_000);
    rig.sleep(HOUR, true);
    rig.pass_millis(5_000);
    rig.pass(4 * HOUR);
    rig.server_closes(1006, false);
    assert!(
        rig.next_wait(A) > 250,
        "spread, as for every client of that server"
    );
}

#[test]
fn without_pings_it_is_suspect_until_something_comes() {
    let mut rig = Rig::open(json!({}));
    rig.pass_millis(6_000);
    rig.take(A);
    rig.sleep(HOUR, true);
    rig.pass_millis(5_000);
    assert_eq!(last(&mut rig), (State::Suspect, Reason::Woke));
    rig.frame("news");
    assert_eq!(last(&mut rig), (State::Open, Reason::Recovered));
    assert!(rig.closed.is_empty());
}

#[test]
fn tabs_are_not_given_up_for_what_they_did_not_say_while_all_slept() {
    let mut rig = Rig::open(json!({}));
    let tab = tabwire::core::PortId(7);
    rig.hello_as(tab, "silent", "heartbeat");
    rig.pass_millis(16_000);
    rig.sleep(HOUR, false);
    rig.timeout();
    assert!(rig.forgotten.is_empty());
    assert_eq!(rig.hub.report(A).tabs, 2);
}

#[test]
fn a_clock_that_is_set_back_is_nothing() {
    let mut rig = open();
    rig.slept = Duration::ZERO;
    rig.sleep(HOUR, true);
    rig.pass_millis(5_000);
    rig.frame("pong");
    rig.take(A);
    rig.slept = Duration::ZERO;
    rig.pass_millis(5_000);
    assert!(rig.statuses(A).is_empty());
}

#[test]
fn the_clocks_are_watched_as_long_as_there_is_a_connection() {
    let mut rig = Rig::open(json!({}));
    rig.pass_millis(6_000);
    assert_eq!(rig.deadline.unwrap().reason, TimerReason::Watch);
    rig.wire(A, json!([13, H.0]));
    assert_eq!(rig.deadline, None);
}
