//! Calling a task off.

use super::store;
use crate::{Actor, Db, Result, TaskId};

/// Cancels a task of the actor's: the hold comes back at once. An agent that has taken it is told, by the worker that holds the
/// conversation or by whoever finds that written down ([`super::dispatch::cancels`]).
///
/// # Errors
/// [`crate::Error::NotFound`] when it is not theirs; [`crate::Error::Conflict`] when it has ended.
pub async fn cancel(db: &Db, actor: &Actor, id: TaskId) -> Result<()> {
    actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::cancel(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}
