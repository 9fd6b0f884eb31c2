//! What a connection needs of its tabs before it can connect: the url of the attempt, and a token.

use core::time::Duration;

use super::io::PortId;
use crate::protocol::{AuthConfig, HandleId, Need, Reason, Via};
use crate::time::Time;

/// How long a tab that was asked has to answer.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// When there is nobody who can be asked, that is looked at again after this at the earliest: a tab that comes is asked at once.
pub const ASK_AGAIN: Duration = Duration::from_secs(1);
/// A token that could not be refreshed is tried again after this.
pub const REFRESH_AGAIN: Duration = Duration::from_secs(10);
/// So many handshakes that fail with one token mean that it is refused: their status is hidden from scripts.
const FAILED_HANDSHAKES: u32 = 2;

/// A token, and who is asked for the next.
#[derive(Debug, Default)]
pub struct Access {
    token: Option<Box<Token>>,
    handshakes: u32,
    refusals: u32,
    /// Who is asked at present.
    pub asking: Option<Box<Asking>>,
}

/// A token.
#[derive(Clone, Debug)]
pub struct Token {
    value: String,
    got_at: Time,
    expires_at: Time,
}

/// A question that is under way. A tab that is asked in vain is not asked again for the same attempt.
#[derive(Debug)]
pub struct Asking {
    /// What is needed.
    pub need: Need,
    /// Why there is an attempt.
    pub reason: Reason,
    /// Whether it is for the socket that is to take over.
    pub is_planned: bool,
    /// The number of the question.
    pub id: u32,
    /// The handle whose tab is asked.
    pub of: (PortId, HandleId),
    /// The tabs that have been asked in vain.
    pub in_vain: Vec<PortId>,
    /// The url, if it has been given.
    pub url: Option<String>,
}

impl Asking {
    /// A question that nobody has been asked yet.
    pub fn new(need: Need, reason: Reason, is_planned: bool, url: Option<String>) -> Self {
        Self {
            need,
            reason,
            is_planned,
            id: 0,
            of: (PortId(0), HandleId(0)),
            in_vain: Vec::new(),
            url,
        }
    }

    /// Whether this is the question with that number, put to that tab.
    pub fn is_answered_by(&self, port: PortId, id: u32) -> bool {
        (self.of.0, self.id) == (port, id)
    }
}

impl Access {
    /// Whether the token is there and good for an attempt.
    pub fn is_fresh(&self, config: &AuthConfig, now: Time) -> bool {
        self.token
            .as_ref()
            .is_some_and(|token| now < token.refresh_at(config).min(token.expires_at))
    }

    /// Whether this is the token.
    pub fn has_token(&self, value: &str) -> bool {
        let token = self.token.as_ref();
        token.is_some_and(|token| token.value == value)
    }

    /// The token; empty where there is none.
    pub fn token(&self) -> &str {
        self.token.as_ref().map_or("", |token| &token.value)
    }

    /// Whether the token has not expired.
    pub fn is_valid(&self, now: Time) -> bool {
        let token = self.token.as_ref();
        token.is_some_and(|token| now < token.expires_at)
    }

    /// When the token is to be replaced.
    pub fn refresh_at(&self, config: &AuthConfig) -> Time {
        self.token
            .as_ref()
            .map_or(Time::NEVER, |token| token.refresh_at(config))
    }

    /// Keeps a token that is good for so long.
    pub fn set_token(&mut self, value: String, lasts: Option<Duration>, now: Time) {
        self.token = Some(Box::new(Token {
            value,
            got_at: now,
            expires_at: lasts.map_or(Time::NEVER, |lasts| now + lasts),
        }));
        self.handshakes = 0;
    }

    /// The token, for another socket.
    pub fn loan(&self) -> Option<Box<Token>> {
        self.token.clone()
    }

    /// Takes the token of another socket.
    pub fn take_loan(&mut self, token: Box<Token>) {
        self.token = Some(token);
    }

    /// The server has refused the token. Returns whether it is the first time in a row.
    pub fn handle_refused(&mut self) -> bool {
        self.token = None;
        self.refusals += 1;
        self.refusals == 1
    }

    /// A handshake has failed, perhaps because of the token.
    pub fn handle_failed_handshake(&mut self) {
        self.handshakes += 1;
        if self.handshakes >= FAILED_HANDSHAKES {
            self.token = None;
        }
    }

