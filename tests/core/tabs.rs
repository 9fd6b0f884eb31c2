//! Who is there, and who is not any more.

use serde_json::json;
use tabwire::core::{Input, PortId};
use tabwire::protocol::{Address, HubMessage, MessageError, Peer};

use crate::rig::{A, B, H, Rig};

fn census(notes: &[HubMessage]) -> Option<u32> {
    notes.iter().rev().find_map(|note| match note {
        HubMessage::Census { tabs, .. } => Some(*tabs),
        _ => None,
    })
}

#[test]
fn hello_is_answered_and_a_lock_is_watched() {
    let mut rig = Rig::new();
    rig.hello(A);
    assert_eq!(rig.notes(A)[0], HubMessage::Welcome);
    assert_eq!(rig.watched, [(A, "tabwire:tab:tab1".to_owned())]);
}

#[test]
fn a_tab_whose_lock_is_granted_is_gone_with_its_handles() {
    let mut rig = Rig::open(json!({"linger": 0}));
    rig.hello(B);
    rig.take(B);
    rig.input(Input::LockGranted(A));
    assert_eq!(rig.forgotten, [A]);
    assert_eq!(census(&rig.notes(B)), Some(1));
    rig.pass_millis(0);
    assert_eq!(rig.closed.len(), 1);
}

#[test]
fn a_cached_tab_that_lost_its_lock_may_come_back_on_the_same_port() {
    let mut rig = Rig::open(json!({}));
    rig.wire(A, json!([10]));
    rig.input(Input::LockGranted(A));
    assert!(rig.forgotten.is_empty());
    rig.hello(A);
    rig.attach(A, H, json!({}));
    assert!(
        rig.notes(A)
            .iter()
            .any(|note| matches!(note, HubMessage::Attached { .. }))
    );
}

#[test]
fn a_cached_tab_that_lost_its_lock_is_dead_where_pages_keep_their_locks() {
    let mut rig = Rig::open(json!({}));
    rig.input(Input::Start {
        me: Box::new(Peer {
            build: "0.1.0".into(),
            epoch: "me".into(),
            lock: None,
            address: Address::default(),
            since: 0.0,
        }),
        others: Some(false),
        locks_fall: false,
    });
    rig.wire(A, json!([10]));
    rig.input(Input::LockGranted(A));
    assert_eq!(rig.forgotten, [A]);
}

#[test]
fn a_silent_tab_without_a_lock_is_asked_and_then_given_up() {
    let mut rig = Rig::new();
    rig.hello_as(A, "tab", "heartbeat");
    rig.take(A);
    rig.pass_millis(15_000);
    assert_eq!(rig.notes(A), [HubMessage::Ask]);
    rig.hello(B);
    rig.pass_millis(44_999);
    assert_eq!(census(&rig.notes(B)), Some(2));
    rig.pass_millis(1);
    assert_eq!(census(&rig.notes(B)), Some(1));
    assert!(rig.forgotten.is_empty(), "its port is still listened to");
    rig.take(A);
    rig.wire(A, json!([7]));
    assert_eq!(
        rig.notes(A),
        [HubMessage::Who],
        "it was only slow: it may say hello again"
    );
}

#[test]
fn a_tab_that_answers_is_kept() {
    let mut rig = Rig::new();
    rig.hello_as(A, "tab", "heartbeat");
    for _ in 0..20 {
        rig.pass_millis(15_000);
        rig.wire(A, json!([7]));
    }
    assert!(rig.forgotten.is_empty());
}

#[test]
fn a_suspended_tab_is_never_asked_but_not_kept_for_ever() {
    let mut rig = Rig::new();
    rig.hello_as(A, "tab", "heartbeat");
    rig.wire(A, json!([10]));
    rig.take(A);
    rig.pass_millis(14 * 60_000);
    assert_eq!(rig.take(A), []);
    rig.pass_millis(2 * 60_000);
    assert_eq!(rig.forgotten, [A]);
}

#[test]
fn a_tab_that_says_hello_on_a_second_port_keeps_what_it_had_on_the_first() {
    let mut rig = Rig::open(json!({}));
    rig.wire(A, json!([10]));
    rig.frame("while it was cached");
    rig.take(A);
    rig.hello_as(PortId(7), "tab1", "locks");
    assert_eq!(rig.rebound, [(PortId(7), A)]);
    assert!(rig.forgotten.is_empty());
    assert_eq!(rig.frames(A), ["while it was cached"]);
}

#[test]
fn a_tab_that_was_given_up_unawares_is_asked_who_it_is_when_it_says_hello() {
    let mut rig = Rig::open(json!({}));
    rig.hello_as(B, "silent", "heartbeat");
    rig.pass_millis(16_000);
    rig.pass_millis(46_000);
    rig.take(B);
    rig.hello_as(B, "silent", "heartbeat");
    assert_eq!(rig.notes(B), [HubMessage::Who]);
    rig.hello_as(B, "silent", "heartbeat");
    assert_eq!(rig.notes(B)[0], HubMessage::Welcome);
}

#[test]
fn hello_again_keeps_the_handles() {
    let mut rig = Rig::open(json!({}));
    rig.hello(A);
    rig.take(A);
    rig.frame("still attached");
    assert_eq!(rig.frames(A), ["still attached"]);
}

#[test]
fn the_census_counts_tabs_that_are_awake() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.hello(B);
    assert_eq!(census(&rig.notes(A)), Some(2));
    rig.wire(B, json!([10]));
    assert_eq!(census(&rig.notes(A)), Some(1));
    rig.wire(B, json!([2]));
    assert_eq!(
        census(&rig.notes(A)),
        None,
        "it had not been counted any more"
    );
}

#[test]
fn another_protocol_major_is_turned_away() {
    let mut rig = Rig::new();
    rig.wire(
        A,
        json!([1, {"protocol": 2, "build": "b", "tab": "t", "liveness": "locks", "visible": 1, "focused": 0, "online": 1}]),
    );
    let error = MessageError::ProtocolMismatch;
    assert_eq!(rig.notes(A), [HubMessage::Error { op: 1, error }]);
}

#[test]
fn what_could_not_be_read_is_answered() {
    let mut rig = Rig::open(json!({}));
    rig.take(A);
    rig.input(Input::Malformed(A, 5, MessageError::Malformed));
    assert!(matches!(
        rig.notes(A)[..],
        [HubMessage::Error { op: 5, .. }]
    ));
}

#[test]
fn the_report_shows_only_what_the_asking_tab_has_attached() {
    let mut rig = Rig::open(json!({}));
    rig.hello(B);
    rig.take(B);
    for (port, attached) in [(A, 1), (B, 0)] {
        rig.wire(port, json!([14, 5]));
        let notes = rig.notes(port);
        let Some(HubMessage::Reply(5, report)) = notes.last() else {
            panic!("{notes:?}")
        };
        assert_eq!((report.tabs, report.connections), (2, 1));
        assert_eq!(report.attached.len(), attached);
    }
}
