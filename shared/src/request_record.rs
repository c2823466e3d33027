//! The facts about a request for its line in the log. They are noted where they become known: the caller
//! and the project in authorization, the units in the database client. So no endpoint can forget them.
//!
//! It never holds a secret, a query or the target of a link.

use std::cell::RefCell;

use crate::domain::link::LinkId;
use crate::domain::project::ProjectId;
use crate::domain::tag_name::TagName;

/// The facts about a request so far.
#[derive(Debug, Default)]
pub struct RequestRecord {
    /// The user that the caller acts for. `None` without a token.
    pub user: Option<String>,
    /// The public id of the caller's stored token.
    pub token: Option<String>,
    /// The job of the caller's ID token: its issuer, project and number.
    pub job: Option<String>,
    pub project: Option<ProjectId>,
    pub tag: Option<TagName>,
    pub link: Option<LinkId>,
    pub database_requests: u64,
    pub read_units: f64,
    pub write_units: f64,
}

tokio::task_local! {
    static CURRENT: RefCell<RequestRecord>;
}

/// Runs the work, and returns its notes.
pub async fn recorded<T>(work: impl Future<Output = T>) -> (T, RequestRecord) {
    let noted = async {
        let done = work.await;
        (done, CURRENT.with(RefCell::take))
    };
    CURRENT.scope(RefCell::default(), noted).await
}

/// Adds facts about the request that this task answers, if it answers one.
pub fn note(change: impl FnOnce(&mut RequestRecord)) {
    // Commands and tests use the store without a request.
    let _ = CURRENT.try_with(|record| change(&mut record.borrow_mut()));
}
