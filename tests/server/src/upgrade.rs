//! Admits WebSockets, or refuses them: by the limit, for their token or by a fault.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::connection::{CloseOrder, Connection, Origin, Outgoing, Purpose};
use crate::fault::Fault;
use crate::listener::Peer;
use crate::offer::Offer;
use crate::pending::Pending;
use crate::session::Lease;
use crate::state::App;
use crate::tcp::{Cut, Tcp};

/// A request for a WebSocket that is well-formed and not yet answered.
pub struct Upgrade {
    app: Arc<App>,
    tcp: Arc<Tcp>,
    uri: Uri,
    offer: Offer,
    socket: WebSocketUpgrade,
}

impl FromRequestParts<Arc<App>> for Upgrade {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let ConnectInfo(Peer(tcp)) = ConnectInfo::from_request_parts(parts, app)
            .await
            .map_err(IntoResponse::into_response)?;
        let socket = WebSocketUpgrade::from_request_parts(parts, app)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self {
            app: Arc::clone(app),
            tcp,
            uri: parts.uri.clone(),
            offer: Offer::read(parts, &app.tokens.param()),
            socket,
        })
    }
}

impl Upgrade {
    /// Answers the request: with the WebSocket, which is then live, or with an error.
    pub async fn answer(self, purpose: Purpose) -> Response {
        let app = Arc::clone(&self.app);
        app.counts.upgrades.fetch_add(1, Ordering::SeqCst);
        // Before the fault is asked for: an end between the two is not missed.
        let hang_ends = app.faults.hang_ends();
        let fault = self.tcp.wire.then(|| app.faults.upgrade()).flatten();
        if fault == Some(Fault::HangUpgrade) {
            return hang(&app, &self.tcp, hang_ends).await;
        }
        let admitted = match fault {
            Some(Fault::Unauthorized) => Err(Refusal::Unauthorized),
            Some(Fault::Refuse) => Err(Refusal::Fault),
            Some(Fault::AcceptThenClose { code }) => self.admit(purpose, Some(code)),
            Some(
                Fault::Reset
                | Fault::Hang
                | Fault::HangUpgrade
                | Fault::HalfOpen
                | Fault::Delay { .. },
            )
            | None => self.admit(purpose, None),
        };
        if let Err(refusal) = &admitted {
            app.counts.refused.fetch_add(1, Ordering::SeqCst);
            if *refusal == Refusal::Token {
                app.counts.refused_tokens.fetch_add(1, Ordering::SeqCst);
            }
        }
        app.changed.raise();
        admitted.unwrap_or_else(IntoResponse::into_response)
    }

    fn admit(self, purpose: Purpose, close_with: Option<u16>) -> Result<Response, Refusal> {
        let Offer { protocol, token } = self.offer;
        let agreed = protocol
            .as_ref()
            .and_then(|protocol| protocol.to_str().ok());
        let origin = Origin {
            tcp: self.tcp,
            path: self.uri.path().into(),
            query: self.uri.query().unwrap_or_default().into(),
            protocol: agreed.unwrap_or_default().into(),
            token: token.clone(),
            purpose,
        };
        let mut queue = None;
        let limit = self.app.options.max_connections;
        let is_checked = origin.tcp.wire;
        let tokens = &self.app.tokens;
        let taken = tokens.admit(token.as_deref(), is_checked, || {
            self.app.registry.admit(limit, |id| {
                let (connection, items) = Connection::new(id, origin);
                queue = Some(items);
                connection
            })
        });
        let admitted = taken.ok_or(Refusal::Token)?;
        let (Some(connection), Some(queue)) = (admitted, queue) else {
            return Err(Refusal::Full);
        };
        if let Some(code) = close_with {
            connection.push(Outgoing::Close(CloseOrder {
                code,
                reason: String::new(),
            }));
        }
        connection.tcp.begin_frames();
        let mut socket = self
            .socket
            .max_message_size(LARGEST)
            .max_frame_size(LARGEST);
        if let Some(protocol) = protocol {
            socket.set_selected_protocol(protocol);
        }
        let lease = Lease::new(self.app, connection);
        Ok(socket.on_upgrade(|socket| lease.run(socket, queue)))
    }
}

/// Leaves an upgrade unanswered until the fault ends, then closes its connection.
async fn hang(app: &App, tcp: &Tcp, hang_ends: u64) -> Response {
    let pending = Pending::begin(app);
    app.changed
        .when(|| app.faults.hang_ends() != hang_ends)
        .await;
    tcp.cut(Cut::Fin);
    drop(pending);
    // Goes nowhere.
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

/// Why there is no WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// The limit is reached.
    Full,
    /// The fault `refuse`.
    Fault,
    /// The fault `unauthorized`.
    Unauthorized,
    /// The token, or the want of one.
    Token,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        let (status, error) = match self {
            Self::Full => (unavailable, "too many connections"),
            Self::Fault => (unavailable, "refused by a fault"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized by a fault"),
            Self::Token => (StatusCode::UNAUTHORIZED, "the token is not taken"),
        };
        let mut response = (status, Json(json!({ "error": error }))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The largest message that is taken in, in bytes.
const LARGEST: usize = 256 << 20;
