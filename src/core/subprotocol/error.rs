//! What is wrong with a template.

use core::fmt;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Where in the template, as a JSON Pointer.
    pub at: String,
    /// What is wrong there.
    pub what: &'static str,
    /// The word that is wrong, if it is one.
    pub word: String,
}

impl TemplateError {
    /// Something is wrong.
    pub fn new(what: &'static str) -> Self {
        let (at, word) = (String::new(), String::new());
        Self { at, what, word }
    }

    /// With this word.
    pub fn about(mut self, word: &str) -> Self {
        self.word = word.into();
        self
    }

    /// All of it in one line.
    pub fn text(&self) -> String {
        let colon = if self.word.is_empty() { "" } else { ": " };
        [&self.at, " ", self.what, colon, &self.word].concat()
    }

    /// Behind this name.
    pub fn under(mut self, name: &str) -> Self {
        let mut at = String::from("/");
        for char in name.chars() {
            match char {
                '~' => at.push_str("~0"),
                '/' => at.push_str("~1"),
                _ => at.push(char),
            }
        }
        at.push_str(&self.at);
        self.at = at;
        self
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.text())
    }
}
