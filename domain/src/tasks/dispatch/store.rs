//! The SQL of the queue: `task_queue`, `task_attempts`, `agent_gates`, `agent_cancels`.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::cancels::Cancel;
use super::{Claim, Lease, Question, Trouble, breaker};
use crate::agents::SigningSecrets;
use crate::tasks::finish::Locked;
use crate::tasks::store::{self as tasks, event};
use crate::{Actor, AgentId, Db, Result, TaskId, accounts};

pub(super) async fn claim(pool: &PgPool, limit: i64, lease: Duration) -> Result<Vec<Claim>> {
    // One statement: one round trip, and a task of its own that is committed when the answer comes.
    let leased = sqlx::query!(
        r#"SELECT task_id AS "task!: TaskId", lease_token AS "token!", attempts AS "attempts!",
                  attempts_before AS "attempts_before!", questions AS "questions!", began_at, failures AS "failures!",
                  message_no AS "message_no!", message_id AS "message_id!", sent AS "sent!", push_token AS "push_token!"
             FROM economy.claim_tasks($1, make_interval(secs => $2))"#,
        i32::try_from(limit).unwrap_or(i32::MAX),
        lease.as_secs_f64()
    )
    .fetch_all(pool)
    .await?;
    if leased.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = leased.iter().map(|l| l.task.0).collect();
    let messages: Vec<i32> = leased.iter().map(|l| l.message_no).collect();
    // Another statement, because it must see what stood when the rows were leased: the first began before that, and could
    // find a task without the reply that its row asks to send.
    let rows = sqlx::query!(
        r#"SELECT t.id AS "task: TaskId", a.id AS "agent: AgentId", a.endpoint, a.agent_card AS card, a.protocol,
                  t.skill_id AS skill, t.messages -> l.message_no AS "message!",
                  CASE WHEN l.message_no > 0 THEN ARRAY(SELECT m ->> 'messageId' FROM jsonb_array_elements(t.messages) m
                                                         WHERE m ->> 'role' = 'ROLE_AGENT' AND m ? 'messageId') END AS said, t.remote_task_id AS remote_task,
                  t.remote_context_id AS context, b.remote_task_id AS "reference?", t.timeout_at, t.started_at,
                  s.secret AS "secret?", CASE WHEN s.previous_expires_at > now() THEN s.previous END AS previous
             FROM unnest($1::uuid[], $2::int[]) AS l (task, message_no)
             JOIN tasks t ON t.id = l.task JOIN agents a ON a.id = t.assigned_agent_id
             LEFT JOIN tasks b ON b.id = t.follows LEFT JOIN agent_secrets s ON s.agent_id = a.id
            WHERE t.status IN ('assigned', 'running')"#,
        &ids,
        &messages
    )
    .fetch_all(pool)
    .await?;
    let mut tasks: BTreeMap<TaskId, _> = rows.into_iter().map(|r| (r.task, r)).collect();
    Ok(leased
        .into_iter()
        .filter_map(|l| {
            let r = tasks.remove(&l.task)?;
            Some(Claim {
                task: l.task,
                token: l.token,
                attempt: l.attempts,
                since_reply: l.attempts - l.attempts_before,
                questions: l.questions,
                failures: l.failures,
                agent: r.agent,
                endpoint: r.endpoint,
                card: r.card,
                protocol: r.protocol,
                skill: r.skill,
                message: r.message,
                message_no: l.message_no,
                said: r.said.unwrap_or_default(),
                message_id: l.message_id,
                sent: l.sent,
                remote_task: r.remote_task,
                context: r.context,
                reference: r.reference,
                push_token: l.push_token,
                timeout_at: r.timeout_at,
                started_at: r.started_at.or(l.began_at),
                secrets: SigningSecrets([r.secret, r.previous].into_iter().flatten().collect()),
            })
        })
        .collect())
}

pub(super) async fn renew(pool: &PgPool, leases: &[(TaskId, Uuid)], lease: Duration) -> Result<Vec<Lease>> {
    let tasks: Vec<Uuid> = leases.iter().map(|l| l.0.0).collect();
    let tokens: Vec<Uuid> = leases.iter().map(|l| l.1).collect();
    // In id order, as ends lock them.
    let rows = sqlx::query!(
        r#"WITH ours AS (
             SELECT q.task_id FROM task_queue q JOIN unnest($1::uuid[], $2::uuid[]) AS l (task, token)
                 ON q.task_id = l.task AND q.lease_token = l.token ORDER BY q.task_id FOR UPDATE OF q),
           held AS (
             UPDATE task_queue q SET lease_expires_at = now() + make_interval(secs => $3) FROM ours
              WHERE q.task_id = ours.task_id RETURNING q.task_id)
           SELECT l.task AS "task!", EXISTS (SELECT 1 FROM held h WHERE h.task_id = l.task) AS "held!",
                  coalesce(t.status IN ('completed', 'failed', 'cancelled'), true) AS "ended!"
             FROM unnest($1::uuid[]) WITH ORDINALITY AS l (task, n) LEFT JOIN tasks t ON t.id = l.task ORDER BY l.n"#,
        &tasks,
        &tokens,
        lease.as_secs_f64()
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| match (r.held, r.ended) {
            (true, _) => Lease::Held,
            (false, true) => Lease::Ended,
            (false, false) => Lease::Lost,
        })
        .collect())
}

