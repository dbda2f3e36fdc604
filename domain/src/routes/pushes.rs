//! Push notifications of a request: they are those of its newest task, and go on with the next.

use chrono::Utc;

use super::{store, told};
use crate::tasks::pushes::{self, PushConfig};
use crate::{Actor, Db, Error, Missing, Result, TaskId};

/// Notes an address for one of the actor's requests, in place of one of the same name.
///
/// # Errors
/// As [`pushes::set`].
pub async fn set(db: &Db, actor: &Actor, id: TaskId, config: &PushConfig) -> Result<()> {
    told::told(db, actor, id).await?;
    // Locked, so that it is not the next task that is begun meanwhile.
    let (within, joint) = db.joint().await?;
    let mut tx = within.begin(&Actor::System).await?;
    let route = store::lock(&mut tx, id, true, Utc::now()).await?.ok_or(Error::NotFound(Missing::Task))?;
    drop(tx);
    pushes::set(&within, actor, None, route.task, config).await?;
    joint.commit().await
}

/// The addresses of one of the actor's requests, by name.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn list(db: &Db, actor: &Actor, id: TaskId) -> Result<Vec<PushConfig>> {
    let now = told::told(db, actor, id).await?;
    pushes::list(db, actor, None, now.work).await
}

/// Forgets one, and what was to be sent there. One that is not there is no error.
///
/// # Errors
/// [`Error::NotFound`] for the request.
pub async fn delete(db: &Db, actor: &Actor, id: TaskId, config: &str) -> Result<()> {
    told::told(db, actor, id).await?;
    let (within, joint) = db.joint().await?;
    let mut tx = within.begin(&Actor::System).await?;
    store::lock(&mut tx, id, true, Utc::now()).await?.ok_or(Error::NotFound(Missing::Task))?;
    let tasks: Vec<TaskId> = store::hires(&mut tx, id).await?.into_iter().filter_map(|h| h.task).collect();
    drop(tx);
    for task in tasks {
        match pushes::delete(&within, actor, None, task, config).await {
            // One that this key may not see any more was not told of by it.
            Ok(()) | Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    joint.commit().await
}
