//! A release as GitLab shows it, as far as that can be known without its repository.

use std::time::Duration;

use http::StatusCode;
use serde::Serialize;
use url::form_urlencoded;

use super::commit_body::{self, CommitBody};
use super::error::ApiError;
use super::link_body::LinkBody;
use super::markdown;
use super::page_urls::{project_url, release_url, segment, segment_bytes};
use super::request::ApiRequest;
use super::response::{ApiResponse, to_json};
use super::sources::{SourceBody, sources};
use super::user_body::UserBody;
use crate::authorize::access::ProjectAccess;
use crate::domain::link::{Contents, Link, LinkFields};
use crate::domain::project::Project;
use crate::domain::publisher::PublishedBy;
use crate::domain::release::{Description, Release, ReleaseName};
use crate::domain::time::Timestamp;
use crate::domain::web_url::WebUrl;
use crate::store::deadline::Deadline;
use crate::store::fitting::{Room, SomeLinks, Weigh, WithLinks};

/// A release, with its keys in GitLab's order.
#[derive(Debug, Serialize)]
struct ReleaseBody<'a> {
    name: &'a str,
    tag_name: &'a str,
    description: Option<&'a str>,
    created_at: String,
    released_at: String,
    upcoming_release: bool,
    /// Left out if false: GitLab does not have this key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    immutable: bool,
    /// The job that made it. Left out if none did: GitLab does not have this key.
    #[serde(skip_serializing_if = "Option::is_none")]
    published_by: Option<&'a PublishedBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description_html: Option<String>,
    author: UserBody<'a>,
    #[serde(flatten)]
    code: Option<Code<'a>>,
    assets: Assets<'a>,
    _links: PageLinks,
}

/// Keys that only callers who may read the code see.
#[derive(Debug, Serialize)]
struct Code<'a> {
    commit: CommitBody<'a>,
    commit_path: String,
    tag_path: String,
}

#[derive(Debug, Serialize)]
struct Assets<'a> {
    /// How many links and sources the release has, also where not all links are shown.
    count: usize,
    /// Always a list, which GitLab leaves out for callers who may not read the code: installers
    /// cannot read a release without it.
    sources: Vec<SourceBody>,
    links: Vec<LinkBody<'a>>,
}

/// The URLs of GitLab's pages about the release.
#[derive(Debug, Serialize)]
struct PageLinks {
    closed_issues_url: String,
    closed_merge_requests_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    edit_url: Option<String>,
    merged_merge_requests_url: String,
    opened_issues_url: String,
    opened_merge_requests_url: String,
    #[serde(rename = "self")]
    itself: String,
}

impl<'a> ReleaseBody<'a> {
    /// Shows a release with these links of it.
    fn new(
        frame: &Frame<'_>,
        release: &'a Release,
        notes: Notes<'a>,
        count: usize,
        links: &'a [Link],
    ) -> Self {
        let Frame { base, access, now, .. } = *frame;
        let tag = &release.key.tag;
        let reads_code = access.may_read_code().is_ok();
        let source_url = access.project().source_url.as_ref().filter(|_| reads_code);
        let sources = sources(source_url, tag);
        let count = count.saturating_add(sources.len());
        let links =
            links.iter().map(|link| LinkBody::new(base, access.project(), tag, link)).collect();
        Self {
            name: release.name.as_ref().map_or(tag.as_str(), ReleaseName::as_str),
            tag_name: tag.as_str(),
            description: notes.text,
            created_at: release.created_at.to_string(),
            released_at: release.released_at.to_string(),
            upcoming_release: release.released_at > now,
            immutable: access.is_immutable(release, now),
            published_by: release.published_by.as_deref(),
            description_html: notes.html,
            author: UserBody::new(base, release.author.id, &release.author.username),
            code: reads_code.then(|| Code::new(base, access.project(), release)),
            assets: Assets { count, sources, links },
            _links: PageLinks::new(base, access, release),
        }
    }
}

/// Release notes as they are shown.
#[derive(Default)]
struct Notes<'a> {
    text: Option<&'a str>,
    /// For those who ask for it.
    html: Option<String>,
}

