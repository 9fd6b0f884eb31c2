//! What is sent: JSON text with holes.

use std::borrow::Cow;

use super::error::TemplateError;
use super::json::{Cursor, push_inner, push_text, text_of, unescaped};
use super::pointer::Pointer;

/// The form of a frame. It is cut up once, and filled by copying text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    parts: Vec<Part>,
    /// What stands before and after the number in the text that is the id, where it is one.
    around_id: Option<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// JSON text as it stands.
    Text(String),
    /// The place of a whole string: any value.
    Whole(Hole),
    /// A place in a string.
    Inner(Hole),
}

/// What a placeholder stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hole {
    /// `{topic}`: the topic.
    Topic,
    /// `{topics}`: the topics, as an array.
    Topics,
    /// `{id}`: the number that an answer names.
    Id,
    /// `{position}`: the position of the topic.
    Position,
    /// `{positions}`: the positions of the topics, as an object.
    Positions,
    /// `{token}`: the token of the connection.
    Token,
    /// `{data}`: what the user gave; `{data/name}`: a part of that.
    Data(Pointer),
}

/// What a form is filled with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filling<'a> {
    /// The topics; `{topic}` is the first.
    pub topics: &'a [&'a str],
    /// The positions of the topics, as they are spelled; `{position}` is the first.
    pub positions: &'a [Cow<'a, str>],
    /// The number.
    pub id: u32,
    /// The token.
    pub token: &'a str,
    /// What the user gave, as JSON text.
    pub data: &'a str,
}

impl Form {
    /// Cuts up the JSON text of a form, in which only these placeholders have a meaning.
    pub fn parse(json: &str, known: &[&str]) -> Result<Self, TemplateError> {
        let mut form = Self {
            parts: Vec::new(),
            around_id: None,
        };
        let mut text = String::new();
        let mut rest = json;
        while let Some(quote) = rest.find('"') {
            let (Some(before), Some(from)) = (rest.get(..quote), rest.get(quote..)) else {
                break;
            };
            push_bare(before, &mut text);
            let string = Cursor::new(from, true)
                .value()
                .map_err(|_| TemplateError::new("is not JSON"))?;
            rest = from.get(string.len()..).unwrap_or_default();
            let is_name = rest.trim_start().starts_with(':');
            form.push_string(string, is_name, known, &mut text)?;
        }
        push_bare(rest, &mut text);
        form.push_json(&mut text);
        Ok(form)
    }

    /// Whether it has this placeholder.
    pub fn has(&self, hole: &Hole) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Text(_) => false,
            Part::Whole(own) | Part::Inner(own) => own == hole,
        })
    }

    /// The frame.
    pub fn fill(&self, with: &Filling<'_>) -> String {
        let mut frame = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => frame.push_str(text),
                Part::Whole(hole) => push_whole(hole, with, &mut frame),
                Part::Inner(hole) => push_part(hole, with, &mut frame),
            }
        }
        frame
    }

    /// The number in the id of an answer, if it has the form of the id that is sent here.
    pub fn read_id(&self, answered: &str) -> Option<u32> {
        let Some((before, after)) = &self.around_id else {
            return answered.parse().ok();
        };
        let answered = text_of(answered)?;
        let number = answered.strip_prefix(&**before)?.strip_suffix(&**after)?;
        number.parse().ok()
    }

    fn push_string(
        &mut self,
        string: &str,
        is_name: bool,
        known: &[&str],
        text: &mut String,
    ) -> Result<(), TemplateError> {
        let inner = string
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        let inner = inner.unwrap_or_default();
        let is_whole =
            !is_name && inner.starts_with('{') && inner.find('}') == Some(inner.len() - 1);
        let mut rest = inner;
        let (mut holes, mut has_id) = (0, false);
        if !is_whole {
            text.push('"');
        }
        while let Some((before, from)) = rest.split_once('{') {
            let Some((name, after)) = from.split_once('}') else {
                break;
            };
            text.push_str(before);
            self.push_json(text);
            let hole = Hole::parse(name, known)
                .filter(|hole| is_whole || ![Hole::Topics, Hole::Positions].contains(hole))
                .ok_or_else(|| TemplateError::new("has an unknown placeholder").about(name))?;
            holes += 1;
            has_id |= hole == Hole::Id;
            self.parts.push(if is_whole {
                Part::Whole(hole)
            } else {
                Part::Inner(hole)
            });
            rest = after;
        }
        text.push_str(rest);
        if !is_whole {
            text.push('"');
        }
        if has_id && holes > 1 {
            // In an answer it could not be told from what stands beside it.
            return Err(TemplateError::new("has another placeholder beside {id}").about(string));
        }
        if has_id && !is_name {
            let (before, rest) = inner.split_once('{').unwrap_or_default();
            let (_, after) = rest.split_once('}').unwrap_or_default();
            let around = unescaped(before).zip(unescaped(after));
            let around = around.filter(|_| !is_whole);
            self.around_id = around.map(|(before, after)| (before.into(), after.into()));
        }
        Ok(())
    }

    fn push_json(&mut self, text: &mut String) {
        if !text.is_empty() {
            self.parts.push(Part::Text(core::mem::take(text)));
        }
    }
}

