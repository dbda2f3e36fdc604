//! The SQL of the ledger: `credit_balances`, `credit_transactions`, `transactions`, `stripe_events`, `purchases`.

use chrono::NaiveDate;
use sqlx::{PgConnection, PgPool};

use super::packages::Package;
use super::purchase::{Credited, PaidSession, Purchase};
use super::{Balance, DayTotal, Entry, EntryKind, Finding};
use crate::{Credits, Error, PurchaseId, Result, TaskId, UserId};

pub(super) async fn balance(tx: &mut PgConnection, user: UserId) -> Result<Balance> {
    let row = sqlx::query_as!(
        Balance,
        r#"SELECT b.balance AS "available: Credits", b.total_earned AS "earned: Credits", b.total_spent AS "spent: Credits",
                  b.total_purchased AS "purchased: Credits",
                  coalesce((SELECT sum(t.amount_credits) FROM transactions t JOIN agents a ON a.id = t.from_agent_id
                             WHERE a.owner_user_id = b.user_id AND t.status = 'pending'), 0) AS "held!: Credits"
             FROM credit_balances b WHERE b.user_id = $1"#,
        user as UserId
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.unwrap_or_default())
}

pub(super) async fn settle(tx: &mut PgConnection, task: TaskId) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"SELECT ledger.settle($1) AS "done!""#, task as TaskId).fetch_one(tx).await?)
}

pub(super) async fn refund(tx: &mut PgConnection, task: TaskId, reason: &str) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"SELECT ledger.refund($1, $2) AS "done!""#, task as TaskId, reason).fetch_one(tx).await?)
}

pub(super) async fn entries(
    tx: &mut PgConnection,
    user: UserId,
    kind: Option<EntryKind>,
    after: Option<i64>,
    limit: usize,
) -> Result<Vec<Entry>> {
    let rows = sqlx::query!(
        r#"SELECT id, seq, type AS kind, amount AS "amount: Credits", balance_after AS "balance_after: Credits", reference_id,
                  description, created_at
             FROM credit_transactions
            WHERE user_id = $1 AND ($2::text IS NULL OR type = $2) AND ($3::bigint IS NULL OR seq < $3)
            ORDER BY seq DESC LIMIT $4"#,
        user as UserId,
        kind.map(EntryKind::as_str),
        after,
        limit as i64
    )
    .fetch_all(tx)
    .await?;
    rows.into_iter()
        .map(|r| {
            let kind = EntryKind::parse(&r.kind)
                .ok_or_else(|| Error::Internal(format!("ledger row of unknown type {}", r.kind).into()))?;
            Ok(Entry {
                id: r.id,
                seq: r.seq,
                kind,
                amount: r.amount,
                balance_after: r.balance_after,
                reference_id: r.reference_id,
                description: r.description,
                created_at: r.created_at,
            })
        })
        .collect()
}

pub(super) async fn earnings_by_day(
    tx: &mut PgConnection,
    user: UserId,
    days: i32,
    today: NaiveDate,
) -> Result<Vec<DayTotal>> {
    Ok(sqlx::query_as!(
        DayTotal,
        r#"SELECT d::date AS "day!", coalesce(sum(c.amount), 0) AS "earned!: Credits"
             FROM generate_series($3::date - ($2::int - 1), $3::date, interval '1 day') d
             LEFT JOIN credit_transactions c ON c.user_id = $1 AND c.type IN ('task_credit', 'platform_fee')
                   AND c.created_at >= (d::date)::timestamp AT TIME ZONE 'UTC'
                   AND c.created_at < (d::date + 1)::timestamp AT TIME ZONE 'UTC'
            GROUP BY d ORDER BY d"#,
        user as UserId,
        days,
        today
    )
    .fetch_all(tx)
    .await?)
}

pub(super) async fn insert_purchase(pool: &PgPool, user: UserId, package: &Package) -> Result<Purchase> {
    Ok(sqlx::query_as!(
        Purchase,
        r#"INSERT INTO purchases (user_id, package, credits, amount_cents) VALUES ($1, $2, $3, $4)
           RETURNING id AS "id: PurchaseId", user_id AS "user: UserId", package, credits AS "credits: Credits", amount_cents,
                     currency, status, created_at"#,
        user as UserId,
        package.id,
        package.credits() as Credits,
        package.cents
    )
    .fetch_one(pool)
    .await?)
}

