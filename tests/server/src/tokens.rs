//! Which tokens the wire takes.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::sync::lock;

/// What is asked of the token of an upgrade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing: there need not be one.
    #[default]
    Off,
    /// That there is one.
    Required,
    /// That it had not been seen when this was ordered.
    RefuseKnown,
}

/// What `tokens` says in the statistics.
#[derive(Clone, Debug, Serialize)]
pub struct TokenStats {
    mode: Mode,
    param: String,
    seen: usize,
}

/// The check in force and the tokens seen so far, under one lock so that no upgrade escapes an order.
pub struct Tokens(Mutex<Inner>);

struct Inner {
    mode: Mode,
    param: String,
    /// The number of each token, in the order in which they were first seen.
    seen: BTreeMap<String, u64>,
    next: u64,
    /// Those with a lower number were known at the last order to refuse.
    known: u64,
}

impl Default for Tokens {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            mode: Mode::Off,
            param: DEFAULT_PARAM.into(),
            seen: BTreeMap::new(),
            next: 0,
            known: 0,
        }))
    }
}

impl Tokens {
    /// Puts a check in force; without `param` tokens have their usual name.
    pub fn apply(&self, mode: Mode, param: Option<String>) {
        let mut inner = lock(&self.0);
        inner.mode = mode;
        inner.param = param.unwrap_or_else(|| DEFAULT_PARAM.into());
        inner.known = inner.next;
    }

    /// What a token is called in an upgrade.
    pub fn param(&self) -> String {
        lock(&self.0).param.clone()
    }

    /// Remembers a token and admits who brought it, unless the check in force refuses it.
    pub fn admit<T>(
        &self,
        token: Option<&str>,
        is_checked: bool,
        admit: impl FnOnce() -> T,
    ) -> Option<T> {
        let mut inner = lock(&self.0);
        let refused = is_checked && inner.refuses(token);
        if let Some(token) = token {
            inner.note(token);
        }
        (!refused).then(admit)
    }

    /// Whether the check in force refuses a token, or the want of one.
    pub fn refuses(&self, token: Option<&str>) -> bool {
        lock(&self.0).refuses(token)
    }

    /// The numbers.
    pub fn stats(&self) -> TokenStats {
        let inner = lock(&self.0);
        TokenStats {
            mode: inner.mode,
            param: inner.param.clone(),
            seen: inner.seen.len(),
        }
    }
}

impl Inner {
    fn refuses(&self, token: Option<&str>) -> bool {
        let Some(token) = token else {
            return self.mode != Mode::Off;
        };
        let is_known = || {
            self.seen
                .get(token)
                .is_some_and(|number| *number < self.known)
        };
        self.mode == Mode::RefuseKnown && is_known()
    }

    fn note(&mut self, token: &str) {
        if self.seen.contains_key(token) {
            return;
        }
        self.seen.insert(token.into(), self.next);
        self.next += 1;
        let oldest = self.next.saturating_sub(MOST_TOKENS);
        if oldest > 0 {
            self.seen.retain(|_, number| *number >= oldest);
        }
    }
}

const DEFAULT_PARAM: &str = "access_token";

/// How many tokens are remembered; the oldest make room.
const MOST_TOKENS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(tokens: &Tokens, token: Option<&str>) -> bool {
        tokens.admit(token, true, || ()).is_some()
    }

    #[test]
    fn a_token_is_known_if_it_was_seen_before_the_order() {
        let tokens = Tokens::default();
        assert!(admits(&tokens, Some("old")));
        tokens.apply(Mode::RefuseKnown, None);
        assert!(!admits(&tokens, Some("old")));
        assert!(!admits(&tokens, None));
        assert!(admits(&tokens, Some("new")));
        assert!(admits(&tokens, Some("new")));
        tokens.apply(Mode::RefuseKnown, None);
        assert!(!admits(&tokens, Some("new")));
        tokens.apply(Mode::Required, None);
        assert!(admits(&tokens, Some("old")));
        assert!(!admits(&tokens, None));
        tokens.apply(Mode::Off, None);
        assert!(admits(&tokens, None));
    }

    #[test]
    fn an_unchecked_token_is_remembered_all_the_same() {
        let tokens = Tokens::default();
        tokens.apply(Mode::Required, None);
        assert!(tokens.admit(None, false, || ()).is_some());
        assert!(tokens.admit(Some("a"), false, || ()).is_some());
        assert_eq!(tokens.stats().seen, 1);
    }

    #[test]
    fn the_oldest_tokens_make_room() {
        let tokens = Tokens::default();
        for n in 0..MOST_TOKENS + 3 {
            admits(&tokens, Some(&n.to_string()));
        }
        assert_eq!(tokens.stats().seen as u64, MOST_TOKENS);
        tokens.apply(Mode::RefuseKnown, None);
        assert!(!tokens.refuses(Some("2")));
        assert!(tokens.refuses(Some("3")));
    }
}