pub(super) async fn note_remote(db: &Db, claim: &Claim, task: &str, context: Option<&str>) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    if lock_running(&mut tx, claim).await?.is_some() {
        tasks::set_remote(&mut tx, claim.task, task, context).await?;
        sqlx::query!("UPDATE task_queue SET sent = true WHERE task_id = $1", claim.task as TaskId)
            .execute(&mut *tx)
            .await?;
        open_gates(&mut tx, &[claim.agent.0]).await?;
        tx.commit().await?;
    }
    Ok(())
}

pub(super) async fn progress(db: &Db, claim: &Claim, text: &str) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    if lock_running(&mut tx, claim).await?.is_some() {
        event(&mut tx, claim.task, "progress", json!({ "text": text })).await?;
        tx.commit().await?;
    }
    Ok(())
}

pub(super) async fn show_artifacts(db: &Db, claim: &Claim, artifacts: &[Value]) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    if lock_running(&mut tx, claim).await?.is_some() {
        tasks::set_artifacts(&mut tx, claim.task, artifacts).await?;
        event(&mut tx, claim.task, "artifact", json!({ "artifacts": artifacts.len() })).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Locks the task of a claim and sees to it that it is noted as running; `None` when the claim does not stand any more.
async fn lock_running(tx: &mut PgConnection, claim: &Claim) -> Result<Option<Locked>> {
    let Some(task) = tasks::lock_leased(tx, claim).await? else { return Ok(None) };
    // A later attempt is noted once, by its number.
    if !task.running || task.retries < claim.attempt - 1 {
        let kind = if task.running { "retry" } else { "running" };
        tasks::set_running(tx, claim.task, claim.attempt - 1, task.started_at).await?;
        event(tx, claim.task, kind, json!({ "attempt": claim.attempt })).await?;
    }
    Ok(Some(task))
}

pub(super) async fn mark_running(db: &Db, claim: &Claim) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    if lock_running(&mut tx, claim).await?.is_some() {
        tx.commit().await?;
    }
    Ok(())
}

/// Ends the attempt of one task that is under way.
async fn end_attempt(tx: &mut PgConnection, id: TaskId, outcome: &str, trouble: Option<&Trouble>) -> Result<()> {
    sqlx::query!(
        "SELECT economy.end_attempt($1, $2, $3, $4)",
        id as TaskId,
        outcome,
        trouble.map(|t| t.error.as_str()),
        trouble.and_then(|t| t.status).map(i32::from)
    )
    .fetch_one(tx)
    .await?;
    Ok(())
}

pub(super) async fn try_later(
    db: &Db,
    claim: &Claim,
    trouble: &Trouble,
    run_at: DateTime<Utc>,
    jitter: f64,
) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    if lock_running(&mut tx, claim).await?.is_none() {
        return Ok(());
    }
    end_attempt(&mut tx, claim.task, "retried", Some(trouble)).await?;
    sqlx::query!(
        "UPDATE task_queue SET state = 'waiting', run_at = $2, failures = failures + 1, lease_token = NULL,
                lease_expires_at = NULL WHERE task_id = $1",
        claim.task as TaskId,
        run_at
    )
    .execute(&mut *tx)
    .await?;
    close_gate(&mut tx, claim.agent, jitter).await?;
    tx.commit().await?;
    Ok(())
}

