//! Tasks as they are told to A2A clients: whole, in the protocol's own JSON, and piece by piece as agents stream them.

pub(super) mod store;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::dispatch::Claim;
use super::{TaskState, Waiting};
use crate::{Actor, AgentId, Credits, Cursor, Db, Error, Missing, Page, Result, TaskId, Tx, UserId};

/// Updates of a task were written; payload: the task's id.
pub const TASK_UPDATES: &str = "task_updates";

/// How long pieces are kept for those who are slow to read, after they were written.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::hours(2);

/// A task as its requester's A2A client is told of it. Messages and artifacts are the JSON of A2A 1.0.
#[derive(Clone, Debug)]
pub struct Told {
    /// The task, or the request to the platform's agent that is told as one.
    pub id: TaskId,
    /// The task whose events these are: of a request its newest.
    pub work: TaskId,
    /// How many tasks of a request were begun; 0 for a task.
    pub turn: usize,
    /// What is told beside the protocol's own fields.
    pub metadata: Option<Value>,
    /// Who does it.
    pub agent: Option<AgentId>,
    /// The conversation that it belongs to.
    pub context: String,
    /// Where it is.
    pub state: TaskState,
    /// What it waits for, when its agent asked something.
    pub waiting: Option<Waiting>,
    /// How its agent said that it ended: `completed`, `failed`, `rejected`, `canceled`.
    pub remote_state: Option<String>,
    /// Since when it is where it is.
    pub since: DateTime<Utc>,
    /// What was said before its present state.
    pub history: Vec<Value>,
    /// What its agent said with its present state.
    pub said: Option<Value>,
    /// What was made, so far or in all.
    pub artifacts: Vec<Value>,
    /// Whether its agent answered with a message instead of a task.
    pub answered_by_message: bool,
    /// Why it failed.
    pub error: Option<String>,
    /// What was agreed to be paid.
    pub price: Credits,
    /// What it cost in the end.
    pub cost: Credits,
    /// The number of its last event.
    pub last_seq: i32,
    /// The number of the last piece that was written.
    pub last_update: i64,
}

impl Told {
    /// Where it stands in a list of those whose state changed last first.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor { key: self.since.timestamp_micros().to_string(), id: self.id.0 }
    }
}

/// Which tasks are listed.
#[derive(Clone, Debug, Default)]
pub struct ToldFilter {
    /// Only this agent's.
    pub agent: Option<AgentId>,
    /// Only those of this conversation.
    pub context: Option<String>,
    /// Only those in this state, by its name in A2A, such as `input_required`.
    pub state: Option<String>,
    /// Only those whose state is from then or later.
    pub since: Option<DateTime<Utc>>,
    /// After this one.
    pub after: Option<Cursor>,
}

impl ToldFilter {
    /// What [`Told::cursor`] put into the cursor; [`Error::Validation`] for one of another list.
    pub(crate) fn after_key(&self) -> Result<Option<(DateTime<Utc>, Uuid)>> {
        let Some(cursor) = &self.after else { return Ok(None) };
        let micros = cursor.key.parse::<i64>().ok().and_then(DateTime::from_timestamp_micros);
        Ok(Some((micros.ok_or_else(|| Error::field("pageToken", "is not one that this list gave out"))?, cursor.id)))
    }
}

/// One of the actor's orders. With `agent`: if it is that one's.
///
/// # Errors
/// [`Error::NotFound`] for anything else.
pub async fn told(db: &Db, actor: &Actor, agent: Option<AgentId>, id: TaskId) -> Result<Told> {
    let user = actor.user()?;
    let mut tx = db.begin_snapshot(actor).await?;
    let told = told_within(&mut tx, user, id).await?;
    told.filter(|t| agent.is_none() || t.agent == agent).ok_or(Error::NotFound(Missing::Task))
}

/// The same as part of a transaction; `None` for what is not there.
pub(crate) async fn told_within(tx: &mut Tx, user: UserId, id: TaskId) -> Result<Option<Told>> {
    store::told(tx, user, id).await
}

