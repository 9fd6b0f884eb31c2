//! The routes of the site: the pages, the configuration, the controls, and all routes of the wire.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::state::App;
use crate::{control, files, prices, wire};

/// The routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/config.json", get(config))
        .nest("/control", control::router())
        .route("/", get(files::serve_root))
        .route("/{*path}", get(files::serve_path))
        .with_state(Arc::clone(&app))
        .merge(wire::router(app))
}

async fn config(State(app): State<Arc<App>>) -> Json<Value> {
    let prices: Vec<_> = app
        .options
        .prices
        .iter()
        .flat_map(|_| prices::symbols())
        .collect();
    Json(json!({ "wire": format!("ws://{}", app.wire_address), "prices": prices }))
}
