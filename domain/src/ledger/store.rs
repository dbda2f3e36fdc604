//! The SQL of the ledger: `credit_balances`, `credit_transactions`, `transactions`, `spending_limits`, `spending_days`.
//!
//! Locks are taken in one order everywhere: hold, then balances in id order.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::book::{Account, Book, NewRow};
use super::disputes::Escrowed;
use super::export::ExportRow;
use super::holds::{EndedHold, Hold, Returned};
use super::limits::SpendingLimits;
use super::usage::UsageDay;
use super::{Balance, Entry, EntryKind, copy};
use crate::{AgentId, Credits, Error, Result, TaskId, UserId};

pub(super) async fn balance(tx: &mut PgConnection, user: UserId) -> Result<Balance> {
    let row = sqlx::query_as!(
        Balance,
        r#"SELECT b.balance AS "available: Credits", b.total_earned AS "earned: Credits", b.total_spent AS "spent: Credits",
                  b.total_purchased AS "purchased: Credits", b.held AS "held: Credits"
             FROM credit_balances b WHERE b.user_id = $1"#,
        user as UserId
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.unwrap_or_default())
}

pub(super) async fn have_bought(tx: &mut PgConnection, users: &[UserId]) -> Result<HashSet<UserId>> {
    let ids: Vec<Uuid> = users.iter().map(|u| u.0).collect();
    let bought = sqlx::query_scalar!(
        r#"SELECT user_id AS "user: UserId" FROM credit_balances WHERE user_id = ANY ($1) AND total_purchased >= 500"#,
        &ids
    )
    .fetch_all(tx)
    .await?;
    Ok(bought.into_iter().collect())
}

