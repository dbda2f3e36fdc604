//! Going on with requests whose task has ended: the next agent, or the end.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::order::{self, LOOKS, Request};
use super::pick::{self, Candidate, Picked};
use super::{RouteState, store};
use crate::tasks::{Part, TaskState, pushes};
use crate::{Actor, Db, Error, Result, TaskId};

/// Requests that are looked at in one round.
const BATCH: i64 = 100;

/// Goes on with requests whose task has ended: one that failed by its agent's or our doing goes to the next who fits, until so
/// many were tried as its requester allows; else the request ends. Any number of processes may do so at once: a request is one's
/// alone while it is gone on with, and what is written is one transaction. Answers with how many were gone on with.
///
/// # Errors
/// When the database does not answer.
pub async fn advance(db: &Db, now: DateTime<Utc>) -> Result<usize> {
    let mut done = 0;
    for id in store::due(db.pool(), BATCH).await? {
        match step(db, id, now).await {
            Ok(yes) => done += usize::from(yes),
            Err(error @ Error::Internal(_)) if error.is_of_connection() => return Err(error),
            // One that cannot be gone on with keeps nobody else waiting.
            Err(error) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(request = %id, %error, source, "a request could not be gone on with");
            }
        }
    }
    Ok(done)
}

/// What is to be done with a request now.
enum Next {
    End(RouteState, Option<String>),
    /// Ask somebody else; how many fit.
    Ask(Vec<Candidate>),
}

/// `false`: somebody else has it, or did it.
async fn step(db: &Db, id: TaskId, now: DateTime<Utc>) -> Result<bool> {
    for _ in 0..LOOKS {
        let (within, joint) = db.joint().await?;
        let mut tx = within.begin(&Actor::System).await?;
        let Some(route) = store::lock(&mut tx, id, false, now).await? else { return Ok(false) };
        if route.state != RouteState::Open || !route.task_state.is_terminal() {
            return Ok(false);
        }
        drop(tx);
        let actor = actor_of(&route);
        let request = request_of(&route);
        let found = match next(&within, &actor, &route, &request).await? {
            Next::End(state, why) => {
                end(&within, id, &route, state, why.as_deref(), now).await?;
                joint.commit().await?;
                return Ok(true);
            }
            Next::Ask(found) => found,
        };
        let Some(candidate) = found.first() else { return Ok(false) };
        match order::hire(&within, &actor, &request, &route.context, candidate, now).await {
            Ok(task) => {
                let mut tx = within.begin(&Actor::System).await?;
                let why = pick::reason(route.wishes.strategy, candidate, found.len());
                store::note(&mut tx, id, candidate.agent, Some(task), &why).await?;
                store::set_task(&mut tx, id, task).await?;
                pushes::carry_over(&mut tx, route.task, task).await?;
                store::announce(&mut tx, id).await?;
                drop(tx);
                joint.commit().await?;
                return Ok(true);
            }
            Err(error) if order::passes(&error) => {
                drop(joint);
                pass_over(db, id, &route, candidate, &error, now).await?;
            }
            // Its account or key may order nothing any more.
            Err(error @ (Error::Key(_) | Error::Unauthorized | Error::Forbidden(_))) => {
                drop(joint);
                let (within, joint) = db.joint().await?;
                let mut tx = within.begin(&Actor::System).await?;
                let again = store::lock(&mut tx, id, true, now).await?;
                drop(tx);
                if again.is_some_and(|r| r.state == RouteState::Open && r.task == route.task) {
                    let why = format!("Nobody else could be hired: {error}");
                    end(&within, id, &route, RouteState::Failed, Some(&why), now).await?;
                    joint.commit().await?;
                }
                return Ok(true);
            }
            Err(error) => return Err(error),
        }
    }
    // The rest in the next round.
    Ok(true)
}

async fn next(db: &Db, actor: &Actor, route: &store::Locked, request: &Request) -> Result<Next> {
    let failed = |why: String| Ok(Next::End(RouteState::Failed, Some(why)));
    match route.task_state {
        TaskState::Completed => return Ok(Next::End(RouteState::Completed, None)),
        TaskState::Cancelled => return Ok(Next::End(RouteState::Cancelled, None)),
        _ => {}
    }
    let tried = tried(route.tried);
    if route.unanswered {
        return failed("Nobody answered what the agent asked".into());
    }
    if !route.key_is_good {
        return failed(format!("{tried}, and the key that ordered this is not good any more"));
    }
    if route.tried >= i64::from(route.wishes.max_agents) {
        return failed(tried);
    }
    match pick::pick(db, actor, &request.wishes, &request.parts, &route.asked).await? {
        Picked::Found(found) => Ok(Next::Ask(found)),
        Picked::Nobody(_) => failed(format!("{tried}, and nobody else who fits can be had")),
    }
}

fn tried(n: i64) -> String {
    match n {
        1 => "The agent that was hired failed".into(),
        n => format!("All {n} agents that were hired failed"),
    }
}

async fn end(
    db: &Db,
    id: TaskId,
    route: &store::Locked,
    state: RouteState,
    why: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    store::end(&mut tx, id, state, why, now).await?;
    if state == RouteState::Failed {
        // The task's own failure was told while it was not yet that of the request.
        pushes::tell_again(&mut tx, route.task).await?;
    }
    store::announce(&mut tx, id).await
}

/// Notes that an agent is not to be had, if nobody went on with the request meanwhile.
async fn pass_over(
    db: &Db,
    id: TaskId,
    seen: &store::Locked,
    candidate: &Candidate,
    error: &Error,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    let Some(route) = store::lock(&mut tx, id, true, now).await? else { return Ok(()) };
    if route.state == RouteState::Open && route.task == seen.task && !route.asked.contains(&candidate.agent) {
        store::note(&mut tx, id, candidate.agent, None, &error.to_string()).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn actor_of(route: &store::Locked) -> Actor {
    match route.key {
        Some(key) => Actor::Key { user: route.user, key },
        None => Actor::Session(route.user),
    }
}

fn request_of(route: &store::Locked) -> Request {
    let parts = route.message.get("parts").and_then(Value::as_array);
    Request {
        wishes: route.wishes.clone(),
        message: route.message.clone(),
        parts: parts.into_iter().flatten().filter_map(Part::from_json).collect(),
        context: Some(route.context.clone()),
        timeout_seconds: route.timeout_seconds.map(i64::from),
    }
}
