//! The SQL of requests to the platform's agent: `routes`, `route_hires`, and agents as they are chosen from.
//!
//! A request's row is locked before any task of it; what ends tasks locks no request.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::pick::{Candidate, Fits, Strategy, Wishes};
use super::{RouteState, told::Hire};
use crate::tasks::TaskState;
use crate::tasks::told::ToldFilter;
use crate::{AgentId, Credits, Error, KeyId, Result, TaskId, UserId};

// Agents ----------------------------------------------------------------------------------------------------------

/// Who looks for an agent, and for what.
pub(super) struct Seeker<'a> {
    pub user: UserId,
    pub key: Option<KeyId>,
    /// Who has been asked already.
    pub besides: &'a [AgentId],
    /// What it is about; `None`: that does not matter.
    pub text: Option<&'a str>,
}

impl Seeker<'_> {
    fn besides(&self) -> Vec<Uuid> {
        self.besides.iter().map(|a| a.0).collect()
    }
}

fn texts(value: Option<Value>) -> Vec<String> {
    let Some(Value::Array(items)) = value else { return Vec::new() };
    items.into_iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

/// Agents that could be hired and fit the wishes but for `slack` of them; media types are not judged here.
pub(super) async fn candidates(
    tx: &mut PgConnection,
    seeker: &Seeker<'_>,
    wishes: &Wishes,
    slack: i32,
    limit: i64,
) -> Result<Vec<Candidate>> {
    let rows = sqlx::query!(
        r#"WITH about AS (
             -- Any of its words, where the text has words.
             SELECT nullif(replace(plainto_tsquery('pg_catalog.english', coalesce($8, ''))::text, '&', '|'), '')::tsquery AS words)
           SELECT c.id AS "agent!: AgentId", c.name AS "name!", c.description AS "description!", c.price_per_task AS "price!: Credits",
                  c.trust AS "trust!", l.p50_ms AS "p50_ms?", c.card_modes, c.skill_modes, c.relevance AS "relevance!",
                  c.skill AS "skill!", c.tag AS "tag!", c.cheap AS "cheap!", c.trusted AS "trusted!"
             FROM (SELECT a.id, a.name, a.description, a.price_per_task, a.trust_score::float8 AS trust,
                          a.agent_card -> 'defaultInputModes' AS card_modes,
                          jsonb_path_query_array(a.skills, '$[*].inputModes[*]') AS skill_modes,
                          coalesce(ts_rank(a.search, about.words), 0)::float8 AS relevance, f.*
                     FROM agents a CROSS JOIN about
                     CROSS JOIN LATERAL (SELECT
                       $4::text IS NULL OR a.skills @> jsonb_build_array(jsonb_build_object('id', $4::text)) AS skill,
                       a.tags @> $5::text[] AS tag,
                       $6::numeric IS NULL OR a.price_per_task <= $6 AS cheap,
                       $7::float8 IS NULL OR a.trust_score >= $7 AS trusted) f
                    WHERE a.kind = 'listed' AND a.status = 'online' AND a.retired_at IS NULL AND a.owner_user_id <> $1
                      AND NOT a.id = ANY ($3)
                      AND NOT EXISTS (SELECT 1 FROM api_keys k WHERE k.id = $2 AND NOT a.id = ANY (k.agent_ids))
                      AND f.skill::int + f.tag::int + f.cheap::int + f.trusted::int >= 4 - $9::int
                    ORDER BY CASE WHEN $10::bool THEN a.price_per_task END, relevance DESC, a.trust_score DESC, a.id LIMIT $11) c
             LEFT JOIN LATERAL economy.agent_latency(c.id) l ON true"#,
        seeker.user as UserId,
        seeker.key as Option<KeyId>,
        &seeker.besides(),
        wishes.skill,
        &wishes.tags,
        wishes.max_credits.map(Credits::decimal),
        wishes.min_trust,
        seeker.text,
        slack,
        wishes.strategy == Strategy::Cheapest,
        limit
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Candidate {
            agent: r.agent,
            name: r.name,
            description: r.description,
            price: r.price,
            trust: r.trust,
            p50_ms: r.p50_ms,
            modes: texts(r.card_modes).into_iter().chain(texts(r.skill_modes)).collect(),
            relevance: r.relevance,
            fits: Fits { skill: r.skill, tags: r.tag, price: r.cheap, trust: r.trusted, media: true },
        })
        .collect())
}

