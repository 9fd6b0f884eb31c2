//! Answers `/events`: a stream that never ends by itself.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use tokio::time::Instant;

use super::streams::Lease;
use super::{Reader, ReaderQuery, frame};
use crate::listener::Peer;
use crate::route_fault::{FaultyRoute, pass};
use crate::state::App;

/// Answers `GET /events`.
pub async fn events(
    State(app): State<Arc<App>>,
    ConnectInfo(Peer(tcp)): ConnectInfo<Peer>,
    Query(query): Query<ReaderQuery>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = pass(&app, &tcp, FaultyRoute::Events).await {
        return refusal;
    }
    let mut head = String::new();
    if let Some(retry) = query.retry {
        frame::retry(&mut head, retry);
    }
    let (mut reader, first) = app.events.reader(&headers, &query);
    head.push_str(&first);
    head.push_str(&app.events.read(&mut reader, PART));
    let feed = Feed {
        lease: Lease::new(app, tcp.wire),
        reader,
        head,
    };
    let body = Body::from_stream(unfold(feed, Feed::next));
    let kind = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (kind, body).into_response()
}

/// The body of one stream.
struct Feed {
    lease: Lease,
    reader: Reader,
    /// What comes before all else.
    head: String,
}

impl Feed {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let part = self.part().await?;
        Some((Ok(part.into()), self))
    }

    async fn part(&mut self) -> Option<String> {
        if !self.head.is_empty() {
            return Some(std::mem::take(&mut self.head));
        }
        let Lease { app, id } = &self.lease;
        let deadline = Instant::now() + ALIVE_EVERY;
        loop {
            let position = self.reader.position;
            let grown = app.events.grown(deadline, position, *id).await;
            if app.events.streams.is_cut(*id) {
                return None;
            }
            if !grown {
                return Some(": alive\n\n".into());
            }
            let part = app.events.read(&mut self.reader, PART);
            if !part.is_empty() {
                return Some(part);
            }
        }
    }
}

/// How often a stream without events shows that it is alive.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// About how many bytes of events are made at a time.
const PART: usize = 64 << 10;
