//! `GET /projects/:id/releases`: the releases of a project, the latest first.

use lambda_http::{Body, Request, Response};
use shared::app::App;
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
    let listed = in_order(entered.listed, &listing);

    let (releases, total) = if listing.updated_before.or(listing.updated_after).is_some() {
        // When a release was last changed is a matter of its links too: all have to be read.
        let tags = listed.into_iter().map(|listed| listed.tag);
        let mut found = app.store.releases_with_links(project, tags, call.deadline).await?;
        found.retain(|(release, links)| {
            let touched = release.touched_at(links);
            listing.updated_before.is_none_or(|before| touched <= before)
                && listing.updated_after.is_none_or(|after| touched >= after)
        });
        let total = found.len();
        (listing.page.rows(&found).to_vec(), total)
    } else {
        let tags = listing.page.rows(&listed).iter().map(|listed| listed.tag.clone());
        (app.store.releases_with_links(project, tags, call.deadline).await?, listed.len())
    };
    let mut answer = release_body::answer_list(&call, &entered.admission, releases)?;
    answer.headers.extend(listing.page.headers(&call, total, &release_params::LISTING_DEFAULTS));
    Ok(answer)
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
