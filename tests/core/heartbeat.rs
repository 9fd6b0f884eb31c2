//! Pings and pongs.

use serde_json::json;
use tabwire::protocol::{Reason, State};

use crate::rig::{A, H, Rig};

fn options() -> serde_json::Value {
    json!({"heartbeat": {"message": "ping", "pong": "pong", "interval": 25_000, "jitter": 0, "timeout": 10_000}})
}

#[test]
fn a_socket_is_open_only_after_it_answered_a_ping() {
    let mut rig = Rig::open(options());
    assert_eq!(rig.sent_texts(), ["ping"]);
    assert_eq!(rig.states(A), [State::Connecting]);
    rig.frame("pong");
    assert_eq!(rig.states(A), [State::Open]);
}

#[test]
fn a_socket_that_does_not_answer_the_first_ping_is_a_failed_attempt() {
    let mut rig = Rig::open(options());
    rig.take(A);
    rig.pass_millis(10_000);
    let status = &rig.statuses(A)[0];
    assert_eq!(
        (status.state, status.reason),
        (State::Reconnecting, Reason::VerifyTimeout)
    );
    assert_eq!(rig.closed.len(), 1);
}

#[test]
fn a_hung_server_is_noticed_within_interval_and_timeout() {
    let mut rig = Rig::open(options());
    rig.frame("pong");
    let old = rig.socket();
    rig.take(A);
    rig.pass_millis(25_000);
    assert_eq!(rig.sent_texts(), ["ping", "ping"]);
    rig.pass_millis(5_000);
    rig.pass_millis(4_999);
    assert_eq!(rig.states(A), [State::Suspect]);
    rig.pass_millis(1);
    let status = rig.statuses(A).remove(0);
    assert_eq!(
        (status.state, status.reason),
        (State::Reconnecting, Reason::PongTimeout)
    );
    assert_eq!(
        rig.closed[0].0, old,
        "replaced without waiting for a close event"
    );
}

#[test]
fn a_late_pong_makes_a_suspect_connection_open_again() {
    let mut rig = Rig::open(options());
    rig.frame("pong");
    rig.pass_millis(31_000);
    rig.frame("pong");
    let statuses = rig.statuses(A);
    let last = statuses.last().unwrap();
    assert_eq!((last.state, last.reason), (State::Open, Reason::Recovered));
    rig.pass_millis(15_000);
    assert!(rig.closed.is_empty());
}

#[test]
fn pings_go_out_every_interval_whatever_arrives() {
    let mut rig = Rig::open(options());
    rig.frame("pong");
    for _ in 0..100 {
        rig.pass_millis(1_000);
        rig.frame("data");
        if rig.sent.len() > 1 {
            rig.frame("pong");
        }
    }
    assert_eq!(
        rig.sent.len(),
        5,
        "one to verify, four in a hundred seconds"
    );
}

#[test]
fn data_does_not_stand_in_for_a_pong_that_is_defined() {
    let mut rig = Rig::open(options());
    rig.frame("pong");
    rig.pass_millis(25_000);
    rig.frame("data");
    rig.pass_millis(10_000);
    assert_eq!(rig.closed.len(), 1);
}

#[test]
fn without_a_pong_any_frame_counts_and_is_delivered() {
    let mut rig =
        Rig::open(json!({"heartbeat": {"message": "ping", "interval": 25_000, "jitter": 0}}));
    rig.frame("hello");
    rig.tick();
    assert_eq!(rig.frames(A), ["hello"]);
    rig.pass_millis(25_000);
    rig.frame("data");
    rig.pass_millis(20_000);
    assert!(rig.closed.is_empty());
}

#[test]
fn the_pong_is_not_delivered() {
    let mut rig = Rig::open(options());
    rig.frame("pong");
    rig.tick();
    assert!(rig.frames(A).is_empty());
}

#[test]
fn no_message_means_no_ping() {
    let mut rig = Rig::open(json!({}));
    rig.pass_millis(600_000);
    assert!(rig.sent.is_empty());
}

#[test]
fn the_interval_varies_by_its_jitter() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, json!({"heartbeat": {"message": "p", "interval": 150_000, "jitter": 0.2, "verifyOnOpen": false}}));
    rig.accept();
    let mut intervals = Vec::new();
    let mut last = rig.now;
    while intervals.len() < 50 {
        let before = rig.sent.len();
        let wait = rig.deadline.unwrap().at.since(rig.now);
        rig.pass(wait);
        if rig.sent.len() > before {
            intervals.push(rig.now.since(last).as_secs());
            last = rig.now;
            rig.frame("p");
        }
    }
    assert!(
        intervals
            .iter()
            .all(|seconds| (120..=180).contains(seconds)),
        "{intervals:?}"
    );
    assert!(
        intervals.iter().any(|seconds| *seconds < 135)
            && intervals.iter().any(|seconds| *seconds > 165)
    );
}
