//! Urls and tokens that come from a tab.

use std::time::Duration;

use serde_json::{Value, json};
use tabwire::core::FUNCTION;
use tabwire::protocol::{HubMessage, Reason, State};

use crate::rig::{A, B, H, Rig, URL};

/// A tab that can be asked for a token, and has been.
fn asking(options: Value) -> (Rig, u32) {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach_asked(A, URL, &["token"], options);
    let (id, kind) = rig.asked(A).unwrap();
    assert_eq!(kind, "token");
    (rig, id)
}

fn answer(rig: &mut Rig, id: u32, value: Value) {
    rig.wire(A, json!([15, id, value]));
}

#[test]
fn no_attempt_is_made_before_the_token_is_there() {
    let (mut rig, id) = asking(json!({}));
    assert!(rig.opened.is_empty());
    answer(&mut rig, id, json!({"token": "t1"}));
    assert_eq!(rig.opened[0].1, format!("{URL}?access_token=t1"));
    let states: Vec<_> = rig
        .statuses(A)
        .iter()
        .map(|status| (status.state, status.reason))
        .collect();
    assert_eq!(states, [(State::Connecting, Reason::Attached)]);
}

#[test]
fn a_token_goes_into_the_subprotocols_where_it_is_to() {
    let (mut rig, id) = asking(json!({"auth": {"via": "subprotocol"}}));
    answer(&mut rig, id, json!({"token": "t1"}));
    assert_eq!(rig.opened[0].1, URL);
    assert_eq!(rig.opened[0].2, ["access_token", "t1"]);
}

#[test]
fn a_token_that_is_no_subprotocol_fails_the_connection() {
    let (mut rig, id) = asking(json!({"auth": {"via": "subprotocol"}}));
    answer(&mut rig, id, json!({"token": "with space"}));
    let status = rig.statuses(A).pop().unwrap();
    assert_eq!(
        (status.state, status.reason),
        (State::Failed, Reason::BadToken)
    );
}

#[test]
fn a_url_is_asked_for_at_each_attempt_and_before_the_token() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach_asked(A, FUNCTION, &["url", "token"], json!({}));
    let (id, kind) = rig.asked(A).unwrap();
    assert_eq!(kind, "url");
    answer(&mut rig, id, json!({"url": "wss://one/ws"}));
    let (id, kind) = rig.asked(A).unwrap();
    assert_eq!(kind, "token");
    answer(&mut rig, id, json!({"token": "t"}));
    assert_eq!(rig.opened[0].1, "wss://one/ws?access_token=t");
    rig.accept();
    rig.server_closes(1006, false);
    rig.pass_millis(5_000);
    let (id, kind) = rig.asked(A).unwrap();
    assert_eq!(kind, "url");
    answer(&mut rig, id, json!({"url": "wss://two/ws"}));
    assert_eq!(
        rig.opened[1].1, "wss://two/ws?access_token=t",
        "the token is still good"
    );
}

#[test]
fn one_tab_is_asked_at_a_time_and_the_next_when_it_does_not_answer() {
    let (mut rig, _) = asking(json!({}));
    rig.hello(B);
    rig.attach_asked(B, URL, &["token"], json!({}));
    assert_eq!(rig.asked(B), None, "single flight");
    rig.pass_millis(10_000);
    let (id, _) = rig.asked(B).unwrap();
    rig.wire(B, json!([15, id, {"token": "from b"}]));
    assert_eq!(rig.opened.len(), 1);
}

#[test]
fn the_next_tab_is_asked_at_once_when_the_first_is_frozen_or_dies_or_cannot() {
    for leave in [json!([10]), json!([2]), json!([4, H.0])] {
        let (mut rig, _) = asking(json!({}));
        rig.hello(B);
        rig.attach_asked(B, URL, &["token"], json!({}));
        rig.take(B);
        rig.wire(A, leave);
        assert!(rig.asked(B).is_some());
    }
    let (mut rig, id) = asking(json!({}));
    rig.hello(B);
    rig.attach_asked(B, URL, &["token"], json!({}));
    rig.take(B);
    answer(&mut rig, id, json!({"error": "failed"}));
    assert!(rig.asked(B).is_some());
}

