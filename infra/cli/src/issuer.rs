//! `issuer`: the CI systems whose jobs publish with ID tokens.

use std::time::Duration;

use clap::Subcommand;
use refresh_issuers::fetch::fetch_keys;
use refresh_issuers::{RefreshError, refresh, refresh_all};
use serde::Serialize;
use shared::domain::issuer::{Audience, Issuer, IssuerUrl};
use shared::domain::time::Timestamp;
use shared::store::Store;
use shared::store::error::with_causes;

use crate::confirm::Confirmation;
use crate::duration::{in_words, parse_duration};
use crate::error::Error;
use crate::output::{Output, Row};
use crate::{STEP, deadline};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Trust the ID tokens of a CI system, and fetch its public keys.
    ///
    /// Its jobs can publish in a project after `publisher add`.
    Add {
        /// URL of the issuer as it is in its tokens, for example `https://gitlab.example.com`.
        #[arg(value_parser = IssuerUrl::parse)]
        url: IssuerUrl,
        /// Audience that its tokens must have, for example the URL of this installation.
        #[arg(long, value_parser = Audience::parse)]
        audience: Audience,
        /// Greatest age of a token, from 1m to 1d, for example 30m.
        #[arg(long, value_name = "DURATION", value_parser = parse_max_age, default_value = "1h")]
        max_age: Duration,
        /// Allow an address inside the network.
        #[arg(long)]
        private: bool,
    },
    /// List the issuers.
    List,
    /// Fetch the public keys again. On AWS and on a local server, this happens every 15 minutes.
    Refresh {
        /// URL of an issuer. Default: all issuers.
        #[arg(value_parser = IssuerUrl::parse)]
        url: Option<IssuerUrl>,
    },
    /// Stop trusting an issuer. Its tokens are refused at once.
    ///
    /// Its publishers stay, and are valid again if it is added again.
    Remove {
        /// URL of the issuer.
        #[arg(value_parser = IssuerUrl::parse)]
        url: IssuerUrl,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

fn parse_max_age(text: &str) -> Result<Duration, String> {
    let allowed = Duration::from_mins(1)..=Duration::from_hours(24);
    let age = parse_duration(text).map_err(|error| error.to_string())?;
    allowed.contains(&age).then_some(age).ok_or_else(|| "it is not from 1m to 1d".to_owned())
}

#[derive(Debug, Serialize)]
struct IssuerView {
    url: String,
    audience: String,
    /// In seconds.
    max_age: u64,
    private: bool,
    keys: Vec<String>,
    refreshed_at: String,
    created_at: String,
    /// In words, for the table.
    #[serde(skip)]
    age: String,
}

impl From<&Issuer> for IssuerView {
    fn from(issuer: &Issuer) -> Self {
        Self {
            url: issuer.url.to_string(),
            audience: issuer.audience.as_str().to_owned(),
            max_age: issuer.max_age.as_secs(),
            private: issuer.allows_private_addresses,
            keys: issuer.keys.iter().map(|key| key.kid.clone()).collect(),
            refreshed_at: issuer.refreshed_at.to_string(),
            created_at: issuer.created_at.to_string(),
            age: in_words(issuer.max_age),
        }
    }
}

impl Row for IssuerView {
    const HEADER: &'static [&'static str] = &["URL", "AUDIENCE", "MAX AGE", "KEYS", "REFRESHED AT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.url.clone(),
            self.audience.clone(),
            self.age.clone(),
            self.keys.len().to_string(),
            self.refreshed_at.clone(),
        ]
    }
}

/// The result of a refresh.
#[derive(Debug, Serialize)]
struct Refreshed {
    url: String,
    /// How many keys it has, if they were fetched.
    keys: Option<usize>,
    /// Why they were not.
    error: Option<String>,
}

