//! The tokens that the server takes.

use std::collections::BTreeSet;

use crate::server::Mode;

/// Takes every token, or only those that it did not know when it became strict.
#[derive(Debug, Default)]
pub struct Tokens {
    seen: BTreeSet<String>,
    refused: BTreeSet<String>,
    /// Whether who is refused is told by a close code, which scripts see, or by a failed handshake, which they do not.
    pub is_frank: bool,
}

impl Tokens {
    /// Refuses the tokens that it knows, or takes all again.
    pub fn refuse_known(&mut self, refuses: bool) {
        self.refused = if refuses {
            self.seen.clone()
        } else {
            BTreeSet::new()
        };
    }

    /// How somebody who comes with this token is refused, if so.
    pub fn check(&mut self, token: String) -> Option<Mode> {
        let is_refused = self.refused.contains(&token);
        self.seen.insert(token);
        is_refused.then_some(if self.is_frank {
            Mode::AcceptThenClose(4401)
        } else {
            Mode::Refuse
        })
    }
}
