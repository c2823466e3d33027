//! Those that are measured, each with a database of its own and the same to do.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::Server;
use harness::proxy::Proxy;
use serde_json::Value;
use shared::domain::link::LinkId;
use shared::domain::project::ProjectId;
use shared::domain::release::{NewLinks, Release};
use tokio::task::JoinSet;

use super::connection::Connection;
use super::operation::{Operation, Request, Subject};
use crate::ground::Ground;
use crate::pool::Pool;
use crate::{Error, binaries, event, process};

const PROJECT: ProjectId = ProjectId(20);
/// A release is listed so many times for each time that each of its links is read.
const LISTS: usize = 10;
/// More processes of one function than this only wait for each other's processor.
const MOST_PROCESSES: usize = 8;
/// A function's process takes numbers for so many links at once.
const NUMBERS_AT_ONCE: usize = 16;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The functions as they are deployed.
    Functions,
    /// The function that only asks the database the same.
    Floor,
    /// The local server, over HTTP, built as `cargo run` builds it.
    Local,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Functions, Self::Floor, Self::Local];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Functions => "functions",
            Self::Floor => "floor",
            Self::Local => "local server (debug)",
        }
    }
}

/// What is run.
pub(crate) struct Binaries {
    floor: PathBuf,
    /// By the operation.
    functions: Vec<PathBuf>,
}

impl Binaries {
    /// From `folder` in cargo-lambda's layout, or built.
    pub(crate) fn find(folder: Option<&Path>) -> Result<Self, Error> {
        let of = |operation: Operation| binaries::find(folder, operation.function().name());
        let functions = Operation::ALL.into_iter().map(of).collect::<Result<_, _>>()?;
        Ok(Self { floor: binaries::find(folder, binaries::FLOOR)?, functions })
    }
}

/// How a contender is reached.
enum Way {
    /// By the operation.
    Pools(Vec<Arc<Pool>>),
    Server(Server),
}

/// A contender that runs.
pub(crate) struct Contender {
    pub(crate) kind: Kind,
    pub(crate) ground: Ground,
    /// Before its database, where requests are counted.
    pub(crate) proxy: Option<Proxy>,
    way: Way,
    releases: Vec<Release>,
    links: Vec<Subject>,
    /// The last number the floor's links have.
    last_id: u64,
}

/// What came of one operation on all links.
pub(crate) struct Pass {
    pub(crate) requests: usize,
    pub(crate) wall: Duration,
    /// Of each request.
    pub(crate) latencies: Vec<Duration>,
    /// Of what serves, for all requests.
    pub(crate) cpu: Duration,
}

/// What one client sends its requests with.
enum Client {
    Pool(Arc<Pool>),
    Connection(Connection),
}

enum Message {
    Event(Value),
    Request(Request),
}

impl Client {
    /// The body of the answer.
    async fn send(&mut self, message: Message) -> Result<String, Error> {
        match (self, message) {
            (Self::Pool(pool), Message::Event(event)) => {
                let answer = pool.invoke(&event).await?;
                Ok(answer["body"].as_str().unwrap_or_default().to_owned())
            }
            (Self::Connection(connection), Message::Request(request)) => {
                connection.send(request).await
            }
            (Self::Pool(_), Message::Request(_)) | (Self::Connection(_), Message::Event(_)) => {
                Err("sent to somebody else".into())
            }
        }
    }
}

impl Contender {
    /// Starts a contender for so many clients at once, with so many releases of so many links.
    pub(crate) async fn start(
        kind: Kind,
        binaries: &Binaries,
        clients: usize,
        (releases, links): (usize, usize),
        is_counted: bool,
    ) -> Result<Self, Error> {
        let ground = Ground::start(&[PROJECT]).await?;
        let proxy = if is_counted { Some(Proxy::start(&ground.url).await) } else { None };
        let url = proxy.as_ref().map_or(&ground.url, |proxy| &proxy.url);
        let way = match kind {
            Kind::Local => Way::Server(Server::start_with_log(
                "INFO",
                // Whatever it does beside would be taken for a part of the requests.
                &["--no-demo", "--endpoint-url", url, "--sweep-every", "1000000"],
            )),
            Kind::Functions | Kind::Floor => {
                let mut pools = Vec::new();
                for function in &binaries.functions {
                    let binary = if kind == Kind::Floor { &binaries.floor } else { function };
                    let count = clients.min(MOST_PROCESSES);
                    pools.push(Arc::new(Pool::start(binary, url, count).await?));
                }
                Way::Pools(pools)
            }
        };
        let mut made = Vec::new();
        for number in 0..releases {
            let tag = format!("v1.{number}.0");
            made.push(ground.release(PROJECT, &tag, NewLinks::default()).await?);
        }
        let links = (0..releases * links)
            .map(|at| Subject { release: at / links, number: at % links, id: LinkId(0) })
            .collect();
        Ok(Self { kind, ground, proxy, way, releases: made, links, last_id: 0 })
    }

