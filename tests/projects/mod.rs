//! `/projects`

mod get;
mod list;
mod members;
pub(crate) mod releases;
mod repository;

use serde_json::json;

/// The id of a commit that no release names.
pub(crate) const UNKNOWN_COMMIT: &str = "0000000000000000000000000000000000000000";

/// A commit of project 20 as whole JSON: of a release of this title, made by this user.
pub(crate) fn commit(
    address: &str,
    id: &str,
    title: &str,
    created_at: &str,
    (user, username): (u64, &str),
) -> String {
    let (host, _) = address.rsplit_once(':').unwrap();
    let email = format!("{user}-{username}@users.noreply.{host}");
    let (short_id, title) = (&id[..8], json!(title));
    [
        format!(r#"{{"id":"{id}","short_id":"{short_id}","created_at":"{created_at}","#),
        format!(r#""parent_ids":[],"title":{title},"message":{title},"author_name":"{username}","#),
        format!(r#""author_email":"{email}","authored_date":"{created_at}","#),
        format!(r#""committer_name":"{username}","committer_email":"{email}","#),
        format!(r#""committed_date":"{created_at}","trailers":{{}},"extended_trailers":{{}},"#),
        format!(r#""web_url":"http://{address}/mynamespace/hello/-/commit/{id}"}}"#),
    ]
    .concat()
}
