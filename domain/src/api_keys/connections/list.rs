//! Connections as their owner sees them, and what is forgotten of them.

use chrono::{DateTime, TimeDelta, Utc};

use super::{redirect, store};
use crate::api_keys::ApiKey;
use crate::api_keys::store as keys;
use crate::{Actor, Db, Error, KeyId, Missing, Result};

/// A client that is never connected is forgotten after this.
const UNUSED: TimeDelta = TimeDelta::days(1);
/// A code is known for this long after its end.
const CODE_KEPT: TimeDelta = TimeDelta::days(1);
/// A used refresh token is known for this long.
const REFRESH_KEPT: TimeDelta = TimeDelta::days(30);

/// A connected client.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The key that it is; it is named as the client calls itself.
    pub key: ApiKey,
    /// Where its answers go, for people.
    pub place: String,
    /// The part of the site it may use, as a path.
    pub resource: String,
}

/// The actor's connections, newest first; those cut off more than 30 days ago are left out.
///
/// # Errors
/// [`crate::Error::Unauthorized`].
pub async fn list(db: &Db, actor: &Actor, now: DateTime<Utc>) -> Result<Vec<Connection>> {
    let user = actor.user()?;
    let mut tx = db.begin(&Actor::System).await?;
    let keys = keys::list(&mut tx, user, true, now).await?;
    let mut known = store::details(&mut tx, user).await?;
    let found = keys.into_iter().filter_map(|key| {
        let (redirects, resource) = known.remove(&key.id)?;
        let place = redirects.first().map(|uri| redirect::place(uri)).unwrap_or_default();
        Some(Connection { key, place, resource })
    });
    Ok(found.collect())
}

/// Cuts one of the actor's connections off: from the moment this commits no process takes its tokens, and it gets no new ones.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs, or a key of another kind. Twice is no error.
pub async fn cut_off(db: &Db, actor: &Actor, id: KeyId, now: DateTime<Utc>) -> Result<()> {
    let user = actor.user()?;
    let mut tx = db.begin(&Actor::System).await?;
    let key = keys::find(&mut tx, user, id, now).await?.filter(|key| key.is_connection);
    let key = key.ok_or(Error::NotFound(Missing::Key))?;
    keys::revoke(&mut tx, user, key.id, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Forgets clients that nobody connected within a day, and codes and tokens that are long over.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_old(db: &Db, now: DateTime<Utc>) -> Result<()> {
    store::forget_clients(db.pool(), now - UNUSED).await?;
    store::forget_codes(db.pool(), now - CODE_KEPT).await?;
    store::forget_access(db.pool(), now - TimeDelta::days(1)).await?;
    store::forget_refresh(db.pool(), now - REFRESH_KEPT).await
}