/// The HTML of notes that takes more than so many times the bytes of the notes is cut: no notes that
/// people write do.
const HTML_GROWTH: usize = 16;
/// For the key, and the elements around short notes.
const HTML_FRAME_BYTES: usize = 200;

impl<'a> Notes<'a> {
    /// The notes of a release in at most `share` bytes of an answer, without their end if they are longer.
    fn of(frame: &Frame<'_>, release: &'a Release, share: usize) -> Self {
        let notes = release.description.as_ref().map(Description::as_str);
        let (text, html) = frame.room_for_notes(release, share);
        Self {
            text: notes.map(|notes| beginning(notes, text)),
            html: frame.includes_html.then(|| html_in(notes.unwrap_or_default(), html)),
        }
    }
}

/// As much of the notes as HTML as takes no more than `most` bytes on its way.
fn html_in(notes: &str, most: usize) -> String {
    let mut end = notes.len().min(most);
    loop {
        end = notes.floor_char_boundary(end);
        let html = markdown::to_html(&notes[..end], 0);
        if end == 0 || bytes_of_text(&html) <= most {
            return html;
        }
        end /= 2;
    }
}

impl<'a> Code<'a> {
    fn new(base: &WebUrl, project: &Project, release: &'a Release) -> Self {
        let pages = format!("{}/{}/-", base.path(), project.path.as_str());
        Self {
            commit: CommitBody::for_release(base, project, release),
            commit_path: format!("{pages}/commit/{}", commit_body::id(release)),
            tag_path: format!("{pages}/tags/{}", segment(&release.key.tag)),
        }
    }
}

impl PageLinks {
    fn new(base: &WebUrl, access: &ProjectAccess, release: &Release) -> Self {
        let project_url = project_url(base, access.project());
        let tag = &release.key.tag;
        let of_release: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("release_tag", tag.as_str())
            .finish();
        let list =
            |page, state| format!("{project_url}/-/{page}?{of_release}&scope=all&state={state}");
        let itself = release_url(&project_url, tag);
        Self {
            closed_issues_url: list("issues", "closed"),
            closed_merge_requests_url: list("merge_requests", "closed"),
            edit_url: access.may_write(tag).is_ok().then(|| format!("{itself}/edit")),
            merged_merge_requests_url: list("merge_requests", "merged"),
            opened_issues_url: list("issues", "opened"),
            opened_merge_requests_url: list("merge_requests", "opened"),
            itself,
        }
    }
}

/// The most bytes of releases in one answer. Lambda hands on six megabytes, a little of which is
/// the frame around them.
pub const MAX_BYTES: usize = 5 * 1024 * 1024;
/// How long an answer of [`MAX_BYTES`] takes after the last of it was read: to be rendered, hashed
/// for its `ETag`, put into Lambda's JSON and sent. Lambda gives a function of 512 MB 0.29 of a
/// processor.
const RENDERING: Duration = Duration::from_secs(1);

/// When the database has to have answered for the answer to be rendered before the function's time
/// is over.
#[must_use]
pub fn deadline(request: &ApiRequest) -> Deadline {
    request.deadline.min(before_rendering(request, RENDERING))
}

/// The same for a release that is made, which may take as long as the function has: its answer is
/// hardly more than twice as long as the request, of which 1 MiB is the most.
#[must_use]
pub fn creation_deadline(request: &ApiRequest) -> Deadline {
    before_rendering(request, RENDERING / 2)
}

/// However short the function's time is, half of it is left for the database.
fn before_rendering(request: &ApiRequest, rendering: Duration) -> Deadline {
    let left = request.last_moment.remaining();
    request.last_moment.earlier(rendering.min(left / 2))
}

/// Everything around releases and links in the answers to a call, and the room it takes.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    base: &'a WebUrl,
    access: &'a ProjectAccess,
    /// How long a project's page is.
    project_url_bytes: usize,
    now: Timestamp,
    includes_html: bool,
}

