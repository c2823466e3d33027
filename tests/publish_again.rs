//! The policies for duplicates, and immutable releases.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use shared::domain::access_level::AccessLevel;
use shared::domain::policies::OnDuplicate;
use shared::domain::project::Visibility;
use shared::domain::time::Timestamp;
use shared::store::tokens::NewToken;
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::Action::{Call, Response};
use todc_utils::linearizability::history::{Action, History};
use todc_utils::specifications::Specification;
use tokio::task::JoinSet;

use harness::errors::{ALL_TAKEN, RELEASE_EXISTS};
use harness::proxy::now_and_then;
use harness::test_app::{LINKS, Proxied, RELEASES, TestApp, grant, token};
use harness::{Api, Fault, LinkBody, Reply};

const IMMUTABLE: &str = r#"{"message":"403 Forbidden - Release is immutable"}"#;

fn outcome(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.header("x-release-links-outcome"))
}

async fn set_policy(app: &TestApp, on_duplicate: OnDuplicate) {
    app.change_project(20, |project| project.policies.on_duplicate = on_duplicate).await;
}

async fn set_grace(app: &TestApp, grace: Option<Duration>) {
    app.change_project(20, |project| project.policies.immutable_after = grace).await;
}

/// The API with a token of a developer whose creations do this.
async fn developer(app: &TestApp, on_duplicate: Option<OnDuplicate>) -> Api {
    let grants = vec![grant(20, AccessLevel::Developer)];
    app.api_with(NewToken { grants, on_duplicate, ..token() }).await
}

fn link(name: &str, url: &str, path: Option<&str>) -> Value {
    let url = format!("https://e.com/{url}");
    json!({ "name": name, "url": url, "direct_asset_path": path, "link_type": "package" })
}

fn with(mut body: Value, policy: Option<&str>) -> String {
    if let Some(policy) = policy {
        body["on_duplicate"] = policy.into();
    }
    body.to_string()
}

