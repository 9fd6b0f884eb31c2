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

    /// Behind this name.
    pub fn under(mut self, name: &str) -> Self {
        let name = name.replace('~', "~0").replace('/', "~1");
        self.at = ["/", &name, &self.at].concat();
        self
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.at)?;
        to.write_str(" ")?;
        to.write_str(self.what)?;
        if !self.word.is_empty() {
            to.write_str(": ")?;
            to.write_str(&self.word)?;
        }
        Ok(())
    }
}