#[test]
fn the_focused_tab_is_asked_before_a_visible_and_that_before_the_newest() {
    let mut rig = Rig::new();
    for (port, visible, focused) in [(1, 1, 0), (2, 1, 1), (3, 0, 0)] {
        let port = tabwire::core::PortId(port);
        rig.hello(port);
        rig.wire(port, json!([8, visible, focused]));
    }
    rig.attach_asked(A, URL, &["token"], json!({"linger": 600_000}));
    let (id, _) = rig.asked(A).unwrap();
    answer(&mut rig, id, json!({"token": "t"}));
    for port in [2, 3] {
        rig.attach_asked(tabwire::core::PortId(port), URL, &["token"], json!({}));
    }
    rig.accept();
    rig.server_closes(4401, true);
    rig.pass_millis(250);
    assert!(rig.asked(B).is_some());
    rig.wire(B, json!([2]));
    assert!(rig.asked(A).is_some());
    rig.wire(A, json!([2]));
    assert!(rig.asked(tabwire::core::PortId(3)).is_some());
}

#[test]
fn nobody_to_ask_means_waiting_without_attempts() {
    let (mut rig, id) = asking(json!({"reconnect": {"jitter": "none", "maxAttempts": 2}}));
    answer(&mut rig, id, json!({"error": "failed"}));
    let status = rig.statuses(A).pop().unwrap();
    assert_eq!(
        (status.state, status.reason),
        (State::Reconnecting, Reason::TokenWait)
    );
    for _ in 0..5 {
        let wait = rig.deadline.unwrap().at.since(rig.now);
        rig.pass(wait);
        if let Some((id, _)) = rig.asked(A) {
            answer(&mut rig, id, json!({"error": "failed"}));
        }
    }
    assert!(rig.opened.is_empty());
    rig.hello(B);
    rig.attach_asked(B, URL, &["token"], json!({}));
    let asked = rig.asked(B).or_else(|| rig.asked(A));
    assert!(asked.is_some(), "a tab that comes can be asked");
}

#[test]
fn a_bad_url_ends_in_failed_with_its_reason() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach_asked(A, FUNCTION, &["url"], json!({}));
    let (id, _) = rig.asked(A).unwrap();
    answer(&mut rig, id, json!({"error": "bad-url"}));
    let notes = rig.notes(A);
    assert!(notes.iter().any(
        |note| matches!(note, HubMessage::Status(_, status) if status.reason == Reason::BadUrl)
    ));
    assert!(matches!(
        notes.last(),
        Some(HubMessage::Census { .. } | HubMessage::Closed { code: 1006, .. })
    ));
}

#[test]
fn a_refused_token_is_replaced_at_once_and_a_second_one_after_a_delay() {
    let options = json!({"reconnect": {"jitter": "none", "minDelay": 4_000, "floor": 0}});
    let (mut rig, id) = asking(options);
    answer(&mut rig, id, json!({"token": "old"}));
    rig.accept();
    rig.server_closes(4401, true);
    let status = rig.statuses(A).pop().unwrap();
    assert_eq!(
        (status.state, status.reason),
        (State::Reconnecting, Reason::AuthRefused)
    );
    rig.pass_millis(250);
    let (id, _) = rig.asked(A).unwrap();
    answer(&mut rig, id, json!({"token": "also old"}));
    rig.accept();
    rig.server_closes(4401, true);
    rig.pass_millis(4_000 - 1);
    assert_eq!(rig.asked(A), None, "not a loop");
}

#[test]
fn two_failed_handshakes_count_as_a_refusal() {
    let (mut rig, id) = asking(json!({"reconnect": {"jitter": "none", "floor": 0}}));
    answer(&mut rig, id, json!({"token": "old"}));
    rig.server_closes(1006, false);
    rig.pass_millis(1_000);
    assert_eq!(rig.opened.len(), 2, "with the same token");
    rig.server_closes(1006, false);
    rig.pass_millis(30_000);
    assert!(rig.asked(A).is_some());
}

