//! The page of a release: its notes, its files, and how to fetch them.

use lambda_http::http::StatusCode;
use maud::{Markup, PreEscaped, html};
use shared::api::page_urls::{direct_asset_url, project_url, release_url, segment};
use shared::api::sources::sources;
use shared::api::{ApiError, ApiRequest, ApiResponse, markdown, release_body};
use shared::app::App;
use shared::authorize::access::ProjectAccess;
use shared::domain::link::{Link, LinkType};
use shared::domain::project::{Project, ProjectRef};
use shared::domain::publisher::PublishedBy;
use shared::domain::release::{Description, Release, ReleaseName};
use shared::domain::tag_name::TagName;
use shared::domain::time::Timestamp;
use shared::domain::web_url::WebUrl;
use shared::store::fitting::{Choice, Room, SomeLinks};
use shared::store::query::ReleaseAndLatest;

use super::document::{Document, Viewer, command, is_public, quoted, time};

/// Links are read into this many bytes, as the API counts them; a page takes several times that.
const MAX_LINK_BYTES: usize = 1024 * 1024;
/// The most bytes of a page: Lambda hands on six megabytes of JSON, in which quotes take two bytes.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Digits of a commit that are shown.
const SHORT_SHA: usize = 8;
/// Links of a group that are shown before the reader unfolds the rest.
const SHOWN: usize = 50;

pub(super) async fn answer(
    app: &App,
    request: &ApiRequest,
    project: &ProjectRef,
    tag: &TagName,
) -> Result<ApiResponse, ApiError> {
    let query = ReleaseAndLatest(tag.clone());
    let (access, (found, latest)) = request.authorize_releases_of(app, project, &query).await?;
    access.may_read_code().map_err(|_| ApiError::RouteNotFound)?;
    let (release, links) = found.ok_or(ApiError::RouteNotFound)?;
    let frame = release_body::Frame::new(request, &access);
    let room = Room::new(&frame, MAX_LINK_BYTES, 1);
    let due = release_body::deadline(request);
    let found = app.store.links_of(release, links, Choice::Newest, &room, due).await?;
    let (release, links) = found.ok_or(ApiError::RouteNotFound)?;
    let latest = latest.as_ref().map(|latest| &latest.tag);
    let has_digests = links.links.iter().any(|link| link.fields.contents.digest.is_some());
    let page = Page { request, access: &access, release: &release, latest, has_digests };
    let answer = page.document(&links);
    if answer.body.len() <= MAX_PAGE_BYTES {
        return Ok(answer);
    }
    Ok(page.document(&SomeLinks { links: Vec::new(), count: links.count }))
}

struct Page<'a> {
    request: &'a ApiRequest,
    access: &'a ProjectAccess,
    release: &'a Release,
    latest: Option<&'a TagName>,
    has_digests: bool,
}

