//! `GET /projects/:id/repository/commits/:sha`: a commit by its tag, by its id or the beginning of
//! it, or by the default branch.

use http::StatusCode;
use serde::Serialize;
use shared::api::commit_body::CommitBody;
use shared::api::param_validator::ParamValidator;
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::domain::commit::CommitPrefix;
use shared::domain::project::{Project, ProjectId};
use shared::domain::release::Release;
use shared::domain::release_key::ReleaseKey;
use shared::domain::tag_name::TagName;
use shared::store::query::{FirstReleases, ReleaseIndexEntry, ReleaseList, ReleaseOf};

/// Answers with the commit.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let name = &request.path.sha;
    let (tag, prefix) = (TagName::parse(name).ok(), CommitPrefix::parse(name));
    let (access, found) = if let Some(prefix) = prefix {
        let (access, first) = request.authorize_project(app, &ReleaseList).await?;
        (access, Found::Among(first, prefix))
    } else {
        let (access, release) = request.authorize_project(app, &tag.map(ReleaseOf)).await?;
        (access, Found::Release(release))
    };
    access.may_read_code()?;
    let mut fields = ParamValidator::new(&request.params);
    let has_stats = fields.boolean("stats").unwrap_or(true);
    fields.finish()?;
    let project = access.project();
    let release = match found {
        // A commit is known by its release, and so only to callers who may see that.
        _ if access.may_read_releases().is_err() => None,
        Found::Release(release) => release,
        Found::Among(first, prefix) => find(app, &request, project.id, first, &prefix).await?,
    };
    let commit = match &release {
        Some(release) => CommitBody::for_release(&request.base, project, release),
        None if name == "HEAD" || name == project.default_branch.as_str() => {
            CommitBody::for_branch(&request.base, project)
        }
        None => return Err(ApiError::CommitNotFound),
    };
    ApiResponse::json(StatusCode::OK, &Detail::new(commit, project, has_stats))
}

/// The result of the first round trip.
enum Found {
    Release(Option<Release>),
    /// The releases, one of which may have a commit that begins like this.
    Among(FirstReleases, CommitPrefix),
}

/// The release whose commit a name of hexadecimal digits means.
async fn find(
    app: &App,
    request: &ApiRequest,
    project: ProjectId,
    first: FirstReleases,
    prefix: &CommitPrefix,
) -> Result<Option<Release>, ApiError> {
    let entries = app.store.all_entries(first, request.deadline).await?;
    let Some(ReleaseIndexEntry { tag, .. }) = meant(entries, &request.path.sha, prefix) else {
        return Ok(None);
    };
    Ok(app.store.get_release(&ReleaseKey { project, tag }, request.deadline).await?)
}

/// The entry that a name means, as Git decides it: a whole id before a tag, and a tag before the
/// beginning of an id. Such a beginning must match one commit only.
fn meant(
    mut listed: Vec<ReleaseIndexEntry>,
    name: &str,
    prefix: &CommitPrefix,
) -> Option<ReleaseIndexEntry> {
    if !prefix.is_whole()
        && let Some(at) = listed.iter().position(|one| one.tag.as_str() == name)
    {
        return Some(listed.swap_remove(at));
    }
    listed.retain(|one| one.commit.as_ref().is_some_and(|commit| prefix.matches(commit)));
    let is_one = listed.windows(2).all(|pair| pair[0].commit == pair[1].commit);
    listed.into_iter().next().filter(|_| is_one)
}

/// A commit on its own, with its keys in GitLab's order.
#[derive(Serialize)]
struct Detail<'a> {
    #[serde(flatten)]
    commit: CommitBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<Stats>,
    status: Option<&'a str>,
    project_id: u64,
    last_pipeline: Option<&'a str>,
}

/// How many lines were changed: none that is known.
#[derive(Default, Serialize)]
struct Stats {
    additions: u64,
    deletions: u64,
    total: u64,
}

impl<'a> Detail<'a> {
    fn new(commit: CommitBody<'a>, project: &Project, has_stats: bool) -> Self {
        Self {
            commit,
            stats: has_stats.then(Stats::default),
            status: None,
            project_id: project.id.0,
            last_pipeline: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::domain::commit::CommitSha;
    use shared::domain::time::Timestamp;

    use super::*;

    fn found(name: &str) -> Option<String> {
        let sha = |start: &str| CommitSha::parse(&format!("{start:0<40}")).ok();
        let listed = [
            ("v3", sha("abcde1")),
            ("v2", sha("abcd22")),
            ("v1", sha("abcd22")),
            ("beef", sha("1234")),
            ("b", sha("beef")),
            ("old", None),
        ];
        let listed = listed.map(|(tag, commit)| ReleaseIndexEntry {
            tag: TagName::parse(tag).unwrap(),
            commit,
            created_at: Timestamp::from_unix_millis(0),
            released_at: Timestamp::from_unix_millis(0),
        });
        let prefix = CommitPrefix::parse(name)?;
        meant(listed.into(), name, &prefix).map(|one| one.tag.as_str().to_owned())
    }

    #[test]
    fn a_name_of_digits_is_an_id_a_tag_or_the_beginning_of_one_commits_id() {
        for (name, tag) in [
            ("abcd22", Some("v2")),
            ("ABCDE", Some("v3")),
            ("abcd", None),
            ("beef", Some("beef")),
            ("beef0", Some("b")),
            (&format!("{:0<40}", "beef"), Some("b")),
            (&"0".repeat(40), None),
            ("0000", None),
        ] {
            assert_eq!(found(name).as_deref(), tag, "{name}");
        }
    }
}