    /// A handshake has succeeded.
    pub fn handle_opened(&mut self) {
        self.handshakes = 0;
    }

    /// A connection with this token is stable.
    pub fn handle_stable(&mut self) {
        self.refusals = 0;
    }

    /// The monotonic clock stood still for so long while the token aged.
    pub fn handle_slept(&mut self, span: Duration) {
        if let Some(token) = &mut self.token
            && token.expires_at != Time::NEVER
        {
            token.got_at = token.got_at - span;
            token.expires_at = token.expires_at - span;
        }
    }

    /// The header that shows the token where it is not in the query.
    pub fn header(&self, config: &AuthConfig) -> Option<String> {
        let token = self.token.as_ref()?;
        (config.via != Via::Query).then(|| format!("Bearer {}", token.value))
    }

    /// Adds the token to what an attempt is made with.
    pub fn apply(&self, config: &AuthConfig, url: &mut String, protocols: &mut Vec<String>) {
        let Some(token) = &self.token else {
            return;
        };
        match config.via {
            Via::Query => {
                url.push(if url.contains('?') { '&' } else { '?' });
                push_encoded(url, &config.param);
                url.push('=');
                push_encoded(url, &token.value);
            }
            Via::Subprotocol => protocols.extend([config.param.clone(), token.value.clone()]),
            // It is the first frame.
            Via::Message => {}
        }
    }
}

impl Token {
    /// `refreshBefore` before it expires, but not before half of its time is over and 10 s have passed: a short-lived token is not
    /// asked for without end.
    fn refresh_at(&self, config: &AuthConfig) -> Time {
        if self.expires_at == Time::NEVER {
            return Time::NEVER;
        }
        let half = self.got_at + self.expires_at.since(self.got_at) / 2;
        let due = half.max(self.expires_at - config.refresh_before.get());
        due.max(self.got_at + REFRESH_AGAIN)
    }
}

/// Whether a token can be offered as a subprotocol: a `token` of RFC 9110 §5.6.2.
pub fn is_subprotocol(token: &str) -> bool {
    !token.is_empty()
        && token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Percent-encodes all but the unreserved characters of RFC 3986 §2.3.
fn push_encoded(to: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            to.push(char::from(byte));
        } else {
            to.push('%');
            for digit in [byte >> 4, byte & 15] {
                to.push(
                    char::from_digit(u32::from(digit), 16).map_or('0', |c| c.to_ascii_uppercase()),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Millis;

    fn access(lasts: u64) -> Access {
        let mut access = Access::default();
        access.set_token("a b/ü".into(), Some(Duration::from_secs(lasts)), Time::ZERO);
        access
    }

    #[test]
    fn a_token_is_refreshed_before_it_expires_and_a_short_one_at_half_time() {
        let config = AuthConfig::default();
        assert_eq!(access(600).refresh_at(&config), Time::from_millis(540_000));
        assert_eq!(access(40).refresh_at(&config), Time::from_millis(20_000));
        let mut endless = Access::default();
        endless.set_token("t".into(), None, Time::ZERO);
        assert_eq!(endless.refresh_at(&config), Time::NEVER);
    }

    #[test]
    fn a_token_ages_while_the_clock_stands_still() {
        let config = AuthConfig {
            refresh_before: Millis::from_millis(0),
            ..AuthConfig::default()
        };
        let mut access = access(600);
        let later = Time::from_millis(1000);
        assert!(access.is_fresh(&config, later));
        access.handle_slept(Duration::from_secs(600));
        assert!(!access.is_fresh(&config, later));
    }

    #[test]
    fn the_token_goes_encoded_into_the_query() {
        let mut url = "wss://server/ws?a=b".to_owned();
        let mut protocols = vec![];
        access(600).apply(&AuthConfig::default(), &mut url, &mut protocols);
        assert_eq!(url, "wss://server/ws?a=b&access_token=a%20b%2F%C3%BC");
        assert!(protocols.is_empty());
    }

    #[test]
    fn the_second_failed_handshake_drops_the_token() {
        let config = AuthConfig::default();
        let mut access = access(600);
        access.handle_failed_handshake();
        assert!(access.is_fresh(&config, Time::ZERO));
        access.handle_failed_handshake();
        assert!(!access.is_fresh(&config, Time::ZERO));
    }
}
