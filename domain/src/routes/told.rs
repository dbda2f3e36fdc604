//! Requests as they are told to A2A clients: as one task, over all the tasks that were tried.

use serde_json::{Value, json};

use super::{RouteState, store};
use crate::tasks::told::{self as task_told, Told, ToldFilter};
use crate::tasks::{TaskState, Waiting};
use crate::{Actor, AgentId, Db, Error, Missing, Page, Result, TaskId, Tx};

/// Metadata of a request as it is told: whom it hired last, at which price, with which task.
pub const HIRED: &str = "urn:nexus:hired";

/// Whom a request went to, or passed over.
#[derive(Clone, Debug)]
pub struct Hire {
    /// Where among them, from 1.
    pub position: i32,
    /// Who.
    pub agent: AgentId,
    /// What it is called now.
    pub name: String,
    /// Its task; `None`: it was passed over.
    pub task: Option<TaskId>,
    /// Why this one, or why not.
    pub why: String,
}

/// One of the actor's requests.
///
/// # Errors
/// [`Error::NotFound`] for anything else, and where the actor's key may not see whom it hired.
pub async fn told(db: &Db, actor: &Actor, id: TaskId) -> Result<Told> {
    let user = actor.user()?;
    let mut tx = db.begin_snapshot(actor).await?;
    let row = store::find(&mut tx, Some(user), id).await?.ok_or(Error::NotFound(Missing::Task))?;
    compose_within(&mut tx, row).await?.ok_or(Error::NotFound(Missing::Task))
}

/// The actor's requests, those whose state changed last first; and how many there are in all. The filter's agent is passed over.
///
/// # Errors
/// [`Error::Unauthorized`]; [`Error::Validation`] for a cursor of another list.
pub async fn list_told(db: &Db, actor: &Actor, filter: &ToldFilter, limit: usize) -> Result<(Page<Told>, i64)> {
    let user = actor.user()?;
    let after = filter.after_key()?;
    let mut tx = db.begin_snapshot(actor).await?;
    let (ids, total) = store::list(&mut tx, user, filter, after, limit + 1).await?;
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(row) = store::find(&mut tx, Some(user), id).await? else { continue };
        all.extend(compose_within(&mut tx, row).await?);
    }
    Ok((Page::cut(all, limit, Told::cursor), total))
}

/// The request that a task is or was of, for those who tell its requester.
///
/// # Errors
/// When the database does not answer.
pub async fn of_task(db: &Db, task: TaskId) -> Result<Option<Told>> {
    let mut tx = db.begin_snapshot(&Actor::System).await?;
    let Some(id) = store::of_task(&mut tx, task).await? else { return Ok(None) };
    let Some(row) = store::find(&mut tx, None, id).await? else { return Ok(None) };
    compose_within(&mut tx, row).await
}

/// `None`: who asks may not see the newest task.
async fn compose_within(tx: &mut Tx, row: store::Row) -> Result<Option<Told>> {
    let mut went = Vec::new();
    for hire in store::hires(tx, row.id).await? {
        let task = match hire.task {
            Some(task) => task_told::told_within(tx, row.user, task).await?,
            None => None,
        };
        went.push((hire, task));
    }
    Ok(compose(row, went))
}

/// One task of many: the requester's message, then for each who was asked that it was, and what was said with it.
fn compose(row: store::Row, went: Vec<(Hire, Option<Told>)>) -> Option<Told> {
    let turn = went.iter().filter(|(hire, _)| hire.task.is_some()).count();
    let mut history = vec![row.message.clone()];
    let mut now: Option<(Hire, Told)> = None;
    for (hire, task) in went {
        let Some(mut task) = task else {
            history.push(notice(&row, &hire, now.as_ref().map(|(h, t)| (h, t)), None));
            continue;
        };
        history.push(notice(&row, &hire, now.as_ref().map(|(h, t)| (h, t)), Some(&task)));
        // The first of its messages is the request's.
        history.extend(task.history.drain(..).skip(1));
        if hire.task != Some(row.task) {
            history.extend(task.said.take());
        }
        now = Some((hire, task));
    }
    let (hire, task) = now.filter(|(hire, _)| hire.task == Some(row.task))?;
    let metadata = json!({ HIRED: {
        "agentId": hire.agent, "agent": hire.name, "price": task.price.to_string(), "taskId": task.id,
        "strategy": row.strategy, "tried": turn,
    }});
    let mut told = Told {
        id: row.id,
        work: task.id,
        turn,
        metadata: Some(metadata),
        context: row.context,
        history,
        // It was asked to hire, which is a task.
        answered_by_message: false,
        ..task
    };
    match (row.state, told.state) {
        (RouteState::Cancelled, _) => told.state = TaskState::Cancelled,
        (RouteState::Failed, _) => {
            told.history.extend(told.said.take());
            let last = told.error.take().map(|e| format!(". {} failed last: {e}", hire.name)).unwrap_or_default();
            told.error = Some(row.error.unwrap_or_default() + &last);
            told.remote_state = None;
            told.state = TaskState::Failed;
        }
        // Somebody else is about to be asked.
        (_, TaskState::Failed) => {
            told.history.extend(told.said.take());
            (told.state, told.error, told.remote_state) = (TaskState::Running, None, None);
            told.artifacts.clear();
        }
        _ => {}
    }
    if told.state.is_terminal() {
        told.waiting = None::<Waiting>;
    }
    told.since =
        row.ended_at.filter(|_| matches!(row.state, RouteState::Failed | RouteState::Cancelled)).unwrap_or(told.since);
    Some(told)
}

/// What the platform's agent says of whom it hired (`task`) or passed over, and why the one before is not at it any more.
fn notice(row: &store::Row, hire: &Hire, before: Option<(&Hire, &Told)>, task: Option<&Told>) -> Value {
    let failed = before.map(|(hire, task)| {
        let why = task.error.as_deref().unwrap_or("it ended without a result");
        format!("{} failed: {}. ", hire.name, why.trim_end_matches('.'))
    });
    let failed = failed.unwrap_or_default();
    let mut message = json!({ "messageId": format!("{}-{}", row.id, hire.position), "role": "ROLE_AGENT" });
    let text = match (task, hire.task) {
        (Some(task), _) => {
            message["metadata"] = json!({ HIRED: {
                "agentId": hire.agent, "agent": hire.name, "price": task.price.to_string(), "taskId": task.id }});
            format!("{failed}I hired {}, {}.", hire.name, hire.why)
        }
        (None, Some(_)) => format!("{failed}I hired {}, {}.", hire.name, hire.why),
        (None, None) => format!("I passed over {}: {}.", hire.name, hire.why),
    };
    message["parts"] = json!([{ "text": text }]);
    message
}

/// Where in the history it is said that the newest of a request's agents was hired; 0 where that is not.
pub fn last_notice_at(told: &Told) -> usize {
    let ours = format!("{}-", told.id);
    let is_ours = |m: &Value| m["messageId"].as_str().is_some_and(|id| id.starts_with(&ours));
    told.history.iter().rposition(|m| is_ours(m) && m["metadata"].get(HIRED).is_some()).unwrap_or_default()
}
