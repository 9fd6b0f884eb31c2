//! Values from outside: a `JsValue` in the browser, JSON in the native tests.

/// A structured-clone value, as far as the protocol needs it.
pub trait Foreign: Sized {
    /// What a payload is on this side of the border.
    type Payload;

    /// The value as a number.
    fn number(&self) -> Option<f64>;
    /// The value as a boolean.
    fn flag(&self) -> Option<bool>;
    /// The value as text.
    fn text(&self) -> Option<String>;
    /// The length of the value, if it is an array.
    fn length(&self) -> Option<u32>;
    /// An item of an array; a missing one is null.
    fn item(&self, index: u32) -> Self;
    /// A field of an object; a missing one is null.
    fn field(&self, name: &str) -> Self;
    /// Whether the value is null or undefined.
    fn is_nothing(&self) -> bool;
    /// The value as a frame that a WebSocket can send.
    fn payload(self) -> Option<Self::Payload>;

    /// An array of these items.
    fn array(items: Vec<Self>) -> Self;
    /// An object of these fields.
    fn object(fields: Vec<(&'static str, Self)>) -> Self;
    /// A number.
    fn from_number(number: f64) -> Self;
    /// A text.
    fn from_text(text: &str) -> Self;
    /// Nothing.
    fn null() -> Self;
}
