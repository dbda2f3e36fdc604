//! The SQL of tasks: `tasks`, `task_queue`, `task_attempts`, `task_events`.
//!
//! Locks are taken in one order everywhere: task, hold, balances, queue.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::content::{Artifact, Message};
use super::dispatch::{Claim, Lease};
use super::finish::{Fault, Locked};
use super::{Event, Role, TaskCounts, TaskDetail, TaskFilter, TaskState, TaskSummary};
use crate::agents::SigningSecrets;
use crate::{Actor, AgentId, Credits, Db, Error, Result, TaskId, UserId};

/// A task without an agent.
pub(super) struct Draft<'a> {
    pub title: String,
    pub requester: AgentId,
    pub skill: Option<&'a str>,
    pub input: Value,
    pub messages: Value,
    pub max_budget: Credits,
    pub timeout_at: DateTime<Utc>,
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
        r#"INSERT INTO tasks (id, title, requester_agent_id, skill_id, input, messages, max_budget_credits, timeout_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id AS "id: TaskId""#,
        Uuid::now_v7(),
        d.title,
        d.requester as AgentId,
        d.skill,
        d.input,
        d.messages,
        d.max_budget as Credits,
        d.timeout_at
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

pub(super) async fn claim(db: &Db, limit: i64, lease: Duration) -> Result<Vec<Claim>> {
    let mut tx = db.begin(&Actor::System).await?;
    let rows = sqlx::query!(
        r#"WITH due AS (
             SELECT task_id FROM task_queue
              WHERE run_at <= now() AND (lease_expires_at IS NULL OR lease_expires_at <= now())
              ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED),
           taken AS (
             UPDATE task_queue q SET attempts = q.attempts + 1, lease_token = uuid_generate_v4(),
                    lease_expires_at = now() + make_interval(secs => $2)
               FROM due WHERE q.task_id = due.task_id
             RETURNING q.task_id, q.lease_token, q.attempts, q.failures, q.message_id)
           SELECT q.task_id AS "task: TaskId", q.lease_token AS "token!", q.attempts, q.failures, q.message_id,
                  a.id AS "agent: AgentId", a.endpoint, a.agent_card AS card, t.skill_id AS skill, t.messages -> 0 AS "message!",
                  t.remote_task_id AS remote_task, t.timeout_at, s.secret AS "secret?",
                  CASE WHEN s.previous_expires_at > now() THEN s.previous END AS previous
             FROM taken q JOIN tasks t ON t.id = q.task_id JOIN agents a ON a.id = t.assigned_agent_id
             LEFT JOIN agent_secrets s ON s.agent_id = a.id"#,
        limit,
        lease.as_secs_f64()
    )
    .fetch_all(&mut *tx)
    .await?;
    let tasks: Vec<Uuid> = rows.iter().map(|r| r.task.0).collect();
    let numbers: Vec<i32> = rows.iter().map(|r| r.attempts).collect();
    // An attempt that is still open belonged to a worker that was killed.
    sqlx::query!(
        "UPDATE task_attempts SET ended_at = now(), outcome = 'lost', error = 'The worker stopped'
          WHERE task_id = ANY ($1) AND ended_at IS NULL",
        &tasks
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "INSERT INTO task_attempts (task_id, number) SELECT * FROM unnest($1::uuid[], $2::int[])",
        &tasks,
        &numbers
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(rows
        .into_iter()
        .map(|r| Claim {
            task: r.task,
            token: r.token,
            attempt: r.attempts,
            failures: r.failures,
            agent: r.agent,
            endpoint: r.endpoint,
            card: r.card,
            skill: r.skill,
            message: r.message,
            message_id: r.message_id,
            remote_task: r.remote_task,
            timeout_at: r.timeout_at,
            secrets: SigningSecrets([r.secret, r.previous].into_iter().flatten().collect()),
        })
        .collect())
}

