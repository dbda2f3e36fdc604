//! Disputes: opening one is only noted, what it ends with counts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Evidence, store};
use crate::{AgentId, Error, Result, TaskId};

/// Notes that a task is disputed. It changes no score: who is right is not known yet.
///
/// # Errors
/// [`Error::Conflict`] when that was noted before.
pub async fn dispute_opened(tx: &mut PgConnection, agent: AgentId, task: TaskId, now: DateTime<Utc>) -> Result<()> {
    let event = store::NewEvent::of(agent, task, "dispute_opened", -1.0, "The result is disputed".into());
    match store::insert_events(tx, &[event], now).await? {
        1 => Ok(()),
        _ => Err(Error::Conflict("this task was disputed before".into())),
    }
}

/// Notes how a dispute ended and answers with the agent's sums. `refunded_share` is what the requester got back of the
/// price, 0 to 1: that much of what is still there of the completed task becomes a failure, and its speed becomes 0.
/// A task that counted for nothing, or was no completion, changes no sum.
///
/// # Errors
/// [`Error::Conflict`] when the task's dispute was noted as ended before.
pub async fn dispute_resolved(
    tx: &mut PgConnection,
    agent: AgentId,
    task: TaskId,
    refunded_share: f64,
    now: DateTime<Utc>,
) -> Result<Vec<(AgentId, Evidence)>> {
    let share = if refunded_share.is_finite() { refunded_share.clamp(0.0, 1.0) } else { 0.0 };
    let mut agents = store::lock_agents(tx, &BTreeMap::from([(agent, (0, 0))])).await?;
    let (change, reason) = if share > 0.0 {
        (-6.0 * share, format!("A dispute ended with {:.0} % returned", share * 100.0))
    } else {
        (1.0, "A dispute ended with nothing returned".to_owned())
    };
    let event = store::NewEvent::of(agent, task, "dispute_resolved", change, reason);
    if store::insert_events(tx, &[event], now).await? != 1 {
        return Err(Error::Conflict("this task's dispute has ended before".into()));
    }
    if let Some((payer, mark, marked)) = store::mark_of(tx, agent, task).await? {
        let mut pairs = store::pairs(tx, &[(agent, payer)]).await?;
        let evidence = agents.entry(agent).or_default();
        if let Some(pair) = pairs.get_mut(&(agent, payer)) {
            evidence.take_back(pair, &mark, marked, share, now);
        }
        store::write_evidence(tx, &agents).await?;
        store::write_pairs(tx, &pairs).await?;
    }
    Ok(agents.into_iter().collect())
}
