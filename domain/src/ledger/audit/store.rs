//! The SQL of the audit. Each check answers with how many rows it saw and the first 20 that depart from the rule.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use super::{AuditReport, Finding, KeptAudit};
use crate::Result;

/// Begins to look at one moment, and answers with its name for others to look at it too.
pub(super) async fn begin_snapshot(tx: &mut PgConnection) -> Result<String> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *tx).await?;
    Ok(sqlx::query_scalar!(r#"SELECT pg_export_snapshot() AS "name!""#).fetch_one(tx).await?)
}

/// Looks at the moment that another transaction of this database began with.
pub(super) async fn join_snapshot(tx: &mut PgConnection, snapshot: &str) -> Result<()> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *tx).await?;
    // SET takes no parameters; the name is PostgreSQL's own, of digits, letters and dashes.
    let named = format!("SET TRANSACTION SNAPSHOT '{}'", snapshot.replace('\'', ""));
    sqlx::query(sqlx::AssertSqlSafe(named)).execute(tx).await?;
    Ok(())
}

pub(super) async fn give_memory(tx: &mut PgConnection) -> Result<()> {
    // Large sorts and joins in memory; compiling the queries costs more than it wins.
    sqlx::query("SET LOCAL work_mem = '256MB'").execute(&mut *tx).await?;
    sqlx::query("SET LOCAL jit = off").execute(&mut *tx).await?;
    Ok(())
}

/// Turns one row of `checked`, `departures` into a finding.
macro_rules! finding {
    ($tx:expr, $check:literal, $sql:literal) => {{
        let row = sqlx::query!($sql).fetch_one(&mut *$tx).await?;
        Ok(Finding { check: $check, checked: row.checked, departures: row.departures })
    }};
}

pub(super) async fn chains(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each row follows the one before it: number, balance and hash",
        r#"WITH chain AS (
             SELECT c.*, lag("position", 1, 0::bigint) OVER w AS position_before,
                    lag(balance_after, 1, 0::numeric(12,2)) OVER w AS balance_before, lag(hash, 1, '\x'::bytea) OVER w AS hash_before
               FROM credit_transactions c WINDOW w AS (PARTITION BY user_id ORDER BY "position")),
           wrong AS (
             SELECT id, user_id, "position", balance_after, balance_before + amount AS expected,
                    "position" <> position_before + 1 AS gap, balance_after <> balance_before + amount OR balance_after < 0 AS sum
               FROM chain
              WHERE "position" <> position_before + 1 OR balance_after <> balance_before + amount OR balance_after < 0
                 OR hash <> ledger.entry_hash(hash_before, user_id, "position", type, amount, balance_after, reference_id,
                                              description, metadata, created_at)
              LIMIT 20)
           SELECT (SELECT count(*) FROM credit_transactions) AS "checked!",
                  ARRAY(SELECT CASE WHEN gap THEN format('row %s of account %s is number %s, which does not follow', id, user_id, "position")
                                    WHEN sum THEN format('row %s of account %s says %s, adds up to %s', id, user_id, balance_after, expected)
                                    ELSE format('row %s (number %s of account %s) was changed after it was written', id, "position", user_id) END
                          FROM wrong) AS "departures!""#
    )
}