impl<'a> Frame<'a> {
    /// The frame of the answer to this call.
    #[must_use]
    pub fn new(request: &'a ApiRequest, access: &'a ProjectAccess) -> Self {
        Self::at(&request.base, access)
    }

    fn at(base: &'a WebUrl, access: &'a ProjectAccess) -> Self {
        let project_url_bytes = project_url(base, access.project()).len();
        Self { base, access, project_url_bytes, now: Timestamp::now(), includes_html: false }
    }

    /// The same, in which releases have their notes as HTML too, if they are asked for.
    #[must_use]
    pub fn with_html(self, includes_html: bool) -> Self {
        Self { includes_html, ..self }
    }

    /// The room in the answer, for this many releases.
    #[must_use]
    pub fn room(&'a self, releases: usize) -> Room<'a> {
        Room::new(self, MAX_BYTES, releases)
    }

    /// The bytes of a release without its description and links.
    fn bare(&self, release: &Release) -> usize {
        let bare = ReleaseBody::new(self, release, Notes::default(), usize::MAX, &[]);
        to_json(&bare).map_or(MAX_BYTES, |json| bytes_on_the_way(&json))
    }

    /// The most bytes of the text and of the HTML of a release's notes, of a share of an answer.
    fn room_for_notes(&self, release: &Release, share: usize) -> (usize, usize) {
        let text = bytes_of_text(description(release));
        if !self.includes_html {
            return (text.min(share / 2), 0);
        }
        // Not rendered, since many long notes would take long.
        let html = text * HTML_GROWTH + HTML_FRAME_BYTES;
        (text.min(share / 4), html.min(share / 2))
    }
}

/// The most bytes of a link without its texts: keys, quotes, its number and the comma after it; the
/// fixed parts of a `direct_asset_url`, and the encoding of the only character of a path that may need
/// it.
const LINK_FRAME_BYTES: usize = 200;

/// The most bytes of a link's digest, and of its size, with their keys.
const DIGEST_BYTES: usize = 87;
const SIZE_BYTES: usize = 26;
/// The most bytes of the job that published a link without its texts.
const PUBLISHED_BY_BYTES: usize = 90;

impl Weigh for Frame<'_> {
    fn release(&self, release: &Release) -> usize {
        let (text, html) = self.room_for_notes(release, usize::MAX);
        self.bare(release) + text + html
    }

    fn link(&self, release: &Release, link: &Link) -> usize {
        // Counted without being rendered: a release may have far more links than are shown.
        let LinkFields { name, url, path, link_type: _, contents } = &link.fields;
        let Contents { digest, size } = contents;
        let url = bytes_of_text(url.as_str());
        let direct_asset_url = path.as_ref().map_or(url, |path| {
            self.project_url_bytes + segment_bytes(&release.key.tag) + path.as_str().len()
        });
        let digest = digest.as_ref().map_or(0, |_| DIGEST_BYTES);
        let size = size.map_or(0, |_| SIZE_BYTES);
        let published_by = link
            .published_by
            .as_ref()
            .map_or(0, |job| PUBLISHED_BY_BYTES + job.texts().map(bytes_of_text).sum::<usize>());
        let rest = digest + size + published_by + LINK_FRAME_BYTES;
        bytes_of_text(name.as_str()) + url + direct_asset_url + rest
    }

    fn room_for_links(&self, release: &Release, share: usize) -> usize {
        let (text, html) = self.room_for_notes(release, share);
        share.saturating_sub(self.bare(release)).saturating_sub(text + html)
    }
}

fn description(release: &Release) -> &str {
    release.description.as_ref().map(Description::as_str).unwrap_or_default()
}

/// The answer that is one release.
pub fn answer(
    status: StatusCode,
    frame: &Frame<'_>,
    release: &Release,
    links: &SomeLinks,
) -> Result<ApiResponse, ApiError> {
    let share = if weight(frame, release, links) > MAX_BYTES { MAX_BYTES } else { usize::MAX };
    Ok(ApiResponse::from_json(status, to_json(&fitting(frame, release, links, share))?))
}

