//! Templates: what they say of frames that arrive, what they send, and what is wrong with bad ones.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tabwire::core::subprotocol::{Answered, Filling, Pointer, Reading, Template};

fn template(template: &Value) -> Template {
    Template::named(&template.to_string()).unwrap().unwrap()
}

fn json_template() -> Template {
    Template::named("\"json\"").unwrap().unwrap()
}

fn error(template: Value) -> String {
    Template::named(&template.to_string())
        .unwrap_err()
        .to_string()
}

/// One like that of a service for live video.
fn pubsub() -> Template {
    template(&json!({
        "receive": {
            "message": {"when": {"/type": "MESSAGE"}, "topic": "/data/topic", "data": "/data/message"},
            "answer": {"when": {"/type": "RESPONSE"}, "id": "/nonce", "error": "/error"},
            "pong": {"when": {"/type": "PONG"}},
            "reconnect": {"when": {"/type": "RECONNECT"}},
        },
        "send": {
            "subscribe": {"type": "LISTEN", "nonce": "n-{id}", "data": {"topics": "{topics}", "auth_token": "{token}"}},
            "ping": {"type": "PING"},
        },
    }))
}

#[test]
fn raw_is_no_template_and_other_words_are_not_known() {
    assert_eq!(Template::named("\"raw\"").unwrap(), None);
    let error = Template::named("\"stomp\"").unwrap_err();
    assert_eq!(error.to_string(), " is not known: stomp");
}

#[test]
fn the_templates_of_the_documents_are_read() {
    let documents = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
    let texts = documents
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| std::fs::read_to_string(path).unwrap());
    let templates: Vec<Value> = texts
        .flat_map(|text| {
            let blocks = text.split("```json\n").skip(1);
            let codes = blocks.map(|block| block.split("```").next().unwrap());
            codes
                .map(|code| serde_json::from_str(code).unwrap())
                .collect::<Vec<Value>>()
        })
        .filter(|value| value.get("receive").is_some() || value.get("send").is_some())
        .collect();
    assert!(templates.len() > 1);
    for value in templates {
        template(&value);
    }
}