pub(super) async fn ends(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each account's balance is that of its last row, and no row is without an account",
        r#"WITH per AS (SELECT user_id, count(*) AS n, max("position") AS last FROM credit_transactions GROUP BY user_id),
           wrong AS (
             SELECT coalesce(b.user_id, p.user_id) AS user_id, b.balance, b.entries, p.n, c.balance_after
               FROM credit_balances b FULL JOIN per p ON p.user_id = b.user_id
               LEFT JOIN credit_transactions c ON c.user_id = p.user_id AND c."position" = p.last
              WHERE b.user_id IS NULL OR b.entries <> coalesce(p.n, 0) OR b.entries <> coalesce(p.last, 0)
                 OR b.balance <> coalesce(c.balance_after, 0) OR b.chain <> coalesce(c.hash, '\x'))
           SELECT (SELECT count(*) FROM credit_balances) AS "checked!",
                  ARRAY(SELECT format('account %s has %s in %s rows, its last row says %s, there are %s', user_id, balance, entries,
                                      balance_after, n) FROM wrong LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn anchors(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each end of a chain that an earlier audit wrote down is still there",
        r#"SELECT (SELECT count(*) FROM ledger_anchors) AS "checked!",
                  ARRAY(SELECT format('account %s: row %s is not the one that audit %s saw', a.user_id, a."position", a.audit_id)
                          FROM ledger_anchors a
                          LEFT JOIN credit_transactions c ON c.user_id = a.user_id AND c."position" = a."position"
                         WHERE c.hash IS DISTINCT FROM a.hash LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn totals(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each account's totals are what its rows say, and its balance is what they leave",
        r#"WITH rows AS (
             SELECT user_id,
                    sum(amount) FILTER (WHERE type = 'initial_grant') AS granted,
                    sum(amount) FILTER (WHERE type = 'purchase' OR (type = 'refund' AND metadata ? 'purchaseId')) AS purchased,
                    sum(amount) FILTER (WHERE type IN ('task_credit', 'platform_fee') OR metadata ?| ARRAY['adjustment', 'dispute']) AS earned
               FROM credit_transactions GROUP BY user_id),
           held AS (
             SELECT a.owner_user_id AS user_id, sum(t.amount_credits) AS held
               FROM transactions t JOIN agents a ON a.id = t.from_agent_id WHERE t.status = 'pending' GROUP BY 1),
           sums AS (
             SELECT b.user_id, b.balance, b.held AS noted, b.total_purchased, b.total_earned, b.total_spent,
                    coalesce(r.granted, 0) AS granted,
                    coalesce(r.purchased, 0) AS purchased, coalesce(r.earned, 0) AS earned, coalesce(h.held, 0) AS held
               FROM credit_balances b LEFT JOIN rows r USING (user_id) LEFT JOIN held h USING (user_id))
           SELECT (SELECT count(*) FROM sums) AS "checked!",
                  ARRAY(SELECT format('account %s has %s; granted %s + bought %s (rows: %s) + earned %s (rows: %s) - spent %s - held %s (holds: %s)',
                                      user_id, balance, granted, total_purchased, purchased, total_earned, earned, total_spent, noted,
                                      held)
                          FROM sums
                         WHERE balance <> granted + total_purchased + total_earned - total_spent - held
                            OR total_purchased <> purchased OR total_earned <> earned OR noted <> held LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn conservation(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "what was granted and bought is what accounts have and escrow holds",
        r#"WITH s AS (
             SELECT (SELECT count(*) FROM credit_balances) AS accounts,
                    (SELECT coalesce(sum(amount), 0) FROM credit_transactions
                      WHERE type IN ('initial_grant', 'purchase') OR (type = 'refund' AND metadata ? 'purchaseId')) AS issued,
                    (SELECT coalesce(sum(balance), 0) FROM credit_balances) AS balances,
                    (SELECT coalesce(sum(amount_credits), 0) FROM transactions WHERE status = 'pending')
                    + (SELECT coalesce(sum(escrow_provider + escrow_platform), 0) FROM disputes) AS escrow)
           SELECT accounts AS "checked!",
                  CASE WHEN issued = balances + escrow THEN '{}'::text[]
                       ELSE ARRAY[format('issued %s, balances %s, escrow %s', issued, balances, escrow)] END AS "departures!"
             FROM s"#
    )
}

pub(super) async fn holds(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each hold has its debit, and when it ended its credit, fees and return, which add up to nothing",
        r#"WITH moved AS (
             SELECT reference_id, count(*) AS n, sum(amount) AS total,
                    sum(amount) FILTER (WHERE type = 'task_debit') AS debit, sum(amount) FILTER (WHERE type = 'task_credit') AS credit,
                    sum(amount) FILTER (WHERE type = 'platform_fee' AND user_id <> ledger.platform()) AS fee,
                    sum(amount) FILTER (WHERE type = 'platform_fee' AND user_id = ledger.platform()) AS platform,
                    sum(amount) FILTER (WHERE type = 'refund') AS refund,
                    min(user_id::text) FILTER (WHERE type IN ('task_debit', 'refund')) AS payer,
                    max(user_id::text) FILTER (WHERE type IN ('task_debit', 'refund')) AS payer_too,
                    min(user_id::text) FILTER (WHERE type = 'task_credit') AS payee
               FROM credit_transactions WHERE metadata ? 'taskId' GROUP BY reference_id),
           held AS (
             SELECT t.task_id::text AS task, t.amount_credits AS price, t.status, coalesce(t.captured_credits, 0) AS captured,
                    ledger.fee(coalesce(t.captured_credits, 0)) AS cut, f.owner_user_id::text AS payer, p.owner_user_id::text AS payee,
                    t.payer_user_id::text AS noted_payer, t.payee_user_id::text AS noted_payee
               FROM transactions t JOIN agents f ON f.id = t.from_agent_id JOIN agents p ON p.id = t.to_agent_id),
           wrong AS (
             SELECT coalesce(h.task, m.reference_id) AS task, h.status, h.price, h.captured, m.*
               FROM held h FULL JOIN moved m ON m.reference_id = h.task
              WHERE h.task IS NULL OR m.reference_id IS NULL OR m.debit IS DISTINCT FROM -h.price
                 OR m.payer <> h.payer OR m.payer_too <> h.payer OR h.noted_payer <> h.payer OR h.noted_payee <> h.payee
                 OR CASE h.status
                      WHEN 'pending' THEN m.n <> 1
                      WHEN 'refunded' THEN m.n <> 2 OR m.refund IS DISTINCT FROM h.price
                      ELSE m.total <> 0 OR coalesce(m.credit, 0) <> h.captured OR coalesce(m.fee, 0) <> -h.cut
                           OR coalesce(m.platform, 0) <> h.cut OR coalesce(m.refund, 0) <> h.price - h.captured
                           OR m.payee <> h.payee END)
           SELECT (SELECT count(*) FROM transactions) AS "checked!",
                  ARRAY(SELECT format('task %s (%s): holds %s, captured %s, debit %s, credit %s, fee %s, platform %s, refund %s', task,
                                      status, price, captured, debit, credit, fee, platform, refund)
                          FROM wrong LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn ended_tasks(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each paid task between two owners has exactly the hold that its state asks for, and costs what was captured",
        r#"WITH paid AS (
             SELECT k.id, k.status, k.price_credits, k.actual_cost_credits, t.status AS hold, t.amount_credits, t.captured_credits
               FROM tasks k JOIN agents r ON r.id = k.requester_agent_id JOIN agents p ON p.id = k.assigned_agent_id
               LEFT JOIN transactions t ON t.task_id = k.id
              WHERE k.price_credits > 0 AND r.owner_user_id <> p.owner_user_id)
           SELECT (SELECT count(*) FROM paid) AS "checked!",
                  ARRAY(SELECT format('task %s is %s and cost %s, its hold %s of %s, captured %s', id, status, actual_cost_credits,
                                      coalesce(hold, 'missing'), amount_credits, captured_credits)
                          FROM paid
                         WHERE amount_credits IS DISTINCT FROM price_credits
                            OR hold IS DISTINCT FROM CASE WHEN status = 'completed' THEN 'settled'
                                                          WHEN status IN ('failed', 'cancelled') THEN 'refunded'
                                                          ELSE 'pending' END
                            OR actual_cost_credits <> coalesce(captured_credits, 0)
                         LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn purchases(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each paid purchase was credited once, less what was taken back, and nothing else was",
        r#"WITH moved AS (
             SELECT metadata ->> 'purchaseId' AS purchase, min(user_id::text) AS account,
                    count(*) FILTER (WHERE type = 'purchase') AS n, sum(amount) FILTER (WHERE type = 'purchase') AS credited,
                    coalesce(sum(amount) FILTER (WHERE type = 'refund'), 0) AS back
               FROM credit_transactions WHERE type IN ('purchase', 'refund') AND (metadata ? 'purchaseId' OR type = 'purchase')
              GROUP BY 1),
           both_ways AS (
             SELECT p.id, p.user_id, p.credits, p.taken_credits, p.stripe_session_id, m.*
               FROM (SELECT * FROM purchases WHERE status = 'paid') p FULL JOIN moved m ON m.purchase = p.id::text)
           SELECT (SELECT count(*) FROM both_ways) AS "checked!",
                  ARRAY(SELECT format('purchase %s (%s) of %s: credited %s times, %s, taken back %s of %s', coalesce(id::text, purchase),
                                      stripe_session_id, credits, n, credited, -back, taken_credits)
                          FROM both_ways
                         WHERE n IS DISTINCT FROM 1 OR credits IS DISTINCT FROM credited OR taken_credits <> -back
                            OR account <> user_id::text LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn disputes(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each dispute's rows are what it holds in escrow and has returned, and a decided one leaves each side its part",
        r#"WITH moved AS (
             SELECT coalesce(metadata ->> 'dispute', metadata ->> 'disputeRefund') AS task, sum(amount) AS total,
                    coalesce(sum(amount) FILTER (WHERE metadata ? 'disputeRefund'), 0) AS returned,
                    coalesce(sum(amount) FILTER (WHERE metadata ? 'dispute' AND user_id <> ledger.platform()), 0) AS provider,
                    coalesce(sum(amount) FILTER (WHERE metadata ? 'dispute' AND user_id = ledger.platform()), 0) AS platform,
                    array_agg(DISTINCT user_id) FILTER (WHERE metadata ? 'disputeRefund') AS payers,
                    array_agg(DISTINCT user_id) FILTER (WHERE metadata ? 'dispute' AND user_id <> ledger.platform()) AS payees
               FROM credit_transactions WHERE metadata ?| ARRAY['dispute', 'disputeRefund'] GROUP BY 1),
           both_ways AS (
             SELECT d.*, coalesce(d.task_id::text, m.task) AS task, coalesce(m.total, 0) AS total, coalesce(m.returned, 0) AS returned,
                    coalesce(m.provider, 0) AS provider, coalesce(m.platform, 0) AS platform, m.payers, m.payees,
                    t.captured_credits, t.payer_user_id, t.payee_user_id
               FROM disputes d LEFT JOIN transactions t ON t.task_id = d.task_id FULL JOIN moved m ON m.task = d.task_id::text)
           SELECT (SELECT count(*) FROM both_ways) AS "checked!",
                  ARRAY(SELECT format('task %s (%s): paid %s, escrow %s + %s, refund %s, returned %s (rows %s), provider %s, platform %s, owed %s + %s',
                                      task, status, paid_credits, escrow_provider, escrow_platform, refund_credits, returned_credits,
                                      returned, provider, platform, owed_provider, owed_platform)
                          FROM both_ways
                         WHERE task_id IS NULL OR paid_credits IS DISTINCT FROM captured_credits
                            OR requester_user_id IS DISTINCT FROM payer_user_id OR provider_user_id IS DISTINCT FROM payee_user_id
                            OR total <> -(escrow_provider + escrow_platform) OR returned <> returned_credits
                            OR payers <> ARRAY[requester_user_id] OR payees <> ARRAY[provider_user_id]
                            OR CASE status
                                 WHEN 'open' THEN provider <> -escrow_provider OR platform <> -escrow_platform
                                 ELSE provider - owed_provider <> -(refund_credits - (ledger.fee(paid_credits) - ledger.fee(paid_credits - refund_credits)))
                                      OR platform - owed_platform <> -(ledger.fee(paid_credits) - ledger.fee(paid_credits - refund_credits)) END
                         LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn spending(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each day's spending is what was held on it and has not come back",
        r#"WITH held AS (
             SELECT a.owner_user_id AS user_id, (t.created_at AT TIME ZONE 'UTC')::date AS day,
                    sum(CASE t.status WHEN 'pending' THEN t.amount_credits WHEN 'settled' THEN t.captured_credits ELSE 0 END
                        - coalesce(d.returned_credits, 0)) AS spent
               FROM transactions t JOIN agents a ON a.id = t.from_agent_id LEFT JOIN disputes d ON d.task_id = t.task_id
              GROUP BY 1, 2)
           SELECT (SELECT count(*) FROM spending_days) AS "checked!",
                  ARRAY(SELECT format('account %s on %s: noted %s, held %s', user_id, day, s.spent, h.spent)
                          FROM spending_days s FULL JOIN held h USING (user_id, day)
                         WHERE coalesce(s.spent, 0) <> coalesce(h.spent, 0) LIMIT 20) AS "departures!""#
    )
}

pub(super) async fn spending_of_keys(tx: &mut PgConnection) -> Result<Finding> {
    finding!(
        tx,
        "each day's spending of an API key is what it held on it and has not come back",
        r#"WITH held AS (
             SELECT h.key_id, h.day,
                    sum(CASE t.status WHEN 'pending' THEN t.amount_credits WHEN 'settled' THEN t.captured_credits ELSE 0 END
                        - coalesce(d.returned_credits, 0)) AS spent
               FROM api_key_holds h JOIN transactions t USING (task_id) LEFT JOIN disputes d USING (task_id)
              GROUP BY 1, 2)
           SELECT (SELECT count(*) FROM api_key_days) AS "checked!",
                  ARRAY(SELECT format('key %s on %s: noted %s, held %s', key_id, day, s.spent, h.spent)
                          FROM api_key_days s FULL JOIN held h USING (key_id, day)
                         WHERE coalesce(s.spent, 0) <> coalesce(h.spent, 0) LIMIT 20) AS "departures!""#
    )
}

/// SHA-256 over each account's id, number of rows and last hash, in id order; hexadecimal.
pub(super) async fn anchor(tx: &mut PgConnection) -> Result<String> {
    Ok(sqlx::query_scalar!(
        r#"SELECT encode(sha256(coalesce(string_agg(uuid_send(user_id) || int8send(entries) || chain, ''::bytea ORDER BY user_id), '\x')),
                         'hex') AS "anchor!" FROM credit_balances"#
    )
    .fetch_one(tx)
    .await?)
}

// Kept audits -----------------------------------------------------------------------------------------------------

/// Whether this process may audit now; until the transaction ends, no other may.
pub(super) async fn take_turn(tx: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock(7253002) AS "mine!""#).fetch_one(tx).await?)
}

pub(super) async fn made_since(tx: &mut PgConnection, then: DateTime<Utc>) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM ledger_audits WHERE made_at > $1) AS "made!""#, then)
        .fetch_one(tx)
        .await?)
}

