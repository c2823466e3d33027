//! Each function's role is what the function does: no action more, none less.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use serde_yaml_ng::Value;
use shared::domain::issuer::Issuer;
use shared::domain::project::ProjectId;
use shared::domain::publisher::Publisher;
use shared::domain::release_key::ReleaseKey;
use shared::domain::tag_name::TagName;
use shared::domain::time::Timestamp;
use shared::routes::{Function, ROUTES, Verb};
use shared::store::table_names::TableNames;

use super::template::{list, logical_id, read, resources, tagged};
use crate::lambda::processes::Functions;
use crate::lambda::{REFRESH_ISSUERS, SWEEP, Tokens, app_with_events, event, functions};
use harness::TestApp;
use harness::issuer::{Key, gitlab_claims, issuer};
use harness::issuer_server::IssuerServer;
use harness::proxy::{Access, Proxy};
use harness::test_app::{large_links, new_release, test_deadline};

/// A grant of a role: an action on a table, and whether only inside a transaction.
type Grants = BTreeSet<(String, String, bool)>;

/// The kinds of items that a role's statements are limited to, by action and table.
type Limits = BTreeMap<(String, String), BTreeSet<String>>;

fn granted(template: &Value, function: &str) -> Grants {
    statements(template, function)
        .into_iter()
        .map(|(action, table, condition)| {
            let enclosing = &condition["ForAnyValue:StringEquals"];
            let in_transactions = enclosing["dynamodb:EnclosingOperation"] == "TransactWriteItems";
            (action, table, in_transactions)
        })
        .collect()
}

/// The kinds of items in a role's `dynamodb:LeadingKeys`. Statements without it are left out.
fn limits(template: &Value, function: &str) -> Limits {
    let mut limits = Limits::new();
    for (action, table, condition) in statements(template, function) {
        for operator in ["ForAllValues:StringLike", "ForAllValues:StringEquals"] {
            let keys = &condition[operator]["dynamodb:LeadingKeys"];
            if keys.is_null() {
                continue;
            }
            // Without it the statement holds for requests that name no key.
            assert_eq!(condition["Null"]["dynamodb:LeadingKeys"], "false", "{function}: {action}");
            let keys = list(keys).into_iter().map(|key| key.as_str().unwrap().to_owned());
            limits.insert((action.clone(), table.clone()), keys.collect());
        }
    }
    limits
}

/// Action, table and condition of each grant on a table.
fn statements(template: &Value, function: &str) -> Vec<(String, String, Value)> {
    let roles = resources(template, "AWS::IAM::Role");
    let id = logical_id(function, "Role");
    let (_, role) = roles.into_iter().find(|(role, _)| *role == id).unwrap();
    let mut grants = Vec::new();
    for policy in list(&role["Properties"]["Policies"]) {
        for statement in list(&policy["PolicyDocument"]["Statement"]) {
            assert_eq!(statement["Effect"], "Allow");
            for action in list(&statement["Action"]) {
                let Some(action) = action.as_str().unwrap().strip_prefix("dynamodb:") else {
                    continue;
                };
                for resource in list(&statement["Resource"]) {
                    let table = match tagged(&resource, "GetAtt").unwrap() {
                        "DirectoryTable.Arn" => TableNames::default().directory,
                        "ReleasesTable.Arn" => TableNames::default().releases,
                        // It is Lambda that reads the stream, in the function's name.
                        "ReleasesTable.StreamArn" if function == SWEEP => continue,
                        other => panic!("{id} names {other}"),
                    };
                    grants.push((action.to_owned(), table, statement["Condition"].clone()));
                }
            }
        }
    }
    grants
}

const READS: [&str; 3] = ["GetItem", "BatchGetItem", "Query"];

