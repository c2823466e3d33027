//! `GET /projects/:id/releases`: the releases of a project, the latest first.

use lambda_http::{Body, Request, Response};
use shared::app::App;
use shared::domain::project::ProjectId;
use shared::domain::release::TagName;
use shared::http::admit::enter_releases;
use shared::http::release_params::{self, Listing, OrderBy};
use shared::http::respond::respond;
use shared::http::{Answer, ApiError, Call, release_body};
use shared::store::read::{Listed, Selection};

/// Answers with a page of the project's releases, their links included.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    respond(app, request, list).await
}

async fn list(app: &App, call: Call) -> Result<Answer, ApiError> {
    let entered = enter_releases(app, &call, Selection::List).await?;
    let listing = release_params::list(&call)?;
    let project = entered.admission.project().id;
    let mut tags: Vec<TagName> =
        in_order(entered.listed, &listing).into_iter().map(|listed| listed.tag).collect();
    if listing.updated_before.or(listing.updated_after).is_some() {
        tags = touched(app, &call, &listing, project, tags).await?;
    }
    let page = listing.page.rows(&tags).to_vec();
    let releases = app.store.releases_with_links(project, page, call.deadline).await?;
    let mut answer = release_body::answer_list(&call, &entered.admission, releases)?;
    answer.headers.extend(listing.page.headers(
        &call,
        tags.len(),
        &release_params::LISTING_REPEATED,
    ));
    Ok(answer)
}

/// How many releases, with all their links, are held at once while looking for some.
const AT_ONCE: usize = 100;

/// Those of the tags whose releases were last changed when the listing wants it. That is a matter of
/// their links too: all have to be read.
async fn touched(
    app: &App,
    call: &Call,
    listing: &Listing,
    project: ProjectId,
    tags: Vec<TagName>,
) -> Result<Vec<TagName>, ApiError> {
    let mut found = Vec::new();
    for chunk in tags.chunks(AT_ONCE) {
        let chunk = chunk.iter().cloned();
        let releases = app.store.releases_with_links(project, chunk, call.deadline).await?;
        for (release, links) in releases {
            let touched = release.touched_at(&links);
            if listing.updated_before.is_none_or(|before| touched <= before)
                && listing.updated_after.is_none_or(|after| touched >= after)
            {
                found.push(release.key.tag);
            }
        }
    }
    Ok(found)
}

/// The entries of the list, which come with the latest `released_at` first, as they were asked for.
fn in_order(mut listed: Vec<Listed>, listing: &Listing) -> Vec<Listed> {
    match listing.order_by {
        OrderBy::ReleasedAt => {}
        OrderBy::CreatedAt => listed.sort_by_key(|one| std::cmp::Reverse(one.created_at)),
    }
    if !listing.descending {
        listed.reverse();
    }
    listed
}
