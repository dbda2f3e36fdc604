//! The SQL of tasks: `tasks`, `task_events`. The queue's is in `dispatch/store.rs`.
//!
//! Locks are taken in one order everywhere: task, place in the queue, hold, balances, gates, trust, agents. Claims wait for none.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::content::{Artifact, Message};
use super::dispatch::store::{EndedAttempt, HangUp, hang_up, leave};
use super::dispatch::{Claim, Question};
use super::finish::{AgentWord, Fault, Locked};
use super::sweep::ASKING_LIMIT;
use super::{Attempt, Event, Role, TaskCounts, TaskDetail, TaskFilter, TaskState, TaskSummary, Waiting};
use crate::{AgentId, Credits, Error, Missing, Result, TaskId, UserId};

/// A task without an agent.
pub(super) struct Draft<'a> {
    pub title: String,
    pub requester: AgentId,
    pub skill: Option<&'a str>,
    pub input: Value,
    pub messages: Value,
    pub max_budget: Credits,
    pub timeout_at: DateTime<Utc>,
    pub follows: Option<TaskId>,
    pub retry_of: Option<TaskId>,
    /// The conversation; `None`: that of the task that it follows, or one of its own.
    pub context: Option<String>,
}

pub(super) async fn client_agent(tx: &mut PgConnection, user: UserId) -> Result<AgentId> {
    sqlx::query_scalar!(
        r#"SELECT id AS "id: AgentId" FROM agents WHERE owner_user_id = $1 AND kind = 'personal'"#,
        user as UserId
    )
    .fetch_optional(tx)
    .await?
    .ok_or(Error::Unauthorized)
}

pub(super) async fn insert_draft(tx: &mut PgConnection, d: &Draft<'_>) -> Result<TaskId> {
    Ok(sqlx::query_scalar!(
        // An id that rises with time: new tasks, their holds and ledger rows share pages of their indexes.
        r#"INSERT INTO tasks (id, title, requester_agent_id, skill_id, input, messages, max_budget_credits, timeout_at, follows,
                              retry_of, context_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
                   coalesce($11, (SELECT coalesce(b.context_id, b.id::text) FROM tasks b WHERE b.id = $9))) RETURNING id AS "id: TaskId""#,
        Uuid::now_v7(),
        d.title,
        d.requester as AgentId,
        d.skill,
        d.input,
        d.messages,
        d.max_budget as Credits,
        d.timeout_at,
        d.follows as Option<TaskId>,
        d.retry_of as Option<TaskId>,
        d.context
    )
    .fetch_one(tx)
    .await?)
}

pub(super) async fn assign(
    tx: &mut PgConnection,
    id: TaskId,
    agent: AgentId,
    shown_price: Option<Credits>,
) -> Result<Credits> {
    Ok(sqlx::query_scalar!(
        r#"SELECT economy.assign_task($1, $2, $3) AS "held!: Credits""#,
        id as TaskId,
        agent as AgentId,
        shown_price.map(Credits::decimal)
    )
    .fetch_one(tx)
    .await?)
}

pub(super) async fn cancel(tx: &mut PgConnection, id: TaskId) -> Result<()> {
    sqlx::query_scalar!("SELECT economy.cancel_task($1)", id as TaskId).fetch_one(tx).await?;
    Ok(())
}

pub(super) async fn event(tx: &mut PgConnection, id: TaskId, kind: &str, data: Value) -> Result<()> {
    sqlx::query_scalar!("SELECT economy.append_task_event($1, $2, $3)", id as TaskId, kind, data).fetch_one(tx).await?;
    Ok(())
}

// The worker ------------------------------------------------------------------------------------------------------

/// Locks the task of a claim; `None` when the claim does not stand any more.
pub(super) async fn lock_leased(tx: &mut PgConnection, claim: &Claim) -> Result<Option<Locked>> {
    Ok(lock_leased_many(tx, &[claim]).await?.remove(&claim.task).filter(|t| t.token == Some(claim.token)))
}