#[tokio::test]
async fn a_link_that_is_there_is_rejected_accepted_or_replaced() {
    let (app, plain) = TestApp::hello().await;
    let a = link("a", "a", Some("/bin/a"));
    let made = plain.post(LINKS, &a.to_string()).await;
    assert_eq!(outcome(&made), (201, "created"));
    plain.post(LINKS, &link("b", "b", None).to_string()).await;
    let same_url = link("other", "a", None);
    let differs = link("a", "a2", Some("/bin/a"));

    // By the request, by the token, and by the project.
    for (place, word, policy) in [
        ("request", "reject", OnDuplicate::Reject),
        ("token", "reject", OnDuplicate::Reject),
        ("project", "reject", OnDuplicate::Reject),
        ("request", "accept", OnDuplicate::Accept),
        ("token", "accept", OnDuplicate::Accept),
        ("project", "accept", OnDuplicate::Accept),
    ] {
        let by_token = (place == "token").then_some(policy);
        let by_project = if place == "project" { policy } else { OnDuplicate::Reject };
        let by_request = (place == "request").then_some(word);
        set_policy(&app, by_project).await;
        let api = developer(&app, by_token).await;
        let again = api.post(LINKS, &with(a.clone(), by_request)).await;
        if policy == OnDuplicate::Accept {
            again.is(201, &made.body);
            assert_eq!(outcome(&again), (201, "unchanged"), "{place}");
        } else {
            again.is(400, ALL_TAKEN);
        }
        let taken = r#"{"message":["Url has already been taken"]}"#;
        api.post(LINKS, &with(same_url.clone(), by_request)).await.is(400, taken);
        let taken =
            r#"{"message":["Name has already been taken","Filepath has already been taken"]}"#;
        api.post(LINKS, &with(differs.clone(), by_request)).await.is(400, taken);
    }
    set_policy(&app, OnDuplicate::Reject).await;
    plain.get(&format!("{LINKS}/1")).await.is(200, &made.body);

    let replacing = developer(&app, Some(OnDuplicate::Replace)).await;
    let again = replacing.post(LINKS, &a.to_string()).await;
    again.is(201, &made.body);
    assert_eq!(outcome(&again), (201, "unchanged"));
    let replaced = replacing.post(LINKS, &differs.to_string()).await;
    assert_eq!(outcome(&replaced), (201, "replaced"));
    let url = "https://e.com/a2";
    let host = format!("http://{}", app.server.address);
    let download = format!("{host}/mynamespace/hello/-/releases/v1.7.0/downloads/bin/a");
    let body = LinkBody {
        direct_asset_url: &download,
        link_type: "package",
        ..LinkBody::new(1, "a", url)
    };
    replaced.is(201, &body.json());
    // It keeps its number and its place below the newer one.
    let listed = plain.get(LINKS).await.json();
    assert_eq!((&listed[0]["name"], &listed[1]), (&json!("b"), &replaced.json()));
    plain.get("/projects/20/releases/v1.7.0/downloads/bin/a").await.leads_to(url);
    // One taken value is enough, and all values can change.
    let renamed = replacing.post(LINKS, &link("c", "a2", None).to_string()).await;
    assert_eq!((outcome(&renamed), renamed.id()), ((201, "replaced"), 1));

    // Values of two links.
    let taken = r#"{"message":["Url has already been taken","Name has already been taken"]}"#;
    replacing.post(LINKS, &link("b", "a2", None).to_string()).await.is(400, taken);
    let bad = with(link("n", "a2", Some("bad")), Some("replace"));
    let refused = plain.post(LINKS, &bad).await;
    assert_eq!(refused.json()["message"][0], "Url has already been taken");
    assert_eq!(refused.status, 400, "{refused:?}");
    plain
        .post(LINKS, &with(a, Some("overwrite")))
        .await
        .is(400, r#"{"error":"on_duplicate does not have a valid value"}"#);
    app.assert_sound().await;
    let output = app.server.output();
    for outcome in ["created", "unchanged", "replaced"] {
        assert!(output.contains(&format!(r#""outcome":"{outcome}""#)), "{outcome}: {output}");
    }
}

#[tokio::test]
async fn a_replaced_link_keeps_its_digest_while_it_has_the_same_url() {
    let (app, api) = TestApp::hello().await;
    set_policy(&app, OnDuplicate::Replace).await;
    let (one, two) = (format!("sha256:{}", "1".repeat(64)), format!("sha256:{}", "2".repeat(64)));
    for (url, digest, outcome_is, kept) in [
        ("a", Some(&one), "created", Some(&one)),
        ("a", None, "unchanged", Some(&one)),
        ("a", Some(&one), "unchanged", Some(&one)),
        ("a", Some(&two), "replaced", Some(&two)),
        ("b", None, "replaced", None),
        ("b", Some(&one), "replaced", Some(&one)),
    ] {
        let mut body = link("a", url, None);
        if let Some(digest) = digest {
            body["digest"] = digest.as_str().into();
        }
        let reply = api.post(LINKS, &body.to_string()).await;
        assert_eq!(outcome(&reply), (201, outcome_is), "{body}");
        assert_eq!(reply.json()["digest"].as_str(), kept.map(String::as_str), "{body}");

        body["name"] = "b".into();
        body["url"] = format!("https://e.com/of-release/{url}").into();
        let body = json!({ "tag_name": "v2", "assets": { "links": [body] } });
        let reply = api.post(RELEASES, &body.to_string()).await;
        assert_eq!(outcome(&reply), (201, outcome_is), "{body}");
        let shown = &reply.json()["assets"]["links"][0]["digest"];
        assert_eq!(shown.as_str(), kept.map(String::as_str), "{body}");
    }
    app.assert_sound().await;
}

#[tokio::test]
async fn the_request_wins_over_the_token_and_the_token_over_the_project() {
    let (app, _) = TestApp::hello().await;
    set_policy(&app, OnDuplicate::Replace).await;
    let strict = developer(&app, Some(OnDuplicate::Reject)).await;
    let a = link("a", "a", None);
    assert_eq!(outcome(&strict.post(LINKS, &a.to_string()).await), (201, "created"));
    let again = strict.post(LINKS, &a.to_string()).await;
    assert_eq!(again.status, 400, "{again:?}");
    let asked = strict.post(LINKS, &with(a.clone(), Some("accept"))).await;
    assert_eq!(outcome(&asked), (201, "unchanged"));
    let by_project = developer(&app, None).await.post(LINKS, &a.to_string()).await;
    assert_eq!(outcome(&by_project), (201, "unchanged"));
}

fn release(links: &[Value]) -> Value {
    json!({ "tag_name": "v2", "name": "Two", "description": "Notes", "assets": { "links": links } })
}

#[tokio::test]
async fn a_release_that_is_there_is_rejected_accepted_or_replaced() {
    let (app, api) = TestApp::hello().await;
    let first = [link("a", "1/a", Some("/bin/a")), link("b", "1/b", None)];
    let made = api.post(RELEASES, &release(&first).to_string()).await;
    assert_eq!(outcome(&made), (201, "created"));
    let exists = r#"{"message":"Release already exists"}"#;
    api.post(RELEASES, &release(&first).to_string()).await.is(409, exists);
    let changed = [link("a", "2/a", Some("/bin/a")), link("c", "2/c", None)];

    // Accepted: all that is sent is there.
    for body in [release(&first), release(&first[..1]), json!({ "tag_name": "v2" })] {
        let again = api.post(RELEASES, &with(body, Some("accept"))).await;
        again.is(201, &made.body);
        assert_eq!(outcome(&again), (201, "unchanged"));
    }
    let renamed = json!({ "tag_name": "v2", "name": "Other" });
    let later = json!({ "tag_name": "v2", "released_at": "2030-01-01T00:00:00Z" });
    let new_link = release(&[link("c", "2/c", None)]);
    for body in [release(&changed), renamed, later, new_link] {
        api.post(RELEASES, &with(body, Some("accept"))).await.is(409, exists);
    }
    api.get("/projects/20/releases/v2").await.is(200, &made.body);

    // Replaced: links that are not named stay, and so does what is not sent.
    let again = api.post(RELEASES, &with(release(&first), Some("replace"))).await;
    again.is(201, &made.body);
    assert_eq!(outcome(&again), (201, "unchanged"));
    set_policy(&app, OnDuplicate::Replace).await;
    let mut body = release(&changed);
    body["description"] = "New notes".into();
    body.as_object_mut().unwrap().remove("name");
    let replaced = api.post(RELEASES, &body.to_string()).await;
    assert_eq!(outcome(&replaced), (201, "replaced"));
    let shown = api.get("/projects/20/releases/v2").await;
    shown.is(200, &replaced.body);
    let (shown, made) = (shown.json(), made.json());
    assert_eq!((&shown["name"], &shown["description"]), (&json!("Two"), &json!("New notes")));
    for key in ["created_at", "released_at", "author", "commit"] {
        assert_eq!(shown[key], made[key], "{key}");
    }
    let links = shown["assets"]["links"].as_array().unwrap();
    let urls: Vec<_> = links.iter().map(|link| link["url"].as_str().unwrap()).collect();
    assert_eq!(urls, ["https://e.com/2/c", "https://e.com/1/b", "https://e.com/2/a"]);
    assert_eq!(links[2]["id"], made["assets"]["links"][1]["id"]);

    // Values pass from link to link in the order of the request, and nothing is half-done.
    let passed = [link("a", "3/a", Some("/bin/a")), link("old", "2/a", None)];
    let moved = api.post(RELEASES, &release(&passed).to_string()).await;
    assert_eq!(outcome(&moved), (201, "replaced"));
    let before = api.get("/projects/20/releases/v2").await;
    let mixed = [link("new", "4/new", None), link("b", "3/a", None)];
    let taken =
        "Validation failed: Links url has already been taken, Links name has already been taken";
    let refused = api.post(RELEASES, &release(&mixed).to_string()).await;
    assert_eq!((refused.status, refused.json()["message"].as_str()), (400, Some(taken)));
    api.get("/projects/20/releases/v2").await.is(200, &before.body);
    app.assert_sound().await;
}

#[tokio::test]
async fn links_of_an_immutable_release_stay_and_it_cannot_be_deleted() {
    let (app, _) = TestApp::hello().await;
    let api = app.member(AccessLevel::Maintainer).await;
    let minute = Duration::from_mins(1);
    for (tag, age) in [("old", 61 * minute), ("new", 59 * minute)] {
        set_grace(&app, None).await;
        let at = Timestamp::now().minus(age).to_string();
        app.release_at(tag, &at, &at).await;
        let links = format!("{RELEASES}/{tag}/assets/links");
        let made = api.post(&links, &link("a", "a", Some("/bin/a")).to_string()).await;
        assert_eq!(made.status, 201);
        let one = format!("{links}/{}", made.id());
        set_grace(&app, Some(Duration::from_hours(1))).await;

        let is_old = tag == "old";
        let shown = api.get(&format!("{RELEASES}/{tag}")).await.json();
        let immutable = if is_old { json!(true) } else { Value::Null };
        assert_eq!(shown["immutable"], immutable);
        let notes = json!({ "name": "Title", "description": "Notes" }).to_string();
        assert_eq!(api.put(&format!("{RELEASES}/{tag}"), &notes).await.status, 200);
        let equal = with(link("a", "a", Some("/bin/a")), Some("accept"));
        let again = api.post(&links, &equal).await;
        assert_eq!(outcome(&again), (201, "unchanged"));
        let equal = json!({ "tag_name": tag, "on_duplicate": "replace", "name": "Again",
            "assets": { "links": [link("a", "a", Some("/bin/a"))] } });
        let again = api.post(RELEASES, &equal.to_string()).await;
        assert_eq!(outcome(&again), (201, "replaced"));

        let changed = json!({ "tag_name": tag, "on_duplicate": "replace",
            "assets": { "links": [link("a", "a2", Some("/bin/a"))] } });
        let replies = [
            api.post(&links, &link("b", "b", None).to_string()).await,
            api.post(&links, &with(link("a", "a3", None), Some("replace"))).await,
            api.put(&one, r#"{"filepath":"/bin/moved","name":"a"}"#).await,
            api.post(RELEASES, &changed.to_string()).await,
            api.delete(&one).await,
            api.delete(&format!("{RELEASES}/{tag}")).await,
        ];
        for (at, reply) in replies.iter().enumerate() {
            if is_old {
                reply.is(403, IMMUTABLE);
            } else {
                assert!(matches!(reply.status, 200 | 201), "{at}: {reply:?}");
            }
        }
        let deleted = api.delete(&format!("/projects/20/repository/tags/{tag}")).await;
        if is_old {
            deleted.is(403, IMMUTABLE);
            // Rights come first.
            let reporter = app.member(AccessLevel::Reporter).await;
            let forbidden = r#"{"message":"403 Forbidden"}"#;
            reporter.post(&links, &link("b", "b", None).to_string()).await.is(403, forbidden);
            api.get(&one).await.is(200, &made.body);
        } else {
            assert_eq!(deleted.status, 204, "{deleted:?}");
            // Deleted in time: the tag is free again.
            let again = api.post(RELEASES, &json!({ "tag_name": tag }).to_string()).await;
            assert_eq!(again.status, 201);
        }
    }

    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    for path in ["/mynamespace/hello", "/mynamespace/hello/-/releases/old"] {
        let page = app.anonymous().with("accept", "text/html").get(path).await;
        let labels = page.body.matches("Immutable</span>").count();
        assert_eq!(labels, 1, "{path}: {}", page.body);
    }
    set_grace(&app, None).await;
    assert_eq!(api.delete(&format!("{RELEASES}/old")).await.status, 200);
    app.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_grace_gives_one_of_the_two_answers() {
    let (app, api) = TestApp::hello().await;
    set_grace(&app, Some(Duration::from_secs(2))).await;
    api.post(RELEASES, &json!({ "tag_name": "v2" }).to_string()).await;
    let links = format!("{RELEASES}/v2/assets/links");
    let (mut made, mut refused) = (0, 0);
    for n in 0.. {
        let body = link(&format!("n{n}"), &format!("{n}"), None).to_string();
        let reply = api.post(&links, &body).await;
        if reply.status == 201 {
            assert_eq!(refused, 0, "a link was created after the end");
            made += 1;
        } else {
            reply.is(403, IMMUTABLE);
            refused += 1;
        }
        if refused == 3 {
            break;
        }
    }
    assert!(made > 0);
    assert_eq!(app.assert_sound().await.links, made);
}

/// One link that publishers replace, a deleter deletes and readers look for, by its path.
struct Published;

#[derive(Clone, Debug)]
enum Step {
    Publish(usize),
    Delete { found: bool },
    Find(Option<usize>),
}

impl Specification for Published {
    type State = Option<usize>;
    type Operation = Step;

    fn init() -> Self::State {
        None
    }

    fn apply(step: &Step, state: &Self::State) -> (bool, Self::State) {
        match *step {
            Step::Publish(url) => (true, Some(url)),
            Step::Delete { found: true } => (state.is_some(), None),
            // The link of this number is gone: another may be there.
            Step::Delete { found: false } => (true, *state),
            Step::Find(found) => (found == *state, *state),
        }
    }
}

type Story = Arc<Mutex<Vec<(usize, Action<Step>)>>>;

const PUBLICATIONS: usize = 40;

async fn publish(api: Api, who: usize, story: Story, last_id: Arc<AtomicUsize>) {
    for n in 0..PUBLICATIONS {
        let url = who * 1_000 + n;
        let body = with(link("a", &url.to_string(), Some("/bin/a")), Some("replace"));
        story.lock().unwrap().push((who, Call(Step::Publish(url))));
        let reply = api.post(LINKS, &body).await;
        story.lock().unwrap().push((who, Response(Step::Publish(url))));
        assert_eq!(reply.status, 201, "{reply:?}");
        last_id.store(usize::try_from(reply.id()).unwrap(), Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_find_a_replaced_link_under_its_old_or_its_new_values() {
    let proxied = Proxied::hello().await;
    proxied.proxy.decide(now_and_then(10));
    let (story, last_id) = (Story::default(), Arc::new(AtomicUsize::new(0)));
    let done = Arc::new(AtomicBool::new(false));
    let mut others = JoinSet::new();
    for who in 3..6 {
        let (api, story, done, last_id) =
            (proxied.api.clone(), story.clone(), done.clone(), last_id.clone());
        others.spawn(async move {
            while !done.load(Ordering::Relaxed) {
                // One of them deletes, now and then.
                if who == 3 {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    let id = last_id.load(Ordering::Relaxed);
                    let call = Step::Delete { found: true };
                    story.lock().unwrap().push((who, Call(call)));
                    let reply = api.delete(&format!("{LINKS}/{id}")).await;
                    assert!(matches!(reply.status, 200 | 404), "{reply:?}");
                    let step = Step::Delete { found: reply.status == 200 };
                    story.lock().unwrap().push((who, Response(step)));
                    continue;
                }
                story.lock().unwrap().push((who, Call(Step::Find(None))));
                let reply = api.get("/projects/20/releases/v1.7.0/downloads/bin/a").await;
                let found = match reply.status {
                    302 => {
                        let url = reply.header("location").rsplit('/').next().unwrap();
                        Some(url.parse().unwrap())
                    }
                    404 => None,
                    _ => panic!("{reply:?}"),
                };
                story.lock().unwrap().push((who, Response(Step::Find(found))));
            }
        });
    }
    let mut publishers = JoinSet::new();
    for who in 1..3 {
        publishers.spawn(publish(proxied.api.clone(), who, story.clone(), last_id.clone()));
    }
    publishers.join_all().await;
    done.store(true, Ordering::Relaxed);
    others.join_all().await;
    proxied.proxy.decide(|_, _| Fault::Pass);

    let story = story.lock().unwrap().clone();
    println!("{} steps", story.len() / 2);
    let history = History::from_actions(story.clone());
    assert!(WGLChecker::<Published>::is_linearizable(history), "{story:#?}");
    assert!(proxied.app.assert_sound().await.links <= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_publishers_of_one_release_each_link_is_whole() {
    let proxied = Proxied::hello().await;
    proxied.proxy.decide(now_and_then(10));
    let mut publishers = JoinSet::new();
    for who in 0..2 {
        let api = proxied.api.clone();
        publishers.spawn(async move {
            for n in 0..6 {
                // Names that both have, and names of each one's own.
                let links: Vec<_> = (0..8)
                    .map(|at| {
                        let name = if at < 5 { format!("n{at}") } else { format!("w{who}-{at}") };
                        let url = format!("{who}/{n}/{name}");
                        link(&name, &url, Some(&format!("/bin/{name}")))
                    })
                    .collect();
                let body = with(release(&links), Some("replace"));
                let reply = api.post(RELEASES, &body).await;
                assert_eq!(reply.status, 201, "{reply:?}");
            }
        });
    }
    publishers.join_all().await;
    proxied.proxy.decide(|_, _| Fault::Pass);
    let links = proxied.api.get(&format!("{RELEASES}/v2/assets/links")).await.json();
    let links = links.as_array().unwrap();
    assert_eq!(links.len(), 5 + 3 + 3);
    for link in links {
        let name = link["name"].as_str().unwrap();
        let url = link["url"].as_str().unwrap();
        assert!(url.ends_with(&format!("/5/{name}")), "{link}");
        let download = link["direct_asset_url"].as_str().unwrap();
        assert!(download.ends_with(&format!("/downloads/bin/{name}")), "{link}");
    }
    proxied.app.assert_sound().await;
}

/// A request for the release again, with these links.
fn again(tag: &str, links: &[Value]) -> String {
    json!({ "tag_name": tag, "on_duplicate": "replace", "assets": { "links": links } }).to_string()
}

#[tokio::test]
async fn links_are_replaced_in_whatever_order_they_are_sent() {
    let (app, api) = TestApp::hello().await;
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let tag = format!("v{}{}{}", order[0], order[1], order[2]);
        let first = [link("a", "1", None), link("b", "2", None), link("c", "3", None)];
        assert_eq!(api.post(RELEASES, &again(&tag, &first)).await.status, 201);
        // Each needs a URL that the next one gives up.
        let moved = [link("a", "2", None), link("b", "3", None), link("c", "4", None)];
        let sent: Vec<_> = order.iter().map(|at| moved[*at].clone()).collect();
        let replaced = api.post(RELEASES, &again(&tag, &sent)).await;
        assert_eq!(outcome(&replaced), (201, "replaced"), "{order:?}: {replaced:?}");
        let shown = replaced.json();
        let urls = shown["assets"]["links"].as_array().unwrap().iter().map(|link| &link["url"]);
        let urls: Vec<_> = urls.map(|url| url.as_str().unwrap().to_owned()).collect();
        assert_eq!(urls, ["https://e.com/4", "https://e.com/3", "https://e.com/2"]);
        // Two links cannot exchange values, in no order.
        let exchanged = [link("a", "3", None), link("b", "2", None)];
        assert_eq!(api.post(RELEASES, &again(&tag, &exchanged)).await.status, 400);
    }
    app.assert_sound().await;
}

#[tokio::test]
async fn another_commit_is_not_accepted() {
    let (_app, api) = TestApp::hello().await;
    let body = |commit: &str, policy: &str| {
        let sha = commit.repeat(40);
        json!({ "tag_name": "v2", "ref": sha, "on_duplicate": policy }).to_string()
    };
    assert_eq!(api.post(RELEASES, &body("a", "accept")).await.status, 201);
    assert_eq!(outcome(&api.post(RELEASES, &body("a", "accept")).await), (201, "unchanged"));
    api.post(RELEASES, &body("b", "accept")).await.is(409, RELEASE_EXISTS);
}

#[tokio::test]
async fn several_links_are_not_replaced_shortly_before_the_end_of_the_grace() {
    let (app, api) = TestApp::hello().await;
    let created_at = Timestamp::now().minus(Duration::from_secs(57)).to_string();
    app.release_at("v2", &created_at, &created_at).await;
    let first = [link("a", "1", None), link("b", "2", None)];
    assert_eq!(api.post(RELEASES, &again("v2", &first)).await.status, 201);
    set_grace(&app, Some(Duration::from_mins(1))).await;
    // The writes could take longer than the three seconds that are left.
    let both = [link("a", "3", None), link("b", "4", None)];
    api.post(RELEASES, &again("v2", &both)).await.is(403, IMMUTABLE);
    let links = api.get(&format!("{RELEASES}/v2/assets/links")).await.json();
    assert_eq!(links[1]["url"], "https://e.com/1");
    // One is one write.
    let one = api.post(RELEASES, &again("v2", &[link("a", "3", None)])).await;
    assert_eq!(outcome(&one), (201, "replaced"));
    app.assert_sound().await;
}
