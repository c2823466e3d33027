//! `PUT /projects/:id/releases/:tag_name`

use serde_json::json;
use shared::domain::access_level::AccessLevel;
use shared::domain::project::Visibility;
use shared::domain::token::{Scope, User};
use shared::store::tokens::NewToken;

use super::{Shown, tags};
use harness::LinkBody;
use harness::Reply;
use harness::errors::{FORBIDDEN, INSUFFICIENT_SCOPE, PROJECT_NOT_FOUND, UNAUTHORIZED};
use harness::test_app::{LINKS, RELEASE, RELEASES, TestApp, grant, protected, token};

const EMPTY: &str = r#"{"message":"params is empty"}"#;

#[tokio::test]
async fn only_sent_fields_change() {
    let (app, _) = TestApp::hello().await;
    let at = "2019-01-03T01:56:19.539Z";
    app.release_at("v2", at, at).await;
    let user = User { id: 7, username: "ada".to_owned(), external: false };
    let grants = vec![grant(20, AccessLevel::Developer)];
    let api = app.api_with(NewToken { user, grants, ..token() }).await;
    let path = format!("{RELEASES}/v2");
    let made =
        api.post(&format!("{path}/assets/links"), r#"{"name":"a","url":"https://e.com/a"}"#).await;
    // Its author stays who made it.
    let made = Shown {
        links: vec![LinkBody::new(made.id(), "a", "https://e.com/a").json()],
        may_edit: true,
        ..Shown::new(&api.address, "v2", at, at)
    };
    let shown = |name: &str, description: Option<&str>, released_at: &str| Shown {
        name: name.to_owned(),
        description: description.map(str::to_owned),
        released_at: released_at.to_owned(),
        upcoming: released_at.starts_with("2999"),
        ..made.clone()
    };
    let [past, future, old] =
        ["2020-02-02T01:00:00.000Z", "2999-01-01T00:00:00.000Z", "2018-01-01T00:00:00.001Z"];
    for (body, name, description, released_at) in [
        (r#"{"name":"Zwei"}"#, "Zwei", None, at),
        (r#"{"description":"ü\n"}"#, "Zwei", Some("ü\n"), at),
        (r#"{"name":null}"#, "v2", Some("ü\n"), at),
        (r#"{"name":" b ","description":""}"#, " b ", Some(""), at),
        (r#"{"description":null}"#, " b ", None, at),
        (r#"{"released_at":"2020-02-02T02:00:00+01:00"}"#, " b ", None, past),
        (r#"{"released_at":"2999-01-01"}"#, " b ", None, future),
        (r#"{"name":"c","released_at":"2018-01-01T00:00:00.001Z"}"#, "c", None, old),
        // The same once more.
        (r#"{"name":"c","released_at":"2018-01-01T00:00:00.001Z"}"#, "c", None, old),
        (r#"{"name":7,"description":true}"#, "7", Some("true"), old),
        // Links have endpoints of their own.
        (
            r#"{"name":"d","assets":{"links":[{"name":"b","url":"https://e.com/b"}]}}"#,
            "d",
            Some("true"),
            old,
        ),
        (
            r#"{"name":"e","assets":"x","tag_name":"lost","id":99,"created_at":"x"}"#,
            "e",
            Some("true"),
            old,
        ),
        (r#"{"milestones":[]}"#, "e", Some("true"), old),
        (r#"{"milestones":"","description":"m"}"#, "e", Some("m"), old),
        (r##"{"description":"# \"x\"\\"}"##, "e", Some("# \"x\"\\"), old),
    ] {
        let expected = shown(name, description, released_at).json();
        api.put(&path, body).await.is(200, &expected);
        api.get(&path).await.is(200, &expected);
    }
    let reply = api.send("PUT", &path, FORM, b"description=a+b").await;
    reply.is(200, &shown("e", Some("a b"), old).json());
    let reply = api.send("PUT", &format!("{path}?name=q"), "", b"").await;
    reply.is(200, &shown("q", Some("a b"), old).json());
    app.assert_sound().await;
}

#[tokio::test]
async fn a_new_time_moves_a_release_in_the_list_and_to_the_latest() {
    let app = TestApp::empty();
    app.project(harness::test_app::project(20, "mynamespace/hello")).await;
    for (tag, at) in [("a", "2020-01-01T00:00:00Z"), ("b", "2020-02-01T00:00:00Z")] {
        app.release_at(tag, at, at).await;
    }
    app.release_at("c", "2020-03-01T00:00:00Z", "2020-03-01T00:00:00Z").await;
    let api = app.developer().await;
    for (tag, released_at, order) in [
        ("a", "2020-04-01T00:00:00Z", "a c b"),
        ("c", "2020-01-15", "a b c"),
        ("b", "2999-01-01", "b a c"),
        ("c", "9999-12-31T23:59:59Z", "c b a"),
        ("b", "9999-12-31T23:59:59-00:01", "b c a"),
        ("c", "2020-01-15", "b a c"),
        ("b", "1970-01-01", "a c b"),
        ("b", "1969-01-01", "a c b"),
        ("a", "2020-04-01T00:00:00.001Z", "a c b"),
        ("c", "2020-04-01T00:00:00.002Z", "c a b"),
    ] {
        let body = json!({ "released_at": released_at }).to_string();
        assert_eq!(api.put(&format!("{RELEASES}/{tag}"), &body).await.status, 200);
        assert_eq!(tags(&api.get(RELEASES).await).join(" "), order, "{tag} {released_at}");
        let made = api.get(&format!("{RELEASES}?order_by=created_at")).await;
        assert_eq!(tags(&made).join(" "), "c b a");
        let latest = format!("/api/v4/projects/20/releases/{}", &order[..1]);
        api.get(&format!("{RELEASES}/permalink/latest")).await.leads_to(&latest);
    }
    app.assert_sound().await;
}

#[tokio::test]
async fn times_are_read_in_the_forms_that_people_and_programs_send() {
    let (_world, api) = TestApp::hello().await;
    let shown = |reply: &Reply, released_at: &str, upcoming: bool| Shown {
        released_at: released_at.to_owned(),
        upcoming,
        may_edit: true,
        ..Shown::at_the_times_of(reply, &api.address, "v1.7.0")
    };
    for (sent, released_at) in [
        // The output of `date`, JavaScript's Date.toString(), HTTP, mail, Git and Go.
        ("Sun Jul 28 10:00:00 UTC 2024", "2024-07-28T10:00:00.000Z"),
        (
            "Sun Jul 28 2024 12:00:00 GMT+0200 (Central European Summer Time)",
            "2024-07-28T10:00:00.000Z",
        ),
        ("Sun, 28 Jul 2024 10:00:00 GMT", "2024-07-28T10:00:00.000Z"),
        ("Sun, 28 Jul 2024 12:00:00 +0200", "2024-07-28T10:00:00.000Z"),
        ("2024-07-28 12:00:00 +0200", "2024-07-28T10:00:00.000Z"),
        ("2024-07-28 12:00:00.5 +0200 CEST m=+0.01", "2024-07-28T10:00:00.500Z"),
        ("2024-07-28T10:00:00 Z", "2024-07-28T10:00:00.000Z"),
        ("2024-07-28 05:00 EST", "2024-07-28T10:00:00.000Z"),
        ("2024-07-28T24:00:00Z", "2024-07-29T00:00:00.000Z"),
        ("2024-W30-7", "2024-07-28T00:00:00.000Z"),
        ("2024-210", "2024-07-28T00:00:00.000Z"),
        ("20240728T100000Z", "2024-07-28T10:00:00.000Z"),
        ("2024/07/28", "2024-07-28T00:00:00.000Z"),
        ("28 Jul 2024", "2024-07-28T00:00:00.000Z"),
        ("July 28, 2024 at 10:00 PM UTC", "2024-07-28T22:00:00.000Z"),
    ] {
        let reply = api.put(RELEASE, &json!({ "released_at": sent }).to_string()).await;
        reply.is(200, &shown(&reply, released_at, false).json());
    }
    for (sent, released_at) in [
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"),
        ("9999-12-31T23:59:59", "9999-12-31T23:59:59.000Z"),
        ("9999-12-31T23:59:59.999+02:00", "9999-12-31T21:59:59.999Z"),
        ("9999-12-31T23:59:59-05:00", "10000-01-01T04:59:59.000Z"),
        // Clients can send back a time as they received it.
        ("10000-01-01T04:59:59.000Z", "10000-01-01T04:59:59.000Z"),
    ] {
        let reply = api.put(RELEASE, &json!({ "released_at": sent }).to_string()).await;
        reply.is(200, &shown(&reply, released_at, true).json());
        api.get(RELEASE).await.is(200, &reply.body);
    }
    for sent in ["2026-02-30", "now", "25:00", "2026-07-28T25:00:00Z", "2026-07-28T10:00:00Zjunk"] {
        let body = json!({ "released_at": sent }).to_string();
        api.put(RELEASE, &body).await.is(400, r#"{"error":"released_at is invalid"}"#);
    }
}

/// Every way to send a list, as body and content type, and what GitLab's own code makes of it.
const LISTS_OF_NONE: [(&str, &str); 23] = [
    // An empty array, as the Ruby gem `gitlab` 4.17.0 writes it.
    ("milestones%5B%5D=", FORM),
    ("milestones[]=&", FORM),
    ("milestones[]=", FORM),
    ("milestones[]", FORM),
    ("milestones[]=,&milestones[]=,,", FORM),
    ("milestones=", FORM),
    ("milestones=,", FORM),
    ("milestones", FORM),
    ("milestones[a]=b", FORM),
    (r#"{"milestones":[]}"#, JSON),
    (r#"{"milestones":[""]}"#, JSON),
    (r#"{"milestones":[null,"",","]}"#, JSON),
    (r#"{"milestones":{}}"#, JSON),
    (r#"{"milestones":{"a":"b"}}"#, JSON),
    (r#"{"milestones":5}"#, JSON),
    (r#"{"milestones":false}"#, JSON),
    (r#"{"milestones":null}"#, JSON),
    ("milestone_ids[]=", FORM),
    (r#"{"milestone_ids":[]}"#, JSON),
    (r#"{"milestone_ids":[""]}"#, JSON),
    // Only an array is a list of numbers.
    (r#"{"milestone_ids":5}"#, JSON),
    (r#"{"milestone_ids":"5,6"}"#, JSON),
    ("milestone_ids=5", FORM),
];
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[tokio::test]
async fn an_empty_list_of_milestones_is_none_however_it_is_sent() {
    let (app, api) = TestApp::hello().await;
    let shown = |reply: &Reply, tag: &str| {
        let shown = Shown::at_the_times_of(reply, &api.address, tag);
        Shown { may_edit: true, ..shown }.json()
    };
    for (at, (body, content_type)) in LISTS_OF_NONE.into_iter().enumerate() {
        let reply = api.send("PUT", RELEASE, content_type, body.as_bytes()).await;
        reply.is(200, &shown(&reply, "v1.7.0"));
        let tag = format!("a{at}");
        let body = match content_type {
            FORM => format!("tag_name={tag}&{body}"),
            _ => format!(r#"{{"tag_name":"{tag}",{}"#, &body[1..]),
        };
        let reply = api.send("POST", RELEASES, content_type, body.as_bytes()).await;
        reply.is(201, &shown(&reply, &tag));
    }
    let part = "--x\r\nContent-Disposition: form-data; name=\"milestones[]\"\r\n\r\n\r\n--x--\r\n";
    let reply = api.send("PUT", RELEASE, "multipart/form-data; boundary=x", part.as_bytes()).await;
    reply.is(200, &shown(&reply, "v1.7.0"));
    let reply = api.send("PUT", &format!("{RELEASE}?milestones[]="), "", b"").await;
    reply.is(200, &shown(&reply, "v1.7.0"));
    app.assert_sound().await;
}

#[tokio::test]
async fn milestones_that_are_named_are_not_found() {
    let (_world, api) = TestApp::hello().await;
    let twice = r#"{"error":"milestones, milestone_ids Cannot specify milestones and milestone_ids at the same time"}"#;
    for (body, content_type, expected) in [
        (
            r#"{"milestones":["a,b"," c ,",5,true]}"#,
            JSON,
            "Milestone(s) not found: a, b, c, 5, true",
        ),
        (r#"{"milestones":",a,,b,,"}"#, JSON, "Milestone(s) not found: , a, , b"),
        (r#"{"milestones":" "}"#, JSON, "Milestone(s) not found: "),
        ("milestones[]=a&milestones[]=&milestones[]=a", FORM, "Milestone(s) not found: a, a"),
        ("milestones=1.0%2C+2.0", FORM, "Milestone(s) not found: 1.0, 2.0"),
        (
            r#"{"milestone_ids":[1,"2, 3x"," 4_0","abc",null,"-5","+6"]}"#,
            JSON,
            "Milestone id(s) not found: 1, 2, 3, 40, 0, -5, 6",
        ),
        ("milestone_ids[]=7", FORM, "Milestone id(s) not found: 7"),
    ] {
        let message = json!({ "message": expected }).to_string();
        api.send("PUT", RELEASE, content_type, body.as_bytes()).await.is(400, &message);
    }
    for (body, expected) in [
        (r#"{"milestones":[],"milestone_ids":[]}"#, twice),
        (r#"{"milestones":null,"milestone_ids":[1]}"#, twice),
        (r#"{"milestones":[["a"]]}"#, r#"{"error":"milestones is invalid"}"#),
        (r#"{"milestones":["a",{}]}"#, r#"{"error":"milestones is invalid"}"#),
        (r#"{"milestone_ids":[[1]]}"#, r#"{"error":"milestone_ids is invalid"}"#),
    ] {
        api.put(RELEASE, body).await.is(400, expected);
    }
}

#[tokio::test]
async fn checks_come_in_gitlabs_order() {
    let (app, developer) = TestApp::hello().await;
    let grants = vec![grant(20, AccessLevel::Owner)];
    let reader = app.api_with(NewToken { scope: Scope::ReadApi, grants, ..token() }).await;
    let reporter = app.member(AccessLevel::Reporter).await;
    let maintainer = app.member(AccessLevel::Maintainer).await;
    let unknown = app.anonymous().with("private-token", "glpat-x");
    let stranger = app.api_with(token()).await;
    let bad = r#"{"released_at":"x","name":[],"milestones":[[]],"description":{}}"#;
    let problems = r#"{"error":"name is invalid, description is invalid, released_at is invalid, milestones is invalid"}"#;
    let nowhere = "/projects/99/releases/v1";
    let missing = "/projects/20/releases/none";
    let scope = INSUFFICIENT_SCOPE;
    let no_project = PROJECT_NOT_FOUND;
    let too_long = json!({ "name": "x".repeat(256), "description": "y".repeat(256 * 1024 + 1) });
    let too_long = too_long.to_string();
    for (case, api, path, body, status, expected) in [
        ("token", &unknown, nowhere, bad, 401, UNAUTHORIZED),
        ("project", &developer, nowhere, bad, 404, no_project),
        ("invisible", &stranger, RELEASE, bad, 404, no_project),
        ("scope", &reader, missing, bad, 403, scope),
        ("parameters", &reporter, missing, bad, 400, problems),
        ("missing", &maintainer, missing, "{}", 403, FORBIDDEN),
        ("no tag", &maintainer, "/projects/20/releases/a..b", "{}", 403, FORBIDDEN),
        ("role", &reporter, RELEASE, "{}", 403, FORBIDDEN),
        ("empty", &developer, RELEASE, "", 400, EMPTY),
        ("empty", &developer, RELEASE, "{}", 400, EMPTY),
        ("empty", &developer, RELEASE, r#"{"assets":{"links":[]},"ref":"x"}"#, 400, EMPTY),
        (
            "milestones",
            &developer,
            RELEASE,
            r#"{"milestones":["1.0","2.0"]}"#,
            400,
            r#"{"message":"Milestone(s) not found: 1.0, 2.0"}"#,
        ),
        (
            "model",
            &developer,
            RELEASE,
            &too_long,
            400,
            r#"{"message":"Validation failed: Name is too long (maximum is 255 characters), Description is too long (maximum is 262144 bytes)"}"#,
        ),
    ] {
        let reply = api.put(path, body).await;
        assert_eq!((reply.status, reply.body.as_str()), (status, expected), "{case}");
    }

    let good = r#"{"name":"b"}"#;
    let rule = protected("v*", Some(AccessLevel::Maintainer));
    app.change_project(20, |project| project.protected_tags = vec![rule]).await;
    developer.put(RELEASE, good).await.is(403, FORBIDDEN);
    assert_eq!(maintainer.put(RELEASE, good).await.status, 200);
    app.change_project(20, |project| project.archived = true).await;
    maintainer.put(RELEASE, good).await.is(403, FORBIDDEN);
    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    for api in [&stranger, &app.anonymous()] {
        api.put(RELEASE, bad).await.is(400, problems);
        api.put(RELEASE, good).await.is(403, FORBIDDEN);
    }
    assert_eq!(app.job().await.put(RELEASE, good).await.status, 403);
    app.change_project(20, |project| {
        project.archived = false;
        project.protected_tags = Vec::new();
    })
    .await;
    assert_eq!(app.job().await.put(RELEASE, good).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_different_fields_at_once_all_stay() {
    let (app, api) = TestApp::hello().await;
    let bodies = |round: u32| {
        [
            json!({ "name": format!("name {round}") }),
            json!({ "description": format!("notes {round}") }),
            json!({ "released_at": format!("2020-01-{round:02}T00:00:00Z") }),
        ]
    };
    for round in 1..=10 {
        let writers = bodies(round).map(|body| {
            let api = api.clone();
            tokio::spawn(async move { api.put(RELEASE, &body.to_string()).await.status })
        });
        for writer in writers {
            assert_eq!(writer.await.unwrap(), 200);
        }
        let json = api.get(RELEASE).await.json();
        let shown = ["name", "description", "released_at"].map(|name| json[name].as_str().unwrap());
        let at = format!("2020-01-{round:02}T00:00:00.000Z");
        assert_eq!(shown, [&format!("name {round}"), &format!("notes {round}"), &*at]);
        assert_eq!(tags(&api.get(RELEASES).await), ["v1.7.0"]);
    }
    assert_eq!(api.get(LINKS).await.status, 200);
    app.assert_sound().await;
}