impl Hole {
    fn parse(name: &str, known: &[&str]) -> Option<Self> {
        let word = name.split('/').next()?;
        let way = name.get(word.len()..)?;
        if !known.contains(&word) || (!way.is_empty() && word != "data") {
            return None;
        }
        match word {
            "topic" => Some(Self::Topic),
            "topics" => Some(Self::Topics),
            "id" => Some(Self::Id),
            "position" => Some(Self::Position),
            "positions" => Some(Self::Positions),
            "token" => Some(Self::Token),
            "data" => Pointer::parse(way).map(Self::Data),
            _ => None,
        }
    }
}

fn push_whole(hole: &Hole, with: &Filling<'_>, frame: &mut String) {
    match hole {
        Hole::Topic => push_text(with.topics.first().unwrap_or(&""), frame),
        Hole::Topics => {
            for (index, topic) in with.topics.iter().enumerate() {
                frame.push(if index == 0 { '[' } else { ',' });
                push_text(topic, frame);
            }
            frame.push(']');
        }
        Hole::Position => frame.push_str(position(with)),
        Hole::Positions => {
            frame.push('{');
            for (index, (topic, position)) in with.topics.iter().zip(with.positions).enumerate() {
                if index > 0 {
                    frame.push(',');
                }
                push_text(topic, frame);
                frame.push(':');
                frame.push_str(position);
            }
            frame.push('}');
        }
        Hole::Id => frame.push_str(&with.id.to_string()),
        Hole::Token => push_text(with.token, frame),
        Hole::Data(way) => frame.push_str(way.find(with.data).unwrap_or("null")),
    }
}

fn push_part(hole: &Hole, with: &Filling<'_>, frame: &mut String) {
    match hole {
        Hole::Topic => push_inner(with.topics.first().unwrap_or(&""), frame),
        Hole::Topics | Hole::Positions => {}
        Hole::Position => push_inner(
            &text_of(position(with)).unwrap_or(position(with).into()),
            frame,
        ),
        Hole::Id => frame.push_str(&with.id.to_string()),
        Hole::Token => push_inner(with.token, frame),
        Hole::Data(way) => {
            let value = way.find(with.data).unwrap_or_default();
            push_inner(&text_of(value).unwrap_or(value.into()), frame);
        }
    }
}

fn position<'a>(with: &Filling<'a>) -> &'a str {
    with.positions.first().map_or("null", |position| position)
}

/// Adds what stands outside of strings, without white space.
fn push_bare(json: &str, to: &mut String) {
    to.extend(json.chars().filter(|char| !char.is_ascii_whitespace()));
}
