//! The end of a task: state, money and trust together, once.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::dispatch::Claim;
use super::{content, store};
use crate::{Actor, AgentId, Db, Result, TaskId, agents, ledger, trust};

/// What an agent delivered, A2A 1.0 JSON.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// What it made.
    pub artifacts: Vec<Value>,
    /// What it said, after the requester's message.
    pub messages: Vec<Value>,
}

/// Whose doing a failure is. Only the agent's touches the agent's trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The agent said no, broke the protocol or could not be reached.
    Agent,
    /// The agent refused the input, or the requester called it off.
    Requester,
    /// Ours.
    Platform,
}

impl Fault {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Fault::Agent => "agent",
            Fault::Requester => "requester",
            Fault::Platform => "platform",
        }
    }
}

/// A failure: what the requester reads, what the public record says, and whose doing it is.
#[derive(Clone, Debug)]
pub struct Failure {
    /// For the task's parties.
    pub message: String,
    /// For the agent's public record: the kind of failure, nothing of the task's content.
    pub kind: &'static str,
    /// Whose doing.
    pub fault: Fault,
}

/// Completes a task under its lease: the delivery is kept, the hold settled, trust noted. `false`: it had ended
/// or another worker has it, and nothing changed.
///
/// # Errors
/// When the database does not answer; nothing changed.
pub async fn complete(db: &Db, claim: &Claim, delivery: &Delivery, now: DateTime<Utc>) -> Result<bool> {
    let mut tx = db.begin(&Actor::System).await?;
    let Some(task) = store::lock_leased(&mut tx, claim).await? else { return Ok(false) };
    let output = content::output_of(&delivery.artifacts, delivery.messages.last());
    store::complete(&mut tx, claim.task, delivery, &output, now).await?;
    let settled = ledger::settle(&mut tx, claim.task).await?;
    let duration = now - task.started_at.unwrap_or(now);
    if !task.same_owner {
        note_trust(&mut tx, claim.agent, claim.task, &trust::Ended::Completed(duration), now).await?;
    }
    store::close(&mut tx, claim.task, "completed", None).await?;
    store::event(
        &mut tx,
        claim.task,
        "completed",
        serde_json::json!({ "artifacts": delivery.artifacts.len(), "settled": settled.then(|| task.price.to_string()) }),
    )
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// Fails a task under its lease: the hold goes back, trust is noted if the agent is to blame. `false`: it had
/// ended or another worker has it, and nothing changed.
///
/// # Errors
/// When the database does not answer; nothing changed.
pub async fn fail(db: &Db, claim: &Claim, delivery: &Delivery, failure: &Failure, now: DateTime<Utc>) -> Result<bool> {
    let mut tx = db.begin(&Actor::System).await?;
    let Some(task) = store::lock_leased(&mut tx, claim).await? else { return Ok(false) };
    store::fail(&mut tx, claim.task, delivery, &failure.message, failure.fault, now).await?;
    let refunded = ledger::refund(&mut tx, claim.task, "Returned: task failed").await?;
    if failure.fault == Fault::Agent && !task.same_owner {
        let ended = trust::Ended::Failed(failure.kind.to_owned());
        note_trust(&mut tx, claim.agent, claim.task, &ended, now).await?;
    }
    store::close(&mut tx, claim.task, "failed", Some(&failure.message)).await?;
    let data = serde_json::json!({
        "error": failure.message, "fault": failure.fault.as_str(), "refunded": refunded.then(|| task.price.to_string()),
    });
    store::event(&mut tx, claim.task, "failed", data).await?;
    tx.commit().await?;
    Ok(true)
}

/// Ends one overdue task by the clock. The agent is to blame only if it was being waited for at the deadline, or had
/// failed before: where no worker was there to hear an answer, nobody knows that there was none.
pub(super) async fn time_out(db: &Db, id: TaskId, now: DateTime<Utc>) -> Result<bool> {
    let mut tx = db.begin(&Actor::System).await?;
    let Some(task) = store::lock_overdue(&mut tx, id, now).await? else { return Ok(false) };
    let late = task.started_at.is_some() && task.agent_was_late;
    let fault = if late { Fault::Agent } else { Fault::Platform };
    let message = match fault {
        Fault::Agent => "The agent did not answer in time",
        Fault::Requester | Fault::Platform => "The task could not be served in time",
    };
    store::fail(&mut tx, id, &Delivery::default(), message, fault, now).await?;
    let refunded = ledger::refund(&mut tx, id, "Returned: task timed out").await?;
    if let (Fault::Agent, Some(agent), false) = (fault, task.agent, task.same_owner) {
        note_trust(&mut tx, agent, id, &trust::Ended::TimedOut, now).await?;
    }
    store::close(&mut tx, id, "failed", Some(message)).await?;
    let data = serde_json::json!({
        "error": message, "fault": fault.as_str(), "timeout": true, "refunded": refunded.then(|| task.price.to_string()),
    });
    store::event(&mut tx, id, "failed", data).await?;
    tx.commit().await?;
    Ok(true)
}

async fn note_trust(
    tx: &mut PgConnection,
    agent: AgentId,
    task: TaskId,
    ended: &trust::Ended,
    now: DateTime<Utc>,
) -> Result<()> {
    let registered = agents::registered_at(tx, agent).await?;
    let score = trust::record(tx, agent, task, registered, ended, now).await?;
    agents::set_trust_score(tx, agent, score).await
}
