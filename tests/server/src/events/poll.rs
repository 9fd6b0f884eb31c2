//! Answers `/poll` and `/latest`: what there is by now.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{ConnectInfo, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{ReaderQuery, frame};
use crate::listener::Peer;
use crate::route_fault::{FaultyRoute, pass};
use crate::state::App;

/// Answers `GET /poll`.
pub async fn poll(
    State(app): State<Arc<App>>,
    ConnectInfo(Peer(tcp)): ConnectInfo<Peer>,
    Query(query): Query<ReaderQuery>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = pass(&app, &tcp, FaultyRoute::Poll).await {
        return refusal;
    }
    let (mut reader, mut body) = app.events.reader(&headers, &query);
    body.push_str(&app.events.read(&mut reader, usize::MAX));
    // Where the last events are of other topics, the next poll need not look at them again.
    if reader.told != reader.position {
        frame::position(&mut body, reader.position);
    }
    answer(&app, &headers, reader.position, |etag| {
        let kind = [
            (CONTENT_TYPE, "text/event-stream".into()),
            (CACHE_CONTROL, UNKEPT.into()),
            (ETAG, etag),
        ];
        (kind, body).into_response()
    })
}

/// Answers `GET /latest`.
pub async fn latest(
    State(app): State<Arc<App>>,
    ConnectInfo(Peer(tcp)): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = pass(&app, &tcp, FaultyRoute::Latest).await {
        return refusal;
    }
    let Some((id, text)) = app.events.last() else {
        count(&app);
        return StatusCode::NO_CONTENT.into_response();
    };
    answer(&app, &headers, id, |etag| {
        let kind = [
            (CONTENT_TYPE, "application/json".into()),
            (CACHE_CONTROL, UNKEPT.into()),
            (ETAG, etag),
        ];
        (kind, text.to_string()).into_response()
    })
}

/// Answers with an entity whose tag is the number of its newest event, unless the client has that one.
fn answer(
    app: &App,
    headers: &HeaderMap,
    newest: u64,
    entity: impl FnOnce(String) -> Response,
) -> Response {
    count(app);
    let etag = format!("\"{newest}\"");
    if has(headers, &etag) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response();
    }
    entity(etag)
}

fn has(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}

fn count(app: &App) {
    app.counts.polls.fetch_add(1, Ordering::SeqCst);
    app.changed.raise();
}

/// No cache between: it would ask by the tag itself and answer a 304 with what it has, which is an earlier poll.
const UNKEPT: &str = "no-store";
