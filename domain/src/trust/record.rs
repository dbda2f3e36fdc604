//! An ended task as evidence.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use sqlx::PgConnection;

use super::{Evidence, formula, store};
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

/// An ended task as evidence about its agent.
#[derive(Clone, Debug)]
pub struct Evidenced {
    /// Who did it.
    pub agent: AgentId,
    /// What.
    pub task: TaskId,
    /// How it ended.
    pub ended: Ended,
}

/// Notes ended tasks and answers with their agents' sums, each agent once. Inside the transaction that ends the tasks; the
/// caller computes the scores ([`formula::score`]) and writes them to the agents.
///
/// # Errors
/// When a task was noted before: a task ends once.
pub async fn record(tx: &mut PgConnection, ended: &[Evidenced]) -> Result<Vec<(AgentId, Evidence)>> {
    if ended.is_empty() {
        return Ok(Vec::new());
    }
    let events: Vec<store::NewEvent> = ended.iter().map(event_of).collect();
    store::insert_events(tx, &events).await?;
    let mut sums: BTreeMap<AgentId, (i64, i64, f64)> = BTreeMap::new();
    for e in ended {
        let sum = sums.entry(e.agent).or_default();
        match e.ended {
            Ended::Completed(duration) => {
                sum.0 += 1;
                sum.2 += formula::speed_of(duration);
            }
            Ended::Failed(_) | Ended::TimedOut => sum.1 += 1,
        }
    }
    store::add_ended(tx, &sums).await
}

fn event_of(e: &Evidenced) -> store::NewEvent {
    let (kind, change, reason) = match &e.ended {
        Ended::Completed(duration) => {
            let ms = duration.num_milliseconds();
            let took = if ms < 1_000 { format!("{ms} ms") } else { format!("{:.1} s", ms as f64 / 1000.0) };
            ("task_completed", 1, format!("Completed in {took}"))
        }
        Ended::Failed(why) => ("task_failed", -3, why.chars().take(200).collect()),
        Ended::TimedOut => ("task_timeout", -4, "Did not answer in time".to_owned()),
    };
    store::NewEvent { agent: e.agent, task: e.task, kind, change, reason }
}
