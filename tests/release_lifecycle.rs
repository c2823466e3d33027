//! Releases that begin and end, whole or half-way: what is cut off is never seen, and is swept.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lambda_http::{Context, LambdaEvent};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use shared::app::App;
use shared::domain::project::ProjectId;
use shared::domain::release_key::ReleaseKey;
use shared::domain::tag_name::TagName;
use shared::domain::time::Timestamp;
use shared::store::keys::ReleasesKey;
use shared::store::releases::ReleaseCreated;
use shared::store::sweep::Swept;
use tokio::task::JoinSet;

use harness::errors::{FORBIDDEN, RECORD_NOT_FOUND, RELEASE_EXISTS, RELEASE_NOT_FOUND};
use harness::proxy::Proxy;
use harness::test_app::{
    Proxied, RELEASES, TestApp, large_links, new_release, store, test_deadline,
};
use harness::{Fault, Gate, Server};

/// The body of a release with `count` links whose names begin with `word`.
fn release(tag: &str, word: &str, count: usize) -> String {
    let links: Vec<Value> = (0..count)
        .map(|n| {
            let (name, path) = (format!("{word} {n}"), format!("/bin/{word}-{n:04}"));
            json!({"name": name, "url": format!("https://e.com/{word}/{n}"), "filepath": path})
        })
        .collect();
    json!({"tag_name": tag, "assets": {"links": links}}).to_string()
}

fn names(release: &Value) -> BTreeSet<String> {
    let links = release["assets"]["links"].as_array().unwrap();
    links.iter().map(|link| link["name"].as_str().unwrap().to_owned()).collect()
}