impl Page<'_> {
    fn document(&self, links: &SomeLinks) -> ApiResponse {
        let project = self.access.project();
        let url = project_url(&self.request.base, project);
        let title = format!("{} · {}", title_of(self.release), project.path.as_str());
        let feed = format!("{url}/-/releases.atom");
        let notes = self.release.description.as_ref().map(Description::as_str).unwrap_or_default();
        let main = html! {
            nav aria-label="Breadcrumb" { a href=(url) { (project.path.as_str()) } }
            h1 { (title_of(self.release)) }
            (about(self.release, self.latest == Some(&self.release.key.tag), project))
            @if let Some(latest) = self.latest && *latest != self.release.key.tag {
                p.notice { "The latest release is " a href=(release_url(&url, latest)) { (latest.as_str()) } "." }
            }
            @if !notes.is_empty() {
                div.notes { (PreEscaped(markdown::to_html(notes, 1))) }
            }
            (self.assets(links))
            (self.latest(&url, &feed, &links.links))
        };
        let document = Document {
            base: &self.request.base,
            title: &title,
            viewer: Viewer::of(self.access.user()),
            feed: Some(&feed),
            is_public: is_public(self.request, self.access),
            main,
        };
        document.answer(StatusCode::OK)
    }

    fn assets(&self, links: &SomeLinks) -> Markup {
        let sources = sources(self.access.project().source_url.as_ref(), &self.release.key.tag);
        let hidden = links.count.saturating_sub(links.links.len());
        let needs_token = !self.access.is_open_to_everybody();
        html! {
            section {
                h2 { "Assets " span.count { (links.count + sources.len()) } }
                @if needs_token && links.links.iter().any(|link| link.fields.path.is_some()) {
                    p { "The commands need an access token in the variable " code { "RELEASE_LINKS_TOKEN" } "." }
                }
                @for (link_type, heading) in GROUPS {
                    (self.group(heading, &links_in(&links.links, link_type)))
                }
                @if hidden > 0 {
                    p { (hidden) " more links do not fit on this page. The API lists them all: "
                        code { "GET " (self.api()) "/assets/links" } }
                }
                @if self.has_digests {
                    p { "SHA-256 of the files, for " code { "sha256sum --check" } ": "
                        a href={ (self.page()) "/SHA256SUMS" } { "SHA256SUMS" } }
                }
                @if !sources.is_empty() {
                    h3 { "Source code" }
                    ul.assets {
                        @for source in &sources {
                            li { a href=(source.url) rel="nofollow" { (source.format) } }
                        }
                    }
                }
                @if links.count + sources.len() == 0 { p { "This release has no files." } }
            }
        }
    }

    fn api(&self) -> String {
        let project = self.access.project().id;
        let base = &self.request.base;
        format!("{base}/api/v4/projects/{project}/releases/{}", segment(&self.release.key.tag))
    }

    fn page(&self) -> String {
        let project = project_url(&self.request.base, self.access.project());
        release_url(&project, &self.release.key.tag)
    }

    fn group(&self, heading: &str, links: &[&Link]) -> Markup {
        let (shown, rest) = links.split_at(links.len().min(SHOWN));
        html! {
            @if !links.is_empty() {
                h3 { (heading) @if !rest.is_empty() { " " span.count { (links.len()) } } }
                ul.assets { @for link in shown { (self.asset(link)) } }
                @if !rest.is_empty() {
                    details {
                        summary { "Show " (rest.len()) " more" }
                        ul.assets { @for link in rest { (self.asset(link)) } }
                    }
                }
            }
        }
    }

    fn asset(&self, link: &Link) -> Markup {
        let project = project_url(&self.request.base, self.access.project());
        let permanent = permanent_url(&project, &self.release.key.tag, link);
        let name = link.fields.name.as_str();
        let digest = link.fields.contents.digest.as_ref();
        html! {
            li {
                (file(&self.request.base, link, permanent.as_deref()))
                @if let Some(permanent) = &permanent {
                    details.command {
                        summary { "curl" span.hidden { " command for " (name) } }
                        (command(&self.download(link, permanent)))
                        @if let Some(digest) = digest { (command(digest.as_str())) }
                        (self.origin(link))
                    }
                } @else if let Some(digest) = digest {
                    details.command {
                        summary { "SHA-256" span.hidden { " of " (name) } }
                        (command(digest.as_str()))
                        (self.origin(link))
                    }
                } @else if link.published_by != self.release.published_by {
                    details.command {
                        summary { "Origin" span.hidden { " of " (name) } }
                        (self.origin(link))
                    }
                }
            }
        }
    }

    /// Who published a link, if that is not who published its release.
    fn origin(&self, link: &Link) -> Markup {
        html! {
            @if link.published_by != self.release.published_by {
                @if let Some(job) = &link.published_by { p { "Published by " (job_of(job)) } }
                @else { p { "Not published by the job of the release" } }
            }
        }
    }

    /// A command that downloads a link's file from this URL, and saves it under the link's name if that
    /// is a file name.
    fn download(&self, link: &Link, url: &str) -> String {
        let token = if self.access.is_open_to_everybody() {
            ""
        } else {
            r#"-H "Authorization: Bearer $RELEASE_LINKS_TOKEN" "#
        };
        let name = link.fields.name.as_str();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
        let save = if name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(is_plain)
        {
            format!("-fLo {name}")
        } else {
            "-fLO".to_owned()
        };
        format!("curl {save} {token}{}", quoted(url))
    }

    fn latest(&self, url: &str, feed: &str, links: &[Link]) -> Markup {
        let latest = format!("{url}/-/releases/permalink/latest");
        let mut with_path = links.iter().filter(|link| link.fields.path.is_some());
        let first = with_path.clone().next();
        let example = with_path.find(|link| link.fields.link_type == LinkType::Package).or(first);
        let example = example.and_then(|link| Some((link, link.fields.path.as_ref()?)));
        let badge = format!("[![Latest release]({url}/-/badges/release.svg)]({latest})");
        html! {
            section {
                h2 { "Links to the latest release" }
                p { "These always lead to the latest release of this project: "
                    a href=(latest) { "its page" } ", " a href=(feed) { "the Atom feed" }
                    @if example.is_some() { ", and each file that has the same path in every release, for example:" }
                    @else { "." }
                }
                @if let Some((link, path)) = example {
                    (command(&self.download(link, &format!("{latest}/downloads{}", path.as_str()))))
                }
                @if self.access.is_open_to_everybody() {
                    p { img src={ (url) "/-/badges/release.svg" } alt="Latest release"; " in Markdown:" }
                    (command(&badge))
                }
            }
        }
    }
}

