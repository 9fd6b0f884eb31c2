//! Messages that look like those of a tab: mostly of the right shape, with values that fit or do not.

use arbitrary::{Arbitrary, Result, Unstructured};
use serde::Deserialize;
use tabwire::protocol::op;

use crate::value::{Value, number, wild};

/// What a tab posts.
#[derive(Debug, Deserialize)]
#[serde(from = "serde_json::Value")]
pub struct Message(pub Value);

/// What another hub says.
#[derive(Debug, Deserialize)]
#[serde(from = "serde_json::Value")]
pub struct Greeting(pub Value);

/// What an item of a message is.
#[derive(Clone, Copy, Debug)]
enum Item {
    Small,
    Count,
    Flag,
    Span,
    Text,
    Data,
    Conn,
    Question,
    Hello,
    Attach,
    Frames,
    Subscriptions,
    Position,
    Numbers,
    Answer,
    Name,
    Breaker,
    Snapshot,
}

use Item::{
    Answer, Attach, Breaker, Conn, Count, Data, Flag, Frames, Hello, Name, Numbers, Position,
    Question, Small, Snapshot, Span, Subscriptions, Text,
};

/// The items behind each op.
const SHAPES: &[(u32, &[Item])] = &[
    (op::HELLO, &[Hello]),
    (op::BYE, &[]),
    (op::ATTACH, &[Small, Attach]),
    (op::DETACH, &[Small, Count, Text, Flag]),
    (op::SEND, &[Small, Conn, Count, Frames]),
    (op::ACK, &[Conn, Count]),
    (op::ALIVE, &[]),
    (op::VISIBILITY, &[Flag, Flag]),
    (op::ONLINE, &[Flag]),
    (op::SUSPEND, &[]),
    (op::RESUME, &[]),
    (op::RECONNECT, &[Small]),
    (op::SHUTDOWN, &[Small]),
    (op::REPORT, &[Count]),
    (op::INSPECT, &[Flag]),
    (op::ANSWER, &[Question, Answer]),
    (op::SUBSCRIBE, &[Small, Conn, Subscriptions]),
    (op::UNSUBSCRIBE, &[Small, Conn, Numbers]),
    (op::REQUEST, &[Small, Conn, Small, Data, Span]),
    (op::CANCEL, &[Small, Conn, Small]),
    (op::DONE, &[Small, Conn, Small]),
    (op::GATE, &[Name, Breaker, Snapshot]),
    (
        op::OUTCOME,
        &[Name, Small, Small, Small, Count, Small, Span, Span],
    ),
    (op::ACQUIRE, &[Name, Count, Flag]),
    (op::FORCE, &[Name, Small]),
];

/// The options, with the kinds of values that they have.
const OPTIONS: &[(&str, &[&str])] = &[
    (
        "reconnect",
        &[
            "minDelay",
            "maxDelay",
            "floor",
            "growth",
            "jitter",
            "firstDelayMax",
            "maxAttempts",
            "stableAfter",
            "connectTimeout",
            "fatalCodes",
        ],
    ),
    (
        "heartbeat",
        &[
            "message",
            "pong",
            "interval",
            "jitter",
            "timeout",
            "verifyOnOpen",
        ],
    ),
    ("staleness", &["staleAfter", "checkEvery", "maxAge"]),
    ("recovery", &["failureThreshold", "openFor"]),
    ("auth", &["via", "param", "refreshBefore", "refusedCodes"]),
    (
        "queue",
        &[
            "maxMessages",
            "maxBytes",
            "maxInFlight",
            "ttl",
            "overflow",
            "resend",
        ],
    ),
    ("flow", &["window", "cap", "whenSlow", "hiddenFlush"]),
    ("replay", &["perTopic", "maxAge", "maxBytes"]),
];

const BREAKER: &[&str] = &[
    "failureThreshold",
    "failureRate",
    "minimumCalls",
    "window",
    "slowCallDuration",
    "slowCallRate",
    "resetTimeout",
    "growth",
    "maxResetTimeout",
    "jitter",
    "probes",
    "successThreshold",
    "lease",
    "maxRetryAfter",
    "retryBudget",
];

const STATES: &[&str] = &[
    "closed",
    "open",
    "half-open",
    "forced-open",
    "forced-closed",
];