/// Sweeps all there is, however young: nothing is being made.
async fn sweep(test_app: &TestApp) -> Swept {
    let later = Timestamp::now().plus(Duration::from_secs(1));
    test_app.store.sweep(later, Duration::from_secs(30)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_is_killed_half_way_is_not_seen_and_is_swept() {
    let mut proxied = Proxied::hello().await;
    let gate = Gate::new();
    let (held, batches) = (gate.clone(), AtomicUsize::new(0));
    proxied.proxy.decide(move |operation, _| {
        let late = operation == "BatchWriteItem" && batches.fetch_add(1, Ordering::SeqCst) >= 3;
        if late { Fault::Hold(held.clone()) } else { Fault::Pass }
    });
    let posting = tokio::spawn({
        let api = proxied.api.clone();
        async move { api.post(RELEASES, &release("v2", "old", 100)).await }
    });
    gate.reached().await;
    // Not before one of the other batches is written.
    while proxied.app.audit().await.unreachable == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    proxied.kill_server();
    assert!(posting.await.is_err(), "nothing was answered");

    let test_app = &proxied.app;
    let api = proxied.api.at(&test_app.server.address);
    api.get(&format!("{RELEASES}/v2")).await.is(404, RELEASE_NOT_FOUND);
    assert_eq!(api.get(RELEASES).await.header("x-total"), "1");
    let links = api.get(&format!("{RELEASES}/v2/assets/links")).await;
    links.is(404, RECORD_NOT_FOUND);
    let download = api.get(&format!("{RELEASES}/v2/downloads/bin/old-0000")).await;
    download.is(404, RELEASE_NOT_FOUND);
    let left = test_app.assert_sound().await.unreachable;
    assert!(left > 0, "{left} items of a creation that was cut off");

    // The same names, urls and paths: what is left does not stand in their way.
    let made = api.post(RELEASES, &release("v2", "old", 3)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let shown = api.get(&format!("{RELEASES}/v2")).await.json();
    assert_eq!(names(&shown), ["old 0", "old 1", "old 2"].map(str::to_owned).into());
    let swept = sweep(test_app).await;
    assert_eq!(swept.links + swept.claims, left);
    let audit = test_app.assert_sound().await;
    assert_eq!((audit.links, audit.claims, audit.unreachable), (3, 9, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_whose_answer_was_lost_stays_a_deletion() {
    let mut proxied = Proxied::hello().await;
    assert_eq!(proxied.api.post(RELEASES, &release("v2", "old", 30)).await.status, 201);
    let gate = Gate::new();
    let held = gate.clone();
    proxied.proxy.decide(move |operation, _| match operation {
        "TransactWriteItems" => Fault::HoldAnswer(held.clone()),
        _ => Fault::Pass,
    });
    let deleting = tokio::spawn({
        let api = proxied.api.clone();
        async move { api.delete(&format!("{RELEASES}/v2")).await }
    });
    gate.reached().await;
    proxied.kill_server();
    assert!(deleting.await.is_err(), "nothing was answered");

    let test_app = &proxied.app;
    let api = proxied.api.at(&test_app.server.address);
    api.get(&format!("{RELEASES}/v2")).await.is(404, RELEASE_NOT_FOUND);
    api.delete(&format!("{RELEASES}/v2")).await.is(403, FORBIDDEN);
    assert_eq!(api.post(RELEASES, &release("v2", "new", 2)).await.status, 201);
    let shown = api.get(&format!("{RELEASES}/v2")).await.json();
    assert_eq!(names(&shown), ["new 0", "new 1"].map(str::to_owned).into());
    api.get(&format!("{RELEASES}/v2/downloads/bin/old-0000")).await.is(404, RECORD_NOT_FOUND);
    assert_eq!(test_app.assert_sound().await.unreachable, 120);
    let swept = sweep(test_app).await;
    assert_eq!((swept.links, swept.claims), (30, 90));
    let audit = test_app.assert_sound().await;
    assert_eq!((audit.links, audit.claims, audit.unreachable), (2, 6, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_creations_of_a_tag_succeeds_as_a_whole() {
    let (test_app, api) = TestApp::hello().await;
    let mut tasks = JoinSet::new();
    for n in 0..12 {
        let api = api.clone();
        // Names that differ, and names that all of them have.
        let whose =
            if n % 2 == 0 { "same".to_owned() } else { format!("own {n}").replace(' ', "-") };
        tasks.spawn(async move { api.post(RELEASES, &release("v2", &whose, 20)).await });
    }
    let replies = tasks.join_all().await;
    let (made, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|r| r.status == 201);
    assert_eq!(made.len(), 1, "{made:?}");
    for reply in &refused {
        reply.is(409, RELEASE_EXISTS);
    }
    let winner = made[0].json();
    assert_eq!(names(&winner).len(), 20);
    assert_eq!(api.get(&format!("{RELEASES}/v2")).await.json(), winner);
    // The later creations have removed their links again.
    let audit = test_app.assert_sound().await;
    assert_eq!((audit.links, audit.claims, audit.unreachable), (20, 60, 0));
}

/// Keeps the response to the query of this number, counted from one, until the gate opens.
fn hold_query(number: usize, proxied: &Proxied) -> Gate {
    let gate = Gate::new();
    let (held, queries) = (gate.clone(), AtomicUsize::new(0));
    proxied.proxy.decide(move |operation, _| {
        let is_it = operation == "Query" && queries.fetch_add(1, Ordering::SeqCst) + 1 == number;
        if is_it { Fault::HoldAnswer(held.clone()) } else { Fault::Pass }
    });
    gate
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_release_that_ends_or_begins_while_it_is_read_is_read_whole_or_not_at_all() {
    let proxied = Proxied::hello().await;
    let direct = proxied.api.at(&proxied.app.server.address);
    let links = format!("{RELEASES}/v2/assets/links");
    let reading = || {
        let (api, links) = (proxied.api.clone(), links.clone());
        tokio::spawn(async move { api.get(&links).await })
    };
    let mut new = new_release(20, "v2");
    new.links = large_links(600);
    let made =
        proxied.app.store.create_release(new, Timestamp::now(), test_deadline()).await.unwrap();
    let ReleaseCreated::Release(first, made) = made else { panic!("v2 exists") };
    proxied.proxy.take_seen();
    assert_eq!(proxied.api.get(&links).await.header("x-total"), "600");
    let seen = proxied.proxy.take_seen();
    // The first links beside the project; then two pages, the links of the page that is asked for,
    // which are not held, and the release once more.
    let count = |operation| seen.iter().filter(|seen| seen.operation == operation).count();
    assert_eq!((count("Query"), count("BatchGetItem")), (3, 3), "{seen:?}");

    // It ends between two pages, and what it leaves behind begins to be swept. The first query is the
    // one beside the project.
    let gate = hold_query(2, &proxied);
    let read = reading();
    gate.reached().await;
    // Past the API, whose answer would take longer than the read has.
    assert!(proxied.app.store.delete_release(&first, test_deadline()).await.unwrap());
    let last = made.last().unwrap().id;
    let key = ReleaseKey { project: ProjectId(20), tag: TagName::parse("v2").unwrap() };
    let key = ReleasesKey::link(&key, last);
    let key = json!({ "pk": { "S": key.pk }, "sk": { "S": key.sk } });
    let deletion = json!({ "TableName": "release-links-releases", "Key": key });
    ask(&proxied.app.server.dynamodb_url, "DynamoDB_20120810.DeleteItem", deletion).await;
    gate.open();
    read.await.unwrap().is(404, RECORD_NOT_FOUND);

    // Its leftovers fill the first page. The next generation begins after that page was read.
    let gate = hold_query(1, &proxied);
    let read = reading();
    gate.reached().await;
    let body = r#"{"tag_name":"v2","assets":{"links":[{"name":"a","url":"https://e.com/a"}]}}"#;
    assert_eq!(direct.post(RELEASES, body).await.status, 201);
    gate.open();
    read.await.unwrap().is(404, RECORD_NOT_FOUND);
    assert_eq!(proxied.api.get(&links).await.header("x-total"), "1");
}

/// Sends a request to the database itself.
async fn ask(dynamodb_url: &str, target: &str, body: Value) -> Value {
    let (_, answer) = harness::proxy::ask(dynamodb_url, target, &body).await;
    answer
}

/// The records of the releases table's stream, as an event source hands them to a function.
async fn streamed(test_app: &TestApp) -> Value {
    let url = &test_app.server.dynamodb_url;
    let streams = |operation: &str| format!("DynamoDBStreams_20120810.{operation}");
    let listed = ask(url, &streams("ListStreams"), json!({})).await;
    let arn = &listed["Streams"][0]["StreamArn"];
    let described = ask(url, &streams("DescribeStream"), json!({ "StreamArn": arn })).await;
    let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
    let from = json!({ "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
    let iterator = ask(url, &streams("GetShardIterator"), from).await;
    let from = json!({ "ShardIterator": iterator["ShardIterator"] });
    let mut records = ask(url, &streams("GetRecords"), from).await["Records"].take();
    // The template's filter.
    let records = records.as_array_mut().unwrap();
    records.retain(|record| {
        record["eventName"] == "REMOVE" && record["dynamodb"]["Keys"]["sk"]["S"] == "0#release"
    });
    json!({ "Records": records })
}

/// An event as Lambda hands it over.
fn handed(event: &Value, context: Context) -> LambdaEvent<Box<RawValue>> {
    LambdaEvent::new(to_raw_value(event).unwrap(), context)
}

fn context() -> Context {
    let mut context = Context::default();
    let end = std::time::SystemTime::now() + Duration::from_secs(30);
    let end = end.duration_since(std::time::UNIX_EPOCH).unwrap();
    context.deadline = u64::try_from(end.as_millis()).unwrap();
    context
}

#[tokio::test(flavor = "multi_thread")]
async fn sweep_removes_leftovers_of_deleted_releases_by_the_stream() {
    let (test_app, api) = TestApp::hello().await;
    let stream = json!({
        "TableName": "release-links-releases",
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "OLD_IMAGE" },
    });
    let answer = ask(&test_app.server.dynamodb_url, "DynamoDB_20120810.UpdateTable", stream).await;
    assert!(answer["TableDescription"].is_object(), "{answer}");

    for (tag, count) in [("v2", 30), ("v3", 5), ("v4", 5)] {
        assert_eq!(api.post(RELEASES, &release(tag, "old", count)).await.status, 201);
    }
    for tag in ["v2", "v3"] {
        assert_eq!(api.delete(&format!("{RELEASES}/{tag}")).await.status, 200);
    }
    assert_eq!(api.post(RELEASES, &release("v2", "new", 3)).await.status, 201);
    assert_eq!(test_app.assert_sound().await.unreachable, 35 * 4);
    let event = streamed(&test_app).await;
    assert_eq!(event["Records"].as_array().unwrap().len(), 2);

    // A database that fails half-way: Lambda retries the record and the following ones.
    let proxy = Proxy::start(&test_app.server.dynamodb_url).await;
    let deletions = AtomicUsize::new(0);
    proxy.decide(move |operation, _| {
        let late = operation == "BatchWriteItem" && deletions.fetch_add(1, Ordering::SeqCst) >= 2;
        if late { Fault::Throttle } else { Fault::Pass }
    });
    let app = App::new(store(&proxy.url), None);
    let mut test_deadline = context();
    test_deadline.deadline -= 25_000;
    let response = sweep::handle(&app, handed(&event, test_deadline)).await.unwrap();
    let failures = &response.batch_item_failures;
    assert_eq!(failures.len(), 1);
    let first = &event["Records"][0]["dynamodb"]["SequenceNumber"];
    assert_eq!(failures[0].item_identifier.as_deref(), first.as_str());
    let left = test_app.assert_sound().await.unreachable;
    assert!((1..35 * 4).contains(&left), "{left}");

    // Again, and a second time for nothing: an event may come twice.
    proxy.decide(|_, _| Fault::Pass);
    for _ in 0..2 {
        let again = handed(&event, context());
        let response = sweep::handle(&app, again).await.unwrap();
        assert_eq!(response.batch_item_failures, []);
        let audit = test_app.assert_sound().await;
        assert_eq!((audit.links, audit.claims, audit.unreachable), (8, 24, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_server_sweeps() {
    let server = Server::start_empty(&["--sweep-every", "1"]);
    let test_app = TestApp::over(server);
    let api = test_app.populate().await;
    let old = Timestamp::now().minus(Duration::from_hours(1));
    let mut new = harness::test_app::new_release(20, "v2");
    new.links = harness::test_app::links("old", 5);
    test_app.store.create_release(new, old, harness::test_app::test_deadline()).await.unwrap();
    assert_eq!(api.delete(&format!("{RELEASES}/v2")).await.status, 200);
    // Young items may belong to a release that is being created.
    assert_eq!(api.post(RELEASES, &release("v3", "young", 2)).await.status, 201);
    assert_eq!(api.delete(&format!("{RELEASES}/v3")).await.status, 200);
    test_app.server.printed(r#""message":"swept","links":5,"claims":15"#);
    assert_eq!(test_app.assert_sound().await.unreachable, 8);
}
