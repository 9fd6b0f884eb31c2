//! Closes live connections with a close handshake.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::body::{BadRequest, Body};
use crate::connection::{CloseOrder, Connection, Outgoing};
use crate::fault::check_code;
use crate::session::CLOSE_PATIENCE;
use crate::state::App;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseBody {
    #[serde(default = "normal_closure")]
    code: u16,
    #[serde(default)]
    reason: String,
}

/// How a closing went.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Closing {
    /// How many connections were to be closed.
    asked: usize,
    /// How many of them are.
    closed: usize,
}

/// `POST /control/close`
pub async fn close(
    State(app): State<Arc<App>>,
    Body(body): Body<CloseBody>,
) -> Result<Json<Closing>, BadRequest> {
    let order = CloseOrder {
        code: body.code,
        reason: body.reason,
    };
    check(&order)?;
    Ok(Json(close_all(&app, &app.registry.live(), &order).await))
}

/// Checks that a server may send such a close frame.
pub fn check(order: &CloseOrder) -> Result<(), BadRequest> {
    check_code(order.code).map_err(BadRequest)?;
    if order.reason.len() > LONGEST_REASON {
        return Err(BadRequest(format!(
            "reason must be at most {LONGEST_REASON} bytes"
        )));
    }
    Ok(())
}

/// Closes these connections and waits until they are closed.
pub async fn close_all(app: &App, connections: &[Arc<Connection>], order: &CloseOrder) -> Closing {
    for connection in connections {
        connection.push(Outgoing::Close(order.clone()));
    }
    // One that hangs can only be closed once it is let go, and is not waited for.
    let open = || {
        connections
            .iter()
            .filter(|connection| !connection.tcp.is_hung() && app.registry.is_live(connection.id))
            .count()
    };
    let deadline = Instant::now() + CLOSE_PATIENCE * 2;
    app.changed.until(deadline, || open() == 0).await;
    let closed = connections
        .iter()
        .filter(|connection| !app.registry.is_live(connection.id))
        .count();
    Closing {
        asked: connections.len(),
        closed,
    }
}

fn normal_closure() -> u16 {
    1000
}

/// The bytes that a close frame leaves for its reason.
const LONGEST_REASON: usize = 123;
