//! Requests that two readers could take for different ones: each is refused or is one request, and
//! what hides in it is never carried out.

use std::collections::HashSet;
use std::time::Duration;

use harness::Api;
use harness::test_app::{LINKS, TestApp};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Error;

/// How long an answer may take after the last byte of a request. A connection that is left open to
/// wait for more is closed from here.
const PATIENCE: Duration = Duration::from_millis(1500);

/// A request of a certain shape.
type Shape = (&'static str, Read, String);

/// How it is to be read by who keeps to HTTP/1.1.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    /// Not at all.
    Bad,
    /// As one request, or not at all.
    Open,
}

pub(crate) struct Smuggled {
    pub(crate) refused: usize,
    pub(crate) answered_once: usize,
    pub(crate) missed: Vec<String>,
}

impl Smuggled {
    pub(crate) fn shapes(&self) -> usize {
        self.refused + self.answered_once + self.missed.len()
    }
}

struct Writer {
    address: String,
    token: String,
    number: usize,
}

impl Writer {
    fn name(&self, name: &str) -> String {
        format!("{name} {}", self.number)
    }

    fn body(&self, name: &str) -> String {
        let name = self.name(name);
        let url = format!("https://e.com/{}", name.replace(' ', "/"));
        json!({ "name": name, "url": url }).to_string()
    }

    /// A request that makes the link of this name, whole.
    fn whole(&self, name: &str) -> String {
        let body = self.body(name);
        format!("{}content-length: {}\r\n\r\n{body}", self.head("POST"), body.len())
    }

    /// The head of a request, but for what says how long its body is.
    fn head(&self, method: &str) -> String {
        self.head_to(method, &format!("/api/v4{LINKS}"), "HTTP/1.1")
    }

    fn head_to(&self, method: &str, target: &str, version: &str) -> String {
        format!(
            "{method} {target} {version}\r\nhost: {}\r\nprivate-token: {}\r\n\
             content-type: application/json\r\n",
            self.address, self.token
        )
    }
}

