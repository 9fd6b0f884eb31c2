//! What forms are filled to.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Value;
use tabwire::core::subprotocol::{Filling, Form, Template};

/// A number that stands nowhere by chance.
const ID: u32 = 3_735_928_559;

/// What a form of a template that is JSON is filled to is JSON, and the id in it is read back from an answer.
pub fn check(template: &Template, is_judged: bool, text: &str) {
    let data = if is_json(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(Value::from(text).to_string())
    };
    let topics = [text, "prices.BTC"];
    let positions = [data.clone(), "7".into()];
    let forms = [
        &template.subscribe,
        &template.resume,
        &template.unsubscribe,
        &template.publish,
        &template.request,
        &template.authenticate,
    ];
    for form in forms.into_iter().flatten() {
        for count in [1, 2] {
            let frame = form.fill(&Filling {
                topics: &topics[..count],
                positions: &positions[..count],
                id: ID,
                token: text,
                data: &data,
            });
            assert!(!is_judged || is_json(&frame), "{frame} is no JSON");
        }
        let _ = form.read_id(text);
        if is_judged {
            check_id(form);
        }
    }
}

fn check_id(form: &Form) {
    let filling = Filling {
        topics: &["topic"],
        positions: &["7".into()],
        id: ID,
        token: "token",
        data: "{}",
    };
    let frame = form.fill(&filling);
    if frame.matches(&ID.to_string()).count() != 1 {
        return;
    }
    let Ok(frame) = serde_json::from_str(&frame) else {
        return;
    };
    let answered = find_id(&frame).map(ToString::to_string);
    if let Some(answered) = answered {
        assert_eq!(form.read_id(&answered), Some(ID), "of {answered}");
    }
}

/// The value that an answer names.
fn find_id(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(items) => items.iter().find_map(find_id),
        Value::Object(members) => members.values().find_map(find_id),
        Value::Null | Value::Bool(_) => None,
        Value::Number(_) | Value::String(_) => {
            let has_id = value.to_string().contains(&ID.to_string());
            has_id.then_some(value)
        }
    }
}

/// Whether it is JSON.
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}