const WORDS: &[&str] = &[
    "full",
    "none",
    "reject",
    "drop-oldest",
    "drop-newest",
    "never",
    "unknown",
    "queue",
    "latest",
    "query",
    "subprotocol",
    "message",
    "ping",
    "",
];

const TEXTS: &[&str] = &["a", "b", "", "\u{e9}\"\\\n", "wss://server.example/ws?a#b"];

const DATA: &[&str] = &["{\"method\":\"add\"}", "1", "\"a\"", "[", ""];

const SUBPROTOCOLS: &[&str] = &[
    "\"json\"",
    "\"raw\"",
    r#"{"receive":{"message":{"topic":"/0"}},"send":{"subscribe":["{topic}"],"publish":"{data}"}}"#,
    r#"{"receive":{"message":{"topic":"/t"},"answer":{"id":"/i","error":"/e"},"reconnect":{"when":{"/r":"{any}"},"delay":"/r"}},
       "send":{"subscribe":{"t":"{topics}","i":"n-{id}"},"unsubscribe":["{topic}","{id}"],"request":["{id}","{data/a}"],"ping":"p"}}"#,
    "{}",
];

impl From<serde_json::Value> for Message {
    fn from(json: serde_json::Value) -> Self {
        Self(json.into())
    }
}

impl From<serde_json::Value> for Greeting {
    fn from(json: serde_json::Value) -> Self {
        Self(json.into())
    }
}

impl Arbitrary<'_> for Message {
    fn arbitrary(u: &mut Unstructured<'_>) -> Result<Self> {
        if u.ratio(1, 16)? {
            return u.arbitrary().map(Self);
        }
        let (op, shape) = *u.choose(SHAPES)?;
        let mut items = vec![Value::from(op)];
        for kind in shape {
            items.push(item(*kind, u)?);
        }
        Ok(Self(Value::List(items)))
    }
}

impl Arbitrary<'_> for Greeting {
    fn arbitrary(u: &mut Unstructured<'_>) -> Result<Self> {
        const BUILDS: &[&str] = &["0.1.0", "0.2.0-rc.1", "0.2.0", "no version"];
        if u.ratio(1, 16)? {
            return u.arbitrary().map(Self);
        }
        let word = Value::from(*u.choose(&["here", "gone", "who"])?);
        let epoch = Value::from(*u.choose(TEXTS)?);
        if word != Value::from("here") {
            return Ok(Self(Value::List(vec![word, epoch])));
        }
        let protocol = if u.ratio(7, 8)? {
            Value::from(1)
        } else {
            u.arbitrary()?
        };
        Ok(Self(Value::List(vec![
            word,
            protocol,
            Value::from(*u.choose(BUILDS)?),
            epoch,
            if u.arbitrary()? {
                Value::from("lock")
            } else {
                Value::Nothing
            },
            Value::from("https://app.example/worker.js"),
            Value::from("tabwire"),
            Value::Number(number(u)?),
        ])))
    }
}

fn item(kind: Item, u: &mut Unstructured<'_>) -> Result<Value> {
    if u.ratio(1, 24)? {
        return wild(u, 3);
    }
    Ok(match kind {
        Small => Value::from(u.int_in_range(0..=3_u32)?),
        Count if u.arbitrary()? => Value::from(u32::from(u.arbitrary::<u16>()?)),
        Count => Value::Number(number(u)?),
        Flag => Value::from(u32::from(u.arbitrary::<bool>()?)),
        Span => span(u)?,
        Text => Value::from(*u.choose(TEXTS)?),
        Data => Value::from(*u.choose(DATA)?),
        Conn => Value::Conn,
        Question => Value::Question,
        Hello => hello(u)?,
        Attach => attach(u)?,
        Frames => list(u, |u| match u.int_in_range(0..=2)? {
            0 => item(Text, u),
            1 => Ok(Value::Bytes(u.arbitrary()?)),
            _ => Ok(Value::List(vec![item(Text, u)?, item(Data, u)?])),
        })?,
        Subscriptions => list(u, |u| {
            Ok(Value::List(vec![
                item(Small, u)?,
                item(Text, u)?,
                item(Count, u)?,
                item(Position, u)?,
            ]))
        })?,
        Position if u.arbitrary()? => Value::Nothing,
        Position => Value::from(*u.choose(&["7", "8", "\"e-1\"", "null"])?),
        Numbers => list(u, |u| item(Small, u))?,
        Answer => {
            let name = *u.choose(&["url", "token", "error"])?;
            let error = *u.choose(&["failed", "bad-url", "bad-token"])?;
            let text = if name == "error" {
                Value::from(error)
            } else {
                item(Text, u)?
            };
            record([(name, text), ("expiresIn", span(u)?)])
        }
        Name => Value::from(*u.choose(&["api", "api/users", "\u{e9}"])?),
        Breaker => {
            let mut own = Vec::new();
            for _ in 0..u.int_in_range(0..=5)? {
                own.push((*u.choose(BREAKER)?, limit(u)?));
            }
            record([("breaker", record(own))])
        }
        Snapshot if u.ratio(1, 3)? => Value::Nothing,
        Snapshot => Value::List(vec![
            Value::from(*u.choose(STATES)?),
            item(Count, u)?,
            span(u)?,
            span(u)?,
            span(u)?,
            item(Count, u)?,
        ]),
    })
}