/// Locks the tasks of these claims that are open, in id order, and then their places in the queue. A claim stands if the
/// token that comes back is its own.
pub(super) async fn lock_leased_many(tx: &mut PgConnection, claims: &[&Claim]) -> Result<BTreeMap<TaskId, Locked>> {
    let ids: Vec<Uuid> = claims.iter().map(|c| c.task.0).collect();
    let mut locked: BTreeMap<TaskId, Locked> = sqlx::query_as!(
        Locked,
        r#"SELECT t.id AS "task: TaskId", NULL::uuid AS token, t.title, t.assigned_agent_id AS "agent: AgentId",
                  t.price_credits AS "price: Credits", t.started_at, r.owner_user_id AS "payer: UserId",
                  r.owner_user_id = a.owner_user_id AS "same_owner!", a.promised_seconds, t.waiting_since,
                  t.status = 'running' AS "running!", t.retry_count AS retries, 0 AS "attempt!", false AS "agent_was_late!"
             FROM tasks t JOIN agents r ON r.id = t.requester_agent_id JOIN agents a ON a.id = t.assigned_agent_id
            WHERE t.id = ANY ($1) AND t.status IN ('assigned', 'running') ORDER BY t.id FOR NO KEY UPDATE OF t"#,
        &ids
    )
    .fetch_all(&mut *tx)
    .await?
    .into_iter()
    .map(|l| (l.task, l))
    .collect();
    let tokens = sqlx::query!(
        r#"SELECT task_id AS "task: TaskId", lease_token, began_at, attempts FROM task_queue WHERE task_id = ANY ($1) ORDER BY task_id FOR UPDATE"#,
        &ids
    )
    .fetch_all(tx)
    .await?;
    for row in tokens {
        if let Some(task) = locked.get_mut(&row.task) {
            task.token = row.lease_token;
            task.started_at = task.started_at.or(row.began_at);
            task.attempt = row.attempts;
        }
    }
    Ok(locked)
}

pub(super) async fn lock_overdue(
    tx: &mut PgConnection,
    ids: &[TaskId],
    now: DateTime<Utc>,
) -> Result<BTreeMap<TaskId, Locked>> {
    let ids: Vec<Uuid> = ids.iter().map(|t| t.0).collect();
    let rows = sqlx::query_as!(
        Locked,
        r#"SELECT t.id AS "task: TaskId", NULL::uuid AS token, t.title, t.assigned_agent_id AS "agent: AgentId",
                  t.price_credits AS "price: Credits", t.started_at, r.owner_user_id AS "payer: UserId",
                  coalesce(r.owner_user_id = a.owner_user_id, true) AS "same_owner!", a.promised_seconds AS "promised_seconds?",
                  t.waiting_since, t.status = 'running' AS "running!", t.retry_count AS retries, 0 AS "attempt!",
                  t.waiting_since IS NULL AND EXISTS (
                    SELECT 1 FROM task_queue q WHERE q.task_id = t.id
                       AND (q.failures > 0 OR q.lease_expires_at >= t.timeout_at
                            OR (q.state = 'polling' AND q.run_at >= t.timeout_at - interval '2 minutes'))) AS "agent_was_late!"
             FROM tasks t JOIN agents r ON r.id = t.requester_agent_id LEFT JOIN agents a ON a.id = t.assigned_agent_id
            WHERE t.id = ANY ($1) AND t.status IN ('pending', 'assigned', 'running')
              AND CASE WHEN t.waiting_since IS NULL THEN t.timeout_at <= $2 ELSE t.waiting_since <= $3 END
            ORDER BY t.id FOR NO KEY UPDATE OF t"#,
        &ids,
        now,
        now - ASKING_LIMIT
    )
    .fetch_all(&mut *tx)
    .await?;
    // In the order in which leases are renewed: the places are deleted later, in whatever order the table has them.
    let locked: Vec<Uuid> = rows.iter().map(|l| l.task.0).collect();
    sqlx::query!("SELECT 1 AS one FROM task_queue WHERE task_id = ANY ($1) ORDER BY task_id FOR UPDATE", &locked)
        .fetch_all(tx)
        .await?;
    Ok(rows.into_iter().map(|l| (l.task, l)).collect())
}

/// Tasks past their deadline, and those whose requester left a question unanswered for too long.
pub(super) async fn overdue(pool: &PgPool, now: DateTime<Utc>) -> Result<Vec<TaskId>> {
    Ok(sqlx::query_scalar!(
        r#"(SELECT id AS "id!: TaskId" FROM tasks
             WHERE timeout_at <= $1 AND status IN ('pending', 'assigned', 'running') AND waiting_since IS NULL
             ORDER BY timeout_at LIMIT 500)
           UNION ALL (SELECT id FROM tasks WHERE waiting_since <= $2 AND status = 'running' ORDER BY waiting_since LIMIT 500)"#,
        now,
        now - ASKING_LIMIT
    )
    .fetch_all(pool)
    .await?)
}

