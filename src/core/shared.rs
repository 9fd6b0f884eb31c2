//! What many connections have alike, kept once.

use std::rc::Rc;

use super::subprotocol::{Template, TemplateError, text_of};
use crate::protocol::{ConnectionConfig, FlowConfig, QueueConfig};

/// So many different values of a kind are remembered. What comes beyond is kept by each connection alone.
const MOST: usize = 8;

/// What those connections share that were given the same options.
#[derive(Debug, Default)]
pub struct Shared {
    /// How connections are kept up.
    pub configs: Alike<ConnectionConfig>,
    /// How much is posted to tabs.
    pub flows: Alike<FlowConfig>,
    /// What handles may have waiting.
    pub queues: Alike<QueueConfig>,
    subprotocols: Alike<Subprotocol>,
    /// The names of those that are code.
    pub code: Vec<String>,
}

/// How the server of a connection speaks.
#[derive(Debug, PartialEq)]
pub struct Subprotocol {
    /// The option, as JSON text.
    pub text: String,
    /// What it means. Nothing where the server speaks of no topics.
    pub template: Option<Rc<Template>>,
}

impl Shared {
    /// The subprotocol of a text, read at most once while a connection has it.
    pub fn subprotocol(&mut self, text: &str) -> Result<Rc<Subprotocol>, TemplateError> {
        if let Some(known) = self.subprotocols.find(|known| known.text == text) {
            return Ok(known);
        }
        let template = self.template(text)?.map(Rc::new);
        let text = text.into();
        Ok(self.subprotocols.keep(Subprotocol { text, template }))
    }

    fn template(&self, text: &str) -> Result<Option<Template>, TemplateError> {
        let name = text_of(text);
        match name.filter(|name| self.code.iter().any(|known| known == name)) {
            Some(name) => Template::of_code(&name).map(Some),
            None => Template::named(text),
        }
    }
}

/// Different values of a kind that are in use.
#[derive(Debug)]
pub struct Alike<T>(Vec<Rc<T>>);

impl<T: PartialEq> Alike<T> {
    /// The same value as others have it, or for others to have it.
    pub fn share(&mut self, value: T) -> Rc<T> {
        let known = self.find(|known| *known == value);
        known.unwrap_or_else(|| self.keep(value))
    }

    fn find(&self, is_meant: impl Fn(&T) -> bool) -> Option<Rc<T>> {
        self.0.iter().find(|known| is_meant(known)).cloned()
    }

    fn keep(&mut self, value: T) -> Rc<T> {
        let value = Rc::new(value);
        let mut places = self.0.iter_mut();
        // What nobody has any more makes room.
        if let Some(place) = places.find(|known| Rc::strong_count(known) == 1) {
            *place = Rc::clone(&value);
        } else if self.0.len() < MOST {
            self.0.push(Rc::clone(&value));
        }
        value
    }
}

impl<T> Default for Alike<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one() {
        let mut alike = Alike::default();
        let (one, other) = (alike.share("a".to_owned()), alike.share("b".to_owned()));
        assert!(Rc::ptr_eq(&one, &alike.share("a".to_owned())));
        assert!(Rc::ptr_eq(&other, &alike.share("b".to_owned())));
    }

    #[test]
    fn what_nobody_has_any_more_makes_room() {
        let mut alike = Alike::default();
        let kept = alike.share(0);
        for value in 1..1000 {
            alike.share(value);
            assert!(alike.0.len() <= 2, "{}", alike.0.len());
        }
        assert!(Rc::ptr_eq(&kept, &alike.share(0)));
    }

    #[test]
    fn so_many_are_remembered_and_the_others_work_all_the_same() {
        let mut alike = Alike::default();
        let all: Vec<_> = (0..100).map(|value| alike.share(value)).collect();
        assert_eq!(alike.0.len(), MOST);
        assert_eq!(*alike.share(99), 99);
        assert!(Rc::ptr_eq(&all[0], &alike.share(0)));
    }
}
