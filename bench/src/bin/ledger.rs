//! Settlements a second: batches of 1,000 on one connection, every fee on one account and spread over 1,000, beside the
//! bare writes of the same rows and pgbench's tpcb-like, all in the same minutes. `scripts/bench ledger`

use std::time::{Duration, Instant};

use bench::{Result, assert_adds_up, economy, id_maker, median, people, rate, running_tasks, say, spread, tpcb};
use domain::ledger::{End, HoldEnd, holds};
use domain::{TaskId, UserId};
use sqlx::{AssertSqlSafe, PgPool};

const PEOPLE: i64 = 10_000;
const TASKS: i64 = 30_000;
const BATCH: usize = 1_000;
const ROUNDS: usize = 3;

/// What a run took: everything, and the part that is writes and commit.
#[derive(Clone, Copy, Default)]
struct Took {
    all: Duration,
    writes: Duration,
}

#[tokio::main]
async fn main() -> Result<()> {
    let db = economy("bench_ledger").await?;
    let pool = db.pool().clone();
    id_maker(&pool).await?;
    people(&pool, PEOPLE).await?;
    let shards: Vec<UserId> = sqlx::query_scalar::<_, uuid::Uuid>("SELECT id FROM u WHERE n <= 1000 ORDER BY n")
        .fetch_all(&pool)
        .await?
        .into_iter()
        .map(UserId)
        .collect();
    let (mut yard, mut hot, mut uniform, mut bare, mut one) = (vec![], vec![], vec![], vec![], vec![]);
    for round in 1..=ROUNDS {
        yard.push(tpcb(10).await?);
        let tasks = running_tasks(&pool, PEOPLE, TASKS).await?;
        let took = settle(&pool, &tasks, BATCH, |_| UserId::PLATFORM).await?;
        finish(&pool).await?;
        assert_adds_up(&db).await?;
        hot.push(rate(tasks.len(), took.all));
        bare.push(rate(tasks.len(), took.writes));

        let tasks = running_tasks(&pool, PEOPLE, TASKS / 100).await?;
        let took = settle(&pool, &tasks, 1, |_| UserId::PLATFORM).await?;
        finish(&pool).await?;
        assert_adds_up(&db).await?;
        one.push(took.all.as_secs_f64() * 1_000.0 / tasks.len() as f64);
        say(&format!(
            "round {round}: tpcb-like {:.0}/s, settled {:.0}/s, its writes alone {:.0}/s, one by one {:.2} ms each",
            yard[round - 1],
            hot[round - 1],
            bare[round - 1],
            one[round - 1]
        ));
    }
    // Last, because fees on other accounts than the platform's are nothing that the audit allows.
    for _ in 0..ROUNDS {
        let tasks = running_tasks(&pool, PEOPLE, TASKS).await?;
        let took = settle(&pool, &tasks, BATCH, |task| shards[(task.0.as_u128() % 1_000) as usize]).await?;
        finish(&pool).await?;
        uniform.push(rate(tasks.len(), took.all));
    }
    sums_are_exact(&pool).await?;
    // After the checks: it writes rows that mean nothing.
    let mut floor = Vec::new();
    for round in 0..ROUNDS {
        running_tasks(&pool, PEOPLE, TASKS / 5).await?;
        floor.push(bare_writes(&pool, round as i64, 5).await?);
    }
    let ratio = |a: &[f64], b: &[f64]| median(a.iter().zip(b).map(|(a, b)| a / b).collect());
    say("");
    say(&format!("tpcb-like, 8 clients           {}/s", spread(&yard)));
    say(&format!("settlements, one fee account   {}/s", spread(&hot)));
    say(&format!("settlements, 1,000 of them     {}/s", spread(&uniform)));
    say(&format!("bare writes, plain statements  {}/s", spread(&floor)));
    say(&format!("its own writes and commit      {}/s", spread(&bare)));
    say(&format!("one settlement at a time       {:.2} ms", median(one)));
    say(&format!("settlements / tpcb-like        {:.2}   (goal 4)", ratio(&hot, &yard)));
    say(&format!("settlements / bare writes      {:.2}   (goal 0.85)", median(hot.clone()) / median(floor)));
    say(&format!("share of writing in settling   {:.2}", ratio(&hot, &bare)));
    say(&format!("one fee account / 1,000        {:.2}   (goal 0.9)", median(hot.clone()) / median(uniform)));
    Ok(())
}

