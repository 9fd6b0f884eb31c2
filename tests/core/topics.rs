//! Topics: counted across tabs, delivered to those that want them, asked for again when the server has forgotten.

use std::time::Duration;

use serde_json::{Value, json};
use tabwire::core::{ParcelKind, PortId};
use tabwire::protocol::{HandleId, HubMessage, RequestError, SendFailure};

use crate::rig::{A, B, Got, H, Rig};

/// A tab more.
const C: PortId = PortId(3);

/// A rig whose tabs A and B speak `json` on an open connection.
pub fn open() -> Rig {
    let mut rig = Rig::new();
    for port in [A, B] {
        rig.hello(port);
        rig.attach(port, H, json!({"subprotocol": "\"json\""}));
    }
    rig.accept();
    answer_pings(&mut rig);
    rig.sent.clear();
    rig.take(A);
    rig.take(B);
    rig
}

/// A socket is verified by a ping.
pub fn answer_pings(rig: &mut Rig) {
    rig.frame(r#"{"type":"pong"}"#);
}

pub fn subscribe(rig: &mut Rig, port: PortId, subscriptions: &[(u32, &str)]) {
    let wants: Vec<_> = subscriptions
        .iter()
        .map(|(number, topic)| json!([number, topic, 1]))
        .collect();
    rig.wire(port, json!([16, H.0, rig.attached[&port].0, wants]));
}

pub fn unsubscribe(rig: &mut Rig, port: PortId, numbers: &[u32]) {
    rig.wire(port, json!([17, H.0, rig.attached[&port].0, numbers]));
}

fn request(rig: &mut Rig, port: PortId, number: u32, data: &Value, timeout: u32) {
    let conn = rig.attached[&port].0;
    let text = data.to_string();
    rig.wire(port, json!([18, H.0, conn, number, text, timeout]));
}

pub fn message(topic: &str, data: u32) -> String {
    json!({"type": "message", "topic": topic, "data": data}).to_string()
}

/// What was sent to the server, pings aside.
pub fn sent(rig: &mut Rig) -> Vec<Value> {
    let sent = core::mem::take(&mut rig.sent).into_iter();
    sent.map(|(_, text)| serde_json::from_str(&text).unwrap())
        .filter(|frame: &Value| frame["type"] != "ping")
        .collect()
}

/// What each subscription of a tab was told.
pub fn parcels(rig: &mut Rig, port: PortId) -> Vec<(ParcelKind, u32, Vec<String>)> {
    rig.take(port)
        .into_iter()
        .filter_map(|got| match got {
            Got::Parcel(kind, number, frames) => {
                let texts = frames.into_iter().map(|(text, _)| text).collect();
                Some((kind, number, texts))
            }
            Got::Note(_) | Got::Frames(..) => None,
        })
        .collect()
}

#[test]
fn a_topic_is_asked_for_once_however_many_want_it() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a"), (2, "b"), (3, "a")]);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "subscribe", "id": 1, "topics": ["a", "b"]})],
        "one frame for all that is asked at once"
    );
    subscribe(&mut rig, B, &[(1, "b"), (2, "c")]);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "subscribe", "id": 2, "topics": ["c"]})]
    );
}

#[test]
fn only_tabs_that_want_a_topic_get_it() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a"), (2, "both")]);
    subscribe(&mut rig, B, &[(1, "b"), (2, "both")]);
    rig.take(A);
    rig.take(B);
    for frame in ["a", "both", "b", "nobody"] {
        rig.frame(&message(frame, 1));
    }
    rig.frame("no topic");
    rig.tick();
    let [a, b, both] = ["a", "b", "both"].map(|topic| message(topic, 1));
    assert_eq!(rig.frames(A), [&*a, &*both, "no topic"]);
    assert_eq!(rig.frames(B), [&*both, &*b, "no topic"]);
    let report = rig.hub.report(A);
    let counters = report.attached[0].counters;
    assert_eq!((counters.unwanted, counters.malformed), (1, 1));
}

