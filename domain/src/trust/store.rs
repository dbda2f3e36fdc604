//! The SQL of trust: `trust_events`, `agent_stats`, `agent_evidence`, `payer_voices`, `trust_history`, `reviews`.
//!
//! Locks are taken in one order everywhere: the agents' rows in `agent_stats` in id order, which are the locks of all sums.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use sqlx::PgConnection;
use uuid::Uuid;

use super::formula::Voices;
use super::voice::{Heard, Mark, Pair};
use super::{Evidence, Latency, NewRating, RecentEvent, Review, ReviewSummary};
use crate::{AgentId, Result, TaskId, UserId};

/// An event that is to be written.
pub(super) struct NewEvent {
    pub agent: AgentId,
    pub task: TaskId,
    pub kind: &'static str,
    pub change: f64,
    pub reason: String,
    /// What it added, where it is the end of a task.
    pub mark: Option<Mark>,
}

impl NewEvent {
    pub(super) fn of(agent: AgentId, task: TaskId, kind: &'static str, change: f64, reason: String) -> NewEvent {
        NewEvent { agent, task, kind, change, reason, mark: None }
    }
}

// Events ----------------------------------------------------------------------------------------------------------

/// Writes events; answers with how many were written. What happens once to a task and was noted is not written again; a
/// second end of a task is an error.
pub(super) async fn insert_events(tx: &mut PgConnection, events: &[NewEvent], now: DateTime<Utc>) -> Result<u64> {
    let agents: Vec<Uuid> = events.iter().map(|e| e.agent.0).collect();
    let tasks: Vec<Uuid> = events.iter().map(|e| e.task.0).collect();
    let kinds: Vec<String> = events.iter().map(|e| e.kind.to_owned()).collect();
    let changes: Vec<f64> = events.iter().map(|e| e.change).collect();
    let reasons: Vec<String> = events.iter().map(|e| e.reason.clone()).collect();
    let mark = |of: fn(&Mark) -> f64| events.iter().map(|e| e.mark.as_ref().map(of)).collect::<Vec<Option<f64>>>();
    let written = sqlx::query!(
        "INSERT INTO trust_events (agent_id, task_id, event_type, score, reason, weight, done, done_fade, speed, speed_fade,
                                   created_at)
         SELECT d.*, $11 FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::float8[], $5::text[], $6::float8[],
                                     $7::float8[], $8::float8[], $9::float8[], $10::float8[]) AS d
         ON CONFLICT (task_id, event_type)
           WHERE event_type IN ('sla_breach', 'rating_received', 'dispute_opened', 'dispute_resolved') DO NOTHING",
        &agents,
        &tasks,
        &kinds,
        &changes,
        &reasons,
        &mark(|m| m.weight) as &[Option<f64>],
        &mark(|m| m.done) as &[Option<f64>],
        &mark(|m| m.done_fade) as &[Option<f64>],
        &mark(|m| m.speed) as &[Option<f64>],
        &mark(|m| m.speed_fade) as &[Option<f64>],
        now
    )
    .execute(tx)
    .await?;
    Ok(written.rows_affected())
}

/// What a completed task added, when, and to whose voice.
pub(super) async fn mark_of(
    tx: &mut PgConnection,
    agent: AgentId,
    task: TaskId,
) -> Result<Option<(UserId, Mark, DateTime<Utc>)>> {
    let row = sqlx::query!(
        r#"SELECT r.owner_user_id AS "payer: UserId", e.weight AS "weight!", e.done AS "done!", e.done_fade AS "done_fade!",
                  e.speed AS "speed!", e.speed_fade AS "speed_fade!", e.created_at
             FROM trust_events e JOIN tasks t ON t.id = e.task_id JOIN agents r ON r.id = t.requester_agent_id
            WHERE e.task_id = $1 AND e.agent_id = $2 AND e.event_type = 'task_completed' AND e.weight IS NOT NULL"#,
        task as TaskId,
        agent as AgentId
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|r| {
        let mark =
            Mark { weight: r.weight, done: r.done, done_fade: r.done_fade, speed: r.speed, speed_fade: r.speed_fade };
        (r.payer, mark, r.created_at)
    }))
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

// Sums ------------------------------------------------------------------------------------------------------------

