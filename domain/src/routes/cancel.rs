//! What a requester does with a request that is under way.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{RouteState, store, told};
use crate::tasks::{self, Part, TaskState, pushes};
use crate::{Actor, Db, Error, Missing, Result, TaskId};

/// Tries to call off a request whose task ends at the same time.
const TRIES: usize = 5;

/// Calls a request of the actor's off, with the task that runs: its hold comes back at once, and nobody else is asked.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs; [`Error::Conflict`] when it has ended.
pub async fn cancel(db: &Db, actor: &Actor, id: TaskId, now: DateTime<Utc>) -> Result<()> {
    for _ in 0..TRIES {
        told::told(db, actor, id).await?;
        let (within, joint) = db.joint().await?;
        let mut tx = within.begin(&Actor::System).await?;
        let route = store::lock(&mut tx, id, true, now).await?.ok_or(Error::NotFound(Missing::Task))?;
        drop(tx);
        let over = route.state != RouteState::Open || route.task_state == TaskState::Completed;
        if over || route.task_state == TaskState::Cancelled {
            return Err(Error::Conflict("the task has ended".into()));
        }
        let between = route.task_state == TaskState::Failed;
        if !between {
            match tasks::cancel(&within, actor, route.task).await {
                Ok(()) => {}
                // It ended meanwhile: how is to be seen.
                Err(Error::Conflict(_)) => continue,
                Err(error) => return Err(error),
            }
        }
        let mut tx = within.begin(&Actor::System).await?;
        store::end(&mut tx, id, RouteState::Cancelled, None, now).await?;
        if between {
            pushes::tell_again(&mut tx, route.task).await?;
        }
        store::announce(&mut tx, id).await?;
        drop(tx);
        return joint.commit().await;
    }
    Err(Error::Conflict("the task is about to end".into()))
}

/// Answers what the agent of a request of the actor's asks.
///
/// # Errors
/// As [`tasks::reply_said`].
pub async fn reply_said(db: &Db, actor: &Actor, id: TaskId, parts: &[Part], message: Option<&Value>) -> Result<()> {
    let now = told::told(db, actor, id).await?;
    tasks::reply_said(db, actor, now.work, parts, message).await
}
