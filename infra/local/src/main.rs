//! The stand-in for API Gateway and DynamoDB in one process: what `cargo run` starts.

mod arguments;
mod database;
mod demo;
mod event;
mod gateway;
mod upkeep;

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use shared::app::{self, App};
use shared::store::deadline::Deadline;
use shared::store::{Store, TableNames};
use tokio::net::TcpListener;
use tokio::sync::watch;

use arguments::Arguments;

type Error = Box<dyn std::error::Error + Send + Sync>;

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
    let (endpoint_url, database) = if let Some(url) = arguments.endpoint_url {
        (url, None)
    } else {
        let listener = listen(arguments.dynamodb_listen, "--dynamodb-listen").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let database = database::open(arguments.data.folder())?;
        let stopped = wait(database_stopped);
        (url, Some(tokio::spawn(database::serve(listener, database, stopped))))
    };
    let client = app::client(app::Database::local(endpoint_url.clone()))?;
    // One app for the life of the process, which ends with it.
    let app: &'static App = Box::leak(Box::new(App::new(
        Store::new(client, TableNames::default()),
        arguments.public_url,
    )));
    app.store.create_tables(Deadline::after(PREPARATION)).await?;
    let token = if arguments.no_demo {
        None
    } else {
        demo::prepare(&app.store, Deadline::after(PREPARATION)).await?
    };

    say(&format!("DynamoDB on {endpoint_url}"));
    say(&format!("listening on http://{address}"));
    if let Some(token) = token {
        say(&demo::curl_lines(&format!("http://{address}"), &token));
    }

    tokio::spawn(upkeep::sweep_every(app, Duration::from_secs(arguments.sweep_every)));
    let gateway = tokio::spawn(gateway::serve(listener, app, wait(gateway_stopped)));
    stop_signal().await?;
    // Requests in flight still need the database, so that it stops after the last of them.
    drop(stop_gateway);
    gateway.await??;
    drop(stop_database);
    if let Some(database) = database {
        database.await??;
    }
    Ok(())
}

async fn listen(address: SocketAddr, flag: &str) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}; choose another address with {flag}").into()
    })
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
