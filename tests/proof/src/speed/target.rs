//! The functions and the baseline, each with a database of its own and the same work.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::proxy::Proxy;
use serde_json::{Value, json};
use shared::domain::link::LinkId;
use shared::domain::project::ProjectId;
use shared::domain::release::{NewLinks, Release};
use strum::{Display, EnumIter, IntoEnumIterator};
use tokio::task::JoinSet;

use super::operation::{Operation, Subject};
use crate::pool::Pool;
use crate::test_database::TestDatabase;
use crate::{Error, binaries, event};

const PROJECT: ProjectId = ProjectId(20);
/// A release is listed so many times: once would be too few requests for quantiles of them.
const LISTS: usize = 10;
/// More processes of one function than this only wait for each other's processor.
const MOST_PROCESSES: usize = 8;
/// A function's process takes numbers for so many links at once.
const NUMBERS_AT_ONCE: u64 = 16;
/// The baseline gets so many jobs at once.
const HANDED_OVER_AT_ONCE: usize = 10;

#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, EnumIter)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Kind {
    /// The functions as they are deployed.
    Functions,
    /// The function that only makes the same database requests.
    Baseline,
}

pub(crate) struct Binaries {
    baseline: PathBuf,
    /// By the operation.
    functions: Vec<PathBuf>,
}

impl Binaries {
    /// From `folder` in cargo-lambda's layout, or built.
    pub(crate) fn find(folder: Option<&Path>) -> Result<Self, Error> {
        let of = |operation: Operation| binaries::find(folder, operation.function().name());
        let functions = Operation::iter().map(of).collect::<Result<_, _>>()?;
        Ok(Self { baseline: binaries::find(folder, binaries::BASELINE)?, functions })
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

/// One of them, running.
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) database: TestDatabase,
    /// Before its database, where requests are counted.
    pub(crate) proxy: Option<Proxy>,
    /// By the operation.
    pools: Vec<Arc<Pool>>,
    slices: Vec<Slice>,
    /// The last number of the baseline's links.
    last_id: u64,
}

pub(crate) struct Pass {
    pub(crate) requests: usize,
    pub(crate) latencies: Vec<Duration>,
    pub(crate) cpu: Duration,
}

impl Target {
    /// Starts a target for so many clients at once, with releases that have no links yet.
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
        let mut pools = Vec::new();
        for function in &binaries.functions {
            let binary = if kind == Kind::Baseline { &binaries.baseline } else { function };
            pools.push(Arc::new(Pool::start(binary, url, clients.min(MOST_PROCESSES)).await?));
        }
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
        Ok(Self { kind, database, proxy, pools, slices, last_id: 0 })
    }

    /// Does this with every link of a slice, or with every release where it lists. The times do not
    /// have the preparation in them.
    pub(crate) async fn pass(
        &mut self,
        operation: Operation,
        slice: usize,
        clients: usize,
    ) -> Result<Pass, Error> {
        if operation == Operation::Create && self.kind == Kind::Baseline {
            for link in &mut self.slices[slice].links {
                self.last_id += 1;
                link.id = LinkId(self.last_id);
            }
        }
        let subjects = self.slices[slice].subjects(operation);
        let releases = &self.slices[slice].releases;
        self.hand_over(operation, &subjects, releases).await?;
        let messages = self.messages(operation, &subjects, releases)?;
        let (pass, made) = self.send(operation, messages, clients).await?;
        if operation == Operation::Create && self.kind != Kind::Baseline {
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
        messages: Vec<Value>,
        clients: usize,
    ) -> Result<(Pass, Vec<String>), Error> {
        let requests = messages.len();
        let queue = Arc::new(Mutex::new(messages.into_iter().enumerate()));
        let mut tasks = JoinSet::new();
        let before = self.cpu(operation)?;
        for _ in 0..clients.min(requests) {
            let pool = Arc::clone(&self.pools[operation as usize]);
            tasks.spawn(send_all(pool, Arc::clone(&queue)));
        }
        let mut answers = Vec::new();
        while let Some(answered) = tasks.join_next().await {
            answers.extend(answered??);
        }
        let pass = Pass {
            requests,
            cpu: self.cpu(operation)?.saturating_sub(before),
            latencies: answers.iter().map(|(_, took, _)| *took).collect(),
        };
        answers.sort_by_key(|(at, _, _)| *at);
        Ok((pass, answers.into_iter().map(|(_, _, body)| body).collect()))
    }

    fn messages(
        &self,
        operation: Operation,
        subjects: &[Subject],
        releases: &[Release],
    ) -> Result<Vec<Value>, Error> {
        let token = ("PRIVATE-TOKEN", &self.database.token);
        let message = |(at, subject): (usize, &Subject)| {
            let (method, path, body) = subject.request(operation, &releases[subject.release])?;
            if self.kind == Kind::Functions {
                return event::rest(token, method, &path, &body);
            }
            // The same event, but for a body that only names the job. The bodies are a small part of
            // the events, and writing them takes both targets the same time.
            let mut event = event::rest(token, method, &path, &Value::Null)?;
            event["body"] = Value::from(at.to_string());
            event["isBase64Encoded"] = Value::from(false);
            Ok(event)
        };
        subjects.iter().enumerate().map(message).collect()
    }

    /// Gives each process of the baseline the database requests of the next messages, by their place:
    /// any process may get any message. It gets a few at a time: reading them takes little memory then.
    async fn hand_over(
        &self,
        operation: Operation,
        subjects: &[Subject],
        releases: &[Release],
    ) -> Result<(), Error> {
        if self.kind == Kind::Functions {
            return Ok(());
        }
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
            self.pools[operation as usize].invoke_each(&event).await?;
        }
        Ok(())
    }

    fn cpu(&self, operation: Operation) -> Result<Duration, Error> {
        self.pools[operation as usize].cpu()
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
type Queue = Arc<Mutex<std::iter::Enumerate<std::vec::IntoIter<Value>>>>;

async fn send_all(pool: Arc<Pool>, queue: Queue) -> Result<Vec<Answered>, Error> {
    let mut answers = Vec::new();
    loop {
        let next = queue.lock().map_err(|_| "a client panicked")?.next();
        let Some((at, message)) = next else { return Ok(answers) };
        let asked = Instant::now();
        let answer = pool.invoke(&message).await?;
        let body = answer["body"].as_str().unwrap_or_default().to_owned();
        answers.push((at, asked.elapsed(), body));
    }
}