/// The shape of this number; in each, `hidden` is a request that must not be carried out.
#[expect(clippy::too_many_lines, reason = "a list")]
fn shape(number: usize, writer: &Writer) -> Option<Shape> {
    let hidden = writer.whole("hidden");
    let body = writer.body("seen");
    let post = writer.head("POST");
    let length = body.len();
    let chunk = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    let get = writer.head("GET");
    let (both, before) = (chunk.len() + hidden.len(), chunk.len());
    let shapes: [Shape; 31] = [
        (
            "Content-Length over everything, chunked before the hidden request",
            Read::Open,
            format!(
                "{post}content-length: {both}\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{hidden}"
            ),
        ),
        (
            "the same, chunked first",
            Read::Open,
            format!(
                "{post}transfer-encoding: chunked\r\ncontent-length: {both}\r\n\r\n{chunk}{hidden}"
            ),
        ),
        (
            "Content-Length before the hidden request, chunked over it",
            Read::Open,
            format!(
                "{post}content-length: {before}\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{hidden}"
            ),
        ),
        (
            "no body by Content-Length, chunked by the other",
            Read::Open,
            format!(
                "{post}content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
            ),
        ),
        (
            "two lengths, the longer last",
            Read::Bad,
            format!(
                "{post}content-length: {length}\r\ncontent-length: {}\r\n\r\n{body}{hidden}",
                length + hidden.len()
            ),
        ),
        (
            "two lengths, the shorter last",
            Read::Bad,
            format!(
                "{post}content-length: {}\r\ncontent-length: {length}\r\n\r\n{body}{hidden}",
                length + hidden.len()
            ),
        ),
        (
            "a list of lengths",
            Read::Bad,
            format!(
                "{post}content-length: {length}, {}\r\n\r\n{body}{hidden}",
                length + hidden.len()
            ),
        ),
        (
            "a length with a sign",
            Read::Bad,
            format!("{post}content-length: +{length}\r\n\r\n{body}{hidden}"),
        ),
        ("a negative length", Read::Bad, format!("{post}content-length: -1\r\n\r\n{body}{hidden}")),
        (
            "a length in hexadecimal",
            Read::Bad,
            format!("{post}content-length: 0x{length:x}\r\n\r\n{body}{hidden}"),
        ),
        (
            "a length beyond all numbers",
            Read::Bad,
            format!("{post}content-length: 18446744073709551617\r\n\r\n{body}{hidden}"),
        ),
        (
            "a folded header",
            Read::Bad,
            format!("{post}x-a: b\r\n content-length: 0\r\ncontent-length: {length}\r\n\r\n{body}"),
        ),
        (
            "a folded Transfer-Encoding",
            Read::Bad,
            format!("{post}transfer-encoding:\r\n chunked\r\n\r\n{chunk}{hidden}"),
        ),
        (
            "lines that end in LF, the hidden request in the body",
            Read::Open,
            format!(
                "{}content-length: {}\n\n{body}{hidden}",
                post.replace("\r\n", "\n"),
                length + hidden.len()
            ),
        ),
        (
            "an LF inside a value",
            Read::Open,
            format!(
                "{post}x-a: b\ncontent-length: {}\r\n\r\n{body}{hidden}",
                length + hidden.len()
            ),
        ),
        (
            "a CR inside a value",
            Read::Bad,
            format!("{post}x-a: b\rcontent-length: 0\r\ncontent-length: {length}\r\n\r\n{body}"),
        ),
        (
            "a NUL inside a value",
            Read::Bad,
            format!("{post}x-a: b\0c\r\ncontent-length: {length}\r\n\r\n{body}"),
        ),
        (
            "a chunk whose size is no number",
            Read::Bad,
            format!("{post}transfer-encoding: chunked\r\n\r\nzz\r\n{body}\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "a chunk of a negative size",
            Read::Bad,
            format!("{post}transfer-encoding: chunked\r\n\r\n-1\r\n{body}\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "a chunk whose size overflows",
            Read::Bad,
            format!(
                "{post}transfer-encoding: chunked\r\n\r\n1{length:016x}\r\n{body}\r\n0\r\n\r\n{hidden}"
            ),
        ),
        (
            "a chunk longer than it says",
            Read::Bad,
            format!(
                "{post}transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n{hidden}",
                length - 2
            ),
        ),
        (
            "a body longer than it says",
            Read::Bad,
            format!("{post}content-length: {}\r\n\r\n{body}\r\n{hidden}", length - 2),
        ),
        (
            "a body shorter than it says",
            Read::Open,
            format!("{post}content-length: {}\r\n\r\n{body}{hidden}", length + hidden.len() + 10),
        ),
        (
            "chunked in HTTP/1.0",
            Read::Bad,
            format!(
                "{}transfer-encoding: chunked\r\n\r\n{chunk}{hidden}",
                writer.head_to("POST", &format!("/api/v4{LINKS}"), "HTTP/1.0")
            ),
        ),
        (
            "the whole URL, of another host",
            Read::Open,
            format!(
                "{}content-length: {}\r\n\r\n{hidden}",
                writer.head_to("GET", &format!("http://other.example/api/v4{LINKS}"), "HTTP/1.1"),
                hidden.len()
            ),
        ),
        (
            "an encoding like chunked",
            Read::Bad,
            format!("{post}transfer-encoding: xchunked\r\n\r\n{chunk}{hidden}"),
        ),
        (
            "chunked and something after it",
            Read::Bad,
            format!("{post}transfer-encoding: chunked, identity\r\n\r\n{chunk}{hidden}"),
        ),
        (
            "a space before the colon",
            Read::Bad,
            format!("{post}content-length : {}\r\n\r\n{hidden}", hidden.len()),
        ),
        (
            "a space before the colon of Transfer-Encoding",
            Read::Bad,
            format!(
                "{post}content-length: {both}\r\ntransfer-encoding : chunked\r\n\r\n{chunk}{hidden}"
            ),
        ),
        (
            "a request in the body of a GET",
            Read::Open,
            format!("{get}content-length: {}\r\n\r\n{hidden}", hidden.len()),
        ),
        (
            "a request in the body of another",
            Read::Open,
            format!("{post}content-length: {}\r\n\r\n{body}{hidden}", length + hidden.len()),
        ),
    ];
    shapes.into_iter().nth(number)
}

/// Sends every shape, each on a connection of its own.
pub(crate) async fn smuggle(app: &TestApp, developer: &Api) -> Result<Smuggled, Error> {
    let token = app.developers_token().await.reveal().to_owned();
    in_the_open(app, &token, developer).await?;
    let mut sent = JoinSet::new();
    for number in 0.. {
        let address = app.server.address.clone();
        let writer = Writer { address, token: token.clone(), number };
        let Some((name, read, text)) = shape(number, &writer) else { break };
        let developer = developer.clone();
        sent.spawn(async move {
            let answers = answers(&writer.address, text.as_bytes()).await?;
            let is_well = developer.get(LINKS).await.status == 200;
            Ok::<_, Error>((number, name, read, answers, is_well))
        });
    }
    let sent = sent.join_all().await;
    let links = names(developer).await;
    let mut smuggled = Smuggled { refused: 0, answered_once: 0, missed: Vec::new() };
    for one in sent {
        let (number, name, read, answers, is_well) = one?;
        // How many it was taken for: whatever else is on the connection is refused.
        let requests = answers.iter().filter(|status| **status != 400).count();
        let is_there = |name: &str| links.contains(&format!("{name} {number}"));
        let problem = if is_there("hidden") {
            Some("its hidden request is carried out")
        } else if requests > 1 {
            Some("it is answered as several requests")
        } else if read == Read::Bad && requests > 0 && answers.last() != Some(&400) {
            Some("it is answered though it is no request")
        } else if is_there("seen") && requests == 0 {
            Some("it is refused and carried out")
        } else if !is_well {
            Some("nothing is answered after it")
        } else {
            None
        };
        match problem {
            Some(problem) => smuggled.missed.push(format!("{name}: {problem} ({answers:?})")),
            None if requests == 0 => smuggled.refused += 1,
            None => smuggled.answered_once += 1,
        }
    }
    Ok(smuggled)
}

/// The hidden request, sent in the open behind the other: were it none that is carried out, hiding
/// it would prove nothing.
async fn in_the_open(app: &TestApp, token: &str, developer: &Api) -> Result<(), Error> {
    let address = app.server.address.clone();
    let writer = Writer { address, token: token.to_owned(), number: usize::MAX };
    let both = format!("{}{}", writer.whole("seen"), writer.whole("hidden"));
    let statuses = answers(&writer.address, both.as_bytes()).await?;
    let links = names(developer).await;
    let are_there = ["seen", "hidden"].iter().all(|name| links.contains(&writer.name(name)));
    if statuses == [201, 201] && are_there {
        Ok(())
    } else {
        Err(format!("two requests in the open are answered {statuses:?}").into())
    }
}

/// The names of all links.
async fn names(developer: &Api) -> HashSet<String> {
    let mut all = HashSet::new();
    for page in 1.. {
        let names = developer.get(&format!("{LINKS}?per_page=100&page={page}")).await.names();
        if names.is_empty() {
            break;
        }
        all.extend(names);
    }
    all
}

/// Sends bytes as they are; the statuses of all that is answered until the server is silent.
async fn answers(address: &str, bytes: &[u8]) -> Result<Vec<u16>, Error> {
    let mut stream = TcpStream::connect(address).await?;
    // A server that refuses early may have closed before the last byte.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(Ok(read @ 1..)) = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await {
        answer.extend_from_slice(&buffer[..read]);
    }
    let text = String::from_utf8_lossy(&answer);
    let statuses = text.split("HTTP/1.").skip(1).filter_map(|rest| rest.get(2..5)?.parse().ok());
    Ok(statuses.collect())
}
