//! JSON as the foreign values of the protocol, so that fixtures are read natively.

use std::borrow::Cow;

use serde_json::{Map, Value};
use tabwire::core::Payload;
use tabwire::protocol::Foreign;

/// A JSON value from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Json(pub Value);

/// A frame: text, or bytes written as `{"bytes": […]}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Bytes(pub Vec<u8>);

impl Payload for Bytes {
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

impl Foreign for Json {
    type Payload = Bytes;

    fn number(&self) -> Option<f64> {
        self.0.as_f64()
    }

    fn flag(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn text(&self) -> Option<String> {
        self.0.as_str().map(str::to_owned)
    }

    fn length(&self) -> Option<u32> {
        self.0.as_array().map(|items| items.len() as u32)
    }

    fn item(&self, index: u32) -> Self {
        Self(self.0.get(index as usize).cloned().unwrap_or_default())
    }

    fn field(&self, name: &str) -> Self {
        Self(self.0.get(name).cloned().unwrap_or_default())
    }

    fn is_nothing(&self) -> bool {
        self.0.is_null()
    }

    fn payload(self) -> Option<Bytes> {
        if let Value::String(text) = &self.0 {
            return Some(Bytes::from_text(text));
        }
        let bytes = self.0.get("bytes")?.as_array()?.iter();
        bytes
            .map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()))
            .collect::<Option<Vec<_>>>()
            .map(Bytes)
    }

    fn array(items: Vec<Self>) -> Self {
        Self(Value::Array(items.into_iter().map(|item| item.0).collect()))
    }

    fn object(fields: Vec<(&'static str, Self)>) -> Self {
        let fields = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.0));
        Self(Value::Object(fields.collect::<Map<_, _>>()))
    }

    fn from_number(number: f64) -> Self {
        if number.fract() == 0.0 && number.abs() < 9e15 {
            Self(Value::from(number as i64))
        } else {
            Self(Value::from(number))
        }
    }

    fn from_text(text: &str) -> Self {
        Self(Value::from(text))
    }

    fn null() -> Self {
        Self(Value::Null)
    }
}
