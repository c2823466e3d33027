//! Fetches the public keys of the issuers of ID tokens, on a schedule: the only function that asks
//! servers outside AWS. It may write the keys of known issuers and nothing else.

mod addresses;
pub mod fetch;

use std::convert::Infallible;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use lambda_http::{Context, Error};
use shared::app::App;
use shared::domain::issuer::Issuer;
use shared::domain::time::Timestamp;
use shared::store::Store;
use shared::store::deadline::Deadline;
use shared::store::error::{StoreError, with_causes};
use tokio::time::{Instant, interval_at};

use fetch::{FetchError, fetch_keys};

/// Issuers that are asked at once.
const AT_ONCE: usize = 8;
/// How long a request to the database may take.
const STEP: Duration = Duration::from_secs(5);
/// The age of keys from which on the function fails, which raises an alarm.
const STALE: Duration = Duration::from_hours(24);

/// Why the keys of an issuer stayed as they were.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("it was removed meanwhile")]
    Removed,
}

/// Some issuers' keys are older than a day, or cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("keys are older than a day or cannot be written: {0}")]
pub struct StaleKeys(String);

/// Refreshes all issuers. Fails if the keys of one are older than a day, or if a right or a table is
/// missing: a short outage of an issuer or of the database raises no alarm.
pub async fn handle(app: &App, context: Context) -> Result<(), Error> {
    let version = &context.env_config.version;
    let now = Timestamp::now();
    let refreshed = match refresh_all(&app.store, now).await {
        Ok(refreshed) => refreshed,
        Err(error) => {
            let (transient, cause) = (error.is_transient(), with_causes(&error));
            tracing::error!(version, transient, cause, "the issuers were not listed");
            // The next invocation comes in 15 minutes.
            return if transient { Ok(()) } else { Err(error.into()) };
        }
    };
    // Keys that are not written, for lack of a right, will be old as well: that need not wait a day.
    let is_broken = |result: &Result<usize, RefreshError>| match result {
        Err(RefreshError::Store(error)) => !error.is_transient(),
        Ok(_) | Err(RefreshError::Fetch(_) | RefreshError::Removed) => false,
    };
    let stale = refreshed.iter().filter(|(issuer, result)| {
        let is_old = result.is_err() && issuer.refreshed_at.plus(STALE) <= now;
        is_old || is_broken(result)
    });
    let stale: Vec<_> = stale.map(|(issuer, _)| issuer.url.as_str()).collect();
    if stale.is_empty() { Ok(()) } else { Err(StaleKeys(stale.join(", ")).into()) }
}

/// Refreshes all issuers, several at once, and logs each result. The failure of one leaves its last
/// keys, and the others alone.
pub async fn refresh_all(
    store: &Store,
    now: Timestamp,
) -> Result<Vec<(Issuer, Result<usize, RefreshError>)>, StoreError> {
    let issuers = store.list_issuers(STEP).await?;
    let refreshes = issuers.into_iter().map(|issuer| async move {
        let result = refresh(store, &issuer, now).await;
        match &result {
            Ok(keys) => tracing::info!(issuer = issuer.url.as_str(), keys, "refreshed"),
            Err(error) => {
                let cause = with_causes(error);
                tracing::warn!(issuer = issuer.url.as_str(), cause, "its last keys stay");
            }
        }
        (issuer, result)
    });
    Ok(stream::iter(refreshes).buffered(AT_ONCE).collect().await)
}

/// Fetches the keys of an issuer, stores them, and returns how many there are.
pub async fn refresh(
    store: &Store,
    issuer: &Issuer,
    now: Timestamp,
) -> Result<usize, RefreshError> {
    let keys = fetch_keys(&issuer.url, issuer.allows_private_addresses).await?;
    let is_there = store.set_issuer_keys(&issuer.url, &keys, now, Deadline::after(STEP)).await?;
    if is_there { Ok(keys.len()) } else { Err(RefreshError::Removed) }
}

/// Refreshes all issuers again and again, for the first time after a minute.
pub async fn refresh_every(store: &Store, period: Duration) -> Infallible {
    let mut ticks = interval_at(Instant::now() + Duration::from_mins(1), period);
    loop {
        ticks.tick().await;
        if let Err(error) = refresh_all(store, Timestamp::now()).await {
            tracing::error!(cause = with_causes(&error), "the issuers were not listed");
        }
    }
}
