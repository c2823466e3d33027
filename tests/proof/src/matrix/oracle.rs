//! GitLab's responses, as tables. They are written from its observed behaviour and know nothing
//! of how the service decides: where the two disagree, one of them is wrong.

use shared::domain::access_level::AccessLevel;
use shared::domain::project::{ReleasesAccess, Visibility};

use super::cell::{Action, Caller, Carrier, Protection, Setting};

/// An answer, as far as it is foretold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Good(u16),
    Refused(u16, String),
}

/// The standing of a caller in a project, once the token is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Anonymous,
    External,
    Stranger,
    Member(AccessLevel),
    /// A developer whose token only reads.
    Reader,
    /// A stranger whose token only reads.
    StrangeReader,
    /// A job of this project, of a developer.
    JobHere,
    JobElsewhere,
}

/// The rights of a caller on the links of a project with public releases, without archiving and
/// protected tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    /// There is no such project.
    Hidden,
    /// Reading is answered, writing forbidden.
    Reads,
    /// Both are answered.
    Writes,
    /// Reading is answered, writing beyond the token.
    ReadsByScope,
    /// There is no such project, but that writing is beyond the token is said before.
    HiddenByScope,
    /// The project does not admit this job.
    NotAdmitted,
}

const UNAUTHORIZED: (u16, &str) = (401, r#"{"message":"401 Unauthorized"}"#);
const EXPIRED: (u16, &str) = (
    401,
    r#"{"error":"invalid_token","error_description":"Token is expired. You can either do re-authorization or token refresh."}"#,
);
const REVOKED: (u16, &str) = (
    401,
    r#"{"error":"invalid_token","error_description":"Token was revoked. You have to re-authorize from the user."}"#,
);
const NO_PROJECT: (u16, &str) = (404, r#"{"message":"404 Project Not Found"}"#);
const NO_RECORD: (u16, &str) = (404, r#"{"message":"404 Not found"}"#);
const NO_TAG: (u16, &str) = (404, r#"{"message":"404 Tag Not Found"}"#);
const NO_COMMIT: (u16, &str) = (404, r#"{"message":"404 Commit Not Found"}"#);
const NO_JOB: (u16, &str) = (404, r#"{"message":"404 Job Not Found"}"#);
const NO_ROUTE: (u16, &str) = (404, r#"{"error":"404 Not Found"}"#);
const FORBIDDEN: (u16, &str) = (403, r#"{"message":"403 Forbidden"}"#);
const PROTECTED: (u16, &str) =
    (403, r#"{"message":"You are not allowed to create this tag as it is protected."}"#);
const SCOPE: (u16, &str) = (
    403,
    r#"{"error":"insufficient_scope","error_description":"The request requires higher privileges than provided by the access token.","scope":"api read_api"}"#,
);

fn refused((status, body): (u16, &str)) -> Answer {
    Answer::Refused(status, body.to_owned())
}

/// How a carrier is read.
#[derive(Clone, Copy)]
enum Role {
    Access,
    /// Any token.
    Bearer,
    Job,
}

fn role(carrier: Carrier) -> Role {
    match carrier {
        Carrier::PrivateToken | Carrier::PrivateQuery | Carrier::PrivateBody => Role::Access,
        Carrier::Bearer | Carrier::AccessQuery | Carrier::BearerQuery | Carrier::AccessBody => {
            Role::Bearer
        }
        Carrier::JobToken | Carrier::JobQuery | Carrier::TokenQuery | Carrier::JobBody => Role::Job,
    }
}

/// The caller of a request: carriers, their precedence and bad credentials.
///
/// Endpoints without job tokens ignore them and their carriers. On the others, a job's carrier takes nothing else; a carrier of access tokens passes over what looks like a job's.
fn standing(
    caller: Caller,
    carrier: Carrier,
    takes_jobs: bool,
) -> Result<Standing, (u16, &'static str)> {
    let is_jobs = matches!(
        caller,
        Caller::JobHere | Caller::JobElsewhere | Caller::EndedJob | Caller::RevokedJob
    );
    match (is_jobs, role(carrier)) {
        _ if caller == Caller::Nobody => return Ok(Standing::Anonymous),
        (true, Role::Access) => return Ok(Standing::Anonymous),
        (true, Role::Bearer) | (_, Role::Job) if !takes_jobs => return Ok(Standing::Anonymous),
        (false, Role::Job) => return Err(UNAUTHORIZED),
        (true, Role::Bearer | Role::Job) | (false, Role::Access | Role::Bearer) => {}
    }
    match caller {
        Caller::Nobody => Ok(Standing::Anonymous),
        Caller::Unknown | Caller::EndedJob | Caller::RevokedJob => Err(UNAUTHORIZED),
        Caller::Expired => Err(EXPIRED),
        Caller::Revoked => Err(REVOKED),
        Caller::External => Ok(Standing::External),
        Caller::Stranger => Ok(Standing::Stranger),
        Caller::Member(level, _) => Ok(Standing::Member(level)),
        Caller::Reader => Ok(Standing::Reader),
        Caller::StrangeReader => Ok(Standing::StrangeReader),
        Caller::JobHere => Ok(Standing::JobHere),
        Caller::JobElsewhere => Ok(Standing::JobElsewhere),
    }
}

/// The matrix of the links endpoints: a column for each visibility, and one for a project that does
/// not exist, which equals the column of a hidden one.
fn row(standing: Standing, setting: Setting) -> Row {
    use AccessLevel::{Developer, Guest, Maintainer, Owner, Planner, Reporter};
    use Row::{Hidden, HiddenByScope, NotAdmitted, Reads, ReadsByScope, Writes};
    if !setting.exists {
        return match standing {
            Standing::Reader | Standing::StrangeReader => HiddenByScope,
            Standing::Anonymous
            | Standing::External
            | Standing::Stranger
            | Standing::Member(_)
            | Standing::JobHere
            | Standing::JobElsewhere => Hidden,
        };
    }
    let [private, internal, public] = match standing {
        Standing::Anonymous | Standing::External => [Hidden, Hidden, Reads],
        Standing::Stranger => [Hidden, Reads, Reads],
        Standing::Member(Guest | Planner | Reporter) => [Reads, Reads, Reads],
        Standing::Member(Developer | Maintainer | Owner) | Standing::JobHere => {
            [Writes, Writes, Writes]
        }
        Standing::Reader => [ReadsByScope, ReadsByScope, ReadsByScope],
        Standing::StrangeReader => [HiddenByScope, ReadsByScope, ReadsByScope],
        Standing::JobElsewhere => [Hidden, NotAdmitted, NotAdmitted],
    };
    match setting.visibility {
        Visibility::Private => private,
        Visibility::Internal => internal,
        Visibility::Public => public,
    }
}

/// Whether who sees the project reads its code too: all but guests and planners of a private one.
fn reads_code(standing: Standing, visibility: Visibility) -> bool {
    let low = matches!(standing, Standing::Member(AccessLevel::Guest | AccessLevel::Planner));
    !(low && visibility == Visibility::Private)
}

fn is_member(standing: Standing) -> bool {
    match standing {
        Standing::Member(_) | Standing::Reader | Standing::JobHere => true,
        Standing::Anonymous
        | Standing::External
        | Standing::Stranger
        | Standing::StrangeReader
        | Standing::JobElsewhere => false,
    }
}

/// Whether the releases are for this caller, who sees the project.
fn reads_releases(standing: Standing, access: ReleasesAccess) -> bool {
    match access {
        ReleasesAccess::Enabled => true,
        ReleasesAccess::Private => is_member(standing),
        ReleasesAccess::Disabled => false,
    }
}

/// Whether a rule keeps the tag from a caller who could write otherwise.
fn is_kept_from(standing: Standing, protection: Protection) -> bool {
    let above_developer =
        matches!(standing, Standing::Member(AccessLevel::Maintainer | AccessLevel::Owner));
    match protection {
        Protection::None | Protection::Developers => false,
        Protection::Maintainers => !above_developer,
        Protection::Nobody => true,
    }
}

/// The expected response. `job_project` and `project` are the paths in the response to a refused job.
pub(crate) fn expected(
    action: Action,
    caller: Caller,
    carrier: Carrier,
    setting: Setting,
    (job_project, project): (&str, &str),
) -> Answer {
    let standing = match standing(caller, carrier, action.takes_jobs()) {
        Ok(standing) => standing,
        Err(bad) => return refused(bad),
    };
    let refusal = match action {
        Action::User | Action::Version => {
            (standing == Standing::Anonymous).then(|| refused(UNAUTHORIZED))
        }
        Action::Job => match standing {
            Standing::Anonymous => Some(refused(UNAUTHORIZED)),
            Standing::JobHere | Standing::JobElsewhere => None,
            Standing::External
            | Standing::Stranger
            | Standing::StrangeReader
            | Standing::Member(_)
            | Standing::Reader => Some(refused(NO_JOB)),
        },
        Action::Project
        | Action::Member
        | Action::MergeRequests
        | Action::Tags
        | Action::Tag
        | Action::Commit
        | Action::Branches
        | Action::Branch => project_refusal(action, standing, setting).map(refused),
        Action::DeleteTag => refuse_tag_deletion(standing, setting).map(refused),
        Action::DownloadPage | Action::LatestPage | Action::BelowLatestPage => {
            let shown =
                matches!(row(standing, setting), Row::Reads | Row::Writes | Row::ReadsByScope)
                    && reads_releases(standing, setting.access);
            // A refused page looks like a missing one.
            (!shown).then(|| refused(NO_ROUTE))
        }
        Action::ListLinks
        | Action::GetLink
        | Action::CreateLink
        | Action::UpdateLink
        | Action::DeleteLink
        | Action::ListReleases
        | Action::GetRelease
        | Action::CreateRelease
        | Action::UpdateRelease
        | Action::DeleteRelease
        | Action::Download
        | Action::Latest
        | Action::BelowLatest => match row(standing, setting) {
            Row::NotAdmitted => Some(Answer::Refused(
                403,
                format!(
                    r#"{{"message":"403 Forbidden - Authentication by CI/CD job token not allowed from {job_project} to {project}."}}"#
                ),
            )),
            row @ (Row::Hidden
            | Row::HiddenByScope
            | Row::Reads
            | Row::Writes
            | Row::ReadsByScope) => releases_refusal(action, standing, row, setting).map(refused),
        },
    };
    refusal.unwrap_or(Answer::Good(action.success()))
}

/// The refusal at the endpoints of a project, if any.
fn project_refusal(
    action: Action,
    standing: Standing,
    setting: Setting,
) -> Option<(u16, &'static str)> {
    if matches!(row(standing, setting), Row::Hidden | Row::HiddenByScope) {
        return Some(NO_PROJECT);
    }
    let reads_code = reads_code(standing, setting.visibility);
    match action {
        Action::Member if !is_member(standing) => Some(NO_RECORD),
        Action::Project | Action::Member => None,
        _ if !reads_code => Some(FORBIDDEN),
        // A tag is known by its release alone, and so is its commit.
        Action::Tag if !reads_releases(standing, setting.access) => Some(NO_TAG),
        Action::Commit if !reads_releases(standing, setting.access) => Some(NO_COMMIT),
        _ => None,
    }
}

/// The refusal of a tag's deletion, if there is one. Developers may delete tags; a protected one is for
/// maintainers.
fn refuse_tag_deletion(standing: Standing, setting: Setting) -> Option<(u16, &'static str)> {
    let row = row(standing, setting);
    match row {
        Row::HiddenByScope | Row::ReadsByScope => return Some(SCOPE),
        Row::Hidden => return Some(NO_PROJECT),
        Row::Reads | Row::Writes | Row::NotAdmitted => {}
    }
    if !reads_code(standing, setting.visibility) {
        return Some(FORBIDDEN);
    }
    if !reads_releases(standing, setting.access) {
        return Some(NO_TAG);
    }
    let is_kept = match setting.protection {
        Protection::None => false,
        Protection::Developers => is_kept_from(standing, Protection::Maintainers),
        Protection::Maintainers | Protection::Nobody => is_kept_from(standing, setting.protection),
    };
    (row != Row::Writes || setting.archived || is_kept).then_some(FORBIDDEN)
}

/// The refusal at the endpoints of releases and links, if any.
fn releases_refusal(
    action: Action,
    standing: Standing,
    row: Row,
    setting: Setting,
) -> Option<(u16, &'static str)> {
    match row {
        Row::HiddenByScope | Row::ReadsByScope if action.writes() => return Some(SCOPE),
        Row::Hidden | Row::HiddenByScope => return Some(NO_PROJECT),
        Row::Reads | Row::Writes | Row::ReadsByScope | Row::NotAdmitted => {}
    }
    if !reads_releases(standing, setting.access)
        || (action.needs_code() && !reads_code(standing, setting.visibility))
    {
        return Some(FORBIDDEN);
    }
    if !action.writes() {
        return None;
    }
    if row != Row::Writes || setting.archived {
        return Some(FORBIDDEN);
    }
    // Only of a tag that is to be made GitLab says why.
    is_kept_from(standing, setting.protection).then_some(match action {
        Action::CreateRelease => PROTECTED,
        _ => FORBIDDEN,
    })
}
