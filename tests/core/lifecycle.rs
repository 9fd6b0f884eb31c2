//! From the first attempt to the end.

use serde_json::json;
use tabwire::core::{Input, PortId, SocketEvent, TimerReason};
use tabwire::protocol::{Cause, GapReason, HubMessage, Reason, State};

use crate::rig::{A, B, Got, H, Rig, URL};

#[test]
fn the_first_handle_connects_at_once_and_sees_every_state() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, json!({}));
    assert_eq!(rig.opened.len(), 1);
    assert_eq!(rig.opened[0].1, URL);
    rig.accept();
    let statuses = rig.statuses(A);
    let seen: Vec<_> = statuses
        .iter()
        .map(|status| (status.state, status.reason, status.cause))
        .collect();
    assert_eq!(
        seen,
        [
            (State::Connecting, Reason::Attached, Cause::None),
            (State::Open, Reason::Opened, Cause::Opened)
        ]
    );
}

#[test]
fn a_lost_connection_is_told_then_tried_again() {
    let mut rig = Rig::open(json!({}));
    rig.take(A);
    rig.server_closes(1012, true);
    let notes = rig.notes(A);
    let HubMessage::Status(_, lost) = &notes[0] else {
        panic!("{notes:?}")
    };
    assert_eq!((lost.state, lost.cause), (State::Reconnecting, Cause::Lost));
    assert_eq!(
        (lost.reason, lost.code, lost.clean),
        (Reason::ClosedByServer, Some(1012), true)
    );
    assert_eq!(&*lost.close_reason, "because");
    assert!(lost.next_attempt_at.is_some());
    let gap = HubMessage::Gap {
        conn: rig.conn(),
        lost: None,
        reason: GapReason::Lost(Reason::ClosedByServer),
    };
    assert!(notes.contains(&gap), "{notes:?}");
    rig.reopen();
    assert_eq!(rig.states(A), [State::Connecting, State::Open]);
    assert_eq!(rig.opened.len(), 2);
}

#[test]
fn late_events_of_an_old_socket_are_ignored() {
    let mut rig = Rig::open(json!({}));
    let old = rig.socket();
    rig.server_closes(1006, false);
    rig.reopen();
    rig.take(A);
    rig.input(Input::Socket(
        old,
        SocketEvent::Closed {
            code: 1000,
            reason: String::new(),
            clean: true,
        },
    ));
    rig.input(Input::Socket(
        old,
        SocketEvent::Opened {
            protocol: String::new(),
            extensions: String::new(),
        },
    ));
    assert_eq!(rig.take(A), []);
}

#[test]
fn an_attempt_that_takes_too_long_is_given_up_without_waiting_for_its_close() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, json!({"reconnect": {"connectTimeout": 3000}}));
    rig.take(A);
    let first = rig.socket();
    rig.pass_millis(3000);
    assert_eq!(rig.closed[0].0, first);
    let status = &rig.statuses(A)[0];
    assert_eq!(
        (status.state, status.reason),
        (State::Reconnecting, Reason::ConnectTimeout)
    );
    assert_eq!(status.cause, Cause::AttemptFailed);
}

#[test]
fn the_delay_grows_until_the_connection_has_been_stable_and_carried_a_message() {
    let options = json!({"reconnect": {"jitter": "none", "firstDelayMax": 0, "floor": 0}});
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, options);
    let mut waits = Vec::new();
    for _ in 0..3 {
        rig.accept();
        rig.server_closes(1011, true);
        let wait = rig.next_wait(A);
        waits.push(wait);
        rig.pass_millis(wait as u64);
    }
    assert_eq!(waits, [0, 2000, 4000], "accept-then-close must not loop");
    rig.accept();
    rig.pass_millis(60_000);
    rig.server_closes(1011, true);
    assert_eq!(rig.next_wait(A), 8000, "uptime alone proves nothing");
    rig.pass_millis(8000);
    rig.accept();
    rig.frame("data");
    rig.pass_millis(5000);
    rig.server_closes(1011, true);
    assert_eq!(rig.next_wait(A), 0);
}

#[test]
fn a_fatal_code_ends_the_connection_for_every_handle() {
    let mut rig = Rig::open(json!({}));
    rig.hello(B);
    rig.attach(B, H, json!({}));
    rig.server_closes(4401, true);
    for port in [A, B] {
        let notes = rig.notes(port);
        let closed = HubMessage::Closed {
            handle: H,
            code: 4401,
            reason: "because".into(),
            clean: true,
        };
        let at = notes.iter().position(|note| *note == closed).unwrap();
        assert!(
            matches!(&notes[at - 1], HubMessage::Status(_, status) if status.state == State::Closed)
        );
    }
    rig.pass_millis(120_000);
    assert_eq!(rig.opened.len(), 1);
}

