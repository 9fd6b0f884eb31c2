//! Orders what the scripted service does.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{BadRequest, Body};
use super::{Answer, Shared};
use crate::service::{ServiceOrder, check_status, route_name};
use crate::state::App;

/// The routes, to be nested under `/control/service`.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(report).post(order))
        .route("/release", post(release))
        .route("/expire", post(expire))
        .route("/reset", post(reset))
}

async fn report(State(app): Shared) -> Json<Value> {
    Json(app.services.report())
}

async fn order(State(app): Shared, Body(order): Body<ServiceOrder>) -> Answer {
    app.services.order(&order).map_err(BadRequest)?;
    app.changed.raise();
    Ok(Json(json!({ "ok": true })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    route: String,
    count: Option<usize>,
    status: Option<u16>,
}

async fn release(State(app): Shared, Body(order): Body<Release>) -> Answer {
    let status = check_status(order.status.unwrap_or(200)).map_err(BadRequest)?;
    let route = route_name(&order.route);
    let released = app.services.release(route, order.count, status);
    app.changed.raise();
    Ok(Json(json!({ "released": released })))
}

async fn expire(State(app): Shared) -> Json<Value> {
    app.services.expire();
    Json(json!({ "ok": true }))
}

async fn reset(State(app): Shared) -> Json<Value> {
    app.services.reset();
    app.changed.raise();
    Json(json!({ "ok": true }))
}