#[test]
fn before_a_token_expires_the_socket_is_replaced_with_a_fresh_one() {
    let (mut rig, id) = asking(json!({"auth": {"refreshBefore": 60_000}}));
    answer(&mut rig, id, json!({"token": "t1", "expiresIn": 600_000}));
    rig.accept();
    let first = rig.socket();
    rig.pass_millis(539_000);
    assert_eq!(rig.asked(A), None);
    rig.pass_millis(1_000);
    let (id, _) = rig.asked(A).unwrap();
    answer(&mut rig, id, json!({"token": "t2", "expiresIn": 600_000}));
    assert_eq!(rig.opened[1].1, format!("{URL}?access_token=t2"));
    rig.accept();
    assert_eq!(rig.retired, [(first, "replaced")]);
    assert_eq!(rig.statuses(A).pop().unwrap().reason, Reason::Handover);
}

#[test]
fn a_token_that_expired_during_sleep_is_not_used_again() {
    let (mut rig, id) = asking(json!({}));
    answer(&mut rig, id, json!({"token": "t1", "expiresIn": 600_000}));
    rig.accept();
    rig.pass_millis(6_000);
    rig.take(A);
    rig.sleep(Duration::from_secs(3600), true);
    rig.pass_millis(5_000);
    rig.server_closes(1006, false);
    rig.pass_millis(250);
    assert_eq!(rig.opened.len(), 1);
    assert!(rig.asked(A).is_some());
}

#[test]
fn a_token_that_has_expired_by_the_clock_of_the_tab_is_tried_all_the_same() {
    for expires_in in [-5_000, 0] {
        let (mut rig, id) = asking(json!({}));
        answer(&mut rig, id, json!({"token": "t", "expiresIn": expires_in}));
        assert_eq!(rig.opened.len(), 1);
        assert_eq!(rig.asked(A), None);
    }
}

#[test]
fn a_function_that_has_no_fresh_token_yet_costs_no_handover() {
    let (mut rig, id) = asking(json!({}));
    answer(&mut rig, id, json!({"token": "same", "expiresIn": 600_000}));
    rig.accept();
    rig.pass_millis(540_000);
    for rest in [60_000, 50_000, 40_000] {
        let (id, _) = rig.asked(A).unwrap();
        answer(&mut rig, id, json!({"token": "same", "expiresIn": rest}));
        rig.pass_millis(10_000);
    }
    assert_eq!(rig.opened.len(), 1);
    let (id, _) = rig.asked(A).unwrap();
    answer(
        &mut rig,
        id,
        json!({"token": "fresh", "expiresIn": 600_000}),
    );
    assert_eq!(rig.opened.len(), 2);
}

#[test]
fn a_late_answer_to_an_old_question_is_ignored() {
    let (mut rig, id) = asking(json!({}));
    answer(&mut rig, id, json!({"error": "failed"}));
    answer(&mut rig, id, json!({"token": "late"}));
    assert!(rig.opened.is_empty());
}

#[test]
fn secrets_stand_in_nothing_that_a_tab_is_told() {
    let (mut rig, id) = asking(json!({}));
    answer(&mut rig, id, json!({"token": "s3cret"}));
    rig.accept();
    rig.server_closes(4401, true);
    let told = format!("{:?} {:?}", rig.take(A), rig.hub.report(A));
    assert!(!told.contains("s3cret") && !told.contains("access_token"));
}

#[test]
fn a_purge_ends_every_lingering_connection_of_that_key_at_once() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach_to(A, H, "ws://server/one", "alice", json!({"linger": 60_000}));
    rig.accept();
    rig.wire(A, json!([4, H.0]));
    let other = tabwire::protocol::HandleId(2);
    rig.attach_to(
        A,
        other,
        "ws://server/two",
        "alice",
        json!({"linger": 60_000}),
    );
    rig.accept();
    rig.attach_to(A, H, "ws://server/one", "bob", json!({"linger": 60_000}));
    rig.accept();
    rig.wire(A, json!([4, H.0]));
    rig.wire(A, json!([4, other.0, null, null, 1]));
    rig.pass_millis(0);
    assert_eq!(rig.closed.len(), 2, "both of alice, and not bob's");
}

