//! `GET /projects/:id/members/all/:user_id`

use shared::domain::access_level::AccessLevel;
use shared::domain::project::{NamespacePath, Visibility};
use shared::domain::token::{Grant, GrantTarget, User};
use shared::store::tokens::NewToken;

use super::releases::user;
use harness::errors::{PROJECT_NOT_FOUND, RECORD_NOT_FOUND, ROUTE_NOT_FOUND, UNAUTHORIZED};
use harness::test_app::{TestApp, grant, token};

const MEMBERS: &str = "/projects/20/members/all";

#[tokio::test]
async fn callers_find_themselves_with_their_highest_role_and_nobody_else() {
    let (app, _) = TestApp::hello().await;
    let in_group = |level| Grant {
        target: GrantTarget::Namespace(NamespacePath::parse("mynamespace").unwrap()),
        level,
    };
    for (id, username, grants, level) in [
        (1, "root", vec![grant(20, AccessLevel::Owner)], 50),
        (7, "ada", vec![grant(20, AccessLevel::Guest)], 10),
        (7, "ada", vec![in_group(AccessLevel::Developer)], 30),
        (7, "ada", vec![grant(20, AccessLevel::Planner), in_group(AccessLevel::Maintainer)], 40),
        (7, "ada", vec![grant(20, AccessLevel::Reporter), in_group(AccessLevel::Guest)], 20),
    ] {
        let user_of = User { id, username: username.to_owned(), external: id == 7 };
        let api = app.api_with(NewToken { user: user_of, grants, ..token() }).await;
        let shown = user(&app.server.address, id, username);
        let shown = shown.strip_suffix('}').unwrap();
        let expected = format!(r#"{shown},"access_level":{level},"expires_at":null}}"#);
        for path in [
            format!("{MEMBERS}/{id}"),
            format!("{MEMBERS}/0{id}"),
            format!("/projects/MyNamespace%2Fhello/members/all/{id}/"),
        ] {
            let reply = api.get(&path).await;
            reply.is(200, &expected);
            let head = api.head(&path).await;
            head.is(200, "");
            assert_eq!(head.header("etag"), reply.header("etag"));
        }
        for other in ["2", "0", "-1", "99999999999999999999"] {
            api.get(&format!("{MEMBERS}/{other}")).await.is(404, RECORD_NOT_FOUND);
        }
    }
}

#[tokio::test]
async fn a_non_member_is_not_found() {
    let (app, api) = TestApp::hello().await;
    let no_project = PROJECT_NOT_FOUND;
    let invalid = r#"{"error":"user_id is invalid"}"#;
    let nobody = app.anonymous();
    let stranger = app.api_with(token()).await;
    let unknown = nobody.with("private-token", "glpat-x");
    let job = app.job().await;
    for api in [&nobody, &stranger, &job] {
        api.get(&format!("{MEMBERS}/1")).await.is(404, no_project);
    }
    unknown.get(&format!("{MEMBERS}/1")).await.is(401, UNAUTHORIZED);
    api.get("/projects/99/members/all/1").await.is(404, no_project);
    // Its form is looked at before anything else.
    for api in [&nobody, &stranger, &unknown, &api] {
        for id in ["root", "1.5", "0x1", "%C3%A9"] {
            api.get(&format!("{MEMBERS}/{id}")).await.is(400, invalid);
        }
    }
    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    for api in [&nobody, &stranger, &job] {
        api.get(&format!("{MEMBERS}/1")).await.is(404, RECORD_NOT_FOUND);
    }
    for path in [MEMBERS, "/projects/20/members", "/projects/20/members/1"] {
        api.get(path).await.is(404, ROUTE_NOT_FOUND);
    }
}
