//! Orders the faults of single routes.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::body::{BadRequest, Body};
use super::{Answer, Shared};
use crate::route_fault::{FaultyRoute, RouteMode};
use crate::session::CLOSE_PATIENCE;
use crate::state::App;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteOrder {
    path: FaultyRoute,
    mode: RouteOrderMode,
}

/// A mode, or the order to end what lives.
#[derive(Deserialize)]
enum RouteOrderMode {
    #[serde(rename = "cut")]
    Cut,
    #[serde(untagged)]
    Force(RouteMode),
}

/// `POST /control/route`
pub async fn order(State(app): Shared, Body(order): Body<RouteOrder>) -> Answer {
    let mode = match order.mode {
        RouteOrderMode::Force(mode) => mode,
        RouteOrderMode::Cut => return cut(&app, order.path).await,
    };
    app.route_faults.set(order.path, mode);
    app.changed.raise();
    Ok(Json(json!({ "cut": 0 })))
}

async fn cut(app: &App, path: FaultyRoute) -> Answer {
    if path != FaultyRoute::Events {
        return Err(BadRequest("only /events has streams to cut".into()));
    }
    let cut = app.events.cut_streams();
    // One whose client reads nothing ends only when it is gone.
    let deadline = Instant::now() + CLOSE_PATIENCE;
    let ended = || !app.events.streams.any_of(&cut);
    app.changed.until(deadline, ended).await;
    Ok(Json(json!({ "cut": cut.len() })))
}
