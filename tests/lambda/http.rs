//! The API over HTTP, routed by the emulator.

use serde_json::Value;

use super::emulator::{Emulator, in_time};
use super::{LINKS, Tokens};
use harness::LinkBody;
use harness::errors::{
    ALL_TAKEN, PROJECT_NOT_FOUND, RECORD_NOT_FOUND, RELEASE_EXISTS, RELEASE_NOT_FOUND,
    ROUTE_NOT_FOUND, UNAUTHORIZED,
};
use harness::{Api, Reply};

/// Drives every route with a developer's token.
pub(super) async fn run(emulator: &Emulator, tokens: &Tokens) {
    let nobody = Api::anonymous(&emulator.address);
    let api = nobody.with("private-token", tokens.developer.reveal());
    let origin = format!("http://{}", emulator.address);
    links_are_made_read_changed_and_deleted(&api, &origin).await;
    releases_are_made_read_changed_and_deleted(&api, &origin).await;
    callers_learn_who_they_are(&api, &nobody.with("job-token", tokens.job.reveal())).await;
    unmatched_requests_go_to_web(&api).await;
}

async fn links_are_made_read_changed_and_deleted(api: &Api, origin: &str) {
    let downloads = format!("{origin}/demo/hello/-/releases/v1.0.0/downloads");
    let shown = |id: u64, file: &str, name: &str, link_type: &str| {
        let url = format!("https://ex.com/{file}?a=1&b=2");
        let direct_asset_url = &format!("{downloads}/bin/{file}");
        LinkBody { direct_asset_url, link_type, ..LinkBody::new(id, name, &url) }.json()
    };
    // Plain in the event.
    let json = "application/json";
    let body = r#"{"name":"bin ünï","url":"https://ex.com/b?a=1&b=2","direct_asset_path":"/bin/b","link_type":"package"}"#;
    let made = send(api, "POST", LINKS, json, body).await;
    let id = made.id();
    made.is(201, &shown(id, "b", "bin ünï", "package"));
    // In Base64.
    let form = "application/x-www-form-urlencoded";
    let body = "name=bin+%C3%BCn%2B&url=https%3A%2F%2Fex.com%2Fc%3Fa%3D1%26b%3D2&direct_asset_path=%2Fbin%2Fc";
    let other = send(api, "POST", LINKS, form, body).await;
    other.is(201, &shown(other.id(), "c", "bin ün+", "other"));
    send(api, "POST", LINKS, form, body).await.is(400, ALL_TAKEN);

    let link = format!("{LINKS}/{id}");
    let got = send(api, "GET", &link, "", "").await;
    got.is(200, &made.body);
    same_without_body(&send(api, "HEAD", &link, "", "").await, &got);
    let query = format!("{LINKS}?per_page=1&page=2");
    let got = send(api, "GET", &query, "", "").await;
    got.is(200, &format!("[{}]", made.body));
    let url = |page: u32| {
        format!("{origin}/api/v4{LINKS}?id=demo%2Fhello&page={page}&per_page=1&tag_name=v1.0.0")
    };
    let [first, second] = [url(1), url(2)];
    assert_eq!(
        got.header("link"),
        format!(r#"<{first}>; rel="prev", <{first}>; rel="first", <{second}>; rel="last""#)
    );
    assert_eq!(got.header("x-total"), "2");
    same_without_body(&send(api, "HEAD", &query, "", "").await, &got);

    let changed = send(api, "PUT", &link, json, r#"{"name":"größer"}"#).await;
    changed.is(200, &shown(id, "b", "größer", "other"));
    let body = "name=gr%C3%B6%C3%9Fer&link_type=image";
    let changed = send(api, "PUT", &link, form, body).await;
    changed.is(200, &shown(id, "b", "größer", "image"));
    send(api, "DELETE", &link, json, "{}").await.is(200, &changed.body);
    for method in ["GET", "DELETE"] {
        send(api, method, &link, "", "").await.is(404, RECORD_NOT_FOUND);
    }
    send(api, "GET", LINKS, "", "").await.is(200, &format!("[{}]", other.body));

    let nobody = Api::anonymous(&api.address);
    let refused = send(&nobody, "GET", LINKS, "", "").await;
    refused.is(404, PROJECT_NOT_FOUND);
    let stranger = nobody.with("private-token", "glpat-unknown");
    let refused = send(&stranger, "GET", LINKS, "", "").await;
    refused.is(401, UNAUTHORIZED);
}

async fn releases_are_made_read_changed_and_deleted(api: &Api, origin: &str) {
    let project = "/api/v4/projects/demo%2Fhello";
    let releases = &format!("{project}/releases");
    let release = &format!("{releases}/v%2F2");
    let form = "application/x-www-form-urlencoded";
    let body = "tag_name=v%2F2&description=gr%C3%B6%C3%9Fer&released_at=2099-01-01\
                &assets[links][][name]=a&assets[links][][url]=https%3A%2F%2Fex.com%2Fa\
                &assets[links][][direct_asset_path]=%2Fbin%2Fa\
                &assets[links][][name]=b&assets[links][][url]=https%3A%2F%2Fex.com%2Fb";
    let made = send(api, "POST", releases, form, body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let shown: Value = serde_json::from_str(&made.body).unwrap();
    assert_eq!(shown["description"], "größer");
    assert_eq!(shown["assets"]["count"], 2);
    send(api, "POST", releases, form, body).await.is(409, RELEASE_EXISTS);

    let got = send(api, "GET", release, "", "").await;
    got.is(200, &made.body);
    same_without_body(&send(api, "HEAD", release, "", "").await, &got);
    let listed = send(api, "GET", &format!("{releases}?per_page=1"), "", "").await;
    listed.is(200, &format!("[{}]", made.body));
    assert_eq!(listed.header("x-total"), "2");
    let tag = send(api, "GET", &format!("{project}/repository/tags/v%2F2"), "", "").await;
    assert_eq!(tag.status, 200);

    for path in [
        format!("{release}/downloads/bin/a"),
        "/demo/hello/-/releases/v%2F2/downloads/bin/a".to_owned(),
    ] {
        let reply = send(api, "GET", &path, "", "").await;
        assert_eq!((reply.status, reply.header("location")), (302, "https://ex.com/a"), "{path}");
    }
    for (path, location) in [
        (format!("{releases}/permalink/latest"), "/api/v4/projects/20/releases/v%2F2".to_owned()),
        (
            format!("{releases}/permalink/latest/assets/links?per_page=2"),
            "/api/v4/projects/20/releases/v%2F2/assets/links?per_page=2".to_owned(),
        ),
        (
            "/demo/hello/-/releases/permalink/latest/downloads/bin/a".to_owned(),
            format!("{origin}/demo/hello/-/releases/v%2F2/downloads/bin/a"),
        ),
    ] {
        let reply = send(api, "GET", &path, "", "").await;
        assert_eq!((reply.status, reply.header("location")), (302, location.as_str()), "{path}");
    }

    let changed = send(api, "PUT", release, "application/json", r#"{"name":"zwei"}"#).await;
    // The title of the commit is the release's name.
    let expected = made
        .body
        .replacen(r#""name":"v/2""#, r#""name":"zwei""#, 1)
        .replace(r#""title":"v/2","message":"v/2""#, r#""title":"zwei","message":"zwei""#);
    changed.is(200, &expected);
    send(api, "DELETE", release, "", "").await.is(200, &expected);
    send(api, "GET", release, "", "").await.is(404, RELEASE_NOT_FOUND);
}

async fn callers_learn_who_they_are(api: &Api, job: &Api) {
    let shown = async |api: &Api, path: &str| {
        let reply = send(api, "GET", path, "", "").await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        same_without_body(&send(api, "HEAD", path, "", "").await, &reply);
        serde_json::from_str::<Value>(&reply.body).unwrap()
    };
    let project = "/api/v4/projects/demo%2Fhello";
    assert_eq!(shown(api, project).await["path_with_namespace"], "demo/hello");
    assert_eq!(shown(api, &format!("{project}/members/all/1")).await["access_level"], 30);
    let none = shown(api, &format!("{project}/repository/commits/abc/merge_requests")).await;
    assert_eq!(none, Value::Array(Vec::new()));
    assert_eq!(shown(api, "/api/v4/user").await["username"], "root");
    assert_eq!(shown(job, "/api/v4/job").await["name"], "publish");
    assert_eq!(shown(api, "/api/v4/version").await["enterprise"], false);
}

async fn unmatched_requests_go_to_web(api: &Api) {
    let not_found = ROUTE_NOT_FOUND;
    let links = format!("/api/v4{LINKS}");
    let link = format!("{links}/3");
    for (method, path) in [
        ("POST", "/"),
        ("GET", "/nothing"),
        ("GET", "/api/v4/projects/demo/hello/releases/v1.0.0/assets/links"),
        ("GET", "/api/v4/projects/demo%2Fhello/releases/release/1.0/assets/links"),
        ("PUT", &links),
        ("PATCH", &links),
        ("DELETE", &links),
        ("POST", &link),
        ("PATCH", &link),
        ("GET", "/demo/hello/-/releases/none/downloads/bin/a"),
        ("PUT", "/api/v4/projects/demo%2Fhello/releases"),
        ("POST", "/api/v4/user"),
    ] {
        send(api, method, path, "", "").await.is(404, not_found);
    }
    send(api, "HEAD", "/nothing", "", "").await.is(404, "");
    for (path, allow) in
        [(&links, "OPTIONS, GET, POST, HEAD"), (&link, "OPTIONS, GET, PUT, DELETE, HEAD")]
    {
        let reply = send(api, "OPTIONS", path, "", "").await;
        reply.is(204, "");
        assert_eq!(reply.header("allow"), allow);
    }
    let preflight =
        api.with("origin", "https://page.example").with("access-control-request-method", "PUT");
    let reply = send(&preflight, "OPTIONS", &link, "", "").await;
    reply.is(200, "");
    assert_eq!(reply.header("access-control-allow-origin"), "*");
}

async fn send(api: &Api, method: &str, path: &str, content_type: &str, body: &str) -> Reply {
    in_time(api.send(method, path, content_type, body.as_bytes())).await
}

#[track_caller]
fn same_without_body(head: &Reply, get: &Reply) {
    head.is(get.status, "");
    for name in ["content-type", "etag", "cache-control"] {
        assert_eq!(head.header(name), get.header(name));
    }
    for name in ["link", "x-total"] {
        assert_eq!(head.headers.get(name), get.headers.get(name), "{name}");
    }
}
