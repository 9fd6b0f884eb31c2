//! What frames mean.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use tabwire::core::subprotocol::{Answered, Reading, Template};

/// Heads of a frame that are tried.
const MOST_HEADS: usize = 16;

/// A frame that is JSON is never malformed, and its head either says what all of it says or is not enough.
pub fn check(template: &Template, frame: &str) {
    let whole = template.read(frame, true);
    assert_ne!(whole, Reading::Unfinished, "of a whole frame");
    if serde_json::from_str::<IgnoredAny>(frame).is_ok() {
        assert_ne!(whole, Reading::Malformed, "of a frame that is JSON");
    }
    for end in (0..=frame.len()).step_by(frame.len() / MOST_HEADS + 1) {
        let Some(head) = frame.get(..end) else {
            continue;
        };
        let read = template.read(head, false);
        if read != Reading::Unfinished {
            assert_eq!(read, whole, "of the first {end} bytes");
        }
    }
}

/// A frame of the built-in template means what another reader of JSON says.
pub fn check_json(json: &Template, frame: &str) {
    if let Some(expected) = expected(frame) {
        assert_eq!(json.read(frame, true), expected);
    }
}

/// What `docs/SUBPROTOCOLS.md` says of a frame; nothing where it is no object, or no text of it can be had.
fn expected(frame: &str) -> Option<Reading<'_>> {
    let Members(all) = serde_json::from_str(frame).ok()?;
    let value = |name: &str| {
        let first = all.iter().find(|(own, _)| own == name);
        first.map(|(_, value)| value.get())
    };
    let Some(kind) = value("type").filter(|kind| kind.starts_with('"')) else {
        return Some(Reading::Other);
    };
    let kind: String = serde_json::from_str(kind).ok()?;
    Some(match (&*kind, value("topic"), value("id")) {
        ("message", Some(topic), _) => {
            let topic = if topic.starts_with('"') {
                serde_json::from_str::<String>(topic).ok()?.into()
            } else {
                topic.into()
            };
            Reading::Message(topic, value("seq"))
        }
        ("answer", _, Some(id)) => {
            let is_error = |error: &&str| !["null", "false", "0", "\"\""].contains(error);
            Reading::Answer(Answered {
                id,
                error: value("error").filter(is_error),
                position: value("positions"),
                recovered: value("recovered"),
            })
        }
        ("pong", ..) => Reading::Pong,
        ("reconnect", ..) => {
            let delay = value("delay").and_then(|delay| delay.parse().ok());
            Reading::Reconnect(delay.map(Duration::from_millis))
        }
        _ => Reading::Other,
    })
}

/// The members of an object as they are spelled, also those that are given twice.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;
            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(member) = map.next_entry()? {
                    all.push(member);
                }
                Ok(Members(all))
            }
        }
        from.deserialize_map(Read)
    }
}
