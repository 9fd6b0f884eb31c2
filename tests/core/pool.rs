//! Topics that are shared out among sockets.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use tabwire::core::{Input, Payload, SocketEvent, SocketId};
use tabwire::protocol::{HubMessage, Loss, RequestError};

use crate::positions::{missed, subscribe_after};
use crate::rig::{A, B, Got, H, Rig, URL};
use crate::topics::{message, subscribe, unsubscribe};

const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// What `open` begins with.
fn pooled() -> Value {
    json!({
        "subprotocol": "\"json\"",
        "pool": {"maxTopicsPerConnection": 2, "stagger": 1000},
        "heartbeat": {"verifyOnOpen": false},
    })
}

/// A rig whose tab A has one socket for every two topics.
fn open(more: Value) -> Rig {
    let mut options = pooled();
    for (group, values) in more.as_object().unwrap() {
        for (name, value) in values.as_object().unwrap() {
            options[group][name] = value.clone();
        }
    }
    let mut rig = Rig::open(options);
    rig.sent.clear();
    rig.take(A);
    rig
}

fn say(rig: &mut Rig, socket: SocketId, text: &str) {
    rig.input(Input::Socket(
        socket,
        SocketEvent::Frame(Payload::from_text(text)),
    ));
}

fn close(rig: &mut Rig, socket: SocketId, code: u16) {
    rig.input(Input::Socket(
        socket,
        SocketEvent::Closed {
            code,
            reason: String::new(),
            clean: code != 1006,
        },
    ));
}

/// Accepts the sockets that are opened within this time, and answers what is asked for on them.
fn run(rig: &mut Rig, millis: u64) {
    let mut opened = rig.opened.len();
    for _ in 0..millis / 100 {
        rig.pass_millis(100);
        while opened < rig.opened.len() {
            let socket = rig.opened[opened].0;
            let (protocol, extensions) = (String::new(), String::new());
            rig.input(Input::Socket(
                socket,
                SocketEvent::Opened {
                    protocol,
                    extensions,
                },
            ));
            opened += 1;
        }
        answer(rig);
    }
}