#[test]
fn no_role_writes_the_directory_and_readers_write_nothing() {
    let template = read("infra/template.yaml");
    for function in functions() {
        let writes: Vec<_> = granted(&template, function)
            .into_iter()
            .filter(|(action, _, _)| !READS.contains(&action.as_str()))
            .collect();
        let mut routes = ROUTES.iter().filter(|route| route.function.name() == function);
        let writes_by_its_routes =
            routes.any(|route| matches!(route.verb, Verb::Post | Verb::Put | Verb::Delete));
        assert_eq!(!writes.is_empty(), writes_by_its_routes || function == SWEEP, "{function}");
        for (action, table, _) in writes {
            assert_eq!(table, TableNames::default().releases, "{function} may {action}");
        }
    }
}

#[test]
fn refresh_issuers_alone_writes_the_directory_and_only_issuers() {
    let template = read("infra/template.yaml");
    let directory = TableNames::default().directory;
    let writes: Vec<_> = granted(&template, REFRESH_ISSUERS)
        .into_iter()
        .filter(|(action, _, _)| !READS.contains(&action.as_str()))
        .collect();
    assert_eq!(writes, [("UpdateItem".to_owned(), directory.clone(), false)]);
    let limits = limits(&template, REFRESH_ISSUERS);
    let limit = |action: &str| &limits[&(action.to_owned(), directory.clone())];
    assert_eq!(*limit("UpdateItem"), ["issuer#*".to_owned()].into());
    assert_eq!(*limit("BatchGetItem"), ["issuer#*".to_owned()].into());
    assert_eq!(*limit("Query"), ["issuers".to_owned()].into());
}

