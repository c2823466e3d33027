//! Many writers at once: what the tables promise, on the running server.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::json;
use shared::domain::project::ProjectId;
use tokio::task::JoinSet;

use harness::errors::RECORD_NOT_FOUND;
use harness::test_app::{LINKS, Proxied, TestApp, create_release, test_deadline};
use harness::{Api, Fault, Gate, Reply};

/// Sends all at once, from connections of their own.
async fn all(
    requests: impl IntoIterator<Item = impl Future<Output = Reply> + Send + 'static>,
) -> Vec<Reply> {
    let mut tasks = JoinSet::new();
    for request in requests {
        tasks.spawn(request);
    }
    tasks.join_all().await
}

fn post(api: &Api, body: String) -> impl Future<Output = Reply> + Send + 'static {
    let api = api.clone();
    async move { api.post(LINKS, &body).await }
}

#[tokio::test(flavor = "multi_thread")]
async fn different_links_of_one_release_are_all_made() {
    let (app, api) = TestApp::hello().await;
    let body =
        |n| format!(r#"{{"name":"{n}","url":"https://e.com/{n}","filepath":"/bin/{n:03}"}}"#);
    let replies = all((0..64).map(|n| post(&api, body(n)))).await;
    assert!(replies.iter().all(|reply| reply.status == 201), "{replies:?}");
    let ids: HashSet<u64> = replies.iter().map(Reply::id).collect();
    assert_eq!(ids.len(), 64);
    assert_eq!(app.assert_sound().await.links, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_one_of_many_links_with_one_name_url_or_path_is_created() {
    let (app, api) = TestApp::hello().await;
    for (sentence, body) in [
        ("Name has", |n: u64| format!(r#"{{"name":"same","url":"https://e.com/n{n}"}}"#)),
        ("Url has", |n| format!(r#"{{"name":"u{n}","url":"https://e.com/same"}}"#)),
        ("Filepath has", |n| {
            format!(r#"{{"name":"p{n}","url":"https://e.com/p{n}","filepath":"/bin/same"}}"#)
        }),
    ] as [(&str, fn(u64) -> String); 3]
    {
        let replies = all((0..64).map(|n| post(&api, body(n)))).await;
        let made = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(made, 1, "{sentence}");
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            reply.is(400, &format!(r#"{{"message":["{sentence} already been taken"]}}"#));
        }
    }
    assert_eq!(app.assert_sound().await.links, 3);
}

#[derive(Default)]
struct Run {
    last_id: AtomicU64,
    answered: AtomicU64,
}

/// Makes, changes and deletes links that get in each other's way.
async fn write_until(end: Instant, api: Api, run: Arc<Run>, mut random: Rng) {
    while Instant::now() < end {
        let fields = format!(
            r#"{{"name":"n{}","url":"https://e.com/{}","filepath":"/bin/f{}"}}"#,
            random.u8(..4),
            random.u8(..4),
            random.u8(..4)
        );
        let newest = run.last_id.load(Ordering::Relaxed).max(1);
        let link = format!("{LINKS}/{}", newest.saturating_sub(random.u64(..6)).max(1));
        let reply = match random.u8(..6) {
            0..=2 => api.post(LINKS, &fields).await,
            3 => api.put(&link, &fields).await,
            4 => api.put(&link, &format!(r#"{{"name":"n{}"}}"#, random.u8(..4))).await,
            _ => api.delete(&link).await,
        };
        assert!(matches!(reply.status, 200 | 201 | 400 | 404), "{reply:?}");
        run.answered.fetch_add(1, Ordering::Relaxed);
        if reply.status == 201 {
            run.last_id.fetch_max(reply.id(), Ordering::Relaxed);
        }
        let list = api.get(&format!("{LINKS}?per_page=100")).await;
        assert!(matches!(list.status, 200 | 404), "{list:?}");
    }
}

/// Deletes the release and makes it again, and says how many lives it had.
async fn remake_until(end: Instant, app: &TestApp) -> usize {
    let mut lives = 0;
    while Instant::now() < end {
        for release in app.store.list_releases(ProjectId(20), test_deadline()).await.unwrap() {
            assert!(app.store.delete_release(&release, test_deadline()).await.unwrap());
        }
        create_release(&app.store, 20, "v1.7.0").await;
        lives += 1;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    lives
}

/// Asserts that no two links of a list share a value, and says how many links it has.
fn assert_distinct(list: &Reply) -> usize {
    let json = list.json();
    let links = json.as_array().unwrap();
    for key in ["name", "url", "direct_asset_url"] {
        let mut seen = HashSet::new();
        for link in links {
            assert!(seen.insert(link[key].to_string()), "{key}: {json}");
        }
    }
    links.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_seconds_of_everything_at_once_break_no_rule() {
    const PHASES: u64 = 4;
    const WORKERS: u64 = 12;
    let (app, api) = TestApp::hello().await;
    let run = Arc::new(Run::default());
    let (mut lives, mut listed) = (0, 0);
    for phase in 0..PHASES {
        let last_life = Instant::now() + Duration::from_secs(2);
        // It has a while for its links.
        let end = last_life + Duration::from_millis(500);
        let mut tasks = JoinSet::new();
        for worker in 0..WORKERS {
            let random = Rng::with_seed(phase * WORKERS + worker);
            tasks.spawn(write_until(end, api.clone(), Arc::clone(&run), random));
        }
        lives += remake_until(last_life, &app).await;
        tasks.join_all().await;
        // Only without writers. DynamoDB's Query does not read one moment: a list may show
        // a name at its old and at its new link.
        listed += assert_distinct(&api.get(&format!("{LINKS}?per_page=100")).await);
        app.assert_sound().await;
    }
    let audit = app.audit().await;
    println!(
        "{} writes over {lives} lives of the release, {listed} links left: {audit:?}",
        run.answered.load(Ordering::Relaxed)
    );
    assert!(lives > 5 && listed > 1 && audit.unreachable > 0, "{lives} {listed} {audit:?}");
}

/// Holds the first transaction that writes a link until the gate opens.
fn hold_first_transaction(proxied: &Proxied) -> Gate {
    let gate = Gate::new();
    let (held, first) = (gate.clone(), AtomicBool::new(true));
    proxied.proxy.decide(move |operation, _| {
        if operation == "TransactWriteItems" && first.swap(false, Ordering::SeqCst) {
            Fault::Hold(held.clone())
        } else {
            Fault::Pass
        }
    });
    gate
}

async fn remake_release(app: &TestApp) {
    let releases = app.store.list_releases(ProjectId(20), test_deadline()).await.unwrap();
    assert!(app.store.delete_release(&releases[0], test_deadline()).await.unwrap());
    app.release(20, "v1.7.0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_saw_the_old_release_neither_shows_nor_blocks_in_the_new_one() {
    let proxied = Proxied::hello().await;
    let Proxied { app, api, .. } = &proxied;
    let gate = hold_first_transaction(&proxied);
    let body = r#"{"name":"a","url":"https://e.com/a","filepath":"/bin/a"}"#;
    let late = tokio::spawn(post(api, body.to_owned()));
    gate.reached().await;
    remake_release(app).await;
    gate.open();
    // It was answered as if it had come before the deletion, which it well may have.
    let late = late.await.unwrap();
    assert_eq!(late.status, 201);

    api.get(LINKS).await.is(200, "[]");
    api.get(&format!("{LINKS}/{}", late.id())).await.is(404, RECORD_NOT_FOUND);
    assert_eq!(api.post(LINKS, body).await.status, 201);
    let audit = app.assert_sound().await;
    assert_eq!((audit.links, audit.claims, audit.unreachable), (1, 3, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_that_saw_the_old_release_neither_shows_nor_blocks_in_the_new_one() {
    let proxied = Proxied::hello().await;
    let Proxied { app, api, .. } = &proxied;
    let made = api.post(LINKS, r#"{"name":"a","url":"https://e.com/a","filepath":"/bin/a"}"#).await;
    let link = format!("{LINKS}/{}", made.id());
    let gate = hold_first_transaction(&proxied);
    let late = tokio::spawn({
        let (api, link) = (api.clone(), link.clone());
        async move { api.put(&link, r#"{"name":"b","filepath":"/bin/b"}"#).await }
    });
    gate.reached().await;
    remake_release(app).await;
    gate.open();
    assert_eq!(late.await.unwrap().status, 200);

    api.get(LINKS).await.is(200, "[]");
    api.get(&link).await.is(404, RECORD_NOT_FOUND);
    for body in [
        r#"{"name":"a","url":"https://e.com/a","filepath":"/bin/a"}"#,
        r#"{"name":"b","url":"https://e.com/b","filepath":"/bin/b"}"#,
    ] {
        assert_eq!(api.post(LINKS, body).await.status, 201, "{body}");
    }
    let audit = app.assert_sound().await;
    assert_eq!((audit.links, audit.claims, audit.unreachable), (2, 6, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_meets_another_of_the_same_link_starts_over() {
    let proxied = Proxied::hello().await;
    let Proxied { app, api, .. } = &proxied;
    for (late_change, meanwhile, expected, left) in [
        // Both renames happen, the late one last.
        ("PUT", "PUT", 200, Some("late")),
        // Links deleted in the meantime are not found.
        ("PUT", "DELETE", 404, None),
        ("DELETE", "PUT", 200, None),
        ("DELETE", "DELETE", 404, None),
    ] {
        let body = r#"{"name":"first","url":"https://e.com/a"}"#;
        proxied.proxy.decide(|_, _| Fault::Pass);
        let link = format!("{LINKS}/{}", api.post(LINKS, body).await.id());
        let gate = hold_first_transaction(&proxied);
        let late = tokio::spawn({
            let (api, link) = (api.clone(), link.clone());
            async move { api.send(late_change, &link, "application/json", br#"{"name":"late"}"#).await }
        });
        gate.reached().await;
        let between = api.send(meanwhile, &link, "application/json", br#"{"name":"early"}"#).await;
        assert_eq!(between.status, 200);
        gate.open();
        let late = late.await.unwrap();
        assert_eq!(late.status, expected, "{late_change} after {meanwhile}: {late:?}");
        assert_eq!(api.get(LINKS).await.names(), left.into_iter().collect::<Vec<_>>());
        app.assert_sound().await;
        if left.is_some() {
            assert_eq!(api.delete(&link).await.status, 200);
        }
    }
}

/// One of two that meet gives a digest, and the other keeps what is known.
#[tokio::test(flavor = "multi_thread")]
async fn a_rename_keeps_the_digest_and_size_that_another_request_gave_meanwhile() {
    let proxied = Proxied::hello().await;
    let Proxied { app, api, .. } = &proxied;
    let digest = format!("sha256:{}", "0a".repeat(32));
    for given in [json!({ "digest": digest }), json!({ "size": 3 })] {
        let body = r#"{"name":"first","url":"https://e.com/a","direct_asset_path":"/bin/a"}"#;
        proxied.proxy.decide(|_, _| Fault::Pass);
        let link = format!("{LINKS}/{}", api.post(LINKS, body).await.id());
        let gate = hold_first_transaction(&proxied);
        let late = tokio::spawn({
            let (api, link) = (api.clone(), link.clone());
            async move { api.put(&link, r#"{"name":"late"}"#).await }
        });
        gate.reached().await;
        assert_eq!(api.put(&link, &given.to_string()).await.status, 200);
        gate.open();
        let late = late.await.unwrap().json();
        for name in ["digest", "size"] {
            assert_eq!(late.get(name), given.get(name), "{late}");
        }
        assert_eq!(late["name"], "late");
        app.assert_sound().await;
        assert_eq!(api.delete(&link).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_freed_during_the_conflict_check_can_be_claimed() {
    let proxied = Proxied::hello().await;
    let Proxied { app, api, .. } = &proxied;
    let made = api.post(LINKS, r#"{"name":"a","url":"https://e.com/a"}"#).await;
    // The creation fails for the name. Before it looks for the owner, the name is free again.
    let gate = Gate::new();
    let (held, reads) = (gate.clone(), AtomicU64::new(0));
    proxied.proxy.decide(move |operation, _| {
        if operation == "BatchGetItem" && reads.fetch_add(1, Ordering::SeqCst) == 1 {
            Fault::Hold(held.clone())
        } else {
            Fault::Pass
        }
    });
    let late = tokio::spawn(post(api, r#"{"name":"a","url":"https://e.com/b"}"#.to_owned()));
    gate.reached().await;
    assert_eq!(api.delete(&format!("{LINKS}/{}", made.id())).await.status, 200);
    gate.open();
    assert_eq!(late.await.unwrap().status, 201);
    assert_eq!(app.assert_sound().await.links, 1);
}
