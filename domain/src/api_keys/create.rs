//! Making a key.

use chrono::{DateTime, Utc};

use super::{ApiKey, Scopes, Token, rules, store};
use crate::{Actor, AgentId, Credits, Db, Error, Result};

/// A key as it is asked for.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What it is for; 1 to 100 characters.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// The only agents that it may hire, manage and see tasks of.
    pub agents: Option<Vec<AgentId>>,
    /// The most it may hold a day (UTC).
    pub daily_cap: Option<Credits>,
    /// The most it may hold a calendar month (UTC).
    pub monthly_cap: Option<Credits>,
    /// The most it may hold in all.
    pub total_cap: Option<Credits>,
    /// Its own rate limit.
    pub requests_per_minute: Option<i32>,
}

impl NewKey {
    /// A key of this name and these scopes, without other limits.
    pub fn named(name: impl Into<String>, scopes: Scopes) -> NewKey {
        NewKey {
            name: name.into(),
            scopes,
            expires_at: None,
            agents: None,
            daily_cap: None,
            monthly_cap: None,
            total_cap: None,
            requests_per_minute: None,
        }
    }
}

/// A new key and the one sight of its secret.
#[derive(Clone, Debug)]
pub struct CreatedKey {
    /// The key.
    pub key: ApiKey,
    /// What programs send.
    pub token: Token,
}

/// Makes a key for the actor.
///
/// # Errors
/// [`Error::Validation`]; [`Error::Forbidden`] when a key asks for more than it has; [`Error::Conflict`] at
/// [`rules::KEYS_MAX`] keys.
pub async fn create(db: &Db, actor: &Actor, new: NewKey, now: DateTime<Utc>) -> Result<CreatedKey> {
    let user = actor.user()?;
    let wrong = rules::check_new(&new, now);
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let token = Token::fresh();
    let mut tx = db.begin(&Actor::System).await?;
    store::lock_keys_of(&mut tx, user).await?;
    if let Actor::Key { key, .. } = actor {
        let maker = store::find(&mut tx, user, *key, now).await?.ok_or(Error::Unauthorized)?;
        if let Some(why) = rules::exceeds(&maker, &new) {
            return Err(Error::Forbidden(why));
        }
    }
    if store::count(&mut tx, user).await? >= rules::KEYS_MAX {
        return Err(Error::Conflict(format!("an account has at most {} keys: revoke one", rules::KEYS_MAX)));
    }
    if let Some(agents) = &new.agents {
        store::check_agents(&mut tx, agents).await?;
    }
    let id = store::insert(&mut tx, user, &new, &token).await?;
    let key = store::find(&mut tx, user, id, now).await?.ok_or(Error::Unauthorized)?;
    tx.commit().await?;
    Ok(CreatedKey { key, token })
}
