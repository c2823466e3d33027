//! The stand-in for API Gateway: routes by the project's one table and hands each request to the
//! function's own `handle`, as the event the function would get.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::Response;
use axum::middleware;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use shared::api::error_response::GatewayError;
use shared::api::event;
use shared::app::App;
use shared::routes;
use tokio::net::TcpListener;

use super::event::Received;
use super::functions;
use super::host::{self, Hosts};
use super::refusal::{MAX_BODY_BYTES, drain, refuse};
use super::sample;

/// The longest URL API Gateway takes, in bytes.
const MAX_URL_BYTES: usize = 10_240;

/// Serves the API until `stopped` resolves and the last request is answered.
pub(crate) async fn serve(
    listener: TcpListener,
    app: &'static App,
    hosts: Hosts,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<(), crate::serve_error::ServeError> {
    let checked = middleware::from_fn_with_state(hosts, host::check);
    let router = sample::routes(&answer).fallback(answer).layer(checked).with_state(app);
    axum::serve(listener, router).with_graceful_shutdown(stopped).await?;
    Ok(())
}

pub(super) async fn answer(State(app): State<&'static App>, request: Request) -> Response<Body> {
    let (head, mut body) = request.into_parts();
    // This is the request as it came, not one that `lambda_http` made of an event.
    #[expect(clippy::disallowed_methods, reason = "hyper keeps the path as it was sent")]
    let path = head.uri.path();
    let query = head.uri.query().unwrap_or_default();
    if path.len() + query.len() > MAX_URL_BYTES {
        return refuse(GatewayError::UrlTooLong);
    }
    let body = match Limited::new(&mut body, MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            drain(&mut body).await;
            return refuse(GatewayError::BodyTooLarge);
        }
        Err(_) => return refuse(GatewayError::BadRequest),
    };
    let found = routes::find(&head.method, path);
    let received =
        Received { method: &head.method, path, query, headers: &head.headers, body: body.into() };
    let (event, context) = received.into_event(&found);
    let handle = |request| functions::invoke(app, found.route.function, request);
    let response = event::respond(&event.to_string(), context, handle).await;
    response.map(|body| match body {
        lambda_http::Body::Text(text) => Body::from(text),
        lambda_http::Body::Binary(bytes) => Body::from(Bytes::from(bytes)),
        _ => Body::empty(),
    })
}
