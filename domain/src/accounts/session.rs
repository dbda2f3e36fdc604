//! Sessions: rows that the web layer's cookie points at.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::store;
use crate::{Actor, Db, Error, Missing, Result, SessionHandle, UserId};

/// A session as the web layer keeps it.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    /// SHA-256 of the cookie's value.
    pub id: [u8; 32],
    /// Who is signed in.
    pub user: Option<UserId>,
    /// What the web layer remembers.
    pub data: Value,
    /// The browser, as it calls itself.
    pub user_agent: String,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
}

/// A session as its owner sees it.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// What it is ended by.
    pub handle: SessionHandle,
    /// The browser, as it calls itself.
    pub user_agent: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// Whether this is the one that asks.
    pub current: bool,
}

/// Writes a session, new or changed.
///
/// # Errors
/// When the database does not answer.
pub async fn save_session(db: &Db, record: &SessionRecord) -> Result<()> {
    store::save_session(db.pool(), record).await
}

/// The session of an id, if it has not ended; notes its use at most once a minute.
///
/// # Errors
/// When the database does not answer.
pub async fn load_session(db: &Db, id: &[u8; 32], now: DateTime<Utc>) -> Result<Option<SessionRecord>> {
    store::load_session(db.pool(), id, now).await
}

/// Ends a session by its id (sign-out).
///
/// # Errors
/// When the database does not answer.
pub async fn delete_session(db: &Db, id: &[u8; 32]) -> Result<()> {
    store::delete_session(db.pool(), id).await
}

/// Removes sessions that have ended; answers with how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_expired_sessions(db: &Db, now: DateTime<Utc>) -> Result<u64> {
    store::delete_expired_sessions(db.pool(), now).await
}

/// The actor's sessions, newest use first.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn sessions(db: &Db, actor: &Actor, current: &[u8; 32], now: DateTime<Utc>) -> Result<Vec<SessionView>> {
    store::sessions(db.pool(), actor.user()?, current, now).await
}

/// Ends one of the actor's sessions.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs.
pub async fn end_session(db: &Db, actor: &Actor, handle: SessionHandle) -> Result<()> {
    if store::end_session(db.pool(), actor.user()?, handle).await? {
        Ok(())
    } else {
        Err(Error::NotFound(Missing::Session))
    }
}

/// Ends all of the actor's sessions but the one that asks; answers with how many.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn end_other_sessions(db: &Db, actor: &Actor, current: &[u8; 32]) -> Result<u64> {
    store::end_other_sessions(db.pool(), actor.user()?, current).await
}
