//! `GET /projects/:id/repository/tags`: the tags that have releases, the newest first.

mod listing;
mod version_order;

use shared::api::tag_body::{self, TagPage};
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::domain::release_key::ReleaseKey;
use shared::store::query::ReleaseList;

use listing::Listing;

/// How many releases, each of up to 400 KB, are held at once besides what is answered.
const AT_ONCE: usize = 25;

/// Answers with a page of the project's tags.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (access, first) = request.authorize_project(app, &ReleaseList).await?;
    access.may_read_code()?;
    let listing = Listing::read(&request)?;
    // A tag is known by its release, and so only to callers who may see that.
    let is_known = access.may_read_releases().is_ok();
    let listed =
        if is_known { app.store.all_entries(first, request.deadline).await? } else { Vec::new() };
    let tags = listing.arrange(listed);
    let project = access.project().id;
    let keys: Vec<_> = listing
        .page
        .rows(&tags)
        .iter()
        .map(|listed| ReleaseKey { project, tag: listed.tag.clone() })
        .collect();
    let mut page = TagPage::new(keys.len());
    for chunk in keys.chunks(AT_ONCE) {
        for release in app.store.get_releases(chunk, request.deadline).await? {
            page.push(release);
        }
    }
    let mut answer = tag_body::answer_list(&request, &access, &page)?;
    answer.headers.extend(listing.page.headers(&request, tags.len(), &listing::REPEATED));
    Ok(answer)
}
