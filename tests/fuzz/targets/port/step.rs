//! What happens in a session, one thing after the other.

use arbitrary::{Arbitrary, Result, Unstructured};
use serde::Deserialize;

use crate::message::{Greeting, Message};

/// Something that happens. Sockets are counted from the newest.
#[derive(Debug, Arbitrary, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// A tab posts a message.
    Post(u8, Message),
    /// A socket opens.
    Opened(u8, Word),
    /// A frame comes.
    Frame(u8, Word),
    /// A socket is closed.
    Closed(u8, u16, bool),
    /// A socket could not be made.
    Refused(u8),
    /// So many milliseconds pass, with the deadlines on their way.
    Pass(u32),
    /// The tick that was asked for.
    Tick,
    /// The lock of a tab is granted.
    Granted(u8),
    /// The hub can be found by others.
    Start(Option<bool>, bool),
    /// Another hub speaks.
    Peer(Greeting),
    /// The lock of another hub is granted.
    Gone(Word),
}

/// A text, mostly one that means something to a template or a hub.
#[derive(Debug, Deserialize)]
pub struct Word(pub String);

/// Steps of a session. More take time and show little.
const MOST_STEPS: usize = 200;

const WORDS: &[&str] = &[
    r#"{"type":"message","topic":"a","seq":8,"data":1}"#,
    r#"{"type":"message","topic":"b","seq":7,"data":{}}"#,
    r#"{"type":"answer","id":1,"data":true}"#,
    r#"{"type":"answer","id":2,"error":"no"}"#,
    r#"{"type":"answer","id":1,"positions":{"a":7,"b":1},"recovered":{"a":false}}"#,
    r#"{"type":"pong"}"#,
    r#"{"type":"reconnect","delay":10}"#,
    r#"{"t":"a"}"#,
    r#"{"i":"n-1"}"#,
    r#"{"r":18446744073709551615}"#,
    r#"["a"]"#,
    "ping",
    "a",
    "",
];

impl Arbitrary<'_> for Word {
    fn arbitrary(u: &mut Unstructured<'_>) -> Result<Self> {
        if u.ratio(7, 8)? {
            u.choose(WORDS).map(|word| Self((*word).into()))
        } else {
            u.arbitrary().map(Self)
        }
    }
}

/// The steps in an input.
pub fn steps(input: &[u8]) -> Vec<Step> {
    if input.starts_with(b"{\"") {
        let lines = input.split(|byte| *byte == b'\n');
        let steps = lines.filter_map(|line| serde_json::from_slice(line).ok());
        return steps.take(MOST_STEPS).collect();
    }
    let mut u = Unstructured::new(input);
    let mut steps = Vec::new();
    while !u.is_empty() && steps.len() < MOST_STEPS {
        // Half of what happens is what tabs post.
        let step = match u.arbitrary() {
            Ok(true) => u
                .int_in_range(1..=4)
                .and_then(|port| Ok(Step::Post(port, u.arbitrary()?))),
            Ok(false) => u.arbitrary(),
            Err(error) => Err(error),
        };
        match step {
            Ok(step) => steps.push(step),
            Err(_) => break,
        }
    }
    steps
}
