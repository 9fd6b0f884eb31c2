//! How the server of a world speaks of topics.

use serde_json::{Value, json};

/// What differs from server to server.
#[derive(Clone, Copy, Debug)]
pub struct Speech {
    /// Whether messages have positions from which it goes on.
    pub has_positions: bool,
    /// Whether it answers subscriptions.
    pub answers: bool,
    /// Whether positions stand in quotes.
    pub quotes: bool,
    /// Whether it says in its answers how far a topic is.
    pub says_positions: bool,
    /// Whether it answers with an error when a position is too old, and not that it does not go on there.
    pub errs_on_old: bool,
    /// Whether it takes a position that it has not come to for one from now on, and says nothing.
    pub is_silent: bool,
    /// Whether it repeats the message that it is asked to go on after.
    pub repeats: bool,
    /// Whether it goes on before it says so.
    pub is_eager: bool,
    /// So many messages of a topic it remembers.
    pub history: usize,
    /// So many topics it has.
    pub topics: u8,
    /// So many topics it takes on one connection.
    pub most: Option<usize>,
    /// Whether it also says things without a topic.
    pub has_others: bool,
}

impl Speech {
    /// Draws one.
    pub fn random(rng: &mut fastrand::Rng) -> Self {
        let has_positions = rng.u8(0..3) > 0;
        let most = (rng.u8(0..4) == 0).then(|| rng.usize(1..=3));
        let mut speech = Self {
            has_positions,
            answers: has_positions || rng.u8(0..3) > 0,
            quotes: rng.u8(0..4) == 0,
            says_positions: rng.bool(),
            errs_on_old: rng.bool(),
            is_silent: false,
            repeats: rng.u8(0..4) == 0,
            is_eager: rng.u8(0..4) == 0,
            history: [0, 2, 5, 20, 1000][rng.usize(0..5)],
            topics: rng.u8(1..7),
            most,
            has_others: most.is_none() && rng.u8(0..3) == 0,
        };
        speech.is_silent = matches!(speech.history, 5 | 1000);
        speech
    }

    /// The template, as JSON text: `json` itself, or one without what this server does not say.
    pub fn template(&self) -> String {
        if self.has_positions {
            return "\"json\"".into();
        }
        let json = include_str!("../../../src/core/subprotocol/json.json");
        let mut template: Value = serde_json::from_str(json).expect("a template");
        for (pointer, names) in [
            ("/receive/message", &["position"][..]),
            ("/receive/answer", &["position", "recovered"]),
            ("/send", &["resume"]),
            ("/send/subscribe", if self.answers { &[] } else { &["id"] }),
        ] {
            let place = template.pointer_mut(pointer).and_then(Value::as_object_mut);
            let place = place.expect("what the template has");
            for name in names {
                place.remove(*name);
            }
        }
        template.to_string()
    }

    /// How a position is spelled.
    pub fn spell(&self, position: u64) -> Value {
        if self.quotes {
            json!(position.to_string())
        } else {
            json!(position)
        }
    }

    /// The position that is spelled so.
    pub fn read(spelled: &Value) -> u64 {
        let quoted = spelled.as_str().and_then(|text| text.parse().ok());
        quoted.or(spelled.as_u64()).expect("a position")
    }
}