/// How many agents could be hired at all.
pub(super) async fn online(tx: &mut PgConnection, seeker: &Seeker<'_>) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM agents a
            WHERE a.kind = 'listed' AND a.status = 'online' AND a.retired_at IS NULL AND a.owner_user_id <> $1
              AND NOT a.id = ANY ($3)
              AND NOT EXISTS (SELECT 1 FROM api_keys k WHERE k.id = $2 AND NOT a.id = ANY (k.agent_ids))"#,
        seeker.user as UserId,
        seeker.key as Option<KeyId>,
        &seeker.besides()
    )
    .fetch_one(tx)
    .await?)
}

// Requests --------------------------------------------------------------------------------------------------------

/// A request as it is written.
pub(super) struct NewRoute<'a> {
    pub id: TaskId,
    pub user: UserId,
    pub key: Option<KeyId>,
    pub context: &'a str,
    pub message: &'a Value,
    pub wishes: &'a Wishes,
    pub timeout_seconds: Option<i64>,
    pub task: TaskId,
}

pub(super) async fn insert(tx: &mut PgConnection, new: &NewRoute<'_>) -> Result<()> {
    let wishes = new.wishes;
    sqlx::query!(
        "INSERT INTO routes (id, user_id, key_id, context_id, message, skill_id, tags, max_credits, strategy, min_trust, max_agents,
                             timeout_seconds, task_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        new.id as TaskId,
        new.user as UserId,
        new.key as Option<KeyId>,
        new.context,
        new.message,
        wishes.skill,
        &wishes.tags,
        wishes.max_credits.map(Credits::decimal),
        wishes.strategy.as_str(),
        wishes.min_trust,
        wishes.max_agents,
        new.timeout_seconds.and_then(|s| i32::try_from(s).ok()),
        new.task as TaskId
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes whom a request goes to next; `task` `None`: whom it passes over.
pub(super) async fn note(
    tx: &mut PgConnection,
    route: TaskId,
    agent: AgentId,
    task: Option<TaskId>,
    why: &str,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO route_hires (route_id, position, agent_id, task_id, why)
         SELECT $1, coalesce(max(h.position), 0) + 1, $2, $3, $4 FROM route_hires h WHERE h.route_id = $1",
        route as TaskId,
        agent as AgentId,
        task as Option<TaskId>,
        why
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn set_task(tx: &mut PgConnection, route: TaskId, task: TaskId) -> Result<()> {
    sqlx::query!("UPDATE routes SET task_id = $2 WHERE id = $1", route as TaskId, task as TaskId).execute(tx).await?;
    Ok(())
}

pub(super) async fn end(
    tx: &mut PgConnection,
    route: TaskId,
    state: RouteState,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE routes SET state = $2, error = $3, ended_at = $4 WHERE id = $1",
        route as TaskId,
        state.as_str(),
        error,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Tells who follows a request that it has changed, when the transaction is committed.
pub(super) async fn announce(tx: &mut PgConnection, route: TaskId) -> Result<()> {
    sqlx::query_scalar!(
        r#"SELECT pg_notify('task_events', economy.event_notice($1, (SELECT count(*)::int FROM route_hires WHERE route_id = $1), ''))
             AS "told!: ()""#,
        route as TaskId
    )
    .fetch_one(tx)
    .await?;
    Ok(())
}

/// Requests whose task has ended, the first first.
pub(super) async fn due(pool: &PgPool, limit: i64) -> Result<Vec<TaskId>> {
    Ok(sqlx::query_scalar!(
        r#"SELECT r.id AS "id: TaskId" FROM routes r JOIN tasks t ON t.id = r.task_id
            WHERE r.state = 'open' AND t.status IN ('completed', 'failed', 'cancelled') ORDER BY t.completed_at LIMIT $1"#,
        limit
    )
    .fetch_all(pool)
    .await?)
}

/// A request whose row is locked.
pub(super) struct Locked {
    pub user: UserId,
    pub key: Option<KeyId>,
    pub context: String,
    pub message: Value,
    pub wishes: Wishes,
    pub timeout_seconds: Option<i32>,
    pub state: RouteState,
    pub task: TaskId,
    pub task_state: TaskState,
    /// Whether the task failed because its requester left a question unanswered.
    pub unanswered: bool,
    /// Whether the key that ordered is still good; `true` where there was none.
    pub key_is_good: bool,
    /// Who was asked or passed over.
    pub asked: Vec<AgentId>,
    /// How many were asked.
    pub tried: i64,
}

/// Locks a request. `wait`: one that somebody else has is waited for; else it is as if it were not there.
pub(super) async fn lock(tx: &mut PgConnection, id: TaskId, wait: bool, now: DateTime<Utc>) -> Result<Option<Locked>> {
    let locked = if wait {
        sqlx::query_scalar!("SELECT 1 AS one FROM routes WHERE id = $1 FOR UPDATE", id as TaskId)
            .fetch_optional(&mut *tx)
            .await?
    } else {
        sqlx::query_scalar!("SELECT 1 AS one FROM routes WHERE id = $1 FOR UPDATE SKIP LOCKED", id as TaskId)
            .fetch_optional(&mut *tx)
            .await?
    };
    if locked.is_none() {
        return Ok(None);
    }
    // A statement of its own, which sees what was committed before the lock was had.
    let r = sqlx::query!(
        r#"SELECT r.user_id AS "user: UserId", r.key_id AS "key: KeyId", r.context_id, r.message, r.skill_id, r.tags,
                  r.max_credits AS "max_credits: Credits", r.strategy, r.min_trust, r.max_agents, r.timeout_seconds, r.state,
                  r.task_id AS "task: TaskId", t.status,
                  coalesce(t.fault = 'requester', false) AND EXISTS (
                    SELECT 1 FROM task_events e WHERE e.task_id = t.id AND e.kind = 'failed' AND e.data ->> 'timeout' = 'true')
                    AS "unanswered!",
                  r.key_id IS NULL OR EXISTS (SELECT 1 FROM api_keys k WHERE k.id = r.key_id AND k.revoked_at IS NULL
                                                 AND (k.expires_at IS NULL OR k.expires_at > $2)) AS "key_is_good!",
                  ARRAY(SELECT h.agent_id FROM route_hires h WHERE h.route_id = r.id) AS "asked!: Vec<Uuid>",
                  (SELECT count(h.task_id) FROM route_hires h WHERE h.route_id = r.id) AS "tried!"
             FROM routes r JOIN tasks t ON t.id = r.task_id WHERE r.id = $1"#,
        id as TaskId,
        now
    )
    .fetch_one(tx)
    .await?;
    Ok(Some(Locked {
        user: r.user,
        key: r.key,
        context: r.context_id,
        message: r.message,
        wishes: Wishes {
            skill: r.skill_id,
            tags: r.tags,
            max_credits: r.max_credits,
            strategy: Strategy::parse(&r.strategy).unwrap_or_default(),
            min_trust: r.min_trust,
            max_agents: r.max_agents,
        },
        timeout_seconds: r.timeout_seconds,
        state: state_of(id, &r.state)?,
        task: r.task,
        task_state: TaskState::parse(&r.status).ok_or_else(|| unknown(id, &r.status))?,
        unanswered: r.unanswered,
        key_is_good: r.key_is_good,
        asked: r.asked.into_iter().map(AgentId).collect(),
        tried: r.tried,
    }))
}

fn unknown(id: TaskId, state: &str) -> Error {
    Error::Internal(format!("request {id} in unknown state {state}").into())
}

fn state_of(id: TaskId, state: &str) -> Result<RouteState> {
    RouteState::parse(state).ok_or_else(|| unknown(id, state))
}

// As they are told ------------------------------------------------------------------------------------------------

/// A request as its requester may see it.
pub(super) struct Row {
    pub id: TaskId,
    pub user: UserId,
    pub context: String,
    pub message: Value,
    pub strategy: String,
    pub state: RouteState,
    pub error: Option<String>,
    pub task: TaskId,
    pub ended_at: Option<DateTime<Utc>>,
}

/// One request of an account; of `None` any account's.
pub(super) async fn find(tx: &mut PgConnection, user: Option<UserId>, id: TaskId) -> Result<Option<Row>> {
    let row = sqlx::query!(
        r#"SELECT user_id AS "user: UserId", context_id, message, strategy, state, error, task_id AS "task: TaskId", ended_at
             FROM routes WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2)"#,
        id as TaskId,
        user.map(|u| u.0)
    );
    let Some(r) = row.fetch_optional(tx).await? else { return Ok(None) };
    let state = state_of(id, &r.state)?;
    Ok(Some(Row {
        id,
        user: r.user,
        context: r.context_id,
        message: r.message,
        strategy: r.strategy,
        state,
        error: r.error,
        task: r.task,
        ended_at: r.ended_at,
    }))
}

pub(super) async fn hires(tx: &mut PgConnection, route: TaskId) -> Result<Vec<Hire>> {
    Ok(sqlx::query_as!(
        Hire,
        r#"SELECT position, agent_id AS "agent: AgentId", coalesce(economy.agent_name(agent_id), '') AS "name!",
                  task_id AS "task: TaskId", why
             FROM route_hires WHERE route_id = $1 ORDER BY position"#,
        route as TaskId
    )
    .fetch_all(tx)
    .await?)
}

/// The request that a task is or was of.
pub(super) async fn of_task(tx: &mut PgConnection, task: TaskId) -> Result<Option<TaskId>> {
    Ok(sqlx::query_scalar!(r#"SELECT route_id AS "id: TaskId" FROM route_hires WHERE task_id = $1"#, task as TaskId)
        .fetch_optional(tx)
        .await?)
}

/// Requests of an account whose newest task the transaction's role may see, those whose state changed last first, and how many
/// there are in all.
pub(super) async fn list(
    tx: &mut PgConnection,
    user: UserId,
    filter: &ToldFilter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: usize,
) -> Result<(Vec<TaskId>, i64)> {
    let (after_time, after_id) = after.unzip();
    let rows = sqlx::query!(
        r#"WITH found AS MATERIALIZED (
             SELECT r.id, s.since FROM routes r JOIN tasks t ON t.id = r.task_id
             CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN r.state IN ('failed', 'cancelled') THEN r.ended_at END,
               t.completed_at, t.waiting_since, t.started_at, t.created_at) AS since,
               CASE WHEN 'cancelled' IN (r.state, t.status) THEN 'canceled' WHEN r.state = 'failed' THEN 'failed'
                    WHEN t.status = 'completed' THEN 'completed' WHEN t.waiting_for IS NOT NULL THEN t.waiting_for || '_required'
                    WHEN t.status IN ('running', 'failed') THEN 'working' ELSE 'submitted' END AS state) s
              WHERE r.user_id = $1 AND ($2::text IS NULL OR r.context_id = $2) AND ($3::text IS NULL OR s.state = $3)
                AND ($4::timestamptz IS NULL OR s.since >= $4))
           SELECT id AS "id: TaskId", (SELECT count(*) FROM found) AS "total!" FROM found
            WHERE $5::timestamptz IS NULL OR (since, id) < ($5, $6::uuid) ORDER BY since DESC, id DESC LIMIT $7"#,
        user as UserId,
        filter.context,
        filter.state,
        filter.since,
        after_time,
        after_id,
        limit as i64
    )
    .fetch_all(tx)
    .await?;
    let total = rows.first().map_or(0, |r| r.total);
    Ok((rows.into_iter().map(|r| r.id).collect(), total))
}