pub(super) async fn renew(pool: &PgPool, id: TaskId, token: Uuid, lease: Duration) -> Result<Lease> {
    let done = sqlx::query!(
        "UPDATE task_queue SET lease_expires_at = now() + make_interval(secs => $3) WHERE task_id = $1 AND lease_token = $2",
        id as TaskId,
        token,
        lease.as_secs_f64()
    )
    .execute(pool)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(Lease::Held);
    }
    let status =
        sqlx::query_scalar!("SELECT status FROM tasks WHERE id = $1", id as TaskId).fetch_optional(pool).await?;
    let ended = status.and_then(|s| TaskState::parse(&s)).is_none_or(TaskState::is_terminal);
    Ok(if ended { Lease::Ended } else { Lease::Lost })
}

/// Locks the task of a claim; `false` when the claim does not stand any more.
pub(super) async fn lock_leased(tx: &mut PgConnection, claim: &Claim) -> Result<bool> {
    Ok(lock_leased_many(tx, &[claim]).await?.get(&claim.task).is_some_and(|t| t.token == Some(claim.token)))
}

/// Locks the tasks of these claims that are open, in id order, and then their places in the queue. A claim stands if the
/// token that comes back is its own.
pub(super) async fn lock_leased_many(tx: &mut PgConnection, claims: &[&Claim]) -> Result<BTreeMap<TaskId, Locked>> {
    let ids: Vec<Uuid> = claims.iter().map(|c| c.task.0).collect();
    let mut locked: BTreeMap<TaskId, Locked> = sqlx::query_as!(
        Locked,
        r#"SELECT t.id AS "task: TaskId", NULL::uuid AS token, t.title, t.assigned_agent_id AS "agent: AgentId",
                  t.price_credits AS "price: Credits", t.started_at, r.owner_user_id = a.owner_user_id AS "same_owner!",
                  false AS "agent_was_late!"
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
        r#"SELECT task_id AS "task: TaskId", lease_token FROM task_queue WHERE task_id = ANY ($1) ORDER BY task_id FOR UPDATE"#,
        &ids
    )
    .fetch_all(tx)
    .await?;
    for row in tokens {
        if let Some(task) = locked.get_mut(&row.task) {
            task.token = row.lease_token;
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
                  t.price_credits AS "price: Credits", t.started_at,
                  coalesce(r.owner_user_id = a.owner_user_id, true) AS "same_owner!",
                  EXISTS (SELECT 1 FROM task_queue q WHERE q.task_id = t.id
                             AND (q.failures > 0 OR q.lease_expires_at >= t.timeout_at)) AS "agent_was_late!"
             FROM tasks t JOIN agents r ON r.id = t.requester_agent_id LEFT JOIN agents a ON a.id = t.assigned_agent_id
            WHERE t.id = ANY ($1) AND t.status IN ('pending', 'assigned', 'running') AND t.timeout_at <= $2
            ORDER BY t.id FOR NO KEY UPDATE OF t"#,
        &ids,
        now
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|l| (l.task, l)).collect())
}

pub(super) async fn overdue(pool: &PgPool, now: DateTime<Utc>) -> Result<Vec<TaskId>> {
    Ok(sqlx::query_scalar!(
        r#"SELECT id AS "id: TaskId" FROM tasks
            WHERE timeout_at <= $1 AND status IN ('pending', 'assigned', 'running') ORDER BY timeout_at LIMIT 500"#,
        now
    )
    .fetch_all(pool)
    .await?)
}

pub(super) async fn mark_running(db: &Db, claim: &Claim) -> Result<Lease> {
    let mut tx = db.begin(&Actor::System).await?;
    if !lock_leased(&mut tx, claim).await? {
        drop(tx);
        return renew(db.pool(), claim.task, claim.token, super::dispatch::LEASE).await;
    }
    let started = sqlx::query!(
        "UPDATE tasks SET status = 'running', started_at = coalesce(started_at, now()) WHERE id = $1 AND status = 'assigned'",
        claim.task as TaskId
    )
    .execute(&mut *tx)
    .await?
    .rows_affected()
        == 1;
    if started {
        event(&mut tx, claim.task, "running", json!({ "attempt": claim.attempt })).await?;
    } else {
        sqlx::query!("UPDATE tasks SET retry_count = $2 WHERE id = $1", claim.task as TaskId, claim.attempt - 1)
            .execute(&mut *tx)
            .await?;
        event(&mut tx, claim.task, "retry", json!({ "attempt": claim.attempt })).await?;
    }
    tx.commit().await?;
    Ok(Lease::Held)
}

