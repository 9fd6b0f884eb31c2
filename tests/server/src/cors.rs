//! Opens the routes of the wire to pages of every origin.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_HEADERS, CONNECTION,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Answers preflights and lets every page read every answer.
pub async fn open(request: Request, next: Next) -> Response {
    let asked = request
        .headers()
        .get(ACCESS_CONTROL_REQUEST_HEADERS)
        .cloned();
    let mut response = if request.method() == Method::OPTIONS {
        // Browsers repeat a request unseen that is reset on a connection which has been used before, be it for this.
        let close = [(CONNECTION, HeaderValue::from_static("close"))];
        (StatusCode::NO_CONTENT, close).into_response()
    } else {
        next.run(request).await
    };
    let any = HeaderValue::from_static("*");
    let exposed = HeaderValue::from_static("Retry-After, ETag, *");
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, any.clone());
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, any.clone());
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or(any));
    response
}
