//! Runs one call of the service.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{AUTHORIZATION, CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::mode::{Verdict, route_name};
use super::{Failure, Services};
use crate::listener::Peer;
use crate::state::App;
use crate::tcp::Cut;

/// Answers `/api/v1/service/{route}` as its mode says.
pub async fn answer(
    State(app): State<Arc<App>>,
    ConnectInfo(Peer(tcp)): ConnectInfo<Peer>,
    Path(route): Path<String>,
    headers: HeaderMap,
    // Read to its end before anything waits: an unread body would hide that the client has gone.
    body: Bytes,
) -> Response {
    let Some(mut call) = Services::enter(&app, route_name(&route), bearer(&headers)) else {
        let error = json!({ "error": "too many routes" });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(error)).into_response();
    };
    app.changed.raise();
    let mut response = match call.verdict().await {
        Verdict::Ok => call.answer(StatusCode::OK, &body),
        Verdict::Slow(delay) => {
            sleep(delay).await;
            call.answer(StatusCode::OK, &body)
        }
        Verdict::Fail(Failure {
            status,
            retry_after,
        }) => {
            let mut response = call.answer(status, &body);
            if let Some(retry_after) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, retry_after);
            }
            response
        }
        Verdict::Reset => {
            call.end("reset");
            tcp.cut(Cut::Reset);
            // Goes nowhere.
            StatusCode::OK.into_response()
        }
    };
    // Browsers repeat a request unseen when it is reset on a connection that has been used before.
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// Answers `POST /api/v1/token` with a new token.
pub async fn issue(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "token": app.services.issue() }))
}

/// A call, which is in flight for as long as this exists.
///
/// One that is dropped without an end was given up by its client.
pub struct Call {
    app: Arc<App>,
    route: String,
    era: u64,
    n: u64,
    verdict: oneshot::Receiver<Verdict>,
    answered: Option<String>,
}

impl Call {
    /// Makes the call that is number `n` of its route.
    pub fn new(
        app: Arc<App>,
        route: &str,
        era: u64,
        n: u64,
        verdict: oneshot::Receiver<Verdict>,
    ) -> Self {
        Self {
            app,
            route: route.into(),
            era,
            n,
            verdict,
            answered: None,
        }
    }

    async fn verdict(&mut self) -> Verdict {
        (&mut self.verdict).await.unwrap_or(Verdict::Ok)
    }

    fn answer(self, status: StatusCode, body: &[u8]) -> Response {
        let mut answer = json!({ "route": self.route, "n": self.n });
        if !body.is_empty() {
            answer["body"] = String::from_utf8_lossy(body).into();
        }
        self.end(status.as_str());
        let mut response = (status, Json(answer)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }

    fn end(mut self, how: &str) {
        self.answered = Some(how.into());
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let answered = self.answered.take();
        self.app
            .services
            .leave(&self.route, self.era, self.n, answered);
        self.app.changed.raise();
    }
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}