/// The kinds of links in the order of the page.
const GROUPS: [(LinkType, &str); 4] = [
    (LinkType::Package, "Packages"),
    (LinkType::Image, "Images"),
    (LinkType::Runbook, "Runbooks"),
    (LinkType::Other, "Other"),
];

fn links_in(links: &[Link], link_type: LinkType) -> Vec<&Link> {
    links.iter().filter(|link| link.fields.link_type == link_type).collect()
}

/// The URL of a link's file that stays when the file moves, if the link has a path. `project` is the
/// URL of its project.
pub(super) fn permanent_url(project: &str, tag: &TagName, link: &Link) -> Option<String> {
    Some(direct_asset_url(project, tag, link.fields.path.as_ref()?))
}

/// A file of a list: its name, its host if that is another than this server, and its size if that is
/// known.
pub(super) fn file(base: &WebUrl, link: &Link, permanent: Option<&str>) -> Markup {
    let url = link.fields.url.as_str();
    let base = base.to_string();
    html! {
        a.file href=(permanent.unwrap_or(url)) rel="nofollow noopener noreferrer" {
            (link.fields.name.as_str())
        }
        @if host(url) != host(&base) { " " span.host { (host(url)) } }
        @if let Some(size) = link.fields.contents.size { " " span.size { (size) } }
    }
}

/// The host of a link's target, as it is written.
fn host(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// A release's name; its tag if it has none.
pub(super) fn title_of(release: &Release) -> &str {
    release.name.as_ref().map_or(release.key.tag.as_str(), ReleaseName::as_str)
}

/// The line below a release's title.
pub(super) fn about(release: &Release, is_latest: bool, project: &Project) -> Markup {
    let now = Timestamp::now();
    let is_upcoming = release.released_at > now;
    let is_immutable = project.policies.is_immutable(release.created_at, now);
    html! {
        p.about {
            span.tag { (release.key.tag.as_str()) }
            @if is_upcoming { span.label.upcoming { "Upcoming" } }
            @else if is_latest { span.label.latest { "Latest" } }
            @if is_pre_release(&release.key.tag) { span.label.pre { "Pre-release" } }
            @if is_immutable { span.label { "Immutable" } }
            span { (time(release.released_at)) " by " (release.author.username) }
            @if let Some(commit) = &release.commit { span { "Commit " code { (commit.short()) } } }
            @if let Some(job) = &release.published_by { span { "Published by " (job_of(job)) } }
        }
    }
}

/// A job, as its ID token describes it.
fn job_of(job: &PublishedBy) -> Markup {
    let PublishedBy { issuer, project_path, job_id, run_id, sha } = job;
    html! {
        @if let Some(id) = job_id { "job " (id) } @else if let Some(id) = run_id { "run " (id) } @else { "a job" }
        " of " (project_path.as_deref().unwrap_or_default()) " on " (issuer.as_str())
        @if let Some(sha) = sha { " at " code { (&sha[..sha.len().min(SHORT_SHA)]) } }
    }
}

/// Whether a tag is a pre-release by Semantic Versioning, with or without a `v` before it.
fn is_pre_release(tag: &TagName) -> bool {
    let version = tag.as_str().strip_prefix('v').unwrap_or(tag.as_str());
    semver::Version::parse(version).is_ok_and(|version| !version.pre.is_empty())
}
