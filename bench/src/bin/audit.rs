//! How long the audit takes over a ledger of millions of rows. `scripts/bench audit [ROWS]`, 10,000,000 when left out.

use std::time::Instant;

use bench::{Result, economy, id_maker, people, say};
use domain::{Actor, ledger};
use sqlx::{AssertSqlSafe, PgPool};

const PEOPLE: i64 = 10_000;

#[tokio::main]
async fn main() -> Result<()> {
    let rows: i64 = match std::env::args().nth(1) {
        Some(text) => text.replace('_', "").parse()?,
        None => 10_000_000,
    };
    let db = economy("bench_audit").await?;
    let begun = Instant::now();
    fill(db.pool(), rows).await?;
    say(&format!("filled in {:.0} s", begun.elapsed().as_secs_f64()));
    for run in 1..=2 {
        let begun = Instant::now();
        let report = ledger::audit(&db, &Actor::System).await?;
        let seconds = begun.elapsed().as_secs_f64();
        for finding in &report.findings {
            say(&format!("  {:>10} {}", finding.checked, finding.check));
        }
        if !report.holds() {
            return Err(format!("{:#?}", report.findings).into());
        }
        say(&format!("run {run}: {} ledger rows audited in {seconds:.1} s (goal 60)", report.rows()));
    }
    Ok(())
}

/// A ledger as settled tasks leave it, made set by set: four rows a task, each account's numbered, added up and chained.
async fn fill(pool: &PgPool, rows: i64) -> Result<()> {
    id_maker(pool).await?;
    people(pool, PEOPLE).await?;
    let tasks = rows / 4;
    sqlx::raw_sql(AssertSqlSafe(format!(
        "SET session_replication_role = replica; SET work_mem = '512MB'; SET maintenance_work_mem = '1GB';
         CREATE TEMP TABLE t AS
           SELECT g AS n, economy_bench.uuid_v7() AS id, 1 + floor(random() * {PEOPLE})::bigint AS payer,
                  1 + floor(random() * {PEOPLE})::bigint AS payee, round((0.2 + random() * 1.8)::numeric, 2) AS price,
                  timestamptz '2026-01-01 UTC' + g * interval '1 second' AS at
             FROM generate_series(1, {tasks}) g;
         UPDATE t SET payee = payee % {PEOPLE} + 1 WHERE payer = payee;
         DROP INDEX idx_tasks_requester, idx_tasks_assigned, idx_tasks_status, tasks_requester_recent, tasks_assigned_recent, tasks_assigned_ended;
         INSERT INTO tasks (id, title, requester_agent_id, assigned_agent_id, status, price_credits, actual_cost_credits, created_at, completed_at)
           SELECT t.id, 'Bench', p.client, q.agent, 'completed', t.price, t.price, t.at, t.at FROM t JOIN u p ON p.n = t.payer JOIN u q ON q.n = t.payee;
         INSERT INTO transactions (task_id, from_agent_id, to_agent_id, amount_credits, status, captured_credits, created_at, payer_user_id, payee_user_id)
           SELECT t.id, p.client, q.agent, t.price, 'settled', t.price, t.at, p.id, q.id FROM t JOIN u p ON p.n = t.payer JOIN u q ON q.n = t.payee;

         CREATE FUNCTION chained(state bytea, user_id uuid, pos bigint, type text, amount numeric, after numeric, ref text, description text,
                                 metadata jsonb, at timestamptz) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
           BEGIN RETURN ledger.entry_hash(state, user_id, pos, type, amount, after, ref, description, metadata, at); END $$;
         CREATE AGGREGATE chain(uuid, bigint, text, numeric, numeric, text, text, jsonb, timestamptz) (SFUNC = chained, STYPE = bytea, INITCOND = '');

         CREATE TEMP TABLE m AS
           SELECT v.* FROM t JOIN u p ON p.n = t.payer JOIN u q ON q.n = t.payee, LATERAL (VALUES
             (p.id, 'task_debit', -t.price, t.id, 'Held for Bench', q.agent, t.at),
             (q.id, 'task_credit', t.price, t.id, 'Earned: Bench', q.agent, t.at + interval '1 ms'),
             (q.id, 'platform_fee', -ledger.fee(t.price), t.id, 'Platform fee (5 %)', q.agent, t.at + interval '2 ms'),
             (ledger.platform(), 'platform_fee', ledger.fee(t.price), t.id, 'Platform fee (5 %)', q.agent, t.at + interval '2 ms'))
             v (user_id, type, amount, task, description, agent, at) WHERE v.amount <> 0;
         INSERT INTO m SELECT id, 'initial_grant', 1000, NULL, 'Welcome', NULL, timestamptz '2025-12-31 UTC' FROM u;
         ALTER TABLE credit_transactions DISABLE TRIGGER append_only_truncate;
         TRUNCATE credit_transactions;
         DROP INDEX idx_credit_transactions_user, idx_credit_transactions_type, idx_credit_transactions_created, idx_credit_transactions_ref,
                    credit_transactions_position;
         INSERT INTO credit_transactions (id, user_id, type, amount, balance_after, reference_id, description, metadata, created_at, position, hash)
           SELECT economy_bench.uuid_v7(), user_id, type, amount, after, task::text, description, metadata, at, n,
                  chain(user_id, n, type, amount::numeric(12,2), after, task::text, description, metadata, at) OVER (PARTITION BY user_id ORDER BY n)
             FROM (SELECT m.*, CASE WHEN task IS NULL THEN '{{}}'::jsonb ELSE jsonb_build_object('taskId', task, 'agentId', agent) END AS metadata,
                          row_number() OVER w AS n, (sum(amount) OVER w)::numeric(12,2) AS after
                     FROM m WINDOW w AS (PARTITION BY user_id ORDER BY at, type ROWS UNBOUNDED PRECEDING)) s;
         CREATE INDEX idx_credit_transactions_user ON credit_transactions (user_id);
         CREATE INDEX idx_credit_transactions_type ON credit_transactions (user_id, type);
         CREATE INDEX idx_credit_transactions_created ON credit_transactions (user_id, created_at DESC);
         CREATE INDEX idx_credit_transactions_ref ON credit_transactions (reference_id);
         CREATE UNIQUE INDEX credit_transactions_position ON credit_transactions (user_id, position);
         UPDATE credit_balances b SET balance = c.balance_after, entries = c.position, chain = c.hash
           FROM (SELECT DISTINCT ON (user_id) user_id, balance_after, position, hash FROM credit_transactions ORDER BY user_id, position DESC) c
          WHERE c.user_id = b.user_id;
         UPDATE credit_balances b SET total_spent = s.spent FROM (SELECT p.id, sum(price) AS spent FROM t JOIN u p ON p.n = t.payer GROUP BY 1) s WHERE s.id = b.user_id;
         UPDATE credit_balances b SET total_earned = s.earned FROM (SELECT user_id, sum(amount) AS earned FROM m WHERE type IN ('task_credit', 'platform_fee') GROUP BY 1) s
          WHERE s.user_id = b.user_id;
         INSERT INTO spending_days SELECT p.id, (t.at AT TIME ZONE 'UTC')::date, sum(price) FROM t JOIN u p ON p.n = t.payer GROUP BY 1, 2;
         DROP TABLE t, m"
    )))
    .execute(pool)
    .await?;
    sqlx::raw_sql("RESET session_replication_role; VACUUM ANALYZE credit_transactions").execute(pool).await.ok();
    sqlx::raw_sql("ANALYZE").execute(pool).await?;
    Ok(())
}
