//! The SQL of what A2A clients are told: `task_updates`, and `tasks` read as they see them.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{Told, ToldFilter, part_messages};
use crate::tasks::dispatch::Claim;
use crate::tasks::{TaskState, Waiting};
use crate::{AgentId, Credits, Error, Result, TaskId, UserId};

struct Row {
    id: TaskId,
    agent: Option<AgentId>,
    context: String,
    status: String,
    waiting_for: Option<String>,
    remote_state: Option<String>,
    since: DateTime<Utc>,
    messages: Value,
    status_message_id: Option<String>,
    artifacts: Value,
    answered_by_message: bool,
    error: Option<String>,
    price: Credits,
    cost: Credits,
    last_seq: i32,
    last_update: i64,
}

impl Row {
    fn told(self) -> Result<Told> {
        let state = TaskState::parse(&self.status)
            .ok_or_else(|| Error::Internal(format!("task {} in unknown state {}", self.id, self.status).into()))?;
        let items = |value: Value| if let Value::Array(items) = value { items } else { Vec::new() };
        // What was asked last is not what a task was called off with.
        let with_state = self.status_message_id.filter(|_| state != TaskState::Cancelled);
        let (history, said) = part_messages(items(self.messages), with_state.as_deref());
        Ok(Told {
            id: self.id,
            work: self.id,
            turn: 0,
            metadata: None,
            agent: self.agent,
            context: self.context,
            state,
            waiting: match self.waiting_for.as_deref() {
                Some("auth") => Some(Waiting::Auth),
                Some(_) => Some(Waiting::Input),
                None => None,
            },
            remote_state: self.remote_state,
            since: self.since,
            history,
            said,
            artifacts: items(self.artifacts),
            answered_by_message: self.answered_by_message,
            error: self.error,
            price: self.price,
            cost: self.cost,
            last_seq: self.last_seq,
            last_update: self.last_update,
        })
    }
}

pub(in crate::tasks) async fn told(tx: &mut PgConnection, user: UserId, id: TaskId) -> Result<Option<Told>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT t.id AS "id: TaskId", t.assigned_agent_id AS "agent: AgentId", coalesce(t.context_id, t.id::text) AS "context!",
                  t.status, t.waiting_for, t.remote_state,
                  coalesce(t.completed_at, t.waiting_since, t.started_at, t.created_at) AS "since!", t.messages, t.status_message_id,
                  t.artifacts, t.answered_by_message, t.error_message AS error, t.price_credits AS "price: Credits",
                  t.actual_cost_credits AS "cost: Credits",
                  coalesce((SELECT max(e.seq) FROM task_events e WHERE e.task_id = t.id), 0) AS "last_seq!",
                  coalesce((SELECT max(u.n) FROM task_updates u WHERE u.task_id = t.id), 0) AS "last_update!"
             FROM tasks t JOIN agents r ON r.id = t.requester_agent_id
            WHERE t.id = $2 AND r.owner_user_id = $1"#,
        user as UserId,
        id as TaskId
    );
    row.fetch_optional(tx).await?.map(Row::told).transpose()
}