#[test]
fn each_tab_counts_what_is_for_it() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    subscribe(&mut rig, B, &[(1, "b")]);
    rig.take(A);
    rig.take(B);
    for (number, topic) in ["a", "b", "b", "a"].into_iter().enumerate() {
        rig.frame(&message(topic, number as u32));
        rig.tick();
    }
    let firsts = |got: Vec<Got>| -> Vec<u64> {
        got.iter()
            .filter_map(|got| match got {
                Got::Frames(first, ..) => Some(*first),
                Got::Note(_) | Got::Parcel(..) => None,
            })
            .collect()
    };
    assert_eq!(firsts(rig.take(A)), [0, 1]);
    assert_eq!(firsts(rig.take(B)), [0, 1]);
}

#[test]
fn whoever_comes_later_gets_the_last_message_at_once() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    assert_eq!(parcels(&mut rig, A), [(ParcelKind::Subscribed, 1, vec![])]);
    for number in [1, 2] {
        rig.frame(&message("a", number));
    }
    rig.tick();
    sent(&mut rig);
    subscribe(&mut rig, B, &[(7, "a")]);
    assert_eq!(
        parcels(&mut rig, B),
        [(ParcelKind::Subscribed, 7, vec![message("a", 2)])]
    );
    assert_eq!(sent(&mut rig), [] as [Value; 0]);
    rig.pass_millis(60_001);
    subscribe(&mut rig, B, &[(8, "a")]);
    assert_eq!(
        parcels(&mut rig, B),
        [(ParcelKind::Subscribed, 8, vec![])],
        "what is older than replay.maxAge is not as of now"
    );
}

#[test]
fn a_subscription_that_is_told_again_is_no_new_one() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    rig.frame(&message("a", 1));
    rig.take(A);
    subscribe(&mut rig, A, &[(1, "a")]);
    assert_eq!(parcels(&mut rig, A), [(ParcelKind::Subscribed, 1, vec![])]);
}

#[test]
fn what_is_kept_is_bounded_in_count_and_bytes() {
    let mut rig = Rig::new();
    rig.hello(A);
    let size = message("0", 0).len();
    rig.attach(
        A,
        H,
        json!({"subprotocol": "\"json\"", "replay": {"perTopic": 2, "maxBytes": 3 * size}}),
    );
    rig.accept();
    answer_pings(&mut rig);
    subscribe(&mut rig, A, &[(1, "0"), (2, "1")]);
    for number in 0..3 {
        rig.frame(&message("0", number));
    }
    for number in 0..2 {
        rig.frame(&message("1", number));
    }
    rig.tick();
    rig.take(A);
    rig.wire(
        A,
        json!([16, H.0, rig.conn().0, [[3, "0", 9], [4, "1", 9]]]),
    );
    assert_eq!(
        parcels(&mut rig, A),
        [
            (ParcelKind::Subscribed, 3, vec![message("0", 2)]),
            (
                ParcelKind::Subscribed,
                4,
                vec![message("1", 0), message("1", 1)]
            ),
        ]
    );
}

#[test]
fn a_remount_within_the_linger_causes_no_traffic() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    sent(&mut rig);
    unsubscribe(&mut rig, A, &[1]);
    rig.pass_millis(1999);
    subscribe(&mut rig, A, &[(2, "a")]);
    rig.pass_millis(60_000);
    assert_eq!(sent(&mut rig), [] as [Value; 0]);
}

#[test]
fn a_topic_that_nobody_wants_is_given_back_after_the_linger() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a"), (2, "b"), (3, "c")]);
    subscribe(&mut rig, B, &[(1, "c")]);
    sent(&mut rig);
    unsubscribe(&mut rig, A, &[1, 2, 3]);
    rig.take(A);
    rig.frame(&message("a", 1));
    rig.tick();
    assert_eq!(rig.frames(A), [] as [&str; 0], "not even while it lingers");
    rig.pass_millis(2000);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "unsubscribe", "topics": ["a", "b"]})]
    );
    rig.frame(&message("c", 1));
    rig.tick();
    assert_eq!(rig.frames(B), [message("c", 1)]);
}

#[test]
fn the_topics_of_a_dead_tab_are_given_back() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    subscribe(&mut rig, B, &[(1, "b")]);
    sent(&mut rig);
    rig.input(tabwire::core::Input::LockGranted(A));
    rig.pass_millis(2000);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "unsubscribe", "topics": ["a"]})]
    );
}

