//! How servers speak of topics: templates, and what is read and sent by them.

mod error;
mod form;
mod json;
mod pointer;
mod rule;
mod template;

pub use error::TemplateError;
pub use form::{Filling, Form, Hole};
pub(super) use json::push_text;
pub use json::text_of;
pub use pointer::Pointer;
pub use rule::{Answered, Reading, is_something, part_of};
pub use template::Template;
