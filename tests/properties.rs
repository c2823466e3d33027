//! Properties, tested with random values.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use shared::routes::{Function, ROUTES, Route, Verb};

use harness::test_app::{LINKS, RELEASES, TestApp};

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

/// Sends bytes and reads the status and the body of the answer, if there is one.
fn raw_answer(address: &str, request: &[u8]) -> Option<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // A server that has had enough may close before all is sent.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let status = answer.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    let status = std::str::from_utf8(status).unwrap().parse().unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    Some((status, answer.split_off(end + 4)))
}

/// Bytes that do not end the part of a request they stand in.
fn bytes(without: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let likely = prop_oneof![
        Just(b"%".to_vec()),
        Just(b"%2F".to_vec()),
        Just(b"%00".to_vec()),
        Just(b"%FF".to_vec()),
        Just(b"..".to_vec()),
        Just(b"[]".to_vec()),
        Just(b"[a]".to_vec()),
        Just(b"&".to_vec()),
        Just(b"=".to_vec()),
        Just(b"/".to_vec()),
        Just(b"\xc3".to_vec()),
        Just("é".as_bytes().to_vec()),
        Just(b"{\"name\":".to_vec()),
        Just(b"\"\\u0000\"".to_vec()),
        Just(b"page".to_vec()),
        Just(b"private_token".to_vec()),
        Just(b"glpat-".to_vec()),
        Just(b"?".to_vec()),
        Just(b"#".to_vec()),
    ];
    let any = proptest::collection::vec(any::<u8>(), 0..12);
    proptest::collection::vec(prop_oneof![likely, any], 0..8)
        .prop_map(|parts| parts.concat())
        .prop_map(|mut bytes| {
            bytes.retain(|byte| !without.contains(byte));
            bytes
        })
}

/// Any method, and bytes behind the beginning of a path that there is.
fn anywhere() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let methods =
        prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);
    let places = prop::sample::select(vec![
        "/",
        "/api/v4",
        "/api/v4/projects/",
        "/api/v4/projects/20/releases",
        "/api/v4/projects/20/releases/",
        "/api/v4/projects/20/releases/v1.7.0/assets/links",
        "/api/v4/projects/20/releases/v1.7.0/assets/links/",
        "/api/v4/projects/20/releases/v1.7.0/downloads/",
        "/api/v4/projects/20/releases/permalink/latest/",
        "/api/v4/projects/20/repository/tags/",
        "/api/v4/projects/20/repository/commits/",
        "/api/v4/projects/20/repository/branches/",
        "/api/v4/projects/20/members/all/",
        "/mynamespace/hello/-/releases/",
        "/mynamespace/hello/-/releases/permalink/latest",
    ]);
    (methods, places, bytes(b" \r\n#?"))
        .prop_map(|(method, place, rest)| (method, [place.as_bytes(), &rest].concat()))
}

/// A route with what there is in the place of its parameters, or with bytes.
fn on_a_route() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let routes: Vec<Route> =
        ROUTES.iter().copied().filter(|route| route.verb != Verb::Any).collect();
    let instead = proptest::option::weighted(0.25, bytes(b" \r\n#?"));
    (prop::sample::select(routes), prop::array::uniform3(instead)).prop_map(|(route, instead)| {
        let mut instead = instead.into_iter();
        let mut path = Vec::new();
        for segment in route.path.split('/').skip(1) {
            path.push(b'/');
            if !segment.starts_with('{') {
                path.extend(segment.as_bytes());
            } else if let Some(bytes) = instead.next().unwrap() {
                path.extend(bytes);
            } else {
                path.extend(there(route.function, segment).as_bytes());
            }
        }
        (route.verb.as_str(), path)
    })
}

/// What there is of a parameter's kind. Only what requests of the run made is deleted, so that
/// others find the release and its first link until the end.
fn there(function: Function, parameter: &str) -> &'static str {
    match (parameter, function) {
        ("{id}", _) => "20",
        ("{tag_name}", Function::DeleteRelease | Function::DeleteTag) => "v9",
        ("{tag_name}", _) => "v1.7.0",
        ("{link_id}", Function::DeleteLink) => "2",
        ("{link_id}" | "{user_id}", _) => "1",
        ("{sha}", _) => "da39a3ee",
        ("{branch}", _) => "main",
        ("{direct_asset_path+}", _) => "bin/a",
        ("{suffix_path+}", _) => "downloads/bin/a",
        (new, _) => panic!("{new} is new"),
    }
}

