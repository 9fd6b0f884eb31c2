//! Which handles share a connection, and how long it lives.

use serde_json::json;
use tabwire::protocol::{HandleId, HubMessage, MessageError, Millis, State};

use crate::rig::{A, B, H, Rig};

#[test]
fn equal_url_protocols_and_key_share_a_connection() {
    let mut rig = Rig::open(json!({}));
    rig.hello(B);
    rig.attach(B, H, json!({}));
    rig.attach(B, HandleId(2), json!({}));
    assert_eq!(rig.opened.len(), 1);
}

#[test]
fn another_url_key_or_order_of_protocols_does_not() {
    let mut rig = Rig::open(json!({}));
    rig.attach_to(A, HandleId(2), "ws://server/other", "", json!({}));
    rig.attach_to(A, HandleId(3), crate::rig::URL, "alice", json!({}));
    for (handle, protocols) in [(4, json!(["a", "b"])), (5, json!(["b", "a"]))] {
        rig.wire(
            A,
            json!([3, handle, {"url": crate::rig::URL, "protocols": protocols, "key": ""}]),
        );
    }
    assert_eq!(rig.opened.len(), 5);
}

#[test]
fn a_tab_gets_nothing_of_a_connection_that_it_has_not_attached() {
    let mut rig = Rig::open(json!({}));
    rig.hello(B);
    rig.attach_to(B, H, crate::rig::URL, "bob", json!({}));
    rig.accept();
    rig.take(A);
    rig.frame("for bob");
    rig.tick();
    assert_eq!(rig.take(A), []);
    assert_eq!(rig.frames(B), ["for bob"]);
}

#[test]
fn a_later_handle_learns_the_state_and_which_of_its_options_are_ignored() {
    let mut rig = Rig::open(json!({"reconnect": {"minDelay": 500}}));
    rig.hello(B);
    rig.attach(
        B,
        H,
        json!({"reconnect": {"minDelay": 700}, "queue": {"ttl": 1}}),
    );
    let notes = rig.notes(B);
    let attached = notes.iter().find_map(|note| match note {
        HubMessage::Attached {
            ignored, status, ..
        } => Some((ignored.clone(), status.state)),
        _ => None,
    });
    assert_eq!(attached, Some((vec!["reconnect.minDelay"], State::Open)));
}

#[test]
fn the_connection_outlives_its_last_handle_by_linger() {
    let mut rig = Rig::open(json!({"linger": 2000}));
    rig.wire(A, json!([4, H.0, 3000, "done"]));
    rig.pass_millis(1999);
    assert!(rig.closed.is_empty());
    rig.pass_millis(1);
    assert_eq!(rig.closed, [(rig.socket(), Some(3000), "done".to_owned())]);
}

#[test]
fn who_comes_back_within_linger_finds_it_open() {
    let mut rig = Rig::open(json!({}));
    rig.wire(A, json!([4, H.0]));
    rig.pass_millis(1000);
    rig.attach(A, HandleId(2), json!({}));
    rig.pass_millis(10_000);
    assert!(rig.closed.is_empty());
    assert_eq!(rig.opened.len(), 1);
}

#[test]
fn the_largest_linger_asked_for_counts() {
    let mut rig = Rig::open(json!({"linger": 9000}));
    rig.hello(B);
    rig.attach(B, H, json!({"linger": 10}));
    rig.wire(A, json!([2]));
    rig.wire(B, json!([2]));
    rig.pass_millis(8999);
    assert!(rig.closed.is_empty());
    rig.pass_millis(1);
    assert_eq!(rig.closed.len(), 1);
}

#[test]
fn only_the_last_handles_code_reaches_the_server() {
    let mut rig = Rig::open(json!({"linger": 0}));
    rig.attach(A, HandleId(2), json!({"linger": 0}));
    rig.wire(A, json!([4, H.0, 3001, "first"]));
    rig.wire(A, json!([4, 2, 3002, "last"]));
    rig.pass_millis(0);
    assert_eq!(rig.closed[0].1, Some(3002));
}

#[test]
fn bad_options_are_refused_by_name() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, json!({"reconnect": {"minDelay": "soon"}}));
    let refused = HubMessage::Refused {
        handle: H,
        code: "bad-options",
        detail: "reconnect.minDelay".into(),
    };
    assert!(rig.notes(A).contains(&refused));
    assert!(rig.opened.is_empty());
}

#[test]
fn options_of_a_newer_tab_are_left_alone() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(
        A,
        H,
        json!({"reconnect": {"fromTheFuture": 1}, "teleport": {}}),
    );
    assert_eq!(rig.opened.len(), 1);
}

#[test]
fn a_message_about_an_unknown_handle_is_an_error_and_no_more() {
    let mut rig = Rig::open(json!({}));
    rig.take(A);
    rig.wire(A, json!([5, 99, rig.conn().0, 0, ["x"]]));
    let error = MessageError::UnknownHandle;
    assert_eq!(rig.notes(A), [HubMessage::Error { op: 5, error }]);
    rig.frame("still here");
    assert_eq!(rig.frames(A), ["still here"]);
}

#[test]
fn what_was_to_be_sent_on_a_connection_of_another_hub_is_refused() {
    let mut before = Rig::seeded(2);
    before.hello(A);
    before.attach(A, H, json!({}));
    let mut rig = Rig::open(json!({}));
    rig.take(A);
    assert_ne!(rig.conn(), before.conn());
    rig.wire(A, json!([5, H.0, before.conn().0, 0, ["x"]]));
    let error = MessageError::UnknownConnection;
    assert_eq!(rig.notes(A), [HubMessage::Error { op: 5, error }]);
    assert_eq!(rig.sent, []);
}

#[test]
fn spans_are_cut_to_ten_years() {
    let mut rig = Rig::open(json!({"linger": 1e300}));
    rig.wire(A, json!([4, H.0]));
    let wait = rig.deadline.unwrap().at.since(rig.now);
    assert!(wait > Millis::from_millis(1000).get() && wait.as_secs() <= 10 * 366 * 86_400);
}
