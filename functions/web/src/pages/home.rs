//! The first page: the projects that the viewer may see, and a search by path.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::api::page_urls::{project_url, release_url};
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::authorize::access::ProjectAccess;
use shared::domain::project::{ListedProject, ProjectId};
use shared::domain::project_search::{PathPart, ProjectSearch};
use shared::store::query::ReleaseIndexEntry;
use url::form_urlencoded;

use super::document::{Document, Viewer, time};
use super::project::visibility;
use super::session;

const SEARCH: &str = "search";
/// The number below which the projects of this page are.
const BEFORE: &str = "before";
const PROJECTS_A_PAGE: usize = 20;

pub(crate) async fn answer(app: &App, http_request: &Request) -> Result<ApiResponse, ApiError> {
    let mut request = Box::pin(ApiRequest::read(app, http_request)).await?;
    let has_cookie = session::add_cookie(&mut request, http_request);
    let caller = match request.caller(app, &request.credentials).await {
        Ok(caller) => caller,
        Err(error) => return session::refused(&request, http_request, has_cookie, error),
    };
    let before = request.text(BEFORE).and_then(|number| number.parse().ok()).map(ProjectId);
    let searched = request.text(SEARCH).unwrap_or_default().trim();
    let search = ProjectSearch::parse(searched, PathPart::Whole);

    let (newest, has_more) = app.store.newest_projects(before, request.deadline).await?;
    let last_read = newest.last().map(|project| project.id);
    let mut found: Vec<ListedProject> = newest
        .into_iter()
        .filter(|project| search.finds(&project.path) && caller.may_see(project))
        .collect();
    let more = if found.len() > PROJECTS_A_PAGE {
        found.truncate(PROJECTS_A_PAGE);
        found.last().map(|project| project.id)
    } else {
        last_read.filter(|_| has_more)
    };
    let ids: Vec<ProjectId> = found.into_iter().map(|project| project.id).collect();
    let (projects, latest) = tokio::try_join!(
        app.store.read_projects(&ids, request.deadline),
        app.store.latest_releases(&ids, request.deadline),
    )?;
    // A project may have become private since the list was read.
    let admit = |project| ProjectAccess::to_project(caller.clone(), Some(project), &[]).ok();
    let shown: Vec<(ProjectAccess, Option<&ReleaseIndexEntry>)> = projects
        .into_iter()
        .filter_map(|project| {
            let place = ids.iter().position(|id| *id == project.id)?;
            Some((admit(project)?, latest[place].as_ref()))
        })
        .collect();

    let user = caller.user();
    let viewer = Viewer::of(user.as_ref());
    let document = Document {
        base: &request.base,
        title: "Projects",
        viewer,
        feed: None,
        is_public: true,
        main: main(&request, searched, &shown, before, more),
    };
    Ok(document.answer(StatusCode::OK))
}

fn main(
    request: &ApiRequest,
    searched: &str,
    shown: &[(ProjectAccess, Option<&ReleaseIndexEntry>)],
    before: Option<ProjectId>,
    more: Option<ProjectId>,
) -> Markup {
    let root = request.base.path();
    html! {
        h1 { "Projects" }
        form.search role="search" action={ (root) "/" } {
            label for="search" { "Search projects by path" }
            input #search name=(SEARCH) type="search" placeholder="mygroup/app" value=[Some(searched).filter(|text| !text.is_empty())];
            button { "Search" }
        }
        @if shown.is_empty() {
            p { (nothing(searched, more.is_some())) }
        } @else {
            ul.projects {
                @for (access, latest) in shown {
                    li { (entry(request, access, *latest)) }
                }
            }
        }
        @if before.or(more).is_some() {
            nav.pages aria-label="Pages" {
                @if before.is_some() { a href=(page(root, searched, None)) { "Newest projects" } }
                @if more.is_some() { a rel="next" href=(page(root, searched, more)) { "Older projects" } }
            }
        }
    }
}

fn nothing(searched: &str, has_more: bool) -> &'static str {
    match (searched.is_empty(), has_more) {
        (_, true) => "None of the newest projects. There are older ones.",
        (true, false) => "There is no project here that you may see.",
        (false, false) => "No project that you may see has all of these words in its path.",
    }
}

fn entry(
    request: &ApiRequest,
    access: &ProjectAccess,
    latest: Option<&ReleaseIndexEntry>,
) -> Markup {
    let project = access.project();
    let url = project_url(&request.base, project);
    let latest = latest.filter(|_| access.may_read_releases().is_ok());
    html! {
        a.path href=(url) { (project.path.as_str()) }
        p.about {
            @match latest {
                Some(latest) => {
                    @if access.may_read_code().is_ok() {
                        a.tag href=(release_url(&url, &latest.tag)) { (latest.tag.as_str()) }
                    } @else {
                        span.tag { (latest.tag.as_str()) }
                    }
                    (time(latest.released_at))
                }
                None => span { "No releases" },
            }
            (visibility(project))
        }
    }
}

/// The URL of a page of the same search.
fn page(root: &str, searched: &str, before: Option<ProjectId>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if !searched.is_empty() {
        query.append_pair(SEARCH, searched);
    }
    if let Some(before) = before {
        query.append_pair(BEFORE, &before.to_string());
    }
    let query = query.finish();
    if query.is_empty() { format!("{root}/") } else { format!("{root}/?{query}") }
}
