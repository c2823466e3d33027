//! Those that are measured, each with a database of its own and the same to do.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::Server;
use harness::proxy::Proxy;
use serde_json::{Value, json};
use shared::domain::link::LinkId;
use shared::domain::project::ProjectId;
use shared::domain::release::{NewLinks, Release};
use tokio::task::JoinSet;

use super::connection::Connection;
use super::operation::{Operation, Request, Subject};
use crate::pool::Pool;
use crate::test_database::TestDatabase;
use crate::{Error, binaries, event, process};

const PROJECT: ProjectId = ProjectId(20);
/// A release is listed so many times: once would be too few requests for quantiles of them.
const LISTS: usize = 10;
/// More processes of one function than this only wait for each other's processor.
const MOST_PROCESSES: usize = 8;
/// A function's process takes numbers for so many links at once.
const NUMBERS_AT_ONCE: u64 = 16;
/// The floor is handed over so many jobs at once.
const HANDED_OVER_AT_ONCE: usize = 10;

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

/// How much there is to do: the releases, and so their links, come in slices, and each operation is
/// done slice by slice.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) slices: usize,
    /// In a slice.
    pub(crate) releases: usize,
    /// In a release.
    pub(crate) links: usize,
}

/// Some of the releases, and the links that are made there.
struct Slice {
    releases: Vec<Release>,
    links: Vec<Subject>,
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
    pub(crate) database: TestDatabase,
    /// Before its database, where requests are counted.
    pub(crate) proxy: Option<Proxy>,
    way: Way,
    slices: Vec<Slice>,
    /// The last number the floor's links have.
    last_id: u64,
}

