//! Server-sent events, read from the text of a stream as it comes (WHATWG HTML, section 9.2).

use core::time::Duration;

/// An event larger than this ends its stream: nothing is kept without a bound.
const MOST: usize = 16 << 20;

/// Reads a stream piece by piece.
#[derive(Debug, Default)]
pub struct Events {
    /// The line that has begun.
    line: String,
    /// Whether the last character was a carriage return, whose line feed may be yet to come.
    is_after_return: bool,
    has_begun: bool,
    data: String,
    has_data: bool,
    kind: String,
    id: Option<String>,
    retry: Option<Duration>,
}

/// What a stream has said.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// A message, with its id if it has one.
    Message {
        /// Its data.
        data: String,
        /// Its id.
        id: Option<String>,
    },
    /// The id of what came last, without a message.
    Id(String),
    /// The server has no more what came after the id that it was shown (an event `reset`, whatever its data).
    Reset(Option<String>),
    /// How long to wait before the stream is opened again.
    Retry(Duration),
    /// An event is too large.
    TooLarge,
}

impl Events {
    /// Takes a piece of text, and gives what it completes.
    pub fn push(&mut self, text: &str) -> Vec<Said> {
        let mut said = Vec::new();
        let text = if self.has_begun {
            text
        } else {
            text.strip_prefix('\u{feff}').unwrap_or(text)
        };
        self.has_begun |= !text.is_empty();
        let mut rest = text;
        if self.is_after_return && !rest.is_empty() {
            rest = rest.strip_prefix('\n').unwrap_or(rest);
            self.is_after_return = false;
        }
        while let Some(end) = rest.find(['\n', '\r']) {
            let (line, after) = rest.split_at(end);
            self.line.push_str(line);
            rest = match after.strip_prefix("\r\n") {
                Some(rest) => rest,
                None => {
                    self.is_after_return = after == "\r";
                    after.get(1..).unwrap_or_default()
                }
            };
            let line = core::mem::take(&mut self.line);
            self.take_line(&line, &mut said);
        }
        self.line.push_str(rest);
        if self.line.len() + self.data.len() > MOST {
            *self = Self::default();
            said.push(Said::TooLarge);
        }
        said
    }

    fn take_line(&mut self, line: &str, said: &mut Vec<Said>) {
        if line.is_empty() {
            said.extend(self.dispatch());
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(value);
            }
            "event" => self.kind = value.into(),
            "id" if !value.contains('\0') => self.id = Some(value.into()),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().map(Duration::from_millis);
            }
            // A comment, or a field that nobody knows.
            _ => {}
        }
    }

    fn dispatch(&mut self) -> impl Iterator<Item = Said> {
        let (data, kind) = (
            core::mem::take(&mut self.data),
            core::mem::take(&mut self.kind),
        );
        self.has_data = false;
        let id = self.id.take();
        let retry = self.retry.take().map(Said::Retry);
        let event = if kind == "reset" {
            Some(Said::Reset(id))
        } else if data.is_empty() {
            id.map(Said::Id)
        } else {
            Some(Said::Message { data, id })
        };
        retry.into_iter().chain(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(data: &str, id: Option<&str>) -> Said {
        Said::Message {
            data: data.into(),
            id: id.map(Into::into),
        }
    }

    const STREAM: &str = "\u{feff}: hello\nid: 1\ndata: a\ndata: b\n\nretry: 250\ndata:c\r\n\r\nevent: x\rdata:  d\r\rdata\n\nid: 7\n\nevent: reset\nid: 9\ndata:\n\ndata: lost";

    fn expected() -> Vec<Said> {
        vec![
            message("a\nb", Some("1")),
            Said::Retry(Duration::from_millis(250)),
            message("c", None),
            message(" d", None),
            Said::Id("7".into()),
            Said::Reset(Some("9".into())),
        ]
    }

    #[test]
    fn a_stream_says_the_same_however_it_is_cut() {
        assert_eq!(Events::default().push(STREAM), expected());
        for size in 1..8 {
            let mut events = Events::default();
            let chars: Vec<_> = STREAM.chars().collect();
            let pieces = chars.chunks(size).map(String::from_iter);
            let said: Vec<_> = pieces.flat_map(|piece| events.push(&piece)).collect();
            assert_eq!(said, expected(), "in pieces of {size}");
        }
    }

    #[test]
    fn an_event_without_end_is_given_up() {
        let mut events = Events::default();
        assert_eq!(events.push("data: "), []);
        let piece = "x".repeat(1 << 20);
        let said: Vec<_> = (0..17).flat_map(|_| events.push(&piece)).collect();
        assert_eq!(said, [Said::TooLarge]);
    }
}
