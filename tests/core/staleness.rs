//! Connections that say nothing.

use serde_json::json;
use tabwire::protocol::{Notice, Reason, State};

use crate::rig::{A, Rig};

#[test]
fn a_connection_that_says_nothing_for_too_long_is_stale_and_replaced() {
    let mut rig = Rig::open(json!({"staleness": {"staleAfter": 120_000, "checkEvery": 10_000}}));
    rig.pass_millis(100_000);
    rig.frame("still here");
    rig.take(A);
    rig.pass_millis(119_999);
    assert!(rig.closed.is_empty());
    rig.pass_millis(10_001);
    assert_eq!(rig.closed.len(), 1);
    let status = rig.statuses(A).remove(0);
    assert_eq!(
        (status.state, status.reason, status.notice),
        (State::Reconnecting, Reason::Stale, Some(Notice::Stale))
    );
    rig.reopen();
    let status = rig.statuses(A).pop().unwrap();
    assert_eq!(
        (status.state, status.notice),
        (State::Open, Some(Notice::Recovered))
    );
}

#[test]
fn pongs_alone_are_silence() {
    let mut rig = Rig::open(json!({
        "heartbeat": {"message": "ping", "pong": "pong", "interval": 20_000, "jitter": 0},
        "staleness": {"staleAfter": 120_000},
    }));
    rig.frame("pong");
    for _ in 0..13 {
        rig.pass_millis(10_000);
        if rig.sent.len() > 1 {
            rig.frame("pong");
        }
    }
    assert!(
        rig.statuses(A)
            .iter()
            .any(|status| status.reason == Reason::Stale)
    );
}

#[test]
fn without_the_option_silence_means_nothing() {
    let mut rig = Rig::open(json!({}));
    rig.pass_millis(3_600_000);
    assert!(rig.closed.is_empty());
}
