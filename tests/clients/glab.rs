//! glab's requests, as its Go client writes them: every dot of a tag encoded, `&` in JSON as
//! `\u0026`. The command itself cannot be installed from a package registry.
//!
//! Whole answers are compared, since Go refuses what is of another type: a number is an integer, a
//! time is there and has RFC 3339's form, a deletion has a body.

use serde_json::{Value, json};
use shared::domain::access_level::AccessLevel;

use super::Expected;
use crate::projects::UNKNOWN_COMMIT;
use harness::Api;
use harness::LinkBody;
use harness::errors::{
    ALL_TAKEN, FORBIDDEN, PROJECT_NOT_FOUND, RECORD_NOT_FOUND, RELEASE_NOT_FOUND, TAG_NOT_FOUND,
};

const PROJECT: &str = "/projects/mynamespace%2Fhello";
/// The tags, as they are and as they are sent.
const TAGS: [(&str, &str); 2] = [("v1.0.0", "v1%2E0%2E0"), ("release/1.0", "release%2F1%2E0")];
/// `--assets-links`, one by one, as they are sent.
const ASSETS: [&str; 2] = [
    r#"{"name":"bin ünï","url":"https://ex.com/a?x=1\u0026y=2","direct_asset_path":"/bin/a","link_type":"package"}"#,
    r#"{"name":"notes","url":"https://ex.com/notes"}"#,
];

fn as_glab(api: &Api) -> Api {
    api.with("accept", "application/json").with("user-agent", "glab/v1.80.0")
}

/// Adds the links to a release: what they are, the newest first.
async fn add_links(expected: &Expected, api: &Api, tag: &str, sent: &str) -> Value {
    let links = format!("{PROJECT}/releases/{sent}/assets/links");
    let mut shown = Vec::new();
    for asset in ASSETS {
        let reply = api.post(&links, asset).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        shown.insert(0, reply.json());
    }
    let encoded_tag = tag.replace('/', "%2F");
    let direct =
        format!("{}/mynamespace/hello/-/releases/{encoded_tag}/downloads/bin/a", expected.url());
    let link = |shown: &Value, name, url, direct_asset_url, link_type| {
        let id = shown["id"].as_u64().unwrap();
        json!(LinkBody { direct_asset_url, link_type, ..LinkBody::new(id, name, url) })
    };
    let notes = "https://ex.com/notes";
    assert_eq!(
        shown,
        [
            link(&shown[0], "notes", notes, notes, "other"),
            link(&shown[1], "bin ünï", "https://ex.com/a?x=1&y=2", &direct, "package"),
        ]
    );
    Value::Array(shown)
}

