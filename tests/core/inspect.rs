//! What tabs see that look inside.

use serde_json::json;
use tabwire::core::{MOST_ENTRIES, MOST_PAYLOADS, PortId};
use tabwire::protocol::{Reason, Remark, Seen, State};

use crate::json::Bytes;
use crate::rig::{A, B, H, Rig, URL};

fn pinging() -> serde_json::Value {
    json!({"heartbeat": {"message": "ping", "pong": "pong"}})
}

/// What one tab was shown since the last time, without times.
fn shown(rig: &mut Rig, port: PortId) -> (u64, Vec<Seen<String>>) {
    let mut all = (0, Vec::new());
    for (_, dropped, entries) in rig.shown.extract_if(.., |(to, ..)| *to == port) {
        all.0 += dropped;
        all.1
            .extend(entries.into_iter().map(|entry| match entry.what {
                Seen::In(size, frame) => Seen::In(size, frame.map(text)),
                Seen::Out(size, frame) => Seen::Out(size, frame.map(text)),
                Seen::State(state, reason, attempt, code) => {
                    Seen::State(state, reason, attempt, code)
                }
                Seen::Log(remark, number) => Seen::Log(remark, number),
            }));
    }
    all
}

fn text(frame: Bytes) -> String {
    String::from_utf8(frame.0).unwrap()
}

#[test]
fn frames_are_shown_by_their_size_and_transitions_with_their_reason() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.wire(A, json!([26, 1]));
    rig.attach(A, H, pinging());
    rig.accept();
    rig.wire(A, json!([26, 1]));
    rig.frame("pong");
    for _ in 0..2 {
        rig.wire(A, json!([26, 1]));
    }
    rig.frame("hello");
    assert_eq!(
        shown(&mut rig, A).1,
        [
            Seen::State(State::Connecting, Reason::Attached, 1, None),
            Seen::Out(4, None),
            Seen::In(4, None),
            Seen::State(State::Open, Reason::Opened, 1, None),
            Seen::In(5, None),
        ]
    );
}

#[test]
fn payloads_are_shown_to_who_asks_for_them_alone() {
    let mut rig = Rig::open(json!({}));
    rig.hello(B);
    rig.attach(B, H, json!({}));
    rig.wire(A, json!([26, 2]));
    rig.wire(B, json!([26, 1]));
    rig.frame("hello");
    assert_eq!(shown(&mut rig, A).1, [Seen::In(5, Some("hello".into()))]);
    assert_eq!(shown(&mut rig, B).1, [Seen::In(5, None)]);
}

#[test]
fn a_token_is_shown_to_nobody() {
    let send = json!({
        "authenticate": {"auth": "{token}"},
        "publish": {"with": "{token}", "to": "{topic}", "data": "{data}"},
    });
    let template = json!({"send": send}).to_string();
    let options = json!({"subprotocol": template, "auth": {"via": "message"}});
    let mut rig = Rig::new();
    rig.hello(A);
    rig.wire(A, json!([26, 2]));
    rig.attach_asked(A, URL, &["token"], options);
    let (id, _) = rig.asked(A).unwrap();
    rig.wire(A, json!([15, id, {"token": "s3\"cret"}]));
    rig.wire(A, json!([26, 2]));
    rig.wire(A, json!([26, 2]));
    rig.accept();
    rig.wire(A, json!([26, 2]));
    let conn = rig.conn();
    rig.wire(A, json!([5, H.0, conn.0, 0, [["a", "1"], "plain"]]));
    assert_eq!(rig.sent_texts().len(), 3);
    assert!(
        rig.sent_texts()[..2]
            .iter()
            .all(|text| text.contains("s3\\\"cret"))
    );
    let frames = shown(&mut rig, A)
        .1
        .into_iter()
        .filter_map(|seen| match seen {
            Seen::Out(_, frame) => Some(frame),
            _ => None,
        });
    assert_eq!(
        frames.collect::<Vec<_>>(),
        [None, None, Some("plain".into())]
    );
}

#[test]
fn a_tab_sees_only_what_it_has_attached() {
    let mut rig = Rig::open(json!({}));
    rig.hello(B);
    rig.attach_to(B, H, URL, "another", json!({}));
    rig.wire(A, json!([26, 2]));
    rig.wire(B, json!([26, 2]));
    // The newest socket is that of B.
    rig.accept();
    rig.frame("for B");
    assert_eq!(shown(&mut rig, A), (0, vec![]));
    assert!(!shown(&mut rig, B).1.is_empty());
}

