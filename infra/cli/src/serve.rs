//! `serve`: API Gateway, the functions and DynamoDB in one process.

mod arguments;
mod data;
mod engine;
mod event;
mod front;
mod functions;
mod gateway;
mod greeting;
mod host;
mod refusal;
mod sample;
mod upkeep;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use shared::app::App;
use shared::aws_client;
use shared::connection::Connection;
use shared::domain::secret::Secret;
use shared::domain::web_url::WebUrl;
use shared::logging;
use shared::store::Store;
use shared::store::deadline::Deadline;
use shared::store::table_names::TableNames;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

pub(crate) use arguments::Arguments;
use data::Folder;
use engine::Engine;
use front::Front;
use greeting::Greeting;
use host::Hosts;

use crate::output::Printable;
use crate::serve_error::ServeError;

/// A server in a task of its own.
type Server = JoinHandle<Result<(), ServeError>>;

/// Serves until a signal stops it. `endpoint_url` names a DynamoDB to use instead of the embedded one.
pub(crate) fn run(arguments: Arguments, endpoint_url: Option<String>) -> Result<(), ServeError> {
    logging::log_to(std::io::stderr);
    runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()?
        .block_on(serve(arguments, endpoint_url))
}

async fn serve(arguments: Arguments, endpoint_url: Option<String>) -> Result<(), ServeError> {
    let (stop_gateway, gateway_stopped) = watch::channel(());
    let (stop_database, database_stopped) = watch::channel(());

    let listener = listen(arguments.listen, "--listen").await?;
    let address = listener.local_addr()?;
    let hosts = Hosts::of(address, arguments.public_url.as_ref());
    let (endpoint, mut embedded) = if let Some(url) = endpoint_url {
        (aws_client::Database::at(url), None)
    } else {
        let listener = listen(arguments.dynamodb_listen, "--dynamodb-listen").await?;
        let embedded =
            embed(listener, arguments.data.folder()?.as_deref(), wait(database_stopped))?;
        (embedded.connection.database(), Some(embedded))
    };
    let endpoint_url = endpoint.endpoint_url.clone().unwrap_or_default();
    let client = aws_client::client(endpoint)?;
    // One app for the life of the process, which ends with it.
    let app: &'static App = Box::leak(Box::new(App::new(
        Store::new(client, TableNames::default()),
        arguments.public_url,
    )));
    let url = app.public_url().map_or_else(|| local_url(address), WebUrl::to_string);
    let mut stop = Box::pin(stop_signal());
    let (projects, sample_token) = tokio::select! {
        prepared = prepare(&app.store, (!arguments.no_sample).then_some(url.as_str())) => prepared?,
        stopped = &mut stop => return stopped,
    };
    let greeting = Greeting {
        address,
        url: &url,
        database_url: &endpoint_url,
        folder: embedded.as_ref().map(|embedded| &embedded.folder),
        projects,
        sample_token: sample_token.as_ref(),
    };
    // The server goes on if the reader of its output has gone.
    let _ = Printable::lines(&greeting.to_string()).print();

    tokio::spawn(upkeep::sweep_every(app, Duration::from_secs(arguments.sweep_every)));
    tokio::spawn(refresh_issuers::refresh_every(&app.store, REFRESH_ISSUERS));
    let mut gateway = tokio::spawn(gateway::serve(listener, app, hosts, wait(gateway_stopped)));
    let database = embedded.as_mut().map(|embedded| &mut embedded.server);
    until_stopped(stop, &mut gateway, database).await?;
    // Drops a temporary folder now, because a stalled client can hold up the rest.
    let database = embedded.map(|Embedded { server, .. }| server);
    // Requests in flight still need the database: it stops after the last of them.
    drop(stop_gateway);
    gateway.await??;
    drop(stop_database);
    if let Some(database) = database {
        database.await??;
    }
    Ok(())
}

/// Creates the tables if they are missing, and the sample on the first start; `sample_url` is where its
/// files are. Returns the number of projects, and the sample's token if it is new.
async fn prepare(
    store: &Store,
    sample_url: Option<&str>,
) -> Result<(u64, Option<Secret>), ServeError> {
    store.create_tables(Deadline::after(sample::PREPARATION)).await?;
    let token = match sample_url {
        Some(url) => sample::prepare(store, url).await?,
        None => None,
    };
    Ok((store.count_projects(Deadline::after(sample::PREPARATION)).await?, token))
}

/// How often the keys of issuers are fetched, as on AWS.
const REFRESH_ISSUERS: Duration = Duration::from_mins(15);

/// The URL by which this machine reaches `address`.
fn local_url(address: SocketAddr) -> String {
    let mut reachable = address;
    if address.ip().is_unspecified() {
        reachable.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{reachable}")
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
) -> Result<Embedded, ServeError> {
    let folder = Folder::open(folder)?;
    let engine = Engine::open(folder.database_folder())?;
    let connection = folder.connect(format!("http://{}", listener.local_addr()?))?;
    let front = Front { engine, access_key_id: connection.access_key_id.clone() };
    let server = tokio::spawn(front::serve(listener, front, stopped));
    Ok(Embedded { connection, folder, server })
}

async fn listen(address: SocketAddr, flag: &str) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}; choose another address with {flag}").into()
    })
}

/// Waits for `stop`. A server that ends earlier is an error: otherwise no one would notice.
async fn until_stopped(
    stop: impl Future<Output = Result<(), ServeError>>,
    gateway: &mut Server,
    database: Option<&mut Server>,
) -> Result<(), ServeError> {
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
fn untimely(server: &str, ended: Result<Result<(), ServeError>, JoinError>) -> ServeError {
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

async fn stop_signal() -> Result<(), ServeError> {
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