#[test]
fn a_new_socket_is_asked_for_all_that_is_wanted() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a"), (2, "b")]);
    rig.server_closes(1006, false);
    subscribe(&mut rig, B, &[(1, "c")]);
    unsubscribe(&mut rig, A, &[1]);
    sent(&mut rig);
    rig.pass_millis(10_000);
    rig.accept();
    answer_pings(&mut rig);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "subscribe", "id": 2, "topics": ["b", "c"]})]
    );
}

#[test]
fn an_error_of_the_server_reaches_the_subscriptions_it_is_about() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "secret")]);
    subscribe(&mut rig, B, &[(1, "public")]);
    rig.take(A);
    rig.take(B);
    rig.frame(r#"{"type":"answer","id":1,"error":{"code":403}}"#);
    rig.frame(r#"{"type":"answer","id":2}"#);
    rig.tick();
    let refused = HubMessage::Unsubscribed {
        handle: H,
        number: 1,
        code: RequestError::Refused,
        detail: r#"{"code":403}"#.into(),
    };
    assert_eq!(rig.notes(A), [refused]);
    assert_eq!(rig.notes(B), []);
    sent(&mut rig);
    subscribe(&mut rig, A, &[(2, "secret")]);
    assert_eq!(
        sent(&mut rig).len(),
        1,
        "whoever wants it again may ask again"
    );
}

#[test]
fn an_error_about_several_topics_has_each_asked_for_alone() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a"), (2, "secret"), (3, "b")]);
    rig.take(A);
    sent(&mut rig);
    rig.frame(r#"{"type":"answer","id":1,"error":"secret"}"#);
    let asked = |id: u32, topic: &str| json!({"type": "subscribe", "id": id, "topics": [topic]});
    assert_eq!(
        sent(&mut rig),
        [asked(2, "a"), asked(3, "secret"), asked(4, "b")]
    );
    for answer in [r#"{"id":2}"#, r#"{"id":3,"error":"secret"}"#, r#"{"id":4}"#] {
        rig.frame(&answer.replace('{', r#"{"type":"answer","#));
    }
    rig.tick();
    let refused = HubMessage::Unsubscribed {
        handle: H,
        number: 2,
        code: RequestError::Refused,
        detail: "\"secret\"".into(),
    };
    assert_eq!(rig.notes(A), [refused]);
    rig.frame(&message("b", 1));
    rig.tick();
    assert_eq!(rig.frames(A), [message("b", 1)]);
    rig.server_closes(1006, false);
    rig.pass_millis(10_000);
    rig.accept();
    answer_pings(&mut rig);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "subscribe", "id": 5, "topics": ["a", "b"]})],
        "what the server has agreed to is asked for together again"
    );
}

#[test]
fn an_error_about_several_topics_is_not_about_the_one_that_is_still_wanted() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "secret"), (2, "a")]);
    unsubscribe(&mut rig, A, &[1]);
    rig.take(A);
    rig.pass_millis(2500);
    sent(&mut rig);
    rig.frame(r#"{"type":"answer","id":1,"error":"secret"}"#);
    rig.tick();
    assert_eq!(rig.notes(A), []);
    assert_eq!(sent(&mut rig)[0]["topics"], json!(["a"]), "it is asked for");
}

#[test]
fn a_subscription_on_a_path_that_is_silent_waits_for_the_verdict_on_the_path() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    rig.take(A);
    rig.sent.clear();
    rig.pass_millis(10_000);
    assert_eq!(rig.sent_texts(), [r#"{"type":"ping"}"#]);
    rig.pass_millis(10_000);
    let notes = rig.notes(A);
    assert!(
        !notes
            .iter()
            .any(|note| matches!(note, HubMessage::Unsubscribed { .. })),
        "{notes:?}"
    );
    rig.pass_millis(10_000);
    rig.accept();
    rig.sent.clear();
    answer_pings(&mut rig);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "subscribe", "id": 2, "topics": ["a"]})]
    );
}

#[test]
fn a_freeze_is_not_the_silence_of_the_server() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    rig.take(A);
    rig.pass_millis(5000);
    rig.sleep(Duration::from_secs(600), false);
    rig.timeout();
    answer_pings(&mut rig);
    rig.frame(r#"{"type":"answer","id":1}"#);
    rig.frame(&message("a", 1));
    rig.tick();
    let got = rig.take(A);
    assert!(got.contains(&Got::Frames(0, vec![message("a", 1)], false)));
}

