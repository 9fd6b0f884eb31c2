//! Where in a topic a message stands.

use core::cmp::Ordering;
use std::borrow::Cow;
use std::rc::Rc;

/// A position, as the server spells it in JSON.
///
/// Positions of a topic grow: whole numbers by value, and texts part by part between their punctuation, in which a longer part is
/// greater than a shorter one and those of one length are compared character by character. That orders counters, the ids of Redis
/// streams (`1526919030474-55`), ULIDs, and times of one format.
#[derive(Clone, Debug)]
pub enum Position {
    /// A whole number, spelled as such or in quotes. It costs no memory of its own.
    Number {
        /// The number.
        value: u64,
        /// Whether it stands in quotes.
        is_quoted: bool,
    },
    /// Any other text, as it is spelled.
    Text(Rc<str>),
}

impl Position {
    /// The position in a JSON value; nothing where that is no number and no text.
    pub fn parse(spelled: &str) -> Option<Self> {
        let text = inner(spelled);
        let is_plain = !text.starts_with('0') || text == "0";
        if is_plain
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(value) = text.parse()
        {
            let is_quoted = spelled.starts_with('"');
            return Some(Self::Number { value, is_quoted });
        }
        let first = spelled.bytes().next()?;
        let is_text = first == b'"' && !text.is_empty();
        (is_text || first.is_ascii_digit()).then(|| Self::Text(spelled.into()))
    }

    /// How the server spells it.
    pub fn spelled(&self) -> Cow<'_, str> {
        match self {
            Self::Number { value, is_quoted } => {
                let mut spelled = value.to_string();
                if *is_quoted {
                    spelled.insert(0, '"');
                    spelled.push('"');
                }
                spelled.into()
            }
            Self::Text(spelled) => Cow::Borrowed(spelled),
        }
    }
}

impl Ord for Position {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Self::Number { value, .. }, Self::Number { value: other, .. }) = (self, other) {
            return value.cmp(other);
        }
        let (one, other) = (self.spelled(), other.spelled());
        let (mut one, mut other) = (parts(inner(&one)), parts(inner(&other)));
        loop {
            let ordering = match (one.next(), other.next()) {
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (Some(one), Some(other)) => {
                    let by_length = one.len().cmp(&other.len());
                    by_length.then_with(|| one.as_bytes().cmp(other.as_bytes()))
                }
            };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
    }
}

impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Position {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Position {}

/// What stands between punctuation, numbers without the zeros in front.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| char.is_ascii_punctuation())
        .map(|part| {
            let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
            if is_number {
                part.trim_start_matches('0')
            } else {
                part
            }
        })
}

fn inner(spelled: &str) -> &str {
    let quoted = spelled.strip_prefix('"');
    quoted
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(spelled: &str) -> Position {
        Position::parse(spelled).unwrap()
    }

    #[test]
    fn positions_grow_as_servers_count() {
        for (less, more) in [
            ("9", "10"),
            ("\"9\"", "10"),
            ("\"1526919030474-9\"", "\"1526919030474-10\""),
            ("\"999-10\"", "\"1000-9\""),
            (
                "\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"",
                "\"01ARZ3NDEKTSV4RRFFQ69G5FB0\"",
            ),
            ("\"2026-11-30T18:59:59Z\"", "\"2026-11-30T19:00:00Z\""),
            ("18446744073709551615", "18446744073709551616"),
            ("\"a-1\"", "\"a-1-0\""),
        ] {
            assert!(at(less) < at(more), "{less} {more}");
        }
        assert_eq!(at("7"), at("\"7\""));
        assert_eq!(at("\"007\""), at("7"));
    }

    #[test]
    fn a_position_is_told_as_it_came() {
        for spelled in [
            "0",
            "12",
            "\"12\"",
            "\"1-2\"",
            "1.5",
            "18446744073709551616",
        ] {
            assert_eq!(at(spelled).spelled(), spelled);
        }
    }

    #[test]
    fn what_is_no_number_and_no_text_is_no_position() {
        for spelled in ["null", "true", "\"\"", "{}", "[1]", "", "-1"] {
            assert!(Position::parse(spelled).is_none(), "{spelled}");
        }
    }
}
