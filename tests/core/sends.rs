//! What becomes of sends: each arrives once or is counted.

use serde_json::{Value, json};
use tabwire::protocol::{HubMessage, SendFailure};

use crate::rig::{A, B, H, Rig};

fn connecting(options: Value) -> Rig {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, options);
    rig.take(A);
    rig
}

fn failed(notes: &[HubMessage]) -> Vec<(u64, u64, SendFailure)> {
    let failed = notes.iter().filter_map(|note| match note {
        HubMessage::Failed {
            first,
            count,
            reason,
            ..
        } => Some((*first, *count, *reason)),
        _ => None,
    });
    failed.collect()
}

fn sent(notes: &[HubMessage]) -> Option<(u64, u64)> {
    notes.iter().rev().find_map(|note| match note {
        HubMessage::Sent {
            handed, confirmed, ..
        } => Some((*handed, *confirmed)),
        _ => None,
    })
}

#[test]
fn sends_queue_until_open_and_then_go_in_order_of_arrival() {
    let mut rig = connecting(json!({}));
    rig.hello(B);
    rig.attach(B, H, json!({}));
    rig.send(A, 0, &["a0", "a1"]);
    rig.send(B, 0, &["b0"]);
    rig.send(A, 2, &["a2"]);
    assert!(rig.sent.is_empty());
    rig.accept();
    assert_eq!(rig.sent_texts(), ["a0", "a1", "b0", "a2"]);
    assert_eq!(sent(&rig.notes(A)), Some((3, 0)));
}

#[test]
fn tabs_are_told_of_open_before_anything_is_handed() {
    let mut rig = connecting(json!({}));
    rig.send(A, 0, &["a0"]);
    rig.accept();
    let notes = rig.notes(A);
    let open = notes
        .iter()
        .position(|note| matches!(note, HubMessage::Status(..)))
        .unwrap();
    let handed = notes
        .iter()
        .position(|note| matches!(note, HubMessage::Sent { .. }))
        .unwrap();
    assert!(open < handed);
}

#[test]
fn an_unclean_close_leaves_what_was_not_confirmed_unknown() {
    let mut rig = Rig::open(json!({}));
    rig.send(A, 0, &["a", "b"]);
    rig.pass_millis(11_000);
    rig.send(A, 2, &["c", "d", "e"]);
    rig.take(A);
    rig.server_closes(1006, false);
    assert_eq!(failed(&rig.notes(A)), [(2, 3, SendFailure::Unknown)]);
    rig.reopen();
    assert_eq!(rig.sent.len(), 5, "unknown is not sent again");
}

#[test]
fn a_close_by_the_server_proves_nothing_about_what_was_handed() {
    let mut rig = Rig::open(json!({}));
    rig.send(A, 0, &["a", "b"]);
    rig.server_closes(1012, true);
    assert_eq!(failed(&rig.notes(A)), [(0, 2, SendFailure::Unknown)]);
}

#[test]
fn a_pong_confirms_what_was_handed_before_its_ping() {
    let heartbeat = json!({"heartbeat": {"message": "ping", "pong": "pong", "jitter": 0}});
    let mut rig = Rig::open(heartbeat);
    rig.frame("pong");
    rig.send(A, 0, &["before"]);
    rig.pass_millis(25_000);
    rig.send(A, 1, &["after"]);
    rig.take(A);
    rig.frame("pong");
    assert_eq!(sent(&rig.notes(A)), Some((2, 1)));
    rig.server_closes(1006, false);
    assert_eq!(failed(&rig.notes(A)), [(1, 1, SendFailure::Unknown)]);
}

#[test]
fn resend_unknown_sends_again_in_the_old_order_and_before_newer_sends() {
    let mut rig = Rig::open(json!({"queue": {"resend": "unknown"}}));
    rig.send(A, 0, &["a", "b"]);
    rig.server_closes(1006, false);
    rig.send(A, 2, &["c"]);
    assert_eq!(failed(&rig.notes(A)), []);
    rig.reopen();
    assert_eq!(rig.sent_texts(), ["a", "b", "a", "b", "c"]);
}

#[test]
fn a_send_that_waits_too_long_expires() {
    let mut rig =
        connecting(json!({"queue": {"ttl": 5000}, "reconnect": {"connectTimeout": 60_000}}));
    rig.send(A, 0, &["a", "b"]);
    rig.pass_millis(4_000);
    rig.send(A, 2, &["c"]);
    rig.pass_millis(1_000);
    assert_eq!(failed(&rig.notes(A)), [(0, 2, SendFailure::Expired)]);
    rig.accept();
    assert_eq!(rig.sent_texts(), ["c"]);
}

#[test]
fn drop_oldest_keeps_the_newest() {
    let mut rig = connecting(json!({"queue": {"maxMessages": 2, "overflow": "drop-oldest"}}));
    rig.send(A, 0, &["a", "b", "c", "d"]);
    assert_eq!(failed(&rig.notes(A)), [(0, 2, SendFailure::Overflow)]);
    rig.accept();
    assert_eq!(rig.sent_texts(), ["c", "d"]);
}

#[test]
fn drop_newest_keeps_the_oldest() {
    let mut rig = connecting(json!({"queue": {"maxMessages": 2, "overflow": "drop-newest"}}));
    rig.send(A, 0, &["a", "b", "c", "d"]);
    assert_eq!(failed(&rig.notes(A)), [(2, 2, SendFailure::Overflow)]);
    rig.accept();
    assert_eq!(rig.sent_texts(), ["a", "b"]);
    assert_eq!(sent(&rig.notes(A)), Some((2, 0)));
}

#[test]
fn the_first_waiting_message_is_always_accepted() {
    let mut rig =
        connecting(json!({"queue": {"maxMessages": 0, "maxBytes": 1, "overflow": "drop-newest"}}));
    rig.send(A, 0, &["longer than one byte"]);
    assert_eq!(failed(&rig.notes(A)), []);
}

#[test]
fn one_handles_bound_does_not_cost_another_handle() {
    let mut rig = connecting(json!({"queue": {"maxMessages": 1, "overflow": "drop-oldest"}}));
    rig.hello(B);
    rig.attach(B, H, json!({}));
    rig.send(B, 0, &["b0"]);
    rig.send(A, 0, &["a0", "a1"]);
    rig.accept();
    assert_eq!(rig.sent_texts(), ["b0", "a1"]);
}

#[test]
fn closing_a_handle_fails_what_it_still_had_waiting() {
    let mut rig = connecting(json!({}));
    rig.send(A, 0, &["a", "b"]);
    rig.wire(A, json!([4, H.0]));
    let notes = rig.notes(A);
    assert_eq!(failed(&notes), [(0, 2, SendFailure::Closed)]);
    assert!(matches!(
        notes.last().unwrap(),
        HubMessage::Closed { code: 1005, .. }
    ));
}

#[test]
fn sends_of_a_dead_tab_still_go_out_while_others_hold_the_connection() {
    let mut rig = connecting(json!({}));
    rig.hello(B);
    rig.attach(B, H, json!({}));
    rig.send(A, 0, &["last words"]);
    rig.wire(A, json!([2]));
    rig.accept();
    assert_eq!(rig.sent_texts(), ["last words"]);
}

#[test]
fn a_connection_that_ends_fails_what_waits() {
    let mut rig = connecting(json!({"reconnect": {"maxAttempts": 1}}));
    rig.send(A, 0, &["a"]);
    rig.server_closes(1006, false);
    assert_eq!(failed(&rig.notes(A)), [(0, 1, SendFailure::Closed)]);
}
