//! What the server answers to a frame, by what the connection is for.

use std::borrow::Cow;

use axum::extract::ws::{Message, Utf8Bytes};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::clock::iso_now;
use crate::connection::{Outgoing, Purpose};
use crate::state::App;

/// What is to be done with a text frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing more than to record it.
    Nothing,
    /// Send it back as it came.
    Echo,
    /// Send this to its sender.
    Reply(String),
    /// Send this to every `/ws` connection.
    Broadcast(String),
    /// Remember the number of tabs.
    Tabs(u64),
}

/// Decides about a text frame.
pub fn answer(purpose: Purpose, text: &str) -> Answer {
    match purpose {
        Purpose::Raw => Answer::Echo,
        // What is said of topics is answered elsewhere.
        Purpose::Silent | Purpose::Topics(_) => Answer::Nothing,
        Purpose::Talk => understand(text).unwrap_or(Answer::Echo),
        Purpose::Pipeline { .. } => match understand(text) {
            Some(Answer::Reply(pong)) => Answer::Reply(pong),
            _ => Answer::Nothing,
        },
    }
}

/// Whether a binary frame is sent back.
pub fn echoes_binary(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::Talk | Purpose::Raw)
}

/// Queues a text for every live `/ws` connection but the silent ones, and adds it to the events.
pub fn broadcast(app: &App, text: &str) {
    let text = Utf8Bytes::from(text);
    app.events.add_broadcast(text.clone());
    for connection in app.registry.live() {
        if matches!(connection.origin.purpose, Purpose::Talk | Purpose::Raw) {
            connection.push(Outgoing::One(Message::Text(text.clone())));
        }
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    count: Option<&'a RawValue>,
}

fn understand(text: &str) -> Option<Answer> {
    if text == "ping" {
        return Some(Answer::Reply("pong".into()));
    }
    if !text.trim_ascii_start().starts_with('{') {
        return None;
    }
    let head: Head<'_> = serde_json::from_str(text).ok()?;
    match &*head.kind {
        "ping" => Some(Answer::Reply(match head.id {
            Some(id) => format!(r#"{{"type":"pong","id":{id}}}"#),
            None => r#"{"type":"pong"}"#.into(),
        })),
        "broadcast" => Some(Answer::Broadcast(format!(
            r#"{{"type":"broadcast","timestamp":"{}","data":{}}}"#,
            iso_now(),
            head.data.map_or("null", RawValue::get)
        ))),
        "tabs" => {
            let count = serde_json::from_str(head.count?.get()).ok()?;
            Some(Answer::Tabs(count))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(text: &str) -> Answer {
        answer(Purpose::Talk, text)
    }

    #[test]
    fn pings_are_answered_with_their_id() {
        assert_eq!(talk("ping"), Answer::Reply("pong".into()));
        assert_eq!(
            talk(r#"{"type":"ping"}"#),
            Answer::Reply(r#"{"type":"pong"}"#.into())
        );
        assert_eq!(
            talk(r#" {"id":{"a":[1]},"type":"ping","more":true}"#),
            Answer::Reply(r#"{"type":"pong","id":{"a":[1]}}"#.into())
        );
    }

    #[test]
    fn broadcasts_keep_their_data_verbatim() {
        let Answer::Broadcast(text) = talk(r#"{"type":"broadcast","data":{"n": 1e2}}"#) else {
            panic!("not a broadcast");
        };
        assert!(text.starts_with(r#"{"type":"broadcast","timestamp":"2"#));
        assert!(text.ends_with(r#"Z","data":{"n": 1e2}}"#));
    }

    #[test]
    fn a_number_of_tabs_is_remembered_and_anything_else_is_echoed() {
        assert_eq!(talk(r#"{"type":"tabs","count":10}"#), Answer::Tabs(10));
        for text in [
            r#"{"type":"tabs","count":-1}"#,
            r#"{"type":"tabs"}"#,
            r#"{"type":"chat"}"#,
            r#"{"type":7}"#,
            r#"{"type":"ping""#,
            "{}",
            "[]",
            "Ping",
            "",
        ] {
            assert_eq!(talk(text), Answer::Echo, "{text}");
        }
    }

    #[test]
    fn only_a_talking_connection_understands() {
        let ping = r#"{"type":"ping"}"#;
        assert_eq!(answer(Purpose::Raw, ping), Answer::Echo);
        assert_eq!(answer(Purpose::Silent, ping), Answer::Nothing);
        let pipeline = Purpose::Pipeline { every: 5000 };
        assert_eq!(
            answer(pipeline, ping),
            Answer::Reply(r#"{"type":"pong"}"#.into())
        );
        assert_eq!(answer(pipeline, r#"{"type":"broadcast"}"#), Answer::Nothing);
        assert_eq!(answer(pipeline, "hello"), Answer::Nothing);
    }
}
