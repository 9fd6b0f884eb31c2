//! The routes of the wire: the WebSockets, what stands in for them, the scripted service and the health of the server.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::iso_now;
use crate::connection::Purpose;
use crate::state::App;
use crate::topics::Dialect;
use crate::upgrade::Upgrade;
use crate::{cors, events, pipeline, send, service};

/// The routes, open to pages of every origin.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/ws", get(talk))
        .route("/ws/topics", get(topics))
        .route("/ws/monitoring/pipeline-status", get(pipeline))
        .route("/api/v1/public/health", get(health))
        .route("/api/v1/public/pipeline-status", get(pipeline_now))
        .route("/api/v1/websocket/stats", get(socket_stats))
        .route("/api/v1/websocket/health", get(socket_health))
        .route("/api/v1/service/{*route}", any(service::answer))
        .route("/api/v1/token", post(service::issue))
        .route("/events", get(events::events))
        .route("/poll", get(events::poll))
        .route("/latest", get(events::latest))
        .route("/send", send::route())
        .layer(from_fn(cors::open))
        .with_state(app)
}

#[derive(Deserialize)]
struct TalkQuery {
    mode: Option<Mode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Raw,
    Silent,
}

async fn talk(Query(query): Query<TalkQuery>, upgrade: Upgrade) -> Response {
    let purpose = match query.mode {
        None => Purpose::Talk,
        Some(Mode::Raw) => Purpose::Raw,
        Some(Mode::Silent) => Purpose::Silent,
    };
    upgrade.answer(purpose).await
}

#[derive(Deserialize)]
struct TopicsQuery {
    speak: Option<Dialect>,
}

async fn topics(Query(query): Query<TopicsQuery>, upgrade: Upgrade) -> Response {
    let purpose = Purpose::Topics(query.speak.unwrap_or(Dialect::Json));
    upgrade.answer(purpose).await
}

#[derive(Deserialize)]
struct PipelineQuery {
    every: Option<u64>,
}

async fn pipeline(Query(query): Query<PipelineQuery>, upgrade: Upgrade) -> Response {
    let every = query.every.unwrap_or(REPORT_EVERY);
    upgrade.answer(Purpose::Pipeline { every }).await
}

/// The present report alone, for those who cannot have it sent.
async fn pipeline_now() -> impl IntoResponse {
    let kind = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    (kind, pipeline::report())
}

async fn health(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({
        "status": "healthy",
        "timestamp": iso_now(),
        "uptime_seconds": app.started.elapsed().as_secs(),
        "connections": app.registry.census().live,
    }))
}

async fn socket_stats(State(app): State<Arc<App>>) -> Json<Value> {
    let census = app.registry.census();
    Json(json!({
        "timestamp": iso_now(),
        "active_connections": census.live,
        "total_connections": census.total,
        "peak_connections": census.peak,
        "max_connections": app.options.max_connections,
        "max_age_seconds": app.options.max_age.map(|age| age.as_secs()),
        "refused_connections": app.counts.refused.load(Ordering::SeqCst),
        "messages_received": app.counts.received.load(Ordering::SeqCst),
        "messages_sent": app.counts.sent.load(Ordering::SeqCst),
        "tabs": app.counts.tabs.load(Ordering::SeqCst),
    }))
}

async fn socket_health(State(app): State<Arc<App>>) -> Json<Value> {
    let live = app.registry.census().live;
    let most = app.options.max_connections;
    Json(json!({
        "status": if live < most { "healthy" } else { "full" },
        "timestamp": iso_now(),
        "active_connections": live,
        "available_connections": most.saturating_sub(live),
    }))
}

/// Milliseconds between two reports of the pipeline where the query names none.
const REPORT_EVERY: u64 = 5000;
