//! `DELETE /projects/:id/releases/:tag_name`

use shared::domain::access_level::AccessLevel;
use shared::domain::token::Scope;
use shared::store::tokens::NewToken;

use super::tags;
use harness::errors::{
    FORBIDDEN, INSUFFICIENT_SCOPE, PROJECT_NOT_FOUND, RECORD_NOT_FOUND, RELEASE_NOT_FOUND,
    ROUTE_NOT_FOUND, TAG_NOT_FOUND,
};
use harness::test_app::{LINKS, RELEASE, RELEASES, TestApp, grant, protected, token};

#[tokio::test]
async fn a_deleted_release_is_answered_and_nothing_of_it_is_seen_again() {
    let (app, api) = TestApp::hello().await;
    app.release(20, "v2").await;
    let body = r#"{"name":"a","url":"https://e.com/a","direct_asset_path":"/bin/a"}"#;
    let link = api.post(LINKS, body).await.id();
    assert_eq!(api.put(RELEASE, r#"{"name":"one","description":"two"}"#).await.status, 200);
    let last = api.get(RELEASE).await;
    api.delete(RELEASE).await.is(200, &last.body);

    api.get(RELEASE).await.is(404, RELEASE_NOT_FOUND);
    for path in [LINKS.to_owned(), format!("{LINKS}/{link}")] {
        api.get(&path).await.is(404, RECORD_NOT_FOUND);
    }
    let download = format!("{RELEASE}/downloads/bin/a");
    api.get(&download).await.is(404, RELEASE_NOT_FOUND);
    let page = "/mynamespace/hello/-/releases/v1.7.0/downloads/bin/a";
    api.get(page).await.is(404, ROUTE_NOT_FOUND);
    let tag = "/projects/20/repository/tags/v1.7.0";
    api.get(tag).await.is(404, TAG_NOT_FOUND);
    assert_eq!(tags(&api.get(RELEASES).await), ["v2"]);
    let latest = format!("{RELEASES}/permalink/latest");
    api.get(&latest).await.leads_to("/api/v4/projects/20/releases/v2");

    // Deleting or changing a missing release is forbidden.
    api.delete(RELEASE).await.is(403, FORBIDDEN);
    api.put(RELEASE, r#"{"name":"b"}"#).await.is(403, FORBIDDEN);
    api.send("DELETE", &format!("{RELEASES}/v2"), "application/json", b"{}").await;
    api.get(&latest).await.is(404, RELEASE_NOT_FOUND);
    api.get(RELEASES).await.is(200, "[]");
    app.assert_sound().await;
}

#[tokio::test]
async fn a_release_made_again_has_its_own_links_only_and_every_old_value_is_free() {
    let (app, api) = TestApp::hello().await;
    let body = r#"{"name":"a","url":"https://e.com/old","direct_asset_path":"/bin/a"}"#;
    let old = api.post(LINKS, body).await.id();
    api.post(LINKS, r#"{"name":"b","url":"https://e.com/b","direct_asset_path":"/bin/b"}"#).await;
    assert_eq!(api.delete(RELEASE).await.status, 200);

    let again = r#"{"tag_name":"v1.7.0","assets":{"links":[{"name":"b","url":"https://e.com/old","direct_asset_path":"/bin/a"}]}}"#;
    let made = api.post(RELEASES, again).await;
    assert_eq!(made.status, 201, "{made:?}");
    let links = &made.json()["assets"]["links"];
    assert_eq!((links.as_array().unwrap().len(), &links[0]["name"]), (1, &"b".into()));
    assert_eq!(api.get(LINKS).await.json(), *links);
    api.get(&format!("{LINKS}/{old}")).await.is(404, RECORD_NOT_FOUND);
    api.get(&format!("{RELEASE}/downloads/bin/a")).await.leads_to("https://e.com/old");
    api.get(&format!("{RELEASE}/downloads/bin/b")).await.is(404, RECORD_NOT_FOUND);
    let free = r#"{"name":"a","url":"https://e.com/b","direct_asset_path":"/bin/b"}"#;
    assert_eq!(api.post(LINKS, free).await.status, 201);
    let audit = app.assert_sound().await;
    assert_eq!((audit.links, audit.claims), (2, 6));
}

#[tokio::test]
async fn only_who_may_write_deletes() {
    let (app, developer) = TestApp::hello().await;
    let owner = app.member(AccessLevel::Owner).await;
    let reader =
        NewToken { scope: Scope::ReadApi, grants: vec![grant(20, AccessLevel::Owner)], ..token() };
    let reader = app.api_with(reader).await;
    for level in [AccessLevel::Guest, AccessLevel::Planner, AccessLevel::Reporter] {
        app.member(level).await.delete(RELEASE).await.is(403, FORBIDDEN);
    }
    app.anonymous().delete(RELEASE).await.is(404, PROJECT_NOT_FOUND);
    let scope = INSUFFICIENT_SCOPE;
    reader.delete(RELEASE).await.is(403, scope);
    for missing in ["none", "a..b", "%20"] {
        owner.delete(&format!("{RELEASES}/{missing}")).await.is(403, FORBIDDEN);
    }
    let rule = protected("v*", Some(AccessLevel::Maintainer));
    app.change_project(20, |project| project.protected_tags = vec![rule]).await;
    developer.delete(RELEASE).await.is(403, FORBIDDEN);
    app.change_project(20, |project| project.archived = true).await;
    owner.delete(RELEASE).await.is(403, FORBIDDEN);
    assert_eq!(owner.get(RELEASE).await.status, 200);
    app.change_project(20, |project| project.archived = false).await;
    assert_eq!(owner.delete(RELEASE).await.status, 200);

    app.release(20, "free").await;
    assert_eq!(app.job().await.delete(&format!("{RELEASES}/free")).await.status, 200);
}