pub(super) async fn entries(
    tx: &mut PgConnection,
    user: UserId,
    kind: Option<EntryKind>,
    after: Option<i64>,
    limit: usize,
) -> Result<Vec<Entry>> {
    let rows = sqlx::query!(
        r#"SELECT id, position, type AS kind, amount AS "amount: Credits", balance_after AS "balance_after: Credits", reference_id,
                  description, created_at
             FROM credit_transactions
            WHERE user_id = $1 AND ($2::text IS NULL OR type = $2) AND ($3::bigint IS NULL OR position < $3)
            ORDER BY position DESC LIMIT $4"#,
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
                position: r.position,
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

// Ends of holds ---------------------------------------------------------------------------------------------------

/// Ends the holds of these tasks that are open: captured with this much at most (`Some`: all of it where nothing is said) or
/// returned (`None`). Answers with those that ended now; the row decides, once.
pub(super) async fn end_holds(
    tx: &mut PgConnection,
    ends: impl Iterator<Item = (TaskId, bool, Option<Credits>)>,
) -> Result<Vec<EndedHold>> {
    let mut tasks: Vec<Uuid> = Vec::new();
    let mut captures: Vec<bool> = Vec::new();
    let mut costs: Vec<Option<rust_decimal::Decimal>> = Vec::new();
    for (task, captured, cost) in ends {
        tasks.push(task.0);
        captures.push(captured);
        costs.push(cost.map(Credits::decimal));
    }
    Ok(sqlx::query_as!(
        EndedHold,
        r#"UPDATE transactions x SET status = CASE WHEN d.capture THEN 'settled' ELSE 'refunded' END,
                  captured_credits = CASE WHEN d.capture THEN least(greatest(coalesce(d.cost, x.amount_credits), 0), x.amount_credits) END
             FROM unnest($1::uuid[], $2::boolean[], $3::numeric[]) AS d (task, capture, cost)
            WHERE x.task_id = d.task AND x.status = 'pending'
           RETURNING x.task_id AS "task: TaskId", x.amount_credits AS "price: Credits",
                     x.captured_credits AS "captured: Credits", x.to_agent_id AS "agent: AgentId",
                     x.payer_user_id AS "payer: UserId", x.payee_user_id AS "payee: UserId", x.created_at AS taken_at"#,
        &tasks,
        &captures,
        &costs as &[Option<rust_decimal::Decimal>]
    )
    .fetch_all(tx)
    .await?)
}

/// Balances, locked in id order, and the time at which the last was locked: rows that follow are not older than rows
/// that came before.
pub(super) async fn lock_accounts(
    tx: &mut PgConnection,
    users: &BTreeSet<UserId>,
) -> Result<(Vec<(UserId, Account)>, DateTime<Utc>)> {
    let users: Vec<Uuid> = users.iter().map(|u| u.0).collect();
    let rows = sqlx::query!(
        r#"SELECT l.user_id AS "user: UserId", l.balance AS "balance: Credits", l.entries, l.chain,
                  clock_timestamp() AS "now!"
             FROM (SELECT user_id, balance, entries, chain FROM credit_balances
                    WHERE user_id = ANY ($1) ORDER BY user_id FOR UPDATE) l"#,
        &users
    )
    .fetch_all(tx)
    .await?;
    let now = rows.iter().map(|r| r.now).max().unwrap_or_default();
    Ok((rows.into_iter().map(|r| (r.user, Account::new(r.balance, r.entries, r.chain))).collect(), now))
}

/// Writes the accounts of a book that changed; they are locked.
pub(super) async fn write_accounts(tx: &mut PgConnection, book: &Book) -> Result<()> {
    let touched: Vec<(&UserId, &Account)> = book.accounts.iter().filter(|(_, a)| a.touched).collect();
    let users: Vec<Uuid> = touched.iter().map(|(u, _)| u.0).collect();
    let balances: Vec<_> = touched.iter().map(|(_, a)| a.balance.decimal()).collect();
    let earned: Vec<_> = touched.iter().map(|(_, a)| a.earned.decimal()).collect();
    let spent: Vec<_> = touched.iter().map(|(_, a)| a.spent.decimal()).collect();
    let released: Vec<_> = touched.iter().map(|(_, a)| a.released.decimal()).collect();
    let entries: Vec<i64> = touched.iter().map(|(_, a)| a.entries).collect();
    let chains: Vec<Vec<u8>> = touched.iter().map(|(_, a)| a.chain.clone()).collect();
    sqlx::query!(
        "UPDATE credit_balances b SET balance = d.balance, total_earned = b.total_earned + d.earned,
                total_spent = b.total_spent + d.spent, held = b.held - d.released, entries = d.entries, chain = d.chain,
                updated_at = clock_timestamp()
           FROM unnest($1::uuid[], $2::numeric[], $3::numeric[], $4::numeric[], $5::numeric[], $6::bigint[], $7::bytea[])
             AS d (user_id, balance, earned, spent, released, entries, chain)
          WHERE b.user_id = d.user_id",
        &users,
        &balances,
        &earned,
        &spent,
        &released,
        &entries,
        &chains
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// From this many rows on the check of each row's account against `auth.users` costs more than turning it off.
const MANY_ROWS: usize = 60;

/// Adds ledger rows of accounts whose balances are locked.
///
/// A locked balance proves that the account exists (its own foreign key, and a trigger that refuses to delete it), so for
/// many rows the same proof is not asked of `auth.users` again row by row, where the database lets us say so. Nothing
/// else is written while that is off, and the audit looks for rows without an account.
pub(super) async fn write_rows(tx: &mut PgConnection, rows: &[NewRow]) -> Result<()> {
    let proven = rows.len() >= MANY_ROWS
        && sqlx::query_scalar!(
            r#"SELECT CASE WHEN has_parameter_privilege('session_replication_role', 'SET')
                           THEN set_config('session_replication_role', 'replica', true) = 'replica' ELSE false END AS "proven!""#
        )
        .fetch_one(&mut *tx)
        .await?;
    let statement = format!("COPY credit_transactions ({}) FROM STDIN (FORMAT binary)", copy::COLUMNS);
    let mut sink = tx.copy_in_raw(&statement).await?;
    sink.send(copy::rows(rows)).await?;
    sink.finish().await?;
    if proven {
        sqlx::query!("SELECT set_config('session_replication_role', 'origin', true)").fetch_one(&mut *tx).await?;
    }
    Ok(())
}

/// Takes what came back off the days on which it was held.
pub(super) async fn return_spending(tx: &mut PgConnection, returned: &[Returned]) -> Result<()> {
    if returned.is_empty() {
        return Ok(());
    }
    let users: Vec<Uuid> = returned.iter().map(|r| r.payer.0).collect();
    let days: Vec<NaiveDate> = returned.iter().map(|r| r.day).collect();
    let tasks: Vec<Uuid> = returned.iter().map(|r| r.task.0).collect();
    let sums: Vec<_> = returned.iter().map(|r| r.amount.decimal()).collect();
    sqlx::query!(
        "UPDATE spending_days s SET spent = s.spent - d.sum
           FROM (SELECT user_id, day, sum(amount) AS sum FROM unnest($1::uuid[], $2::date[], $3::numeric[]) AS r (user_id, day, amount)
                  GROUP BY user_id, day) d
          WHERE s.user_id = d.user_id AND s.day = d.day",
        &users,
        &days,
        &sums
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("SELECT ledger.return_to_keys($1, $2)", &tasks, &sums).fetch_one(tx).await?;
    Ok(())
}

pub(super) async fn open_holds(tx: &mut PgConnection, user: UserId) -> Result<Vec<Hold>> {
    Ok(sqlx::query_as!(
        Hold,
        r#"SELECT k.id AS "task: TaskId", k.title, coalesce(economy.agent_name(x.to_agent_id), '') AS "agent!",
                  x.amount_credits AS "amount: Credits", x.created_at AS since, k.timeout_at AS until
             FROM agents f JOIN tasks k ON k.requester_agent_id = f.id AND k.status IN ('pending', 'assigned', 'running')
             JOIN transactions x ON x.task_id = k.id AND x.status = 'pending'
            WHERE f.owner_user_id = $1 ORDER BY x.created_at, k.id LIMIT 100"#,
        user as UserId
    )
    .fetch_all(tx)
    .await?)
}

// Limits, usage, adjustments --------------------------------------------------------------------------------------

pub(super) async fn limits(tx: &mut PgConnection, user: UserId, today: NaiveDate) -> Result<SpendingLimits> {
    Ok(sqlx::query_as!(
        SpendingLimits,
        r#"SELECT (SELECT daily FROM spending_limits WHERE user_id = $1) AS "daily: Credits",
                  (SELECT monthly FROM spending_limits WHERE user_id = $1) AS "monthly: Credits",
                  coalesce((SELECT spent FROM spending_days WHERE user_id = $1 AND day = $2), 0) AS "spent_today!: Credits",
                  coalesce((SELECT sum(spent) FROM spending_days WHERE user_id = $1 AND day >= date_trunc('month', $2::date)::date
                                                                   AND day <= $2), 0) AS "spent_this_month!: Credits""#,
        user as UserId,
        today
    )
    .fetch_one(tx)
    .await?)
}

pub(super) async fn low_balance(tx: &mut PgConnection, user: UserId) -> Result<Option<Credits>> {
    let below = sqlx::query_scalar!(
        r#"SELECT low_balance AS "low_balance: Credits" FROM credit_balances WHERE user_id = $1"#,
        user as UserId
    );
    Ok(below.fetch_optional(tx).await?.flatten())
}

pub(super) async fn set_low_balance(tx: &mut PgConnection, below: Option<Credits>) -> Result<()> {
    sqlx::query!("SELECT economy.set_low_balance($1)", below as Option<Credits>).execute(tx).await?;
    Ok(())
}

pub(super) async fn set_limits(
    tx: &mut PgConnection,
    user: UserId,
    daily: Option<Credits>,
    monthly: Option<Credits>,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO spending_limits (user_id, daily, monthly) VALUES ($1, $2, $3)
         ON CONFLICT (user_id) DO UPDATE SET daily = excluded.daily, monthly = excluded.monthly, updated_at = now()",
        user as UserId,
        daily.map(Credits::decimal),
        monthly.map(Credits::decimal)
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn usage(tx: &mut PgConnection, user: UserId, days: i32, today: NaiveDate) -> Result<Vec<UsageDay>> {
    Ok(sqlx::query_as!(
        UsageDay,
        r#"WITH moved AS (
             SELECT (created_at AT TIME ZONE 'UTC')::date AS day,
                    -sum(amount) FILTER (WHERE type = 'task_debit' OR (type = 'refund' AND metadata ?| ARRAY['taskId', 'disputeRefund'])) AS spent,
                    sum(amount) FILTER (WHERE type IN ('task_credit', 'platform_fee') OR (type = 'refund' AND metadata ? 'dispute')) AS earned
               FROM credit_transactions
              WHERE user_id = $1 AND created_at >= ($3::date - ($2::int - 1))::timestamp AT TIME ZONE 'UTC'
                AND created_at < ($3::date + 1)::timestamp AT TIME ZONE 'UTC'
              GROUP BY 1)
           SELECT d::date AS "day!", coalesce(m.spent, 0) AS "spent!: Credits", coalesce(m.earned, 0) AS "earned!: Credits"
             FROM generate_series($3::date - ($2::int - 1), $3::date, interval '1 day') d
             LEFT JOIN moved m ON m.day = d::date ORDER BY 1"#,
        user as UserId,
        days,
        today
    )
    .fetch_all(tx)
    .await?)
}

pub(super) async fn adjust(pool: &PgPool, user: UserId, amount: Credits, reason: &str) -> Result<Uuid> {
    Ok(sqlx::query_scalar!(r#"SELECT ledger.adjust($1, $2, $3) AS "id!""#, user as UserId, amount as Credits, reason)
        .fetch_one(pool)
        .await?)
}

// Disputes --------------------------------------------------------------------------------------------------------

pub(super) async fn escrow_dispute(tx: &mut PgConnection, task: TaskId) -> Result<Escrowed> {
    Ok(sqlx::query_as!(
        Escrowed,
        r#"SELECT paid AS "paid!: Credits", payer AS "payer!: UserId", payee AS "payee!: UserId", agent AS "agent!: AgentId",
                  provider AS "from_provider!: Credits", platform AS "from_platform!: Credits" FROM ledger.escrow_dispute($1)"#,
        task as TaskId
    )
    .fetch_one(tx)
    .await?)
}

pub(super) async fn resolve_dispute(
    tx: &mut PgConnection,
    task: TaskId,
    refund: Credits,
    by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!("SELECT ledger.resolve_dispute($1, $2, $3, $4)", task as TaskId, refund as Credits, by, now)
        .fetch_one(tx)
        .await?;
    Ok(())
}

/// Who owes something and has something.
pub(super) async fn dispute_debtors(pool: &PgPool) -> Result<Vec<UserId>> {
    Ok(sqlx::query_scalar!(
        r#"SELECT b.user_id AS "user!: UserId" FROM credit_balances b WHERE b.balance > 0 AND b.user_id IN (
             SELECT provider_user_id FROM disputes WHERE owed_provider > 0
             UNION SELECT ledger.platform() FROM disputes WHERE owed_platform > 0) ORDER BY b.user_id"#
    )
    .fetch_all(pool)
    .await?)
}

pub(super) async fn collect_disputes(pool: &PgPool, user: UserId) -> Result<usize> {
    let made =
        sqlx::query_scalar!(r#"SELECT ledger.collect_disputes($1) AS "made!""#, user as UserId).fetch_one(pool).await?;
    Ok(usize::try_from(made).unwrap_or_default())
}

// Export ----------------------------------------------------------------------------------------------------------

/// One snapshot, and a cursor over all rows in the order in which they were written.
pub(super) async fn begin_export(tx: &mut PgConnection) -> Result<()> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *tx).await?;
    sqlx::query("SET LOCAL work_mem = '256MB'").execute(&mut *tx).await?;
    sqlx::query(
        "DECLARE books NO SCROLL CURSOR FOR
         SELECT user_id, position, type, amount, balance_after, reference_id, description, metadata ?| ARRAY['taskId', 'dispute', 'disputeRefund'],
                metadata ? 'purchaseId', created_at
           FROM credit_transactions ORDER BY created_at, user_id, position",
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn export_rows(tx: &mut PgConnection, limit: i64) -> Result<Vec<ExportRow>> {
    use sqlx::Row as _;
    // FETCH takes no parameters; the number is ours.
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("FETCH {limit} FROM books"))).fetch_all(tx).await?;
    rows.into_iter()
        .map(|r| {
            Ok(ExportRow {
                user: r.try_get(0)?,
                position: r.try_get(1)?,
                kind: r.try_get(2)?,
                amount: r.try_get(3)?,
                balance_after: r.try_get(4)?,
                reference: r.try_get(5)?,
                description: r.try_get(6)?,
                of_task: r.try_get(7)?,
                of_purchase: r.try_get(8)?,
                created_at: r.try_get(9)?,
            })
        })
        .collect()
}

pub(super) async fn export_accounts(tx: &mut PgConnection) -> Result<Vec<UserId>> {
    Ok(sqlx::query_scalar!(r#"SELECT user_id AS "user: UserId" FROM credit_balances ORDER BY user_id"#)
        .fetch_all(tx)
        .await?)
}

pub(super) async fn export_balances(tx: &mut PgConnection) -> Result<Vec<(UserId, Credits)>> {
    let rows = sqlx::query!(
        r#"SELECT user_id AS "user: UserId", balance AS "balance: Credits" FROM credit_balances ORDER BY user_id"#
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|r| (r.user, r.balance)).collect())
}

/// What open holds and open disputes contain.
pub(super) async fn escrow(tx: &mut PgConnection) -> Result<Credits> {
    Ok(sqlx::query_scalar!(
        r#"SELECT coalesce((SELECT sum(amount_credits) FROM transactions WHERE status = 'pending'), 0)
                + coalesce((SELECT sum(escrow_provider + escrow_platform) FROM disputes WHERE status = 'open'), 0) AS "sum!: Credits""#
    )
    .fetch_one(tx)
    .await?)
}
