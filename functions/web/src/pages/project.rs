//! The page of a project: its releases, the newest first.

use lambda_http::http::StatusCode;
use maud::{Markup, PreEscaped, html};
use shared::api::page_urls::{project_url, release_url};
use shared::api::pagination::Page;
use shared::api::{ApiError, ApiRequest, ApiResponse, markdown, release_body};
use shared::app::App;
use shared::domain::project::{Project, ProjectRef, Visibility};
use shared::domain::release::Description;
use shared::domain::tag_name::TagName;
use shared::domain::web_url::WebUrl;
use shared::store::fitting::{Room, WithLinks};
use shared::store::query::ReleaseList;

use super::document::{Document, Viewer, is_public};
use super::release::{about, file, permanent_url, title_of};

/// As much of a release's notes as its card shows, in bytes of Markdown.
const NOTES_BYTES: usize = 1_000;
/// Links that the card of a release shows.
const FILES: usize = 10;
/// Links of a release are read into this many bytes, as the API counts them.
const MAX_LINK_BYTES: usize = 64 * 1024;

pub(super) async fn answer(
    app: &App,
    request: &ApiRequest,
    project: &ProjectRef,
) -> Result<ApiResponse, ApiError> {
    let (access, first) = request.authorize_releases_of(app, project, &ReleaseList).await?;
    let page = Page::read(request)?;
    let latest = first.entries().first().map(|latest| latest.tag.clone());
    let due = release_body::deadline(request);
    let listed = app.store.all_entries(first, due).await?;
    let tags: Vec<TagName> = listed.into_iter().map(|listed| listed.tag).collect();
    let frame = release_body::Frame::new(request, &access);
    let shown = page.rows(&tags);
    let room = Room::new(&frame, MAX_LINK_BYTES * shown.len().max(1), shown.len());
    let project = access.project();
    let releases = app.store.releases_with_links(project.id, shown, &room, due).await?;

    let url = project_url(&request.base, project);
    let feed = format!("{url}/-/releases.atom");
    let path = project.path.as_str();
    let reads_code = access.may_read_code().is_ok();
    let main = html! {
        h1 { (path) }
        p.about {
            span { (tags.len()) @if tags.len() == 1 { " release" } @else { " releases" } }
            (visibility(project))
            a href=(feed) { "Atom feed" }
        }
        @for release in &releases {
            (card(&request.base, &url, project, release, latest.as_ref() == Some(&release.0.key.tag), reads_code))
        }
        @if tags.is_empty() {
            p { "This project has no releases yet." }
        }
        (others(&page, &url, tags.len()))
    };
    let document = Document {
        base: &request.base,
        title: &format!("Releases · {path}"),
        viewer: Viewer::of(access.user()),
        feed: Some(&feed),
        is_public: is_public(request, &access),
        main,
    };
    Ok(document.answer(StatusCode::OK))
}

fn card(
    base: &WebUrl,
    url: &str,
    project: &Project,
    (release, links): &WithLinks,
    is_latest: bool,
    reads_code: bool,
) -> Markup {
    let shown = &links.links[..links.links.len().min(FILES)];
    let page = release_url(url, &release.key.tag);
    let notes = release.description.as_ref().map(Description::as_str).unwrap_or_default();
    let beginning = &notes[..notes.floor_char_boundary(NOTES_BYTES)];
    html! {
        article {
            h2 { @if reads_code { a href=(page) { (title_of(release)) } } @else { (title_of(release)) } }
            (about(release, is_latest, project))
            @if !notes.is_empty() {
                div.notes { (PreEscaped(markdown::to_html(beginning, 2))) }
            }
            @if reads_code {
                @if !shown.is_empty() {
                    details open[is_latest] {
                        summary { "Assets " span.count { (links.count) } span.hidden { " of " (title_of(release)) } }
                        ul.assets {
                            @for link in shown {
                                li { (file(base, link, permanent_url(url, &release.key.tag, link).as_deref())) }
                            }
                        }
                    }
                }
                @if shown.len() < links.count || beginning.len() < notes.len() {
                    p { a href=(page) {
                        @if shown.len() < links.count { "All " (links.count) " assets" }
                        @else { "All notes" }
                        span.hidden { " of " (title_of(release)) }
                    } }
                }
            }
        }
    }
}

/// A project's visibility, unless it is public.
pub(super) fn visibility(project: &Project) -> Markup {
    html! {
        @if project.visibility != Visibility::Public { span.label { (project.visibility.as_str()) } }
    }
}

/// The ways to the pages before and after this one.
fn others(page: &Page, url: &str, total: usize) -> Markup {
    let link = |number: u64| format!("{url}/-/releases?page={number}");
    let (previous, next) = (page.previous(total), page.next(total));
    html! {
        @if previous.or(next).is_some() {
            nav.pages aria-label="Pages" {
                @if let Some(previous) = previous { a rel="prev" href=(link(previous)) { "Newer" } }
                @if let Some(next) = next { a rel="next" href=(link(next)) { "Older" } }
            }
        }
    }
}
