//! Responses of the servers themselves, for requests that they do not pass on.

use axum::body::{Body, Bytes};
use axum::http::Response;
use http_body_util::BodyExt;
use shared::api::error_response::GatewayError;

/// The largest body API Gateway takes, in bytes.
pub(super) const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// Takes the rest of a body, at most as much as a whole one may have: a client whose connection is
/// closed while it sends may never come to read why.
pub(crate) async fn drain(body: &mut Body) {
    let mut taken = 0;
    while let Some(Ok(frame)) = body.frame().await {
        taken += frame.data_ref().map_or(0, Bytes::len);
        if taken > MAX_BODY_BYTES {
            return;
        }
    }
}

/// Answers without invoking a function.
pub(crate) fn refuse(error: GatewayError) -> Response<Body> {
    let answer = error.answer();
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}
