//! A release as GitLab shows it, as far as that can be known without its repository.

use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;
use url::form_urlencoded;

use super::call::Call;
use super::commit_body::{self, CommitBody};
use super::error::ApiError;
use super::render::{Answer, LinkBody, UserBody, project_url, segment, to_json};
use super::sources::{SourceBody, sources};
use crate::access::Admission;
use crate::app::WebUrl;
use crate::domain::link::{Link, sort_newest_first};
use crate::domain::project::Project;
use crate::domain::release::{Description, Release, ReleaseName};
use crate::domain::time::Timestamp;

/// A release, with its keys in GitLab's order.
#[derive(Debug, Serialize)]
struct ReleaseBody<'a> {
    name: &'a str,
    tag_name: &'a str,
    description: Option<&'a str>,
    created_at: String,
    released_at: String,
    upcoming_release: bool,
    author: UserBody<'a>,
    #[serde(flatten)]
    code: Option<Code<'a>>,
    assets: Assets,
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
struct Assets {
    /// How many links and sources the release has, also where not all links are shown.
    count: usize,
    /// Always a list, which GitLab leaves out for callers who may not read the code: installers
    /// cannot read a release without it.
    sources: Vec<SourceBody>,
    /// Each rendered once: how many fit depends on their size.
    links: Vec<Box<RawValue>>,
}

/// Where GitLab's pages about the release are.
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
    /// Shows a release with its links.
    fn new(
        base: &WebUrl,
        admission: &Admission,
        release: &'a Release,
        mut links: Vec<Link>,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let tag = &release.key.tag;
        let reads_code = admission.may_read_code().is_ok();
        let source_url = admission.project().source_url.as_ref().filter(|_| reads_code);
        let sources = sources(source_url, tag);
        sort_newest_first(&mut links);
        let rendered = links.iter().map(|link| {
            serde_json::value::to_raw_value(&LinkBody::new(base, admission.project(), tag, link))
                .map_err(|error| ApiError::Internal { cause: error.to_string() })
        });
        Ok(Self {
            name: release.name.as_ref().map_or(tag.as_str(), ReleaseName::as_str),
            tag_name: tag.as_str(),
            description: release.description.as_ref().map(Description::as_str),
            created_at: release.created_at.to_string(),
            released_at: release.released_at.to_string(),
            upcoming_release: release.released_at > now,
            author: UserBody::new(base, release.author.id, &release.author.username),
            code: reads_code.then(|| Code::new(base, admission.project(), release)),
            assets: Assets {
                count: links.len() + sources.len(),
                sources,
                links: rendered.collect::<Result<_, _>>()?,
            },
            _links: PageLinks::new(base, admission, release),
        })
    }

    /// Leaves out the oldest links, and then the end of the description, until the release takes no
    /// more than `most` bytes on its way.
    fn shorten(&mut self, most: usize) {
        let of_links = |links: &[Box<RawValue>]| -> usize {
            links.iter().map(|link| bytes_on_the_way(link.get()) + 1).sum()
        };
        let description = self.description.unwrap_or_default();
        let mut left = most
            .saturating_sub(FRAME_BYTES)
            .saturating_sub(bytes_of_text(description).min(most / 2));
        if of_links(&self.assets.links) > left {
            let fitting = self.assets.links.iter().take_while(|link| {
                let bytes = bytes_on_the_way(link.get()) + 1;
                left.checked_sub(bytes).map(|rest| left = rest).is_some()
            });
            let fitting = fitting.count();
            self.assets.links.truncate(fitting);
        }
        if bytes_of_text(description) > most / 2 {
            let mut left = most / 2;
            let end = description.char_indices().find(|(_, char)| {
                let bytes = bytes_of(*char);
                left.checked_sub(bytes).map(|rest| left = rest).is_none()
            });
            self.description = end.map(|(end, _)| &description[..end]).or(self.description);
        }
    }
}

impl<'a> Code<'a> {
    fn new(base: &WebUrl, project: &Project, release: &'a Release) -> Self {
        let pages = format!("{}/{}/-", base.path(), project.path.as_str());
        Self {
            commit: CommitBody::of_release(base, project, release),
            commit_path: format!("{pages}/commit/{}", commit_body::id(release)),
            tag_path: format!("{pages}/tags/{}", segment(&release.key.tag)),
        }
    }
}

impl PageLinks {
    fn new(base: &WebUrl, admission: &Admission, release: &Release) -> Self {
        let project_url = project_url(base, admission.project());
        let tag = &release.key.tag;
        let of_release: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("release_tag", tag.as_str())
            .finish();
        let list =
            |page, state| format!("{project_url}/-/{page}?{of_release}&scope=all&state={state}");
        let itself = format!("{project_url}/-/releases/{}", segment(tag));
        Self {
            closed_issues_url: list("issues", "closed"),
            closed_merge_requests_url: list("merge_requests", "closed"),
            edit_url: admission.may_write(tag).is_ok().then(|| format!("{itself}/edit")),
            merged_merge_requests_url: list("merge_requests", "merged"),
            opened_issues_url: list("issues", "opened"),
            opened_merge_requests_url: list("merge_requests", "opened"),
            itself,
        }
    }
}