pub(super) async fn list(
    tx: &mut PgConnection,
    user: UserId,
    filter: &ToldFilter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: usize,
) -> Result<(Vec<Told>, i64)> {
    let (after_time, after_id) = after.unzip();
    let agent = filter.agent.map(|a| a.0);
    let total = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM tasks t
            WHERE t.requester_agent_id = ANY (ARRAY(SELECT id FROM agents WHERE owner_user_id = $1))
              AND ($2::uuid IS NULL OR t.assigned_agent_id = $2) AND ($3::text IS NULL OR coalesce(t.context_id, t.id::text) = $3)
              AND ($4::text IS NULL OR $4 = CASE WHEN t.status = 'cancelled' THEN 'canceled'
                         WHEN t.status = 'failed' THEN CASE WHEN t.remote_state IN ('rejected', 'canceled') THEN t.remote_state ELSE 'failed' END
                         WHEN t.status = 'completed' THEN 'completed'
                         WHEN t.waiting_for IS NOT NULL THEN t.waiting_for || '_required'
                         WHEN t.status = 'running' THEN 'working' ELSE 'submitted' END)
              AND ($5::timestamptz IS NULL OR coalesce(t.completed_at, t.waiting_since, t.started_at, t.created_at) >= $5)"#,
        user as UserId,
        agent,
        filter.context,
        filter.state,
        filter.since
    )
    .fetch_one(&mut *tx)
    .await?;
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT t.id AS "id: TaskId", t.assigned_agent_id AS "agent: AgentId", coalesce(t.context_id, t.id::text) AS "context!",
                  t.status, t.waiting_for, t.remote_state, s.since AS "since!", t.messages, t.status_message_id, t.artifacts,
                  t.answered_by_message, t.error_message AS error, t.price_credits AS "price: Credits",
                  t.actual_cost_credits AS "cost: Credits", 0 AS "last_seq!", 0::bigint AS "last_update!"
             FROM tasks t
             CROSS JOIN LATERAL (SELECT coalesce(t.completed_at, t.waiting_since, t.started_at, t.created_at) AS since) s
            WHERE t.requester_agent_id = ANY (ARRAY(SELECT id FROM agents WHERE owner_user_id = $1))
              AND ($2::uuid IS NULL OR t.assigned_agent_id = $2) AND ($3::text IS NULL OR coalesce(t.context_id, t.id::text) = $3)
              AND ($4::text IS NULL OR $4 = CASE WHEN t.status = 'cancelled' THEN 'canceled'
                         WHEN t.status = 'failed' THEN CASE WHEN t.remote_state IN ('rejected', 'canceled') THEN t.remote_state ELSE 'failed' END
                         WHEN t.status = 'completed' THEN 'completed'
                         WHEN t.waiting_for IS NOT NULL THEN t.waiting_for || '_required'
                         WHEN t.status = 'running' THEN 'working' ELSE 'submitted' END)
              AND ($5::timestamptz IS NULL OR s.since >= $5)
              AND ($6::timestamptz IS NULL OR (s.since, t.id) < ($6, $7::uuid))
            ORDER BY s.since DESC, t.id DESC LIMIT $8"#,
        user as UserId,
        agent,
        filter.context,
        filter.state,
        filter.since,
        after_time,
        after_id,
        limit as i64
    )
    .fetch_all(tx)
    .await?;
    Ok((rows.into_iter().map(Row::told).collect::<Result<_>>()?, total))
}

pub(super) async fn updates_after(
    tx: &mut PgConnection,
    id: TaskId,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, Value, DateTime<Utc>)>> {
    let rows = sqlx::query!(
        "SELECT n, body, created_at FROM task_updates WHERE task_id = $1 AND n > $2 ORDER BY n LIMIT $3",
        id as TaskId,
        after,
        limit
    );
    Ok(rows.fetch_all(tx).await?.into_iter().map(|r| (r.n, r.body, r.created_at)).collect())
}

pub(super) async fn events_after(
    tx: &mut PgConnection,
    id: TaskId,
    after: i32,
    limit: i64,
) -> Result<Vec<(i32, String, DateTime<Utc>)>> {
    let rows = sqlx::query!(
        "SELECT seq, kind, created_at FROM task_events WHERE task_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        id as TaskId,
        after,
        limit
    );
    Ok(rows.fetch_all(tx).await?.into_iter().map(|r| (r.seq, r.kind, r.created_at)).collect())
}

/// One statement. It waits for no disk: what is lost with the machine is pieces of a task whose whole is written otherwise.
pub(super) async fn relay(pool: &PgPool, claim: &Claim, updates: &[Value]) -> Result<()> {
    sqlx::query!(
        r#"WITH ours AS MATERIALIZED (
             SELECT set_config('synchronous_commit', 'off', true) FROM task_queue WHERE task_id = $1 AND lease_token = $2),
           written AS (
             INSERT INTO task_updates (task_id, body) SELECT $1, u.body FROM ours, unnest($3::jsonb[]) WITH ORDINALITY AS u (body, i)
              ORDER BY u.i RETURNING 1)
           SELECT pg_notify('task_updates', $1::text) AS "told!: ()" FROM (SELECT count(*) AS n FROM written) w WHERE w.n > 0"#,
        claim.task as TaskId,
        claim.token,
        updates
    )
    .fetch_optional(pool)
    .await?;
    Ok(())
}

pub(super) async fn forget(pool: &PgPool, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!("DELETE FROM task_updates WHERE created_at < $1", before).execute(pool).await?;
    Ok(())
}

/// The newest ended task of a conversation with an agent, which a new one goes on with.
pub(in crate::tasks) async fn last_in_context(
    tx: &mut PgConnection,
    user: UserId,
    agent: AgentId,
    context: &str,
) -> Result<Option<TaskId>> {
    Ok(sqlx::query_scalar!(
        r#"SELECT t.id AS "id: TaskId" FROM tasks t JOIN agents r ON r.id = t.requester_agent_id
            WHERE r.owner_user_id = $1 AND t.assigned_agent_id = $2 AND t.context_id = $3
              AND t.status IN ('completed', 'failed', 'cancelled')
            ORDER BY t.created_at DESC LIMIT 1"#,
        user as UserId,
        agent as AgentId,
        context
    )
    .fetch_optional(tx)
    .await?)
}
