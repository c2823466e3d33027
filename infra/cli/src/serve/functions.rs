//! The functions that routes lead to. Rendered by `cargo run -p render`: make changes there.

use lambda_http::{Body, Request, Response};
use shared::api::respond::respond;
use shared::app::App;
use shared::routes::Function;

/// Hands a request to the function that its route leads to.
pub(super) async fn invoke(
    app: &'static App,
    function: Function,
    request: Request,
) -> Response<Body> {
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
