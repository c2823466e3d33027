//! The Atom feed of a project's releases.

use lambda_http::http::StatusCode;
use maud::{Markup, PreEscaped, html};
use shared::api::page_urls::{project_url, release_url};
use shared::api::{ApiError, ApiRequest, ApiResponse, markdown, release_body};
use shared::app::App;
use shared::domain::project::ProjectRef;
use shared::domain::release::Description;
use shared::domain::tag_name::TagName;
use shared::store::fitting::Room;
use shared::store::query::ReleaseList;

use super::document::{cache, is_public, typed};
use super::release::title_of;

/// Releases in a feed, the newest ones.
const ENTRIES: usize = 20;

pub(super) async fn answer(
    app: &App,
    request: &ApiRequest,
    project: &ProjectRef,
) -> Result<ApiResponse, ApiError> {
    let (access, first) = request.authorize_releases_of(app, project, &ReleaseList).await?;
    access.may_read_code().map_err(|_| ApiError::RouteNotFound)?;
    let due = release_body::deadline(request);
    let tags: Vec<TagName> =
        first.entries().iter().take(ENTRIES).map(|listed| listed.tag.clone()).collect();
    let frame = release_body::Frame::new(request, &access);
    let room = Room::new(&frame, release_body::MAX_BYTES / 4, tags.len());
    let project = access.project();
    let releases = app.store.releases_with_links(project.id, &tags, &room, due).await?;

    let path = project.path.as_str();
    let (_, name) = project.path.split();
    let url = project_url(&request.base, project);
    let page = format!("{url}/-/releases");
    let updated = releases.iter().map(|(release, _)| release.updated_at).max();
    let mut left = release_body::MAX_BYTES / 4;
    let entries = releases.iter().map(|(release, _)| {
        let release_page = release_url(&url, &release.key.tag);
        let notes = release.description.as_ref().map(Description::as_str).unwrap_or_default();
        let notes = xml(&markdown::to_html(notes, 0));
        // Notes beyond the feed's size limit are left out: readers follow the entry's link to them.
        let fits = left.checked_sub(notes.len()).map(|rest| left = rest).is_some();
        html! {
            entry {
                id { (release_page) }
                title { (xml(title_of(release))) }
                link rel="alternate" type="text/html" href=(release_page) {}
                published { (release.released_at) }
                updated { (release.updated_at) }
                author { name { (xml(&release.author.username)) } }
                @if fits { content type="html" { (notes) } }
            }
        }
    });
    let entries: Vec<Markup> = entries.collect();
    let feed = html! {
        (PreEscaped(r#"<?xml version="1.0" encoding="UTF-8"?>"#)) "\n"
        feed xmlns="http://www.w3.org/2005/Atom" {
            id { (page) }
            title { (name) " releases" }
            subtitle { (path) }
            link rel="alternate" type="text/html" href=(page) {}
            link rel="self" type="application/atom+xml" href={ (page) ".atom" } {}
            updated { (updated.unwrap_or(project.created_at)) }
            @for entry in &entries { (entry) }
        }
    };
    let mut answer = typed("application/atom+xml; charset=utf-8", feed.into_string());
    answer.status = StatusCode::OK;
    cache(&mut answer, is_public(request, &access));
    Ok(answer)
}

/// A text without the characters that XML cannot hold, even escaped.
fn xml(text: &str) -> String {
    let is_allowed = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(is_allowed).collect()
}
