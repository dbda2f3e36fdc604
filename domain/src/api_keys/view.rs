//! Keys as their owner sees them.

use chrono::{DateTime, Utc};

use super::{Scopes, store};
use crate::{Actor, AgentId, Credits, Db, Error, KeyId, Missing, Result};

/// A key; its secret is not kept.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// The key.
    pub id: KeyId,
    /// What it is for.
    pub name: String,
    /// The first 12 characters of the secret.
    pub prefix: String,
    /// What it may do.
    pub scopes: Scopes,
    /// The only agents that it may hire, manage and see tasks of; `None` is any.
    pub agents: Option<Vec<AgentId>>,
    /// The most it may hold a day (UTC).
    pub daily_cap: Option<Credits>,
    /// The most it may hold a calendar month (UTC).
    pub monthly_cap: Option<Credits>,
    /// The most it may hold in all.
    pub total_cap: Option<Credits>,
    /// Held today and not returned.
    pub spent_today: Credits,
    /// Held this month and not returned.
    pub spent_this_month: Credits,
    /// Held in all and not returned.
    pub spent_total: Credits,
    /// Its own rate limit; `None` leaves the account's alone.
    pub requests_per_minute: Option<i32>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When its secret was last replaced.
    pub rotated_at: Option<DateTime<Utc>>,
    /// Until when the secret before that is good.
    pub former_good_until: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Whether it is a connection ([`super::connections`]): then it has no secret, and is not changed as keys are.
    pub is_connection: bool,
}

impl ApiKey {
    /// Whether it is held to a sum or to chosen agents.
    pub fn is_narrow(&self) -> bool {
        self.agents.is_some()
            || self.daily_cap.is_some()
            || self.monthly_cap.is_some()
            || self.total_cap.is_some()
            || self.requests_per_minute.is_some()
    }

    /// Whether programs can use it now.
    pub fn works(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }
}

/// The actor's keys without connections, newest first; those revoked more than 30 days ago are left out.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn list(db: &Db, actor: &Actor, now: DateTime<Utc>) -> Result<Vec<ApiKey>> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::list(&mut tx, user, false, now).await
}

/// One of the actor's keys; a connection is none.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs.
pub async fn find(db: &Db, actor: &Actor, id: KeyId, now: DateTime<Utc>) -> Result<ApiKey> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    let found = store::find(&mut tx, user, id, now).await?;
    found.filter(|key| !key.is_connection).ok_or(Error::NotFound(Missing::Key))
}

/// The key that acts, whether one that a person made or a connection.
///
/// # Errors
/// [`Error::Unauthorized`] where none does.
pub async fn current(db: &Db, actor: &Actor, now: DateTime<Utc>) -> Result<ApiKey> {
    let Actor::Key { user, key } = *actor else { return Err(Error::Unauthorized) };
    let mut tx = db.begin(actor).await?;
    store::find(&mut tx, user, key, now).await?.ok_or(Error::Unauthorized)
}