/// The answer that is one release.
pub fn answer(
    status: StatusCode,
    call: &Call,
    admission: &Admission,
    release: &Release,
    links: Vec<Link>,
) -> Result<Answer, ApiError> {
    let mut body = ReleaseBody::new(&call.base, admission, release, links, Timestamp::now())?;
    let json = fitting(&mut body, std::slice::from_mut)?;
    Ok(Answer::of_json(status, json))
}

/// The answer that is a page of a list of releases.
pub fn answer_list(
    call: &Call,
    admission: &Admission,
    releases: Vec<(Release, Vec<Link>)>,
) -> Result<Answer, ApiError> {
    let now = Timestamp::now();
    let (releases, links): (Vec<_>, Vec<_>) = releases.into_iter().unzip();
    let mut bodies = releases
        .iter()
        .zip(links)
        .map(|(release, links)| ReleaseBody::new(&call.base, admission, release, links, now))
        .collect::<Result<Vec<_>, _>>()?;
    let json = fitting(&mut bodies, Vec::as_mut_slice)?;
    Ok(Answer::of_json(StatusCode::OK, json))
}

/// The most bytes of releases in one answer. Lambda hands on six megabytes, a little of which is
/// the frame around them.
pub(super) const MAX_BYTES: usize = 5 * 1024 * 1024;
/// The most bytes of a release besides its description and links: some twenty urls with the
/// project's path, its source url and the tag in them, and its title, all of which are bounded.
const FRAME_BYTES: usize = 40 * 1024;

/// One release or a list of them, `releases` in either, as JSON that fits into an answer. Where they
/// do not, each gets an equal share of it.
fn fitting<'a, T: Serialize>(
    body: &mut T,
    releases: impl FnOnce(&mut T) -> &mut [ReleaseBody<'a>],
) -> Result<String, ApiError> {
    let whole = to_json(body)?;
    if bytes_on_the_way(&whole) <= MAX_BYTES {
        return Ok(whole);
    }
    let releases = releases(body);
    let share = MAX_BYTES / releases.len();
    for release in releases {
        release.shorten(share);
    }
    to_json(body)
}

/// How many bytes a text takes on its way from the function: inside a JSON string, in which quotes
/// and backslashes are escaped.
fn bytes_on_the_way(json: &str) -> usize {
    json.len() + json.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

/// The same for a text that becomes a JSON string before.
pub(super) fn bytes_of_text(text: &str) -> usize {
    text.chars().map(bytes_of).sum()
}

/// The same for a character of it.
pub(super) fn bytes_of(char: char) -> usize {
    match char {
        '"' | '\\' => 4,
        '\0'..='\u{1f}' => 7,
        _ => char.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(description: &str) -> ReleaseBody<'_> {
        let base = WebUrl::parse("https://e.com").unwrap();
        let link = RawValue::from_string(format!("{{\"name\":\"{}\"}}", "x".repeat(500))).unwrap();
        ReleaseBody {
            name: "v1",
            tag_name: "v1",
            description: Some(description),
            created_at: String::new(),
            released_at: String::new(),
            upcoming_release: false,
            author: UserBody::new(&base, 1, "root"),
            code: None,
            assets: Assets { count: 500, sources: Vec::new(), links: vec![link; 500] },
            _links: PageLinks {
                closed_issues_url: String::new(),
                closed_merge_requests_url: String::new(),
                edit_url: None,
                merged_merge_requests_url: String::new(),
                opened_issues_url: String::new(),
                opened_merge_requests_url: String::new(),
                itself: String::new(),
            },
        }
    }

    #[test]
    fn releases_fit_into_an_answer_whatever_their_descriptions_are_made_of() {
        let count = 20;
        for char in ['x', 'é', '"', '\n', '\u{1}'] {
            // Alone, each is just short enough for its share.
            let length = MAX_BYTES / count / 2 / char.len_utf8();
            let description = String::from(char).repeat(length);
            let mut bodies: Vec<_> = (0..count).map(|_| body(&description)).collect();
            let json = fitting(&mut bodies, Vec::as_mut_slice).unwrap();
            let sent = serde_json::to_string(&json).unwrap().len();
            assert!(sent <= MAX_BYTES, "{char:?} {sent}");
            assert!(
                bodies.iter().all(|body| body.description.is_some_and(|text| !text.is_empty()))
            );
        }
    }
}