/// The answer that is a page of a list of releases. Where they do not fit into one, each gets an
/// equal share of it.
pub fn answer_list(frame: &Frame<'_>, releases: &[WithLinks]) -> Result<ApiResponse, ApiError> {
    let weights = releases.iter().map(|(release, links)| weight(frame, release, links));
    let share = if weights.sum::<usize>() > MAX_BYTES {
        MAX_BYTES / releases.len().max(1)
    } else {
        usize::MAX
    };
    let bodies: Vec<_> =
        releases.iter().map(|(release, links)| fitting(frame, release, links, share)).collect();
    Ok(ApiResponse::from_json(StatusCode::OK, to_json(&bodies)?))
}

fn weight(frame: &Frame<'_>, release: &Release, links: &SomeLinks) -> usize {
    let of_links = links.links.iter().map(|link| frame.link(release, link));
    frame.release(release) + of_links.sum::<usize>()
}

/// A release in so many bytes of an answer: without the oldest links, and without the end of its
/// description where that takes more than half.
fn fitting<'a>(
    frame: &Frame<'_>,
    release: &'a Release,
    links: &'a SomeLinks,
    share: usize,
) -> ReleaseBody<'a> {
    let notes = Notes::of(frame, release, share);
    if share == usize::MAX {
        return ReleaseBody::new(frame, release, notes, links.count, &links.links);
    }
    let mut left = frame.room_for_links(release, share);
    let shown = links.links.iter().take_while(|link| {
        left.checked_sub(frame.link(release, link)).map(|rest| left = rest).is_some()
    });
    let shown = &links.links[..shown.count()];
    ReleaseBody::new(frame, release, notes, links.count, shown)
}

/// As much of a text as takes no more than `most` bytes on its way.
pub(super) fn beginning(text: &str, most: usize) -> &str {
    let mut left = most;
    let end = text
        .char_indices()
        .find(|(_, char)| left.checked_sub(bytes_of(*char)).map(|rest| left = rest).is_none());
    end.map_or(text, |(end, _)| &text[..end])
}

