//! Changing what a key may do. Its secret stays.

use chrono::{DateTime, Utc};

use super::{ApiKey, NewKey, Scopes, rules, store};
use crate::{Actor, AgentId, Credits, Db, Error, KeyId, Missing, Result};

/// What changes; `None` stays as it is, and `Some(None)` takes a limit away.
#[derive(Clone, Debug, Default)]
pub struct KeyChange {
    /// What it is for.
    pub name: Option<String>,
    /// What it may do.
    pub scopes: Option<Scopes>,
    /// When it ends by itself.
    pub expires_at: Option<Option<DateTime<Utc>>>,
    /// The only agents that it may hire, manage and see tasks of.
    pub agents: Option<Option<Vec<AgentId>>>,
    /// The most it may hold a day (UTC).
    pub daily_cap: Option<Option<Credits>>,
    /// The most it may hold a calendar month (UTC).
    pub monthly_cap: Option<Option<Credits>>,
    /// The most it may hold in all.
    pub total_cap: Option<Option<Credits>>,
    /// Its own rate limit.
    pub requests_per_minute: Option<Option<i32>>,
}

impl KeyChange {
    pub(super) fn of(self, key: &ApiKey) -> NewKey {
        NewKey {
            name: self.name.unwrap_or_else(|| key.name.clone()),
            scopes: self.scopes.unwrap_or_else(|| key.scopes.clone()),
            expires_at: self.expires_at.unwrap_or(key.expires_at),
            agents: self.agents.unwrap_or_else(|| key.agents.clone()),
            daily_cap: self.daily_cap.unwrap_or(key.daily_cap),
            monthly_cap: self.monthly_cap.unwrap_or(key.monthly_cap),
            total_cap: self.total_cap.unwrap_or(key.total_cap),
            requests_per_minute: self.requests_per_minute.unwrap_or(key.requests_per_minute),
        }
    }
}

/// Changes one of the actor's keys; the next request is measured by it. A key cannot change itself, and no other into one
/// that can do more than itself.
///
/// # Errors
/// [`Error::Validation`]; [`Error::Forbidden`]; [`Error::NotFound`] when it is not theirs; [`Error::Conflict`] when it is revoked.
pub async fn change(db: &Db, actor: &Actor, id: KeyId, change: KeyChange, now: DateTime<Utc>) -> Result<ApiKey> {
    let user = actor.user()?;
    let wrong = rules::check_change(&change, now);
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let mut tx = db.begin(&Actor::System).await?;
    store::lock_keys_of(&mut tx, user).await?;
    let key = store::find(&mut tx, user, id, now).await?;
    let key = key.filter(|key| !key.is_connection).ok_or(Error::NotFound(Missing::Key))?;
    if key.revoked_at.is_some() {
        return Err(Error::Conflict("a revoked key does not change".into()));
    }
    let becomes = change.of(&key);
    if let Actor::Key { key: maker, .. } = actor {
        if *maker == id {
            return Err(Error::Forbidden("a key cannot change itself".into()));
        }
        let maker = store::find(&mut tx, user, *maker, now).await?.ok_or(Error::Unauthorized)?;
        // Neither may it loosen a key that is narrower or wider than itself.
        let before = KeyChange::default().of(&key);
        if let Some(why) = rules::exceeds(&maker, &becomes).or_else(|| rules::exceeds(&maker, &before)) {
            return Err(Error::Forbidden(why));
        }
    }
    if let Some(agents) = &becomes.agents {
        store::check_agents(&mut tx, agents).await?;
    }
    store::update(&mut tx, id, &becomes).await?;
    let key = store::find(&mut tx, user, id, now).await?.ok_or(Error::NotFound(Missing::Key))?;
    tx.commit().await?;
    Ok(key)
}

/// Holds the actor's keys still until the (joint) transaction ends, so that one that was looked at is the one that is changed.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn lock(db: &Db, actor: &Actor) -> Result<()> {
    let user = actor.user()?;
    let mut tx = db.begin(&Actor::System).await?;
    store::lock_keys_of(&mut tx, user).await?;
    tx.commit().await?;
    Ok(())
}
