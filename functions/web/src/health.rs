//! GitLab's health checks, for load balancers and monitors. They take no token.

use lambda_http::Request;
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::domain::project::{ProjectId, ProjectRef};
use shared::store::query::LatestRelease;
use shared::store::read::Wanted;

/// Answers a check. `None` if the path is none's.
pub(crate) async fn answer(
    app: &App,
    http_request: &Request,
    path: &str,
) -> Option<Result<ApiResponse, ApiError>> {
    match path {
        "/-/health" => Some(Ok(ApiResponse {
            status: StatusCode::OK,
            headers: HeaderMap::from_iter([
                (header::CONTENT_TYPE, HeaderValue::from_static("text/plain")),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ]),
            body: "GitLab OK".to_owned(),
        })),
        "/-/liveness" => Some(status(StatusCode::OK, &json!({ "status": "ok" }))),
        "/-/readiness" => Some(readiness(app, http_request).await),
        _ => None,
    }
}

/// Whether both tables answer.
async fn readiness(app: &App, http_request: &Request) -> Result<ApiResponse, ApiError> {
    let request = Box::pin(ApiRequest::read(app, http_request)).await?;
    // No project has this number.
    let project = ProjectRef::Id(ProjectId(0));
    let answer =
        app.store.look(&Wanted::default(), &project, &LatestRelease, request.deadline).await;
    let (code, word) = match answer {
        Ok(_) => (StatusCode::OK, "ok"),
        // Every other request logs the cause.
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "failed"),
    };
    let body = json!({
        "status": word,
        "master_check": [{ "status": "ok" }],
        "db_check": [{ "status": word }],
    });
    status(code, &body)
}

fn status(code: StatusCode, body: &Value) -> Result<ApiResponse, ApiError> {
    let mut answer = ApiResponse::json(code, body)?;
    answer.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}
