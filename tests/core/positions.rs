//! Positions: a server is asked to go on where it was, and what cannot be had is told.

use std::time::Duration;

use serde_json::{Value, json};
use tabwire::core::PortId;
use tabwire::protocol::{HubMessage, Loss};

use crate::rig::{A, B, Got, H, Rig};
use crate::topics::{answer_pings, open, parcels, sent, subscribe};

/// A message with a position.
fn message(topic: &str, seq: u64) -> String {
    json!({"type": "message", "topic": topic, "seq": seq, "data": seq}).to_string()
}

/// The newest socket opens and is verified.
fn accept(rig: &mut Rig) {
    rig.accept();
    answer_pings(rig);
}

/// Subscribes a tab that has had a message.
pub fn subscribe_after(rig: &mut Rig, port: PortId, number: u32, topic: &str, seq: u64) {
    let wants = json!([[number, topic, 1, message(topic, seq)]]);
    rig.wire(port, json!([16, H.0, rig.attached[&port].0, wants]));
}

/// What a tab was told that it misses, gaps included whose length nobody knows.
pub fn missed(rig: &mut Rig, port: PortId) -> Vec<(Option<String>, Option<String>, Loss)> {
    let notes = rig.notes(port).into_iter().filter_map(|note| match note {
        HubMessage::Missed { from, to, loss, .. } => Some((from, to, loss)),
        HubMessage::Gap { .. } => panic!("a gap that was not due"),
        _ => None,
    });
    notes.collect()
}

/// The frames that a tab got, in batches.
fn frames(got: &[Got]) -> Vec<String> {
    let frames = got.iter().filter_map(|got| match got {
        Got::Frames(_, frames, _) => Some(frames.clone()),
        Got::Note(_) | Got::Parcel(..) => None,
    });
    frames.flatten().collect()
}

fn has_gap(got: &[Got]) -> bool {
    got.iter()
        .any(|got| matches!(got, Got::Note(HubMessage::Gap { .. })))
}

/// A rig whose tab A has had message 5 of topic `a`.
fn at_five() -> Rig {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    rig.frame(r#"{"type":"answer","id":1}"#);
    rig.frame(&message("a", 5));
    rig.tick();
    rig.take(A);
    sent(&mut rig);
    rig
}

fn lose_and_reopen(rig: &mut Rig) {
    rig.server_closes(1006, false);
    rig.pass_millis(10_000);
    accept(rig);
}

#[test]
fn a_new_socket_is_asked_to_go_on_where_the_one_before_ended() {
    let mut rig = at_five();
    lose_and_reopen(&mut rig);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "resume", "id": 2, "positions": {"a": 5}})]
    );
    rig.frame(&message("a", 5));
    rig.frame(&message("a", 6));
    rig.frame(r#"{"type":"answer","id":2,"recovered":{"a":true}}"#);
    rig.tick();
    let got = rig.take(A);
    assert_eq!(frames(&got), [message("a", 6)], "and none twice");
    assert!(!has_gap(&got), "nothing is in doubt");
    assert_eq!(rig.hub.report(A).attached[0].counters.duplicates, 1);
}

#[test]
fn what_the_server_cannot_give_any_more_is_told_with_its_bounds() {
    let mut rig = at_five();
    lose_and_reopen(&mut rig);
    rig.frame(r#"{"type":"answer","id":2,"positions":{"a":9},"recovered":{"a":false}}"#);
    rig.tick();
    let hole = (
        Some("5".to_owned()),
        Some("9".to_owned()),
        Loss::NotRecovered,
    );
    assert_eq!(missed(&mut rig, A), [hole]);
    rig.server_closes(1006, false);
    rig.pass_millis(10_000);
    sent(&mut rig);
    accept(&mut rig);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "resume", "id": 3, "positions": {"a": 9}})],
        "from there on nothing is lost"
    );
}

#[test]
fn a_position_that_the_server_does_not_take_is_told_and_the_topic_asked_for_anew() {
    let mut rig = at_five();
    lose_and_reopen(&mut rig);
    sent(&mut rig);
    rig.frame(r#"{"type":"answer","id":2,"error":"too old"}"#);
    rig.tick();
    assert_eq!(
        missed(&mut rig, A),
        [(Some("5".to_owned()), None, Loss::NotRecovered)]
    );
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "subscribe", "id": 3, "topics": ["a"]})]
    );
}