/// How many bytes a text takes on its way from the function: inside a JSON string, in which quotes
/// and backslashes are escaped.
fn bytes_on_the_way(json: &str) -> usize {
    json.len() + json.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

/// The same for a text that becomes a JSON string before.
pub(super) fn bytes_of_text(text: &str) -> usize {
    // Bytes beyond ASCII count one each, as their characters do in all.
    text.bytes().map(|byte| if byte.is_ascii() { bytes_of(char::from(byte)) } else { 1 }).sum()
}

/// The same for a character of it.
fn bytes_of(char: char) -> usize {
    match char {
        '"' | '\\' => 4,
        '\0'..='\u{1f}' => 7,
        _ => char.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::authorize::access::Caller;
    use crate::domain::digest::{Digest, MAX_SIZE, Size};
    use crate::domain::link::{LinkId, LinkType, UncheckedLink};
    use crate::domain::policies::Policies;
    use crate::domain::project::{
        BranchName, Project, ProjectId, ProjectPath, ReleasesAccess, Visibility,
    };
    use crate::domain::release::Author;
    use crate::domain::release_key::{ReleaseKey, ReleaseUid};
    use crate::domain::tag_name::TagName;

    fn access() -> ProjectAccess {
        let project = Project {
            id: ProjectId(20),
            path: ProjectPath::parse("g/p").unwrap(),
            visibility: Visibility::Public,
            releases_access: ReleasesAccess::Enabled,
            archived: false,
            protected_tags: Vec::new(),
            default_branch: BranchName::default(),
            source_url: None,
            policies: Policies::default(),
            created_at: Timestamp::now(),
        };
        ProjectAccess::to_project(Caller::Anonymous, Some(project), &[]).unwrap()
    }

    fn release(tag: &str, description: &str) -> Release {
        let now = Timestamp::now();
        Release {
            key: ReleaseKey { project: ProjectId(20), tag: TagName::parse(tag).unwrap() },
            uid: ReleaseUid::generate(),
            name: None,
            description: Some(Description::parse(description).unwrap()),
            author: Author { id: 1, username: "root".to_owned() },
            commit: None,
            created_at: now,
            released_at: now,
            updated_at: now,
            published_by: None,
        }
    }

    fn link(id: u64, name: &str, url: &str, path: Option<&str>) -> Option<Link> {
        let (release, now) = (ReleaseUid::generate(), Timestamp::now());
        let fields = UncheckedLink::new(Some(name), Some(url), path, LinkType::Runbook).fields()?;
        Some(Link {
            id: LinkId(id),
            release,
            fields,
            created_at: now,
            updated_at: now,
            published_by: None,
        })
    }

    fn sent(answer: &ApiResponse) -> usize {
        serde_json::to_string(&answer.body).unwrap().len()
    }

    #[test]
    fn releases_fit_into_an_answer_whatever_their_descriptions_are_made_of() {
        let (access, base) = (access(), WebUrl::parse("https://e.com").unwrap());
        let frame = Frame::at(&base, &access);
        let count = 20;
        let chars = ['x', 'é', '"', '\n', '\u{1}', '|', '<'];
        for (char, includes_html) in
            chars.into_iter().flat_map(|char| [(char, false), (char, true)])
        {
            let frame = frame.clone().with_html(includes_html);
            // Alone, each is just short enough for its share.
            let length = MAX_BYTES / count / 2 / char.len_utf8();
            let release = release("v1", &String::from(char).repeat(length));
            let url = format!("https://e.com/{}", "x".repeat(500));
            let links = (0..500).map(|n| link(n, "x", &url, None).unwrap()).collect();
            let releases = vec![(release, SomeLinks::all(links)); count];
            let answer = answer_list(&frame, &releases).unwrap();
            assert!(sent(&answer) <= MAX_BYTES, "{char:?} {}", sent(&answer));
            let shown: Vec<serde_json::Value> = serde_json::from_str(&answer.body).unwrap();
            for release in shown {
                assert_ne!(release["description"], "", "{char:?}");
                let has_html = release["description_html"].is_string();
                assert_eq!(has_html, includes_html, "{char:?}");
                assert_eq!(release["assets"]["count"], 500);
            }
        }
    }

    proptest! {
        #[test]
        fn the_weight_of_a_release_bounds_its_json_closely(
            id: u64, name in "\\PC{1,40}|[\"\\\\\t\u{1}é🦀]{1,40}x", rest in "\\PC{0,60}|[\"\\\\\u{1}]{0,60}",
            path in proptest::option::of("/[a-z\"@é][-._/a-z0-9]{0,30}ab"), tag in "[a-zé\"%]{1,20}",
            description in "\\PC{0,80}|[\"\\\\\t\u{1}]{0,80}",
            digest in proptest::option::of("sha256:[0-9a-f]{64}"),
            size in proptest::option::of(MAX_SIZE / 2..=MAX_SIZE),
        ) {
            let (access, base) = (access(), WebUrl::parse("https://e.com").unwrap());
            let frame = Frame::at(&base, &access);
            let url = format!("https://e.com/{rest}");
            let Some(mut link) = link(id, &name, &url, path.as_deref()) else { return Ok(()) };
            link.fields.contents = Contents {
                digest: digest.as_deref().and_then(Digest::parse),
                size: size.and_then(|size| Size::parse(&size.to_string())),
            };
            let release = release(&tag, &description);
            let links = SomeLinks::all(vec![link; 50]);
            let weight = weight(&frame, &release, &links);
            let sent = sent(&answer(StatusCode::OK, &frame, &release, &links).unwrap());
            prop_assert!(sent <= weight, "{sent} {weight}");
            // Some control characters have a short escape, which is shorter than counted.
            let short = |text: &str| text.matches(['\t']).count() * 4;
            let slack = 50 * (110 + short(&name) + 2 * short(&rest)) + short(&description) + 40;
            prop_assert!(sent + slack >= weight, "{sent} {weight}");
        }
    }
}