#[derive(Default)]
pub(crate) struct Pass {
    pub(crate) requests: usize,
    pub(crate) wall: Duration,
    pub(crate) latencies: Vec<Duration>,
    pub(crate) cpu: Duration,
}

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
    /// Starts a contender for so many clients at once, with releases that have no links yet.
    pub(crate) async fn start(
        kind: Kind,
        binaries: &Binaries,
        clients: usize,
        extent: Extent,
        is_counted: bool,
    ) -> Result<Self, Error> {
        let database = TestDatabase::start(&[PROJECT]).await?;
        let proxy = if is_counted { Some(Proxy::start(&database.url).await) } else { None };
        let url = proxy.as_ref().map_or(&database.url, |proxy| &proxy.url);
        let way = match kind {
            Kind::Local => Way::Server(Server::start_with_log(
                "INFO",
                // Other work would count as a part of the requests.
                &["--no-sample", "--endpoint-url", url, "--sweep-every", "1000000"],
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
        let mut slices = Vec::new();
        for slice in 0..extent.slices {
            let mut releases = Vec::new();
            for number in 0..extent.releases {
                let tag = format!("v1.{slice}.{number}");
                releases.push(database.release(PROJECT, &tag, NewLinks::default()).await?);
            }
            let links = (0..extent.releases * extent.links)
                .map(|at| Subject {
                    release: at / extent.links,
                    number: at % extent.links,
                    id: LinkId(0),
                })
                .collect();
            slices.push(Slice { releases, links });
        }
        Ok(Self { kind, database, proxy, way, slices, last_id: 0 })
    }

    /// Does this with every link of a slice, or with every release where it lists, so many at a
    /// time; nothing of the preparation is in the times.
    pub(crate) async fn pass(
        &mut self,
        operation: Operation,
        slice: usize,
        clients: usize,
        at_a_time: usize,
    ) -> Result<Pass, Error> {
        if operation == Operation::Create && self.kind == Kind::Floor {
            for link in &mut self.slices[slice].links {
                self.last_id += 1;
                link.id = LinkId(self.last_id);
            }
        }
        let mut pass = Pass::default();
        let mut made = Vec::new();
        for subjects in self.slices[slice].subjects(operation).chunks(at_a_time) {
            let releases = &self.slices[slice].releases;
            self.hand_over(operation, subjects, releases).await?;
            let messages = self.messages(operation, subjects, releases)?;
            made.extend(self.send(operation, messages, clients, &mut pass).await?);
        }
        if operation == Operation::Create && self.kind != Kind::Floor {
            for (link, body) in self.slices[slice].links.iter_mut().zip(made) {
                let made: Value = serde_json::from_str(&body)?;
                link.id = LinkId(made["id"].as_u64().ok_or("no id")?);
            }
        }
        Ok(pass)
    }

    /// Has clients send these, and adds what that took to the pass; what they are answered, in
    /// order.
    async fn send(
        &self,
        operation: Operation,
        messages: Vec<Message>,
        clients: usize,
        pass: &mut Pass,
    ) -> Result<Vec<String>, Error> {
        let requests = messages.len();
        let mut senders = Vec::new();
        for _ in 0..clients.min(requests) {
            senders.push(match &self.way {
                Way::Pools(pools) => Client::Pool(Arc::clone(&pools[operation as usize])),
                Way::Server(server) => Client::Connection(
                    Connection::open(&server.address, &self.database.token).await?,
                ),
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
        pass.wall += started.elapsed();
        pass.cpu += self.cpu(operation)?.saturating_sub(before);
        pass.requests += requests;
        pass.latencies.extend(answers.iter().map(|(_, took, _)| took));
        answers.sort_by_key(|(at, _, _)| *at);
        Ok(answers.into_iter().map(|(_, _, body)| body).collect())
    }

    fn messages(
        &self,
        operation: Operation,
        subjects: &[Subject],
        releases: &[Release],
    ) -> Result<Vec<Message>, Error> {
        let token = ("PRIVATE-TOKEN", &self.database.token);
        let message = |(at, subject): (usize, &Subject)| {
            let Request { method, path, body } =
                subject.request(operation, &releases[subject.release])?;
            Ok(match self.kind {
                Kind::Local => Message::Request(Request { method, path, body }),
                Kind::Functions => Message::Event(event::rest(token, method, &path, &body)?),
                Kind::Floor => {
                    // The functions' event, but for a body that only says which job it is. Its
                    // writing as JSON, in this program, is within the times: of both alike, since
                    // the bodies are a small part of the events.
                    let mut event = event::rest(token, method, &path, &Value::Null)?;
                    event["body"] = Value::from(at.to_string());
                    event["isBase64Encoded"] = Value::from(false);
                    Message::Event(event)
                }
            })
        };
        subjects.iter().enumerate().map(message).collect()
    }

    /// Brings each process of the floor what its messages ask for, by their place: any of them may
    /// come to any process. Some at a time, so that what a process needs to read them is little
    /// beside what it keeps. That the floor is awake then, when it is measured, can only make the
    /// functions' ratios worse.
    async fn hand_over(
        &self,
        operation: Operation,
        subjects: &[Subject],
        releases: &[Release],
    ) -> Result<(), Error> {
        let (Kind::Floor, Way::Pools(pools)) = (self.kind, &self.way) else { return Ok(()) };
        let token = &self.database.token;
        for (number, subjects) in subjects.chunks(HANDED_OVER_AT_ONCE).enumerate() {
            let mut jobs = Vec::new();
            for subject in subjects {
                // The functions' processes together fetch numbers as often as one of them.
                let leases = subject.id.0 % NUMBERS_AT_ONCE == 1;
                let release = &releases[subject.release];
                jobs.push(subject.job(operation, release, token, leases)?);
            }
            let body = json!({ "from": number * HANDED_OVER_AT_ONCE, "jobs": jobs });
            let event = event::rest(("PRIVATE-TOKEN", token), "POST", "/", &body)?;
            pools[operation as usize].invoke_each(&event).await?;
        }
        Ok(())
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

impl Slice {
    /// The subjects of an operation.
    fn subjects(&self, operation: Operation) -> Vec<Subject> {
        match operation {
            Operation::List => {
                let firsts = self.links.iter().filter(|link| link.number == 0);
                std::iter::repeat_n(firsts, LISTS).flatten().copied().collect()
            }
            Operation::Create | Operation::Get | Operation::Rename | Operation::Delete => {
                self.links.clone()
            }
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