/// Locks agents, adds to their counts of completed and failed tasks, and answers with what is known of each.
pub(super) async fn lock_agents(
    tx: &mut PgConnection,
    counts: &BTreeMap<AgentId, (i64, i64)>,
) -> Result<BTreeMap<AgentId, Evidence>> {
    let agents: Vec<Uuid> = counts.keys().map(|a| a.0).collect();
    let completed: Vec<i64> = counts.values().map(|c| c.0).collect();
    let failed: Vec<i64> = counts.values().map(|c| c.1).collect();
    let rows = sqlx::query!(
        r#"INSERT INTO agent_stats AS s (agent_id, completed, failed)
           SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS d (a, c, f) ORDER BY a
           ON CONFLICT (agent_id) DO UPDATE SET completed = s.completed + excluded.completed,
             failed = s.failed + excluded.failed, updated_at = now()
           RETURNING agent_id AS "agent: AgentId", completed, failed"#,
        &agents,
        &completed,
        &failed
    )
    .fetch_all(&mut *tx)
    .await?;
    let counted = rows.into_iter().map(|r| (r.agent, (r.completed, r.failed))).collect();
    sums(tx, counted).await
}

/// The sums of agents, put beside their counts. A statement after the one that took the locks, so that it sees what was
/// committed before they were had.
async fn sums(tx: &mut PgConnection, counted: BTreeMap<AgentId, (i64, i64)>) -> Result<BTreeMap<AgentId, Evidence>> {
    let ids: Vec<Uuid> = counted.keys().map(|a| a.0).collect();
    let mut found: BTreeMap<AgentId, Evidence> = counted
        .into_iter()
        .map(|(agent, (completed, failed))| (agent, Evidence { completed, failed, ..Evidence::default() }))
        .collect();
    let rows = sqlx::query!(
        r#"SELECT agent_id AS "agent: AgentId", proven, as_of, done_sum, done_weight, speed_sum, speed_weight, rating_sum,
                  rating_weight
             FROM agent_evidence WHERE agent_id = ANY ($1)"#,
        &ids
    )
    .fetch_all(tx)
    .await?;
    for r in rows {
        let Some(evidence) = found.get_mut(&r.agent) else { continue };
        let voices = Voices {
            done: Heard { sum: r.done_sum, weight: r.done_weight },
            speed: Heard { sum: r.speed_sum, weight: r.speed_weight },
            rating: Heard { sum: r.rating_sum, weight: r.rating_weight },
        };
        // Both rows of an agent are always written together, for one moment.
        evidence.as_of = r.as_of;
        if r.proven {
            evidence.proven = voices;
        } else {
            evidence.unproven = voices;
        }
    }
    Ok(found)
}

pub(super) async fn write_evidence(tx: &mut PgConnection, agents: &BTreeMap<AgentId, Evidence>) -> Result<()> {
    let rows: Vec<(Uuid, bool, DateTime<Utc>, Voices)> = agents
        .iter()
        .flat_map(|(agent, e)| [(agent.0, false, e.as_of, e.unproven), (agent.0, true, e.as_of, e.proven)])
        .collect();
    let ids: Vec<Uuid> = rows.iter().map(|r| r.0).collect();
    let proven: Vec<bool> = rows.iter().map(|r| r.1).collect();
    let as_of: Vec<DateTime<Utc>> = rows.iter().map(|r| r.2).collect();
    let column = |of: fn(&Voices) -> f64| rows.iter().map(|r| of(&r.3)).collect::<Vec<f64>>();
    sqlx::query!(
        "INSERT INTO agent_evidence (agent_id, proven, as_of, done_sum, done_weight, speed_sum, speed_weight, rating_sum,
                                     rating_weight)
         SELECT * FROM unnest($1::uuid[], $2::bool[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[],
                              $7::float8[], $8::float8[], $9::float8[])
         ON CONFLICT (agent_id, proven) DO UPDATE SET as_of = excluded.as_of, done_sum = excluded.done_sum,
           done_weight = excluded.done_weight, speed_sum = excluded.speed_sum, speed_weight = excluded.speed_weight,
           rating_sum = excluded.rating_sum, rating_weight = excluded.rating_weight",
        &ids,
        &proven,
        &as_of,
        &column(|v| v.done.sum),
        &column(|v| v.done.weight),
        &column(|v| v.speed.sum),
        &column(|v| v.speed.weight),
        &column(|v| v.rating.sum),
        &column(|v| v.rating.weight)
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The voices of these payers about these agents that there are. The agents' locks guard them.
pub(super) async fn pairs(
    tx: &mut PgConnection,
    keys: &[(AgentId, UserId)],
) -> Result<BTreeMap<(AgentId, UserId), Pair>> {
    let agents: Vec<Uuid> = keys.iter().map(|(agent, _)| agent.0).collect();
    let payers: Vec<Uuid> = keys.iter().map(|(_, payer)| payer.0).collect();
    let rows = sqlx::query!(
        r#"SELECT v.agent_id AS "agent: AgentId", v.payer_user_id AS "payer: UserId", v.as_of, v.proven, v.done_sum,
                  v.done_weight, v.done_fade, v.speed_sum, v.speed_weight, v.speed_fade, v.rating_sum, v.rating_weight
             FROM unnest($1::uuid[], $2::uuid[]) AS k (agent, payer)
             JOIN payer_voices v ON v.agent_id = k.agent AND v.payer_user_id = k.payer"#,
        &agents,
        &payers
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let pair = Pair {
                as_of: r.as_of,
                proven: r.proven,
                done: Heard { sum: r.done_sum, weight: r.done_weight },
                speed: Heard { sum: r.speed_sum, weight: r.speed_weight },
                rating: Heard { sum: r.rating_sum, weight: r.rating_weight },
                done_fade: r.done_fade,
                speed_fade: r.speed_fade,
            };
            ((r.agent, r.payer), pair)
        })
        .collect())
}

