//! The SQL of trust: `trust_events`, `agent_stats`.

use std::collections::BTreeMap;

use rust_decimal::prelude::ToPrimitive;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Evidence, Latency, RecentEvent};
use crate::{AgentId, Result, TaskId};

/// An event that is to be written.
pub(super) struct NewEvent {
    pub agent: AgentId,
    pub task: TaskId,
    pub kind: &'static str,
    pub change: i32,
    pub reason: String,
}

pub(super) async fn insert_events(tx: &mut PgConnection, events: &[NewEvent]) -> Result<()> {
    let agents: Vec<Uuid> = events.iter().map(|e| e.agent.0).collect();
    let tasks: Vec<Uuid> = events.iter().map(|e| e.task.0).collect();
    let kinds: Vec<String> = events.iter().map(|e| e.kind.to_owned()).collect();
    let changes: Vec<i32> = events.iter().map(|e| e.change).collect();
    let reasons: Vec<String> = events.iter().map(|e| e.reason.clone()).collect();
    sqlx::query!(
        "INSERT INTO trust_events (agent_id, task_id, event_type, score, reason)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::text[])",
        &agents,
        &tasks,
        &kinds,
        &changes,
        &reasons
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Adds completed, failed and speeds to the sums of each agent, and answers with them. The agents come in id order, so
/// that two batches never wait for each other.
pub(super) async fn add_ended(
    tx: &mut PgConnection,
    sums: &BTreeMap<AgentId, (i64, i64, f64)>,
) -> Result<Vec<(AgentId, Evidence)>> {
    let agents: Vec<Uuid> = sums.keys().map(|a| a.0).collect();
    let completed: Vec<i64> = sums.values().map(|s| s.0).collect();
    let failed: Vec<i64> = sums.values().map(|s| s.1).collect();
    let speeds: Vec<f64> = sums.values().map(|s| s.2).collect();
    let rows = sqlx::query!(
        r#"INSERT INTO agent_stats AS s (agent_id, completed, failed, speed_sum)
           SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::float8[]) AS d (a, c, f, p) ORDER BY a
           ON CONFLICT (agent_id) DO UPDATE SET completed = s.completed + excluded.completed,
             failed = s.failed + excluded.failed, speed_sum = s.speed_sum + excluded.speed_sum, updated_at = now()
           RETURNING agent_id AS "agent: AgentId", completed, failed, speed_sum, rating_sum, rating_count"#,
        &agents,
        &completed,
        &failed,
        &speeds
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let evidence = Evidence {
                completed: r.completed,
                failed: r.failed,
                speed_sum: r.speed_sum,
                rating_sum: r.rating_sum,
                rating_count: r.rating_count,
            };
            (r.agent, evidence)
        })
        .collect())
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