pub(super) async fn note_remote(
    pool: &PgPool,
    id: TaskId,
    token: Uuid,
    task: &str,
    context: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE tasks SET remote_task_id = $3, remote_context_id = $4
          WHERE id = $1 AND EXISTS (SELECT 1 FROM task_queue WHERE task_id = $1 AND lease_token = $2)",
        id as TaskId,
        token,
        task,
        context
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn progress(db: &Db, claim: &Claim, text: &str) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    if lock_leased(&mut tx, claim).await? {
        event(&mut tx, claim.task, "progress", json!({ "text": text })).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn end_attempt(tx: &mut PgConnection, id: TaskId, outcome: &str, error: Option<&str>) -> Result<()> {
    sqlx::query!(
        "UPDATE task_attempts SET ended_at = now(), outcome = $2, error = $3 WHERE task_id = $1 AND ended_at IS NULL",
        id as TaskId,
        outcome,
        error
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn try_later(db: &Db, claim: &Claim, error: &str, run_at: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    if !lock_leased(&mut tx, claim).await? {
        return Ok(());
    }
    end_attempt(&mut tx, claim.task, "retried", Some(error)).await?;
    sqlx::query!(
        "UPDATE task_queue SET run_at = $2, failures = failures + 1, lease_token = NULL, lease_expires_at = NULL WHERE task_id = $1",
        claim.task as TaskId,
        run_at
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn give_back(db: &Db, claim: &Claim) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    if !lock_leased(&mut tx, claim).await? {
        return Ok(());
    }
    end_attempt(&mut tx, claim.task, "lost", Some("The worker was stopped")).await?;
    // Not the agent's doing, so it is not counted as a failure.
    sqlx::query!(
        "UPDATE task_queue SET run_at = now(), lease_token = NULL, lease_expires_at = NULL WHERE task_id = $1",
        claim.task as TaskId
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query_scalar!(r#"SELECT 1 AS "one!" FROM pg_notify('task_queue', '')"#).fetch_one(&mut *tx).await?;
    tx.commit().await?;
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
    /// What its last event says.
    pub event: Value,
}

/// Writes tasks that end, ends their open attempts, takes them out of the queue and tells of it.
pub(super) async fn close(tx: &mut PgConnection, closings: &[Closing], now: DateTime<Utc>) -> Result<()> {
    let ids: Vec<Uuid> = closings.iter().map(|c| c.task.0).collect();
    let states: Vec<String> = closings.iter().map(|c| c.state.as_str().to_owned()).collect();
    let outputs: Vec<Option<Value>> = closings.iter().map(|c| c.output.clone()).collect();
    let artifacts: Vec<Value> = closings.iter().map(|c| c.artifacts.clone()).collect();
    let messages: Vec<Value> = closings.iter().map(|c| c.messages.clone()).collect();
    let costs: Vec<_> = closings.iter().map(|c| c.cost.decimal()).collect();
    let errors: Vec<Option<String>> = closings.iter().map(|c| c.error.clone()).collect();
    let faults: Vec<Option<String>> = closings.iter().map(|c| c.fault.map(|f| f.as_str().to_owned())).collect();
    sqlx::query!(
        "UPDATE tasks t SET status = d.status, completed_at = $9, output = d.output, artifacts = d.artifacts,
                messages = t.messages || d.messages, actual_cost_credits = d.cost, error_message = d.error, fault = d.fault
           FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::jsonb[], $5::jsonb[], $6::numeric[], $7::text[], $8::text[])
             AS d (id, status, output, artifacts, messages, cost, error, fault)
          WHERE t.id = d.id",
        &ids,
        &states,
        &outputs as &[Option<Value>],
        &artifacts,
        &messages,
        &costs,
        &errors as &[Option<String>],
        &faults as &[Option<String>],
        now
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE task_attempts n SET ended_at = now(), outcome = d.outcome, error = d.error
           FROM unnest($1::uuid[], $2::text[], $3::text[]) AS d (id, outcome, error)
          WHERE n.task_id = d.id AND n.ended_at IS NULL",
        &ids,
        &states,
        &errors as &[Option<String>]
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("DELETE FROM task_queue WHERE task_id = ANY ($1)", &ids).execute(&mut *tx).await?;
    let events: Vec<Value> = closings.iter().map(|c| c.event.clone()).collect();
    sqlx::query!(
        "SELECT economy.append_task_event(d.id, d.kind, d.data)
           FROM unnest($1::uuid[], $2::text[], $3::jsonb[]) AS d (id, kind, data)",
        &ids,
        &states,
        &events
    )
    .fetch_all(tx)
    .await?;
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
                  t.requester_agent_id IN (SELECT id FROM mine) AS "requested!",
                  t.price_credits AS "price: Credits", t.created_at, t.started_at, t.completed_at
             FROM tasks t
            WHERE (($2 AND t.requester_agent_id = ANY (ARRAY(SELECT id FROM mine)))
                OR ($3 AND t.assigned_agent_id = ANY (ARRAY(SELECT id FROM mine))))
              AND ($4::text IS NULL OR t.status = $4)
              AND ($5::timestamptz IS NULL OR (t.created_at, t.id) < ($5, $6::uuid))
            ORDER BY t.created_at DESC, t.id DESC LIMIT $7"#,
        user as UserId,
        requested,
        served,
        filter.state.map(TaskState::as_str),
        after_time,
        after_id,
        limit as i64
    )
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(Row::summary).collect()
}

pub(super) async fn detail(tx: &mut PgConnection, user: UserId, id: TaskId) -> Result<Option<TaskDetail>> {
    let row = sqlx::query!(
        r#"WITH mine AS MATERIALIZED (SELECT id FROM agents WHERE owner_user_id = $1)
           SELECT t.id AS "id: TaskId", t.title, t.status, t.assigned_agent_id AS "agent: AgentId",
                  coalesce(economy.agent_name(t.assigned_agent_id), '') AS "agent_name!",
                  coalesce(economy.agent_name(t.requester_agent_id), '') AS "requester_name!",
                  t.requester_agent_id IN (SELECT id FROM mine) AS "requested!",
                  t.price_credits AS "price: Credits", t.created_at, t.started_at, t.completed_at, t.skill_id, t.messages,
                  t.artifacts, t.error_message, t.actual_cost_credits AS "cost: Credits", t.timeout_at,
                  (SELECT x.status FROM transactions x WHERE x.task_id = t.id) AS hold,
                  (SELECT count(*) FROM task_attempts n WHERE n.task_id = t.id) AS "attempts!"
             FROM tasks t
            WHERE t.id = $2 AND (t.requester_agent_id IN (SELECT id FROM mine) OR t.assigned_agent_id IN (SELECT id FROM mine))"#,
        user as UserId,
        id as TaskId
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(r) = row else { return Ok(None) };
    let events = sqlx::query_as!(
        Event,
        "SELECT seq, kind, data, created_at FROM task_events WHERE task_id = $1 ORDER BY seq",
        id as TaskId
    )
    .fetch_all(&mut *tx)
    .await?;
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    Ok(Some(TaskDetail {
        skill: r.skill_id,
        messages: items(&r.messages).iter().map(Message::from_json).collect(),
        artifacts: items(&r.artifacts).iter().map(Artifact::from_json).collect(),
        events,
        error: r.error_message,
        hold: r.hold,
        cost: r.cost,
        timeout_at: r.timeout_at,
        attempts: r.attempts,
        summary: Row {
            id: r.id,
            title: r.title,
            status: r.status,
            agent: r.agent,
            agent_name: r.agent_name,
            requester_name: r.requester_name,
            requested: r.requested,
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
           ordered AS (SELECT status, completed_at FROM tasks WHERE requester_agent_id IN (SELECT id FROM mine)),
           served AS (SELECT status FROM tasks WHERE assigned_agent_id IN (SELECT id FROM mine))
           SELECT (SELECT count(*) FROM ordered WHERE status IN ('pending', 'assigned', 'running')) AS "open!",
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
