//! The SQL of trust: `trust_events`, `agent_stats`.

use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use sqlx::PgConnection;

use super::{Evidence, Latency, RecentEvent};
use crate::{AgentId, Result, TaskId};

pub(super) async fn insert_event(
    tx: &mut PgConnection,
    agent: AgentId,
    task: TaskId,
    event: &str,
    change: f64,
    reason: &str,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO trust_events (agent_id, event_type, score, reason, task_id) VALUES ($1, $2, $3, $4, $5)",
        agent as AgentId,
        event,
        Decimal::from_f64(change).unwrap_or_default(),
        reason,
        task as TaskId
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Adds a completed task (with its speed) or a failed one (without) to the sums, and answers with them.
pub(super) async fn add_ended(tx: &mut PgConnection, agent: AgentId, speed: Option<f64>) -> Result<Evidence> {
    Ok(sqlx::query_as!(
        Evidence,
        "INSERT INTO agent_stats AS s (agent_id, completed, failed, speed_sum)
         VALUES ($1, CASE WHEN $2::float8 IS NULL THEN 0 ELSE 1 END, CASE WHEN $2 IS NULL THEN 1 ELSE 0 END, coalesce($2, 0))
         ON CONFLICT (agent_id) DO UPDATE SET completed = s.completed + excluded.completed,
           failed = s.failed + excluded.failed, speed_sum = s.speed_sum + excluded.speed_sum, updated_at = now()
         RETURNING completed, failed, speed_sum, rating_sum, rating_count",
        agent as AgentId,
        speed
    )
    .fetch_one(tx)
    .await?)
}

pub(super) async fn evidence(tx: &mut PgConnection, agent: AgentId) -> Result<Evidence> {
    let row = sqlx::query_as!(
        Evidence,
        "SELECT completed, failed, speed_sum, rating_sum, rating_count FROM agent_stats WHERE agent_id = $1",
        agent as AgentId
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.unwrap_or_default())
}

pub(super) async fn latency(tx: &mut PgConnection, agent: AgentId) -> Result<Latency> {
    Ok(sqlx::query_as!(
        Latency,
        r#"SELECT sample AS "sample!", p50_ms, p95_ms FROM economy.agent_latency($1)"#,
        agent as AgentId
    )
    .fetch_one(tx)
    .await?)
}

pub(super) async fn recent_events(tx: &mut PgConnection, agent: AgentId) -> Result<Vec<RecentEvent>> {
    let rows = sqlx::query!(
        "SELECT event_type, score, reason, created_at FROM trust_events WHERE agent_id = $1
          ORDER BY created_at DESC, id LIMIT 10",
        agent as AgentId
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| RecentEvent {
            kind: r.event_type,
            change: r.score.to_f64().unwrap_or_default(),
            reason: r.reason,
            created_at: r.created_at,
        })
        .collect())
}
