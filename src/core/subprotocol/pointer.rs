//! JSON Pointers (RFC 6901).

use super::json::{Cursor, Stop};

/// A way into a JSON text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointer {
    names: Vec<String>,
}

/// Names that a pointer may have. It is walked by recursion.
const MOST_NAMES: usize = 16;

impl Pointer {
    /// Reads a pointer: `""`, or names each behind a `/`, in which `~1` stands for `/` and `~0` for `~`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let names: Vec<_> = text.strip_prefix('/')?.split('/').map(unescape).collect();
        (names.len() <= MOST_NAMES).then_some(Self { names })
    }

    /// How many names it has.
    pub fn depth(&self) -> usize {
        self.names.len()
    }

    /// Whether its way at a level is through this name.
    pub fn goes_through(&self, level: usize, name: &str) -> bool {
        self.names.get(level).is_some_and(|own| own == name)
    }

    /// The value that it points at.
    pub fn find<'a>(&self, text: &'a str) -> Option<&'a str> {
        let mut found = [None];
        let pointers = core::slice::from_ref(self);
        let mut seek = Seek {
            pointers,
            found: &mut found,
            is_enough: &|found| found.iter().all(Option::is_some),
        };
        let _ = seek.walk(&mut Cursor::new(text, true), 0, 1);
        found[0]
    }
}

/// A walk that looks for several values at once and stops when it has enough.
pub struct Seek<'s, 'a> {
    /// At most 64.
    pub pointers: &'s [Pointer],
    /// The value of each pointer. Where a name is given twice the first counts.
    pub found: &'s mut [Option<&'a str>],
    /// Whether what has been found is enough.
    pub is_enough: &'s dyn Fn(&[Option<&'a str>]) -> bool,
}

impl<'a> Seek<'_, 'a> {
    /// Walks a value whose way so far is that of the pointers in `mask`. True once there is enough.
    pub fn walk(&mut self, cursor: &mut Cursor<'a>, level: usize, mask: u64) -> Result<bool, Stop> {
        let first = cursor.peek()?;
        let from = cursor.at();
        let deeper = self.select(mask, |pointer| pointer.depth() > level);
        let ended = match first {
            b'{' if deeper != 0 => self.walk_items(cursor, level, deeper, b'}')?,
            b'[' if deeper != 0 => self.walk_items(cursor, level, deeper, b']')?,
            _ => {
                cursor.value()?;
                false
            }
        };
        if ended {
            return Ok(true);
        }
        let here = self.select(mask, |pointer| pointer.depth() == level);
        if here == 0 {
            return Ok(false);
        }
        let value = cursor.since(from)?;
        for (index, found) in self.found.iter_mut().enumerate() {
            if here & (1 << index) != 0 && found.is_none() {
                *found = Some(value);
            }
        }
        Ok((self.is_enough)(self.found))
    }

    fn walk_items(
        &mut self,
        cursor: &mut Cursor<'a>,
        level: usize,
        mask: u64,
        end: u8,
    ) -> Result<bool, Stop> {
        cursor.pass(if end == b'}' { b'{' } else { b'[' })?;
        let mut index = 0_usize;
        while cursor.has_next(end, index == 0)? {
            let on = if end == b'}' {
                let name = cursor.name()?;
                self.select(mask, |pointer| pointer.goes_through(level, &name))
            } else {
                let name = index.to_string();
                self.select(mask, |pointer| pointer.goes_through(level, &name))
            };
            index += 1;
            if on == 0 {
                cursor.value()?;
            } else if self.walk(cursor, level + 1, on)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn select(&self, mask: u64, is_wanted: impl Fn(&Pointer) -> bool) -> u64 {
        self.pointers
            .iter()
            .enumerate()
            .filter(|(index, pointer)| mask & (1 << index) != 0 && is_wanted(pointer))
            .fold(0, |all, (index, _)| all | 1 << index)
    }
}

fn unescape(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut chars = name.chars().peekable();
    while let Some(char) = chars.next() {
        let escaped = match (char, chars.peek()) {
            ('~', Some('0')) => Some('~'),
            ('~', Some('1')) => Some('/'),
            _ => None,
        };
        if escaped.is_some() {
            chars.next();
        }
        text.push(escaped.unwrap_or(char));
    }
    text
}