/// Agrees to all that has been asked for.
fn answer(rig: &mut Rig) {
    for (socket, text) in rig.sent.clone() {
        let frame: Value = serde_json::from_str(&text).unwrap();
        if frame["type"] == "ping" {
            say(rig, socket, r#"{"type":"pong"}"#);
        } else if frame["id"].is_number() {
            let answer = json!({"type": "answer", "id": frame["id"]}).to_string();
            say(rig, socket, &answer);
        }
    }
}

/// The topics that each socket was asked for since this was looked at last.
fn asked(rig: &mut Rig) -> BTreeMap<u32, Vec<String>> {
    let mut asked: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (socket, text) in core::mem::take(&mut rig.sent) {
        let frame: Value = serde_json::from_str(&text).unwrap();
        let names = frame["topics"].as_array().into_iter().flatten();
        let names = names.map(|name| name.as_str().unwrap().to_owned());
        let names: Vec<_> = match frame["type"].as_str().unwrap() {
            "subscribe" => names.collect(),
            "resume" => frame["positions"]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect(),
            _ => continue,
        };
        asked.entry(socket.conn.0).or_default().extend(names);
    }
    asked
}

fn topics(names: &[&'static str]) -> Vec<(u32, &'static str)> {
    (1..).zip(names.iter().copied()).collect()
}

#[test]
fn no_socket_has_more_topics_than_it_may_and_they_start_apart() {
    let mut rig = open(json!({}));
    subscribe(&mut rig, A, &topics(&["a", "b", "c", "d", "e"]));
    let started = rig.now;
    let mut starts = Vec::new();
    for _ in 0..30 {
        let before = rig.opened.len();
        run(&mut rig, 100);
        starts.extend((before..rig.opened.len()).map(|_| rig.now.since(started).as_millis()));
    }
    assert_eq!(starts, [1000, 2000]);
    let asked = asked(&mut rig);
    assert_eq!(
        asked.into_values().collect::<Vec<_>>(),
        [vec!["a", "b"], vec!["c", "d"], vec!["e"]]
    );
    assert_eq!(rig.hub.report(A).attached[0].sockets, 3);
    assert_eq!(rig.hub.report(A).connections, 3);
}

#[test]
fn what_comes_by_any_socket_reaches_those_who_want_it() {
    let mut rig = open(json!({}));
    subscribe(&mut rig, A, &topics(&["a", "b", "c"]));
    run(&mut rig, 2000);
    rig.take(A);
    let [first, further] = [0, 1].map(|index| rig.opened[index].0);
    say(&mut rig, further, &message("c", 1));
    say(&mut rig, first, &message("a", 2));
    say(&mut rig, further, "to all");
    say(&mut rig, further, &message("a", 3));
    rig.tick();
    let due = [message("c", 1), message("a", 2), "to all".into()];
    assert_eq!(rig.frames(A), due, "and nothing that the socket has not");
    subscribe(&mut rig, A, &[(9, "c")]);
    let got = rig.take(A);
    assert!(
        matches!(&got[..], [Got::Parcel(_, 9, frames)] if frames[0].0 == message("c", 1)),
        "late joiners get the last message"
    );
}

#[test]
fn a_socket_without_topics_is_closed_and_what_is_free_is_used_first() {
    let mut rig = open(json!({}));
    subscribe(&mut rig, A, &topics(&["a", "b", "c", "d", "e"]));
    run(&mut rig, 3000);
    unsubscribe(&mut rig, A, &[3, 5]);
    run(&mut rig, 2100);
    let last = rig.opened[2].0;
    assert_eq!(rig.closed, [(last, Some(1000), String::new())]);
    asked(&mut rig);
    subscribe(&mut rig, A, &[(6, "f")]);
    run(&mut rig, 3000);
    assert_eq!(rig.opened.len(), 3);
    assert_eq!(
        asked(&mut rig),
        BTreeMap::from([(rig.opened[1].0.conn.0, vec!["f".to_owned()])])
    );
}

#[test]
fn more_topics_than_all_sockets_take_are_refused() {
    let mut rig = open(json!({"pool": {"maxConnections": 2}}));
    subscribe(&mut rig, A, &topics(&["a", "b", "c", "d", "e"]));
    let full = HubMessage::Unsubscribed {
        handle: H,
        number: 5,
        code: RequestError::Full,
        detail: String::new(),
    };
    assert!(rig.notes(A).contains(&full));
    run(&mut rig, 3000);
    assert_eq!(rig.opened.len(), 2);
}

#[test]
fn a_socket_that_is_lost_is_told_and_asked_for_its_own_topics_by_and_by() {
    let mut rig = open(json!({"pool": {"resubscribeSpread": [4000, 4000]}}));
    subscribe(&mut rig, A, &topics(&["a", "b", "c"]));
    run(&mut rig, 2000);
    asked(&mut rig);
    rig.take(A);
    let further = rig.opened[1].0;
    close(&mut rig, further, 1006);
    let notes = rig.notes(A);
    assert!(
        matches!(notes[..], [HubMessage::Gap { lost: None, .. }]),
        "{notes:?}: the connection itself is open"
    );
    let mut waited = 0;
    while rig.opened.len() == 2 {
        run(&mut rig, 100);
    }
    while asked(&mut rig).is_empty() {
        run(&mut rig, 100);
        waited += 100;
    }
    assert!((3900..=4100).contains(&waited), "{waited}");
    assert_eq!(rig.opened[2].0.conn, further.conn);
}

#[test]
fn the_topics_of_a_socket_that_ends_for_good_go_to_others() {
    let mut rig = open(json!({}));
    subscribe(&mut rig, A, &topics(&["a", "b", "c", "d", "e"]));
    run(&mut rig, 3000);
    asked(&mut rig);
    rig.take(A);
    let dead = rig.opened[1].0;
    close(&mut rig, dead, 4400);
    assert!(
        rig.notes(A)
            .iter()
            .any(|note| matches!(note, HubMessage::Gap { .. }))
    );
    run(&mut rig, 29_000);
    assert_eq!(rig.opened.len(), 3, "no new one at once");
    let room = BTreeMap::from([(rig.opened[2].0.conn.0, vec!["c".to_owned()])]);
    assert_eq!(asked(&mut rig), room, "there is room for one");
    run(&mut rig, 3000);
    let fresh = BTreeMap::from([(rig.opened[3].0.conn.0, vec!["d".to_owned()])]);
    assert_eq!(asked(&mut rig), fresh);
    let report = rig.hub.report(A);
    assert_eq!((report.attached[0].sockets, report.connections), (3, 3));
}

#[test]
fn topics_with_positions_lose_nothing_with_their_socket() {
    let mut rig = open(json!({}));
    subscribe(&mut rig, A, &topics(&["a", "b", "c"]));
    run(&mut rig, 2000);
    let further = rig.opened[1].0;
    let seq = |seq: u32| json!({"type": "message", "topic": "c", "seq": seq}).to_string();
    say(&mut rig, further, &seq(5));
    rig.tick();
    asked(&mut rig);
    rig.take(A);
    close(&mut rig, further, 4400);
    run(&mut rig, 40_000);
    let resumed = rig.sent_texts();
    assert!(
        resumed
            .iter()
            .any(|text| text.contains(r#""positions":{"c":5}"#)),
        "{resumed:?}"
    );
    let fresh = rig.socket();
    say(&mut rig, fresh, &seq(5));
    say(&mut rig, fresh, &seq(6));
    rig.tick();
    let got = rig.take(A);
    assert!(
        got.contains(&Got::Frames(1, vec![seq(6)], false)),
        "{got:?}"
    );
    assert!(
        !got.iter()
            .any(|got| matches!(got, Got::Note(HubMessage::Gap { .. })))
    );
    say(
        &mut rig,
        fresh,
        &json!({"type": "answer", "id": 99}).to_string(),
    );
}

#[test]
fn a_tab_whose_topic_waits_for_a_further_socket_that_nobody_gave_a_position_is_told_of_the_hole() {
    let mut rig = open(json!({}));
    rig.hello(B);
    rig.attach(B, H, pooled());
    subscribe(&mut rig, A, &topics(&["a", "b", "c"]));
    rig.take(B);
    subscribe_after(&mut rig, B, 1, "c", 5);
    assert_eq!(
        missed(&mut rig, B),
        [(Some("5".to_owned()), None, Loss::NotKept)]
    );
}

#[test]
fn the_further_sockets_end_with_the_connection() {
    let mut rig = open(json!({}));
    subscribe(&mut rig, A, &topics(&["a", "b", "c", "d", "e"]));
    run(&mut rig, 1500);
    rig.wire(A, json!([13, H.0]));
    let ended: Vec<_> = rig.closed.iter().map(|(socket, ..)| socket.conn).collect();
    let opened: Vec<_> = rig.opened.iter().map(|(socket, ..)| socket.conn).collect();
    assert_eq!(ended, opened);
    run(&mut rig, 60_000);
    assert_eq!(
        rig.opened.len(),
        opened.len(),
        "and none is opened any more"
    );
    assert_eq!(rig.hub.report(A).connections, 0);
}

#[test]
fn a_refusal_on_a_further_socket_reaches_who_asked() {
    let mut rig = open(json!({}));
    subscribe(&mut rig, A, &topics(&["a", "b", "c"]));
    rig.pass_millis(1000);
    let further = rig.opened[1].0;
    rig.accept();
    rig.take(A);
    say(
        &mut rig,
        further,
        r#"{"type":"answer","id":1,"error":"no"}"#,
    );
    rig.tick();
    let refused = HubMessage::Unsubscribed {
        handle: H,
        number: 3,
        code: RequestError::Refused,
        detail: "\"no\"".into(),
    };
    assert_eq!(rig.notes(A), [refused]);
    assert_eq!(rig.closed.len(), 1, "nothing is left for that socket");
}

#[test]
fn further_sockets_use_the_token_that_the_first_was_given() {
    let mut rig = Rig::new();
    rig.hello(A);
    let options = json!({
        "subprotocol": "\"json\"",
        "pool": {"maxTopicsPerConnection": 1, "stagger": 1000},
        "auth": {"via": "message", "refreshBefore": 2000},
    });
    rig.attach_asked(A, URL, &["token"], options);
    subscribe(&mut rig, A, &topics(&["a", "b"]));
    let (id, _) = rig.asked(A).unwrap();
    rig.wire(A, json!([15, id, {"token": "t1", "expiresIn": 20_000}]));
    rig.accept();
    rig.frame(r#"{"type":"pong"}"#);
    rig.pass_millis(1000);
    assert_eq!(rig.opened.len(), 2);
    rig.sent.clear();
    rig.accept();
    assert!(rig.sent_texts()[0].contains("t1"));
    rig.frame(r#"{"type":"pong"}"#);
    answer(&mut rig);
    rig.pass_millis(17_000);
    let (id, _) = rig.asked(A).unwrap();
    assert_eq!(rig.asked(A), None, "one tab is asked, once");
    rig.sent.clear();
    rig.wire(A, json!([15, id, {"token": "t2", "expiresIn": 60_000}]));
    for _ in 0..5 {
        answer(&mut rig);
        for index in 0..2 {
            let socket = rig.opened[index].0;
            say(&mut rig, socket, r#"{"type":"pong"}"#);
        }
        rig.pass_millis(2500);
    }
    let told: Vec<_> = rig
        .sent
        .iter()
        .filter(|(_, text)| text.contains("t2"))
        .map(|(socket, _)| socket.conn)
        .collect();
    assert_eq!(told, [rig.opened[0].0.conn, rig.opened[1].0.conn]);
}

#[test]
fn a_further_socket_goes_without_a_token_where_the_first_was_opened_without() {
    let mut rig = Rig::new();
    let options = json!({
        "subprotocol": "\"json\"",
        "pool": {"maxTopicsPerConnection": 1, "stagger": 1000},
        "auth": {"via": "message"},
    });
    rig.hello(A);
    rig.attach_asked(A, URL, &[], options.clone());
    rig.accept();
    rig.frame(r#"{"type":"pong"}"#);
    // This tab has what nobody has been asked for.
    rig.hello(B);
    rig.attach_asked(B, URL, &["token"], options);
    subscribe(&mut rig, A, &topics(&["a", "b"]));
    rig.pass_millis(1000);
    assert_eq!(rig.opened.len(), 2);
    assert_eq!(rig.asked(B), None);
}

proptest! {
    #[test]
    fn every_further_socket_has_topics_and_every_topic_one_socket(
        steps in prop::collection::vec((0_usize..2, 0_usize..8, 0_u8..3, 0_u64..3000), 1..60),
    ) {
        let mut rig = open(json!({}));
        rig.hello(B);
        rig.attach(B, H, json!({"subprotocol": "\"json\"", "pool": {"maxTopicsPerConnection": 2, "stagger": 1000}, "heartbeat": {"verifyOnOpen": false}}));
        let mut wants: BTreeMap<(usize, usize), u32> = BTreeMap::new();
        let mut number = 0;
        let mut known: BTreeMap<u32, std::collections::BTreeSet<String>> = BTreeMap::new();
        let mut read = |rig: &mut Rig| {
            answer(rig);
            for (socket, text) in core::mem::take(&mut rig.sent) {
                let frame: Value = serde_json::from_str(&text).unwrap();
                let topics = known.entry(socket.conn.0).or_default();
                let names = frame["topics"].as_array().into_iter().flatten();
                for name in names.map(|name| name.as_str().unwrap().to_owned()) {
                    if frame["type"] == "subscribe" {
                        assert!(topics.insert(name));
                    } else {
                        assert!(topics.remove(&name));
                    }
                }
                assert!(topics.len() <= 2);
            }
            known.clone()
        };
        for (tab, topic, kind, wait) in steps {
            let port = [A, B][tab];
            if kind < 2 {
                number += 1;
                if let Some(before) = wants.insert((tab, topic), number) {
                    unsubscribe(&mut rig, port, &[before]);
                }
                subscribe(&mut rig, port, &[(number, NAMES[topic])]);
            } else if let Some(gone) = wants.remove(&(tab, topic)) {
                unsubscribe(&mut rig, port, &[gone]);
            }
            run(&mut rig, wait);
            read(&mut rig);
        }
        run(&mut rig, 20_000);
        let known = read(&mut rig);
        let closed: Vec<_> = rig.closed.iter().map(|(socket, ..)| socket.conn.0).collect();
        let mut all: Vec<String> = Vec::new();
        for (index, (socket, ..)) in rig.opened.iter().enumerate() {
            if closed.contains(&socket.conn.0) {
                continue;
            }
            let topics = known.get(&socket.conn.0).cloned().unwrap_or_default();
            prop_assert!(index == 0 || !topics.is_empty(), "socket {} is left without topics", index);
            all.extend(topics);
        }
        all.sort();
        let mut due: Vec<_> = wants.keys().map(|(_, topic)| NAMES[*topic].to_owned()).collect();
        due.sort();
        due.dedup();
        prop_assert_eq!(all, due);
    }
}