#[test]
fn a_token_that_is_told_is_the_first_message_and_a_fresh_one_needs_no_socket() {
    let options =
        json!({"subprotocol": "\"json\"", "auth": {"via": "message", "refreshBefore": 2000}});
    let (mut rig, id) = asking(options);
    answer(&mut rig, id, json!({"token": "t1", "expiresIn": 20_000}));
    assert_eq!(rig.opened[0].1, URL);
    rig.accept();
    let told = |token: &str| format!(r#"{{"type":"authenticate","token":"{token}"}}"#);
    let ping = r#"{"type":"ping"}"#;
    assert_eq!(
        rig.sent_texts(),
        [&told("t1"), ping],
        "before anything else"
    );
    rig.wire(A, json!([16, H.0, rig.conn().0, [[1, "a", 1]]]));
    rig.frame(r#"{"type":"pong"}"#);
    let asked_for = r#"{"type":"subscribe","id":1,"topics":["a"]}"#;
    assert_eq!(rig.sent_texts()[2..], [asked_for]);
    rig.frame(r#"{"type":"answer","id":1}"#);
    rig.pass_millis(18_000);
    let (id, _) = rig.asked(A).unwrap();
    answer(&mut rig, id, json!({"token": "t2", "expiresIn": 20_000}));
    assert_eq!(rig.sent_texts().last(), Some(&told("t2").as_str()));
    assert_eq!(rig.opened.len(), 1);
    rig.pass_millis(13_000);
    rig.frame(r#"{"type":"pong"}"#);
    rig.pass_millis(5000);
    assert!(rig.asked(A).is_some(), "and so on");
}

#[test]
fn the_socket_that_takes_over_is_told_the_token_first_and_the_fresh_one_too() {
    let options = json!({
        "subprotocol": "\"json\"",
        "auth": {"via": "message", "refreshBefore": 2000},
        "staleness": {"maxAge": 17_000},
    });
    let (mut rig, id) = asking(options);
    answer(&mut rig, id, json!({"token": "t1", "expiresIn": 20_000}));
    rig.accept();
    rig.frame(r#"{"type":"pong"}"#);
    rig.pass_millis(17_000);
    assert_eq!(rig.opened.len(), 2);
    rig.sent.clear();
    rig.accept();
    let told = |token: &str| format!(r#"{{"type":"authenticate","token":"{token}"}}"#);
    assert_eq!(rig.sent_texts(), [&told("t1"), r#"{"type":"ping"}"#]);
    rig.pass_millis(1000);
    let (id, _) = rig.asked(A).unwrap();
    rig.sent.clear();
    answer(&mut rig, id, json!({"token": "t2", "expiresIn": 20_000}));
    assert_eq!(rig.sent_texts(), [told("t2"), told("t2")], "both sockets");
}

#[test]
fn a_socket_that_is_old_while_a_token_is_asked_for_is_replaced_afterwards() {
    let options = json!({
        "subprotocol": "\"json\"",
        "auth": {"via": "message", "refreshBefore": 5000},
        "staleness": {"maxAge": 18_000},
    });
    let (mut rig, id) = asking(options);
    answer(&mut rig, id, json!({"token": "t1", "expiresIn": 20_000}));
    rig.accept();
    rig.frame(r#"{"type":"pong"}"#);
    rig.pass_millis(19_000);
    assert_eq!(rig.opened.len(), 1);
    let (id, _) = rig.asked(A).unwrap();
    answer(&mut rig, id, json!({"token": "t2", "expiresIn": 20_000}));
    rig.pass_millis(1000);
    assert_eq!(rig.opened.len(), 2);
}

#[test]
fn a_token_cannot_be_told_without_a_form_for_it() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.take(A);
    rig.attach_asked(A, URL, &["token"], json!({"auth": {"via": "message"}}));
    let refused = HubMessage::Refused {
        handle: H,
        code: "bad-options",
        detail: "auth.via".into(),
    };
    assert_eq!(rig.notes(A), [refused]);
}