#[test]
fn a_server_that_counts_anew_loses_nothing_unsaid() {
    let mut rig = at_five();
    lose_and_reopen(&mut rig);
    rig.frame(r#"{"type":"answer","id":2}"#);
    rig.frame(&message("a", 1));
    rig.frame(&message("a", 2));
    rig.tick();
    let got = rig.take(A);
    assert_eq!(frames(&got), [message("a", 1), message("a", 2)]);
    assert!(got.contains(&Got::Note(HubMessage::Missed {
        handle: H,
        number: 1,
        from: Some("5".into()),
        to: None,
        loss: Loss::CountedAnew,
    })));
}

#[test]
fn a_topic_whose_position_nobody_knows_makes_a_lost_connection_a_gap() {
    let mut rig = at_five();
    subscribe(&mut rig, B, &[(1, "b")]);
    rig.take(A);
    rig.server_closes(1006, false);
    assert!(has_gap(&rig.take(A)));
    let mut rig = at_five();
    subscribe(&mut rig, B, &[(1, "b")]);
    rig.frame(r#"{"type":"answer","id":2,"positions":{"b":0}}"#);
    rig.server_closes(1006, false);
    assert!(!has_gap(&rig.take(A)), "the answer has told it");
    rig.pass_millis(10_000);
    sent(&mut rig);
    accept(&mut rig);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "resume", "id": 3, "positions": {"a": 5, "b": 0}})]
    );
    rig.frame("without a topic");
    rig.take(A);
    rig.server_closes(1006, false);
    assert!(has_gap(&rig.take(A)), "nothing brings that back");
}

#[test]
fn a_planned_replacement_has_no_gap() {
    let mut rig = at_five();
    rig.frame(r#"{"type":"reconnect","delay":0}"#);
    rig.pass_millis(0);
    let old = rig.opened[0].0;
    rig.accept();
    let frame = tabwire::core::Payload::from_text(&message("a", 6));
    rig.input(tabwire::core::Input::Socket(
        old,
        tabwire::core::SocketEvent::Frame(frame),
    ));
    sent(&mut rig);
    answer_pings(&mut rig);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "resume", "id": 2, "positions": {"a": 6}})]
    );
    rig.frame(&message("a", 7));
    rig.tick();
    let got = rig.take(A);
    assert_eq!(frames(&got), [message("a", 6), message("a", 7)]);
    assert!(!has_gap(&got));
}

#[test]
fn a_new_hub_goes_on_from_the_tab_that_is_furthest_behind_and_no_tab_gets_anything_twice() {
    let mut rig = open();
    subscribe_after(&mut rig, A, 1, "a", 7);
    subscribe_after(&mut rig, B, 1, "a", 5);
    assert_eq!(sent(&mut rig), [] as [Value; 0], "others may be behind");
    rig.pass_millis(100);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "resume", "id": 1, "positions": {"a": 5}})]
    );
    rig.take(A);
    rig.take(B);
    for seq in 6..10 {
        rig.frame(&message("a", seq));
    }
    rig.tick();
    assert_eq!(frames(&rig.take(A)), [8, 9].map(|seq| message("a", seq)));
    assert_eq!(
        frames(&rig.take(B)),
        [6, 7, 8, 9].map(|seq| message("a", seq))
    );
}

#[test]
fn a_tab_that_comes_later_gets_what_is_kept_and_is_told_of_the_rest() {
    let mut rig = Rig::new();
    for port in [A, B] {
        rig.hello(port);
        let options = json!({"subprotocol": "\"json\"", "replay": {"perTopic": 3}});
        rig.attach(port, H, options);
    }
    accept(&mut rig);
    subscribe(&mut rig, A, &[(1, "a")]);
    for seq in 1..=5 {
        rig.frame(&message("a", seq));
    }
    rig.tick();
    rig.take(B);
    subscribe_after(&mut rig, B, 1, "a", 2);
    let kept = [3, 4, 5].map(|seq| message("a", seq)).to_vec();
    assert_eq!(parcels(&mut rig, B)[0].2, kept);
    subscribe_after(&mut rig, B, 2, "a", 1);
    let got = rig.take(B);
    assert!(
        got.contains(&Got::Note(HubMessage::Missed {
            handle: H,
            number: 2,
            from: Some("1".into()),
            to: Some("2".into()),
            loss: Loss::NotKept,
        })),
        "{got:?}"
    );
    subscribe_after(&mut rig, B, 3, "a", 5);
    assert_eq!(parcels(&mut rig, B)[0].2, [] as [&str; 0]);
}

