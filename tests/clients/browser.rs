//! A real browser whose page, of another origin, tries to use the local server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{file, install, read};
use harness::test_app::RELEASES;
use harness::{TestApp, connection};

/// A name that the browser resolves to this machine, as after DNS rebinding.
const REBOUND: &str = "rebound.example";

/// A running browser; it ends with this value.
struct Browser {
    child: Child,
    _profile: TempDir,
}

impl Browser {
    fn open(url: &str) -> Self {
        let profile = TempDir::new().unwrap();
        let child = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--disable-dev-shm-usage", "--no-proxy-server"])
            .arg(format!("--host-resolver-rules=MAP {REBOUND} 127.0.0.1"))
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, _profile: profile }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A web server with one page, which sends what it found to `/report`. Every other path lets pages
/// of all origins in.
fn serve(listener: TcpListener, page: String) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (page, sender) = (page.clone(), sender.clone());
            std::thread::spawn(move || {
                // A connection that the browser opens ahead may carry no request.
                let _ = answer(&stream.unwrap(), &page, &sender);
            });
        }
    });
    receiver
}

fn answer(stream: &TcpStream, page: &str, reports: &Sender<Value>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    reader.read_line(&mut request)?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (allowed, answer) = match request.split(' ').nth(1) {
        Some("/") => ("", page),
        Some("/report") => {
            let _ = reports.send(serde_json::from_slice(&body).unwrap());
            ("", "")
        }
        _ => (
            "access-control-allow-origin: *\r\naccess-control-allow-headers: authorization, \
             content-type, x-amz-date, x-amz-target\r\n",
            "readable",
        ),
    };
    let length = answer.len();
    let head = format!("content-type: text/html\r\ncontent-length: {length}\r\n{allowed}");
    (&mut &*stream)
        .write_all(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{head}\r\n{answer}").as_bytes())
}

/// The outcomes of the attempts of a page at this host, which uses that name for all servers.
fn outcomes(app: &TestApp, host: &str) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let control = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = |port: &str| format!("http://{host}:{port}");
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port().to_string();
    let port_of = |url: &str| url.rsplit_once(':').unwrap().1.to_owned();
    let page = read(&file("browser.html"))
        .replace("{{database}}", &at(&port_of(&app.server.dynamodb_url)))
        .replace("{{api}}", &at(&port_of(&app.server.address)))
        .replace("{{control}}", &at(&format!("{}/control", port(&control))))
        .replace("{{key}}", &connection::of(&app.server.dynamodb_url).access_key_id);
    let url = at(&port(&listener));
    let reports = serve(listener, page);
    let _control = serve(control, String::new());
    let _browser = Browser::open(&url);
    reports.recv_timeout(Duration::from_mins(2)).expect("the page does not report")
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_can_neither_read_nor_write_the_local_servers_data() {
    install::require("chromium", &["--version"]);
    let (app, api) = TestApp::hello().await;
    let before = (api.get(RELEASES).await.json(), items(&app).await);
    // The page even knows the key: its browser gives it away by what it adds.
    let nothing = json!({
        "control": "cors 200 readable",
        "get": "blocked",
        "get without CORS": "opaque 0",
        "simple post": "blocked",
        "post without CORS": "opaque 0",
        "signed scan": "blocked",
        "signed put": "blocked",
        "API read": r#"cors 404 {"message":"404 Project Not Found"}"#,
        "API write": r#"cors 404 {"message":"404 Project Not Found"}"#,
        "API write without CORS": "opaque 0",
    });
    // The API lets pages read what anyone may read, as GitLab does.
    assert_eq!(outcomes(&app, "127.0.0.1"), nothing);
    // By a rebound name not even that.
    let mut rebound = nothing;
    for attempt in ["API read", "API write"] {
        rebound[attempt] = json!("blocked");
    }
    assert_eq!(outcomes(&app, REBOUND), rebound);
    assert_eq!((api.get(RELEASES).await.json(), items(&app).await), before);
}

/// How many items the directory has.
async fn items(app: &TestApp) -> Value {
    let count = json!({ "TableName": "release-links-directory", "Select": "COUNT" });
    let url = &app.server.dynamodb_url;
    harness::proxy::ask(url, "DynamoDB_20120810.Scan", &count).await.1["Count"].take()
}