    /// Does this with every link; nothing of the preparation is in the times.
    pub(crate) async fn pass(
        &mut self,
        operation: Operation,
        clients: usize,
    ) -> Result<Pass, Error> {
        let messages = self.messages(operation)?;
        let requests = messages.len();
        let mut senders = Vec::new();
        for _ in 0..clients.min(requests) {
            senders.push(match &self.way {
                Way::Pools(pools) => Client::Pool(Arc::clone(&pools[operation as usize])),
                Way::Server(server) => {
                    Client::Connection(Connection::open(&server.address, &self.ground.token).await?)
                }
            });
        }
        let queue = Arc::new(Mutex::new(messages.into_iter().enumerate()));
        let mut tasks = JoinSet::new();
        let before = self.cpu(operation)?;
        let started = Instant::now();
        for sender in senders {
            tasks.spawn(send_all(sender, Arc::clone(&queue)));
        }
        let mut answers = Vec::new();
        while let Some(answered) = tasks.join_next().await {
            answers.extend(answered??);
        }
        let wall = started.elapsed();
        let cpu = self.cpu(operation)?.saturating_sub(before);
        if operation == Operation::Create && self.kind != Kind::Floor {
            for (at, _, body) in &answers {
                let made: Value = serde_json::from_str(body)?;
                self.links[*at].id = LinkId(made["id"].as_u64().ok_or("no id")?);
            }
        }
        let latencies = answers.into_iter().map(|(_, took, _)| took).collect();
        Ok(Pass { requests, wall, latencies, cpu })
    }

    fn messages(&mut self, operation: Operation) -> Result<Vec<Message>, Error> {
        if operation == Operation::Create && self.kind == Kind::Floor {
            for link in &mut self.links {
                self.last_id += 1;
                link.id = LinkId(self.last_id);
            }
        }
        let subjects: Vec<Subject> = match operation {
            Operation::List => {
                let firsts = self.links.iter().filter(|link| link.number == 0);
                std::iter::repeat_n(firsts, LISTS).flatten().copied().collect()
            }
            Operation::Create | Operation::Get | Operation::Rename | Operation::Delete => {
                self.links.clone()
            }
        };
        let mut messages = Vec::new();
        for (at, subject) in subjects.into_iter().enumerate() {
            let release = &self.releases[subject.release];
            let Request { method, path, body } = subject.request(operation, release)?;
            let token = &self.ground.token;
            let body = match self.kind {
                Kind::Local => {
                    messages.push(Message::Request(Request { method, path, body }));
                    continue;
                }
                Kind::Functions => body,
                Kind::Floor => subject.job(operation, release, token, at % NUMBERS_AT_ONCE == 0)?,
            };
            let event = event::rest(("PRIVATE-TOKEN", token), method, &path, &body)?;
            messages.push(Message::Event(event));
        }
        Ok(messages)
    }

    fn cpu(&self, operation: Operation) -> Result<Duration, Error> {
        match &self.way {
            Way::Pools(pools) => pools[operation as usize].cpu(),
            Way::Server(server) => process::cpu(server.pid()),
        }
    }

    /// The most memory a process that serves this has had resident, in kilobytes.
    pub(crate) fn peak_kilobytes(&self, operation: Operation) -> Result<f64, Error> {
        match &self.way {
            Way::Pools(pools) => pools[operation as usize].peak_kilobytes(),
            Way::Server(server) => process::peak_kilobytes(server.pid()),
        }
    }
}

/// The place of a message in the queue, how long its answer took, and the answer.
type Answered = (usize, Duration, String);
type Queue = Arc<Mutex<std::iter::Enumerate<std::vec::IntoIter<Message>>>>;

async fn send_all(mut client: Client, queue: Queue) -> Result<Vec<Answered>, Error> {
    let mut answers = Vec::new();
    loop {
        let next = queue.lock().map_err(|_| "a client panicked")?.next();
        let Some((at, message)) = next else { return Ok(answers) };
        let asked = Instant::now();
        let body = client.send(message).await?;
        answers.push((at, asked.elapsed(), body));
    }
}
