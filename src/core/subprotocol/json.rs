//! JSON text, read no further than is needed.

use std::borrow::Cow;

/// A place in JSON text. It goes over values without building them, and without recursion, so that depth costs nothing.
///
/// It is no validator: what is skipped is only known to end where its brackets and quotes say.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    text: &'a str,
    is_whole: bool,
    at: usize,
}

/// Why a cursor cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The text ends within a value.
    Ended,
    /// This is not JSON.
    Malformed,
}

impl<'a> Cursor<'a> {
    /// At the start of a text, or of the head of one.
    pub fn new(text: &'a str, is_whole: bool) -> Self {
        let at = 0;
        Self { text, is_whole, at }
    }

    /// The next byte that is not white space, which it does not pass.
    pub fn peek(&mut self) -> Result<u8, Stop> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace());
        self.at += space.count();
        self.byte(self.at).ok_or(Stop::Ended)
    }

    /// Passes this byte if it comes next.
    pub fn pass(&mut self, byte: u8) -> Result<bool, Stop> {
        let comes = self.peek()? == byte;
        self.at += usize::from(comes);
        Ok(comes)
    }

    /// Passes a value, and gives its text.
    pub fn value(&mut self) -> Result<&'a str, Stop> {
        let first = self.peek()?;
        let from = self.at;
        match first {
            b'"' => self.skip_string()?,
            b'{' | b'[' => self.skip_container()?,
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.skip_scalar()?,
            _ => return Err(Stop::Malformed),
        }
        self.since(from)
    }

    /// Passes the name of a member and its colon.
    pub fn name(&mut self) -> Result<Cow<'a, str>, Stop> {
        if self.peek()? != b'"' {
            return Err(Stop::Malformed);
        }
        let name = text_of(self.value()?).ok_or(Stop::Malformed)?;
        if self.pass(b':')? {
            Ok(name)
        } else {
            Err(Stop::Malformed)
        }
    }

    /// Whether another item comes in the container that `end` closes: `is_first` if none has come before.
    pub fn has_next(&mut self, end: u8, is_first: bool) -> Result<bool, Stop> {
        if self.pass(end)? {
            return Ok(false);
        }
        if is_first || self.pass(b',')? {
            Ok(true)
        } else {
            Err(Stop::Malformed)
        }
    }

    /// Where it is.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The text from a place to here.
    pub fn since(&self, from: usize) -> Result<&'a str, Stop> {
        self.text.get(from..self.at).ok_or(Stop::Malformed)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn skip_string(&mut self) -> Result<(), Stop> {
        self.at += 1;
        loop {
            match self.byte(self.at).ok_or(Stop::Ended)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok(())
    }

    fn skip_container(&mut self) -> Result<(), Stop> {
        let mut depth = 0_usize;
        loop {
            match self.byte(self.at).ok_or(Stop::Ended)? {
                b'"' => {
                    self.skip_string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn skip_scalar(&mut self) -> Result<(), Stop> {
        let from = self.at;
        let rest = self.text.as_bytes().get(from..).unwrap_or_default();
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        self.at += rest.iter().take_while(is_part).count();
        if self.at == self.text.len() && !self.is_whole {
            return Err(Stop::Ended);
        }
        let scalar = self.since(from)?;
        let is_number = scalar.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        if is_number || ["true", "false", "null"].contains(&scalar) {
            Ok(())
        } else {
            Err(Stop::Malformed)
        }
    }
}

/// The members of an object, in order, with the text of each value.
pub fn members(object: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    let mut cursor = Cursor::new(object, true);
    let mut members = Vec::new();
    if !cursor.pass(b'{').ok()? {
        return None;
    }
    while cursor.has_next(b'}', members.is_empty()).ok()? {
        members.push((cursor.name().ok()?, cursor.value().ok()?));
    }
    Some(members)
}

/// What a string says; nothing for what is no string.
pub fn text_of(value: &str) -> Option<Cow<'_, str>> {
    unescaped(value.strip_prefix('"')?.strip_suffix('"')?)
}

/// What stands in a string, as text.
pub fn unescaped(inner: &str) -> Option<Cow<'_, str>> {
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        text.push(match chars.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => code_point(&mut chars)?,
            other => other,
        });
    }
    Some(Cow::Owned(text))
}

/// Writes a string.
pub fn push_text(text: &str, to: &mut String) {
    to.push('"');
    push_inner(text, to);
    to.push('"');
}

/// Writes what stands in a string.
pub fn push_inner(text: &str, to: &mut String) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    for char in text.chars() {
        match char {
            '"' | '\\' => to.extend(['\\', char]),
            '\0'..='\u{1f}' => {
                let code = char as usize;
                to.push_str("\\u00");
                to.extend(
                    [code / 16, code % 16].map(|digit| HEX.get(digit).copied().unwrap_or('0')),
                );
            }
            _ => to.push(char),
        }
    }
}

/// Four hexadecimal digits, and four more for the other half of a pair. Half a pair is U+FFFD, as in an encoded string.
fn code_point(chars: &mut core::str::Chars<'_>) -> Option<char> {
    let unit = |chars: &mut core::str::Chars<'_>| {
        (0..4).try_fold(0, |code, _| Some(code * 16 + chars.next()?.to_digit(16)?))
    };
    let first = unit(chars)?;
    let mut ahead = chars.clone();
    if (0xd800..0xdc00).contains(&first)
        && (ahead.next(), ahead.next()) == (Some('\\'), Some('u'))
        && let Some(second) = unit(&mut ahead)
        && (0xdc00..0xe000).contains(&second)
    {
        *chars = ahead;
        return char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
    }
    Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
}