#[test]
fn max_attempts_ends_in_failed() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, json!({"reconnect": {"maxAttempts": 2}}));
    rig.server_closes(1006, false);
    rig.pass_millis(60_000);
    rig.server_closes(1006, false);
    let status = rig.statuses(A).pop().unwrap();
    assert_eq!(
        (status.state, status.reason),
        (State::Failed, Reason::MaxAttempts)
    );
    rig.pass_millis(600_000);
    assert_eq!(rig.opened.len(), 2);
}

#[test]
fn offline_waits_for_online_and_then_connects_at_once() {
    let mut rig = Rig::open(json!({}));
    rig.wire(A, json!([9, 0]));
    rig.server_closes(1006, false);
    let lost = rig.statuses(A).pop().unwrap();
    assert_eq!(lost.state, State::Offline);
    rig.pass_millis(20_000);
    assert_eq!(rig.opened.len(), 1);
    rig.wire(A, json!([9, 1]));
    rig.pass_millis(250);
    assert_eq!(rig.opened.len(), 2);
}

#[test]
fn the_word_offline_is_not_trusted_for_ever() {
    let mut rig = Rig::open(json!({}));
    rig.wire(A, json!([9, 0]));
    rig.server_closes(1006, false);
    rig.pass_millis(30_000);
    assert_eq!(rig.opened.len(), 2);
}

#[test]
fn reconnect_replaces_the_socket_now() {
    let mut rig = Rig::open(json!({}));
    let old = rig.socket();
    rig.take(A);
    rig.wire(A, json!([12, H.0]));
    assert_eq!(rig.closed[0].0, old);
    assert_ne!(rig.socket(), old);
    let statuses = rig.statuses(A);
    assert_eq!(statuses[0].cause, Cause::Lost);
    assert_eq!(statuses.last().unwrap().state, State::Connecting);
}

#[test]
fn shutdown_closes_for_every_tab_with_1000() {
    let mut rig = Rig::open(json!({}));
    rig.hello(B);
    rig.attach(B, H, json!({}));
    rig.wire(B, json!([13, H.0]));
    assert_eq!(
        rig.closed,
        [(rig.socket(), Some(1000), "shutdown".to_owned())]
    );
    for port in [A, B] {
        let closed = HubMessage::Closed {
            handle: H,
            code: 1000,
            reason: "shutdown".into(),
            clean: true,
        };
        assert!(rig.notes(port).contains(&closed));
    }
    assert_eq!(rig.deadline, None);
}

#[test]
fn a_handle_after_the_end_gets_a_connection_of_its_own() {
    let mut rig = Rig::open(json!({}));
    rig.wire(A, json!([13, H.0]));
    rig.attach(A, H, json!({}));
    rig.accept();
    assert_eq!(rig.opened.len(), 2);
    assert_eq!(rig.statuses(A).last().unwrap().state, State::Open);
}

#[test]
fn a_url_that_the_browser_refuses_fails_the_connection() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, json!({}));
    rig.event(SocketEvent::Refused);
    let notes = rig.notes(A);
    assert!(
        notes
            .iter()
            .any(|note| matches!(note, HubMessage::Closed { code: 1006, .. }))
    );
    assert!(notes.iter().any(
        |note| matches!(note, HubMessage::Status(_, status) if status.reason == Reason::SocketRefused)
    ));
}

#[test]
fn the_deadline_names_its_reason() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, json!({"reconnect": {"connectTimeout": 1000}}));
    assert_eq!(rig.deadline.unwrap().reason, TimerReason::ConnectTimeout);
}

#[test]
fn time_that_goes_back_does_no_harm() {
    let mut rig = Rig::open(json!({"heartbeat": {"message": "ping", "verifyOnOpen": false}}));
    rig.now = tabwire::time::Time::ZERO;
    rig.frame("data");
    rig.tick();
    assert_eq!(rig.frames(A), ["data"]);
}

#[test]
fn every_status_is_in_order_with_the_messages() {
    let mut rig = Rig::open(json!({}));
    rig.take(A);
    rig.frame("one");
    rig.frame("two");
    rig.server_closes(1006, false);
    let got = rig.take(A);
    assert_eq!(got[0], Got::Frames(0, vec!["one".into()], false));
    assert_eq!(got[1], Got::Frames(1, vec!["two".into()], false));
    assert!(
        matches!(&got[2], Got::Note(HubMessage::Status(_, status)) if status.cause == Cause::Lost)
    );
}

#[test]
fn a_port_nobody_has_said_hello_on_is_asked_who_it_is() {
    let mut rig = Rig::new();
    rig.attach(PortId(9), H, json!({}));
    assert_eq!(rig.notes(PortId(9)), [HubMessage::Who]);
    assert!(rig.opened.is_empty());
}