/// The actor's orders, those whose state changed last first; and how many there are in all.
///
/// # Errors
/// [`Error::Unauthorized`]; [`Error::Validation`] for a cursor of another list.
pub async fn list_told(db: &Db, actor: &Actor, filter: &ToldFilter, limit: usize) -> Result<(Page<Told>, i64)> {
    let user = actor.user()?;
    let after = filter.after_key()?;
    let mut tx = db.begin_snapshot(actor).await?;
    let (rows, total) = store::list(&mut tx, user, filter, after, limit + 1).await?;
    Ok((Page::cut(rows, limit, Told::cursor), total))
}

/// Something that happened to a task, for who follows it.
#[derive(Clone, Debug)]
pub enum News {
    /// An event: its number, kind and time.
    Event(i32, String, DateTime<Utc>),
    /// A piece: its number, body and time.
    Update(i64, Value, DateTime<Utc>),
}

/// What happened to one of the actor's orders after event number `seq` and piece number `update`, in the order in which it
/// happened: some of it, the first, and none left out between.
///
/// # Errors
/// When the database does not answer. Of a task that is not theirs there is nothing.
pub async fn news_after(db: &Db, actor: &Actor, id: TaskId, seq: i32, update: i64) -> Result<Vec<News>> {
    const ROWS: i64 = 500;
    let mut tx = db.begin_snapshot(actor).await?;
    let updates = store::updates_after(&mut tx, id, update, ROWS).await?;
    // With more pieces to come it is not known where an event stands among them.
    let events =
        if updates.len() < ROWS as usize { store::events_after(&mut tx, id, seq, ROWS).await? } else { Vec::new() };
    let mut news = Vec::with_capacity(updates.len() + events.len());
    let mut events = events.into_iter().peekable();
    for (n, body, at) in updates {
        while let Some((seq, kind, at)) = events.next_if(|e| e.2 < at) {
            news.push(News::Event(seq, kind, at));
        }
        news.push(News::Update(n, body, at));
    }
    news.extend(events.map(|(seq, kind, at)| News::Event(seq, kind, at)));
    Ok(news)
}

/// Writes what the agent streamed, under the claim's lease: a worker that has lost it writes nothing. An update is
/// `{"artifact": …, "append": …, "lastChunk": …}`, `{"said": message}`, or `{"taken": true}` for the agent's first word that it
/// has a task.
///
/// # Errors
/// When the database does not answer.
pub async fn relay(db: &Db, claim: &Claim, updates: &[Value]) -> Result<()> {
    store::relay(db.pool(), claim, updates).await
}

/// Removes old pieces.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_updates(db: &Db, now: DateTime<Utc>) -> Result<()> {
    store::forget(db.pool(), now - KEPT).await
}

/// Parts a conversation into its history and the message that goes with the present state.
pub(super) fn part_messages(messages: Vec<Value>, status: Option<&str>) -> (Vec<Value>, Option<Value>) {
    let mut history = messages;
    let with_state = status.and_then(|id| {
        history
            .iter()
            .rposition(|m| m.get("messageId").and_then(Value::as_str) == Some(id) && m["role"] == "ROLE_AGENT")
    });
    let said = with_state.map(|n| history.remove(n));
    (history, said)
}

/// A requester's message as it is kept: its own words, without the names of task and conversation, which are the task's.
pub(crate) fn kept_message(message: &Value) -> Value {
    let mut kept = message.as_object().cloned().unwrap_or_else(Map::new);
    for name in ["taskId", "contextId", "referenceTaskIds"] {
        kept.remove(name);
    }
    Value::Object(kept)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_message_of_the_present_state_is_no_history() {
        let said = |id: &str, role: &str| json!({"messageId": id, "role": role});
        let all =
            vec![said("1", "ROLE_USER"), said("2", "ROLE_AGENT"), said("1", "ROLE_AGENT"), said("3", "ROLE_AGENT")];
        let (history, now) = part_messages(all.clone(), Some("1"));
        assert_eq!(now, Some(all[2].clone()), "clients and agents may use the same ids");
        assert_eq!(history, [all[0].clone(), all[1].clone(), all[3].clone()]);
        assert_eq!(part_messages(all.clone(), None), (all.clone(), None));
        assert_eq!(part_messages(all.clone(), Some("gone")), (all, None));
    }
}
