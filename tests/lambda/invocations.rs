//! Events of API Gateway's REST flavour, handed to the functions as they stand in tests/events.

use harness::DEFAULT_PER_PAGE;
use harness::LinkBody;
use harness::errors::{ALL_TAKEN, FORBIDDEN, RECORD_NOT_FOUND, RELEASE_EXISTS, RELEASE_NOT_FOUND};
use serde_json::{Value, json};

use crate::projects::UNKNOWN_COMMIT;
use crate::user_job_version::SHOWN_VERSION;

/// The API on the gateway's own domain, below its stage.
const STAGE: &str = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/prod";
/// A domain of the installation's own that shows it at the root.
const DOMAIN: &str = "https://releases.example.com";
/// The same, below a base path.
const BASE_PATH: &str = "https://example.com/gitlab";

const CREATED: [(&str, &str); 1] = [("x-release-links-outcome", "created")];
const REVALIDATE: &str = "max-age=0, private, must-revalidate";

/// Makes a link, reads, changes and deletes it, each by the event of another way to the API.
///
/// `answer` hands a function the event in a file of tests/events.
pub(super) async fn run(answer: impl AsyncFn(&str, &str) -> Value) {
    let invoke =
        async |function: &str, event: &str| without_what_varies(answer(function, event).await);
    let shown = |base: &str, name: &str, link_type: &str| {
        let direct_asset_url = &format!("{base}/demo/hello/-/releases/v1.0.0/downloads/bin/a");
        let link = LinkBody::new(1, name, "https://ex.com/a?x=1&y=2");
        LinkBody { direct_asset_url, link_type, ..link }.json()
    };

    assert_eq!(
        invoke("create-link", "create-link.json").await,
        response(201, &shown(STAGE, "bin ünï", "package"), REVALIDATE, &CREATED)
    );
    assert_eq!(
        invoke("create-link", "create-link.json").await,
        response(400, ALL_TAKEN, "no-cache", &[])
    );
    assert_eq!(
        invoke("get-link", "get-link.json").await,
        response(200, &shown(STAGE, "bin ünï", "package"), REVALIDATE, &[])
    );
    let url = format!(
        "{STAGE}/api/v4/projects/demo%2Fhello/releases/v1.0.0/assets/links?id=demo%2Fhello&page=1&per_page=50&tag_name=v1.0.0"
    );
    assert_eq!(
        invoke("list-links", "list-links.json").await,
        response(
            200,
            &format!("[{}]", shown(STAGE, "bin ünï", "package")),
            REVALIDATE,
            &page("50", "1", &both_ends(&url))
        )
    );
    assert_eq!(
        invoke("update-link", "update-link.json").await,
        response(200, &shown(DOMAIN, "größer", "image"), REVALIDATE, &[])
    );
    assert_eq!(
        invoke("delete-link", "delete-link.json").await,
        response(200, &shown(BASE_PATH, "größer", "image"), REVALIDATE, &[])
    );
    assert_eq!(
        invoke("get-link", "get-link.json").await,
        response(404, RECORD_NOT_FOUND, "no-cache", &[])
    );

    let mut options =
        response(204, "", "no-cache", &[("allow", "OPTIONS, GET, PUT, DELETE, HEAD")]);
    options["multiValueHeaders"].as_object_mut().unwrap().remove("content-type");
    assert_eq!(invoke("web", "web.json").await, options);

    clients_connect(&invoke).await;
    releases(&invoke).await;
    assert_eq!(answer("sweep", "sweep.json").await, json!({ "batchItemFailures": [] }));
}