#[test]
fn a_server_that_does_not_answer_a_subscription_is_told_of_and_given_the_topic_back() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    rig.take(A);
    sent(&mut rig);
    rig.pass_millis(1000);
    rig.frame("it is there");
    rig.pass_millis(9000);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "unsubscribe", "topics": ["a"]})]
    );
    let late = HubMessage::Unsubscribed {
        handle: H,
        number: 1,
        code: RequestError::Timeout,
        detail: String::new(),
    };
    assert!(rig.notes(A).contains(&late));
}

#[test]
fn an_answer_goes_to_the_tab_that_asked_and_to_no_other() {
    let mut rig = open();
    request(&mut rig, A, 5, &json!("a"), 1000);
    request(&mut rig, B, 5, &json!({"b": [1]}), 1000);
    assert_eq!(
        sent(&mut rig),
        [
            json!({"type": "request", "id": 1, "data": "a"}),
            json!({"type": "request", "id": 2, "data": {"b": [1]}}),
        ],
        "two tabs with one number have two at the server"
    );
    let answers = [
        r#"{"type":"answer","id":2,"data":"for B"}"#,
        r#"{"type":"answer","id":1,"error":"for A"}"#,
    ];
    for answer in answers {
        rig.frame(answer);
    }
    rig.tick();
    assert_eq!(
        parcels(&mut rig, A),
        [(ParcelKind::Answered, 5, vec![answers[1].into()])]
    );
    assert_eq!(
        parcels(&mut rig, B),
        [(ParcelKind::Answered, 5, vec![answers[0].into()])]
    );
    rig.frame(answers[0]);
    rig.tick();
    assert_eq!(
        rig.frames(A),
        [] as [&str; 0],
        "an answer that nobody waits for is for nobody"
    );
}

#[test]
fn a_request_settles_with_an_error_that_has_a_name() {
    let told = |rig: &mut Rig, code| {
        let unanswered = HubMessage::Unanswered {
            handle: H,
            number: 1,
            code,
        };
        assert!(rig.notes(A).contains(&unanswered), "{code:?}");
    };
    let mut rig = open();
    request(&mut rig, A, 1, &json!(1), 500);
    rig.pass_millis(500);
    told(&mut rig, RequestError::Timeout);
    request(&mut rig, A, 1, &json!(1), 60_000);
    rig.server_closes(1006, false);
    told(&mut rig, RequestError::Lost);
    for number in 2..1002 {
        request(&mut rig, A, number, &json!(1), 60_000);
    }
    request(&mut rig, A, 1, &json!(1), 60_000);
    told(&mut rig, RequestError::Full);
    let mut rig = Rig::open(json!({}));
    request(&mut rig, A, 1, &json!(1), 60_000);
    told(&mut rig, RequestError::Unsupported);
}

#[test]
fn a_request_that_was_not_sent_waits_for_the_next_socket() {
    let mut rig = open();
    rig.server_closes(1006, false);
    request(&mut rig, A, 1, &json!("late"), 60_000);
    request(&mut rig, A, 2, &json!("cancelled"), 60_000);
    rig.wire(A, json!([19, H.0, rig.conn().0, 2]));
    rig.pass_millis(10_000);
    rig.accept();
    answer_pings(&mut rig);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "request", "id": 1, "data": "late"})]
    );
}

#[test]
fn what_is_published_keeps_its_place_among_the_sends() {
    let mut rig = open();
    let frames = json!(["\"first\"", ["a", "{\"n\":1}"], "\"last\""]);
    rig.wire(A, json!([5, H.0, rig.conn().0, 0, frames]));
    assert_eq!(
        sent(&mut rig),
        [
            json!("first"),
            json!({"type": "publish", "topic": "a", "data": {"n": 1}}),
            json!("last")
        ]
    );
}

