//! Which calls share a breaker where nobody says so.

/// Segments of a path that count at most.
const MOST: usize = 3;

/// The origin and route of a url: at most three segments of its path, and those before the first that looks like an id, which is
/// one with a digit that is no version. Pages name the breakers of their calls by the same rule (`www/client/fetch.ts`).
pub fn route_of(origin: &str, url: &str) -> String {
    let own = origin_of(url);
    let path = url.get(own.len()..).unwrap_or_default();
    let start = if own.is_empty() { origin } else { own };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut route = start.to_owned();
    let segments = path.trim_start_matches('/').split('/').take(MOST);
    for segment in segments.take_while(|segment| !is_id(segment)) {
        if !segment.is_empty() {
            route.push('/');
            route.push_str(segment);
        }
    }
    route
}

/// A url as it may be shown to anybody: without user, query and fragment.
pub fn without_secrets(url: &str) -> String {
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    let origin = origin_of(shown);
    match origin.split_once("://") {
        Some((scheme, host)) => {
            let host = host.rsplit('@').next().unwrap_or_default();
            let path = shown.get(origin.len()..).unwrap_or_default();
            [scheme, "://", host, path].concat()
        }
        None => shown.into(),
    }
}

/// What comes before the path of an absolute url.
pub fn origin_of(url: &str) -> &str {
    let bytes = url.as_bytes();
    let scheme = bytes.iter().position(|byte| *byte == b':').unwrap_or(0);
    let host = scheme + 3;
    if bytes.get(scheme..host) != Some(b"://") {
        return "";
    }
    let rest = bytes.get(host..).unwrap_or_default();
    let end = rest.iter().position(|byte| b"/?#".contains(byte));
    url.get(..host + end.unwrap_or(rest.len()))
        .unwrap_or_default()
}

fn is_id(segment: &str) -> bool {
    let version = segment.strip_prefix(['v', 'V']).unwrap_or_default();
    let is_version = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    !is_version && segment.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        for (url, shown) in [
            ("wss://a.example/ws?access_token=x#y", "wss://a.example/ws"),
            ("wss://me:pass@a.example:1/ws@2", "wss://a.example:1/ws@2"),
            ("wss://a.example?x", "wss://a.example"),
            ("function", "function"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }

    #[test]
    fn a_route_ends_before_an_id_and_after_three_segments() {
        for (url, route) in [
            (
                "https://a.example/api/v1/users/7/orders",
                "https://a.example/api/v1/users",
            ),
            ("https://a.example:8443/x?y=1", "https://a.example:8443/x"),
            ("/api/v1/public/health", "http://here/api/v1/public"),
            ("/", "http://here"),
            ("https://a.example", "https://a.example"),
            ("/orders/4711", "http://here/orders"),
        ] {
            assert_eq!(route_of("http://here", url), route, "{url}");
        }
    }
}
