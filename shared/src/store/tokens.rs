//! The operator's tokens and users. No function of the API may write them: their roles do not
//! allow it.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::Store;
use super::deadline::Deadline;
use super::error::StoreError;
use super::items::{TTL, TokenItem, from_item, to_item};
use super::keys::{DirectoryKey, DirectoryList};
use super::list::listed;
use super::pages::Pages;
use super::transaction::{Condition, TransactionResult, Write};
use crate::domain::policies::OnDuplicate;
use crate::domain::project::ProjectPath;
use crate::domain::secret::{Secret, SecretHash};
use crate::domain::time::Timestamp;
use crate::domain::token::{Grant, Job, Scope, Token, User};
use crate::domain::token_kind::TokenKind;
use crate::domain::username::Username;

/// A limit on the tokens that one public id finds. Ids are 48 random bits, so two rarely share one.
const MOST_TOKENS_OF_AN_ID: i32 = 100;

/// The fields of a new token.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub kind: TokenKind,
    pub name: String,
    pub user: User,
    /// How much of the API it opens.
    pub scope: Scope,
    pub grants: Vec<Grant>,
    /// The project whose job it is, for a job token.
    pub job_project: Option<ProjectPath>,
    /// Its lifetime. `None` never expires.
    pub expires_in: Option<Duration>,
    /// Overrides the project's policy.
    pub on_duplicate: Option<OnDuplicate>,
}

#[derive(Debug, Serialize, Deserialize)]
struct UserItem {
    id: u64,
    username: String,
    external: bool,
}

impl UserItem {
    /// The condition that the key still belongs to this user.
    fn is_stored(&self) -> Condition {
        let username = AttributeValue::S(self.username.clone());
        Condition::new("username = :username", [], [(":username", username)])
    }
}

impl From<UserItem> for User {
    fn from(item: UserItem) -> Self {
        Self { id: item.id, username: item.username, external: item.external }
    }
}

impl Store {
    /// The user of this name, created if missing. Sets `external` if it is given.
    pub async fn ensure_user(
        &self,
        username: &Username,
        external: Option<bool>,
        deadline: Deadline,
    ) -> Result<User, StoreError> {
        let key = DirectoryKey::user(username);
        loop {
            let rows = self.batch_get(std::slice::from_ref(&key), &[], deadline).await?;
            let stored =
                rows.directory.into_iter().next().map(from_item::<UserItem>).transpose()?;
            let user = match stored {
                Some(item) if username.names(&item.username) => match external {
                    Some(external) if external != item.external => {
                        self.set_external(&key, item, external, deadline).await?
                    }
                    Some(_) | None => Some(item),
                },
                other => self.create_user(username, external, other, deadline).await?,
            };
            if let Some(user) = user {
                return Ok(user.into());
            }
            // Another operator wrote the user in between: read it again.
        }
    }

    async fn set_external(
        &self,
        key: &DirectoryKey,
        user: UserItem,
        external: bool,
        deadline: Deadline,
    ) -> Result<Option<UserItem>, StoreError> {
        let attributes = [("external".to_owned(), AttributeValue::Bool(external))].into();
        let item = self.set_attributes(key, attributes, user.is_stored(), deadline).await?;
        item.map(from_item).transpose()
    }

    /// Creates a user in place of `other`. Older versions lower-cased names by Unicode's rules, which
    /// put look-alikes such as `victim` with a Kelvin sign under the key of `victimk`: that user keeps
    /// its tokens, and the name gets a user of its own.
    async fn create_user(
        &self,
        username: &Username,
        external: Option<bool>,
        other: Option<UserItem>,
        deadline: Deadline,
    ) -> Result<Option<UserItem>, StoreError> {
        let user = UserItem {
            id: self.next(&DirectoryKey::user_counter(), deadline).await?,
            username: username.to_string(),
            external: external.unwrap_or_default(),
        };
        let condition = other.map_or_else(Condition::absent, |other| other.is_stored());
        let writes = vec![
            self.put_in_directory(
                to_item(DirectoryKey::user(username).attributes(), &user)?,
                Some(condition),
            ),
            self.put_in_directory(DirectoryKey::user_entry(username).attributes(), None),
        ];
        Ok(match self.transact(writes, deadline).await? {
            TransactionResult::Committed => Some(user),
            TransactionResult::ConditionsFailed(_) => None,
        })
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
        let secret = Secret::generate(new.kind);
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
            on_duplicate: new.on_duplicate,
        };
        // Only this token can have this hash, and a repeated transaction happens once.
        self.transact(self.put_token(&token)?, deadline).await?;
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

