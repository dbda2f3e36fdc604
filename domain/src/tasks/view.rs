//! Tasks as their parties see them.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::content::{Artifact, Message, Part};
use super::{TaskState, store};
use crate::{Actor, AgentId, Credits, Cursor, Db, Error, Missing, Page, Result, TaskId};

/// On which side of a task somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// They ordered it.
    Requester,
    /// Their agent does it.
    Provider,
}

/// What a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// An answer in the conversation.
    Input,
    /// Something that the requester does elsewhere, such as giving access; then an answer.
    Auth,
}

/// A task in a list.
#[derive(Clone, Debug)]
pub struct TaskSummary {
    /// The task.
    pub id: TaskId,
    /// What it is called.
    pub title: String,
    /// Where it is.
    pub state: TaskState,
    /// Who does it.
    pub agent: Option<AgentId>,
    /// What that agent is called.
    pub agent_name: String,
    /// What the requester is called.
    pub requester_name: String,
    /// Which side the actor is on; the requester's where both.
    pub role: Role,
    /// What it waits for, when its agent asked its requester something.
    pub waiting: Option<Waiting>,
    /// Whether the agent could not be made to do it: it may be sent again.
    pub dead_letter: bool,
    /// The agreed price.
    pub price: Credits,
    /// When it was ordered.
    pub created_at: DateTime<Utc>,
    /// When the agent was called.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

/// A task on its own page.
#[derive(Clone, Debug)]
pub struct TaskDetail {
    /// What a list shows.
    pub summary: TaskSummary,
    /// Which skill was hired.
    pub skill: Option<String>,
    /// What was said, oldest first.
    pub messages: Vec<Message>,
    /// What was made.
    pub artifacts: Vec<Artifact>,
    /// What happened, oldest first.
    pub events: Vec<Event>,
    /// Why it failed.
    pub error: Option<String>,
    /// What became of the price: `pending` (held), `settled`, `refunded`; `None` where no credits moved.
    pub hold: Option<String>,
    /// What it cost in the end.
    pub cost: Credits,
    /// By when it must end.
    pub timeout_at: Option<DateTime<Utc>>,
    /// The calls of the agent, oldest first; the newest 50 where there were more.
    pub attempts: Vec<Attempt>,
    /// How many events there are; the oldest are left out of [`TaskDetail::events`] where there are many.
    pub last_seq: i32,
    /// When its requester accepted the result.
    pub accepted_at: Option<DateTime<Utc>>,
    /// The task whose conversation it goes on with.
    pub follows: Option<TaskId>,
    /// The task that it repeats.
    pub retry_of: Option<TaskId>,
}

/// One call of a task's agent, with all questions after the task that belong to it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: i32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How: `completed`, `failed`, `retried`, `cancelled`, `lost` (the worker was gone), `asked`.
    pub outcome: Option<String>,
    /// Why it came to nothing.
    pub error: Option<String>,
    /// The HTTP status, where it was one that says something.
    pub http_status: Option<i32>,
}

impl TaskDetail {
    /// What the agent last said of its progress.
    pub fn progress(&self) -> Option<&str> {
        self.events.iter().rev().find(|e| e.kind == "progress").and_then(|e| e.data.get("text")).and_then(Value::as_str)
    }

    /// Whether the actor is asked something.
    pub fn asks_actor(&self) -> bool {
        self.summary.waiting.is_some() && self.summary.role == Role::Requester
    }
}

/// Something that happened to a task.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number, from 1, without gaps.
    pub seq: i32,
    /// What: `created`, `assigned`, `running`, `progress`, `artifact`, `asks`, `reply`, `retry`, `completed`, `failed`,
    /// `cancelled`, `accepted`, `rated`, `disputed`, `dispute`, `dispute_ended`.
    pub kind: String,
    /// Particulars.
    pub data: Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A text field of an event's particulars; empty when there is none.
pub fn event_data_text<'a>(event: &'a Event, key: &str) -> &'a str {
    event.data.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Which tasks.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// Only where the actor is on this side.
    pub role: Option<Role>,
    /// Only in this state.
    pub state: Option<TaskState>,
    /// Only those that wait for the requester's answer.
    pub asking: bool,
    /// Only those whose agent could not be made to do them.
    pub dead_letters: bool,
    /// After this one.
    pub after: Option<Cursor>,
}

/// How many tasks of the actor's are where.
#[derive(Clone, Copy, Debug, Default)]
pub struct TaskCounts {
    /// Ordered by them and not ended.
    pub open: i64,
    /// Ordered by them and waiting for their answer.
    pub asking: i64,
    /// Ordered by them and completed.
    pub completed: i64,
    /// Ordered by them and failed within the last week.
    pub failed_lately: i64,
    /// Being done by their agents.
    pub serving: i64,
    /// Done by their agents.
    pub served: i64,
}

/// The actor's tasks, newest first.
///
/// # Errors
/// [`Error::Unauthorized`]; [`Error::Validation`] for a cursor of another list.
pub async fn list(db: &Db, actor: &Actor, filter: &TaskFilter, limit: usize) -> Result<Page<TaskSummary>> {
    let user = actor.user()?;
    let after = match &filter.after {
        Some(cursor) => {
            let micros = cursor.key.parse::<i64>().ok().and_then(DateTime::from_timestamp_micros);
            Some((micros.ok_or_else(|| Error::field("cursor", "is not one that this list gave out"))?, cursor.id))
        }
        None => None,
    };
    let mut tx = db.begin(actor).await?;
    let rows = store::list(&mut tx, user, filter, after, limit + 1).await?;
    Ok(Page::cut(rows, limit, |t| Cursor { key: t.created_at.timestamp_micros().to_string(), id: t.id.0 }))
}

/// One of the actor's tasks. Its parts fit together: a task whose events say that it has ended has ended.
///
/// # Errors
/// [`Error::NotFound`] when they have no part in it.
pub async fn detail(db: &Db, actor: &Actor, id: TaskId) -> Result<TaskDetail> {
    let user = actor.user()?;
    let mut tx = db.begin_snapshot(actor).await?;
    store::detail(&mut tx, user, id).await?.ok_or(Error::NotFound(Missing::Task))
}

/// What happened to one of the actor's tasks after event number `after`, at most `limit` events, none left out.
///
/// # Errors
/// [`Error::NotFound`] when they have no part in it.
pub async fn events_after(db: &Db, actor: &Actor, id: TaskId, after: i32, limit: i64) -> Result<Vec<Event>> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    if !store::has_part(&mut tx, user, id).await? {
        return Err(Error::NotFound(Missing::Task));
    }
    store::events_after(&mut tx, id, after, limit).await
}

/// A part of an artifact of one of the actor's tasks, both counted from 0.
///
/// # Errors
/// [`Error::NotFound`] when they have no part in the task, or it has no such part.
pub async fn file(db: &Db, actor: &Actor, id: TaskId, artifact: usize, part: usize) -> Result<Part> {
    let task = detail(db, actor, id).await?;
    let found = task.artifacts.into_iter().nth(artifact).and_then(|a| a.parts.into_iter().nth(part));
    found.ok_or(Error::NotFound(Missing::Task))
}

/// How many tasks of the actor's are where.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn counts(db: &Db, actor: &Actor) -> Result<TaskCounts> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::counts(&mut tx, user).await
}

/// Whether an agent was ever hired; the demo makes its history only once.
///
/// # Errors
/// When the database does not answer.
pub async fn has_history(db: &Db, agent: AgentId) -> Result<bool> {
    store::has_history(db.pool(), agent).await
}