#[test]
fn reads_of_the_directory_and_writes_outside_transactions_are_limited_by_key() {
    let template = read("infra/template.yaml");
    for function in functions() {
        let limits = limits(&template, function);
        for (action, table, in_transactions) in granted(&template, function) {
            let reads_releases =
                table == TableNames::default().releases && READS.contains(&action.as_str());
            let is_limited = limits.contains_key(&(action.clone(), table.clone()));
            assert_eq!(is_limited, !(reads_releases || in_transactions), "{function}: {action}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_allows_what_its_function_does_and_nothing_else() {
    let (app, tokens) = app_with_events().await;
    let mut proxies = BTreeMap::new();
    for function in functions().chain([REFRESH_ISSUERS]) {
        proxies.insert(function, Proxy::start(&app.server.dynamodb_url).await);
    }
    let started = Functions::start(|function| proxies[function].url.clone()).await;
    links(&started, &tokens).await;
    releases(&started, &tokens, &app).await;
    a_release_too_large_for_an_answer(&started, &tokens, &app).await;
    projects_and_callers(&started, &tokens).await;
    jobs_with_id_tokens(&started, &tokens, &app).await;

    let template = read("infra/template.yaml");
    for function in functions().chain([REFRESH_ISSUERS]) {
        let mut used: BTreeMap<(String, String), bool> = BTreeMap::new();
        let limits = limits(&template, function);
        for Access { action, table, in_transaction, keys } in proxies[function].take_accesses() {
            if let Some(allowed) = limits.get(&(action.clone(), table.clone())) {
                assert!(!keys.is_empty(), "{function}: {action} names no key");
                for key in keys {
                    let fits = |pattern: &String| match pattern.strip_suffix('*') {
                        Some(kind) => key.starts_with(kind),
                        None => key == *pattern,
                    };
                    assert!(allowed.iter().any(fits), "{function} may not {action} {key}");
                }
            }
            // A condition on transactions stands only where nothing is done outside one.
            *used.entry((action, table)).or_insert(true) &= in_transaction;
        }
        let used: Grants =
            used.into_iter().map(|((action, table), inside)| (action, table, inside)).collect();
        assert_eq!(used, granted(&template, function), "{function}: done, and allowed");
    }
}

// Below, every step a function has: success, refusal, what is taken, what is invalid, what is not
// there, and a project by its path.

/// The event in a file, with this JSON for its body where there is any.
fn with_body(file: &str, tokens: &Tokens, body: &str) -> serde_json::Value {
    let mut event = event(file, tokens);
    if !body.is_empty() {
        event["headers"]["Content-Type"] = json!("application/json");
        event["multiValueHeaders"]["Content-Type"] = json!(["application/json"]);
        event["body"] = json!(body);
        event["isBase64Encoded"] = json!(false);
    }
    event
}

async fn links(functions: &Functions, tokens: &Tokens) {
    let path = "/api/v4/projects/mynamespace%2Fhello/releases/release%2F1.0/assets/links";
    let request = |file: &str, id: u64, body: &str| {
        let mut event = with_body(file, tokens, body);
        if event["pathParameters"].get("link_id").is_some() {
            event["path"] = json!(format!("{path}/{id}"));
            event["pathParameters"]["link_id"] = json!(id.to_string());
        }
        event
    };
    let a = r#"{"name":"a","url":"https://e.com/a","filepath":"/bin/a"}"#;
    let b = r#"{"name":"b","url":"https://e.com/b","filepath":"/bin/b"}"#;
    let replaced =
        r#"{"name":"b","url":"https://e.com/r","filepath":"/bin/r","on_duplicate":"replace"}"#;
    for (function, id, body, status) in [
        ("create-link", 0, a, 201),
        ("create-link", 0, a, 400),
        ("create-link", 0, b, 201),
        ("create-link", 0, replaced, 201),
        ("create-link", 0, replaced, 201),
        ("create-link", 0, r#"{"name":"a","url":"x"}"#, 400),
        ("get-link", 1, "", 200),
        ("get-link", 9, "", 404),
        ("list-links", 0, "", 200),
        ("update-link", 1, r#"{"name":"a","link_type":"image"}"#, 200),
        ("update-link", 1, r#"{"name":"c","url":"https://e.com/c","filepath":"/bin/c"}"#, 200),
        ("update-link", 1, r#"{"url":"https://e.com/d"}"#, 200),
        ("update-link", 1, replaced, 400),
        ("update-link", 1, r#"{"name":"b","url":"x"}"#, 400),
        ("delete-link", 1, "{}", 200),
        ("delete-link", 1, "{}", 404),
        ("delete-link", 3, "{}", 200),
        ("web", 0, "", 204),
    ] {
        let answer =
            functions.invoke(function, &request(&format!("{function}.json"), id, body)).await;
        assert_eq!(answer["statusCode"], status, "{function}: {answer}");
    }
}

/// Another link in the release, another URL of one, and another time.
fn replacing() -> String {
    let links = json!([
        { "name": 0, "url": "https://e.com/replaced" },
        { "name": "new", "url": "https://e.com/new" },
    ]);
    json!({
        "tag_name": "release/2.0",
        "on_duplicate": "replace",
        "released_at": "2024-02-02",
        "assets": { "links": links },
    })
    .to_string()
}

async fn releases(functions: &Functions, tokens: &Tokens, app: &TestApp) {
    let with_links = |links: usize| {
        let links: Vec<_> = (0..links)
            .map(|n| json!({ "name": n, "url": format!("https://e.com/{n}"), "filepath": format!("/bin/b{n}") }))
            .collect();
        json!({ "tag_name": "release/2.0", "assets": { "links": links } }).to_string()
    };
    let duplicates = r#"{"tag_name":"release/3.0","assets":{"links":[{"name":"a","url":"https://e.com/1"},{"name":"a","url":"https://e.com/2"}]}}"#;
    // More than a batch of links, and than a block of their numbers.
    let made = with_links(40);
    let drive = async |steps: &[(&str, &str, &str, u16)]| {
        for (function, file, body, status) in steps {
            let answer = functions.invoke(function, &with_body(file, tokens, body)).await;
            assert_eq!(answer["statusCode"], *status, "{function}: {answer}");
        }
    };
    drive(&[
        (
            "create-release",
            "create-release.json",
            r#"{"tag_name":"release/3.0","ref":"6104942438c14ec7bd21c6cd5bd995272b3faff6"}"#,
            201,
        ),
        ("create-release", "create-release.json", duplicates, 409),
        ("create-release", "create-release.json", r#"{"tag_name":".."}"#, 400),
        ("create-release", "create-release.json", &made, 201),
        ("create-release", "create-release.json", &made, 409),
        ("create-release", "create-release.json", &replacing(), 201),
        ("get-release", "get-release.json", "", 200),
        ("list-releases", "list-releases.json", "", 200),
        ("list-tags", "list-tags.json", "", 200),
        ("get-tag", "get-tag.json", "", 200),
        ("get-commit", "get-commit.json", "", 200),
        ("latest-release", "latest-release.json", "", 302),
    ])
    .await;
    let mut by_time = event("list-releases.json", tokens);
    for query in ["queryStringParameters", "multiValueQueryStringParameters"] {
        let since = json!("2019-01-01T00:00:00Z");
        by_time[query]["updated_after"] =
            if query == "queryStringParameters" { since } else { json!([since]) };
    }
    assert_eq!(functions.invoke("list-releases", &by_time).await["statusCode"], 200);
    let mut by_id = event("get-commit.json", tokens);
    for (sha, status) in [("6104942", 200), ("6104943", 404)] {
        by_id["pathParameters"]["sha"] = json!(sha);
        assert_eq!(functions.invoke("get-commit", &by_id).await["statusCode"], status, "{sha}");
    }
    let page = async |path: &str| {
        let path = format!("demo/hello/-/releases/{path}");
        let mut event = event("web-download.json", tokens);
        event["path"] = json!(format!("/{path}"));
        event["requestContext"]["path"] = json!(format!("/prod/{path}"));
        event["pathParameters"]["proxy"] = json!(path);
        functions.invoke("web", &event).await["statusCode"].as_u64().unwrap()
    };
    for (path, status) in [("bin/b7", 302), ("bin/none", 404)] {
        let mut event = event("download-asset.json", tokens);
        event["pathParameters"]["direct_asset_path"] = json!(path);
        assert_eq!(functions.invoke("download-asset", &event).await["statusCode"], status);
        assert_eq!(page(&format!("release%2F2.0/downloads/{path}")).await, status);
    }
    assert_eq!(page("permalink/latest").await, 302);

    let tag = TagName::parse("release/2.0").unwrap();
    let key = ReleaseKey { project: ProjectId(20), tag };
    let doomed = app.store.get_release(&key, test_deadline()).await.unwrap().unwrap();
    drive(&[
        ("update-release", "update-release.json", r#"{"description":"x"}"#, 200),
        ("update-release", "update-release.json", r#"{"released_at":"2024-01-01"}"#, 200),
        ("update-release", "update-release.json", "{}", 400),
        ("delete-release", "delete-release.json", "{}", 200),
        ("delete-release", "delete-release.json", "{}", 403),
        ("update-release", "update-release.json", r#"{"description":"x"}"#, 403),
        ("get-release", "get-release.json", "", 404),
        ("list-tags", "list-tags.json", "", 200),
        ("get-tag", "get-tag.json", "", 404),
        ("get-commit", "get-commit.json", "", 404),
        ("delete-tag", "delete-tag.json", "", 204),
        (
            "create-release",
            "create-release.json",
            r#"{"tag_name":"release/2.0","ref":"6104942438c14ec7bd21c6cd5bd995272b3faff6"}"#,
            201,
        ),
        ("delete-tag", "delete-tag.json", "", 204),
        ("download-asset", "download-asset.json", "", 404),
    ])
    .await;

    // The replaced link and the new one have no path.
    assert_eq!(app.audit().await.unreachable, 39 * 4 + 2 * 3);
    let mut deleted = event("sweep.json", tokens);
    deleted["Records"][0]["dynamodb"]["OldImage"]["uid"]["S"] = json!(doomed.uid.as_str());
    let done = json!({ "batchItemFailures": [] });
    assert_eq!(functions.invoke(SWEEP, &deleted).await, done);
    assert_eq!(app.assert_sound().await.unreachable, 0);
    // Once is enough, and twice does no harm.
    assert_eq!(functions.invoke(SWEEP, &deleted).await, done);
}

/// Links that do not fit into an answer are fetched separately.
async fn a_release_too_large_for_an_answer(functions: &Functions, tokens: &Tokens, app: &TestApp) {
    let tag = "release/large";
    let mut new = new_release(20, tag);
    // More than a page of the database, too.
    new.links = large_links(600);
    app.store.create_release(new, Timestamp::now(), test_deadline()).await.unwrap();
    for (function, body) in [
        ("list-links", ""),
        ("list-releases", ""),
        ("get-release", ""),
        ("update-release", r#"{"name":"x"}"#),
        ("delete-release", "{}"),
    ] {
        let mut event = with_body(&format!("{function}.json"), tokens, body);
        event["pathParameters"]["tag_name"] = json!("release%2Flarge");
        let mut answer = functions.invoke(function, &event).await;
        // A busy machine may take more than the function's time for a megabyte.
        while answer["statusCode"] == 503 {
            answer = functions.invoke(function, &event).await;
        }
        assert_eq!(answer["statusCode"], 200, "{function}: {answer}");
    }
}

/// The functions whose steps depend on the releases that there are.
const KNOW_RELEASES: [Function; 17] = [
    Function::ListLinks,
    Function::GetLink,
    Function::CreateLink,
    Function::UpdateLink,
    Function::DeleteLink,
    Function::ListReleases,
    Function::GetRelease,
    Function::CreateRelease,
    Function::UpdateRelease,
    Function::DeleteRelease,
    Function::DownloadAsset,
    Function::LatestRelease,
    Function::ListTags,
    Function::GetTag,
    Function::DeleteTag,
    Function::GetCommit,
    Function::Web,
];

async fn projects_and_callers(functions: &Functions, tokens: &Tokens) {
    let mut home = event("web-download.json", tokens);
    home["resource"] = json!("/");
    home["requestContext"]["resourcePath"] = json!("/");
    home["path"] = json!("/");
    home["requestContext"]["path"] = json!("/prod/");
    home["pathParameters"] = json!(null);
    let answer = functions.invoke("web", &home).await;
    assert!(answer["body"].as_str().unwrap().contains(">demo/hello</a>"), "{answer}");
    // Those above know releases.
    for function in Function::ALL.iter().filter(|function| !KNOW_RELEASES.contains(function)) {
        let function = function.name();
        let event = event(&format!("{function}.json"), tokens);
        let answer = functions.invoke(function, &event).await;
        assert_eq!(answer["statusCode"], 200, "{function}: {answer}");
        let mut by_number = event;
        if by_number["pathParameters"].is_object() {
            by_number["pathParameters"]["id"] = json!("20");
        }
        assert_eq!(functions.invoke(function, &by_number).await["statusCode"], 200, "{function}");
    }
}

/// The same requests with an ID token, for which issuers and publishers are read; and the refresh of an
/// issuer's keys.
async fn jobs_with_id_tokens(functions: &Functions, tokens: &Tokens, app: &TestApp) {
    let key = Key::rsa(0);
    let server = IssuerServer::start(vec![key.jwk("key")]).await;
    let gitlab = Issuer {
        allows_private_addresses: true,
        ..issuer(&server.url, vec![Key::rsa(1).public("old")])
    };
    assert!(app.store.add_issuer(&gitlab, test_deadline()).await.unwrap());
    let claims = [("project_id".to_owned(), "42".to_owned())].into();
    let publisher = Publisher::new(gitlab.url.clone(), claims, false).unwrap();
    app.store.add_publisher(ProjectId(20), &publisher, test_deadline()).await.unwrap();

    assert_eq!(functions.invoke(REFRESH_ISSUERS, &json!({})).await, json!(null));
    let refreshed = app.store.find_issuer(&gitlab.url, test_deadline()).await.unwrap().unwrap();
    assert_eq!(refreshed.keys, [key.public("key")]);

    let mut claims = gitlab_claims();
    claims["iss"] = json!(server.url);
    let token = key.token_of("key", &claims);
    for function in Function::ALL {
        let name = function.name();
        let event = event(&format!("{name}.json"), tokens).to_string();
        let event = event.replace(tokens.developer.reveal(), &token);
        let event = event.replace(tokens.job.reveal(), &token);
        let answer = functions.invoke(name, &serde_json::from_str(&event).unwrap()).await;
        let status = answer["statusCode"].as_u64().unwrap();
        assert!(status < 500 && status != 401, "{name}: {answer}");
    }
}
