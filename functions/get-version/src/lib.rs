//! `GET /version`: the GitLab this API is like. Clients choose by it what they send.

use http::StatusCode;
use serde::Serialize;
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;

/// The GitLab whose behaviour is followed. From 17 on clients send `direct_asset_path`.
const VERSION: &str = "18.0.0";

/// Answers with the version.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    request.user(app, &request.credentials.without_job_tokens()).await?;
    ApiResponse::json(
        StatusCode::OK,
        &VersionBody {
            version: VERSION,
            revision: concat!("release-links-", env!("CARGO_PKG_VERSION")),
            enterprise: false,
        },
    )
}

#[derive(Serialize)]
struct VersionBody {
    version: &'static str,
    revision: &'static str,
    enterprise: bool,
}
