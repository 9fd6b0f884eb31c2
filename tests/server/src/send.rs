//! Answers `/send`: takes a frame of `/ws` without a socket.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};

use crate::connection::Purpose;
use crate::listener::Peer;
use crate::route_fault::{FaultyRoute, pass};
use crate::speech::{self, Answer};
use crate::state::App;
use crate::topics;

/// The route, with the limit of its bodies.
pub fn route() -> MethodRouter<Arc<App>> {
    post(send).layer(DefaultBodyLimit::max(LARGEST))
}

async fn send(
    State(app): State<Arc<App>>,
    ConnectInfo(Peer(tcp)): ConnectInfo<Peer>,
    // Read to its end before a fault holds it: an unread body would hide that the client has gone.
    body: Bytes,
) -> Response {
    if let Err(refusal) = pass(&app, &tcp, FaultyRoute::Send).await {
        return refusal;
    }
    let Ok(text) = std::str::from_utf8(&body) else {
        return (StatusCode::BAD_REQUEST, "the body is not UTF-8\n").into_response();
    };
    app.record.add_text(NO_CONNECTION, text);
    app.counts.received.fetch_add(1, Ordering::SeqCst);
    app.counts.posted.fetch_add(1, Ordering::SeqCst);
    match speech::answer(Purpose::Talk, text) {
        Answer::Broadcast(text) => speech::broadcast(&app, &text),
        Answer::Tabs(count) => app.counts.tabs.store(count, Ordering::SeqCst),
        Answer::Echo => topics::publish_posted(&app, text),
        Answer::Nothing | Answer::Reply(_) => {}
    }
    app.changed.raise();
    StatusCode::NO_CONTENT.into_response()
}

/// What the record names as the connection of such a frame.
const NO_CONNECTION: u64 = 0;

/// The largest frame, in bytes.
const LARGEST: usize = 1 << 20;
