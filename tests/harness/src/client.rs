//! A client that sends exactly the given bytes and checks every response.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The headers an answer may have; one that is not listed here came in unseen.
const KNOWN_HEADERS: &[&str] = &[
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "allow",
    "cache-control",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "etag",
    "link",
    "location",
    "referrer-policy",
    "retry-after",
    "set-cookie",
    "vary",
    "www-authenticate",
    "x-checksum-sha256",
    "x-content-type-options",
    "x-frame-options",
    "x-gitlab-meta",
    "x-next-page",
    "x-page",
    "x-per-page",
    "x-prev-page",
    "x-release-links-outcome",
    "x-request-id",
    "x-total",
    "x-total-pages",
];

/// The API, as one caller uses it.
#[derive(Clone)]
pub struct Api {
    pub address: String,
    headers: Vec<(String, String)>,
    may_fail: bool,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Api {
    /// The API without a token.
    pub fn anonymous(address: &str) -> Self {
        Self { address: address.to_owned(), headers: Vec::new(), may_fail: false }
    }

    /// The same with one more header on every request.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut api = self.clone();
        api.headers.push((name.to_owned(), value.to_owned()));
        api
    }

    /// The same caller at another server.
    pub fn at(&self, address: &str) -> Self {
        Self { address: address.to_owned(), ..self.clone() }
    }

    /// The same, where an answer may be a 5xx.
    pub fn allowing_failures(&self) -> Self {
        Self { may_fail: true, ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "", b"").await
    }

    pub async fn head(&self, path: &str) -> Reply {
        self.send("HEAD", path, "", b"").await
    }

    /// Goes where a redirect leads, which has to be this server.
    pub async fn follow(&self, reply: &Reply) -> Reply {
        let location = reply.header("location");
        let path = location.strip_prefix(&format!("http://{}", self.address)).unwrap_or(location);
        assert!(path.starts_with('/') && !path.starts_with("//"), "{location}");
        self.get(path).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, "", b"").await
    }

    /// POSTs JSON.
    pub async fn post(&self, path: &str, body: &str) -> Reply {
        self.send("POST", path, "application/json", body.as_bytes()).await
    }

    /// POSTs JSON: sends all of the request but its last byte, and that when `moment` has come.
    pub async fn post_when<T>(
        &self,
        path: &str,
        body: &str,
        moment: impl Future<Output = T>,
    ) -> Reply {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let mut head = format!(
            "POST /api/v4{path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n",
            self.address,
            body.len()
        );
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let (start, end) = body.split_at(body.len() - 1);
        stream.write_all(format!("{head}\r\n{start}").as_bytes()).await.unwrap();
        // The server has read the head by the time it is asked to stop.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        moment.await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        stream.write_all(end.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        Reply {
            status: status.unwrap_or_else(|| panic!("no answer: {answer}")),
            headers: HeaderMap::new(),
            body: body.to_owned(),
        }
    }

    /// PUTs JSON.
    pub async fn put(&self, path: &str, body: &str) -> Reply {
        self.send("PUT", path, "application/json", body.as_bytes()).await
    }

    /// Sends a request; `path` goes out as it is, below `/api/v4` unless it says otherwise.
    pub async fn send(&self, method: &str, path: &str, content_type: &str, body: &[u8]) -> Reply {
        let (path, request) = self.request(method, path, content_type, body);
        let reply = exchange(&self.address, request).await.unwrap();
        reply.check(method, &path, self.may_fail);
        reply
    }

    /// Sends a request with JSON to a server that may end. `None` if it did not respond.
    pub async fn attempt(&self, method: &str, path: &str, body: &str) -> Option<Reply> {
        let (path, request) = self.request(method, path, "application/json", body.as_bytes());
        let reply = exchange(&self.address, request).await.ok()?;
        reply.check(method, &path, self.may_fail);
        Some(reply)
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> (String, Request<Full<Bytes>>) {
        let path =
            if path.starts_with("/projects") { format!("/api/v4{path}") } else { path.to_owned() };
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(&path)
            .header("host", &self.address)
            .body(Full::new(Bytes::copy_from_slice(body)))
            .unwrap();
        if !content_type.is_empty() {
            request
                .headers_mut()
                .insert("content-type", HeaderValue::from_str(content_type).unwrap());
        }
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        (path, request)
    }
}

type NoAnswer = Box<dyn std::error::Error + Send + Sync>;