fn hello(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(record([
        (
            "protocol",
            if u.ratio(15, 16)? {
                Value::from(1)
            } else {
                item(Count, u)?
            },
        ),
        ("build", item(Text, u)?),
        ("tab", item(Text, u)?),
        ("liveness", Value::from(*u.choose(&["locks", "heartbeat"])?)),
        (
            "lock",
            if u.arbitrary()? {
                Value::Nothing
            } else {
                item(Text, u)?
            },
        ),
        ("visible", item(Flag, u)?),
        ("focused", item(Flag, u)?),
        ("online", item(Flag, u)?),
    ]))
}

fn attach(u: &mut Unstructured<'_>) -> Result<Value> {
    let mut needs = Vec::new();
    for need in ["url", "token"] {
        if u.ratio(1, 4)? {
            needs.push(Value::from(need));
        }
    }
    let mut options = vec![
        (
            "linger",
            if u.arbitrary()? {
                Value::Nothing
            } else {
                span(u)?
            },
        ),
        ("subprotocol", Value::from(*u.choose(SUBPROTOCOLS)?)),
    ];
    for _ in 0..u.int_in_range(0..=3)? {
        let (group, names) = *u.choose(OPTIONS)?;
        let mut own = Vec::new();
        for _ in 0..u.int_in_range(1..=4)? {
            own.push((*u.choose(names)?, option(u)?));
        }
        options.push((group, record(own)));
    }
    Ok(record([
        (
            "url",
            Value::from(*u.choose(&["wss://a.example/", "wss://b.example/"])?),
        ),
        ("protocols", list(u, |u| item(Text, u))?),
        ("key", Value::from(*u.choose(&["", "alice"])?)),
        ("need", Value::List(needs)),
        ("options", record(options)),
    ]))
}

fn option(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=7)? {
        0 => Value::Flag(u.arbitrary()?),
        1 | 2 => Value::from(*u.choose(WORDS)?),
        3 => list(u, |u| item(Count, u))?,
        4 => record([("messages", item(Small, u)?), ("bytes", item(Count, u)?)]),
        5 => record([("add", span(u)?)]),
        _ => span(u)?,
    })
}

/// Mostly one that is soon reached.
fn limit(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=5)? {
        0 => record([("calls", item(Small, u)?)]),
        1 => record([
            ("ratio", span(u)?),
            ("perSecond", span(u)?),
            ("burst", span(u)?),
        ]),
        2 => Value::Number(number(u)?),
        3 => Value::Number(f64::from(u.arbitrary::<u8>()?) / 255.0),
        _ => item(Small, u)?,
    })
}

fn span(u: &mut Unstructured<'_>) -> Result<Value> {
    if u.ratio(1, 3)? {
        number(u).map(Value::Number)
    } else {
        Ok(Value::from(u32::from(u.arbitrary::<u16>()?)))
    }
}

fn list(
    u: &mut Unstructured<'_>,
    mut read: impl FnMut(&mut Unstructured<'_>) -> Result<Value>,
) -> Result<Value> {
    let length = u.int_in_range(0..=5)?;
    let items: Result<_> = (0..length).map(|_| read(u)).collect();
    items.map(Value::List)
}

fn record<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let fields = fields.into_iter();
    Value::Record(fields.map(|(name, value)| (name.into(), value)).collect())
}