    /// All tokens that are kept, the oldest first. `step` bounds each request, not the whole.
    pub async fn list_tokens(&self, step: Duration) -> Result<Vec<Token>, StoreError> {
        let items = self.read_list::<TokenItem>(DirectoryList::Tokens, "", step).await?;
        let mut tokens: Vec<Token> = items.into_iter().map(Token::from).collect();
        tokens.sort_by(|a, b| (a.created_at, a.id()).cmp(&(b.created_at, b.id())));
        Ok(tokens)
    }

    /// Revokes a token. False if it is not there any more.
    pub async fn revoke_token(
        &self,
        token: &Token,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        let key = DirectoryKey::token(&token.hash);
        let revoked = [("revoked".to_owned(), AttributeValue::Bool(true))].into();
        let item = self.set_attributes(&key, revoked, Condition::exists(), deadline).await?;
        Ok(item.is_some())
    }

    /// Replaces a token by one with a new secret, which starts at `now`, and revokes the old one. `None`
    /// if the old one was revoked in the meantime or is not kept any more.
    pub async fn rotate_token(
        &self,
        token: &Token,
        expires_in: Option<Duration>,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Option<(Secret, Token)>, StoreError> {
        let secret = Secret::generate(token.kind);
        let rotated = Token {
            hash: secret.hash(),
            created_at: now,
            expires_at: expires_in.map(|duration| now.plus(duration)),
            revoked: false,
            ..token.clone()
        };
        let revoke = self.change_in_directory(
            &DirectoryKey::token(&token.hash),
            [("revoked".to_owned(), AttributeValue::Bool(true))].into(),
            Some(Condition::new("revoked = :false", [], [(":false", AttributeValue::Bool(false))])),
        );
        let mut writes = self.put_token(&rotated)?;
        writes.push(revoke);
        Ok(match self.transact(writes, deadline).await? {
            TransactionResult::Committed => Some((secret, rotated)),
            TransactionResult::ConditionsFailed(_) => None,
        })
    }

    /// The tokens with this public id: one, but for an unlikely second.
    pub async fn find_tokens(
        &self,
        id: &str,
        deadline: Deadline,
    ) -> Result<Vec<Token>, StoreError> {
        let mut first = Pages::list(DirectoryList::Tokens, id).limited_to(MOST_TOKENS_OF_AN_ID);
        let entries = self.next_page(&mut first, deadline).await?.unwrap_or_default();
        let rows = self.batch_get(&listed(&entries), &[], deadline).await?;
        rows.directory.into_iter().map(|item| Ok(from_item::<TokenItem>(item)?.into())).collect()
    }

    /// Whether any token is kept.
    pub async fn has_tokens(&self, deadline: Deadline) -> Result<bool, StoreError> {
        let mut first = Pages::list(DirectoryList::Tokens, "").limited_to(1);
        let entries = self.next_page(&mut first, deadline).await?;
        Ok(entries.is_some_and(|entries| !entries.is_empty()))
    }

    /// The creation of a token and of its entry in the list of tokens, which the database removes at the
    /// same time.
    fn put_token(&self, token: &Token) -> Result<Vec<Write>, StoreError> {
        let item = to_item(DirectoryKey::token(&token.hash).attributes(), &TokenItem::from(token))?;
        let mut entry = DirectoryKey::token_entry(&token.hash).attributes();
        if let Some(ttl) = item.get(TTL) {
            entry.insert(TTL.to_owned(), ttl.clone());
        }
        Ok(vec![self.put_in_directory(item, None), self.put_in_directory(entry, None)])
    }
}
