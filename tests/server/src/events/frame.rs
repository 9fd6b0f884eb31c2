//! Writes events as `text/event-stream` has them.

use std::fmt::Write;

/// Adds an event; each line of its text is a line of data.
pub fn event(out: &mut String, id: u64, text: &str) {
    // A string takes all that is written.
    let _ = writeln!(out, "id: {id}");
    let text = text.replace("\r\n", "\n");
    for line in text.split(['\n', '\r']) {
        let _ = writeln!(out, "data: {line}");
    }
    out.push('\n');
}

/// Adds an event that says that some before it are missing; it carries an empty line of data, since `EventSource` keeps
/// events without any to itself.
pub fn reset(out: &mut String, id: u64) {
    let _ = write!(out, "id: {id}\nevent: reset\ndata:\n\n");
}

/// Adds a number alone, which is nobody's event, but what a client names when it comes back.
pub fn position(out: &mut String, id: u64) {
    let _ = write!(out, "id: {id}\n\n");
}

/// Adds the time until a client is to come back.
pub fn retry(out: &mut String, millis: u64) {
    let _ = write!(out, "retry: {millis}\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_end_begins_a_line_of_data() {
        for (text, data) in [
            ("a", "data: a\n"),
            ("", "data: \n"),
            ("a\nb", "data: a\ndata: b\n"),
            ("a\r\nb\rc\n", "data: a\ndata: b\ndata: c\ndata: \n"),
            ("\n\r", "data: \ndata: \ndata: \n"),
        ] {
            let mut out = String::new();
            event(&mut out, 7, text);
            assert_eq!(out, format!("id: 7\n{data}\n"), "{text:?}");
        }
    }
}
