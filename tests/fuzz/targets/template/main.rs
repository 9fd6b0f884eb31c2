//! Templates from anywhere, the frames that are read by them, and what their forms are filled to.
//!
//! An input is text in blocks behind lines of `---`: a template first, then frames, which are topics, tokens and data as well.
#![no_main]

mod filling;
mod reading;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tabwire::core::subprotocol::Template;

/// The one that a word stands for.
static JSON: LazyLock<Option<Template>> =
    LazyLock::new(|| Template::named("\"json\"").ok().flatten());

fuzz_target!(|input: &str| {
    let mut blocks = input.split("\n---\n");
    let text = blocks.next().unwrap_or_default();
    let own = Template::named(text).ok().flatten();
    let is_judged = filling::is_json(text);
    let json = JSON.as_ref().expect("the built-in template can be read");
    for frame in blocks.take(4).chain([text]) {
        reading::check_json(json, frame);
        for (template, is_judged) in [(Some(json), true), (own.as_ref(), is_judged)] {
            if let Some(template) = template {
                reading::check(template, frame);
                filling::check(template, is_judged, frame);
            }
        }
    }
});