impl Row for Refreshed {
    const HEADER: &'static [&'static str] = &["URL", "KEYS", "ERROR"];

    fn cells(&self) -> Vec<String> {
        let keys = self.keys.map(|keys| keys.to_string());
        vec![self.url.clone(), keys.unwrap_or_default(), self.error.clone().unwrap_or_default()]
    }
}

/// Carries out a command about issuers.
pub(crate) async fn run(command: Command, store: &Store, output: Output) -> Result<(), Error> {
    match command {
        Command::Add { url, audience, max_age, private } => {
            add(url, audience, (max_age, private), store, output).await
        }
        Command::List => {
            let issuers = store.list_issuers(STEP).await?;
            Ok(output.list(&issuers.iter().map(IssuerView::from).collect::<Vec<_>>())?)
        }
        Command::Refresh { url } => refresh_now(url, store, output).await,
        Command::Remove { url, confirmation } => {
            let issuer = find(&url, store).await?;
            confirmation.ask(&format!("issuer {url}"), "Its jobs can no longer publish.")?;
            if !store.remove_issuer(&url, deadline()).await? {
                return Err(Error::NoIssuer(url.to_string()));
            }
            Ok(output.done(&format!("Deleted issuer {url}."), &IssuerView::from(&issuer))?)
        }
    }
}

async fn add(
    url: IssuerUrl,
    audience: Audience,
    (max_age, allows_private_addresses): (Duration, bool),
    store: &Store,
    output: Output,
) -> Result<(), Error> {
    let cause = |error| Error::IssuerKeys { url: url.to_string(), cause: with_causes(&error) };
    let keys = fetch_keys(&url, allows_private_addresses).await.map_err(cause)?;
    let now = Timestamp::now();
    let mut issuer = Issuer {
        url,
        audience,
        max_age,
        allows_private_addresses,
        keys,
        refreshed_at: now,
        created_at: now,
    };
    if !store.add_issuer(&issuer, deadline()).await? {
        let known = find(&issuer.url, store).await?;
        let of = |issuer: &Issuer| {
            (issuer.audience.clone(), issuer.max_age, issuer.allows_private_addresses)
        };
        if of(&known) != of(&issuer) {
            return Err(Error::IssuerExists(issuer.url.to_string()));
        }
        // It is the same issuer, but its keys may be other ones by now.
        if !store.set_issuer_keys(&issuer.url, &issuer.keys, now, deadline()).await? {
            return Err(Error::NoIssuer(issuer.url.to_string()));
        }
        issuer.created_at = known.created_at;
    }
    let Issuer { url, audience, keys, .. } = &issuer;
    let sentence = format!(
        "Added issuer {url} with the audience {}. Keys: {}.",
        audience.as_str(),
        keys.len()
    );
    Ok(output.done(&sentence, &IssuerView::from(&issuer))?)
}

pub(crate) async fn find(url: &IssuerUrl, store: &Store) -> Result<Issuer, Error> {
    let issuer = store.find_issuer(url, deadline()).await?;
    issuer.ok_or_else(|| Error::NoIssuer(url.to_string()))
}

async fn refresh_now(url: Option<IssuerUrl>, store: &Store, output: Output) -> Result<(), Error> {
    let now = Timestamp::now();
    let results = match url {
        Some(url) => {
            let issuer = find(&url, store).await?;
            let result = refresh(store, &issuer, now).await;
            vec![(issuer, result)]
        }
        None => refresh_all(store, now).await?,
    };
    let row = |(issuer, result): (Issuer, Result<usize, RefreshError>)| Refreshed {
        url: issuer.url.to_string(),
        keys: result.as_ref().ok().copied(),
        error: result.err().map(|error| with_causes(&error)),
    };
    let rows: Vec<_> = results.into_iter().map(row).collect();
    output.list(&rows)?;
    match rows.iter().filter(|row| row.error.is_some()).count() {
        0 => Ok(()),
        failures => Err(Error::NotRefreshed(failures)),
    }
}
