//! The SQL of watched agents: `agent_watch`, `agent_incidents`, `agent_uptime`, `agent_proofs`.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::postgres::types::PgInterval;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::Probe;
use super::liveness::Reason;
use super::proof::ProofCheck;
use super::report::{Incident, Report};
use super::uptime::{Part, Uptime, UptimeDay};
use crate::agents::AgentStatus;
use crate::{AgentId, Error, Result, UserId};

/// What is known of an agent, its rows locked.
pub(super) struct Facts {
    pub agent: AgentId,
    pub owner: UserId,
    pub name: String,
    pub endpoint: String,
    pub listed: bool,
    pub status: AgentStatus,
    pub beat_at: Option<DateTime<Utc>>,
    pub watched_since: DateTime<Utc>,
    pub probed_at: Option<DateTime<Utc>>,
    pub answered: Option<bool>,
    pub probe_error: Option<String>,
    pub failures: i32,
    pub said: Option<AgentStatus>,
    pub beat_stamp: Option<DateTime<Utc>>,
    pub observed_at: Option<DateTime<Utc>>,
    pub mailed_at: Option<DateTime<Utc>>,
    pub calls_held: bool,
}

/// Locks an agent, then its watch, in the order of `economy.set_agent_status`. `None` where it is retired or a client agent.
pub(super) async fn lock(tx: &mut PgConnection, id: AgentId, now: DateTime<Utc>) -> Result<Option<Facts>> {
    let row = sqlx::query!(
        r#"SELECT a.owner_user_id AS "owner: UserId", a.name, a.endpoint, a.listed, a.status, a.last_heartbeat,
                  w.watched_since, w.last_probe_at, w.last_probe_ok, w.probe_error, w.failures, w.said, w.beat_stamp,
                  w.observed_at, w.mailed_at, coalesce(g.open_until > $2, false) AS "calls_held!"
             FROM agents a JOIN agent_watch w ON w.agent_id = a.id LEFT JOIN agent_gates g ON g.agent_id = a.id
            WHERE a.id = $1 AND a.kind = 'listed' AND a.retired_at IS NULL
            FOR NO KEY UPDATE OF a, w"#,
        id as AgentId,
        now
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|r| Facts {
        agent: id,
        owner: r.owner,
        name: r.name,
        endpoint: r.endpoint,
        listed: r.listed,
        status: AgentStatus::parse(&r.status).unwrap_or(AgentStatus::Offline),
        beat_at: r.last_heartbeat,
        watched_since: r.watched_since,
        probed_at: r.last_probe_at,
        answered: r.last_probe_ok,
        probe_error: r.probe_error,
        failures: r.failures,
        said: r.said.as_deref().and_then(AgentStatus::parse),
        beat_stamp: r.beat_stamp,
        observed_at: r.observed_at,
        mailed_at: r.mailed_at,
        calls_held: r.calls_held,
    }))
}

/// Claims agents whose probe is due; the next is put off by `fine` or, where the last was not answered, `failing`.
pub(super) async fn claim_probes(
    pool: &PgPool,
    limit: i64,
    now: DateTime<Utc>,
    fine: TimeDelta,
    failing: TimeDelta,
) -> Result<Vec<Probe>> {
    let interval = |of: TimeDelta| PgInterval::try_from(of).map_err(Error::Internal);
    Ok(sqlx::query_as!(
        Probe,
        r#"WITH due AS (SELECT w.agent_id FROM agent_watch w WHERE w.next_probe_at <= $1
                         ORDER BY w.next_probe_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)
           UPDATE agent_watch w SET next_probe_at = $1 + CASE WHEN w.failures = 0 THEN $3::interval ELSE $4::interval END
             FROM due JOIN agents a ON a.id = due.agent_id AND a.listed
            WHERE w.agent_id = due.agent_id
           RETURNING a.id AS "agent: AgentId", a.endpoint, a.card_url, a.agent_card AS card, a.protocol"#,
        now,
        limit,
        interval(fine)?,
        interval(failing)?
    )
    .fetch_all(pool)
    .await?)
}

