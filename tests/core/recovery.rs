//! The pause after too many failures, and what the browser itself holds back.

use serde_json::json;
use tabwire::core::SocketEvent;
use tabwire::protocol::{Notice, Reason, State};

use crate::rig::{A, H, Rig};

fn failing(threshold: u32) -> Rig {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(
        A,
        H,
        json!({
            "reconnect": {"minDelay": 100, "jitter": "none", "floor": 0},
            "recovery": {"failureThreshold": threshold, "openFor": 60_000},
        }),
    );
    rig
}

#[test]
fn after_so_many_failures_attempts_are_paused_and_an_event_is_raised() {
    let mut rig = failing(3);
    for _ in 0..2 {
        rig.server_closes(1006, false);
        assert_eq!(rig.statuses(A).pop().unwrap().notice, None);
        rig.pass_millis(1_000);
    }
    rig.server_closes(1006, false);
    let status = rig.statuses(A).pop().unwrap();
    assert_eq!(
        (status.state, status.reason, status.notice),
        (
            State::Reconnecting,
            Reason::BreakerOpen,
            Some(Notice::BreakerOpened)
        )
    );
    rig.pass_millis(59_999);
    assert_eq!(rig.opened.len(), 3);
    rig.pass_millis(1);
    assert_eq!(rig.opened.len(), 4, "one attempt tells whether it is over");
    rig.server_closes(1006, false);
    assert_eq!(rig.statuses(A).pop().unwrap().reason, Reason::BreakerOpen);
}

#[test]
fn the_user_and_the_network_end_the_pause() {
    let mut rig = failing(1);
    rig.server_closes(1006, false);
    rig.wire(A, json!([12, H.0]));
    assert_eq!(rig.opened.len(), 2);
    rig.server_closes(1006, false);
    rig.wire(A, json!([9, 0]));
    rig.wire(A, json!([9, 1]));
    rig.pass_millis(250);
    assert_eq!(rig.opened.len(), 3);
}

#[test]
fn what_the_browser_holds_back_after_failures_is_not_taken_for_another() {
    let mut rig = failing(1_000_000);
    for _ in 0..20 {
        rig.server_closes(1006, false);
        let wait = rig.next_wait(A);
        rig.pass_millis(wait as u64);
    }
    let attempts = rig.opened.len();
    // Firefox keeps the next socket in CONNECTING for up to a minute, and says nothing.
    rig.pass_millis(79_000);
    assert_eq!(rig.opened.len(), attempts);
    assert!(rig.closed.is_empty());
    rig.event(SocketEvent::Opened {
        protocol: String::new(),
        extensions: String::new(),
    });
    assert_eq!(rig.statuses(A).pop().unwrap().state, State::Open);
}

#[test]
fn nothing_is_tried_again_after_a_deliberate_close() {
    let mut rig = Rig::open(json!({"linger": 0}));
    rig.wire(A, json!([4, H.0, 1000]));
    rig.pass_millis(0);
    rig.wire(A, json!([9, 0]));
    rig.wire(A, json!([9, 1]));
    rig.pass_millis(600_000);
    assert_eq!(rig.opened.len(), 1);
    assert_eq!(rig.closed.len(), 1);
}