#[test]
fn what_is_published_carries_the_token_of_the_moment_at_which_it_is_sent() {
    let template = json!({
        "receive": {"message": {"topic": "/t"}},
        "send": {"publish": {"t": "{topic}", "d": "{data}", "key": "{token}"}},
    });
    let mut rig = Rig::new();
    rig.hello(A);
    let options = json!({"subprotocol": template.to_string()});
    rig.attach_asked(A, crate::rig::URL, &["token"], options);
    let (id, _) = rig.asked(A).unwrap();
    let frames = json!([["a", "1"]]);
    rig.wire(A, json!([5, H.0, rig.attached[&A].0, 0, frames]));
    rig.wire(A, json!([15, id, {"token": "fresh"}]));
    rig.accept();
    assert_eq!(rig.sent_texts(), [r#"{"d":1,"key":"fresh","t":"a"}"#]);
}

#[test]
fn what_cannot_be_published_has_failed() {
    let mut rig = Rig::open(json!({}));
    rig.take(A);
    rig.wire(A, json!([5, H.0, rig.conn().0, 0, [["a", "1"], "sent"]]));
    let failed = HubMessage::Failed {
        handle: H,
        first: 0,
        count: 1,
        reason: SendFailure::Unsupported,
    };
    assert!(rig.notes(A).contains(&failed));
    assert_eq!(rig.sent_texts(), ["sent"]);
}

#[test]
fn a_raw_connection_has_no_topics() {
    let mut rig = Rig::open(json!({}));
    rig.take(A);
    subscribe(&mut rig, A, &[(1, "a")]);
    let unsupported = HubMessage::Unsubscribed {
        handle: H,
        number: 1,
        code: RequestError::Unsupported,
        detail: String::new(),
    };
    assert_eq!(rig.notes(A), [unsupported]);
}

#[test]
fn a_bad_template_and_one_that_is_not_in_force_are_refused() {
    let refusal = |rig: &mut Rig, subprotocol: Value| {
        rig.hello(C);
        rig.attach(C, H, json!({"subprotocol": subprotocol.to_string()}));
        match &rig.notes(C)[..] {
            [.., HubMessage::Refused { code, detail, .. }] => (*code, detail.clone()),
            other => panic!("{other:?}"),
        }
    };
    let mut rig = open();
    assert_eq!(
        refusal(&mut rig, json!({"send": {"subscribe": {}}})),
        (
            "bad-subprotocol",
            "/send/subscribe has no placeholder: {topic} or {topics}".into()
        )
    );
    assert_eq!(
        refusal(&mut rig, json!({})),
        ("other-subprotocol", "\"json\"".into())
    );
}

#[test]
fn a_frame_that_asks_for_it_has_the_socket_replaced() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    rig.frame(r#"{"type":"answer","id":1}"#);
    rig.pass_millis(5000);
    rig.frame(r#"{"type":"reconnect"}"#);
    assert_eq!(rig.opened.len(), 1);
    rig.pass_millis(5000);
    assert_eq!(rig.opened.len(), 2, "within reconnect.firstDelayMax");
    sent(&mut rig);
    rig.accept();
    answer_pings(&mut rig);
    assert_eq!(
        sent(&mut rig),
        [json!({"type": "subscribe", "id": 2, "topics": ["a"]})]
    );
    assert_eq!(rig.retired.len(), 1);
    rig.frame(r#"{"type":"reconnect","delay":3000}"#);
    assert_eq!(rig.opened.len(), 2);
    rig.pass_millis(3000);
    assert_eq!(rig.opened.len(), 3);
}

#[test]
fn a_frame_that_asks_for_a_reconnect_before_the_first_pong_is_not_forgotten() {
    let mut rig = open();
    rig.frame(r#"{"type":"reconnect","delay":0}"#);
    rig.pass_millis(0);
    assert_eq!(rig.opened.len(), 2);
    rig.accept();
    rig.frame(r#"{"type":"reconnect","delay":3000}"#);
    answer_pings(&mut rig);
    assert_eq!(rig.retired.len(), 1, "it has taken over");
    rig.pass_millis(3000);
    assert_eq!(rig.opened.len(), 3);
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, json!({"subprotocol": "\"json\""}));
    rig.accept();
    rig.frame(r#"{"type":"reconnect","delay":3000}"#);
    answer_pings(&mut rig);
    rig.pass_millis(3000);
    assert_eq!(rig.opened.len(), 2);
}

#[test]
fn a_request_that_a_replaced_socket_had_is_told_at_once() {
    let mut rig = open();
    request(&mut rig, A, 1, &json!(1), 60_000);
    rig.frame(r#"{"type":"reconnect","delay":0}"#);
    rig.pass_millis(0);
    rig.accept();
    answer_pings(&mut rig);
    let lost = HubMessage::Unanswered {
        handle: H,
        number: 1,
        code: RequestError::Lost,
    };
    assert!(rig.notes(A).contains(&lost));
}

#[test]
fn the_pong_of_the_options_goes_before_the_template() {
    let mut rig = Rig::new();
    rig.hello(A);
    let heartbeat = json!({"message": "hey", "pong": "ho"});
    rig.attach(
        A,
        H,
        json!({"subprotocol": "\"json\"", "heartbeat": heartbeat}),
    );
    rig.accept();
    rig.take(A);
    rig.frame("ho");
    assert_eq!(rig.states(A), [tabwire::protocol::State::Open]);
}

#[test]
fn a_server_that_speaks_json_and_says_nothing_is_stale() {
    let mut rig = open();
    for _ in 0..13 {
        rig.pass_millis(10_000);
        answer_pings(&mut rig);
    }
    let stale = rig.statuses(A);
    assert!(stale.iter().any(|status| status.reason.code() == "stale"));
}

#[test]
fn a_handle_that_comes_while_a_slow_tab_waits_is_told_where_it_begins() {
    let mut rig = Rig::new();
    rig.hello(A);
    let flow = json!({"window": {"messages": 2}, "whenSlow": "latest"});
    let options = json!({"subprotocol": "\"json\"", "flow": flow});
    rig.attach(A, H, options.clone());
    rig.accept();
    answer_pings(&mut rig);
    subscribe(&mut rig, A, &[(1, "a")]);
    rig.take(A);
    for number in 0..8 {
        if number == 5 {
            rig.attach(A, HandleId(2), options.clone());
        }
        rig.frame(&message("a", number));
        rig.tick();
    }
    rig.wire(A, json!([6, rig.conn().0, 2]));
    let mut next = 0;
    for got in rig.take(A) {
        match got {
            Got::Frames(first, texts, _) => {
                assert_eq!(first, next);
                next += texts.len() as u64;
            }
            Got::Note(HubMessage::Gap {
                lost: Some((from, to)),
                ..
            }) => {
                assert_eq!(from, next);
                next = to;
            }
            Got::Note(HubMessage::Attached { next: told, .. }) => assert_eq!(told, next),
            Got::Note(_) | Got::Parcel(..) => {}
        }
    }
    assert_eq!(next, 8);
}

#[test]
fn a_hidden_tab_gets_the_newest_of_each_topic_even_beyond_its_cap() {
    let mut rig = Rig::new();
    rig.hello(A);
    let flow = json!({"cap": {"messages": 1}, "whenSlow": "latest"});
    rig.attach(A, H, json!({"subprotocol": "\"json\"", "flow": flow}));
    rig.accept();
    answer_pings(&mut rig);
    subscribe(&mut rig, A, &[(1, "a"), (2, "b")]);
    rig.take(A);
    rig.wire(A, json!([8, 0, 0]));
    for (topic, number) in [("a", 1), ("b", 2), ("b", 3)] {
        rig.frame(&message(topic, number));
        rig.tick();
    }
    rig.pass_millis(300);
    assert_eq!(rig.frames(A), [message("a", 1), message("b", 3)]);
}

#[test]
fn latest_keeps_the_newest_of_each_topic_and_counts_what_was_merged() {
    let mut rig = Rig::new();
    rig.hello(A);
    let flow = json!({"window": {"messages": 2}, "whenSlow": "latest"});
    rig.attach(A, H, json!({"subprotocol": "\"json\"", "flow": flow}));
    rig.accept();
    answer_pings(&mut rig);
    subscribe(&mut rig, A, &[(1, "a"), (2, "b"), (3, "c")]);
    rig.take(A);
    for (number, topic) in ["a", "b", "a", "b", "a", "c", "b"].into_iter().enumerate() {
        rig.frame(&message(topic, number as u32));
        rig.tick();
    }
    for next in [2, 6] {
        rig.wire(A, json!([6, rig.conn().0, next]));
    }
    let (mut next, mut frames, mut lost, mut counted) = (0, Vec::new(), 0, 0);
    for got in rig.take(A) {
        match got {
            Got::Frames(first, texts, _) => {
                assert_eq!(first, next, "no hole that is not told");
                next += texts.len() as u64;
                frames.extend(texts);
            }
            Got::Note(HubMessage::Gap {
                lost: Some((from, to)),
                ..
            }) => {
                assert_eq!(from, next);
                next = to;
                lost += to - from;
            }
            Got::Note(HubMessage::Overflow { count, .. }) => counted += count,
            Got::Note(_) | Got::Parcel(..) => {}
        }
    }
    let due = [("a", 0), ("b", 1), ("a", 4), ("c", 5), ("b", 6)];
    assert_eq!(frames, due.map(|(topic, number)| message(topic, number)));
    assert_eq!((lost, counted), (2, 2));
    assert_eq!(rig.hub.report(A).attached[0].counters.dropped, 2);
}

#[test]
fn a_hidden_tab_that_is_blocked_holds_no_more_than_its_policy_says() {
    let mut rig = Rig::new();
    rig.hello(A);
    let flow = json!({"window": {"messages": 2}, "whenSlow": "latest"});
    rig.attach(A, H, json!({"flow": flow}));
    rig.accept();
    rig.wire(A, json!([8, 0, 0]));
    for number in 0..100 {
        rig.frame(&number.to_string());
        rig.tick();
        rig.pass_millis(10);
    }
    assert_eq!(rig.hub.report(A).attached[0].backlog, 1);
    assert_eq!(rig.hub.report(A).attached[0].counters.dropped, 97);
}

#[test]
fn a_server_that_asks_for_a_reconnect_on_every_socket_does_not_get_one_after_the_other() {
    let mut rig = open();
    for _ in 0..60 {
        rig.frame(r#"{"type":"reconnect"}"#);
        rig.pass_millis(1000);
        let (socket, ..) = rig.opened.last().unwrap().clone();
        rig.input(tabwire::core::Input::Socket(
            socket,
            tabwire::core::SocketEvent::Opened {
                protocol: String::new(),
                extensions: String::new(),
            },
        ));
        answer_pings(&mut rig);
        rig.event(tabwire::core::SocketEvent::Frame(
            tabwire::core::Payload::from_text(r#"{"type":"pong"}"#),
        ));
    }
    assert!(rig.opened.len() <= 13, "{}", rig.opened.len());
}

#[test]
fn a_late_refusal_is_not_about_the_topic_that_came_into_its_place() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "slow")]);
    unsubscribe(&mut rig, A, &[1]);
    rig.pass_millis(2000);
    subscribe(&mut rig, A, &[(2, "other")]);
    rig.take(A);
    rig.frame(r#"{"type":"answer","id":1,"error":"no"}"#);
    rig.frame(r#"{"type":"answer","id":3}"#);
    rig.pass_millis(10_000);
    rig.frame(&message("other", 1));
    rig.tick();
    assert_eq!(rig.frames(A), [message("other", 1)]);
}

#[test]
fn hostile_frames_are_counted_and_reach_those_they_are_for() {
    let mut rig = open();
    subscribe(&mut rig, A, &[(1, "a")]);
    rig.take(A);
    rig.take(B);
    let deep = format!(
        r#"{{"type":"message","x":{}{},"topic":"a","data":1}}"#,
        "[".repeat(1_000_000),
        "]".repeat(1_000_000)
    );
    let long = format!(
        r#"{{"type":"message","x":"{}","topic":"a","data":2}}"#,
        "x".repeat(16 << 20)
    );
    for frame in [&*deep, &*long] {
        rig.frame(frame);
    }
    rig.tick();
    let got: Vec<_> = rig.frames(A).iter().map(String::len).collect();
    assert_eq!(got, [deep.len(), long.len()]);
    assert_eq!(rig.frames(B), [] as [&str; 0]);
    for frame in [
        "",
        "{",
        "[[[[",
        "\"\\u12\"",
        "{\"type\":\"message\",\"topic\":",
        "nul",
        "\u{feff}{}",
    ] {
        rig.frame(frame);
    }
    let broken = tabwire::core::SocketEvent::Frame(crate::json::Bytes(vec![b'{', 0xff, 0xfe]));
    rig.event(broken);
    rig.frame(r#"{"type":"answer","id":4294967296}"#);
    rig.frame(r#"{"type":"answer","id":77,"error":"of what?"}"#);
    rig.frame(r#"{"type":"message","topic":{"a":1}}"#);
    let counters = rig.hub.report(A).attached[0].counters;
    // A text of JSON is no message, whatever its escapes say.
    assert_eq!((counters.malformed, counters.unwanted), (7, 2));
}
