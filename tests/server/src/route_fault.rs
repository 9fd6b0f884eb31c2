//! The faults of single routes of the wire.

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::pending::Pending;
use crate::state::App;
use crate::sync::lock;
use crate::tcp::Tcp;

/// The routes that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub enum FaultyRoute {
    /// The stream of events.
    #[serde(rename = "/events")]
    Events,
    /// The events so far.
    #[serde(rename = "/poll")]
    Poll,
    /// The newest event.
    #[serde(rename = "/latest")]
    Latest,
    /// The way of a frame without a socket.
    #[serde(rename = "/send")]
    Send,
}

/// What befalls the requests for a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum RouteMode {
    /// Nothing.
    #[default]
    #[serde(rename = "ok")]
    Ok,
    /// They are answered with 404.
    #[serde(rename = "404")]
    Missing,
    /// They are answered with 503.
    #[serde(rename = "503")]
    Unavailable,
    /// They are not answered for as long as this is in force.
    #[serde(rename = "hang")]
    Hang,
}

/// The modes in force.
#[derive(Default)]
pub struct RouteFaults(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    modes: BTreeMap<FaultyRoute, RouteMode>,
    faulted: u64,
}

impl RouteFaults {
    /// Puts a mode in force.
    pub fn set(&self, route: FaultyRoute, mode: RouteMode) {
        lock(&self.0).modes.insert(route, mode);
    }

    /// How many requests have been befallen.
    pub fn faulted(&self) -> u64 {
        lock(&self.0).faulted
    }

    /// The routes that fail, and how.
    pub fn in_force(&self) -> BTreeMap<FaultyRoute, RouteMode> {
        let mut modes = lock(&self.0).modes.clone();
        modes.retain(|_, mode| *mode != RouteMode::Ok);
        modes
    }

    fn mode(&self, route: FaultyRoute) -> RouteMode {
        lock(&self.0).modes.get(&route).copied().unwrap_or_default()
    }

    fn enter(&self, route: FaultyRoute) -> RouteMode {
        let mut inner = lock(&self.0);
        let mode = inner.modes.get(&route).copied().unwrap_or_default();
        inner.faulted += u64::from(mode != RouteMode::Ok);
        mode
    }
}

/// Lets a request for a route pass, in time, unless its answer is that of a fault.
pub async fn pass(app: &App, tcp: &Tcp, route: FaultyRoute) -> Result<(), Response> {
    if !tcp.wire {
        return Ok(());
    }
    let mut mode = app.route_faults.enter(route);
    app.changed.raise();
    while mode == RouteMode::Hang {
        let _pending = Pending::begin(app);
        let changed = || app.route_faults.mode(route) != RouteMode::Hang;
        app.changed.when(changed).await;
        mode = app.route_faults.mode(route);
    }
    let status = match mode {
        RouteMode::Ok | RouteMode::Hang => return Ok(()),
        RouteMode::Missing => StatusCode::NOT_FOUND,
        RouteMode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    let error = json!({ "error": "refused by a fault" });
    Err((status, Json(error)).into_response())
}
