//! Events of API Gateway's REST flavour, handed to the functions as they stand in tests/events.

use serde_json::{Value, json};

/// Where the gateway's own domain shows the API: below its stage.
const STAGE: &str = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/prod";
/// A domain of the installation's own that shows it at the root.
const DOMAIN: &str = "https://releases.example.com";
/// The same, below a base path.
const BASE_PATH: &str = "https://example.com/gitlab";

const REVALIDATE: &str = "max-age=0, private, must-revalidate";

/// Makes a link, reads, changes and deletes it, each by the event of another way to the API.
///
/// `answer` hands a function the event in a file of tests/events.
pub(super) async fn run(answer: impl AsyncFn(&str, &str) -> Value) {
    let invoke =
        async |function: &str, event: &str| without_what_varies(answer(function, event).await);
    let shown = |base: &str, name: &str, link_type: &str| {
        format!(
            r#"{{"id":1,"name":"{name}","url":"https://ex.com/a?x=1&y=2","direct_asset_url":"{base}/mynamespace/hello/-/releases/release%2F1.0/downloads/bin/a","external":true,"link_type":"{link_type}"}}"#
        )
    };

    assert_eq!(
        invoke("create-link", "create-link.json").await,
        response(201, &shown(STAGE, "bin ünï", "package"), REVALIDATE, &[])
    );
    assert_eq!(
        invoke("create-link", "create-link.json").await,
        response(
            400,
            r#"{"message":["Url has already been taken","Name has already been taken","Filepath has already been taken"]}"#,
            "no-cache",
            &[]
        )
    );
    assert_eq!(
        invoke("get-link", "get-link.json").await,
        response(200, &shown(STAGE, "bin ünï", "package"), REVALIDATE, &[])
    );
    let url = format!(
        "{STAGE}/api/v4/projects/mynamespace%2Fhello/releases/release%2F1.0/assets/links?id=mynamespace%2Fhello&page=1&per_page=50&tag_name=release%2F1.0"
    );
    assert_eq!(
        invoke("list-links", "list-links.json").await,
        response(
            200,
            &format!("[{}]", shown(STAGE, "bin ünï", "package")),
            REVALIDATE,
            &[
                ("x-per-page", "50"),
                ("x-page", "1"),
                ("x-next-page", ""),
                ("x-prev-page", ""),
                ("link", &format!(r#"<{url}>; rel="first", <{url}>; rel="last""#)),
                ("x-total", "1"),
                ("x-total-pages", "1"),
            ]
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
        response(404, r#"{"message":"404 Not found"}"#, "no-cache", &[])
    );

    let mut options =
        response(204, "", "no-cache", &[("allow", "OPTIONS, GET, PUT, DELETE, HEAD")]);
    options["multiValueHeaders"].as_object_mut().unwrap().remove("content-type");
    assert_eq!(invoke("web", "web.json").await, options);
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
    assert!(take("x-runtime").unwrap().parse::<f64>().is_ok());
    assert_eq!(take("etag").is_some(), matches!(status, Some(200 | 201)));
    response
}
