//! The worker's side: claims with leases. A worker owns a task only as long as its lease token stands in the
//! queue; everything it writes is written under that token, so that a worker that was given up for dead and comes
//! back changes nothing.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::store;
use crate::agents::SigningSecrets;
use crate::{AgentId, Db, Result, TaskId};

/// How long a lease lasts; renewed while the worker works. A killed worker's tasks are free after this.
pub const LEASE: Duration = Duration::from_secs(10);

/// A task that this worker has, until its lease ends.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The task.
    pub task: TaskId,
    /// What proves that it is ours.
    pub token: Uuid,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// How many attempts ended in a transient error of the agent's.
    pub failures: i32,
    /// Who is to do it.
    pub agent: AgentId,
    /// Where the agent answers.
    pub endpoint: String,
    /// Its card, for the interface to use.
    pub card: Value,
    /// Which skill.
    pub skill: Option<String>,
    /// The requester's message, A2A 1.0 JSON.
    pub message: Value,
    /// The id that the message carries in every attempt.
    pub message_id: Uuid,
    /// The agent's id for this work, when an earlier attempt got that far.
    pub remote_task: Option<String>,
    /// By when it must have ended.
    pub timeout_at: Option<DateTime<Utc>>,
    /// What to sign the request with.
    pub secrets: SigningSecrets,
}

/// Whether a lease still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// Ours, for another [`LEASE`].
    Held,
    /// The task has ended (cancelled, timed out): stop, and tell the agent.
    Ended,
    /// Another worker has it: stop, and tell nobody.
    Lost,
}

/// Takes up to `limit` tasks that are due and free.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(db: &Db, limit: i64) -> Result<Vec<Claim>> {
    store::claim(db, limit, LEASE).await
}

/// Prolongs a lease.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(db: &Db, claim: &Claim) -> Result<Lease> {
    store::renew(db.pool(), claim.task, claim.token, LEASE).await
}

/// Notes that the agent is being called: `running`, from the first attempt on.
///
/// # Errors
/// When the database does not answer.
pub async fn mark_running(db: &Db, claim: &Claim) -> Result<Lease> {
    store::mark_running(db, claim).await
}

/// Notes the agent's own ids for the work, so that a later attempt asks after it instead of sending it again.
///
/// # Errors
/// When the database does not answer.
pub async fn note_remote(db: &Db, claim: &Claim, task: &str, context: Option<&str>) -> Result<()> {
    store::note_remote(db.pool(), claim.task, claim.token, task, context).await
}

/// Tells the requester how far the agent is.
///
/// # Errors
/// When the database does not answer.
pub async fn progress(db: &Db, claim: &Claim, text: &str) -> Result<()> {
    store::progress(db, claim, text).await
}

/// Ends this attempt and lets the task rest until `run_at`.
///
/// # Errors
/// When the database does not answer.
pub async fn try_later(db: &Db, claim: &Claim, error: &str, run_at: DateTime<Utc>) -> Result<()> {
    store::try_later(db, claim, error, run_at).await
}

/// Gives the task back unharmed (this worker is stopping): another takes it up at once.
///
/// # Errors
/// When the database does not answer.
pub async fn give_back(db: &Db, claim: &Claim) -> Result<()> {
    store::give_back(db, claim).await
}
