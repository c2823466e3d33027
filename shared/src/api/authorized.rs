//! The authorization of a request, as endpoints ask for it.

use http::Method;

use super::error::ApiError;
use super::request::ApiRequest;
use crate::app::App;
use crate::authorize::access::{AccessError, Caller, Intent, ProjectAccess};
use crate::authorize::credentials::Credentials;
use crate::authorize::{self, Asking};
use crate::domain::project::ProjectRef;
use crate::domain::token::User;
use crate::store::query::Query;

impl ApiRequest {
    /// Authorizes the caller for the releases of the project in the path.
    pub async fn authorize_releases<Q: Query>(
        &self,
        app: &App,
        query: &Q,
    ) -> Result<(ProjectAccess, Q::Found), ApiError> {
        self.authorize_releases_of(app, &self.project(), query).await
    }

    /// Authorizes the caller for the releases of a project.
    pub async fn authorize_releases_of<Q: Query>(
        &self,
        app: &App,
        project: &ProjectRef,
        query: &Q,
    ) -> Result<(ProjectAccess, Q::Found), ApiError> {
        let asking = self.asking(&self.credentials);
        Ok(authorize::releases(&app.store, asking, project, query).await?)
    }

    /// Authorizes the caller for the project in the path. These endpoints take no job tokens.
    pub async fn authorize_project<Q: Query>(
        &self,
        app: &App,
        query: &Q,
    ) -> Result<(ProjectAccess, Q::Found), ApiError> {
        let credentials = self.credentials.without_job_tokens();
        let asking = self.asking(&credentials);
        Ok(authorize::project(&app.store, asking, &self.project(), query).await?)
    }

    /// The caller, on an endpoint that names no project and takes these tokens.
    pub async fn caller(&self, app: &App, credentials: &Credentials) -> Result<Caller, ApiError> {
        Ok(authorize::caller(&app.store, self.asking(credentials)).await?)
    }

    /// The caller's user. Callers without a token are refused.
    pub async fn user(&self, app: &App, credentials: &Credentials) -> Result<User, ApiError> {
        let caller = self.caller(app, credentials).await?;
        Ok(caller.user().ok_or(AccessError::UnknownToken)?)
    }

    fn asking<'a>(&self, credentials: &'a Credentials) -> Asking<'a> {
        let intent = match self.method {
            Method::GET | Method::HEAD => Intent::Read,
            _ => Intent::Write,
        };
        Asking { credentials, intent, deadline: self.deadline }
    }
}
