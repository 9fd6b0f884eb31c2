//! Orders which tokens are taken.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::body::{BadRequest, Body};
use super::close::{Closing, check, close_all};
use crate::connection::CloseOrder;
use crate::state::App;
use crate::tokens::{Mode, TokenStats};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenOrder {
    mode: Mode,
    param: Option<String>,
    close: Option<u16>,
}

#[derive(Serialize)]
pub struct Ordered {
    tokens: TokenStats,
    #[serde(flatten)]
    closing: Closing,
}

/// `POST /control/tokens`
pub async fn order(
    State(app): State<Arc<App>>,
    Body(order): Body<TokenOrder>,
) -> Result<Json<Ordered>, BadRequest> {
    let close = order.close.map(|code| CloseOrder {
        code,
        reason: "the token is not taken".into(),
    });
    if let Some(close) = &close {
        check(close)?;
    }
    app.tokens.apply(order.mode, order.param);
    app.changed.raise();
    let mut closing = Closing::default();
    if let Some(close) = close {
        let mut refused = app.registry.live();
        refused.retain(|connection| {
            connection.tcp.wire && app.tokens.refuses(connection.origin.token.as_deref())
        });
        closing = close_all(&app, &refused, &close).await;
    }
    Ok(Json(Ordered {
        tokens: app.tokens.stats(),
        closing,
    }))
}
