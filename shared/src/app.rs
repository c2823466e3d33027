//! The state of a function.

use crate::aws_client::{self, Database};
use crate::config::{self, ConfigError};
use crate::domain::web_url::WebUrl;
use crate::store::Store;

/// The state of a function: the store, and the URL of the installation.
#[derive(Debug)]
pub struct App {
    /// Links, releases, projects and tokens.
    pub store: Store,
    public_url: Option<WebUrl>,
}

impl App {
    /// An app over `store`. Where `public_url` is absent, answers name the host that each request
    /// was sent to.
    #[must_use]
    pub fn new(store: Store, public_url: Option<WebUrl>) -> Self {
        Self { store, public_url }
    }

    /// The URL that answers name, if it is not the host of each request.
    #[must_use]
    pub fn public_url(&self) -> Option<&WebUrl> {
        self.public_url.as_ref()
    }

    /// An app as the environment of a Lambda function describes it.
    pub fn from_env() -> Result<Self, ConfigError> {
        let client = aws_client::client(Database::from_env()?)?;
        Ok(Self::new(Store::new(client, config::tables()?), config::public_url()?))
    }
}
