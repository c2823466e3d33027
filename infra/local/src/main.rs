//! The stand-in for API Gateway and DynamoDB in one process: what `cargo run` starts.

mod arguments;
mod data;
mod demo;
mod engine;
mod event;
mod front;
mod gateway;
mod host;
mod upkeep;

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use clap::Parser;
use shared::app::{self, App};
use shared::connection::Connection;
use shared::store::deadline::Deadline;
use shared::store::{Store, TableNames};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

use arguments::Arguments;
use data::Folder;
use demo::Demo;
use engine::Engine;
use front::Front;
use host::Hosts;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// A server in a task of its own.
type Server = JoinHandle<Result<(), Error>>;

/// How long the tables and the examples may take.
const PREPARATION: Duration = Duration::from_secs(30);

#[tokio::main(worker_threads = 4)]
async fn main() -> std::process::ExitCode {
    app::log_to(std::io::stderr);
    match serve(Arguments::parse()).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Error> {
    let (stop_gateway, gateway_stopped) = watch::channel(());
    let (stop_database, database_stopped) = watch::channel(());

    let listener = listen(arguments.listen, "--listen").await?;
    let address = listener.local_addr()?;
    let hosts = Hosts::of(address, arguments.public_url.as_ref());
    let (endpoint, mut embedded) = if let Some(url) = arguments.endpoint_url {
        (app::Database::at(url), None)
    } else {
        let listener = listen(arguments.dynamodb_listen, "--dynamodb-listen").await?;
        let embedded = embed(listener, arguments.data.folder(), wait(database_stopped))?;
        (embedded.connection.database(), Some(embedded))
    };
    let endpoint_url = endpoint.endpoint_url.clone().unwrap_or_default();
    let client = app::client(endpoint)?;
    // One app for the life of the process, which ends with it.
    let app: &'static App = Box::leak(Box::new(App::new(
        Store::new(client, TableNames::default()),
        arguments.public_url,
    )));
    let mut stop = Box::pin(stop_signal());
    let demo = tokio::select! {
        prepared = prepare(&app.store, !arguments.no_demo) => prepared?,
        stopped = &mut stop => return stopped,
    };

    say(&format!("DynamoDB on {endpoint_url}"));
    if let Some(embedded) = &embedded {
        say(&format!("connection file: {}", embedded.folder.connection_file().display()));
    }
    say(&format!("listening on http://{address}"));
    if let Some(demo) = demo {
        say(&demo.curl_lines(&format!("http://{address}")));
    }

    tokio::spawn(upkeep::sweep_every(app, Duration::from_secs(arguments.sweep_every)));
    let mut gateway = tokio::spawn(gateway::serve(listener, app, hosts, wait(gateway_stopped)));
    let database = embedded.as_mut().map(|embedded| &mut embedded.server);
    until_stopped(stop, &mut gateway, database).await?;
    // Drops a temporary folder now, because a stalled client can hold up the rest.
    let database = embedded.map(|Embedded { server, .. }| server);
    // Requests in flight still need the database, so that it stops after the last of them.
    drop(stop_gateway);
    gateway.await??;
    drop(stop_database);
    if let Some(database) = database {
        database.await??;
    }
    Ok(())
}

/// Makes what is not there yet: the tables, and the examples if they are wanted.
async fn prepare(store: &Store, with_demo: bool) -> Result<Option<Demo>, Error> {
    store.create_tables(Deadline::after(PREPARATION)).await?;
    if with_demo { demo::prepare(store).await } else { Ok(None) }
}

/// The embedded database.
struct Embedded {
    connection: Connection,
    folder: Folder,
    server: Server,
}

/// Serves the database in `folder`, or one in memory.
fn embed(
    listener: TcpListener,
    folder: Option<&Path>,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<Embedded, Error> {
    let folder = Folder::open(folder)?;
    let engine = Engine::open(folder.database_folder())?;
    let connection = folder.connect(format!("http://{}", listener.local_addr()?))?;
    let front = Front { engine, access_key_id: connection.access_key_id.clone() };
    let server = tokio::spawn(front::serve(listener, front, stopped));
    Ok(Embedded { connection, folder, server })
}

async fn listen(address: SocketAddr, flag: &str) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}; choose another address with {flag}").into()
    })
}

/// Waits for `stop`. A server that ends before is an error, since nothing else would tell of it.
async fn until_stopped(
    stop: impl Future<Output = Result<(), Error>>,
    gateway: &mut Server,
    database: Option<&mut Server>,
) -> Result<(), Error> {
    let database = async {
        match database {
            Some(database) => database.await,
            // It is another process's.
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        stopped = stop => stopped,
        ended = gateway => Err(untimely("the API", ended)),
        ended = database => Err(untimely("the embedded DynamoDB", ended)),
    }
}

/// The error of a server that ended by itself.
fn untimely(server: &str, ended: Result<Result<(), Error>, JoinError>) -> Error {
    match ended {
        Ok(Ok(())) => format!("{server} ended by itself").into(),
        Ok(Err(error)) => format!("{server} ended: {error}").into(),
        Err(error) => format!("{server} ended: {error}").into(),
    }
}

/// Waits until the sender is gone.
async fn wait(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}

async fn stop_signal() -> Result<(), Error> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// Prints a line; that nobody reads it is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn serving(end: impl Future<Output = ()> + Send + 'static) -> Server {
        tokio::spawn(async move {
            end.await;
            Err("its own reason".into())
        })
    }

    /// Why the process ends, though no signal comes.
    async fn end(gateway: &mut Server, database: Option<&mut Server>) -> String {
        let ended = until_stopped(pending(), gateway, database);
        let ended = tokio::time::timeout(Duration::from_secs(10), ended).await;
        ended.expect("nobody noticed").unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_server_that_ends_by_itself_ends_the_process_with_its_error() {
        let mut forever = serving(pending());
        let mut failing = serving(ready(()));
        let said = end(&mut failing, Some(&mut forever)).await;
        assert_eq!(said, "the API ended: its own reason");
        let mut failing = serving(ready(()));
        let said = end(&mut forever, Some(&mut failing)).await;
        assert_eq!(said, "the embedded DynamoDB ended: its own reason");
        let said = end(&mut tokio::spawn(ready(Ok(()))), None).await;
        assert_eq!(said, "the API ended by itself");
        let mut panicking = serving(async { panic!("a bug") });
        let said = end(&mut forever, Some(&mut panicking)).await;
        assert!(said.contains("a bug"), "{said}");
    }

    #[tokio::test]
    async fn a_signal_ends_the_wait_while_both_serve() {
        let (mut gateway, mut database) = (serving(pending()), serving(pending()));
        until_stopped(ready(Ok(())), &mut gateway, None).await.unwrap();
        until_stopped(ready(Ok(())), &mut gateway, Some(&mut database)).await.unwrap();
        let cannot = ready(Err("no signals here".into()));
        let stopped = until_stopped(cannot, &mut gateway, Some(&mut database)).await;
        assert_eq!(stopped.unwrap_err().to_string(), "no signals here");
    }
}