/// Keeps what an audit found. Only chains that grew since their last anchor get a new one.
pub(super) async fn keep(tx: &mut PgConnection, report: &AuditReport, took_ms: i64) -> Result<DateTime<Utc>> {
    let row = sqlx::query!(
        "INSERT INTO ledger_audits (holds, departures, rows, anchor, took_ms)
         VALUES ($1, $2, $3, decode($4, 'hex'), $5) RETURNING id, made_at",
        report.holds(),
        i32::try_from(report.departures()).unwrap_or(i32::MAX),
        report.rows(),
        report.anchor,
        took_ms
    )
    .fetch_one(&mut *tx)
    .await?;
    if report.holds() {
        sqlx::query!(
            "INSERT INTO ledger_anchors (audit_id, user_id, position, hash)
             SELECT $1, b.user_id, b.entries, b.chain FROM credit_balances b
              WHERE b.entries > coalesce((SELECT max(a.position) FROM ledger_anchors a WHERE a.user_id = b.user_id), 0)",
            row.id
        )
        .execute(tx)
        .await?;
    }
    Ok(row.made_at)
}

pub(super) async fn last(pool: &PgPool) -> Result<Option<KeptAudit>> {
    Ok(sqlx::query_as!(KeptAudit, "SELECT made_at, holds, rows, took_ms FROM ledger_audits ORDER BY id DESC LIMIT 1")
        .fetch_optional(pool)
        .await?)
}
