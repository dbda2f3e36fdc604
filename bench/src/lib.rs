//! What the measurements share: an economy to measure on, the yardstick, and how figures are written.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement talks on its standard output and is told its database by scripts/with-postgres"
)]

use std::process::Command;
use std::time::Duration;

use domain::{Actor, Db, ledger};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

/// Anything that goes wrong ends the measurement.
pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The server that `scripts/with-postgres --durable` started.
///
/// # Errors
/// When it is not there.
pub fn server() -> Result<PgConnectOptions> {
    let url = std::env::var("DATABASE_URL").map_err(|_| "run it with scripts/with-postgres --durable")?;
    Ok(url.parse()?)
}

/// A database of its own on it, with the schema.
///
/// # Errors
/// When it cannot be made.
pub async fn economy(name: &str) -> Result<Db> {
    let server = server()?;
    let mut admin = PgConnection::connect_with(&server).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))).execute(&mut admin).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await?;
    let options = server.database(name).options([("search_path", "public")]);
    let pool = PgPoolOptions::new().max_connections(40).connect_with(options).await?;
    let db = Db::from_pool(pool);
    db.migrate().await?;
    Ok(db)
}

/// Accounts, each with its grant, a personal client agent and a listed agent; `u1` to `uN` by number.
///
/// # Errors
/// When the database does not answer.
pub async fn people(pool: &PgPool, n: i64) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(format!(
        "CREATE TABLE u AS SELECT g AS n, uuid_generate_v4() AS id, uuid_generate_v4() AS client, uuid_generate_v4() AS agent
           FROM generate_series(1, {n}) g;
         CREATE UNIQUE INDEX ON u (n);
         INSERT INTO auth.users (id, email, display_name) SELECT id, 'u' || n || '@bench.example', 'u' || n FROM u;
         SELECT count(ledger.open_account(id)) FROM u;
         INSERT INTO agents (id, name, owner_user_id, endpoint, kind) SELECT client, 'u' || n, id, '', 'personal' FROM u;
         INSERT INTO agents (id, name, owner_user_id, endpoint, price_per_task) SELECT agent, 'a' || n, id, 'http://x/', 10 FROM u;
         ANALYZE"
    )))
    .execute(pool)
    .await?;
    Ok(())
}

/// Running tasks between random accounts at prices from 0.20 to 9.99, each with its hold; the number that was made.
///
/// # Errors
/// When the database does not answer.
pub async fn running_tasks(pool: &PgPool, people: i64, tasks: i64) -> Result<Vec<domain::TaskId>> {
    sqlx::raw_sql(AssertSqlSafe(format!(
        "CREATE TEMP TABLE t AS
           SELECT economy_bench.uuid_v7() AS id, 1 + floor(random() * {people})::bigint AS payer, 1 + floor(random() * {people})::bigint AS payee,
                  round((0.2 + random() * 9.79)::numeric, 2) AS price
             FROM generate_series(1, {tasks});
         DELETE FROM t WHERE payer = payee;
         INSERT INTO tasks (id, title, requester_agent_id, assigned_agent_id, status, price_credits, timeout_at, started_at)
         SELECT t.id, 'Bench', p.client, q.agent, 'running', t.price, now() + interval '1 day', now()
           FROM t JOIN u p ON p.n = t.payer JOIN u q ON q.n = t.payee;
         SELECT count(ledger.hold(id)) FROM t;
         DROP TABLE t"
    )))
    .execute(pool)
    .await?;
    let ids: Vec<uuid::Uuid> =
        sqlx::query_scalar("SELECT task_id FROM transactions WHERE status = 'pending' ORDER BY random()")
            .fetch_all(pool)
            .await?;
    Ok(ids.into_iter().map(domain::TaskId).collect())
}

/// Ids that rise with time, for tasks that SQL makes as the program would.
///
/// # Errors
/// When the database does not answer.
pub async fn id_maker(pool: &PgPool) -> Result<()> {
    sqlx::raw_sql(
        "CREATE SCHEMA economy_bench;
         CREATE FUNCTION economy_bench.uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
           SELECT encode(set_byte(overlay(uuid_send(gen_random_uuid())
             PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 6, 112), 'hex')::uuid
         $$",
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Transactions a second of pgbench's tpcb-like: scale 32, 8 clients, prepared, for this long.
///
/// # Errors
/// When pgbench cannot be run.
pub async fn tpcb(seconds: u64) -> Result<f64> {
    let server = server()?;
    let mut admin = PgConnection::connect_with(&server).await?;
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = 'tpcb')")
        .fetch_one(&mut admin)
        .await?;
    let bin: String =
        sqlx::query_scalar("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetch_one(&mut admin).await?;
    let pgbench = format!("{bin}/pgbench");
    if !there {
        sqlx::raw_sql("CREATE DATABASE tpcb").execute(&mut admin).await?;
        Command::new(&pgbench).args(["-i", "-q", "-s", "32", "tpcb"]).output()?;
    }
    sqlx::raw_sql("CHECKPOINT").execute(&mut admin).await?;
    let time = seconds.to_string();
    let output = Command::new(&pgbench).args(["-M", "prepared", "-c", "8", "-j", "2", "-T", &time, "tpcb"]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|l| l.strip_prefix("tps = ")).ok_or("pgbench said no tps")?;
    Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
}

/// Ends the measurement where the economy does not add up.
///
/// # Errors
/// When it does not.
pub async fn assert_adds_up(db: &Db) -> Result<()> {
    let report = ledger::audit(db, &Actor::System).await?;
    if report.holds() { Ok(()) } else { Err(format!("the audit found {:#?}", report.findings).into()) }
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A rate with its spread: `12345 [12000-13000]`.
pub fn spread(values: &[f64]) -> String {
    let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    format!("{:.0} [{low:.0}-{high:.0}]", median(values.to_vec()))
}

/// How many a second.
pub fn rate(n: usize, time: Duration) -> f64 {
    n as f64 / time.as_secs_f64()
}

/// Writes a line of the result.
pub fn say(line: &str) {
    println!("{line}");
}
