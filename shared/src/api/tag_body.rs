//! Tags as GitLab shows them. A tag is known by its release.

use http::StatusCode;
use serde::Serialize;

use super::commit_body::{self, CommitBody};
use super::error::ApiError;
use super::release_body::{MAX_BYTES, beginning, bytes_of_text};
use super::request::ApiRequest;
use super::response::ApiResponse;
use crate::authorize::access::ProjectAccess;
use crate::domain::release::{Description, Release};
use crate::domain::web_url::WebUrl;

/// A tag, with its keys in GitLab's order.
#[derive(Debug, Serialize)]
struct TagBody<'a> {
    name: &'a str,
    message: Option<&'a str>,
    target: &'a str,
    commit: CommitBody<'a>,
    release: TagRelease<'a>,
    protected: bool,
    created_at: String,
}

#[derive(Debug, Serialize)]
struct TagRelease<'a> {
    tag_name: &'a str,
    description: Option<&'a str>,
}

impl<'a> TagBody<'a> {
    fn new(base: &WebUrl, access: &ProjectAccess, release: &'a Release) -> Self {
        let tag = &release.key.tag;
        Self {
            name: tag.as_str(),
            message: None,
            target: commit_body::id(release),
            commit: CommitBody::for_release(base, access.project(), release),
            release: TagRelease {
                tag_name: tag.as_str(),
                description: release.description.as_ref().map(Description::as_str),
            },
            protected: access.is_protected(tag),
            created_at: release.created_at.to_string(),
        }
    }
}

/// The answer that is one tag.
pub fn answer(
    request: &ApiRequest,
    access: &ProjectAccess,
    release: &Release,
) -> Result<ApiResponse, ApiError> {
    ApiResponse::json(StatusCode::OK, &TagBody::new(&request.base, access, release))
}

/// The most bytes of a tag besides its description.
const FRAME_BYTES: usize = 8 * 1024;

/// The releases of a page of tags, as many bytes of them as one answer can show.
#[derive(Debug)]
pub struct TagPage {
    releases: Vec<Release>,
    /// How many bytes the descriptions may take together.
    room: usize,
    /// How many bytes each may take if they do not all fit.
    share: usize,
    taken: usize,
}

impl TagPage {
    /// A page with room for so many tags.
    #[must_use]
    pub fn new(tags: usize) -> Self {
        let room = MAX_BYTES.saturating_sub(tags.saturating_mul(FRAME_BYTES));
        let share = room.checked_div(tags).unwrap_or_default();
        Self { releases: Vec::new(), room, share, taken: 0 }
    }

    /// Adds the release of the next tag. Once the descriptions do not fit any more, each is cut to
    /// an equal share of the room.
    pub fn push(&mut self, mut release: Release) {
        let fitted = self.taken <= self.room;
        if fitted {
            let description = release.description.as_ref().map(Description::as_str);
            self.taken += description.map_or(0, bytes_of_text);
            self.releases.push(release);
            if self.taken > self.room {
                self.releases.iter_mut().for_each(|release| cut(release, self.share));
            }
        } else {
            cut(&mut release, self.share);
            self.releases.push(release);
        }
    }
}

/// The answer that is a page of a list of tags.
pub fn answer_list(
    request: &ApiRequest,
    access: &ProjectAccess,
    page: &TagPage,
) -> Result<ApiResponse, ApiError> {
    let tags = page.releases.iter().map(|release| TagBody::new(&request.base, access, release));
    ApiResponse::json(StatusCode::OK, &tags.collect::<Vec<_>>())
}

/// Cuts a description to at most so many bytes of an answer.
fn cut(release: &mut Release, most: usize) {
    if let Some(description) = &mut release.description {
        let end = beginning(description.as_str(), most).len();
        description.truncate(end);
    }
}
