//! Asking the platform's agent: the request and its first task, all or nothing.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::pick::{self, Candidate, Nobody, Picked, Wishes};
use super::store;
use crate::tasks::pushes::{self, PushConfig};
use crate::tasks::{self, NewTask, Part, Said, told};
use crate::{Actor, Db, Error, FieldError, KeyId, Missing, Result, TaskId};

/// How many of those who fit are looked at when they turn out not to be had: each look is a transaction.
pub(super) const LOOKS: usize = 10;

/// What the platform's agent is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is wanted of the agent.
    pub wishes: Wishes,
    /// What the agent is sent: A2A 1.0 JSON, with an id of the client's.
    pub message: Value,
    /// Its parts.
    pub parts: Vec<Part>,
    /// The conversation; `None`: one of its own.
    pub context: Option<String>,
    /// Seconds until each of its tasks counts as failed.
    pub timeout_seconds: Option<i64>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Ordered {
    /// An agent was hired; the request is told under this id.
    Hired(TaskId),
    /// Nobody fits. Nothing was written, nothing is held.
    Nobody(Nobody),
}

/// Asks the platform's agent: hires the first of those who fit that can be had and paid, and notes where its requester wants to
/// be told.
///
/// # Errors
/// As [`tasks::create_said`]; where all who fit are too dear for the balance or the key, the error of the cheapest of them.
pub async fn order(
    db: &Db,
    actor: &Actor,
    request: &Request,
    push: Option<&PushConfig>,
    now: DateTime<Utc>,
) -> Result<Ordered> {
    actor.user()?;
    let wrong = check(request, push);
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let found = match pick::pick(db, actor, &request.wishes, &request.parts, &[]).await? {
        Picked::Found(found) => found,
        Picked::Nobody(why) => return Ok(Ordered::Nobody(why)),
    };
    let mut passed: Vec<(&Candidate, Error)> = Vec::new();
    for candidate in found.iter().take(LOOKS) {
        let (within, joint) = db.joint().await?;
        match begin(&within, actor, request, (candidate, found.len()), &passed, push, now).await {
            Ok(id) => {
                joint.commit().await?;
                return Ok(Ordered::Hired(id));
            }
            Err(error) if passes(&error) => passed.push((candidate, error)),
            Err(error) => return Err(error),
        }
    }
    let of_money = |e: &Error| matches!(e, Error::InsufficientCredits { .. } | Error::SpendingLimit(_));
    passed.sort_by_key(|(candidate, error)| (!of_money(error), candidate.price));
    Err(passed.into_iter().next().map_or(Error::NotFound(Missing::Agent), |(_, error)| error))
}

fn check(request: &Request, push: Option<&PushConfig>) -> Vec<FieldError> {
    let mut wrong = tasks::check_parts(&request.parts);
    let (wishes, most) = (&request.wishes, 50);
    let long = |text: &String| text.is_empty() || text.len() > 200 || text.contains('\0');
    if wishes.skill.as_ref().is_some_and(long) {
        wrong.push(FieldError::new("skill", "must be 1 to 200 characters"));
    }
    if wishes.tags.len() > most || wishes.tags.iter().any(long) {
        wrong.push(FieldError::new("tags", format!("must be at most {most}, of 1 to 200 characters each")));
    }
    if wishes.max_credits.is_some_and(|c| c.is_negative()) {
        wrong.push(FieldError::new("maxCredits", "cannot be negative"));
    }
    if wishes.min_trust.is_some_and(|t| !(0.0..=100.0).contains(&t)) {
        wrong.push(FieldError::new("minTrust", "must be 0 to 100"));
    }
    if !(1..=5).contains(&wishes.max_agents) {
        wrong.push(FieldError::new("maxAgents", "must be 1 to 5"));
    }
    wrong.extend(push.map(PushConfig::check).unwrap_or_default());
    wrong
}

/// Writes the request with its first task, and whom it passed over before.
async fn begin(
    db: &Db,
    actor: &Actor,
    request: &Request,
    (candidate, of): (&Candidate, usize),
    passed: &[(&Candidate, Error)],
    push: Option<&PushConfig>,
    now: DateTime<Utc>,
) -> Result<TaskId> {
    let id = TaskId(Uuid::now_v7());
    let context = request.context.clone().unwrap_or_else(|| id.to_string());
    let message = told::kept_message(&request.message);
    let task = hire(db, actor, request, &context, candidate, now).await?;
    let mut tx = db.begin(&Actor::System).await?;
    let new = store::NewRoute {
        id,
        user: actor.user()?,
        key: key_of(actor),
        context: &context,
        message: &message,
        wishes: &request.wishes,
        timeout_seconds: request.timeout_seconds,
        task,
    };
    store::insert(&mut tx, &new).await?;
    for (other, error) in passed {
        store::note(&mut tx, id, other.agent, None, &error.to_string()).await?;
    }
    let why = pick::reason(request.wishes.strategy, candidate, of);
    store::note(&mut tx, id, candidate.agent, Some(task), &why).await?;
    tx.commit().await?;
    if let Some(config) = push {
        pushes::set(db, actor, None, task, config).await?;
    }
    Ok(id)
}

fn key_of(actor: &Actor) -> Option<KeyId> {
    match actor {
        Actor::Key { key, .. } => Some(*key),
        Actor::Anonymous | Actor::Session(_) | Actor::System => None,
    }
}

/// Hires one agent for a request, at no more than the request allows.
pub(super) async fn hire(
    db: &Db,
    actor: &Actor,
    request: &Request,
    context: &str,
    candidate: &Candidate,
    now: DateTime<Utc>,
) -> Result<TaskId> {
    let new = NewTask {
        agent: candidate.agent,
        skill: request.wishes.skill.clone(),
        title: String::new(),
        parts: request.parts.clone(),
        max_budget: request.wishes.max_credits,
        // A budget of nothing is none to a task; a price is held to, also that one.
        shown_price: request.wishes.max_credits,
        timeout_seconds: request.timeout_seconds,
        follows: None,
        retry_of: None,
    };
    let said = Said { message: Some(request.message.clone()), context: Some(context.to_owned()) };
    Ok(tasks::create_said(db, actor, new, said, now).await?.id)
}

/// Whether an error says that this agent is not to be had, and another may be.
pub(super) fn passes(error: &Error) -> bool {
    match error {
        Error::AgentOffline(_)
        | Error::NotFound(Missing::Agent)
        | Error::InsufficientCredits { .. }
        | Error::SpendingLimit(_) => true,
        Error::Validation(fields) => {
            fields.iter().all(|f| matches!(f.field.as_str(), "price" | "maxBudgetCredits" | "skill"))
        }
        _ => false,
    }
}
