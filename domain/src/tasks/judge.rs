//! What a requester says of a result: accepted, rated.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{standing, store};
use crate::trust::{self, NewRating};
use crate::{Actor, Db, Error, Result, TaskId};

/// Accepts a result of the actor's: from then on it cannot be disputed.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs; [`Error::Conflict`] when it is not completed, or was accepted or disputed.
pub async fn accept(db: &Db, actor: &Actor, id: TaskId, now: DateTime<Utc>) -> Result<()> {
    let user = actor.user()?;
    let mut tx = db.begin(&Actor::System).await?;
    let result = store::lock_result(&mut tx, user, id).await?;
    if result.completed_at.is_none() {
        return Err(Error::Conflict("only a completed task has a result to accept".into()));
    }
    if result.accepted_at.is_some() || result.disputed {
        return Err(Error::Conflict("this result was accepted or disputed already".into()));
    }
    store::set_accepted(&mut tx, id, now).await?;
    store::event(&mut tx, id, "accepted", json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// Rates a task that the actor paid for, once: 1 to 5 stars, and words that everybody may read.
///
/// # Errors
/// [`Error::Validation`]; [`Error::NotFound`] when it is not theirs; [`Error::Forbidden`] when nothing was paid for it, or the
/// agent is their own; [`Error::Conflict`] when it has not been completed, or was rated before.
pub async fn rate(db: &Db, actor: &Actor, id: TaskId, stars: u8, text: &str, now: DateTime<Utc>) -> Result<()> {
    let user = actor.user()?;
    let mut tx = db.begin(&Actor::System).await?;
    let result = store::lock_result(&mut tx, user, id).await?;
    let (Some(agent), Some(_)) = (result.agent, result.completed_at) else {
        return Err(Error::Conflict("a task is rated after it has completed".into()));
    };
    // Who pays nothing has nothing at stake; who owns both sides talks of themselves.
    if result.same_owner || !result.paid.is_positive() {
        return Err(Error::Forbidden("only who paid another's agent for this task may rate it".into()));
    }
    let sums = trust::rate(&mut tx, &NewRating { agent, task: id, payer: user, stars, text: text.trim() }, now).await?;
    standing::write(&mut tx, &sums, now).await?;
    store::event(&mut tx, id, "rated", json!({ "stars": stars })).await?;
    tx.commit().await?;
    Ok(())
}

/// Computes anew what only time has changed: scores of agents about which nothing was noted for a day. Answers with how many.
///
/// # Errors
/// When the database does not answer.
pub async fn refresh_scores(db: &Db, now: DateTime<Utc>) -> Result<usize> {
    let mut tx = db.begin(&Actor::System).await?;
    let stale = trust::stale(&mut tx, now - chrono::TimeDelta::days(1), 500).await?;
    standing::write(&mut tx, &stale, now).await?;
    tx.commit().await?;
    Ok(stale.len())
}
