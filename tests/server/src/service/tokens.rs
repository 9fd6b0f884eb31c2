//! The tokens that the service issues, of which only the newest is valid.

/// The tokens issued so far: `t1`, `t2` and so on.
#[derive(Default)]
pub struct Tokens {
    issued: u64,
    expired: bool,
}

impl Tokens {
    /// Makes a new token, which is the valid one from now on.
    pub fn issue(&mut self) -> String {
        self.issued += 1;
        self.expired = false;
        format!("t{}", self.issued)
    }

    /// Makes the newest token invalid.
    pub fn expire(&mut self) {
        self.expired = true;
    }

    /// How many have been issued.
    pub fn issued(&self) -> u64 {
        self.issued
    }

    /// Whether this is the valid token.
    pub fn admits(&self, token: Option<&str>) -> bool {
        let newest = (self.issued > 0 && !self.expired).then(|| format!("t{}", self.issued));
        newest.is_some() && newest.as_deref() == token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_token_is_valid_until_it_expires() {
        let mut tokens = Tokens::default();
        assert!(!tokens.admits(None) && !tokens.admits(Some("t0")));
        assert_eq!((tokens.issue(), tokens.issue()), ("t1".into(), "t2".into()));
        assert!(tokens.admits(Some("t2")) && !tokens.admits(Some("t1")));
        tokens.expire();
        assert!(!tokens.admits(Some("t2")) && !tokens.admits(None));
        tokens.issue();
        assert!(tokens.admits(Some("t3")));
    }
}
