//! The protocol as types, held to the fixtures that TypeScript reads too.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

#[path = "support/json.rs"]
mod json;

use json::Json;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;
use tabwire::protocol::{
    Address, Ailment, Alert, Answer, BreakerCounters, BreakerReason, BreakerState, BreakerView,
    Calls, Cause, ConnId, Entry, Env, GapReason, HandleId, HubMessage, Instability, Loss,
    MessageError, Need, Notice, Options, Order, Outcome, Peer, PeerMessage, Permit, Reason,
    Refusal, Remark, Report, RequestError, Seen, SendFailure, Snapshot, State, Status, TabMessage,
    Transport, WhenSlow, Wish, encode_entries, op, op_of,
};
use tabwire::time::Time;

struct TestEnv(Address);

impl Env for TestEnv {
    fn wall(&self, at: Time) -> f64 {
        1_700_000_000_000.0 + at.as_millis_f64()
    }
    fn epoch(&self) -> &str {
        "00c0ffee00c0ffee"
    }
    fn build(&self) -> &str {
        "0.1.0+test"
    }
    fn address(&self) -> &Address {
        &self.0
    }
    fn lock(&self) -> Option<&str> {
        Some("tabwire:hub:00c0ffee00c0ffee")
    }
}

fn fixture(name: &str) -> Vec<Value> {
    let path = format!("tests/fixtures/{name}");
    let text = std::fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Ops that only the worker script speaks.
const NOT_THE_HUBS: &[&str] = &["script", "unavailable", "crashed", "lead"];

/// What the driver posts, since payloads are its own.
const WITH_PAYLOADS: &[&str] = &["batch", "subscribed", "answered", "single", "inspected"];

#[test]
fn every_message_of_a_tab_in_the_fixtures_can_be_read() {
    for case in fixture("protocol/messages.json") {
        let name = case["name"].as_str().unwrap();
        if case["from"] != "tab" || NOT_THE_HUBS.contains(&name) {
            continue;
        }
        let decoded = TabMessage::decode(&Json(case["wire"].clone()));
        let variant = format!("{:?}", decoded.as_ref().unwrap()).to_lowercase();
        assert!(variant.starts_with(name), "{name}: {decoded:?}");
    }
}

#[test]
fn what_no_tab_should_say_is_an_error_with_the_right_code() {
    for case in fixture("protocol/bad.json") {
        let decoded = TabMessage::decode(&Json(case["wire"].clone()));
        let code = decoded.as_ref().map_err(|error| error.code());
        assert_eq!(code.err(), case["code"].as_str(), "{case}");
    }
}

#[test]
fn the_hub_says_only_what_the_fixtures_show() {
    let examples: Vec<Value> = fixture("protocol/messages.json")
        .into_iter()
        .filter(|case| case["from"] == "hub")
        .collect();
    let env = TestEnv(address());
    for (name, message) in hub_messages() {
        let Json(wire) = message.encode(&env);
        let fits = |case: &Value| case["name"] == name && same_shape(&case["wire"], &wire);
        assert!(examples.iter().any(fits), "{name}: no example like {wire}");
    }
    for case in &examples {
        let name = case["name"].as_str().unwrap();
        let known =
            WITH_PAYLOADS.contains(&name) || hub_messages().iter().any(|(own, _)| *own == name);
        assert!(
            known || NOT_THE_HUBS.contains(&name),
            "{name} is never said"
        );
    }
}

#[test]
fn what_is_shown_to_those_who_look_inside_is_what_the_fixtures_show() {
    let examples = fixture("protocol/messages.json");
    let example = examples.iter().find(|case| case["name"] == "inspected");
    let seen = [
        Seen::In(4, None),
        Seen::Out(4, Some("ping")),
        Seen::State(State::Open, Reason::Opened, 1, None),
        Seen::Log(Remark::SendsFailed, 3),
    ];
    let entries = seen.map(|what| Entry {
        at: Time::from_millis(1000),
        conn: ConnId(2),
        what,
    });
    let env = TestEnv(address());
    let Json(wire) = encode_entries(3, &entries.into(), &env, |text| Json(json!(text)));
    // A number of JSON is the same with and without a fraction.
    assert_eq!(
        wire.to_string().replace(".0", ""),
        example.unwrap()["wire"].to_string()
    );
}

#[test]
fn options_are_judged_as_the_fixtures_say() {
    for case in fixture("options.json") {
        let given = Json(case["options"].clone());
        let rust_judges = case.get("rust") != Some(&Value::Bool(false));
        if rust_judges {
            assert_eq!(
                Options::read(&given).err(),
                case["error"].as_str(),
                "{case}"
            );
        }
    }
}

#[test]
fn statuses_count_as_the_fixtures_say() {
    for case in fixture("statuses.json") {
        let status = case["status"].as_u64().unwrap() as u16;
        let counts = match Outcome::of_status(status, None) {
            Outcome::Success => "success",
            Outcome::Failure(_) => "failure",
            Outcome::Neutral | Outcome::Rejected => "nothing",
        };
        assert_eq!(counts, case["counts"], "{status}");
    }
}

fn address() -> Address {
    Address {
        worker_url: "http://localhost/worker.js".into(),
        name: "tabwire@1".into(),
    }
}

fn hub_messages() -> Vec<(&'static str, HubMessage)> {
    let (handle, conn) = (HandleId(1), ConnId(2));
    let status = Status {
        state: State::Reconnecting,
        attempt: 2,
        next_attempt_at: Some(Time::from_millis(1500)),
        code: Some(1006),
        reason: Reason::ConnectionLost,
        since: Time::from_millis(1000),
        protocol: "v1".into(),
        extensions: Box::default(),
        cause: Cause::Lost,
        close_reason: Box::default(),
        clean: false,
        notice: None,
        transport: Transport::WebSocket,
    };
    let recovered = Status {
        state: State::Open,
        next_attempt_at: None,
        code: None,
        notice: Some(Notice::Recovered),
        ..status.clone()
    };
    let fresh = Status {
        next_attempt_at: None,
        code: None,
        ..status.clone()
    };
    let mut messages = breaker_messages();
    let alerts = [
        Alert::Unhealthy {
            score: 40,
            reasons: vec![Ailment::Down],
            count: 1,
        },
        Alert::Unstable {
            reason: Instability::Losses,
            value: 5.0,
            threshold: 5.0,
            count: 2,
        },
    ];
    messages.extend(alerts.map(|alert| ("alert", HubMessage::Alert(conn, alert))));
    messages.extend([
        ("welcome", HubMessage::Welcome),
        (
            "attached",
            HubMessage::Attached {
                handle,
                conn,
                next: 7,
                ignored: vec!["reconnect.minDelay"],
                status: fresh.clone().into(),
            },
        ),
        (
            "refused",
            HubMessage::Refused {
                handle,
                code: "bad-options",
                detail: "queue.ttl".into(),
            },
        ),
        ("status", HubMessage::Status(conn, status.into())),
        ("status", HubMessage::Status(conn, fresh.into())),
        ("status", HubMessage::Status(conn, recovered.into())),
        (
            "need",
            HubMessage::Need {
                handle,
                id: 9,
                kind: Need::Token,
            },
        ),
        ("move", HubMessage::Move(address())),
        (
            "beside",
            HubMessage::Beside {
                protocol: 2,
                build: "2.0.0+test".into(),
            },
        ),
        (
            "sent",
            HubMessage::Sent {
                handle,
                handed: 3,
                confirmed: 1,
            },
        ),
        (
            "failed",
            HubMessage::Failed {
                handle,
                first: 0,
                count: 2,
                reason: SendFailure::Expired,
            },
        ),
        (
            "gap",
            HubMessage::Gap {
                conn,
                lost: Some((5, 8)),
                reason: GapReason::Dropped(Loss::SlowTab),
            },
        ),
        (
            "gap",
            HubMessage::Gap {
                conn,
                lost: None,
                reason: GapReason::Lost(Reason::PongTimeout),
            },
        ),
        (
            "closed",
            HubMessage::Closed {
                handle,
                code: 1000,
                reason: "bye".into(),
                clean: true,
            },
        ),
        (
            "unsubscribed",
            HubMessage::Unsubscribed {
                handle,
                number: 2,
                code: RequestError::Refused,
                detail: r#"{"code":403}"#.into(),
            },
        ),
        (
            "unanswered",
            HubMessage::Unanswered {
                handle,
                number: 3,
                code: RequestError::Lost,
            },
        ),
        (
            "missed",
            HubMessage::Missed {
                handle,
                number: 2,
                from: None,
                to: None,
                loss: Loss::NotTaken,
            },
        ),
        (
            "missed",
            HubMessage::Missed {
                handle,
                number: 2,
                from: Some("5".into()),
                to: Some("9".into()),
                loss: Loss::NotRecovered,
            },
        ),
        (
            "missed",
            HubMessage::Missed {
                handle,
                number: 2,
                from: Some("\"1-5\"".into()),
                to: None,
                loss: Loss::CountedAnew,
            },
        ),
        ("beat", HubMessage::Beat),
        ("ask", HubMessage::Ask),
        (
            "census",
            HubMessage::Census {
                tabs: 3,
                connections: 1,
            },
        ),
        ("reply", HubMessage::Reply(4, Report::default())),
        ("who", HubMessage::Who),
        (
            "error",
            HubMessage::Error {
                op: op::SEND,
                error: MessageError::Malformed,
            },
        ),
        (
            "overflow",
            HubMessage::Overflow {
                conn,
                count: 3,
                policy: WhenSlow::Latest,
            },
        ),
    ]);
    messages
}

fn breaker_messages() -> Vec<(&'static str, HubMessage)> {
    let view = |state, reason| BreakerView {
        state,
        reason,
        generation: 1,
        remaining: None,
        open_for: Duration::ZERO,
        openings: 0,
        age: Some(Duration::from_millis(20)),
        slow_after: None,
        counters: BreakerCounters::default(),
    };
    let new = BreakerView {
        generation: 0,
        age: None,
        ..view(BreakerState::Closed, BreakerReason::New)
    };
    let open = BreakerView {
        remaining: Some(Duration::from_micros(4_812_500)),
        open_for: Duration::from_micros(4_832_500),
        openings: 1,
        slow_after: Some(Duration::from_secs(2)),
        ..view(BreakerState::Open, BreakerReason::Consecutive)
    };
    let half_open = view(BreakerState::HalfOpen, BreakerReason::Probing);
    let views = [
        (new, vec!["breaker.lease"]),
        (open, vec![]),
        (half_open, vec![]),
    ];
    let verdict = |verdict| {
        let (name, id) = ("api".into(), 7);
        ("verdict", HubMessage::Verdict { name, id, verdict })
    };
    let granted = |id, lease| {
        let generation = 3;
        verdict(Ok(Permit {
            id,
            generation,
            lease,
        }))
    };
    let refused = |reason, retry_after| {
        verdict(Err(Refusal {
            reason,
            retry_after,
        }))
    };
    let views = views.map(|(view, ignored)| {
        let name = "api".into();
        (
            "breaker",
            HubMessage::Breaker {
                name,
                view,
                ignored,
            },
        )
    });
    let verdicts = [
        granted(0, None),
        granted(4, Some(Duration::from_secs(30))),
        refused(BreakerReason::Consecutive, Some(Duration::from_secs(4))),
        refused(BreakerReason::BudgetSpent, None),
        ("ungated", HubMessage::Ungated("api".into())),
    ];
    views.into_iter().chain(verdicts).collect()
}

/// What the example of this op at this place means.
fn tab_example(op: u32, place: usize) -> TabMessage<json::Bytes> {
    let examples = fixture("protocol/messages.json");
    let mut own = examples.iter().filter(|case| case["wire"][0] == op);
    TabMessage::decode(&Json(own.nth(place).unwrap()["wire"].clone())).unwrap()
}

#[test]
fn what_a_tab_says_of_breakers_means_what_it_says() {
    let TabMessage::Gate {
        name,
        options,
        snapshot,
    } = tab_example(op::GATE, 0)
    else {
        panic!("no gate")
    };
    assert_eq!((name.as_str(), snapshot), ("api", None));
    assert_eq!(options.unwrap().failure_threshold.unwrap().0, 3);
    let remembered = Snapshot {
        state: BreakerState::Open,
        generation: 5,
        age: Duration::from_micros(1_500_500),
        remaining: Duration::from_millis(3500),
        open_for: Duration::from_secs(5),
        openings: 2,
    };
    assert!(
        matches!(tab_example(op::GATE, 1), TabMessage::Gate { snapshot, .. } if snapshot == Some(remembered))
    );
    // A clock that was set back, or ahead.
    assert!(
        matches!(tab_example(op::GATE, 2), TabMessage::Gate { snapshot: Some(Snapshot { age, remaining, .. }), .. }
        if (age, remaining) == (Duration::ZERO, Duration::ZERO))
    );
    let ended = |place| {
        let TabMessage::Outcome {
            generation,
            permit,
            outcome,
            calls:
                Calls {
                    all,
                    failures,
                    slow,
                },
            ago,
            ..
        } = tab_example(op::OUTCOME, place)
        else {
            panic!("no outcome")
        };
        let ago = ago.as_millis();
        ((generation, permit), outcome, (all, failures, slow), ago)
    };
    let after = Some(Duration::from_secs(120));
    assert_eq!(ended(0), ((3, 0), Outcome::Success, (12, 0, 2), 250));
    assert_eq!(ended(1), ((3, 0), Outcome::Failure(None), (1, 1, 0), 0));
    assert_eq!(ended(2), ((3, 4), Outcome::Failure(after), (1, 1, 1), 0));
    assert_eq!(ended(3), ((3, 4), Outcome::Neutral, (1, 0, 0), 0));
    assert_eq!(ended(4), ((0, 0), Outcome::Rejected, (9, 0, 0), 0));
    for (place, meant) in [Wish::Call, Wish::Retry].into_iter().enumerate() {
        let example = tab_example(op::ACQUIRE, place);
        assert!(matches!(example, TabMessage::Acquire { wish, .. } if wish == meant));
    }
    let orders = [Order::Reset, Order::Open, Order::Close];
    for (place, meant) in orders.into_iter().enumerate() {
        let example = tab_example(op::FORCE, place);
        assert!(matches!(example, TabMessage::Force { order, .. } if order == meant));
    }
}

#[test]
fn a_tab_that_remembers_nonsense_of_a_breaker_remembers_nothing() {
    for nonsense in [
        json!("closed"),
        json!([]),
        json!(["ajar", 5, 0, 0, 0, 0]),
        json!(["open", -1, 0, 0, 0, 0]),
        json!(["open", "5", 0, 0, 0, 0]),
        json!(["open", 5, 0, 0, 0, null]),
    ] {
        let wire = Json(json!([op::GATE, "api", {}, nonsense]));
        let read = TabMessage::decode(&wire);
        assert!(
            matches!(read, Ok(TabMessage::Gate { snapshot: None, .. })),
            "{read:?}"
        );
    }
}

#[test]
fn hubs_understand_each_other_and_know_those_of_other_majors() {
    let here = PeerMessage::Here(Box::new(Peer {
        build: "0.1.0+test".into(),
        epoch: "00c0ffee".into(),
        lock: None,
        address: address(),
        since: 1_700_000_000_000.0,
    }));
    let gone = PeerMessage::Gone {
        epoch: "00c0ffee".into(),
    };
    for message in [here, gone, PeerMessage::Who] {
        let wire: Json = message.encode();
        assert_eq!(PeerMessage::decode(&wire), Some(message));
    }
    let future = Json(json!(["here", 2, "2.0.0", "beef", {"anything": 1}]));
    let other = PeerMessage::Other {
        protocol: 2,
        build: "2.0.0".into(),
        epoch: "beef".into(),
    };
    assert_eq!(PeerMessage::decode(&future), Some(other));
    for nonsense in [
        json!(null),
        json!([]),
        json!(["here", 1, "x"]),
        json!(["hi"]),
    ] {
        assert_eq!(PeerMessage::decode(&Json(nonsense)), None);
    }
}

#[test]
fn what_a_tab_answers_stands_in_no_debug_output() {
    let answer = Json(json!([15, 1, {"token": "secret"}]));
    let message = TabMessage::decode(&answer).unwrap();
    assert!(
        matches!(&message, TabMessage::Answer(1, Answer::Token(token, None)) if token == "secret")
    );
    assert!(!format!("{message:?}").contains("secret"));
}

/// Whether two messages have the same op and items of the same types; trailing nulls may be missing.
fn same_shape(one: &Value, other: &Value) -> bool {
    let kind = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    };
    let (one, other) = (one.as_array().unwrap(), other.as_array().unwrap());
    one[0] == other[0]
        && (0..one.len().max(other.len())).all(|index| {
            let missing = Value::Null;
            let (a, b) = (
                one.get(index).unwrap_or(&missing),
                other.get(index).unwrap_or(&missing),
            );
            kind(a) == kind(b)
        })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0u32..100).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(
                "protocol|build|tab|liveness|url|key|options|bytes|queue|ttl|breaker|window|calls",
                inner,
                0..6
            )
            .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reading_never_panics(value in any_json()) {
        let value = Json(value);
        let _ = TabMessage::decode(&value);
        let _ = PeerMessage::decode(&value);
        let _ = Options::read(&value);
        let _ = op_of(&value);
    }

    #[test]
    fn reading_a_message_with_a_known_op_never_panics(op in 0u32..26, rest in prop::collection::vec(any_json(), 0..5)) {
        let mut items = vec![json!(op)];
        items.extend(rest);
        let _ = TabMessage::decode(&Json(Value::Array(items)));
    }
}
