//! Agents that are to be told that a task of theirs is over. It is written down with the end of the task, and changes nothing
//! of it: neither what the agent answers, nor that it cannot be reached.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::store;
use crate::agents::SigningSecrets;
use crate::{Db, Result, TaskId};

/// How often it is tried. An agent that was not reached then finds out by itself.
const TRIES: i32 = 3;
/// The wait before the second try; twice as long before the third. Longer than one try takes, so that none is made twice.
const PAUSE: Duration = Duration::from_secs(15);

/// An agent to be told.
#[derive(Clone, Debug)]
pub struct Cancel {
    /// The task that is over.
    pub task: TaskId,
    /// The agent's id for it.
    pub remote_task: String,
    /// Which try this is, from 1.
    pub tries: i32,
    /// Where the agent answers.
    pub endpoint: String,
    /// Its card, for the interface to use.
    pub card: Value,
    /// The protocol that its last test call found, where no card says so.
    pub protocol: Option<String>,
    /// What to sign the request with.
    pub secrets: SigningSecrets,
}

impl Cancel {
    /// Whether no other try follows.
    pub fn is_last(&self) -> bool {
        self.tries >= TRIES
    }
}

/// Agents to be told now, at most `limit`. Each is put off as it is taken up, so that processes share the work and one that is
/// killed loses nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn due(db: &Db, limit: i64, now: DateTime<Utc>) -> Result<Vec<Cancel>> {
    store::due_cancels(db.pool(), limit, now, PAUSE).await
}

/// The agent of this task was told, or is given up.
///
/// # Errors
/// When the database does not answer.
pub async fn done(db: &Db, task: TaskId) -> Result<()> {
    store::forget_cancel(db.pool(), task).await
}