#[test]
fn each_question_is_answered_once_and_what_comes_meanwhile_waits() {
    let mut rig = Rig::open(json!({}));
    rig.wire(A, json!([26, 1]));
    for frame in ["a", "bb", "ccc"] {
        rig.frame(frame);
    }
    assert_eq!(shown(&mut rig, A).1, [Seen::In(1, None)]);
    rig.wire(A, json!([26, 1]));
    assert_eq!(shown(&mut rig, A).1, [Seen::In(2, None), Seen::In(3, None)]);
}

#[test]
fn what_is_not_asked_for_is_bounded_and_counted() {
    let mut rig = Rig::open(json!({}));
    rig.wire(A, json!([26, 1]));
    rig.frame("shown");
    for _ in 0..MOST_ENTRIES + 5 {
        rig.frame("x");
    }
    shown(&mut rig, A);
    rig.wire(A, json!([26, 1]));
    let (dropped, entries) = shown(&mut rig, A);
    assert_eq!((dropped, entries.len()), (5, MOST_ENTRIES));
    rig.frame(&"x".repeat(MOST_PAYLOADS));
    rig.wire(A, json!([26, 2]));
    shown(&mut rig, A);
    for _ in 0..3 {
        rig.frame(&"x".repeat(MOST_PAYLOADS));
    }
    rig.wire(A, json!([26, 2]));
    let (dropped, entries) = shown(&mut rig, A);
    assert_eq!((dropped, entries.len()), (2, 1));
}

#[test]
fn whoever_has_had_enough_or_is_gone_is_shown_nothing() {
    let mut rig = Rig::open(json!({}));
    rig.wire(A, json!([26, 1]));
    rig.wire(A, json!([26, 0]));
    rig.frame("a");
    rig.hello(B);
    rig.attach(B, H, json!({}));
    rig.wire(B, json!([26, 1]));
    rig.wire(B, json!([2]));
    rig.frame("b");
    assert!(rig.shown.is_empty());
}

#[test]
fn a_suspended_tab_is_shown_what_it_has_missed_when_it_is_back() {
    let mut rig = Rig::open(json!({}));
    rig.hello(B);
    rig.attach(B, H, json!({}));
    rig.wire(A, json!([26, 1]));
    rig.wire(A, json!([10]));
    rig.frame("a");
    assert!(rig.shown.is_empty());
    rig.wire(A, json!([11]));
    assert_eq!(shown(&mut rig, A).1, [Seen::In(1, None)]);
}

#[test]
fn failed_sends_and_replacements_are_remarked() {
    let mut rig = Rig::open(json!({"staleness": {"maxAge": 10_000}}));
    rig.send(A, 0, &["a", "b"]);
    rig.wire(A, json!([26, 1]));
    shown(&mut rig, A);
    rig.server_closes(1006, false);
    rig.reopen();
    rig.wire(A, json!([26, 1]));
    rig.pass_millis(10_000);
    rig.accept();
    rig.wire(A, json!([26, 1]));
    let (_, seen) = shown(&mut rig, A);
    for remark in [
        Seen::Log(Remark::SendsFailed, 2),
        Seen::Log(Remark::Replaced, 1),
    ] {
        assert!(seen.contains(&remark), "{remark:?}: {seen:?}");
    }
}

#[test]
fn the_sockets_of_a_pool_are_seen_as_their_connection() {
    let mut rig = Rig::open(
        json!({"subprotocol": "\"json\"", "pool": {"maxTopicsPerConnection": 1, "stagger": 0}}),
    );
    rig.frame(r#"{"type":"pong"}"#);
    let conn = rig.conn();
    rig.wire(A, json!([26, 1]));
    rig.wire(A, json!([16, H.0, conn.0, [[1, "a", 0], [2, "b", 0]]]));
    rig.wire(A, json!([26, 1]));
    rig.pass_millis(1000);
    assert_ne!(rig.conn(), conn, "a further socket has been opened");
    rig.wire(A, json!([26, 1]));
    rig.accept();
    let conns = rig.shown.iter().flat_map(|(_, _, entries)| entries);
    assert!(conns.clone().count() > 2);
    assert!(conns.clone().all(|entry| entry.conn == conn));
}