/// Counts a failure against the agent's gate, and closes it for a while when there were too many in a row. While it is closed
/// nothing is counted: the calls that fail then were begun before.
async fn close_gate(tx: &mut PgConnection, agent: AgentId, jitter: f64) -> Result<()> {
    let failures = sqlx::query_scalar!(
        "UPDATE agent_gates SET failures = failures + 1
          WHERE agent_id = $1 AND (open_until IS NULL OR open_until <= now()) RETURNING failures",
        agent as AgentId
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(pause) = failures.and_then(|n| breaker::pause(n, jitter)) {
        sqlx::query!(
            "UPDATE agent_gates SET open_until = now() + make_interval(secs => $2) WHERE agent_id = $1",
            agent as AgentId,
            pause.as_secs_f64()
        )
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// These agents answered: their failures are forgotten.
async fn open_gates(tx: &mut PgConnection, agents: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "UPDATE agent_gates g SET failures = 0, open_until = NULL
           FROM (SELECT agent_id FROM agent_gates WHERE agent_id = ANY ($1) AND failures > 0 ORDER BY agent_id FOR NO KEY UPDATE) f
          WHERE g.agent_id = f.agent_id",
        agents
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn poll_later(db: &Db, claim: &Claim, run_at: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    if lock_running(&mut tx, claim).await?.is_none() {
        return Ok(());
    }
    // It may have rung while we were about to leave.
    sqlx::query!(
        "UPDATE task_queue SET state = 'polling', run_at = CASE WHEN rung THEN now() ELSE $2 END, lease_token = NULL,
                lease_expires_at = NULL WHERE task_id = $1",
        claim.task as TaskId,
        run_at
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn ask(db: &Db, claim: &Claim, question: &Question, now: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    let Some(task) = lock_running(&mut tx, claim).await? else { return Ok(()) };
    end_attempt(&mut tx, claim.task, "asked", None).await?;
    tasks::set_remote(&mut tx, claim.task, &question.remote_task, question.context.as_deref()).await?;
    tasks::wait_for_requester(&mut tx, claim.task, question, now).await?;
    event(&mut tx, claim.task, "asks", json!({ "auth": question.auth })).await?;
    sqlx::query!(
        "UPDATE task_queue SET state = 'asking', questions = questions + 1, lease_token = NULL, lease_expires_at = NULL WHERE task_id = $1",
        claim.task as TaskId
    )
    .execute(&mut *tx)
    .await?;
    let about = format!("task-asks:{}:{}", claim.task, claim.questions + 1);
    let (subject, body) = question.mail(claim.task, &task.title);
    accounts::queue_mail(&mut tx, task.payer, &about, subject, &body).await?;
    open_gates(&mut tx, &[claim.agent.0]).await?;
    ring_workers(&mut tx, &[claim.agent.0]).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn give_back(db: &Db, claim: &Claim) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    if lock_running(&mut tx, claim).await?.is_none() {
        return Ok(());
    }
    end_attempt(&mut tx, claim.task, "lost", Some(&Trouble { error: "The worker was stopped".into(), status: None }))
        .await?;
    // Not the agent's doing, so it is not counted as a failure.
    sqlx::query!(
        "UPDATE task_queue SET state = 'waiting', run_at = now(), lease_token = NULL, lease_expires_at = NULL WHERE task_id = $1",
        claim.task as TaskId
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query_scalar!(r#"SELECT 1 AS "one!" FROM pg_notify('task_queue', '')"#).fetch_one(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn ring(pool: &PgPool, task: TaskId, token: &str) -> Result<bool> {
    // The token is compared by its hash, so that the time taken says nothing about it.
    let found = sqlx::query_scalar!(
        r#"WITH rung AS (
             UPDATE task_queue SET rung = true, run_at = CASE WHEN state = 'polling' THEN now() ELSE run_at END
              WHERE task_id = $1 AND sha256(convert_to(push_token, 'UTF8')) = sha256(convert_to($2, 'UTF8')) AND NOT rung
              RETURNING state),
           told AS (SELECT pg_notify(CASE state WHEN 'polling' THEN 'task_queue' ELSE 'task_rung' END, $1::text) FROM rung)
           SELECT (SELECT count(*) FROM told) > 0
               OR EXISTS (SELECT 1 FROM task_queue WHERE task_id = $1 AND rung
                             AND sha256(convert_to(push_token, 'UTF8')) = sha256(convert_to($2, 'UTF8'))) AS "ours!""#,
        task as TaskId,
        token
    )
    .fetch_one(pool)
    .await?;
    Ok(found)
}

/// An attempt that ends with its task.
pub(in crate::tasks) struct EndedAttempt {
    pub task: TaskId,
    pub outcome: &'static str,
    pub error: Option<String>,
    pub status: Option<u16>,
    /// Whether the agent answered at all: then its gate is opened.
    pub answered: Option<AgentId>,
}

/// Takes ended tasks out of the queue, ends their open attempts, and wakes workers for what waited for their places.
pub(in crate::tasks) async fn leave(tx: &mut PgConnection, ended: &[EndedAttempt], now: DateTime<Utc>) -> Result<()> {
    let ids: Vec<Uuid> = ended.iter().map(|e| e.task.0).collect();
    let outcomes: Vec<String> = ended.iter().map(|e| e.outcome.to_owned()).collect();
    let errors: Vec<Option<String>> = ended.iter().map(|e| e.error.clone()).collect();
    let statuses: Vec<Option<i32>> = ended.iter().map(|e| e.status.map(i32::from)).collect();
    let agents = sqlx::query_scalar!(
        r#"WITH gone AS (
             DELETE FROM task_queue WHERE task_id = ANY ($1) RETURNING task_id, agent_id, attempts, began_at),
           written AS (
             INSERT INTO task_attempts (task_id, number, started_at, ended_at, outcome, error, http_status)
             SELECT g.task_id, g.attempts, g.began_at, greatest($5, g.began_at), d.outcome, d.error, d.status
               FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[]) AS d (id, outcome, error, status)
               JOIN gone g ON g.task_id = d.id AND g.began_at IS NOT NULL)
           SELECT DISTINCT agent_id AS "agent!" FROM gone"#,
        &ids,
        &outcomes,
        &errors as &[Option<String>],
        &statuses as &[Option<i32>],
        now
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut answered: Vec<Uuid> = ended.iter().filter_map(|e| e.answered.map(|a| a.0)).collect();
    answered.sort_unstable();
    answered.dedup();
    open_gates(tx, &answered).await?;
    ring_workers(tx, &agents).await
}

/// Wakes workers where tasks of these agents wait for a place that is free now.
async fn ring_workers(tx: &mut PgConnection, agents: &[Uuid]) -> Result<()> {
    sqlx::query_scalar!(
        r#"SELECT 1 AS "one!" FROM (SELECT DISTINCT a FROM unnest($1::uuid[]) a) d,
                  LATERAL (SELECT 1 FROM task_queue q WHERE q.agent_id = d.a AND q.state = 'waiting' LIMIT 1) w,
                  pg_notify('task_queue', '') LIMIT 1"#,
        agents
    )
    .fetch_optional(tx)
    .await?;
    Ok(())
}

// Agents to be told -----------------------------------------------------------------------------------------------

/// Who tells an agent that its task is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tasks) enum HangUp {
    /// Whoever finds it written down first.
    Now,
    /// The worker that holds the conversation, if one does; only if that one is dead, another.
    AfterHolder,
}

/// Writes down the agents that are to be told, where they have taken their task. The places in the queue are still there.
pub(in crate::tasks) async fn hang_up(tx: &mut PgConnection, untold: &[(TaskId, HangUp)]) -> Result<()> {
    for who in [HangUp::Now, HangUp::AfterHolder] {
        let ids: Vec<Uuid> = untold.iter().filter(|(_, w)| *w == who).map(|(task, _)| task.0).collect();
        if !ids.is_empty() {
            sqlx::query!("SELECT economy.hang_up($1, $2)", &ids, who == HangUp::AfterHolder)
                .fetch_one(&mut *tx)
                .await?;
        }
    }
    Ok(())
}

pub(super) async fn due_cancels(pool: &PgPool, limit: i64, now: DateTime<Utc>, pause: Duration) -> Result<Vec<Cancel>> {
    let rows = sqlx::query!(
        r#"WITH due AS (
             SELECT task_id FROM agent_cancels WHERE next_at <= $1 ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED),
           taken AS (
             UPDATE agent_cancels c SET tries = c.tries + 1, next_at = $1::timestamptz + make_interval(secs => $3 * 2 ^ c.tries)
               FROM due WHERE c.task_id = due.task_id RETURNING c.task_id, c.tries)
           SELECT t.id AS "task!: TaskId", t.remote_task_id AS "remote_task!", n.tries AS "tries!", a.endpoint AS "endpoint!",
                  a.agent_card AS "card!", a.protocol,
                  s.secret AS "secret?", CASE WHEN s.previous_expires_at > now() THEN s.previous END AS previous
             FROM taken n JOIN tasks t ON t.id = n.task_id JOIN agents a ON a.id = t.assigned_agent_id
             LEFT JOIN agent_secrets s ON s.agent_id = a.id"#,
        now,
        limit,
        pause.as_secs_f64()
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Cancel {
            task: r.task,
            remote_task: r.remote_task,
            tries: r.tries,
            endpoint: r.endpoint,
            card: r.card,
            protocol: r.protocol,
            secrets: SigningSecrets([r.secret, r.previous].into_iter().flatten().collect()),
        })
        .collect())
}

pub(super) async fn forget_cancel(pool: &PgPool, task: TaskId) -> Result<()> {
    sqlx::query!("DELETE FROM agent_cancels WHERE task_id = $1", task as TaskId).execute(pool).await?;
    Ok(())
}