#[test]
fn a_tab_whose_topic_another_has_asked_for_afresh_is_told_of_the_hole() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    rig.take(B);
    subscribe_after(&mut rig, B, 1, "a", 5);
    assert_eq!(
        missed(&mut rig, B),
        [(Some("5".to_owned()), None, Loss::NotKept)]
    );
}

#[test]
fn a_template_without_resume_asks_for_topics_as_ever() {
    let subprotocol = json!({
        "receive": {"message": {"topic": "/t", "position": "/p"}},
        "send": {"subscribe": {"sub": "{topic}"}},
    });
    let mut rig = Rig::open(json!({"subprotocol": subprotocol.to_string()}));
    subscribe(&mut rig, A, &[(1, "a")]);
    rig.frame(r#"{"t":"a","p":3}"#);
    rig.server_closes(1006, false);
    assert!(has_gap(&rig.take(A)));
    rig.pass_millis(10_000);
    rig.sent.clear();
    rig.accept();
    assert_eq!(rig.sent_texts(), [r#"{"sub":"a"}"#]);
}

#[test]
fn one_topic_a_frame_is_resumed_with_its_position() {
    let subprotocol = json!({
        "receive": {"message": {"topic": "/t", "position": "/p"}},
        "send": {
            "subscribe": {"sub": "{topic}"},
            "resume": {"sub": "{topic}", "from": "{position}", "text": "after {position}"},
        },
    });
    let mut rig = Rig::open(json!({"subprotocol": subprotocol.to_string()}));
    subscribe(&mut rig, A, &[(1, "a"), (2, "b")]);
    rig.frame(r#"{"t":"a","p":"1-3"}"#);
    rig.frame(r#"{"t":"b","p":7}"#);
    rig.server_closes(1006, false);
    rig.pass_millis(10_000);
    rig.sent.clear();
    rig.accept();
    let sent: Vec<Value> = sent(&mut rig);
    assert_eq!(
        sent,
        [
            json!({"sub": "a", "from": "1-3", "text": "after 1-3"}),
            json!({"sub": "b", "from": 7, "text": "after 7"}),
        ]
    );
}

#[test]
fn what_a_frozen_hub_finds_waiting_does_not_count_as_a_server_that_counts_anew() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    rig.frame(r#"{"type":"answer","id":1,"positions":{"a":2}}"#);
    subscribe_after(&mut rig, B, 1, "a", 5);
    rig.frame(&message("a", 3));
    rig.tick();
    rig.take(B);
    rig.sleep(Duration::from_secs(60), false);
    rig.pass_millis(10);
    for seq in 4..=6 {
        rig.frame(&message("a", seq));
    }
    rig.tick();
    let got = rig.take(B);
    assert_eq!(frames(&got), [message("a", 6)], "{got:?}");
}

#[test]
fn a_tab_that_is_ahead_of_a_server_that_counts_anew_is_not_kept_waiting() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    rig.frame(r#"{"type":"answer","id":1,"positions":{"a":2}}"#);
    rig.take(B);
    subscribe_after(&mut rig, B, 1, "a", 50);
    rig.frame(&message("a", 3));
    rig.tick();
    assert_eq!(
        frames(&rig.take(B)),
        [] as [&str; 0],
        "B may have had it from a hub before"
    );
    rig.pass_millis(10_000);
    answer_pings(&mut rig);
    rig.frame(&message("a", 4));
    rig.frame(&message("a", 5));
    rig.tick();
    let got = rig.take(B);
    assert_eq!(frames(&got), [message("a", 4), message("a", 5)]);
    let told = HubMessage::Missed {
        handle: H,
        number: 1,
        from: Some("50".into()),
        to: None,
        loss: Loss::CountedAnew,
    };
    assert!(got.contains(&Got::Note(told)), "{got:?}");
    assert!(missed(&mut rig, A).is_empty());
}
