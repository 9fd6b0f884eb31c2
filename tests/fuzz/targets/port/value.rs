//! Values from outside, as a browser clones them.

use std::borrow::Cow;

use arbitrary::{Arbitrary, Result, Unstructured};
use tabwire::core::Payload;
use tabwire::protocol::Foreign;

/// A structured-clone value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Nothing,
    Flag(bool),
    Number(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Self>),
    /// An array of which nothing but the length has been set.
    Holes(u32),
    Record(Vec<(String, Self)>),
    /// In a session that is being made: the connection that the tab was told of last.
    Conn,
    /// The question that the tab was asked last.
    Question,
}

/// A frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame(pub Vec<u8>);

impl Payload for Frame {
    fn size(&self) -> usize {
        self.0.len()
    }

    fn from_text(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }

    fn head(&self, most: usize) -> Option<Cow<'_, str>> {
        let head = self.0.get(..most).unwrap_or(&self.0);
        Some(String::from_utf8_lossy(head))
    }
}

impl Value {
    /// The message with what its tab has been told in place of the words for it.
    pub fn told(self, conn: u32, question: u32) -> Self {
        let tell = |item| match item {
            Self::Conn => Self::from(conn),
            Self::Question => Self::from(question),
            other => other,
        };
        match self {
            Self::List(items) => Self::List(items.into_iter().map(tell).collect()),
            other => other,
        }
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(f64::from(number))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// `"$conn"` and `"$question"` are the words for what a tab is told.
impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Nothing,
            Json::Bool(flag) => Self::Flag(flag),
            Json::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Json::String(word) if word == "$conn" => Self::Conn,
            Json::String(word) if word == "$question" => Self::Question,
            Json::String(text) => Self::Text(text),
            Json::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Json::Object(fields) => {
                let fields = fields.into_iter();
                Self::Record(fields.map(|(name, json)| (name, json.into())).collect())
            }
        }
    }
}

impl Arbitrary<'_> for Value {
    fn arbitrary(u: &mut Unstructured<'_>) -> Result<Self> {
        wild(u, 4)
    }
}

/// Any value, so many levels deep.
pub fn wild(u: &mut Unstructured<'_>, depth: u32) -> Result<Value> {
    Ok(match u.int_in_range(0..=if depth == 0 { 6 } else { 8 })? {
        0 => Value::Nothing,
        1 => Value::Flag(u.arbitrary()?),
        2 => Value::from(u32::from(u.arbitrary::<u8>()?)),
        3 => Value::Number(number(u)?),
        4 => Value::Text(u.arbitrary()?),
        5 => Value::Bytes(u.arbitrary()?),
        6 => Value::Holes(u.arbitrary()?),
        7 => Value::List(
            (0..u.int_in_range(0..=6)?)
                .map(|_| wild(u, depth - 1))
                .collect::<Result<_>>()?,
        ),
        _ => Value::Record(
            (0..u.int_in_range(0..=6)?)
                .map(|_| Ok((u.arbitrary()?, wild(u, depth - 1)?)))
                .collect::<Result<_>>()?,
        ),
    })
}

/// Any number, those at the edges more often.
pub fn number(u: &mut Unstructured<'_>) -> Result<f64> {
    const EDGES: &[f64] = &[
        0.0,
        -0.0,
        0.5,
        1e-9,
        -1.0,
        1.0,
        65_536.0,
        4_294_967_295.0,
        4_294_967_296.0,
        9_007_199_254_740_991.0,
        9_007_199_254_740_992.0,
        f64::MAX,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    if u.ratio(1, 2)? {
        u.choose(EDGES).copied()
    } else {
        u.arbitrary()
    }
}

impl Foreign for Value {
    type Payload = Frame;

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn length(&self) -> Option<u32> {
        match self {
            Self::List(items) => Some(items.len() as u32),
            Self::Holes(length) => Some(*length),
            _ => None,
        }
    }

    fn item(&self, index: u32) -> Self {
        match self {
            Self::List(items) => items.get(index as usize).cloned().unwrap_or(Self::Nothing),
            _ => Self::Nothing,
        }
    }

    fn field(&self, name: &str) -> Self {
        match self {
            Self::Record(fields) => {
                let own = fields.iter().find(|(own, _)| own == name);
                own.map_or(Self::Nothing, |(_, value)| value.clone())
            }
            _ => Self::Nothing,
        }
    }

    fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }

    fn payload(self) -> Option<Frame> {
        match self {
            Self::Text(text) => Some(Frame(text.into_bytes())),
            Self::Bytes(bytes) => Some(Frame(bytes)),
            _ => None,
        }
    }

    fn array(items: Vec<Self>) -> Self {
        Self::List(items)
    }

    fn object(fields: Vec<(&'static str, Self)>) -> Self {
        let fields = fields.into_iter();
        Self::Record(fields.map(|(name, value)| (name.into(), value)).collect())
    }

    fn from_number(number: f64) -> Self {
        Self::Number(number)
    }

    fn from_text(text: &str) -> Self {
        Self::from(text)
    }

    fn null() -> Self {
        Self::Nothing
    }
}
