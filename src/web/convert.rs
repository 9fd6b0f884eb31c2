//! `JsValue`s as frames and as the foreign values of the protocol.

use std::borrow::Cow;

use js_sys::{Array, ArrayBuffer, JsString, Object, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::core::Payload;
use crate::protocol::Foreign;

#[wasm_bindgen]
extern "C" {
    type Blob;
    #[wasm_bindgen(method, getter)]
    fn size(this: &Blob) -> f64;
}

/// A frame that stays in JavaScript: text, an `ArrayBuffer`, or a `Blob` to be sent.
#[derive(Clone, PartialEq)]
pub struct Frame {
    value: JsValue,
    size: u32,
}

impl Frame {
    /// The frame in this value, if it is one that a WebSocket carries.
    pub fn new(value: JsValue) -> Option<Self> {
        let size = if let Some(text) = value.dyn_ref::<JsString>() {
            text.length()
        } else if let Some(buffer) = value.dyn_ref::<ArrayBuffer>() {
            buffer.byte_length()
        } else {
            value.dyn_ref::<Blob>()?.size() as u32
        };
        Some(Self { value, size })
    }

    /// The value for JavaScript.
    pub fn value(&self) -> &JsValue {
        &self.value
    }
}

impl Payload for Frame {
    fn size(&self) -> usize {
        self.size as usize
    }

    fn from_text(text: &str) -> Self {
        Self {
            value: JsValue::from_str(text),
            size: text.len() as u32,
        }
    }

    fn head(&self, most: usize) -> Option<Cow<'_, str>> {
        let text = self.value.dyn_ref::<JsString>()?;
        let head = if most < self.size as usize {
            text.slice(0, most as u32).into()
        } else {
            String::from(text)
        };
        Some(Cow::Owned(head))
    }
}

impl Foreign for JsValue {
    type Payload = Frame;

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn flag(&self) -> Option<bool> {
        self.as_bool()
    }

    fn text(&self) -> Option<String> {
        self.as_string()
    }

    fn length(&self) -> Option<u32> {
        Array::is_array(self).then(|| self.unchecked_ref::<Array>().length())
    }

    fn item(&self, index: u32) -> Self {
        Reflect::get_u32(self, index).unwrap_or(Self::UNDEFINED)
    }

    fn field(&self, name: &str) -> Self {
        Reflect::get(self, &Self::from_str(name)).unwrap_or(Self::UNDEFINED)
    }

    fn is_nothing(&self) -> bool {
        self.is_undefined() || self.is_null()
    }

    fn payload(self) -> Option<Frame> {
        Frame::new(self)
    }

    fn array(items: Vec<Self>) -> Self {
        items.into_iter().collect::<Array>().into()
    }

    fn object(fields: Vec<(&'static str, Self)>) -> Self {
        let entries: Array = fields
            .into_iter()
            .map(|(name, value)| Array::of2(&Self::from_str(name), &value))
            .collect();
        Object::from_entries(&entries).map_or(Self::NULL, Into::into)
    }

    fn from_number(number: f64) -> Self {
        Self::from_f64(number)
    }

    fn from_text(text: &str) -> Self {
        Self::from_str(text)
    }

    fn null() -> Self {
        Self::NULL
    }
}