async fn exchange(address: &str, request: Request<Full<Bytes>>) -> Result<Reply, NoAnswer> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    drop(sender);
    connection.await??;
    Ok(Reply {
        status: head.status.as_u16(),
        headers: head.headers,
        body: String::from_utf8(body.to_vec())?,
    })
}

impl Reply {
    /// Asserts the rules of every response.
    fn check(&self, method: &str, path: &str, may_fail: bool) {
        let said = format!("{method} {path}: {self:?}");
        for name in self.headers.keys() {
            assert!(KNOWN_HEADERS.contains(&name.as_str()), "{name} is new: {said}");
        }
        assert!(self.headers.values().all(|value| value.len() <= 8_192), "too long: {said}");
        let status = StatusCode::from_u16(self.status).unwrap();
        assert!(may_fail || !status.is_server_error(), "{said}");
        let is_gateways = !self.headers.contains_key("x-request-id");
        assert!(!is_gateways || matches!(self.status, 400 | 403 | 413 | 414), "{said}");
        if !is_gateways {
            assert_eq!(
                self.header("x-gitlab-meta"),
                format!(r#"{{"correlation_id":"{}","version":"1"}}"#, self.header("x-request-id"))
            );
            assert_eq!(self.header("x-frame-options"), "SAMEORIGIN", "{said}");
            assert_eq!(self.header("x-content-type-options"), "nosniff", "{said}");
            let is_page = self.is_page();
            let vary = if is_page { "Cookie, Origin" } else { "Origin" };
            assert_eq!(self.header("vary"), vary, "{said}");
            let policy = self.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'"), "{said}");
            assert!(is_page || policy == "default-src 'none'", "{said}");
            let holds: &[&str] = match self.status {
                _ if is_page => &["public, max-age=60", "private, no-store"],
                _ if path.starts_with("/-/") && self.status != 303 => &["no-store", "no-cache"],
                303 => &["private, no-store"],
                200 | 304 if path == "/openapi.json" => &["public, max-age=60"],
                200 | 201 | 304 => &["max-age=0, private, must-revalidate"],
                302 => &["public, max-age=60", "private, no-store"],
                _ => &["no-cache"],
            };
            assert!(holds.contains(&self.header("cache-control")), "{said}");
        }
        // A header that was split leaves one more of some name.
        assert_eq!(self.headers.keys().count(), self.headers.len(), "{said}");
        let redirects = matches!(self.status, 302 | 303);
        assert_eq!(self.headers.contains_key("location"), redirects, "{said}");
        let is_json = !self.is_page() && self.body != "GitLab OK";
        if is_json && !self.body.is_empty() && self.body != "Bad Request" {
            let content_type = if redirects { "text/plain" } else { "application/json" };
            assert_eq!(self.header("content-type"), content_type, "{said}");
            assert!(serde_json::from_str::<serde_json::Value>(&self.body).is_ok(), "{said}");
        }
        if redirects {
            let location = self.header("location");
            assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{said}");
            let words = format!("This resource has been moved temporarily to {location}.");
            assert!(method == "HEAD" || self.json() == words, "{said}");
        }
        assert!(method != "HEAD" || self.body.is_empty(), "{said}");
    }

    /// Whether it is HTML, a feed, an image or the digests of a release.
    fn is_page(&self) -> bool {
        let content_type = self.headers.get("content-type").map(HeaderValue::as_bytes);
        content_type.is_some_and(|content_type| {
            ["text/html; charset", "application/atom+xml", "image/svg+xml", "text/plain; charset"]
                .iter()
                .any(|page| content_type.starts_with(page.as_bytes()))
        })
    }

    /// Asserts a redirect, and where it leads.
    #[track_caller]
    pub fn leads_to(&self, location: &str) {
        assert_eq!(self.status, 302, "{self:?}");
        assert_eq!(self.header("location"), location);
    }

    /// A header's text; an answer without it fails the test.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}")).to_str().unwrap()
    }

    /// Asserts the status and the whole body.
    #[track_caller]
    pub fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body));
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The number of the link in the body.
    #[track_caller]
    pub fn id(&self) -> u64 {
        self.json()["id"].as_u64().unwrap_or_else(|| panic!("no id: {self:?}"))
    }

    /// The names of the links in the body, in order.
    pub fn names(&self) -> Vec<String> {
        let json = self.json();
        let links = json.as_array().unwrap_or_else(|| panic!("no list: {self:?}"));
        links.iter().map(|link| link["name"].as_str().unwrap().to_owned()).collect()
    }
}
