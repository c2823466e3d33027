//! The operator's tokens and users. No function of the API may write them: their roles do not
//! allow it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::deadline::Deadline;
use super::items::{TokenItem, from_item, to_item};
use super::keys::{DirectoryKey, DirectoryKind};
use super::request::{Outcome, refused, run};
use super::scan::Table;
use super::{Store, StoreError};
use crate::domain::project::ProjectPath;
use crate::domain::time::Timestamp;
use crate::domain::token::{Grant, Job, Scope, Secret, SecretHash, Token, TokenKind, User};

/// What a token is made of.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is for.
    pub kind: TokenKind,
    /// What its maker calls it.
    pub name: String,
    /// Whom it acts for.
    pub user: User,
    /// How much of the API it opens.
    pub scope: Scope,
    /// Its roles.
    pub grants: Vec<Grant>,
    /// The project whose job it is, for a job token.
    pub job_project: Option<ProjectPath>,
    /// How long it lives; for ever where absent.
    pub expires_in: Option<Duration>,
}

#[derive(Debug, Serialize, Deserialize)]
struct UserItem {
    id: u64,
    username: String,
    external: bool,
}

impl From<UserItem> for User {
    fn from(item: UserItem) -> Self {
        Self { id: item.id, username: item.username, external: item.external }
    }
}

impl Store {
    /// The user of this name, made where there is none; external or not, where `external` says so.
    pub async fn ensure_user(
        &self,
        username: &str,
        external: Option<bool>,
        deadline: Deadline,
    ) -> Result<User, StoreError> {
        let key = DirectoryKey::user(username);
        loop {
            let rows = self.batch_get(std::slice::from_ref(&key), &[], deadline).await?;
            let known = rows.directory.into_iter().next().map(from_item::<UserItem>).transpose()?;
            let (item, condition) = match known {
                Some(item) if external.is_none_or(|external| external == item.external) => {
                    return Ok(item.into());
                }
                Some(item) => {
                    (UserItem { external: !item.external, ..item }, "attribute_exists(pk)")
                }
                None => {
                    let id = self.next(&DirectoryKey::user_counter(), deadline).await?;
                    let username = username.to_owned();
                    let external = external.unwrap_or_default();
                    (UserItem { id, username, external }, "attribute_not_exists(pk)")
                }
            };
            let request = self
                .client
                .put_item()
                .table_name(&self.tables.directory)
                .set_item(Some(to_item(key.attributes(), &item)?))
                .condition_expression(condition);
            match run(deadline, request.send()).await? {
                Outcome::Done(_) => return Ok(item.into()),
                // Somebody else made the user first: that one it is.
                Outcome::Failed(error) if error.is_conditional_check_failed_exception() => {}
                Outcome::Failed(error) => return Err(refused(&error)),
            }
        }
    }

    /// Makes a token. The secret is in the answer and nowhere else.
    pub async fn create_token(
        &self,
        new: NewToken,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<(Secret, Token), StoreError> {
        let job = match new.job_project {
            Some(project) => {
                let id = self.next(&DirectoryKey::job_counter(), deadline).await?;
                Some(Job { id, project })
            }
            None => None,
        };
        let secret = Secret::draw(new.kind);
        let token = Token {
            hash: secret.hash(),
            kind: new.kind,
            name: new.name,
            user: new.user,
            scope: new.scope,
            grants: new.grants,
            job,
            created_at: now,
            expires_at: new.expires_in.map(|duration| now.plus(duration)),
            revoked: false,
        };
        let request = self
            .client
            .put_item()
            .table_name(&self.tables.directory)
            .set_item(Some(token_item(&token)?))
            .condition_expression("attribute_not_exists(pk)");
        match run(deadline, request.send()).await? {
            Outcome::Done(_) => {}
            // An earlier try was carried out and its answer lost: a hash of 131 random bits is
            // nobody else's, so that the token that is there is this one.
            Outcome::Failed(error) if error.is_conditional_check_failed_exception() => {}
            Outcome::Failed(error) => return Err(refused(&error)),
        }
        Ok((secret, token))
    }

    /// The token whose secret has this hash, where it is kept. One read, whatever else is in the
    /// directory.
    pub async fn find_token(
        &self,
        hash: &SecretHash,
        deadline: Deadline,
    ) -> Result<Option<Token>, StoreError> {
        let rows = self.batch_get(&[DirectoryKey::token(hash)], &[], deadline).await?;
        let item = rows.directory.into_iter().next();
        Ok(item.map(from_item::<TokenItem>).transpose()?.map(Token::from))
    }

    /// All tokens that are kept, the oldest first. Reads the whole directory; `step` bounds each
    /// request, not the whole.
    pub async fn list_tokens(&self, step: Duration) -> Result<Vec<Token>, StoreError> {
        let mut tokens: Vec<Token> = Vec::new();
        let mut scan = self.scan(Table::Directory);
        while let Some(items) = scan.next(Deadline::after(step)).await? {
            for item in items {
                if DirectoryKind::of(&item) == Some(DirectoryKind::Token) {
                    tokens.push(from_item::<TokenItem>(item)?.into());
                }
            }
        }
        tokens.sort_by_key(|token| token.created_at);
        Ok(tokens)
    }

    /// Withdraws a token; false where it is not there any more.
    pub async fn revoke_token(
        &self,
        token: &Token,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        let revoked = Token { revoked: true, ..token.clone() };
        let request = self
            .client
            .put_item()
            .table_name(&self.tables.directory)
            .set_item(Some(token_item(&revoked)?))
            .condition_expression("attribute_exists(pk)");
        match run(deadline, request.send()).await? {
            Outcome::Done(_) => Ok(true),
            Outcome::Failed(error) if error.is_conditional_check_failed_exception() => Ok(false),
            Outcome::Failed(error) => Err(refused(&error)),
        }
    }
}

fn token_item(token: &Token) -> Result<super::items::Attributes, StoreError> {
    to_item(DirectoryKey::token(&token.hash).attributes(), &TokenItem::from(token))
}
