//! A bad database: throttled, conflicting, slow, unreachable. The responses of clients, and the
//! tables afterwards.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use shared::store::keys::ReleasesKey;
use tokio::task::JoinSet;

use harness::errors::{ALL_TAKEN, UNAVAILABLE};
use harness::proxy::{self, now_and_then};
use harness::test_app::{LINKS, Proxied, TestApp};
use harness::{Fault, Gate, Server};

#[tokio::test(flavor = "multi_thread")]
async fn clients_see_nothing_of_one_fault_in_ten_requests() {
    let proxied = Proxied::hello().await;
    proxied.proxy.decide(now_and_then(10));
    let mut tasks = JoinSet::new();
    for worker in 0..8 {
        let api = proxied.api.clone();
        tasks.spawn(async move {
            for n in 0..12 {
                let fields = |kind: &str| {
                    let value = format!("{kind}-{worker}-{n}");
                    format!(r#"{{"name":"{value}","url":"https://e.com/{value}","filepath":"/bin/{value}"}}"#)
                };
                // A replay after a lost answer is answered with its first outcome: were it carried
                // out twice, "already taken" or "not found" would show.
                let made = api.post(LINKS, &fields("made")).await;
                assert_eq!(made.status, 201, "{made:?}");
                let link = format!("{LINKS}/{}", made.id());
                api.get(&link).await.is(200, &made.body);
                let changed = api.put(&link, &fields("changed")).await;
                assert_eq!(changed.status, 200, "{changed:?}");
                let taken = api.post(LINKS, &fields("changed")).await;
                taken.is(400, ALL_TAKEN);
                assert_eq!(api.get(LINKS).await.status, 200);
                if n % 2 == 0 {
                    api.delete(&link).await.is(200, &changed.body);
                    assert_eq!(api.get(&link).await.status, 404);
                }
            }
        });
    }
    tasks.join_all().await;
    proxied.proxy.decide(|_, _| Fault::Pass);
    let audit = proxied.app.assert_sound().await;
    assert_eq!((audit.links, audit.claims), (48, 144));
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_stay_whole_with_one_fault_in_ten_requests() {
    let proxied = Proxied::hello().await;
    proxied.proxy.decide(now_and_then(10));
    let mut tasks = JoinSet::new();
    for worker in 0..6 {
        let api = proxied.api.clone();
        tasks.spawn(async move {
            for n in 0..4 {
                let links: Vec<_> = (0..15)
                    .map(|link| {
                        let path = format!("/bin/{link:03}");
                        json!({"name": path, "url": format!("https://e.com{path}"), "filepath": path})
                    })
                    .collect();
                let tag = format!("w{worker}");
                let body = json!({ "tag_name": tag, "assets": { "links": links } }).to_string();
                let made = api.post("/projects/20/releases", &body).await;
                assert_eq!(made.status, 201, "{made:?}");
                let release = format!("/projects/20/releases/{tag}");
                api.get(&release).await.is(200, &made.body);
                let download = api.get(&format!("{release}/downloads/bin/007")).await;
                assert_eq!(download.header("location"), "https://e.com/bin/007");
                let change = format!(r#"{{"released_at":"2020-01-01T00:00:0{n}Z"}}"#);
                let changed = api.put(&release, &change).await;
                assert_eq!(changed.status, 200, "{changed:?}");
                if n < 3 {
                    api.delete(&release).await.is(200, &changed.body);
                }
            }
        });
    }
    tasks.join_all().await;
    proxied.proxy.decide(|_, _| Fault::Pass);
    let audit = proxied.app.assert_sound().await;
    assert_eq!((audit.releases, audit.links, audit.claims), (7, 90, 270));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_answer_was_lost_is_not_made_again_over_a_later_one() {
    let proxied = Proxied::hello().await;
    let direct = proxied.api.at(&proxied.app.server.address);
    let made = direct.post(LINKS, r#"{"name":"a","url":"https://e.com/a"}"#).await;
    for (path, field, first, second) in [
        (format!("{LINKS}/{}", made.id()), "link_type", "image", "package"),
        ("/projects/20/releases/v1.7.0".to_owned(), "description", "first", "second"),
    ] {
        let change = |value: &str| json!({ "name": "b", field: value }).to_string();
        let named = direct.put(&path, &json!({ "name": "b" }).to_string()).await;
        assert_eq!(named.status, 200, "{named:?}");
        // The first try is carried out and never answered; the second waits for the other change.
        let (lost, late) = (Gate::new(), Gate::new());
        let (held, waiting, writes) = (lost.clone(), late.clone(), AtomicU64::new(0));
        proxied.proxy.decide(move |operation, _| {
            if !operation.contains("Write") && operation != "PutItem" {
                return Fault::Pass;
            }
            match writes.fetch_add(1, Ordering::SeqCst) {
                0 => Fault::HoldAnswer(held.clone()),
                1 => Fault::Hold(waiting.clone()),
                _ => Fault::Pass,
            }
        });
        let changing = tokio::spawn({
            let (api, path, body) = (proxied.api.clone(), path.clone(), change(first));
            async move { api.put(&path, &body).await }
        });
        late.reached().await;
        assert_eq!(direct.get(&path).await.json()[field], first);
        assert_eq!(direct.put(&path, &change(second)).await.status, 200);
        late.open();
        let answered = changing.await.unwrap();
        assert_eq!((answered.status, &answered.json()[field]), (200, &json!(first)));
        assert_eq!(direct.get(&path).await.json()[field], second);
        lost.open();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_that_went_back_gives_no_link_the_number_of_another() {
    let (app, api) = TestApp::hello().await;
    let fields = |n: u64| format!(r#"{{"name":"{n}","url":"https://e.com/{n}"}}"#);
    for n in 1..=3 {
        assert_eq!(api.post(LINKS, &fields(n)).await.id(), n);
    }
    let url = &app.server.dynamodb_url;
    let counter = ReleasesKey::link_counter();
    let key = json!({ "pk": { "S": counter.pk }, "sk": { "S": counter.sk } });
    let deletion = json!({ "TableName": "release-links-releases", "Key": key });
    let (status, answer) = proxy::ask(url, "DynamoDB_20120810.DeleteItem", &deletion).await;
    assert_eq!(status, 200, "{answer}");
    let other = Server::start_with(&["--no-sample", "--endpoint-url", url]);
    let made = api.at(&other.address).post(LINKS, &fields(4)).await;
    assert_eq!((made.status, made.id()), (201, 4));
    for n in 1..=4 {
        let there = api.get(&format!("{LINKS}/{n}")).await.json();
        assert_eq!(there["url"], format!("https://e.com/{n}"));
    }
    assert_eq!(app.assert_sound().await.links, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_every_try_fails_clients_are_told_to_come_back() {
    let proxied = Proxied::hello().await;
    let made = proxied.api.post(LINKS, r#"{"name":"a","url":"https://e.com/a"}"#).await;
    let link = format!("{LINKS}/{}", made.id());
    let api = proxied.api.allowing_failures();
    for fault in [
        Fault::Throttle,
        Fault::Conflict,
        Fault::Unprocessed,
        Fault::Delay(Duration::from_mins(1)),
        Fault::DropBefore,
        Fault::DropAfter,
    ] {
        // Reads go through first, and the fault meets the writes. Then nothing goes through.
        for reads_fail in [false, true] {
            let (shown, fault) = (format!("{fault:?}"), fault.clone());
            proxied.proxy.decide(move |operation, _| {
                let writes = operation.contains("Write") || operation == "UpdateItem";
                if writes || reads_fail { fault.clone() } else { Fault::Pass }
            });
            let mut tasks = JoinSet::new();
            for (method, path, body) in [
                ("POST", LINKS.to_owned(), r#"{"name":"b","url":"https://e.com/b"}"#),
                ("PUT", link.clone(), r#"{"name":"c"}"#),
                ("DELETE", link.clone(), "{}"),
                ("GET", link.clone(), ""),
                ("GET", LINKS.to_owned(), ""),
                ("POST", "/projects/20/releases".to_owned(), r#"{"tag_name":"v2"}"#),
                (
                    "PUT",
                    "/projects/20/releases/v1.7.0".to_owned(),
                    r#"{"released_at":"2020-01-01"}"#,
                ),
                ("GET", "/projects/20/releases/v1.7.0".to_owned(), ""),
                ("GET", "/projects/20/releases".to_owned(), ""),
                ("GET", "/projects/20/releases/v1.7.0/downloads/bin/a".to_owned(), ""),
                ("GET", "/projects/20/releases/permalink/latest".to_owned(), ""),
            ] {
                let (api, shown) = (api.clone(), format!("{method} with {shown}"));
                tasks.spawn(async move {
                    let started = Instant::now();
                    let reply = api.send(method, &path, "application/json", body.as_bytes()).await;
                    (shown, method, reply, started.elapsed())
                });
            }
            for (case, method, reply, elapsed) in tasks.join_all().await {
                if method == "GET" && !reads_fail {
                    assert!(matches!(reply.status, 200 | 302 | 404), "{case}: {reply:?}");
                    continue;
                }
                // A write whose answer is lost every time may have happened, and so be found
                // missing or taken by the next.
                let may_have_happened = matches!(reply.status, 400 | 404 | 409 | 200 | 201)
                    && case.contains("DropAfter");
                assert!(reply.status == 503 || may_have_happened, "{case}: {reply:?}");
                // The function has ten seconds; its answer is due well before.
                assert!(elapsed < Duration::from_secs(9), "{case}: {elapsed:?}");
                if reply.status == 503 {
                    reply.is(503, UNAVAILABLE);
                    assert_eq!(reply.header("retry-after"), "1");
                }
            }
            proxied.proxy.decide(|_, _| Fault::Pass);
            proxied.app.assert_sound().await;
            // Leftovers of a lost response do not disturb the next round.
            let remade = api.post(LINKS, r#"{"name":"a","url":"https://e.com/a"}"#).await;
            assert!(matches!(remade.status, 201 | 400), "{remade:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_batch_left_for_later_is_not_a_missing_item() {
    let proxied = Proxied::hello().await;
    let made = proxied.api.post(LINKS, r#"{"name":"a","url":"https://e.com/a"}"#).await;
    let calls = AtomicU64::new(0);
    // Each read is cut short several times, at another key each time.
    proxied.proxy.decide(move |operation, _| {
        if operation == "BatchGetItem" && calls.fetch_add(1, Ordering::Relaxed) % 4 != 3 {
            Fault::Unprocessed
        } else {
            Fault::Pass
        }
    });
    for _ in 0..5 {
        proxied.api.get(&format!("{LINKS}/{}", made.id())).await.is(200, &made.body);
        assert_eq!(proxied.api.get(LINKS).await.names(), ["a"]);
        proxied
            .api
            .post(LINKS, r#"{"name":"a","url":"https://e.com/b"}"#)
            .await
            .is(400, r#"{"message":["Name has already been taken"]}"#);
    }
}
