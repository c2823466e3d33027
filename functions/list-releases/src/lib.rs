//! `GET /projects/:id/releases`: the releases of a project, the latest first.

use shared::api::release_body::{self, Frame};
use shared::api::release_params::{self, Listing, OrderBy};
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::domain::project::ProjectId;
use shared::domain::tag_name::TagName;
use shared::domain::time::Timestamp;
use shared::store::deadline::Deadline;
use shared::store::query::{ReleaseIndexEntry, ReleaseList};

/// Answers with a page of the project's releases, their links included.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (access, first) = request.authorize_releases(app, &ReleaseList).await?;
    let listing = release_params::list(&request)?;
    let due = release_body::deadline(&request);
    let project = access.project().id;
    let listed = app.store.all_entries(first, due).await?;
    let mut tags: Vec<TagName> =
        in_order(listed, &listing).into_iter().map(|listed| listed.tag).collect();
    if listing.updated_before.or(listing.updated_after).is_some() {
        tags = touched(app, due, &listing, project, tags).await?;
    }
    let page = listing.page.rows(&tags);
    let frame = Frame::new(&request, &access).with_html(listing.includes_html);
    let room = frame.room(page.len());
    let releases = app.store.releases_with_links(project, page, &room, due).await?;
    let mut answer = release_body::answer_list(&frame, &releases)?;
    let headers = listing.page.headers(&request, tags.len(), &release_params::LISTING_REPEATED);
    answer.headers.extend(headers);
    Ok(answer)
}

/// Those of the tags whose releases were last changed when the listing wants it. That is a matter of
/// their links too: all have to be read, and none is kept.
async fn touched(
    app: &App,
    due: Deadline,
    listing: &Listing,
    project: ProjectId,
    tags: Vec<TagName>,
) -> Result<Vec<TagName>, ApiError> {
    let touched = app.store.last_activity_at(project, &tags, due).await?;
    let is_wanted = |touched: &Timestamp| {
        listing.updated_before.is_none_or(|before| *touched <= before)
            && listing.updated_after.is_none_or(|after| *touched >= after)
    };
    let found = tags.into_iter().zip(touched);
    Ok(found.filter(|(_, at)| at.as_ref().is_some_and(is_wanted)).map(|(tag, _)| tag).collect())
}

/// The entries of the list, which come with the latest `released_at` first, as they were asked for.
fn in_order(mut listed: Vec<ReleaseIndexEntry>, listing: &Listing) -> Vec<ReleaseIndexEntry> {
    match listing.order_by {
        OrderBy::ReleasedAt => {}
        OrderBy::CreatedAt => listed.sort_by_key(|one| std::cmp::Reverse(one.created_at)),
    }
    if !listing.descending {
        listed.reverse();
    }
    listed
}
