//! The worker's side: claims with leases. A worker owns a task only as long as its lease token stands in the
//! queue; everything it writes is written under that token, so that a worker that was given up for dead and comes
//! back changes nothing.
//!
//! What is claimed follows `economy.claim_tasks`: the fair order between requesters, each agent's limit, and its gate
//! ([`breaker`]).

pub mod breaker;
pub mod cancels;
pub(super) mod store;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::finish::{self, Delivery, Failure, Fault, Outcome};
use super::retry::MAX_QUESTIONS;
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
    /// Which it is since the requester last said something, from 1.
    pub since_reply: i32,
    /// How often the agent has asked its requester something.
    pub questions: i32,
    /// How many attempts ended in a transient error of the agent's.
    pub failures: i32,
    /// Who is to do it.
    pub agent: AgentId,
    /// Where the agent answers.
    pub endpoint: String,
    /// Its card, for the interface to use.
    pub card: Value,
    /// The protocol that its last test call found, where no card says so.
    pub protocol: Option<String>,
    /// Which skill.
    pub skill: Option<String>,
    /// The requester's message that is to be sent, A2A 1.0 JSON.
    pub message: Value,
    /// Its place in the conversation: 0 is the order, what comes later answers a question of the agent's.
    pub message_no: i32,
    /// The ids of what the agent has said before, where the message answers it.
    pub said: Vec<String>,
    /// The id that the message carries in every attempt.
    pub message_id: Uuid,
    /// Whether the agent has taken the message: then it is asked after the task, not sent it again.
    pub sent: bool,
    /// The agent's id for this work, when an earlier attempt got that far.
    pub remote_task: Option<String>,
    /// The agent's id for the conversation, also from an earlier task that this one follows.
    pub context: Option<String>,
    /// The agent's id of the task that this one follows.
    pub reference: Option<String>,
    /// What the agent must show when it rings about this task.
    pub push_token: String,
    /// By when it must have ended.
    pub timeout_at: Option<DateTime<Utc>>,
    /// When the agent was first called.
    pub started_at: Option<DateTime<Utc>>,
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

/// A call that came to nothing.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// What the task's parties read.
    pub error: String,
    /// The HTTP status, where one came.
    pub status: Option<u16>,
}

/// What an agent asks its requester for.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whether something is to be done elsewhere (`auth-required`) rather than answered here (`input-required`).
    pub auth: bool,
    /// The agent's id for the work.
    pub remote_task: String,
    /// The agent's id for the conversation.
    pub context: Option<String>,
    /// What it said, A2A 1.0 JSON.
    pub messages: Vec<Value>,
    /// What it made so far.
    pub artifacts: Vec<Value>,
    /// The id of the message that is the question, among what it said.
    pub said: Option<String>,
}

impl Question {
    /// What the requester is told of it: its subject and text. What the agent says is read on the task's page, where it is
    /// plain who says it.
    fn mail(&self, task: TaskId, title: &str) -> (&'static str, String) {
        let (subject, wants) = if self.auth {
            ("An agent asks you for access", "asks you for access to something")
        } else {
            ("An agent asks you something", "asks you something")
        };
        let body = format!(
            "The agent that works on “{title}” {wants}. It goes on when you have answered on the task's page.\n\n\
             Its deadline stands still meanwhile. After seven days without an answer the task fails, and what was held for it \
             comes back.\n\n/tasks/{task}"
        );
        (subject, body)
    }
}

/// Takes up to `limit` tasks that are due and free, and begins an attempt for each. A task whose agent answers later is the
/// same attempt as before. That a task runs is noted when its agent does not answer at once ([`mark_running`]).
///
/// # Errors
/// When the database does not answer.
pub async fn claim(db: &Db, limit: i64) -> Result<Vec<Claim>> {
    store::claim(db.pool(), limit, LEASE).await
}

/// Prolongs leases, all in one statement; the answers are in the order asked.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(db: &Db, leases: &[(TaskId, Uuid)]) -> Result<Vec<Lease>> {
    store::renew(db.pool(), leases, LEASE).await
}

/// Notes that the agent has been called and works: `running`, and each later attempt. Everything else that is noted of a claim
/// notes this first; the end of an agent that answers at once says it all in one.
///
/// # Errors
/// When the database does not answer.
pub async fn mark_running(db: &Db, claim: &Claim) -> Result<()> {
    store::mark_running(db, claim).await
}

/// Notes that the agent has taken the message, and its own ids for the work, so that a later attempt asks after it instead
/// of sending it again.
///
/// # Errors
/// When the database does not answer.
pub async fn note_remote(db: &Db, claim: &Claim, task: &str, context: Option<&str>) -> Result<()> {
    store::note_remote(db, claim, task, context).await
}

/// Tells the requester how far the agent is.
///
/// # Errors
/// When the database does not answer.
pub async fn progress(db: &Db, claim: &Claim, text: &str) -> Result<()> {
    store::progress(db, claim, text).await
}

/// Shows the requester what the agent has made so far; the end replaces it.
///
/// # Errors
/// When the database does not answer.
pub async fn show_artifacts(db: &Db, claim: &Claim, artifacts: &[Value]) -> Result<()> {
    store::show_artifacts(db, claim, artifacts).await
}

/// Ends this attempt and lets the task rest until `run_at`. Counts against the agent's gate; `jitter` in [0, 1).
///
/// # Errors
/// When the database does not answer.
pub async fn try_later(db: &Db, claim: &Claim, trouble: &Trouble, run_at: DateTime<Utc>, jitter: f64) -> Result<()> {
    store::try_later(db, claim, trouble, run_at, jitter).await
}

/// Leaves the task with its agent, which answers later: it is asked at `run_at`, or as soon as it rings.
///
/// # Errors
/// When the database does not answer.
pub async fn poll_later(db: &Db, claim: &Claim, run_at: DateTime<Utc>) -> Result<()> {
    store::poll_later(db, claim, run_at).await
}

/// Puts the agent's question to the requester, who is told by mail. The clock stands still until they reply
/// ([`super::reply()`]). One question more than [`MAX_QUESTIONS`] ends the task instead; that is nobody's fault but the
/// platform's, whose rule it is.
///
/// # Errors
/// When the database does not answer.
pub async fn ask(db: &Db, claim: &Claim, question: &Question, now: DateTime<Utc>) -> Result<()> {
    if claim.questions >= MAX_QUESTIONS {
        let message =
            format!("The agent asked more than {MAX_QUESTIONS} questions, which is as many as one task may have");
        let failure = Failure { message, kind: "Asked too often", fault: Fault::Platform };
        let delivery = Delivery {
            artifacts: question.artifacts.clone(),
            messages: question.messages.clone(),
            task: Some(question.remote_task.clone()),
            context: question.context.clone(),
            ..Delivery::default()
        };
        return finish::end_many(db, &[(claim.clone(), Outcome::Stopped(delivery, failure))], now).await.map(|_| ());
    }
    store::ask(db, claim, question, now).await
}

/// Gives the task back unharmed (this worker is stopping): another takes it up at once.
///
/// # Errors
/// When the database does not answer.
pub async fn give_back(db: &Db, claim: &Claim) -> Result<()> {
    store::give_back(db, claim).await
}

/// An agent rings: there is news of a task. Nothing of what it says is believed; it is asked. `false`: no such task is open,
/// or the token is not that task's.
///
/// # Errors
/// When the database does not answer.
pub async fn ring(db: &Db, task: TaskId, token: &str) -> Result<bool> {
    store::ring(db.pool(), task, token).await
}