pub(super) async fn set_remote(tx: &mut PgConnection, id: TaskId, task: &str, context: Option<&str>) -> Result<()> {
    sqlx::query!(
        "UPDATE tasks SET remote_task_id = $2, remote_context_id = coalesce($3, remote_context_id) WHERE id = $1",
        id as TaskId,
        task,
        context
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn set_running(
    tx: &mut PgConnection,
    id: TaskId,
    retries: i32,
    started_at: Option<DateTime<Utc>>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE tasks SET status = 'running', started_at = coalesce(started_at, $3, now()), retry_count = $2 WHERE id = $1",
        id as TaskId,
        retries,
        started_at
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn set_artifacts(tx: &mut PgConnection, id: TaskId, artifacts: &[Value]) -> Result<()> {
    sqlx::query!("UPDATE tasks SET artifacts = $2 WHERE id = $1", id as TaskId, Value::Array(artifacts.to_vec()))
        .execute(tx)
        .await?;
    Ok(())
}

/// Stops the task's clock until its requester has answered.
pub(super) async fn wait_for_requester(
    tx: &mut PgConnection,
    id: TaskId,
    question: &Question,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE tasks SET waiting_for = $2, waiting_since = $3, messages = messages || $4, artifacts = $5, status_message_id = $6
          WHERE id = $1",
        id as TaskId,
        if question.auth { "auth" } else { "input" },
        now,
        Value::Array(question.messages.clone()),
        Value::Array(question.artifacts.clone()),
        question.said
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn reply(tx: &mut PgConnection, id: TaskId, message: &Value) -> Result<()> {
    sqlx::query_scalar!("SELECT economy.reply_to_task($1, $2)", id as TaskId, message).fetch_one(tx).await?;
    Ok(())
}

/// A task as it is when it has ended.
pub(super) struct Closing {
    pub task: TaskId,
    pub state: TaskState,
    pub output: Option<Value>,
    pub artifacts: Value,
    /// To be added to the conversation.
    pub messages: Value,
    pub cost: Credits,
    pub error: Option<String>,
    pub fault: Option<Fault>,
    /// The agent could not be made to do it: it may be sent again.
    pub dead_letter: bool,
    /// What its last event says.
    pub event: Value,
    /// How its open attempt ends.
    pub attempt: EndedAttempt,
    /// Who tells the agent, if it is to be told.
    pub hang_up: Option<HangUp>,
    /// When its agent was called first.
    pub started_at: Option<DateTime<Utc>>,
    /// Calls beyond the first.
    pub retries: i32,
    /// What is to be told before its end: that it ran, and from which attempt on.
    pub unsaid: Option<(&'static str, i32)>,
    /// The agent's names for the work, where it said them.
    pub remote_task: Option<String>,
    pub remote_context: Option<String>,
    /// How it ended in the agent's words, if it said so.
    pub word: AgentWord,
}

/// Writes tasks that end, takes them out of the queue and tells of it.
pub(super) async fn close(tx: &mut PgConnection, closings: Vec<Closing>, now: DateTime<Utc>) -> Result<()> {
    let ids: Vec<Uuid> = closings.iter().map(|c| c.task.0).collect();
    let states: Vec<String> = closings.iter().map(|c| c.state.as_str().to_owned()).collect();
    let costs: Vec<_> = closings.iter().map(|c| c.cost.decimal()).collect();
    let faults: Vec<Option<String>> = closings.iter().map(|c| c.fault.map(|f| f.as_str().to_owned())).collect();
    let dead: Vec<bool> = closings.iter().map(|c| c.dead_letter).collect();
    let started: Vec<Option<DateTime<Utc>>> = closings.iter().map(|c| c.started_at).collect();
    let retries: Vec<i32> = closings.iter().map(|c| c.retries).collect();
    let unsaid: Vec<_> = closings.iter().filter_map(|c| Some((c.task.0, c.unsaid?))).collect();
    let untold: Vec<_> = closings.iter().filter_map(|c| Some((c.task, c.hang_up?))).collect();
    let (mut outputs, mut artifacts, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    let (mut remote_tasks, mut contexts) = (Vec::new(), Vec::new());
    let (mut errors, mut events, mut attempts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut said, mut words, mut by_message) = (Vec::new(), Vec::new(), Vec::new());
    for c in closings {
        outputs.push(c.output);
        artifacts.push(c.artifacts);
        messages.push(c.messages);
        errors.push(c.error);
        events.push(c.event);
        remote_tasks.push(c.remote_task);
        contexts.push(c.remote_context);
        said.push(c.word.message);
        words.push(c.word.state.map(str::to_owned));
        by_message.push(c.word.by_message);
        attempts.push(c.attempt);
    }
    sqlx::query!(
        "UPDATE tasks t SET status = d.status, completed_at = $9, output = d.output, artifacts = d.artifacts,
                messages = t.messages || d.messages, actual_cost_credits = d.cost, error_message = d.error, fault = d.fault,
                dead_letter = d.dead, waiting_for = NULL, waiting_since = NULL, started_at = d.started, retry_count = d.retries,
                remote_task_id = coalesce(d.remote, t.remote_task_id), remote_context_id = coalesce(d.context, t.remote_context_id),
                status_message_id = d.said, remote_state = d.word, answered_by_message = d.by_message
           FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::jsonb[], $5::jsonb[], $6::numeric[], $7::text[], $8::text[],
                       $10::bool[], $11::timestamptz[], $12::int[], $13::text[], $14::text[], $15::text[], $16::text[], $17::bool[])
             AS d (id, status, output, artifacts, messages, cost, error, fault, dead, started, retries, remote, context, said, word,
                   by_message)
          WHERE t.id = d.id",
        &ids,
        &states,
        &outputs as &[Option<Value>],
        &artifacts,
        &messages,
        &costs,
        &errors as &[Option<String>],
        &faults as &[Option<String>],
        now,
        &dead,
        &started as &[Option<DateTime<Utc>>],
        &retries,
        &remote_tasks as &[Option<String>],
        &contexts as &[Option<String>],
        &said as &[Option<String>],
        &words as &[Option<String>],
        &by_message
    )
    .execute(&mut *tx)
    .await?;
    hang_up(tx, &untold).await?;
    leave(tx, &attempts, now).await?;
    if !unsaid.is_empty() {
        let ids: Vec<Uuid> = unsaid.iter().map(|u| u.0).collect();
        let kinds: Vec<String> = unsaid.iter().map(|u| u.1.0.to_owned()).collect();
        let data: Vec<Value> = unsaid.iter().map(|u| json!({ "attempt": u.1.1 })).collect();
        sqlx::query!("SELECT economy.append_task_events($1, $2, $3)", &ids, &kinds, &data).fetch_one(&mut *tx).await?;
    }
    sqlx::query!("SELECT economy.append_task_events($1, $2, $3)", &ids, &states, &events).fetch_one(tx).await?;
    Ok(())
}

// What a requester says of a result -------------------------------------------------------------------------------

/// A task whose result its requester is about to judge, its row locked.
pub(super) struct LockedResult {
    pub title: String,
    pub agent: Option<AgentId>,
    /// When it was completed; `None` while it runs, and when it failed.
    pub completed_at: Option<DateTime<Utc>>,
    pub accepted_at: Option<DateTime<Utc>>,
    pub disputed: bool,
    /// What was paid for it.
    pub paid: Credits,
    pub same_owner: bool,
}

pub(super) async fn lock_result(tx: &mut PgConnection, user: UserId, id: TaskId) -> Result<LockedResult> {
    sqlx::query_as!(
        LockedResult,
        r#"SELECT t.title, t.assigned_agent_id AS "agent: AgentId",
                  CASE WHEN t.status = 'completed' THEN t.completed_at END AS completed_at, t.accepted_at,
                  EXISTS (SELECT 1 FROM disputes d WHERE d.task_id = t.id) AS "disputed!", t.actual_cost_credits AS "paid: Credits",
                  coalesce(a.owner_user_id = r.owner_user_id, true) AS "same_owner!"
             FROM tasks t JOIN agents r ON r.id = t.requester_agent_id LEFT JOIN agents a ON a.id = t.assigned_agent_id
            WHERE t.id = $1 AND r.owner_user_id = $2 FOR NO KEY UPDATE OF t"#,
        id as TaskId,
        user as UserId
    )
    .fetch_optional(tx)
    .await?
    .ok_or(Error::NotFound(Missing::Task))
}

pub(super) async fn set_accepted(tx: &mut PgConnection, id: TaskId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!("UPDATE tasks SET accepted_at = $2 WHERE id = $1", id as TaskId, now).execute(tx).await?;
    Ok(())
}

// The parties -----------------------------------------------------------------------------------------------------

/// The columns of a list, as both queries here name them.
struct Row {
    id: TaskId,
    title: String,
    status: String,
    agent: Option<AgentId>,
    agent_name: String,
    requester_name: String,
    requested: bool,
    waiting_for: Option<String>,
    dead_letter: bool,
    price: Credits,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
}

impl Row {
    fn summary(self) -> Result<TaskSummary> {
        let state = TaskState::parse(&self.status)
            .ok_or_else(|| Error::Internal(format!("task {} in unknown state {}", self.id, self.status).into()))?;
        Ok(TaskSummary {
            id: self.id,
            title: self.title,
            state,
            agent: self.agent,
            agent_name: self.agent_name,
            requester_name: self.requester_name,
            role: if self.requested { Role::Requester } else { Role::Provider },
            waiting: match self.waiting_for.as_deref() {
                Some("auth") => Some(Waiting::Auth),
                Some(_) => Some(Waiting::Input),
                None => None,
            },
            dead_letter: self.dead_letter,
            price: self.price,
            created_at: self.created_at,
            started_at: self.started_at,
            completed_at: self.completed_at,
        })
    }
}

pub(super) async fn list(
    tx: &mut PgConnection,
    user: UserId,
    filter: &TaskFilter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: usize,
) -> Result<Vec<TaskSummary>> {
    let (requested, served) = match filter.role {
        None => (true, true),
        Some(Role::Requester) => (true, false),
        Some(Role::Provider) => (false, true),
    };
    let (after_time, after_id) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"WITH mine AS MATERIALIZED (SELECT id FROM agents WHERE owner_user_id = $1)
           SELECT t.id AS "id: TaskId", t.title, t.status, t.assigned_agent_id AS "agent: AgentId",
                  coalesce(economy.agent_name(t.assigned_agent_id), '') AS "agent_name!",
                  coalesce(economy.agent_name(t.requester_agent_id), '') AS "requester_name!",
                  t.requester_agent_id IN (SELECT id FROM mine) AS "requested!", t.waiting_for, t.dead_letter,
                  t.price_credits AS "price: Credits", t.created_at, t.started_at, t.completed_at
             FROM tasks t
            WHERE (($2 AND t.requester_agent_id = ANY (ARRAY(SELECT id FROM mine)))
                OR ($3 AND t.assigned_agent_id = ANY (ARRAY(SELECT id FROM mine))))
              AND ($4::text IS NULL OR t.status = $4)
              AND ($5::timestamptz IS NULL OR (t.created_at, t.id) < ($5, $6::uuid))
              AND (NOT $8 OR t.waiting_for IS NOT NULL) AND (NOT $9 OR t.dead_letter)
            ORDER BY t.created_at DESC, t.id DESC LIMIT $7"#,
        user as UserId,
        requested,
        served,
        filter.state.map(TaskState::as_str),
        after_time,
        after_id,
        limit as i64,
        filter.asking,
        filter.dead_letters
    )
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(Row::summary).collect()
}

/// Whether an account is on one of the sides of a task.
pub(super) async fn has_part(tx: &mut PgConnection, user: UserId, id: TaskId) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM tasks t JOIN agents a ON a.id IN (t.requester_agent_id, t.assigned_agent_id)
                           WHERE t.id = $2 AND a.owner_user_id = $1) AS "found!""#,
        user as UserId,
        id as TaskId
    );
    Ok(found.fetch_one(tx).await?)
}

pub(super) async fn events_after(tx: &mut PgConnection, id: TaskId, after: i32, limit: i64) -> Result<Vec<Event>> {
    let events = sqlx::query_as!(
        Event,
        "SELECT seq, kind, data, created_at FROM task_events WHERE task_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        id as TaskId,
        after,
        limit
    );
    Ok(events.fetch_all(tx).await?)
}

pub(super) async fn detail(tx: &mut PgConnection, user: UserId, id: TaskId) -> Result<Option<TaskDetail>> {
    let row = sqlx::query!(
        r#"WITH mine AS MATERIALIZED (SELECT id FROM agents WHERE owner_user_id = $1)
           SELECT t.id AS "id: TaskId", t.title, t.status, t.assigned_agent_id AS "agent: AgentId",
                  coalesce(economy.agent_name(t.assigned_agent_id), '') AS "agent_name!",
                  coalesce(economy.agent_name(t.requester_agent_id), '') AS "requester_name!",
                  t.requester_agent_id IN (SELECT id FROM mine) AS "requested!", t.waiting_for, t.dead_letter,
                  t.price_credits AS "price: Credits", t.created_at, t.started_at, t.completed_at, t.skill_id, t.messages,
                  t.artifacts, t.error_message, t.actual_cost_credits AS "cost: Credits", t.timeout_at, t.accepted_at,
                  t.follows AS "follows: TaskId", t.retry_of AS "retry_of: TaskId",
                  (SELECT x.status FROM transactions x WHERE x.task_id = t.id) AS hold,
                  w.number AS "attempt?", w.began_at AS "under_way?"
             FROM tasks t LEFT JOIN LATERAL economy.attempt_under_way(t.id) w ON true
            WHERE t.id = $2 AND (t.requester_agent_id IN (SELECT id FROM mine) OR t.assigned_agent_id IN (SELECT id FROM mine))"#,
        user as UserId,
        id as TaskId
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(r) = row else { return Ok(None) };
    let events = sqlx::query_as!(
        Event,
        // The first ones say how it began, the newest what is new.
        r#"SELECT seq AS "seq!", kind AS "kind!", data AS "data!", created_at AS "created_at!" FROM (
             (SELECT * FROM task_events WHERE task_id = $1 ORDER BY seq LIMIT 5) UNION
             (SELECT * FROM task_events WHERE task_id = $1 ORDER BY seq DESC LIMIT 200)) e ORDER BY seq"#,
        id as TaskId
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut attempts = sqlx::query_as!(
        Attempt,
        r#"SELECT number, started_at, ended_at AS "ended_at?", outcome AS "outcome?", error, http_status FROM task_attempts
            WHERE task_id = $1 ORDER BY number DESC LIMIT 50"#,
        id as TaskId
    )
    .fetch_all(&mut *tx)
    .await?;
    attempts.reverse();
    attempts.extend(r.under_way.map(|since| Attempt {
        number: r.attempt.unwrap_or(1),
        started_at: since,
        ended_at: None,
        outcome: None,
        error: None,
        http_status: None,
    }));
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    Ok(Some(TaskDetail {
        skill: r.skill_id,
        messages: items(&r.messages).iter().map(Message::from_json).collect(),
        artifacts: items(&r.artifacts).iter().map(Artifact::from_json).collect(),
        last_seq: events.last().map_or(0, |e| e.seq),
        events,
        error: r.error_message,
        hold: r.hold,
        cost: r.cost,
        timeout_at: r.timeout_at,
        attempts,
        accepted_at: r.accepted_at,
        follows: r.follows,
        retry_of: r.retry_of,
        summary: Row {
            id: r.id,
            title: r.title,
            status: r.status,
            agent: r.agent,
            agent_name: r.agent_name,
            requester_name: r.requester_name,
            requested: r.requested,
            waiting_for: r.waiting_for,
            dead_letter: r.dead_letter,
            price: r.price,
            created_at: r.created_at,
            started_at: r.started_at,
            completed_at: r.completed_at,
        }
        .summary()?,
    }))
}

pub(super) async fn counts(tx: &mut PgConnection, user: UserId) -> Result<TaskCounts> {
    Ok(sqlx::query_as!(
        TaskCounts,
        r#"WITH mine AS MATERIALIZED (SELECT id FROM agents WHERE owner_user_id = $1),
           ordered AS (SELECT status, completed_at, waiting_for FROM tasks WHERE requester_agent_id IN (SELECT id FROM mine)),
           served AS (SELECT status FROM tasks WHERE assigned_agent_id IN (SELECT id FROM mine))
           SELECT (SELECT count(*) FROM ordered WHERE status IN ('pending', 'assigned', 'running')) AS "open!",
                  (SELECT count(*) FROM ordered WHERE waiting_for IS NOT NULL) AS "asking!",
                  (SELECT count(*) FROM ordered WHERE status = 'completed') AS "completed!",
                  (SELECT count(*) FROM ordered WHERE status = 'failed' AND completed_at > now() - interval '7 days')
                    AS "failed_lately!",
                  (SELECT count(*) FROM served WHERE status IN ('assigned', 'running')) AS "serving!",
                  (SELECT count(*) FROM served WHERE status = 'completed') AS "served!""#,
        user as UserId
    )
    .fetch_one(tx)
    .await?)
}

pub(super) async fn has_history(pool: &PgPool, agent: AgentId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM tasks WHERE assigned_agent_id = $1) AS "any!""#,
        agent as AgentId
    )
    .fetch_one(pool)
    .await?)
}
