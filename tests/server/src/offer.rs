//! What an upgrade request offers: subprotocols, and a token among them or in the query.

use axum::extract::Query;
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri};

/// The offer of one upgrade request.
#[derive(Debug, PartialEq, Eq)]
pub struct Offer {
    /// The subprotocol to agree on: the first that is no token.
    pub protocol: Option<HeaderValue>,
    /// The token: the parameter of its name, else the subprotocol offered right after one of that name.
    pub token: Option<String>,
}

impl Offer {
    /// Reads a request whose token is called `param`.
    pub fn read(parts: &Parts, param: &str) -> Self {
        let mut offered = protocols(&parts.headers);
        let named = offered.iter().position(|protocol| *protocol == param);
        let among = named
            .filter(|named| named + 1 < offered.len())
            .map(|named| {
                // The name stays, as the one to agree on where nothing else is offered.
                let token = offered.remove(named + 1);
                let name = offered.remove(named);
                offered.push(name);
                token.to_owned()
            });
        let chosen = offered.first();
        Self {
            protocol: chosen.and_then(|chosen| HeaderValue::from_str(chosen).ok()),
            token: in_query(&parts.uri, param).or(among),
        }
    }
}

fn protocols(headers: &HeaderMap) -> Vec<&str> {
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect()
}

fn in_query(uri: &Uri, param: &str) -> Option<String> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
    pairs
        .into_iter()
        .find_map(|(name, value)| (name == param).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn read(target: &str, protocols: &str) -> (Option<String>, Option<String>) {
        let mut request = Request::get(target);
        if !protocols.is_empty() {
            request = request.header(SEC_WEBSOCKET_PROTOCOL, protocols);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let offer = Offer::read(&parts, "access_token");
        let text = |value: HeaderValue| value.to_str().unwrap().to_owned();
        (offer.protocol.map(text), offer.token)
    }

    fn some(text: &str) -> Option<String> {
        Some(text.into())
    }

    #[test]
    fn the_first_subprotocol_is_agreed_on() {
        assert_eq!(read("/ws", ""), (None, None));
        assert_eq!(read("/ws", "chat, v2"), (some("chat"), None));
        assert_eq!(
            read("/ws", "access_token"),
            (some("access_token"), None),
            "nothing follows the name"
        );
    }

    #[test]
    fn a_token_among_the_subprotocols_is_not_agreed_on() {
        let token = some("t.1");
        for (offered, agreed) in [
            ("access_token, t.1", "access_token"),
            ("access_token, t.1, chat", "chat"),
            ("chat, access_token, t.1", "chat"),
            ("v2, access_token, t.1, v1", "v2"),
        ] {
            assert_eq!(read("/ws", offered), (some(agreed), token.clone()));
        }
    }

    #[test]
    fn a_token_in_the_query_is_decoded_and_comes_first() {
        let target = "/ws?mode=raw&access_token=a%2Bb%20c";
        assert_eq!(read(target, "chat"), (some("chat"), some("a+b c")));
        assert_eq!(read(target, "access_token, t").1, some("a+b c"));
        assert_eq!(read("/ws?access_token=", "").1, some(""));
        assert_eq!(read("/ws?token=a", "").1, None);
    }
}
