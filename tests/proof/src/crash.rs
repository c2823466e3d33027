//! Kills what serves, at any moment and under load, again and again. After each kill what was
//! answered is there, what was not is there whole or not at all, and no rule of the tables is broken.

mod book;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use comfy_table::{Table, presets};
use harness::test_app::{RELEASES, TestApp};
use harness::{Api, Server, binaries, connection};
use runtime_api::{Function as Process, InvocationError};
use serde_json::{Value, json};
use shared::domain::time::Timestamp;
use shared::domain::token::Secret;
use shared::routes::{Function, find};
use shared::store::table_names::TableNames;
use tokio::task::JoinSet;

use crate::binaries::environment;
use crate::progress::Progress;
use crate::{Error, Options, Verdict, event};
use book::Book;

/// How many clients there are at once.
const CLIENTS: usize = 5;
/// The functions that write.
const WRITERS: [Function; 5] = [
    Function::CreateLink,
    Function::UpdateLink,
    Function::DeleteLink,
    Function::CreateRelease,
    Function::DeleteRelease,
];
const STEP: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Tally {
    kills: u64,
    answered: u64,
    unanswered: u64,
    left_behind: u64,
    missed: Vec<String>,
}

/// Kills the local server, whose database goes with it, and functions, in turn.
pub(crate) async fn prove(options: &Options) -> Result<Verdict, Error> {
    let kills: u64 = if options.quick { 20 } else { 200 };
    let folder = tempfile::tempdir()?;
    let mut on_disk = OnDisk::start(folder.path().join("data")).await?;
    let mut functions = Functions::start(options.functions.clone()).await?;
    let progress = Progress::of(kills);
    let (mut of_servers, mut of_functions) = (Tally::default(), Tally::default());
    for number in 0..kills {
        if number % 2 == 0 {
            on_disk.kill_once(number, &mut of_servers).await?;
        } else {
            functions.kill_once(number, &mut of_functions).await?;
        }
        progress.advance();
    }
    progress.end();

    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header([
        "killed",
        "times",
        "writes answered",
        "cut off",
        "items left to sweep",
        "lost or broken",
    ]);
    let mut figures = serde_json::Map::new();
    let mut missed = Vec::new();
    for (name, mut tally) in [("local server", of_servers), ("function", of_functions)] {
        if tally.answered < tally.kills || tally.unanswered < tally.kills / 5 {
            tally.missed.push("hardly a write was answered, or cut off: nothing is proven".into());
        }
        let counts = [tally.kills, tally.answered, tally.unanswered, tally.left_behind];
        let broken = tally.missed.len().to_string();
        let cells = counts.iter().map(ToString::to_string).chain([broken]);
        table.add_row([name.to_owned()].into_iter().chain(cells));
        figures.insert(
            name.to_owned(),
            json!({
                "kills": tally.kills,
                "answered": tally.answered,
                "cut_off": tally.unanswered,
                "left_to_sweep": tally.left_behind,
                "lost_or_broken": tally.missed.len(),
            }),
        );
        missed.extend(tally.missed.into_iter().map(|what| format!("{name}: {what}")));
    }
    println!("{table}");
    Ok(Verdict { figures: Value::Object(figures), missed })
}

/// How a client reaches what is going to be killed.
#[derive(Clone)]
pub(crate) enum Way {
    /// The local server.
    Server(Api),
    /// The functions themselves.
    Functions(Arc<HashMap<Function, Process>>, Arc<Secret>),
}

impl Way {
    /// Sends a request. `None` if the server is gone.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Option<(u16, Value)>, Error> {
        match self {
            Self::Server(api) => {
                let reply = api.attempt(method, path, &body.to_string()).await;
                Ok(reply.map(|reply| (reply.status, reply.json())))
            }
            Self::Functions(processes, token) => {
                let path = format!("/api/v4{path}");
                let function = find(&method.parse()?, &path).route.function;
                let process = processes.get(&function).ok_or("no function for this")?;
                let event = event::rest(("PRIVATE-TOKEN", token), method, &path, body)?;
                let answer = match process.invoke(&event).await {
                    Ok(answer) => answer,
                    Err(InvocationError::Ended { .. }) => return Ok(None),
                    Err(error @ (InvocationError::Failed(_) | InvocationError::TimedOut(_))) => {
                        return Err(error.into());
                    }
                };
                let status = u16::try_from(answer["statusCode"].as_u64().unwrap_or_default())?;
                Ok(Some((status, serde_json::from_str(answer["body"].as_str().unwrap_or("null"))?)))
            }
        }
    }
}

/// Lets clients write, and kills at any moment.
async fn load_and_kill<Kill: Future<Output = ()>>(
    way: &Way,
    tag: &str,
    kill: impl FnOnce() -> Kill,
) -> Result<Vec<Book>, Error> {
    let is_killed = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let book = Book::new(format!("{tag}-{number}"), tag.to_owned());
        clients.spawn(book.write(way.clone(), Arc::clone(&is_killed)));
    }
    tokio::time::sleep(Duration::from_millis(fastrand::u64(20..250))).await;
    is_killed.store(true, Ordering::SeqCst);
    kill().await;
    let mut books = Vec::new();
    while let Some(book) = clients.join_next().await {
        books.push(book??);
    }
    Ok(books)
}

