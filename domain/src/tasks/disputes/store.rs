//! The SQL of disputes: `disputes`, `dispute_statements`. Their money columns are the ledger's functions' to change.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use super::{DecidedBy, Decision, Dispute, Locked, Side, Statement};
use crate::ledger::Escrowed;
use crate::{AgentId, Credits, Error, Missing, Result, TaskId, UserId};

pub(super) async fn exists(tx: &mut PgConnection, task: TaskId) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM disputes WHERE task_id = $1) AS "there!""#, task as TaskId)
        .fetch_one(tx)
        .await?)
}

pub(super) async fn insert(
    tx: &mut PgConnection,
    task: TaskId,
    e: &Escrowed,
    now: DateTime<Utc>,
    answer_by: DateTime<Utc>,
    decide_by: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO disputes (task_id, agent_id, requester_user_id, provider_user_id, paid_credits, escrow_provider,
                               escrow_platform, opened_at, answer_by, decide_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        task as TaskId,
        e.agent as AgentId,
        e.payer as UserId,
        e.payee as UserId,
        e.paid as Credits,
        e.from_provider as Credits,
        e.from_platform as Credits,
        now,
        answer_by,
        decide_by
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn add_statement(
    tx: &mut PgConnection,
    task: TaskId,
    side: Side,
    user: UserId,
    text: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO dispute_statements (task_id, side, user_id, text, created_at) VALUES ($1, $2, $3, $4, $5)",
        task as TaskId,
        side.as_str(),
        user as UserId,
        text,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn answered(tx: &mut PgConnection, task: TaskId) -> Result<()> {
    sqlx::query!("UPDATE disputes SET answered = true WHERE task_id = $1 AND NOT answered", task as TaskId)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn set_offer(tx: &mut PgConnection, task: TaskId, side: Side, refund: Credits) -> Result<()> {
    sqlx::query!(
        "UPDATE disputes SET offer_by = $2, offer_credits = $3 WHERE task_id = $1",
        task as TaskId,
        side.as_str(),
        refund as Credits
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Locks a dispute after its task, and says on which side of it `user` is.
pub(super) async fn lock(tx: &mut PgConnection, task: TaskId, user: UserId) -> Result<Locked> {
    let title = sqlx::query_scalar!("SELECT title FROM tasks WHERE id = $1 FOR NO KEY UPDATE", task as TaskId)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound(Missing::Task))?;
    let row = sqlx::query!(
        r#"SELECT agent_id AS "agent: AgentId", status, paid_credits AS "paid: Credits", offer_credits AS "offer: Credits", offer_by,
                  requester_user_id AS "requester: UserId", provider_user_id AS "provider: UserId", answered, answer_by, decide_by
             FROM disputes WHERE task_id = $1 FOR UPDATE"#,
        task as TaskId
    )
    .fetch_optional(tx)
    .await?
    .ok_or(Error::NotFound(Missing::Task))?;
    let side = if row.requester == user {
        Some(Side::Requester)
    } else if row.provider == user {
        Some(Side::Provider)
    } else {
        None
    };
    Ok(Locked {
        task,
        agent: row.agent,
        side,
        status: row.status,
        paid: row.paid,
        offer: row.offer_by.as_deref().map(Side::parse).zip(row.offer),
        requester: row.requester,
        provider: row.provider,
        title,
        answered: row.answered,
        answer_by: row.answer_by,
        decide_by: row.decide_by,
    })
}

pub(super) async fn requester(tx: &mut PgConnection, task: TaskId) -> Result<UserId> {
    Ok(sqlx::query_scalar!(
        r#"SELECT requester_user_id AS "user: UserId" FROM disputes WHERE task_id = $1"#,
        task as TaskId
    )
    .fetch_one(tx)
    .await?)
}

pub(super) async fn due(pool: &PgPool, now: DateTime<Utc>) -> Result<Vec<TaskId>> {
    Ok(sqlx::query_scalar!(
        r#"SELECT task_id AS "task: TaskId" FROM disputes
            WHERE status = 'open' AND (decide_by <= $1 OR (NOT answered AND answer_by <= $1)) ORDER BY decide_by LIMIT 100"#,
        now
    )
    .fetch_all(pool)
    .await?)
}

/// The columns of a dispute, as both queries here name them.
struct Row {
    task: TaskId,
    title: String,
    agent: AgentId,
    agent_name: String,
    requester: String,
    provider: String,
    paid: Credits,
    escrow: Credits,
    offer: Option<Credits>,
    offer_by: Option<String>,
    opened_at: DateTime<Utc>,
    answered: bool,
    answer_by: DateTime<Utc>,
    decide_by: DateTime<Utc>,
    decided_by: Option<String>,
    refund: Option<Credits>,
    returned: Credits,
    owed: Credits,
    resolved_at: Option<DateTime<Utc>>,
}

impl From<Row> for Dispute {
    fn from(r: Row) -> Self {
        let decision = r.decided_by.as_deref().zip(r.refund).zip(r.resolved_at).map(|((by, refund), at)| Decision {
            by: DecidedBy::parse(by),
            refund,
            returned: r.returned,
            owed: r.owed,
            at,
        });
        Dispute {
            task: r.task,
            title: r.title,
            agent: r.agent,
            agent_name: r.agent_name,
            requester: r.requester,
            provider: r.provider,
            paid: r.paid,
            escrow: r.escrow,
            offer: r.offer_by.as_deref().map(Side::parse).zip(r.offer),
            opened_at: r.opened_at,
            answer_by: (!r.answered).then_some(r.answer_by),
            decide_by: r.decide_by,
            decision,
            statements: Vec::new(),
        }
    }
}

/// The dispute of a task; with `side`, only if that account is one of its sides.
pub(super) async fn dispute(tx: &mut PgConnection, task: TaskId, side: Option<UserId>) -> Result<Option<Dispute>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT d.task_id AS "task: TaskId", t.title, d.agent_id AS "agent: AgentId", a.name AS agent_name,
                  r.display_name AS requester, p.display_name AS provider, d.paid_credits AS "paid: Credits",
                  d.escrow_provider + d.escrow_platform AS "escrow!: Credits", d.offer_credits AS "offer: Credits", d.offer_by,
                  d.opened_at, d.answered, d.answer_by, d.decide_by, d.decided_by, d.refund_credits AS "refund: Credits",
                  d.returned_credits AS "returned: Credits", d.owed_provider + d.owed_platform AS "owed!: Credits", d.resolved_at
             FROM disputes d JOIN tasks t ON t.id = d.task_id JOIN agents a ON a.id = d.agent_id
             JOIN auth.users r ON r.id = d.requester_user_id JOIN auth.users p ON p.id = d.provider_user_id
            WHERE d.task_id = $1 AND ($2::uuid IS NULL OR $2 IN (d.requester_user_id, d.provider_user_id))"#,
        task as TaskId,
        side as Option<UserId>
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut dispute = Dispute::from(row);
    let rows = sqlx::query!(
        "SELECT s.side, u.display_name AS author, s.text, s.created_at
           FROM dispute_statements s JOIN auth.users u ON u.id = s.user_id WHERE s.task_id = $1 ORDER BY s.id",
        task as TaskId
    )
    .fetch_all(tx)
    .await?;
    dispute.statements = rows
        .into_iter()
        .map(|r| Statement { side: Side::parse(&r.side), author: r.author, text: r.text, created_at: r.created_at })
        .collect();
    Ok(Some(dispute))
}

pub(super) async fn open_disputes(tx: &mut PgConnection) -> Result<Vec<Dispute>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT d.task_id AS "task: TaskId", t.title, d.agent_id AS "agent: AgentId", a.name AS agent_name,
                  r.display_name AS requester, p.display_name AS provider, d.paid_credits AS "paid: Credits",
                  d.escrow_provider + d.escrow_platform AS "escrow!: Credits", d.offer_credits AS "offer: Credits", d.offer_by,
                  d.opened_at, d.answered, d.answer_by, d.decide_by, d.decided_by, d.refund_credits AS "refund: Credits",
                  d.returned_credits AS "returned: Credits", d.owed_provider + d.owed_platform AS "owed!: Credits", d.resolved_at
             FROM disputes d JOIN tasks t ON t.id = d.task_id JOIN agents a ON a.id = d.agent_id
             JOIN auth.users r ON r.id = d.requester_user_id JOIN auth.users p ON p.id = d.provider_user_id
            WHERE d.status = 'open' ORDER BY least(d.decide_by, CASE WHEN d.answered THEN d.decide_by ELSE d.answer_by END) LIMIT 200"#
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(Dispute::from).collect())
}