async fn clients_connect(invoke: &impl AsyncFn(&str, &str) -> Value) {
    let user = |base: &str| {
        format!(
            r#""id":1,"username":"root","name":"root","state":"active","locked":false,"avatar_url":null,"web_url":"{base}/root""#
        )
    };
    assert_eq!(
        invoke("get-user", "get-user.json").await,
        response(200, &format!(r#"{{{},"external":false}}"#, user(STAGE)), REVALIDATE, &[])
    );
    assert_eq!(
        invoke("get-member", "get-member.json").await,
        response(
            200,
            &format!(r#"{{{},"access_level":30,"expires_at":null}}"#, user(STAGE)),
            REVALIDATE,
            &[]
        )
    );
    assert_eq!(
        invoke("get-version", "get-version.json").await,
        response(200, SHOWN_VERSION, REVALIDATE, &[])
    );
    let (job, at) = made_at(invoke("get-job", "get-job.json").await);
    assert_eq!(
        job,
        response(
            200,
            &format!(
                r#"{{"id":1,"status":"running","name":"publish","created_at":"{at}","started_at":"{at}","finished_at":null,"user":{{{}}},"web_url":"{DOMAIN}/demo/hello/-/jobs/1"}}"#,
                user(DOMAIN)
            ),
            REVALIDATE,
            &[]
        )
    );
    let (project, at) = made_at(invoke("get-project", "get-project.json").await);
    let shown = format!(
        r#"{{"id":20,"name":"hello","name_with_namespace":"demo / hello","path":"hello","path_with_namespace":"demo/hello","created_at":"{at}","default_branch":"main","web_url":"{STAGE}/demo/hello","archived":false,"visibility":"private","releases_access_level":"enabled","permissions":{{"project_access":{{"access_level":30,"notification_level":3}},"group_access":null}}}}"#
    );
    assert_eq!(project, response(200, &shown, REVALIDATE, &[]));
    let url = format!(
        "{STAGE}/api/v4/projects?membership=false&order_by=created_at&owned=false&page=1&per_page={DEFAULT_PER_PAGE}&simple=false&sort=desc"
    );
    assert_eq!(
        invoke("list-projects", "list-projects.json").await,
        response(
            200,
            &format!("[{shown}]"),
            REVALIDATE,
            &page(DEFAULT_PER_PAGE, "1", &both_ends(&url))
        )
    );
    let url = format!(
        "{STAGE}/api/v4/projects/demo%2Fhello/repository/commits/6104942438c14ec7bd21c6cd5bd995272b3faff6/merge_requests?id=demo%2Fhello&page=1&per_page={DEFAULT_PER_PAGE}&sha=6104942438c14ec7bd21c6cd5bd995272b3faff6"
    );
    assert_eq!(
        invoke("list-merge-requests", "list-merge-requests.json").await,
        response(200, "[]", REVALIDATE, &page(DEFAULT_PER_PAGE, "0", &both_ends(&url)))
    );
}

/// Makes a release, reads, changes and deletes it.
async fn releases(invoke: &impl AsyncFn(&str, &str) -> Value) {
    let (made, created_at) = made_at(invoke("create-release", "create-release.json").await);
    let body: Value = serde_json::from_str(made["body"].as_str().unwrap()).unwrap();
    let id = body["assets"]["links"][0]["id"].as_u64().unwrap();
    let shown = |base: &str, description: &str, released_at: &str| {
        let project = format!("{base}/demo/hello/-");
        let list = |what: &str| format!("{project}/{what}?release_tag=release%2F2.0&scope=all");
        let (issues, merge_requests) = (list("issues"), list("merge_requests"));
        let page = format!("{project}/releases/release%2F2.0");
        let link = LinkBody {
            direct_asset_url: &format!("{page}/downloads/bin/b"),
            link_type: "package",
            ..LinkBody::new(id, "bin", "https://ex.com/b?x=1&y=2")
        };
        // Without scheme and host.
        let path = project.splitn(4, '/').nth(3).unwrap();
        let path = format!("/{path}");
        [
            format!(r#"{{"name":"zweï","tag_name":"release/2.0","description":"{description}","#),
            format!(r#""created_at":"{created_at}","released_at":"{released_at}","#),
            r#""upcoming_release":true,"author":{"id":1,"username":"root","name":"root","#
                .to_owned(),
            r#""state":"active","locked":false,"avatar_url":null,"#.to_owned(),
            format!(r#""web_url":"{base}/root"}},"commit":{},"#, commit(base, &created_at)),
            format!(r#""commit_path":"{path}/commit/{UNKNOWN_COMMIT}","#),
            format!(r#""tag_path":"{path}/tags/release%2F2.0","#),
            r#""assets":{"count":1,"sources":[],"#.to_owned(),
            format!(r#""links":[{}]}},"_links":{{"#, link.json()),
            format!(r#""closed_issues_url":"{issues}&state=closed","#),
            format!(r#""closed_merge_requests_url":"{merge_requests}&state=closed","#),
            format!(r#""edit_url":"{page}/edit","#),
            format!(r#""merged_merge_requests_url":"{merge_requests}&state=merged","#),
            format!(r#""opened_issues_url":"{issues}&state=opened","#),
            format!(r#""opened_merge_requests_url":"{merge_requests}&state=opened","#),
            format!(r#""self":"{page}"}}}}"#),
        ]
        .concat()
    };
    let notes = r#"# Notes\n\n<b> & \"ü\""#;
    let new = |base: &str| shown(base, notes, "2099-12-31T22:59:59.999Z");
    assert_eq!(made, response(201, &new(STAGE), REVALIDATE, &CREATED));
    assert_eq!(
        invoke("create-release", "create-release.json").await,
        response(409, RELEASE_EXISTS, "no-cache", &[])
    );
    assert_eq!(
        invoke("get-release", "get-release.json").await,
        response(200, &new(STAGE), REVALIDATE, &[])
    );
    let url = |page: u32| {
        format!(
            "{DOMAIN}/api/v4/projects/demo%2Fhello/releases?id=demo%2Fhello&order_by=released_at&page={page}&per_page=1&sort=desc"
        )
    };
    let links =
        format!(r#"<{}>; rel="next", <{}>; rel="first", <{}>; rel="last""#, url(2), url(1), url(2));
    let mut headers = page("1", "2", &links);
    headers.extend([("x-next-page", "2"), ("x-total-pages", "2")]);
    assert_eq!(
        invoke("list-releases", "list-releases.json").await,
        response(200, &format!("[{}]", new(DOMAIN)), REVALIDATE, &headers)
    );
    repository(invoke, &created_at, notes).await;

    for (function, event) in
        [("download-asset", "download-asset.json"), ("web", "web-download.json")]
    {
        assert_eq!(invoke(function, event).await, redirect("https://ex.com/b?x=1&y=2"));
    }
    let latest = "/prod/api/v4/projects/20/releases/release%2F2.0/assets/links?per_page=5";
    assert_eq!(invoke("latest-release", "latest-release.json").await, redirect(latest));

    let changed = |base: &str| shown(base, "größer", "2098-01-01T00:00:00.000Z");
    assert_eq!(
        invoke("update-release", "update-release.json").await,
        response(200, &changed(DOMAIN), REVALIDATE, &[])
    );
    assert_eq!(
        invoke("delete-release", "delete-release.json").await,
        response(200, &changed(BASE_PATH), REVALIDATE, &[])
    );
    assert_eq!(
        invoke("delete-release", "delete-release.json").await,
        response(403, FORBIDDEN, "no-cache", &[])
    );
    assert_eq!(
        invoke("get-release", "get-release.json").await,
        response(404, RELEASE_NOT_FOUND, "no-cache", &[])
    );
    let mut deleted = response(204, "", "no-cache", &[]);
    deleted["multiValueHeaders"].as_object_mut().unwrap().remove("content-type");
    assert_eq!(invoke("delete-tag", "delete-tag.json").await, deleted);
}

/// Reads what is known of the release's repository, and deletes a tag whose release is gone.
async fn repository(invoke: &impl AsyncFn(&str, &str) -> Value, created_at: &str, notes: &str) {
    let tag = format!(
        r#"{{"name":"release/2.0","message":null,"target":"{UNKNOWN_COMMIT}","commit":{},"release":{{"tag_name":"release/2.0","description":"{notes}"}},"protected":false,"created_at":"{created_at}"}}"#,
        commit(STAGE, created_at)
    );
    assert_eq!(invoke("get-tag", "get-tag.json").await, response(200, &tag, REVALIDATE, &[]));
    let url = |page: u32| {
        format!(
            "{STAGE}/api/v4/projects/demo%2Fhello/repository/tags?id=demo%2Fhello&order_by=updated&page={page}&per_page=1&search=.0&sort=desc"
        )
    };
    let links =
        format!(r#"<{}>; rel="next", <{}>; rel="first", <{}>; rel="last""#, url(2), url(1), url(2));
    let mut headers = page("1", "2", &links);
    headers.extend([("x-next-page", "2"), ("x-total-pages", "2")]);
    assert_eq!(
        invoke("list-tags", "list-tags.json").await,
        response(200, &format!("[{tag}]"), REVALIDATE, &headers)
    );
    let detail = commit(STAGE, created_at);
    let detail = format!(
        r#"{},"stats":{{"additions":0,"deletions":0,"total":0}},"status":null,"project_id":20,"last_pipeline":null}}"#,
        detail.strip_suffix('}').unwrap()
    );
    assert_eq!(
        invoke("get-commit", "get-commit.json").await,
        response(200, &detail, REVALIDATE, &[])
    );
    let branch = invoke("get-branch", "get-branch.json").await;
    let body = branch["body"].as_str().unwrap();
    assert!(body.starts_with(r#"{"name":"main","commit":{"id":"0000"#), "{body}");
    assert_eq!(branch, response(200, body, REVALIDATE, &[]));
    let url = format!(
        "{STAGE}/api/v4/projects/demo%2Fhello/repository/branches?id=demo%2Fhello&page=1&per_page={DEFAULT_PER_PAGE}"
    );
    assert_eq!(
        invoke("list-branches", "list-branches.json").await,
        response(
            200,
            &format!("[{body}]"),
            REVALIDATE,
            &page(DEFAULT_PER_PAGE, "1", &both_ends(&url))
        )
    );
}

/// The commit of the release, whose title is its message.
fn commit(base: &str, created_at: &str) -> String {
    let (_, host) = base.split_once("://").unwrap();
    let (host, _) = host.split_once('/').unwrap_or((host, ""));
    let email = format!("1-root@users.noreply.{host}");
    format!(
        r#"{{"id":"{UNKNOWN_COMMIT}","short_id":"00000000","created_at":"{created_at}","parent_ids":[],"title":"zweï","message":"zweï","author_name":"root","author_email":"{email}","authored_date":"{created_at}","committer_name":"root","committer_email":"{email}","committed_date":"{created_at}","trailers":{{}},"extended_trailers":{{}},"web_url":"{base}/demo/hello/-/commit/{UNKNOWN_COMMIT}"}}"#
    )
}

/// An answer, and when what it shows was made.
fn made_at(answer: Value) -> (Value, String) {
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let created_at = body["created_at"].as_str().unwrap().to_owned();
    (answer, created_at)
}

fn redirect(location: &str) -> Value {
    let body = format!(r#""This resource has been moved temporarily to {location}.""#);
    let headers = [("location", location), ("content-type", "text/plain")];
    response(302, &body, "private, no-store", &headers)
}

/// The headers of a first page.
fn page<'a>(per_page: &'a str, total: &'a str, links: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("x-per-page", per_page),
        ("x-page", "1"),
        ("x-next-page", ""),
        ("x-prev-page", ""),
        ("link", links),
        ("x-total", total),
        ("x-total-pages", "1"),
    ]
}

/// The `Link` header of an only page.
fn both_ends(url: &str) -> String {
    format!(r#"<{url}>; rel="first", <{url}>; rel="last""#)
}

/// An answer as a function hands it to the gateway.
pub(super) fn response(
    status: u16,
    body: &str,
    cache_control: &str,
    more: &[(&str, &str)],
) -> Value {
    let mut headers = json!({
        "cache-control": [cache_control],
        "content-security-policy": ["default-src 'none'"],
        "content-type": ["application/json"],
        "vary": ["Origin"],
        "x-content-type-options": ["nosniff"],
        "x-frame-options": ["SAMEORIGIN"],
    });
    for (name, value) in more {
        headers[name] = json!([value]);
    }
    json!({
        "statusCode": status,
        "headers": {},
        "multiValueHeaders": headers,
        "body": body,
        "isBase64Encoded": false,
    })
}

/// Takes out of an answer what no two invocations have in common, and looks at it.
pub(super) fn without_what_varies(mut response: Value) -> Value {
    let status = response["statusCode"].as_u64();
    let headers = response["multiValueHeaders"].as_object_mut().unwrap();
    let mut take = |name: &str| {
        let values = headers.remove(name)?;
        assert_eq!(values.as_array().unwrap().len(), 1, "{name}");
        Some(values[0].as_str().unwrap().to_owned())
    };
    let id = take("x-request-id").unwrap();
    assert_eq!(
        take("x-gitlab-meta").unwrap(),
        format!(r#"{{"correlation_id":"{id}","version":"1"}}"#)
    );
    assert_eq!(take("etag").is_some(), matches!(status, Some(200 | 201)));
    response
}
