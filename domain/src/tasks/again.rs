//! Sending a task again.

use chrono::{DateTime, Utc};

use super::create::{Accepted, NewTask, create};
use super::view;
use crate::{Actor, Credits, Db, Error, Missing, Result, TaskId};

/// Orders the same of the same agent again: a new task at today's price (refused if that is more than was shown), which names
/// the old one. The old one stays as it is.
///
/// # Errors
/// [`Error::Conflict`] while the old one runs; else as [`create`].
pub async fn send_again(
    db: &Db,
    actor: &Actor,
    id: TaskId,
    shown_price: Option<Credits>,
    now: DateTime<Utc>,
) -> Result<Accepted> {
    let old = view::detail(db, actor, id).await?;
    if old.summary.role != view::Role::Requester {
        return Err(Error::NotFound(Missing::Task));
    }
    if !old.summary.state.is_terminal() {
        return Err(Error::Conflict("this task has not ended yet".into()));
    }
    let (Some(agent), Some(first)) = (old.summary.agent, old.messages.into_iter().next()) else {
        return Err(Error::Conflict("this task was never given to an agent".into()));
    };
    let allowed = old.timeout_at.map(|at| (at - old.summary.created_at).num_seconds().clamp(10, 3600));
    let new = NewTask {
        agent,
        skill: old.skill,
        title: old.summary.title,
        parts: first.parts,
        max_budget: None,
        shown_price,
        timeout_seconds: allowed,
        follows: old.follows,
        retry_of: Some(id),
    };
    create(db, actor, new, now).await
}