/// A request with arbitrary bytes in its path, query, headers and body.
#[derive(Clone, Debug)]
struct Fuzzed {
    method: &'static str,
    path: Vec<u8>,
    query: Vec<u8>,
    header: &'static str,
    value: Vec<u8>,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Fuzzed {
    fn any() -> impl Strategy<Value = Self> {
        let target = prop_oneof![1 => anywhere(), 2 => on_a_route()];
        let query = prop_oneof![Just(Vec::new()), bytes(b" \r\n#")];
        let headers = prop::sample::select(vec![
            "private-token",
            "authorization",
            "job-token",
            "accept",
            "origin",
            "host",
            "if-none-match",
            "x-forwarded-proto",
            "content-type",
        ]);
        let types = prop::sample::select(vec![
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/plain",
        ]);
        let known = prop::sample::select(vec![
            r#"{"tag_name":"v9","name":"a","url":"https://e.com/a"}"#,
            r#"{"tag_name":"..","name":"","url":"ftp://e.com/a"}"#,
        ]);
        let known = known.prop_map(|body| ("application/json", body.as_bytes().to_vec()));
        let payload = prop_oneof![(types, bytes(b"")), known];
        let is_carried = prop::bool::weighted(0.75);
        let parts = (target, query, headers, bytes(b"\r\n\0"), payload, is_carried);
        parts.prop_map(|(target, query, header, value, payload, is_carried)| {
            let ((method, path), (content_type, body)) = (target, payload);
            let fuzzed = Self { method, path, query, header, value, content_type, body };
            if is_carried { fuzzed.carried() } else { fuzzed }
        })
    }

    /// As HTTP carries it: the server's parser refuses most bytes otherwise, and what they mean is
    /// never asked.
    fn carried(mut self) -> Self {
        for part in [&mut self.path, &mut self.query] {
            let encode = |byte: &u8| match byte {
                b'!'..=b'~' => vec![*byte],
                _ => format!("%{byte:02X}").into_bytes(),
            };
            *part = part.iter().flat_map(encode).collect();
        }
        self.value.retain(|byte| !byte.is_ascii_control());
        self
    }

    /// The request as it is sent, with these headers as well.
    fn with(&self, headers: &str) -> Vec<u8> {
        let Self { method, path, query, header, value, content_type, body } = self;
        let mut request = format!("{method} ").into_bytes();
        request.extend(path);
        request.push(b'?');
        request.extend(query);
        request.extend(b" HTTP/1.1\r\n");
        if *header != "host" {
            request.extend(b"host: 127.0.0.1\r\n");
        }
        if *header != "content-type" {
            request.extend(format!("content-type: {content_type}\r\n").into_bytes());
        }
        request.extend(headers.as_bytes());
        request.extend(format!("{header}: ").into_bytes());
        request.extend(value);
        let length = body.len();
        let rest = format!("\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        request.extend(rest.into_bytes());
        request.extend(body);
        request
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bytes_anywhere_in_a_request_make_the_server_fail() {
    let (app, api) = TestApp::hello().await;
    let address = app.server.address.clone();
    let token = app.developers_token().await;
    let link = r#"{"name":"b","url":"https://e.com/b","filepath":"/bin/a"}"#;
    assert_eq!(api.post(LINKS, link).await.id(), 1);
    tokio::task::spawn_blocking(move || {
        let token = format!("private-token: {}\r\n", token.reveal());
        let behind = RefCell::new(BTreeMap::new());
        runner(3000)
            .run(&(Fuzzed::any(), any::<bool>()), |(fuzzed, is_developer)| {
                let request = fuzzed.with(if is_developer { &token } else { "" });
                let answer = raw_answer(&address, &request);
                let Some((status @ ..500, _)) = answer else {
                    let request = String::from_utf8_lossy(&request);
                    return Err(TestCaseError::fail(format!("{answer:?} {request}")));
                };
                // A different response to a stranger comes from after the authorization.
                if is_developer
                    && matches!(status, 200 | 201 | 302 | 400 | 404 | 409)
                    && raw_answer(&address, &fuzzed.with("")) != answer
                {
                    *behind.borrow_mut().entry(status).or_insert(0) += 1;
                }
                Ok(())
            })
            .unwrap();
        let behind = behind.into_inner();
        println!("answers from behind the rights: {behind:?}");
        // Or no more than a stranger's reach would have been tried.
        let (done, refused) = (behind.range(..300), behind.range(400..));
        assert!(done.map(|(_, count)| count).sum::<u32>() > 10, "{behind:?}");
        assert!(refused.map(|(_, count)| count).sum::<u32>() > 10, "{behind:?}");
    })
    .await
    .unwrap();
    assert_eq!(api.get(LINKS).await.status, 200);
    assert!(!app.server.output().contains("panicked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_values_survive_the_store_and_the_wire() {
    let (app, api) = TestApp::hello().await;
    let handle = tokio::runtime::Handle::current();
    let caller = api.clone();
    tokio::task::spawn_blocking(move || {
        let name = "\\PC{1,40}|[ -~]{1,255}|[\\t\\n é日🦀\"\\\\]{1,20}x";
        let rest = "[ -~é日🦀]{0,60}";
        let path = proptest::option::of("/[a-zé@%][-._A-Za-z0-9]{0,40}[A-Za-z0-9]{2}");
        let link_type = prop::sample::select(vec!["other", "runbook", "image", "package"]);
        let mut number = 0;
        let cases = (name, rest, path, link_type);
        let seen = RefCell::new((0, 0));
        runner(250)
            .run(&cases, |(name, rest, path, link_type)| {
                let unique = handle.block_on(async { caller.get(LINKS).await.names().len() });
                let url = format!("https://e.com/{unique}/{rest}");
                let mut sent = json!({ "name": name, "url": url, "link_type": link_type });
                if let Some(path) = &path {
                    sent["direct_asset_path"] = json!(path);
                }
                let made = handle.block_on(caller.post(LINKS, &sent.to_string()));
                if made.status == 400 {
                    seen.borrow_mut().0 += 1;
                    return Ok(());
                }
                prop_assert_eq!(made.status, 201);
                seen.borrow_mut().1 += 1;
                let got = made.json();
                prop_assert_eq!(got["name"].as_str(), Some(name.as_str()));
                prop_assert_eq!(got["url"].as_str(), Some(url.trim()));
                prop_assert_eq!(got["link_type"].as_str(), Some(link_type));
                let link = format!("{LINKS}/{}", made.id());
                let again = handle.block_on(caller.get(&link));
                prop_assert_eq!(&again.body, &made.body);
                let listed = handle.block_on(caller.get(LINKS)).json();
                prop_assert_eq!(&listed[0], &got);
                let gone = handle.block_on(caller.delete(&link));
                prop_assert_eq!(&gone.body, &made.body);
                Ok(())
            })
            .unwrap();
        number += seen.borrow().1;
        assert!(number > 100, "{:?}", seen.borrow());
    })
    .await
    .unwrap();
    assert_eq!(app.assert_sound().await.claims, 0);
}

/// As many times as a body has room for.
fn filled(before: &str, part: &str, between: &str, after: &str) -> String {
    let room = 1024 * 1024 - before.len() - after.len();
    let parts = vec![part; room / (part.len() + between.len())];
    format!("{before}{}{after}", parts.join(between))
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_full_of_mistakes_are_answered_soon_and_briefly() {
    let (_world, api) = TestApp::hello().await;
    let (json, form) = ("application/json", "application/x-www-form-urlencoded");
    let links = r#"{"tag_name":"v9","assets":{"links":["#;
    let link_type = "tag_name=v9&assets[links][][name]=a&assets[links][][url]=http://a&\
                     assets[links][][link_type]=";
    for (content_type, body) in [
        (json, filled(links, "{}", ",", "]}}")),
        (json, filled(links, r#"{"name":[],"url":[]}"#, ",", "]}}")),
        (json, filled(links, r#"{"name":"a","url":"http://a"}"#, ",", "]}}")),
        (json, filled(r#"{"tag_name":"v9","milestones":["#, "[]", ",", "]}")),
        (json, filled(r#"{"tag_name":"v9","milestones":["#, "\"a\"", ",", "]}")),
        (json, filled(r#"{"tag_name":"v9","milestone_ids":["#, "-9", ",", "]}")),
        (form, filled("tag_name=v9&", "milestones[]=,a", "&", "")),
        (form, filled("tag_name=v9&milestones=", "\u{1}", "", "")),
        (form, filled("tag_name=v9&milestones=", ",\"", "", "")),
        (form, filled("tag_name=", "\u{1}", "", "")),
        (form, filled("tag_name=v9&name=", "\u{1}", "", "")),
        (form, filled("tag_name=v9&description=", "\u{1}", "", "")),
        (form, filled("tag_name=v9&", "assets[links][][link_type]=\u{1}", "&", "")),
        (form, filled(link_type, "\u{1}", "", "")),
    ] {
        let started = Instant::now();
        let reply = api.send("POST", RELEASES, content_type, body.as_bytes()).await;
        let (shown, took) = (&body[..body.len().min(120)], started.elapsed());
        assert_eq!(reply.status, 400, "{shown}");
        assert!(took < Duration::from_secs(20), "{took:?} {shown}");
        // As a function hands it on: inside a JSON string.
        let sent = serde_json::to_string(&reply.body).unwrap().len();
        assert!(sent < 5 * 1024 * 1024, "{sent} {shown}");
    }
}
