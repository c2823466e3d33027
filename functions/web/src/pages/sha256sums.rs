//! `SHA256SUMS` of a release: the digests of its files, as `sha256sum --check` reads them.

use std::fmt::Write;

use shared::api::{ApiError, ApiRequest, ApiResponse, release_body};
use shared::app::App;
use shared::domain::link::{Link, LinkName};
use shared::domain::project::ProjectRef;
use shared::domain::tag_name::TagName;
use shared::store::fitting::{Choice, Room};
use shared::store::query::ReleaseWithLinks;

use super::document::{cache, is_public, typed};

pub(super) async fn answer(
    app: &App,
    request: &ApiRequest,
    project: &ProjectRef,
    tag: &TagName,
) -> Result<ApiResponse, ApiError> {
    let query = ReleaseWithLinks(tag.clone());
    let (access, found) = request.authorize_releases_of(app, project, &query).await?;
    access.may_read_code().map_err(|_| ApiError::RouteNotFound)?;
    let (release, links) = found.ok_or(ApiError::RouteNotFound)?;
    // A link takes more room in the API's JSON than its line does here.
    let frame = release_body::Frame::new(request, &access);
    let room = Room::new(&frame, release_body::MAX_BYTES, 1);
    let due = release_body::deadline(request);
    let found = app.store.links_of(release, links, Choice::Newest, &room, due).await?;
    let (_, links) = found.ok_or(ApiError::RouteNotFound)?;
    if links.links.len() < links.count {
        // With a part of the list, `sha256sum --check` would succeed and check a part of the files.
        return Err(ApiError::TooManyLinksToSum);
    }
    let mut answer = typed("text/plain; charset=utf-8", sums(&links.links));
    cache(&mut answer, is_public(request, &access));
    Ok(answer)
}

/// One line for each link with a digest, in the order of the names: the text of a release stays the
/// same when its links are made anew.
fn sums(links: &[Link]) -> String {
    let mut links: Vec<&Link> = links.iter().collect();
    links.sort_unstable_by_key(|link| link.fields.name.as_str());
    let mut sums = String::new();
    for link in links {
        if let Some(digest) = &link.fields.contents.digest {
            let (escaped, name) = escaped(&link.fields.name);
            let _ = writeln!(sums, "{escaped}{}  {name}", digest.hex());
        }
    }
    sums
}

/// A name on a line of its own, and the mark of a line that has escapes: coreutils' form.
fn escaped(name: &LinkName) -> (&'static str, String) {
    let name = name.as_str();
    if name.contains(['\\', '\n', '\r']) {
        ("\\", name.replace('\\', r"\\").replace('\n', r"\n").replace('\r', r"\r"))
    } else {
        ("", name.to_owned())
    }
}
