//! Releases of many links: what one of them costs does not depend on the others, and what is all of
//! them still fits.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared::domain::time::Timestamp;
use shared::store::deadline::Deadline;

use crate::db_request_counts::{Cost, cost, number_after, stated_costs};
use harness::test_app::{Proxied, RELEASES, TestApp, links, new_release, store, test_deadline};
use harness::{Api, Fault, Reply};

/// Lambda's limit for a response, without the frame that API Gateway adds.
const LAMBDA_BYTES: usize = 6 * 1024 * 1024 - 64 * 1024;

/// One at a time: each of these keeps a machine busy for seconds.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn populate(app: &TestApp, tag: &str, count: usize) {
    let mut new = new_release(20, tag);
    new.links = links("file", count);
    let deadline = Deadline::after(Duration::from_mins(2));
    app.store.create_release(new, Timestamp::now(), deadline).await.unwrap();
}

/// The body of a release with `count` links named as files are, with or without a path.
fn release(tag: &str, count: usize, has_paths: bool) -> String {
    let link = |n| {
        let mut link = json!({
            "name": format!("app-linux-amd64-{n}"),
            "url": format!("https://downloads.example.com/app-1.1.0/{n}"),
        });
        if has_paths {
            link["filepath"] = json!(format!("/bin/{n:04}"));
        }
        link
    };
    let links: Vec<Value> = (0..count).map(link).collect();
    json!({"tag_name": tag, "assets": {"links": links}}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_links_are_published_listed_downloaded_and_deleted() {
    let _turn = TURN.lock().await;
    let proxied = Proxied::hello().await;
    let Proxied { app, api, .. } = &proxied;
    let made = api.post(RELEASES, &release("v2", 1000, true)).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!(made["assets"]["count"], 1000);

    let mut listed = Vec::new();
    for page in 1..=10 {
        let reply = api.get(&format!("{RELEASES}/v2/assets/links?per_page=100&page={page}")).await;
        assert_eq!(reply.header("x-total-pages"), "10");
        listed.extend(reply.json().as_array().unwrap().clone());
    }
    assert_eq!(Value::from(listed.clone()), made["assets"]["links"]);
    let names: BTreeSet<_> = listed.iter().map(|link| link["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 1000);
    for n in [0, 1, 499, 999] {
        let reply = api.get(&format!("{RELEASES}/v2/downloads/bin/{n:04}")).await;
        reply.leads_to(&format!("https://downloads.example.com/app-1.1.0/{n}"));
    }
    let path = format!("{RELEASES}/v2");
    let (got, whole) = cost(&proxied, async |api: &Api| api.get(&path).await).await;
    assert_eq!(got.json(), made);
    println!("a thousand links: {} read units", whole.read_units);
    let stated = stated_costs();
    let said = number_after(&stated, "Reading a release of 1,000 links takes about ");
    // "About": to the ten.
    assert_eq!(format!("{:.0}0", whole.read_units / 10.0), said, "{}", whole.read_units);
    assert_eq!(app.assert_sound().await.links, 1000);
    assert_eq!(api.delete(&format!("{RELEASES}/v2")).await.json(), made);
    assert_eq!(api.get(&format!("{RELEASES}/v2/downloads/bin/0000")).await.status, 404);
    assert_eq!(app.assert_sound().await.links, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sweep_takes_three_units_for_a_link_and_four_for_one_with_a_path() {
    let proxied = Proxied::hello().await;
    let Proxied { app, api, proxy, .. } = &proxied;
    let sweeper = store(&proxy.url);
    for (tag, has_paths, units_of_a_link) in [("v2", false, 3.0), ("v3", true, 4.0)] {
        assert_eq!(api.post(RELEASES, &release(tag, 40, has_paths)).await.status, 201);
        let key = new_release(20, tag).key;
        let uid = app.store.get_release(&key, test_deadline()).await.unwrap().unwrap().uid;
        assert_eq!(api.delete(&format!("{RELEASES}/{tag}")).await.status, 200);
        let sweep =
            async |_: &Api| sweeper.sweep_release(&key, &uid, test_deadline()).await.unwrap();
        let (swept, cost) = cost(&proxied, sweep).await;
        println!("{swept:?}: {} write and {} read units", cost.write_units, cost.read_units);
        assert_eq!((swept.links, cost.write_units), (40, 40.0 * units_of_a_link), "{tag}");
    }
    assert_eq!(app.assert_sound().await.unreachable, 0);
    let said = "`sweep` takes three write units for each link, or four if the link has a path";
    assert!(stated_costs().contains(said), "{said}");
}

/// The cost of each operation on one link of a release.
async fn costs_of_one_link(proxied: &Proxied, tag: &str) -> Vec<(&'static str, Cost)> {
    let links = format!("{RELEASES}/{tag}/assets/links");
    let body = r#"{"name":"one","url":"https://e.com/one","filepath":"/bin/one"}"#;
    let (made, create) = cost(proxied, async |api: &Api| api.post(&links, body).await).await;
    assert_eq!(made.status, 201);
    let link = format!("{links}/{}", made.id());
    let (_, get) = cost(proxied, async |api: &Api| api.get(&link).await).await;
    let path = format!("{RELEASES}/{tag}/downloads/bin/one");
    let (download, downloaded) = cost(proxied, async |api: &Api| api.get(&path).await).await;
    assert_eq!(download.status, 302);
    let renamed = r#"{"name":"two"}"#;
    let (_, update) = cost(proxied, async |api: &Api| api.put(&link, renamed).await).await;
    let (deleted, delete) = cost(proxied, async |api: &Api| api.delete(&link).await).await;
    assert_eq!(deleted.status, 200);
    vec![
        ("create", create),
        ("get", get),
        ("download", downloaded),
        ("update", update),
        ("delete", delete),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn one_link_costs_the_same_among_ten_and_among_ten_thousand() {
    let _turn = TURN.lock().await;
    let proxied = Proxied::hello().await;
    populate(&proxied.app, "ten", 10).await;
    populate(&proxied.app, "many", 10_000).await;
    // The process takes numbers for links in blocks; this takes its first.
    let first = r#"{"name":"one","url":"https://e.com/one"}"#;
    assert_eq!(
        proxied.api.post("/projects/20/releases/v1.7.0/assets/links", first).await.status,
        201
    );

    let few = costs_of_one_link(&proxied, "ten").await;
    let many = costs_of_one_link(&proxied, "many").await;
    println!("{:<10} {:>6} {:>8} {:>8}  requests", "one link", "in row", "writes", "reads");
    for ((name, few), (_, many)) in few.iter().zip(&many) {
        println!(
            "{name:<10} {:>6} {:>8.1} {:>8.1}  {}",
            many.sequential,
            many.write_units,
            many.read_units,
            many.requests.join(", ")
        );
        assert_eq!(few, many, "{name}");
    }
    println!("\n{:<10} {:>8} {:>12}", "links", "reads", "reads a link");
    for (tag, count) in [("ten", 10.0), ("many", 10_000.0)] {
        let page = format!("{RELEASES}/{tag}/assets/links");
        let (reply, list) = cost(&proxied, async |api: &Api| api.get(&page).await).await;
        assert_eq!(reply.status, 200);
        println!("{count:<10} {:>8.1} {:>12.3}", list.read_units, list.read_units / count);
        // The token and the project, then the partition: a unit reads 4 KB, about ten links.
        assert!(list.read_units < 4.0 + count * 0.15, "{}", list.read_units);
    }
}

/// How many bytes the body takes in the JSON in which a function hands it over.
fn bytes_on_the_way(reply: &Reply) -> usize {
    Value::from(reply.body.as_str()).to_string().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_would_be_too_long_has_the_newest_links_that_fit() {
    let _turn = TURN.lock().await;
    let (app, api) = TestApp::hello().await;
    let url = |n: usize| format!("https://e.com/{}/{n}", "x".repeat(2_000));
    for (tag, count) in [("big-1", 1_500), ("big-2", 10), ("big-3", 1_400)] {
        let mut new = new_release(20, tag);
        let fields = (0..count).map(|n| {
            use shared::domain::link::{LinkType, UncheckedLink};
            // Quotes take four times their room on the way.
            let name = format!("\"{n}\"");
            UncheckedLink::new(Some(&name), Some(&url(n)), None, LinkType::Other).fields().unwrap()
        });
        new.links = shared::domain::release::NewLinks::parse(fields.collect()).unwrap();
        let deadline = Deadline::after(Duration::from_mins(2));
        app.store.create_release(new, Timestamp::now(), deadline).await.unwrap();
    }

    let mut ids = Vec::new();
    for page in [1, 2, 3, 15] {
        let reply =
            api.get(&format!("{RELEASES}/big-1/assets/links?per_page=100&page={page}")).await;
        assert_eq!(reply.header("x-total"), "1500");
        ids.extend(reply.json().as_array().unwrap().iter().map(|link| link["id"].clone()));
    }
    // The last page is of the first numbers, though all the rest is before it.
    let numbers: Vec<u64> = ids.iter().map(|id| id.as_u64().unwrap()).collect();
    let (newest, oldest) = numbers.split_at(300);
    assert!(newest.windows(2).all(|pair| pair[0] == pair[1] + 1), "{newest:?}");
    assert!(oldest.windows(2).all(|pair| pair[0] == pair[1] + 1), "{oldest:?}");
    assert_eq!((oldest.len(), newest[0] - oldest[99]), (100, 1_499));
    ids.truncate(300);

    let whole = api.get(&format!("{RELEASES}/big-1")).await;
    let changed = api.put(&format!("{RELEASES}/big-1"), r#"{"name":"big"}"#).await;
    for reply in [&whole, &changed] {
        assert_eq!(reply.status, 200);
        let bytes = bytes_on_the_way(reply);
        assert!((4_900_000..LAMBDA_BYTES).contains(&bytes), "{bytes}");
        let release = reply.json();
        assert_eq!(release["assets"]["count"], 1_500);
        let shown: Vec<_> = release["assets"]["links"]
            .as_array()
            .unwrap()
            .iter()
            .map(|link| link["id"].clone())
            .collect();
        assert!((1_000..1_500).contains(&shown.len()), "{}", shown.len());
        assert_eq!(shown[..300], ids, "the newest");
    }

    let list = api.get(RELEASES).await;
    assert!(bytes_on_the_way(&list) < LAMBDA_BYTES);
    let releases = list.json();
    let counts: Vec<_> = releases
        .as_array()
        .unwrap()
        .iter()
        .map(|release| {
            let shown = release["assets"]["links"].as_array().unwrap().len();
            (release["tag_name"].as_str().unwrap(), release["assets"]["count"].clone(), shown)
        })
        .collect();
    let [big_3, big_2, big_1, hello] = counts.as_slice() else { panic!("{counts:?}") };
    assert_eq!((big_2.2, hello.2), (10, 0), "what is small is whole");
    for (tag, count, shown) in [big_3, big_1] {
        assert!((250..1_400).contains(shown), "{tag}: {shown} of {count}");
    }
    let deleted = api.delete(&format!("{RELEASES}/big-1")).await;
    assert_eq!((deleted.status, deleted.json()["assets"]["count"].clone()), (200, json!(1_500)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_too_large_to_be_read_in_time_is_changed_and_deleted() {
    let proxied = Proxied::hello().await;
    let Proxied { app, api, proxy, .. } = &proxied;
    let mut new = new_release(20, "v2");
    new.links = links("file", 150);
    app.store.create_release(new, Timestamp::now(), test_deadline()).await.unwrap();
    // Only the first links can be read.
    proxy.decide(|operation, body| {
        let is_more = operation == "Query" && body["Limit"].is_null();
        if is_more { Fault::Delay(Duration::from_mins(1)) } else { Fault::Pass }
    });
    let release = format!("{RELEASES}/v2");
    let started = Instant::now();
    let changed = api.put(&release, r#"{"name":"b"}"#).await;
    let deleted = api.delete(&release).await;
    for reply in [&changed, &deleted] {
        assert_eq!(reply.status, 200);
        let json = reply.json();
        assert_eq!((&json["name"], &json["assets"]["count"]), (&json!("b"), &json!(100)));
        assert_eq!(json["assets"]["links"].as_array().unwrap().len(), 100);
    }
    // Each within its five seconds.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(api.get(&release).await.status, 404);
    assert_eq!(app.assert_sound().await.links, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_whose_descriptions_are_too_long_has_their_beginnings() {
    let _turn = TURN.lock().await;
    let (_world, api) = TestApp::hello().await;
    let long = "\"ä".repeat(80_000);
    for n in 0..19 {
        let body = json!({"tag_name": format!("v{n}"), "description": long}).to_string();
        assert_eq!(api.post(RELEASES, &body).await.status, 201);
    }
    let list = api.get(RELEASES).await;
    let bytes = bytes_on_the_way(&list);
    assert!(bytes < LAMBDA_BYTES, "{bytes}");
    let releases = list.json();
    for release in &releases.as_array().unwrap()[..19] {
        let shown = release["description"].as_str().unwrap();
        assert!(long.starts_with(shown) && shown.len() > 50_000, "{}", shown.len());
    }
    assert_eq!(api.get(&format!("{RELEASES}/v0")).await.json()["description"], long);
}
