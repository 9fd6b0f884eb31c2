//! Reads the JSON bodies of the controls.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

/// A JSON body, whatever its content type says; an empty one counts as `{}`.
pub struct Body<T>(pub T);

/// A request that cannot be carried out, answered with 400 and its sentence as `error`.
#[derive(Debug)]
pub struct BadRequest(pub String);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(IntoResponse::into_response)?;
        let json: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(json)
            .map(Body)
            .map_err(|error| BadRequest(error.to_string()).into_response())
    }
}

impl IntoResponse for BadRequest {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.0 }));
        (StatusCode::BAD_REQUEST, body).into_response()
    }
}