pub(super) async fn attach_session(pool: &PgPool, purchase: PurchaseId, session: &str) -> Result<()> {
    sqlx::query!(
        "UPDATE purchases SET stripe_session_id = $2 WHERE id = $1 AND stripe_session_id IS NULL",
        purchase as PurchaseId,
        session
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn purchase(tx: &mut PgConnection, user: UserId, id: PurchaseId) -> Result<Option<Purchase>> {
    Ok(sqlx::query_as!(
        Purchase,
        r#"SELECT id AS "id: PurchaseId", user_id AS "user: UserId", package, credits AS "credits: Credits", amount_cents,
                  currency, status, created_at
             FROM purchases WHERE id = $1 AND user_id = $2"#,
        id as PurchaseId,
        user as UserId
    )
    .fetch_optional(tx)
    .await?)
}

pub(super) async fn credit_purchase(pool: &PgPool, paid: &PaidSession) -> Result<Credited> {
    let answer = sqlx::query_scalar!(
        r#"SELECT ledger.credit_purchase($1, $2, $3, $4, $5, $6) AS "answer!""#,
        paid.event_id,
        paid.event_type,
        paid.purchase as PurchaseId,
        paid.session_id,
        paid.amount_cents,
        paid.currency
    )
    .fetch_one(pool)
    .await?;
    match answer.as_str() {
        "credited" => Ok(Credited::Now),
        "duplicate" => Ok(Credited::Before),
        "unknown" => Ok(Credited::Unknown),
        "mismatch" => Ok(Credited::Mismatch),
        other => Err(Error::Internal(format!("ledger.credit_purchase answered {other}").into())),
    }
}

// The audit's checks: each answers with how many rows it saw and the first 20 that depart from the rule. ---------

pub(super) async fn begin_snapshot(tx: &mut PgConnection) -> Result<()> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(tx).await?;
    Ok(())
}

/// Turns one row of `checked`, `departures` into a finding.
macro_rules! finding {
    ($tx:expr, $check:literal, $sql:literal) => {{
        let row = sqlx::query!($sql).fetch_one(&mut *$tx).await?;
        Ok(Finding { check: $check, checked: row.checked, departures: row.departures })
    }};
}

pub(super) async fn audit_chains(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each row's balance_after is the one before plus its amount",
        r#"WITH chain AS (
             SELECT id, user_id, balance_after,
                    sum(amount) OVER (PARTITION BY user_id ORDER BY seq) AS expected
               FROM credit_transactions)
           SELECT (SELECT count(*) FROM chain) AS "checked!",
                  ARRAY(SELECT format('row %s of account %s says %s, adds up to %s', id, user_id, balance_after, expected)
                          FROM chain WHERE balance_after <> expected OR balance_after < 0 LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn audit_totals(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each account's balance is the sum of its rows, and of its totals less what is held",
        r#"WITH sums AS (
             SELECT b.user_id, b.balance, b.total_earned, b.total_spent, b.total_purchased,
                    coalesce((SELECT sum(c.amount) FROM credit_transactions c WHERE c.user_id = b.user_id), 0) AS rows,
                    coalesce((SELECT sum(c.amount) FROM credit_transactions c
                               WHERE c.user_id = b.user_id AND c.type = 'initial_grant'), 0) AS granted,
                    coalesce((SELECT sum(t.amount_credits) FROM transactions t JOIN agents a ON a.id = t.from_agent_id
                               WHERE a.owner_user_id = b.user_id AND t.status = 'pending'), 0) AS held
               FROM credit_balances b)
           SELECT (SELECT count(*) FROM sums) AS "checked!",
                  ARRAY(SELECT format('account %s has %s; rows add up to %s, totals to %s', user_id, balance, rows,
                                      granted + total_purchased + total_earned - total_spent - held)
                          FROM sums
                         WHERE balance <> rows OR balance <> granted + total_purchased + total_earned - total_spent - held
                         LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn audit_conservation(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "what was granted and bought is what accounts have and escrow holds",
        r#"WITH s AS (
             SELECT (SELECT count(*) FROM credit_balances) AS accounts,
                    (SELECT coalesce(sum(amount), 0) FROM credit_transactions WHERE type IN ('initial_grant', 'purchase')) AS issued,
                    (SELECT coalesce(sum(balance), 0) FROM credit_balances) AS balances,
                    (SELECT coalesce(sum(amount_credits), 0) FROM transactions WHERE status = 'pending') AS escrow)
           SELECT accounts AS "checked!",
                  CASE WHEN issued = balances + escrow THEN '{}'::text[]
                       ELSE ARRAY[format('issued %s, balances %s, escrow %s', issued, balances, escrow)] END AS "departures!"
             FROM s"#
    )
}

pub(super) async fn audit_escrow(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each open hold has its debit, and its task is still open",
        r#"WITH held AS (
             SELECT t.task_id, t.amount_credits, k.status,
                    (SELECT sum(c.amount) FROM credit_transactions c JOIN agents a ON a.owner_user_id = c.user_id
                      WHERE c.reference_id = t.task_id::text AND a.id = t.from_agent_id) AS moved
               FROM transactions t JOIN tasks k ON k.id = t.task_id WHERE t.status = 'pending')
           SELECT (SELECT count(*) FROM held) AS "checked!",
                  ARRAY(SELECT format('task %s (%s) holds %s, its payer moved %s', task_id, status, amount_credits, moved)
                          FROM held WHERE moved IS DISTINCT FROM -amount_credits OR status NOT IN ('assigned', 'running')
                         LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn audit_settled(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each settled hold has its debit, credit and fees, which add up to nothing",
        r#"WITH done AS (
             SELECT t.task_id, t.amount_credits AS price, ledger.fee(t.amount_credits) AS fee, k.status,
                    r.owner_user_id AS payer, p.owner_user_id AS payee
               FROM transactions t JOIN tasks k ON k.id = t.task_id
               JOIN agents r ON r.id = t.from_agent_id JOIN agents p ON p.id = t.to_agent_id
              WHERE t.status = 'settled'),
           sums AS (
             SELECT d.*, coalesce(sum(c.amount), 0) AS total,
                    coalesce(sum(c.amount) FILTER (WHERE c.user_id = d.payer AND c.type = 'task_debit'), 0) AS debit,
                    coalesce(sum(c.amount) FILTER (WHERE c.user_id = d.payee AND c.type = 'task_credit'), 0) AS credit,
                    coalesce(sum(c.amount) FILTER (WHERE c.user_id = ledger.platform()), 0) AS platform,
                    coalesce(sum(c.amount) FILTER (WHERE c.user_id = d.payee AND c.type = 'platform_fee'), 0) AS fee_paid
               FROM done d LEFT JOIN credit_transactions c ON c.reference_id = d.task_id::text
              GROUP BY d.task_id, d.price, d.fee, d.status, d.payer, d.payee)
           SELECT (SELECT count(*) FROM sums) AS "checked!",
                  ARRAY(SELECT format('task %s (%s, price %s): debit %s, credit %s, fee %s, platform %s', task_id, status, price,
                                      debit, credit, fee_paid, platform)
                          FROM sums WHERE total <> 0 OR debit <> -price OR credit <> price OR fee_paid <> -fee
                               OR platform <> fee OR status <> 'completed' LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn audit_refunded(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each refunded hold came back whole, and nobody was paid",
        r#"WITH sums AS (
             SELECT t.task_id, t.amount_credits AS price, k.status,
                    coalesce(sum(c.amount) FILTER (WHERE c.type = 'task_debit'), 0) AS debit,
                    coalesce(sum(c.amount) FILTER (WHERE c.type = 'refund'), 0) AS refund, count(c.id) AS rows
               FROM transactions t JOIN tasks k ON k.id = t.task_id
               LEFT JOIN credit_transactions c ON c.reference_id = t.task_id::text
              WHERE t.status = 'refunded' GROUP BY t.task_id, t.amount_credits, k.status)
           SELECT (SELECT count(*) FROM sums) AS "checked!",
                  ARRAY(SELECT format('task %s (%s, price %s): debit %s, refund %s', task_id, status, price, debit, refund)
                          FROM sums WHERE debit <> -price OR refund <> price OR rows <> 2
                               OR status NOT IN ('failed', 'cancelled') LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn audit_ended_tasks(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each paid task between two owners has exactly the hold that its state asks for",
        r#"WITH paid AS (
             SELECT k.id, k.status, k.price_credits, t.status AS hold, t.amount_credits
               FROM tasks k JOIN agents r ON r.id = k.requester_agent_id JOIN agents p ON p.id = k.assigned_agent_id
               LEFT JOIN transactions t ON t.task_id = k.id
              WHERE k.price_credits > 0 AND r.owner_user_id <> p.owner_user_id)
           SELECT (SELECT count(*) FROM paid) AS "checked!",
                  ARRAY(SELECT format('task %s is %s, its hold %s of %s', id, status, coalesce(hold, 'missing'), amount_credits)
                          FROM paid
                         WHERE amount_credits IS DISTINCT FROM price_credits
                            OR hold IS DISTINCT FROM CASE WHEN status = 'completed' THEN 'settled'
                                                          WHEN status IN ('failed', 'cancelled') THEN 'refunded'
                                                          ELSE 'pending' END
                         LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn audit_purchases(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each paid purchase was credited once, and nothing else was",
        r#"WITH both_ways AS (
             SELECT p.id, p.credits, p.stripe_session_id, c.amount
               FROM (SELECT * FROM purchases WHERE status = 'paid') p
               FULL JOIN (SELECT * FROM credit_transactions WHERE type = 'purchase') c
                 ON c.reference_id = p.stripe_session_id AND c.user_id = p.user_id)
           SELECT (SELECT count(*) FROM both_ways) AS "checked!",
                  ARRAY(SELECT format('purchase %s (%s) of %s: credited %s', id, stripe_session_id, credits, amount)
                          FROM both_ways WHERE credits IS DISTINCT FROM amount LIMIT 20) AS "departures!""#
    )
}