#[tokio::test]
async fn glab_makes_a_release_changes_it_and_deletes_it() {
    let expected = Expected::start(&[]).await;
    let api = as_glab(&expected.api());
    let releases = format!("{PROJECT}/releases");
    for (tag, sent) in TAGS {
        let release = format!("{releases}/{sent}");
        let tag_itself = format!("{PROJECT}/repository/tags/{sent}");

        // glab release create TAG: without --ref it looks for the tag, then for where to make one.
        api.get(&tag_itself).await.is(404, TAG_NOT_FOUND);
        let project = api.get(PROJECT).await;
        assert_eq!((project.status, &project.json()["default_branch"]), (200, &json!("main")));
        api.get(&release).await.is(404, RELEASE_NOT_FOUND);
        let body = format!(
            r#"{{"name":"{tag}","tag_name":"{tag}","description":"a \u0026 \u003cb\u003e","ref":"main"}}"#
        );
        let created = api.post(&releases, &body).await;
        let shown = created.json();
        assert_eq!((created.status, &shown["description"]), (201, &json!("a & <b>")));
        assert_eq!(shown, expected.release(tag, tag, &shown, &json!([])));
        let links = add_links(&expected, &api, tag, sent).await;

        // The same once more: now there are both, and what is there is changed.
        let reply = api.get(&tag_itself).await;
        let told = json!({
            "name": tag,
            "message": null,
            "target": UNKNOWN_COMMIT,
            "commit": expected.commit(tag, &shown),
            "release": { "tag_name": tag, "description": "a & <b>" },
            "protected": false,
            "created_at": shown["created_at"],
        });
        assert_eq!((reply.status, reply.json()), (200, told));
        let reply = api.get(&release).await;
        assert_eq!((reply.status, reply.json()), (200, expected.release(tag, tag, &shown, &links)));
        let reply = api.put(&release, r#"{"name":"n","description":"b"}"#).await;
        let changed = json!({ "created_at": shown["created_at"], "description": "b" });
        let changed = expected.release(tag, "n", &changed, &links);
        assert_eq!((reply.status, reply.json()), (200, changed.clone()));
        api.post(&format!("{release}/assets/links"), ASSETS[0]).await.is(400, ALL_TAKEN);

        // glab release list
        let reply = api.get(&format!("{releases}?page=1&per_page=30")).await;
        assert_eq!((reply.status, reply.json()), (200, json!([changed])));

        // go-gitlab takes a deletion without a body for an error.
        let link = format!("{release}/assets/links/{}", links[1]["id"]);
        let reply = api.delete(&link).await;
        assert_eq!((reply.status, &reply.json()), (200, &links[1]));
        api.get(&link).await.is(404, RECORD_NOT_FOUND);

        // glab release delete TAG
        assert_eq!(api.get(&release).await.status, 200);
        let reply = api.delete(&release).await;
        let left = json!([links[0]]);
        let changed = expected.release(tag, "n", &changed, &left);
        assert_eq!((reply.status, reply.json()), (200, changed));
        assert_eq!(api.get(&release).await.status, 404);
    }
    expected.app.assert_sound().await;
}

#[tokio::test]
async fn glab_makes_a_release_in_a_job() {
    let expected = Expected::start(&[]).await;
    let api = as_glab(&expected.app.anonymous().with("Job-Token", &expected.job_token));
    for (tag, sent) in TAGS {
        let release = format!("{PROJECT}/releases/{sent}");
        // A job token cannot read tag and project, as in GitLab; glab then takes the
        // default branch from the job's variables. With --ref, as GitLab's own keyword `release:`
        // calls it, it does not ask.
        for path in [format!("{PROJECT}/repository/tags/{sent}"), PROJECT.to_owned()] {
            api.get(&path).await.is(404, PROJECT_NOT_FOUND);
        }
        api.get(&release).await.is(404, RELEASE_NOT_FOUND);
        let body = format!(
            r#"{{"name":"Größe","tag_name":"{tag}","description":"a \u0026 b","ref":"main","released_at":"2026-01-02T03:04:05Z"}}"#
        );
        let created = api.post(&format!("{PROJECT}/releases"), &body).await;
        let shown = created.json();
        let mut told = expected.release(tag, "Größe", &shown, &json!([]));
        told["released_at"] = json!("2026-01-02T03:04:05.000Z");
        assert_eq!((created.status, &shown), (201, &told));
        let links = add_links(&expected, &api, tag, sent).await;
        // A second run ends here where it is called with --no-update, as the keyword does.
        let reply = api.get(&release).await;
        told["assets"] = json!({ "count": 2, "sources": [], "links": links });
        assert_eq!((reply.status, reply.json()), (200, told));
        let reply = api.put(&release, r#"{"name":"n"}"#).await;
        assert_eq!((reply.status, &reply.json()["name"]), (200, &json!("n")));
    }
    expected.app.assert_sound().await;
}

/// glab takes a 403 for a missing release, tries to create it, and shows the error.
#[tokio::test]
async fn glab_is_told_that_a_guest_makes_no_releases() {
    let expected = Expected::start(&["v1.0.0"]).await;
    let api = as_glab(&expected.app.member(AccessLevel::Guest).await);
    let forbidden = FORBIDDEN;
    api.get(&format!("{PROJECT}/releases/v1%2E0%2E0")).await.is(403, forbidden);
    let body = r#"{"name":"v1.0.0","tag_name":"v1.0.0","ref":"main"}"#;
    api.post(&format!("{PROJECT}/releases"), body).await.is(403, forbidden);
}