pub(super) async fn note_probe(
    tx: &mut PgConnection,
    facts: &Facts,
    millis: Option<i32>,
    next: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE agent_watch SET last_probe_at = $2, last_probe_ok = $3, last_probe_ms = $4, probe_error = $5, failures = $6,
                next_probe_at = $7
          WHERE agent_id = $1",
        facts.agent as AgentId,
        now,
        facts.answered,
        millis,
        facts.probe_error,
        facts.failures,
        next
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A failing agent that beats is asked at once.
pub(super) async fn note_beat(
    tx: &mut PgConnection,
    id: AgentId,
    said: AgentStatus,
    stamp: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE agent_watch SET said = $2, beat_stamp = coalesce($3, beat_stamp),
                next_probe_at = CASE WHEN failures > 0 THEN least(next_probe_at, $4) ELSE next_probe_at END
          WHERE agent_id = $1",
        id as AgentId,
        said.as_str(),
        stamp,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn set_observed(tx: &mut PgConnection, id: AgentId, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!("UPDATE agent_watch SET observed_at = $2 WHERE agent_id = $1", id as AgentId, at).execute(tx).await?;
    Ok(())
}

pub(super) async fn set_mailed(tx: &mut PgConnection, id: AgentId, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!("UPDATE agent_watch SET mailed_at = $2 WHERE agent_id = $1", id as AgentId, at).execute(tx).await?;
    Ok(())
}

pub(super) async fn add_uptime(tx: &mut PgConnection, id: AgentId, held: AgentStatus, part: Part) -> Result<()> {
    let of = |status| if held == status { part.seconds } else { 0 };
    sqlx::query!(
        "INSERT INTO agent_uptime AS u (agent_id, day, up_seconds, degraded_seconds, down_seconds) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (agent_id, day) DO UPDATE SET up_seconds = u.up_seconds + excluded.up_seconds,
           degraded_seconds = u.degraded_seconds + excluded.degraded_seconds, down_seconds = u.down_seconds + excluded.down_seconds",
        id as AgentId,
        part.day,
        of(AgentStatus::Online),
        of(AgentStatus::Degraded),
        of(AgentStatus::Offline)
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn close_incident(tx: &mut PgConnection, id: AgentId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "UPDATE agent_incidents SET ended_at = greatest($2, began_at) WHERE agent_id = $1 AND ended_at IS NULL",
        id as AgentId,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn open_incident(
    tx: &mut PgConnection,
    id: AgentId,
    status: AgentStatus,
    reason: Reason,
    now: DateTime<Utc>,
) -> Result<Uuid> {
    Ok(sqlx::query_scalar!(
        "INSERT INTO agent_incidents (agent_id, status, reason, began_at) VALUES ($1, $2, $3, $4) RETURNING id",
        id as AgentId,
        status.as_str(),
        reason.as_str(),
        now
    )
    .fetch_one(tx)
    .await?)
}

/// Without its days and incidents.
pub(super) async fn report(tx: &mut PgConnection, id: AgentId) -> Result<Option<Report>> {
    let row = sqlx::query!(
        r#"SELECT status, verified_at, promised_seconds, last_heartbeat, economy.agent_last_checked(id) AS last_checked
             FROM agents WHERE id = $1 AND kind = 'listed'"#,
        id as AgentId
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|r| Report {
        status: AgentStatus::parse(&r.status).unwrap_or(AgentStatus::Offline),
        verified_at: r.verified_at,
        promised_seconds: r.promised_seconds,
        last_checked: r.last_checked,
        last_heartbeat: r.last_heartbeat,
        uptime: Uptime { days: Vec::new() },
        incidents: Vec::new(),
    }))
}

pub(super) async fn uptime(tx: &mut PgConnection, id: AgentId, today: NaiveDate) -> Result<Vec<UptimeDay>> {
    Ok(sqlx::query_as!(
        UptimeDay,
        r#"SELECT day, up_seconds::bigint AS "up!", degraded_seconds::bigint AS "degraded!", down_seconds::bigint AS "down!"
             FROM agent_uptime WHERE agent_id = $1 AND day BETWEEN $2::date - 29 AND $2"#,
        id as AgentId,
        today
    )
    .fetch_all(tx)
    .await?)
}

pub(super) async fn incidents(tx: &mut PgConnection, id: AgentId, limit: i64) -> Result<Vec<Incident>> {
    let rows = sqlx::query!(
        "SELECT status, reason, began_at, ended_at FROM agent_incidents WHERE agent_id = $1 ORDER BY began_at DESC, id LIMIT $2",
        id as AgentId,
        limit
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|r| incident(Some(&r.status), Some(&r.reason), Some(r.began_at), r.ended_at))
        .collect())
}

/// An incident from its columns, as an outer join has them; `None` where there is none, or its words are not known here.
pub(in crate::agents) fn incident(
    status: Option<&str>,
    reason: Option<&str>,
    began_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
) -> Option<Incident> {
    Some(Incident {
        status: AgentStatus::parse(status?)?,
        reason: Reason::parse(reason?)?,
        began_at: began_at?,
        ended_at,
    })
}

pub(super) async fn forget_before(pool: &PgPool, then: DateTime<Utc>) -> Result<()> {
    sqlx::query!("DELETE FROM agent_uptime WHERE day < $1", then.date_naive()).execute(pool).await?;
    sqlx::query!("DELETE FROM agent_incidents WHERE ended_at < $1", then).execute(pool).await?;
    Ok(())
}

/// The token of an agent: `fresh`, if it has none yet.
pub(super) async fn proof_token(pool: &PgPool, id: AgentId, fresh: &str) -> Result<String> {
    let known = sqlx::query_scalar!("SELECT token FROM agent_proofs WHERE agent_id = $1", id as AgentId);
    if let Some(token) = known.fetch_optional(pool).await? {
        return Ok(token);
    }
    Ok(sqlx::query_scalar!(
        "INSERT INTO agent_proofs (agent_id, token) VALUES ($1, $2)
         ON CONFLICT (agent_id) DO UPDATE SET token = agent_proofs.token RETURNING token",
        id as AgentId,
        fresh
    )
    .fetch_one(pool)
    .await?)
}

pub(super) async fn last_proof(pool: &PgPool, id: AgentId) -> Result<(Option<DateTime<Utc>>, Option<String>)> {
    let row = sqlx::query!("SELECT checked_at, problem FROM agent_proofs WHERE agent_id = $1", id as AgentId)
        .fetch_optional(pool)
        .await?;
    Ok(row.map(|r| (r.checked_at, r.problem)).unwrap_or_default())
}

pub(super) async fn plan_proof(pool: &PgPool, id: AgentId, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!("UPDATE agent_proofs SET next_check_at = $2 WHERE agent_id = $1", id as AgentId, at)
        .execute(pool)
        .await?;
    Ok(())
}

pub(super) async fn claim_proofs(
    pool: &PgPool,
    limit: i64,
    now: DateTime<Utc>,
    next: DateTime<Utc>,
) -> Result<Vec<ProofCheck>> {
    Ok(sqlx::query_as!(
        ProofCheck,
        r#"WITH due AS (SELECT p.agent_id FROM agent_proofs p WHERE p.next_check_at <= $1
                         ORDER BY p.next_check_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)
           UPDATE agent_proofs p SET next_check_at = CASE WHEN a.retired_at IS NULL THEN $3::timestamptz END
             FROM due JOIN agents a ON a.id = due.agent_id
            WHERE p.agent_id = due.agent_id
           RETURNING a.id AS "agent: AgentId", a.endpoint, a.card_url, p.token"#,
        now,
        limit,
        next
    )
    .fetch_all(pool)
    .await?)
}

pub(super) async fn note_proof(
    tx: &mut PgConnection,
    id: AgentId,
    next: Option<DateTime<Utc>>,
    problem: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE agent_proofs SET checked_at = $2, next_check_at = $3, problem = $4 WHERE agent_id = $1",
        id as AgentId,
        now,
        next,
        problem
    )
    .execute(tx)
    .await?;
    Ok(())
}
