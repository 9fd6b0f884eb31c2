//! The controls: what the server has seen, and what it is to do to its clients.

mod body;
mod close;
mod route;
mod service;
mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use self::body::{BadRequest, Body};
use crate::connection::Outgoing;
use crate::fault::FaultOrder;
use crate::files::FileMode;
use crate::flood::{FloodOrder, Floods};
use crate::record::Page;
use crate::state::App;
use crate::stats::Stats;
use crate::tcp::Cut;
use crate::wait::Wish;

/// The routes, to be nested under `/control`.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/stats", get(stats))
        .route("/wait", get(wait))
        .route("/received", get(received))
        .route("/fetches", get(fetches))
        .route("/static", post(set_file_mode))
        .route("/broadcast", post(broadcast))
        .route("/topics", get(topics))
        .route("/publish", post(publish))
        .route("/flood", post(flood))
        .route("/flood/{id}", get(flood_progress))
        .route("/close", post(close::close))
        .route("/reset", post(reset))
        .route("/drop", post(drop_all))
        .route("/fault", post(fault))
        .route("/route", post(route::order))
        .nest("/service", service::router())
        .route("/tokens", post(tokens::order))
        .route("/stop", post(stop))
        .route("/start", post(start))
        .route("/restart", post(restart))
}

type Shared = State<Arc<App>>;
type Answer = Result<Json<Value>, BadRequest>;

async fn stats(State(app): Shared) -> Json<Stats> {
    Json(Stats::now(&app))
}

async fn wait(
    State(app): Shared,
    Query(wish): Query<Wish>,
) -> Result<(StatusCode, Json<Stats>), BadRequest> {
    wish.check().map_err(BadRequest)?;
    let deadline = Instant::now() + wish.timeout();
    let granted = app.changed.until(deadline, || wish.holds(&app)).await;
    let status = if granted {
        StatusCode::OK
    } else {
        StatusCode::REQUEST_TIMEOUT
    };
    Ok((status, Json(Stats::now(&app))))
}

#[derive(Deserialize)]
struct ReceivedQuery {
    from: Option<u64>,
    limit: Option<usize>,
}

async fn received(State(app): Shared, Query(query): Query<ReceivedQuery>) -> Json<Page> {
    let limit = query.limit.unwrap_or(PAGE);
    Json(app.record.page(query.from.unwrap_or_default(), limit))
}

async fn fetches(State(app): Shared) -> impl IntoResponse {
    Json(app.files.fetches())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOrder {
    path: String,
    mode: Option<FileMode>,
    headers: Option<BTreeMap<String, String>>,
}

async fn set_file_mode(State(app): Shared, Body(order): Body<FileOrder>) -> Answer {
    if !order.path.starts_with('/') {
        return Err(BadRequest("path must start with a slash".into()));
    }
    if let Some(headers) = order.headers {
        let headers =
            read_headers(&headers).map_err(|error| BadRequest(format!("headers: {error}")))?;
        app.files.set_headers(order.path.clone(), headers);
    }
    if let Some(mode) = order.mode {
        app.files.set_mode(order.path, mode);
    }
    Ok(Json(json!({ "ok": true })))
}

fn read_headers(given: &BTreeMap<String, String>) -> Result<HeaderMap, axum::http::Error> {
    given
        .iter()
        .map(|(name, value)| Ok((HeaderName::try_from(name)?, HeaderValue::try_from(value)?)))
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BroadcastOrder {
    text: Option<String>,
    #[serde(default)]
    texts: Vec<String>,
}

async fn broadcast(State(app): Shared, Body(order): Body<BroadcastOrder>) -> Answer {
    let texts: Vec<Utf8Bytes> = order
        .text
        .into_iter()
        .chain(order.texts)
        .map(Utf8Bytes::from)
        .collect();
    if texts.is_empty() {
        return Err(BadRequest("broadcast needs text or texts".into()));
    }
    for text in &texts {
        app.events.add_broadcast(text.clone());
    }
    let connections = app.registry.live();
    for connection in &connections {
        connection.push(Outgoing::Many(texts.clone(), None));
    }
    Ok(Json(json!({ "connections": connections.len() })))
}

async fn topics(State(app): Shared) -> Json<Value> {
    Json(app.topics.report())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishOrder {
    topic: Option<String>,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    data: Value,
}

async fn publish(State(app): Shared, Body(order): Body<PublishOrder>) -> Answer {
    let topics = order.topic.into_iter().chain(order.topics);
    let sent: usize = topics
        .map(|topic| app.topics.publish(&app, &topic, &order.data))
        .sum();
    Ok(Json(json!({ "sent": sent })))
}

async fn flood(State(app): Shared, Body(order): Body<FloodOrder>) -> Answer {
    let (id, connections) = Floods::begin(&app, order).map_err(BadRequest)?;
    Ok(Json(json!({ "id": id, "connections": connections })))
}

#[derive(Deserialize)]
struct FloodQuery {
    wait: Option<u64>,
}

async fn flood_progress(
    State(app): Shared,
    Path(id): Path<u64>,
    Query(query): Query<FloodQuery>,
) -> Response {
    let Some(flood) = app.floods.find(id) else {
        let body = Json(json!({ "error": "no such flood" }));
        return (StatusCode::NOT_FOUND, body).into_response();
    };
    let patience = Duration::from_millis(query.wait.unwrap_or_default());
    let deadline = Instant::now() + patience;
    app.changed.until(deadline, || flood.is_done()).await;
    Json(flood.progress()).into_response()
}

async fn reset(State(app): Shared) -> Json<Value> {
    Json(json!({ "connections": app.cut_wire(Cut::Reset) }))
}

async fn drop_all(State(app): Shared) -> Json<Value> {
    Json(json!({ "connections": app.cut_wire(Cut::Fin) }))
}

async fn fault(State(app): Shared, Body(order): Body<FaultOrder>) -> Answer {
    let live = app.faults.apply(&order).map_err(BadRequest)?;
    app.changed.raise();
    Ok(Json(
        json!({ "fault": app.faults.in_force(), "connections": live }),
    ))
}

async fn stop(State(app): Shared) -> Response {
    listening(&app, app.wire.turn(false).await)
}

async fn start(State(app): Shared) -> Response {
    listening(&app, app.wire.turn(true).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RestartBody {
    #[serde(default)]
    down_ms: u64,
}

async fn restart(State(app): Shared, Body(body): Body<RestartBody>) -> Response {
    let stopped = app.wire.turn(false).await;
    if let Ok(turn) = stopped {
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            sleep(Duration::from_millis(body.down_ms)).await;
            if app.wire.is_last_turn(turn)
                && let Err(error) = app.wire.turn(true).await
            {
                eprintln!("tabwire-server: the wire did not come back: {error}");
            }
        });
    }
    listening(&app, stopped)
}

#[derive(Serialize)]
struct Listening {
    listening: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn listening(app: &App, turned: std::io::Result<u64>) -> Response {
    let error = turned.err().map(|error| error.to_string());
    let status = match error {
        None => StatusCode::OK,
        Some(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let listening = app.wire.is_listening();
    (status, Json(Listening { listening, error })).into_response()
}

/// How many frames a page of what was received has where the query names no limit.
const PAGE: usize = 1000;
