//! Ending a key, and replacing its secret.

use chrono::{DateTime, TimeDelta, Utc};

use super::{CreatedKey, Token, rules, store};
use crate::{Actor, Db, Error, KeyId, Missing, Result};

/// Revokes one of the actor's keys, or cuts off one of their connections (a key may revoke itself). From the moment this commits no process takes it: keys are
/// looked up at each request. What it was and what it spent stays visible for a while.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs. Revoking twice is no error.
pub async fn revoke(db: &Db, actor: &Actor, id: KeyId, now: DateTime<Utc>) -> Result<()> {
    let user = actor.user()?;
    let mut tx = db.begin(&Actor::System).await?;
    if !store::revoke(&mut tx, user, id, now).await? {
        return Err(Error::NotFound(Missing::Key));
    }
    tx.commit().await?;
    Ok(())
}

/// Gives one of the actor's keys a new secret; all else stays. The former one is good for `grace` more, at most 24 hours.
/// A key may rotate itself, and of other keys only those that can do no more than itself.
///
/// # Errors
/// [`Error::Validation`] of `graceSeconds`; [`Error::Forbidden`]; [`Error::NotFound`]; [`Error::Conflict`] when it is revoked
/// or has expired.
pub async fn rotate(db: &Db, actor: &Actor, id: KeyId, grace: TimeDelta, now: DateTime<Utc>) -> Result<CreatedKey> {
    let user = actor.user()?;
    if grace < TimeDelta::zero() || grace > rules::GRACE_MAX {
        return Err(Error::field("graceSeconds", "must be from 0 to 86400 (24 hours)"));
    }
    let mut tx = db.begin(&Actor::System).await?;
    store::lock_keys_of(&mut tx, user).await?;
    let key = store::find(&mut tx, user, id, now).await?;
    let key = key.filter(|key| !key.is_connection).ok_or(Error::NotFound(Missing::Key))?;
    if !key.works(now) {
        return Err(Error::Conflict("a key that is revoked or expired has no new secret: make a new key".into()));
    }
    if let Actor::Key { key: maker, .. } = actor
        && *maker != id
    {
        let maker = store::find(&mut tx, user, *maker, now).await?.ok_or(Error::Unauthorized)?;
        let same = super::KeyChange::default();
        if let Some(why) = rules::exceeds(&maker, &same.of(&key)) {
            return Err(Error::Forbidden(why));
        }
    }
    let token = Token::fresh();
    store::rotate(&mut tx, id, &token, now, now + grace).await?;
    let key = store::find(&mut tx, user, id, now).await?.ok_or(Error::NotFound(Missing::Key))?;
    tx.commit().await?;
    Ok(CreatedKey { key, token })
}
