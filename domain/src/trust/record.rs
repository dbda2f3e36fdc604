//! An ended task as evidence.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::{formula, store};
use crate::{AgentId, Result, TaskId};

/// How a task ended, as far as its agent is to blame or to thank for it. Cancels by the requester and faults of
/// the platform are no evidence and have no variant here.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// Done, in this time.
    Completed(TimeDelta),
    /// The agent failed it, for this reason.
    Failed(String),
    /// The agent did not answer in time.
    TimedOut,
}

/// Notes an ended task and answers with the agent's new score (0 to 100, two decimals). Inside the transaction
/// that ends the task; the caller writes the score to the agent.
///
/// # Errors
/// When the task was noted before: a task ends once.
pub async fn record(
    tx: &mut PgConnection,
    agent: AgentId,
    task: TaskId,
    registered: DateTime<Utc>,
    ended: &Ended,
    now: DateTime<Utc>,
) -> Result<f64> {
    let (event, change, reason) = match ended {
        Ended::Completed(duration) => {
            let ms = duration.num_milliseconds();
            let took = if ms < 1_000 { format!("{ms} ms") } else { format!("{:.1} s", ms as f64 / 1000.0) };
            let reason = format!("Completed in {took}");
            ("task_completed", 1.0, reason)
        }
        Ended::Failed(why) => ("task_failed", -3.0, why.chars().take(200).collect()),
        Ended::TimedOut => ("task_timeout", -4.0, "Did not answer in time".to_owned()),
    };
    store::insert_event(tx, agent, task, event, change, &reason).await?;
    let speed = match ended {
        Ended::Completed(duration) => Some(formula::speed_of(*duration)),
        Ended::Failed(_) | Ended::TimedOut => None,
    };
    let evidence = store::add_ended(tx, agent, speed).await?;
    Ok(formula::score(&evidence, registered, now))
}