#[test]
fn frames_are_told_apart_by_the_first_rule_that_holds() {
    let template = pubsub();
    let read = |text| template.read(text, true);
    assert_eq!(
        read(r#"{"type": "MESSAGE", "data": {"topic": "a.1", "message": "{}"}}"#),
        Reading::Message("a.1".into(), None)
    );
    assert_eq!(
        read(r#"{"type":"RESPONSE","nonce":"n-7","error":""}"#),
        Reading::Answer(Answered {
            id: "\"n-7\"",
            ..Answered::default()
        })
    );
    assert_eq!(
        read(r#"{"type":"RESPONSE","nonce":"n-7","error":"ERR_BADAUTH"}"#),
        Reading::Answer(Answered {
            id: "\"n-7\"",
            error: Some("\"ERR_BADAUTH\""),
            ..Answered::default()
        })
    );
    assert_eq!(read(r#"{"type":"PONG"}"#), Reading::Pong);
    assert_eq!(read(r#"{"type":"RECONNECT"}"#), Reading::Reconnect(None));
    assert_eq!(read(r#"{"type":"MESSAGE","data":{}}"#), Reading::Other);
    for other in [r#"{"type":"other"}"#, "{}", "[]", "7", "\"text\"", "null"] {
        assert_eq!(read(other), Reading::Other, "{other}");
    }
    for bad in [
        "",
        "hello",
        "{",
        "{\"type\"",
        "{\"type\":}",
        "{type:1}",
        "{\"type\" 1}",
        "[1 2]",
    ] {
        assert!(
            matches!(read(bad), Reading::Malformed | Reading::Other),
            "{bad}"
        );
    }
    assert_eq!(read("hello"), Reading::Malformed);
}

#[test]
fn a_frame_is_read_no_further_than_its_topic() {
    let template = json_template();
    let text = r#"{"type":"message","seq":12,"topic":"prices.BTC","data":["#.to_owned();
    assert_eq!(
        template.read(&text, true),
        Reading::Message("prices.BTC".into(), Some("12")),
        "what comes behind it is not even JSON"
    );
    let head = r#"{"type":"message","topic":"prices.BTC","seq":1"#;
    assert_eq!(
        template.read(head, false),
        Reading::Unfinished,
        "it may be 12"
    );
    assert_eq!(template.read(&text[..30], false), Reading::Unfinished);
}

#[test]
fn what_is_escaped_is_the_same_text() {
    let template = json_template();
    assert_eq!(
        template.read(
            r#"{"\u0074ype":"mess\u0061ge","seq":1,"topic":"\"\\\/\n\ud83d\ude00\ud83d"}"#,
            true
        ),
        Reading::Message("\"\\/\n😀\u{fffd}".into(), Some("1"))
    );
}

#[test]
fn a_name_given_twice_counts_the_first_time() {
    let read = json_template();
    let text = r#"{"type":"pong","type":"message","topic":"a"}"#;
    assert_eq!(read.read(text, true), Reading::Pong);
}

#[test]
fn the_delay_of_a_reconnect_is_milliseconds() {
    let template = json_template();
    let text = r#"{"type":"reconnect","delay":1500}"#;
    assert_eq!(
        template.read(text, true),
        Reading::Reconnect(Some(Duration::from_millis(1500)))
    );
    for bad in ["-1", "1e999", "\"soon\"", "{}"] {
        let text = format!(r#"{{"type":"reconnect","delay":{bad}}}"#);
        assert_eq!(
            template.read(&text, true),
            Reading::Reconnect(None),
            "{bad}"
        );
    }
}

#[test]
fn depth_costs_nothing() {
    let template = json_template();
    let deep = "[".repeat(2_000_000);
    let text = format!(
        r#"{{"data":{deep}{},"type":"pong"}}"#,
        "]".repeat(2_000_000)
    );
    assert_eq!(template.read(&text, true), Reading::Pong);
    assert_eq!(template.read(&deep, true), Reading::Malformed);
}

#[test]
fn pointers_follow_rfc_6901() {
    let text = r#"{"a/b":{"m~n":[10,20,{"":3}]}," ":1}"#;
    let find = |way| Pointer::parse(way).unwrap().find(text);
    assert_eq!(find(""), Some(text));
    assert_eq!(find("/a~1b/m~0n/1"), Some("20"));
    assert_eq!(find("/a~1b/m~0n/2/"), Some("3"));
    assert_eq!(find("/ "), Some("1"));
    assert_eq!(find("/a~1b/m~0n/3"), None);
    assert_eq!(Pointer::parse("a"), None);
    assert_eq!(Pointer::parse(&"/a".repeat(17)), None);
}

#[test]
fn forms_are_filled_with_what_belongs_in_json() {
    let pubsub = pubsub();
    let with = Filling {
        positions: &[],
        topics: &["a", "say \"b\"\n"],
        id: 7,
        token: "secret",
        data: "",
    };
    let form = pubsub.subscribe.unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&form.fill(&with)).unwrap(),
        json!({"type": "LISTEN", "nonce": "n-7", "data": {"topics": ["a", "say \"b\"\n"], "auth_token": "secret"}})
    );
    assert_eq!(form.read_id("\"n-7\""), Some(7));
    for other in ["7", "\"7\"", "\"n-\"", "\"n-7x\"", "\"m-7\"", "null"] {
        assert_eq!(form.read_id(other), None, "{other}");
    }
    assert_eq!(pubsub.ping.as_deref(), Some(r#"{"type":"PING"}"#));
}

#[test]
fn a_quote_at_the_end_of_a_string_stays() {
    let subprotocol = json!({
        "receive": {"message": {"topic": "/t"}},
        "send": {"subscribe": {"say": "\"{topic}\"", "end": "\""}},
    });
    let form = template(&subprotocol).subscribe.unwrap();
    let topics = &["a"];
    let frame = form.fill(&Filling {
        topics,
        ..Filling::default()
    });
    let frame: Value = serde_json::from_str(&frame).unwrap();
    assert_eq!(frame, json!({"say": "\"a\"", "end": "\""}));
}

#[test]
fn a_placeholder_in_a_name_becomes_a_name() {
    let subprotocol = json!({
        "receive": {"message": {"topic": "/t"}},
        "send": {"subscribe": {"{topic}": 1, "{id}": 2}},
    });
    let form = template(&subprotocol).subscribe.unwrap();
    let topics = &["a"];
    let frame = form.fill(&Filling {
        topics,
        id: 7,
        ..Filling::default()
    });
    let frame: Value = serde_json::from_str(&frame).unwrap();
    assert_eq!(frame, json!({"a": 1, "7": 2}));
}

#[test]
fn an_id_is_known_beside_what_has_to_be_escaped() {
    for around in ["a\\b-{id}", "\"{id}", "{id}\n"] {
        let subprotocol = json!({
            "receive": {"message": {"topic": "/t"}},
            "send": {"subscribe": {"topic": "{topic}", "id": around}},
        });
        let form = template(&subprotocol).subscribe.unwrap();
        let answered = json!(around.replace("{id}", "7")).to_string();
        assert_eq!(form.read_id(&answered), Some(7), "{answered}");
    }
}

#[test]
fn parts_of_what_is_asked_go_where_a_pointer_says() {
    let rpc = template(&json!({
        "receive": {"answer": {"id": "/id", "data": "/result", "error": "/error"}},
        "send": {"request": {"jsonrpc": "2.0", "id": "{id}", "method": "{data/method}", "params": "{data/params}"}},
    }));
    let form = rpc.request.as_ref().unwrap();
    let with = Filling {
        id: 3,
        data: r#"{"method":"add","params":[1,2]}"#,
        ..Filling::default()
    };
    assert_eq!(
        serde_json::from_str::<Value>(&form.fill(&with)).unwrap(),
        json!({"jsonrpc": "2.0", "id": 3, "method": "add", "params": [1, 2]})
    );
    assert_eq!(form.read_id("3"), Some(3));
    assert_eq!(
        rpc.read(r#"{"jsonrpc":"2.0","id":3,"error":{"code":-32601}}"#, true),
        Reading::Answer(Answered {
            id: "3",
            error: Some(r#"{"code":-32601}"#),
            ..Answered::default()
        })
    );
}

#[test]
fn a_text_as_ping_is_sent_as_it_is() {
    let template = template(&json!({"send": {"ping": "ping"}}));
    assert_eq!(template.ping.as_deref(), Some("ping"));
}

#[test]
fn errors_point_into_the_template() {
    for (bad, wrong) in [
        (json!({"recieve": {}}), "/recieve is not known"),
        (json!({"send": 5}), "/send is no object"),
        (
            json!({"send": {"subscribe": "{topc}"}}),
            "/send/subscribe has an unknown placeholder: topc",
        ),
        (
            json!({"send": {"subscribe": {}}}),
            "/send/subscribe has no placeholder: {topic} or {topics}",
        ),
        (
            json!({"send": {"subscribe": "{topic}"}}),
            "/receive/message is missing",
        ),
        (
            json!({"send": {"subscribe": "a{topics}"}}),
            "/send/subscribe has an unknown placeholder: topics",
        ),
        (
            json!({"send": {"request": {}}}),
            "/send/request has no placeholder: {id}",
        ),
        (
            json!({"send": {"request": "{id}"}}),
            "/receive/answer is missing",
        ),
        (
            json!({"send": {"subscribe": "{topic}-{id}"}}),
            "/send/subscribe has another placeholder beside {id}: \"{topic}-{id}\"",
        ),
        (
            json!({"send": {"publish": "{data/a/~/}", "shout": 1}}),
            "/send/shout is not known",
        ),
        (
            json!({"receive": {"message": {}}}),
            "/receive/message/topic is missing",
        ),
        (
            json!({"receive": {"message": {"topic": "a"}}}),
            "/receive/message/topic is no JSON Pointer: a",
        ),
        (
            json!({"receive": {"message": {"topic": 5}}}),
            "/receive/message/topic is no JSON Pointer",
        ),
        (
            json!({"receive": {"pong": {}}}),
            "/receive/pong/when is missing",
        ),
        (
            json!({"receive": {"pong": {"when": {"x": 1}}}}),
            "/receive/pong/when/x is no JSON Pointer: x",
        ),
        (
            json!({"receive": {"pong": {"when": {"/a/b": []}}}}),
            "/receive/pong/when/~1a~1b is neither text, number nor word",
        ),
        (
            json!({"receive": {"pong": {"when": {}, "id": "/a"}}}),
            "/receive/pong/id is not known",
        ),
    ] {
        assert_eq!(error(bad.clone()), wrong, "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in ".{0,200}", cut in 0_usize..200) {
        let template = json_template();
        let _ = template.read(&text, true);
        let head: String = text.chars().take(cut).collect();
        let _ = template.read(&head, false);
    }

    #[test]
    fn a_json_frame_is_read_alike_in_whole_and_by_its_head(
        topic in ".{0,20}", data in "[\\[\\]{}\",:a-z0-9\\\\ ]{0,40}", order in Just(vec![0, 1, 2, 3]).prop_shuffle(), cut in 0_usize..120,
    ) {
        let members = [
            ("type", json!("message")),
            ("topic", json!(topic)),
            ("seq", json!(17)),
            ("data", json!(data)),
        ];
        let text: Vec<_> = order.iter().map(|at| format!("{}: {}", json!(members[*at].0), members[*at].1)).collect();
        let text = format!("{{{}}}", text.join(","));
        let template = json_template();
        let whole = template.read(&text, true);
        prop_assert_eq!(&whole, &Reading::Message(topic.as_str().into(), Some("17")));
        let head: String = text.chars().take(cut).collect();
        let read = template.read(&head, false);
        prop_assert!(read == Reading::Unfinished || read == whole, "{:?}", read);
    }

    #[test]
    fn what_is_filled_in_is_read_back(topic in ".{0,40}", data in ".{0,40}") {
        let template = json_template();
        let with = Filling { topics: &[&topic], data: &json!(data).to_string(), ..Filling::default() };
        let frame = template.publish.as_ref().unwrap().fill(&with);
        let read: Value = serde_json::from_str(&frame).unwrap();
        prop_assert_eq!(read, json!({"type": "publish", "topic": topic, "data": data}));
    }
}
