//! The stand-in for API Gateway: routes by the project's one table and hands each request to the
//! function's own `handle`, as the event the function would get.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::Response;
use axum::middleware;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use lambda_http::Request as FunctionRequest;
use shared::api::error_response::GatewayError;
use shared::api::event;
use shared::api::respond::respond;
use shared::app::App;
use shared::routes::{self, Function};
use tokio::net::TcpListener;

use super::event::Received;
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
    let handle = |request| invoke(app, found.route.function, request);
    let response = event::respond(&event.to_string(), context, handle).await;
    response.map(|body| match body {
        lambda_http::Body::Text(text) => Body::from(text),
        lambda_http::Body::Binary(bytes) => Body::from(Bytes::from(bytes)),
        _ => Body::empty(),
    })
}

async fn invoke(
    app: &'static App,
    function: Function,
    request: FunctionRequest,
) -> lambda_http::Response<lambda_http::Body> {
    match function {
        Function::ListLinks => respond(app, request, list_links::handle).await,
        Function::GetLink => respond(app, request, get_link::handle).await,
        Function::CreateLink => respond(app, request, create_link::handle).await,
        Function::UpdateLink => respond(app, request, update_link::handle).await,
        Function::DeleteLink => respond(app, request, delete_link::handle).await,
        Function::ListReleases => respond(app, request, list_releases::handle).await,
        Function::GetRelease => respond(app, request, get_release::handle).await,
        Function::CreateRelease => respond(app, request, create_release::handle).await,
        Function::UpdateRelease => respond(app, request, update_release::handle).await,
        Function::DeleteRelease => respond(app, request, delete_release::handle).await,
        Function::DownloadAsset => respond(app, request, download_asset::handle).await,
        Function::LatestRelease => respond(app, request, latest_release::handle).await,
        Function::ListProjects => respond(app, request, list_projects::handle).await,
        Function::GetProject => respond(app, request, get_project::handle).await,
        Function::GetMember => respond(app, request, get_member::handle).await,
        Function::ListMergeRequests => respond(app, request, list_merge_requests::handle).await,
        Function::ListTags => respond(app, request, list_tags::handle).await,
        Function::GetTag => respond(app, request, get_tag::handle).await,
        Function::DeleteTag => respond(app, request, delete_tag::handle).await,
        Function::GetCommit => respond(app, request, get_commit::handle).await,
        Function::ListBranches => respond(app, request, list_branches::handle).await,
        Function::GetBranch => respond(app, request, get_branch::handle).await,
        Function::GetUser => respond(app, request, get_user::handle).await,
        Function::GetJob => respond(app, request, get_job::handle).await,
        Function::GetVersion => respond(app, request, get_version::handle).await,
        Function::Web => web::handle(app, request).await,
    }
}