/// Compares what clients were answered with what is there, and the tables with their rules; then
/// leaves nothing for the next time.
async fn check(
    app: &TestApp,
    api: &Api,
    (books, kept): (&[Book], &str),
    tally: &mut Tally,
) -> Result<(), Error> {
    tally.kills += 1;
    if app.server.has_panicked() {
        tally.missed.push("the local server has panicked".into());
    }
    let is = api.get(&format!("{RELEASES}/{KEPT}")).await.body;
    if is != kept {
        tally.missed.push(format!("a release that nobody touches is {is}, not {kept}"));
    }
    for book in books {
        tally.answered += book.answered;
        tally.unanswered += book.unanswered;
        tally.missed.extend(book.differences(api).await);
    }
    let audit = app.audit().await;
    tally.left_behind += audit.unreachable;
    tally.missed.extend(audit.violations);
    for release in
        api.get(&format!("{RELEASES}?per_page=100")).await.json().as_array().into_iter().flatten()
    {
        let tag = release["tag_name"].as_str().unwrap_or_default();
        if tag != KEPT {
            api.delete(&format!("{RELEASES}/{tag}")).await;
        }
    }
    let later = Timestamp::now().plus(Duration::from_secs(1));
    app.store.sweep(later, STEP).await?;
    let left = app.audit().await.unreachable;
    if left > 0 {
        tally.missed.push(format!("{left} items are left after a sweep"));
    }
    Ok(())
}

/// The tag of a release that is made once and outlives every kill.
const KEPT: &str = "kept";

async fn make_kept(api: &Api) -> Result<String, Error> {
    let links: Vec<Value> = (0..5).map(|number| book::link(&format!("kept-{number}"))).collect();
    let body = json!({ "tag_name": KEPT, "assets": { "links": links } });
    let made = api.post(RELEASES, &body.to_string()).await;
    if made.status == 201 { Ok(made.body) } else { Err(format!("no release: {made:?}").into()) }
}

/// A local server whose database is on disk.
struct OnDisk {
    data: PathBuf,
    app: TestApp,
    api: Api,
    kept: String,
}

impl OnDisk {
    async fn start(data: PathBuf) -> Result<Self, Error> {
        let app = TestApp::over(serve(&data)?);
        let api = app.populate().await;
        let kept = make_kept(&api).await?;
        Ok(Self { data, app, api, kept })
    }

    async fn kill_once(&mut self, number: u64, tally: &mut Tally) -> Result<(), Error> {
        let tag = format!("kill-{number}");
        create_release(&self.api, &tag).await?;
        let way = Way::Server(self.api.clone());
        let server = &mut self.app.server;
        let books = load_and_kill(&way, &tag, async || server.kill()).await?;
        if server.has_panicked() {
            tally.missed.push("the local server has panicked".into());
        }
        self.app = TestApp::over(serve(&self.data)?);
        // It lives elsewhere now, as far as it is named in answers.
        let api = self.api.at(&self.app.server.address);
        self.kept = self.kept.replace(&self.api.address, &api.address);
        self.api = api;
        check(&self.app, &self.api, (&books, &self.kept), tally).await
    }
}

fn serve(data: &std::path::Path) -> Result<Server, Error> {
    let data = data.to_str().ok_or("the folder's name is not UTF-8")?;
    Ok(Server::start_with(&["--data-dir", data, "--no-sample", "--dynamodb-listen", "127.0.0.1:0"]))
}

async fn create_release(api: &Api, tag: &str) -> Result<(), Error> {
    let reply = api.post(RELEASES, &json!({ "tag_name": tag }).to_string()).await;
    if reply.status == 201 { Ok(()) } else { Err(format!("no release: {reply:?}").into()) }
}

/// Functions on a database that stays.
struct Functions {
    /// The folder of the functions as deployed. Without it, the test build is used.
    folder: Option<PathBuf>,
    app: TestApp,
    api: Api,
    token: Arc<Secret>,
    kept: String,
}

impl Functions {
    async fn start(folder: Option<PathBuf>) -> Result<Self, Error> {
        let (app, api) = TestApp::hello().await;
        let token = Arc::new(app.developers_token().await);
        let kept = make_kept(&api).await?;
        Ok(Self { folder, app, api, token, kept })
    }

    async fn kill_once(&mut self, number: u64, tally: &mut Tally) -> Result<(), Error> {
        let tag = format!("kill-{number}");
        create_release(&self.api, &tag).await?;
        let tables = TableNames::default();
        let mut variables = environment(&tables).to_vec();
        let url = &self.app.server.dynamodb_url;
        let keys = connection::variables(url);
        variables.push(("AWS_ENDPOINT_URL_DYNAMODB", url));
        variables.extend(keys.iter().map(|(name, value)| (*name, value.as_str())));
        let mut processes = HashMap::new();
        for function in WRITERS {
            let binary = match &self.folder {
                Some(folder) => crate::binaries::find(Some(folder), function.name())?,
                None => binaries::release_links().with_file_name(function.name()),
            };
            let process = Process::start(&binary, &variables, Duration::from_secs(10)).await?;
            process.until_first_poll().await?;
            processes.insert(function, process);
        }
        let processes = Arc::new(processes);
        let way = Way::Functions(Arc::clone(&processes), Arc::clone(&self.token));
        let victim = fastrand::choice(WRITERS).ok_or("no function")?;
        let books = load_and_kill(&way, &tag, async || {
            if let Some(process) = processes.get(&victim) {
                process.kill().await;
            }
        })
        .await?;
        for (function, process) in processes.iter() {
            if process.output().contains("panicked") {
                tally.missed.push(format!("{} has panicked", function.name()));
            }
            if *function != victim && process.has_ended().await {
                tally.missed.push(format!("{} has ended by itself", function.name()));
            }
        }
        // Requests of the dead function may still be on their way through the database.
        tokio::time::sleep(Duration::from_millis(50)).await;
        check(&self.app, &self.api, (&books, &self.kept), tally).await
    }
}