pub(super) async fn write_pairs(tx: &mut PgConnection, pairs: &BTreeMap<(AgentId, UserId), Pair>) -> Result<()> {
    let agents: Vec<Uuid> = pairs.keys().map(|(agent, _)| agent.0).collect();
    let payers: Vec<Uuid> = pairs.keys().map(|(_, payer)| payer.0).collect();
    let as_of: Vec<DateTime<Utc>> = pairs.values().map(|p| p.as_of).collect();
    let proven: Vec<bool> = pairs.values().map(|p| p.proven).collect();
    let column = |of: fn(&Pair) -> f64| pairs.values().map(of).collect::<Vec<f64>>();
    sqlx::query!(
        "INSERT INTO payer_voices (agent_id, payer_user_id, as_of, proven, done_sum, done_weight, done_fade, speed_sum,
                                   speed_weight, speed_fade, rating_sum, rating_weight)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bool[], $5::float8[], $6::float8[],
                              $7::float8[], $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::float8[])
         ON CONFLICT (agent_id, payer_user_id) DO UPDATE SET as_of = excluded.as_of, proven = excluded.proven,
           done_sum = excluded.done_sum, done_weight = excluded.done_weight, done_fade = excluded.done_fade,
           speed_sum = excluded.speed_sum, speed_weight = excluded.speed_weight, speed_fade = excluded.speed_fade,
           rating_sum = excluded.rating_sum, rating_weight = excluded.rating_weight",
        &agents,
        &payers,
        &as_of,
        &proven,
        &column(|p| p.done.sum),
        &column(|p| p.done.weight),
        &column(|p| p.done_fade),
        &column(|p| p.speed.sum),
        &column(|p| p.speed.weight),
        &column(|p| p.speed_fade),
        &column(|p| p.rating.sum),
        &column(|p| p.rating.weight)
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn evidence(tx: &mut PgConnection, agent: AgentId) -> Result<(Evidence, ReviewSummary)> {
    let row = sqlx::query!("SELECT completed, failed, stars FROM agent_stats WHERE agent_id = $1", agent as AgentId)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = row else { return Ok((Evidence::default(), ReviewSummary::default())) };
    let counted = BTreeMap::from([(agent, (row.completed, row.failed))]);
    let evidence = sums(tx, counted).await?.remove(&agent).unwrap_or_default();
    Ok((evidence, ReviewSummary { stars: row.stars.try_into().unwrap_or_default() }))
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

// Scores over time ------------------------------------------------------------------------------------------------

pub(super) async fn remember(tx: &mut PgConnection, scores: &BTreeMap<AgentId, f64>, now: DateTime<Utc>) -> Result<()> {
    let ids: Vec<Uuid> = scores.keys().map(|a| a.0).collect();
    let scores: Vec<Decimal> = scores.values().map(|s| Decimal::from_f64(*s).unwrap_or_default().round_dp(2)).collect();
    sqlx::query!("UPDATE agent_stats SET scored_at = $2 WHERE agent_id = ANY ($1)", &ids, now)
        .execute(&mut *tx)
        .await?;
    sqlx::query!(
        "INSERT INTO trust_history (agent_id, day, score)
         SELECT d.agent, $3, d.score FROM unnest($1::uuid[], $2::numeric[]) AS d (agent, score) ORDER BY d.agent
         ON CONFLICT (agent_id, day) DO UPDATE SET score = excluded.score",
        &ids,
        &scores,
        now.date_naive()
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn lock_stale(
    tx: &mut PgConnection,
    older_than: DateTime<Utc>,
    limit: i64,
) -> Result<BTreeMap<AgentId, Evidence>> {
    let rows = sqlx::query!(
        r#"SELECT agent_id AS "agent: AgentId", completed, failed FROM agent_stats WHERE scored_at < $1
            ORDER BY scored_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"#,
        older_than,
        limit
    )
    .fetch_all(&mut *tx)
    .await?;
    sums(tx, rows.into_iter().map(|r| (r.agent, (r.completed, r.failed))).collect()).await
}

pub(super) async fn history(tx: &mut PgConnection, agent: AgentId, since: NaiveDate) -> Result<Vec<(NaiveDate, f64)>> {
    let rows = sqlx::query!(
        "SELECT day, score FROM trust_history WHERE agent_id = $1 AND day >= $2 ORDER BY day",
        agent as AgentId,
        since
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|r| (r.day, r.score.to_f64().unwrap_or_default())).collect())
}

// Reviews ---------------------------------------------------------------------------------------------------------

/// `false`: the task has one.
pub(super) async fn insert_review(tx: &mut PgConnection, rating: &NewRating<'_>, now: DateTime<Utc>) -> Result<bool> {
    let written = sqlx::query!(
        "INSERT INTO reviews (task_id, agent_id, author_user_id, stars, text, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (task_id) DO NOTHING",
        rating.task as TaskId,
        rating.agent as AgentId,
        rating.payer as UserId,
        i16::from(rating.stars),
        rating.text,
        now
    )
    .execute(tx)
    .await?;
    Ok(written.rows_affected() == 1)
}

pub(super) async fn count_stars(tx: &mut PgConnection, agent: AgentId, stars: u8) -> Result<()> {
    sqlx::query!(
        "UPDATE agent_stats SET stars[$2::int] = stars[$2::int] + 1 WHERE agent_id = $1",
        agent as AgentId,
        i32::from(stars)
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn reviews(
    tx: &mut PgConnection,
    agent: AgentId,
    after: Option<(DateTime<Utc>, TaskId)>,
    limit: usize,
) -> Result<Vec<Review>> {
    let (at, task) = after.unzip();
    Ok(sqlx::query_as!(
        Review,
        r#"SELECT task_id AS "task: TaskId", agent_id AS "agent: AgentId", economy.review_author(task_id) AS "author!", stars,
                  text, created_at, answer, answered_at
             FROM reviews
            WHERE agent_id = $1 AND ($2::timestamptz IS NULL OR (created_at, task_id) < ($2, $3::uuid))
            ORDER BY created_at DESC, task_id DESC LIMIT $4"#,
        agent as AgentId,
        at,
        task.map(|t| t.0),
        limit as i64
    )
    .fetch_all(tx)
    .await?)
}

pub(super) async fn review_of(tx: &mut PgConnection, task: TaskId) -> Result<Option<Review>> {
    Ok(sqlx::query_as!(
        Review,
        r#"SELECT task_id AS "task: TaskId", agent_id AS "agent: AgentId", economy.review_author(task_id) AS "author!", stars,
                  text, created_at, answer, answered_at
             FROM reviews WHERE task_id = $1"#,
        task as TaskId
    )
    .fetch_optional(tx)
    .await?)
}

/// `false`: there is none that this actor may answer.
pub(super) async fn answer(tx: &mut PgConnection, task: TaskId, text: &str) -> Result<bool> {
    let written = sqlx::query!(
        "UPDATE reviews SET answer = $2, answered_at = now() WHERE task_id = $1 AND economy.owns_agent(agent_id)",
        task as TaskId,
        text
    )
    .execute(tx)
    .await?;
    Ok(written.rows_affected() == 1)
}
