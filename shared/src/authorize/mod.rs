//! Authorization, the first step of every endpoint: reads what it needs in as few round trips as
//! possible, and admits or refuses the caller in GitLab's order of checks.
//!
//! A caller who is refused learns nothing by it: hidden and missing projects take the same requests,
//! in the same order, and get the same answer.

pub mod access;
pub mod credentials;
pub mod id_token;
mod signatures;

use crate::domain::link::LinkId;
use crate::domain::project::ProjectRef;
use crate::domain::tag_name::TagName;
use crate::domain::time::Timestamp;
use crate::request_record::note;
use crate::store::Store;
use crate::store::deadline::Deadline;
use crate::store::error::StoreError;
use crate::store::query::Query;
use crate::store::read::{FirstTrip, FoundCredentials, Snapshot, Wanted};
use access::{AccessError, Caller, Intent, ProjectAccess};
use credentials::Credentials;

/// Why a caller was not admitted.
#[derive(Debug)]
pub enum AuthorizeError {
    Refused(AccessError),
    /// The database gave no answer.
    Store(StoreError),
}

impl From<AccessError> for AuthorizeError {
    fn from(refusal: AccessError) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for AuthorizeError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A request as far as authorization looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Its tokens, of the kinds that the endpoint takes.
    pub credentials: &'a Credentials,
    /// Whether it reads or writes.
    pub intent: Intent,
    /// When the database has to have answered.
    pub deadline: Deadline,
}

/// The caller's access to a project, and the answer to a query about it.
pub async fn project<Q: Query>(
    store: &Store,
    asking: Asking<'_>,
    project: &ProjectRef,
    query: &Q,
) -> Result<(ProjectAccess, Q::Found), AuthorizeError> {
    let wanted = asking.credentials.wanted();
    note_subject(project, query.subject());
    let (caller, first) = authenticate(store, asking, &wanted, project, query).await?;
    let mut snapshot = store.follow(first, &wanted, project, query, asking.deadline).await?;
    let access = match access(&caller, &snapshot) {
        Err(AccessError::ProjectInvisible) => {
            let anew = store.read_anew(&snapshot, &wanted, project, query, asking.deadline).await?;
            snapshot = anew.ok_or(AccessError::ProjectInvisible)?;
            access(&caller, &snapshot)?
        }
        other => other?,
    };
    note(|record| record.project = Some(access.project().id));
    Ok((access, snapshot.found))
}

/// A project that is named by its path is noted when it is known to be there.
fn note_subject(project: &ProjectRef, (tag, link): (Option<&TagName>, Option<LinkId>)) {
    note(|record| {
        if let ProjectRef::Id(id) = project {
            record.project = Some(*id);
        }
        record.tag = tag.cloned();
        record.link = link;
    });
}

/// The same for the releases of the project.
pub async fn releases<Q: Query>(
    store: &Store,
    asking: Asking<'_>,
    named: &ProjectRef,
    query: &Q,
) -> Result<(ProjectAccess, Q::Found), AuthorizeError> {
    let (access, found) = project(store, asking, named, query).await?;
    access.may_read_releases()?;
    Ok((access, found))
}

/// The caller of an endpoint that names no project.
pub async fn caller(store: &Store, asking: Asking<'_>) -> Result<Caller, AuthorizeError> {
    let wanted = asking.credentials.wanted();
    let (caller, _) = authenticate(store, asking, &wanted, &ProjectRef::Nothing, &()).await?;
    Ok(caller)
}

fn access<Found>(
    caller: &Caller,
    snapshot: &Snapshot<Found>,
) -> Result<ProjectAccess, AccessError> {
    ProjectAccess::to_project(caller.clone(), snapshot.project.clone(), &snapshot.publishers)
}

/// Identifies the caller by the first round trip. Malformed tokens are refused without it.
async fn authenticate<Q: Query>(
    store: &Store,
    asking: Asking<'_>,
    wanted: &Wanted,
    project: &ProjectRef,
    query: &Q,
) -> Result<(Caller, FirstTrip<Q::Found>), AuthorizeError> {
    let Asking { credentials, intent, deadline } = asking;
    if wanted.is_empty() {
        let nothing = FoundCredentials::default();
        Caller::authenticate(credentials, &nothing, intent, Timestamp::now())?;
    }
    let first = store.look(wanted, project, query, deadline).await?;
    let caller = Caller::authenticate(credentials, &first.credentials, intent, Timestamp::now())?;
    note(|record| caller.note(record));
    Ok((caller, first))
}