/// Ends the holds of all tasks in batches, on one connection.
async fn settle(
    pool: &PgPool,
    tasks: &[TaskId],
    batch: usize,
    fee_account: impl Fn(TaskId) -> UserId + Copy,
) -> Result<Took> {
    sqlx::raw_sql("CHECKPOINT").execute(pool).await?;
    let mut connection = pool.acquire().await?;
    let mut took = Took::default();
    for tasks in tasks.chunks(batch) {
        let ends: Vec<HoldEnd> =
            tasks.iter().map(|t| HoldEnd { task: *t, title: "Bench".into(), end: End::Capture(None) }).collect();
        let begun = Instant::now();
        let mut tx = sqlx::Connection::begin(&mut *connection).await?;
        let ended = holds::mark(&mut tx, &ends).await?;
        let marked = Instant::now();
        let locked = holds::lock(&mut tx, &ended, fee_account).await?;
        let decided = holds::decide(locked, &ends, ended, fee_account)?;
        let decided_at = Instant::now();
        holds::write(&mut tx, decided).await?;
        tx.commit().await?;
        took.all += begun.elapsed();
        took.writes += decided_at.elapsed() + (marked - begun);
    }
    Ok(took)
}

/// The same rows by somebody who need not decide anything: known balances, known rows, one plain statement a table, the
/// tables as they are. What is written is what was settled before, under other ids, and is undone afterwards.
async fn bare_writes(pool: &PgPool, round: i64, batches: i64) -> Result<f64> {
    sqlx::raw_sql("CHECKPOINT").execute(pool).await?;
    let mut connection = pool.acquire().await?;
    let mut time = Duration::ZERO;
    for batch in 0..batches {
        // A batch of holds with their accounts and ledger rows, read before the clock starts.
        sqlx::raw_sql(AssertSqlSafe(format!(
            "CREATE TEMP TABLE h AS SELECT id, task_id, amount_credits, payer_user_id, payee_user_id FROM transactions
               WHERE status = 'pending' LIMIT {BATCH};
             CREATE TEMP TABLE b AS SELECT DISTINCT b.user_id, b.balance, b.entries, b.chain FROM credit_balances b
               JOIN h ON b.user_id IN (h.payer_user_id, h.payee_user_id, ledger.platform());
             CREATE TEMP TABLE r AS SELECT c.* FROM credit_transactions c WHERE type IN ('task_credit', 'platform_fee') AND position < 1000000
               ORDER BY created_at, id OFFSET ({round} * {batches} + {batch}) * 3 * {BATCH} LIMIT 3 * {BATCH};
             UPDATE r SET id = economy_bench.uuid_v7(), position = position + 1000000 * ({round} * {batches} + {batch} + 1), reference_id = economy_bench.uuid_v7()::text;
             ANALYZE h; ANALYZE b; ANALYZE r"
        )))
        .execute(&mut *connection)
        .await?;
        let begun = Instant::now();
        sqlx::raw_sql(
            "BEGIN;
             UPDATE transactions x SET status = 'settled', captured_credits = h.amount_credits FROM h WHERE x.id = h.id;
             UPDATE credit_balances t SET balance = b.balance, entries = b.entries, chain = b.chain FROM b WHERE t.user_id = b.user_id;
             INSERT INTO credit_transactions SELECT * FROM r;
             COMMIT",
        )
        .execute(&mut *connection)
        .await?;
        time += begun.elapsed();
        sqlx::raw_sql("DROP TABLE h, b, r").execute(&mut *connection).await?;
    }
    Ok(rate(usize::try_from(batches)? * BATCH, time))
}

/// What the end of a task does beside its hold, so that the audit sees tasks that have ended.
async fn finish(pool: &PgPool) -> Result<()> {
    sqlx::raw_sql(
        "UPDATE tasks t SET status = 'completed', completed_at = now(), actual_cost_credits = x.captured_credits
           FROM transactions x WHERE x.task_id = t.id AND t.status = 'running' AND x.status = 'settled'",
    )
    .execute(pool)
    .await?;
    sqlx::raw_sql("VACUUM ANALYZE credit_balances").execute(pool).await?;
    Ok(())
}

async fn sums_are_exact(pool: &PgPool) -> Result<()> {
    let wrong: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM credit_balances b
          WHERE balance <> (SELECT sum(amount) FROM credit_transactions c WHERE c.user_id = b.user_id)
             OR balance <> (SELECT balance_after FROM credit_transactions c WHERE c.user_id = b.user_id AND c.position = b.entries)",
    )
    .fetch_one(pool)
    .await?;
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} balances are wrong").into()) }
}
