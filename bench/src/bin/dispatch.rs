//! The dispatcher: free tasks whose agent is a function in this program, paid tasks whose agent is an HTTP server on this
//! machine, and the time from an accepted task to the call of its agent; beside a queue of bare rows and pgbench's tpcb-like in
//! the same minutes. `scripts/bench dispatch`

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Json;
use axum::routing::post;
use bench::{Result, assert_adds_up, economy, id_maker, median, people, rate, say, server, spread, tpcb};
use chrono::Utc;
use domain::tasks::dispatch;
use domain::tasks::finish::{Delivery, Outcome};
use domain::tasks::{self, Finisher, NewTask, Part};
use domain::{Actor, AgentId, Db, UserId};
use nexus::a2a::AgentClient;
use nexus::outbound::Outbound;
use nexus::task_events::TaskEvents;
use nexus::worker;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

const PEOPLE: i64 = 1_000;
const FREE_TASKS: i64 = 60_000;
const PAID_TASKS: usize = 10_000;
/// Who orders paid tasks at the same time.
const CLIENTS: usize = 32;
const SAMPLES: usize = 500;
const ROUNDS: usize = 3;
/// What a worker of the free tasks claims at once.
const BATCH: i64 = 500;

#[tokio::main]
async fn main() -> Result<()> {
    nexus::serve::install_tls();
    let db = economy("dispatch").await?;
    people(db.pool(), PEOPLE).await?;
    id_maker(db.pool()).await?;
    let agent = Agent::serve().await?;
    sqlx::query("UPDATE agents SET endpoint = $1, max_concurrent = 1000, agent_card = $2 WHERE kind = 'listed'")
        .bind(&agent.url)
        .bind(json!({}))
        .execute(db.pool())
        .await?;
    // By itself: an agent with a new endpoint goes offline until it has answered there.
    sqlx::query("UPDATE agents SET tested_at = now(), listed = true, status = 'online' WHERE kind = 'listed'")
        .execute(db.pool())
        .await?;
    let (mut bare, mut free, mut paid, mut yardstick) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        yardstick.push(tpcb(10).await?);
        bare.push(bare_rows(db.pool()).await?);
        free.push(free_tasks(&db).await?);
        paid.push(paid_tasks(&db, &agent).await?);
    }
    let mut waits = idle_latency(&db, &agent).await?;
    assert_adds_up(&db).await?;
    waits.sort_by(f64::total_cmp);
    let at = |share: f64| waits.get((waits.len() as f64 * share) as usize).copied().unwrap_or_default();
    say("| | a second |\n|---|---|");
    say(&format!("| tpcb-like, 8 clients | {} |", spread(&yardstick)));
    say(&format!("| bare rows claimed and deleted, batches of 100, 8 clients | {} |", spread(&bare)));
    say(&format!("| free tasks claimed, run and ended, agent in process | {} |", spread(&free)));
    say(&format!("| paid tasks created, claimed, called over HTTP and settled | {} |", spread(&paid)));
    say(&format!("| free tasks to bare rows | {:.2} |", median(free) / median(bare)));
    say(&format!("| paid tasks to tpcb-like | {:.2} |", median(paid) / median(yardstick)));
    say(&format!("| from accepted to called, idle | p50 {:.1} ms, p99 {:.1} ms |", at(0.5), at(0.99)));
    Ok(())
}

/// The limit: rows without rules, claimed and deleted in two commits (the raw queue of earlier trials).
async fn bare_rows(pool: &PgPool) -> Result<f64> {
    const ROWS: i64 = 100_000;
    sqlx::raw_sql(
        "DROP TABLE IF EXISTS bare; CREATE TABLE bare (id bigint PRIMARY KEY, taken boolean NOT NULL DEFAULT false);
         INSERT INTO bare SELECT g FROM generate_series(1, 100000) g",
    )
    .execute(pool)
    .await?;
    sqlx::raw_sql("VACUUM ANALYZE bare").execute(pool).await?;
    let begun = Instant::now();
    let workers = (0..8).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move {
            loop {
                let ids: Vec<i64> = sqlx::query_scalar(
                    "UPDATE bare SET taken = true WHERE id IN (SELECT id FROM bare WHERE NOT taken ORDER BY id LIMIT 100
                       FOR UPDATE SKIP LOCKED) RETURNING id",
                )
                .fetch_all(&pool)
                .await?;
                if ids.is_empty() {
                    return Ok::<_, sqlx::Error>(());
                }
                sqlx::query("DELETE FROM bare WHERE id = ANY ($1)").bind(&ids).execute(&pool).await?;
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await??;
    }
    Ok(rate(usize::try_from(ROWS)?, begun.elapsed()))
}

/// Free tasks between different owners, made by SQL as the program makes them, then claimed, run and ended by the program's own
/// functions. The agent is a function that answers at once.
async fn free_tasks(db: &Db) -> Result<f64> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "CREATE TEMP TABLE t AS
           SELECT economy_bench.uuid_v7() AS id, 1 + g % 100 AS payer, 101 + g % 50 AS payee, g / 100 AS turn
             FROM generate_series(1, {FREE_TASKS}) g;
         INSERT INTO tasks (id, title, requester_agent_id, assigned_agent_id, status, timeout_at, messages)
         SELECT t.id, 'Bench', p.client, q.agent, 'assigned', now() + interval '1 day', '[{{\"parts\": []}}]'
           FROM t JOIN u p ON p.n = t.payer JOIN u q ON q.n = t.payee;
         INSERT INTO task_queue (task_id, agent_id, requester_user_id, turn)
         SELECT t.id, q.agent, p.id, t.turn FROM t JOIN u p ON p.n = t.payer JOIN u q ON q.n = t.payee;
         DROP TABLE t"
    )))
    .execute(db.pool())
    .await?;
    for table in ["VACUUM ANALYZE tasks", "VACUUM ANALYZE task_queue"] {
        sqlx::raw_sql(table).execute(db.pool()).await?;
    }
    let finisher = Finisher::start(db.clone());
    let done = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut ends = tokio::task::JoinSet::new();
    loop {
        let claims = dispatch::claim(db, BATCH).await?;
        if claims.is_empty() && ends.is_empty() {
            break;
        }
        let none = claims.is_empty();
        for claim in claims {
            let (finisher, done) = (finisher.clone(), Arc::clone(&done));
            ends.spawn(async move {
                if finisher.end(claim, Outcome::Completed(Delivery::default())).await.unwrap_or(false) {
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // As a worker's places do: no more than 4,000 are under way.
        while ends.len() > 4_000 || (none && !ends.is_empty()) {
            ends.join_next().await;
        }
    }
    let time = begun.elapsed();
    let done = done.load(Ordering::Relaxed);
    if done as i64 != FREE_TASKS {
        return Err(format!("{done} of {FREE_TASKS} free tasks ended").into());
    }
    Ok(rate(done, time))
}

/// An agent that answers at once over HTTP, and remembers when it was called for which task.
struct Agent {
    url: String,
    called: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Agent {
    async fn serve() -> Result<Agent> {
        let called: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
        let seen = Arc::clone(&called);
        let answer = move |Json(request): Json<Value>| {
            let seen = Arc::clone(&seen);
            async move {
                let text = request["params"]["message"]["parts"][0]["text"].as_str().unwrap_or_default().to_owned();
                if let Ok(mut seen) = seen.lock() {
                    seen.insert(text, Instant::now());
                }
                let message = json!({"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "done"}]});
                Json(json!({"jsonrpc": "2.0", "id": request["id"], "result": {"message": message}}))
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let router = axum::Router::new().route("/", post(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Agent { url, called })
    }
}

/// The program's own worker, with its listening connection.
struct Running {
    stop: CancellationToken,
    work: tokio::task::JoinHandle<()>,
    listening: tokio::task::JoinHandle<()>,
}

async fn start_worker(db: &Db) -> Result<Running> {
    let (events, stop) = (TaskEvents::default(), CancellationToken::new());
    let listening = tokio::spawn(events.clone().listen(server()?.database("dispatch")));
    let agents = AgentClient::new(Outbound::new(true)?);
    let (db, stopped) = (db.clone(), stop.clone());
    let site = "http://127.0.0.1:9/".parse()?;
    let work = tokio::spawn(async move { worker::run(db, agents, events, &site, stopped).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    Ok(Running { stop, work, listening })
}

impl Running {
    async fn end(self) -> Result<()> {
        self.stop.cancel();
        self.work.await?;
        self.listening.abort();
        Ok(())
    }
}

async fn ids(pool: &PgPool, from: i64, to: i64) -> Result<Vec<(Actor, AgentId)>> {
    let rows: Vec<(uuid::Uuid, uuid::Uuid)> =
        sqlx::query_as("SELECT id, agent FROM u WHERE n BETWEEN $1 AND $2 ORDER BY n")
            .bind(from)
            .bind(to)
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().map(|(user, agent)| (Actor::Session(UserId(user)), AgentId(agent))).collect())
}

fn order(agent: AgentId, text: String) -> NewTask {
    NewTask {
        agent,
        skill: None,
        title: "Bench".into(),
        parts: vec![Part::text(text)],
        max_budget: None,
        shown_price: None,
        timeout_seconds: None,
        follows: None,
        retry_of: None,
    }
}

/// Paid tasks from the order to the settlement: clients order as fast as they can, one worker does them. They are as many as a
/// busy server has requests under way: fewer wait for the disk one after the other.
async fn paid_tasks(db: &Db, _: &Agent) -> Result<f64> {
    let (buyers, sellers) = (ids(db.pool(), 201, 600).await?, ids(db.pool(), 601, 1_000).await?);
    sqlx::query("UPDATE agents SET price_per_task = 0.10 WHERE kind = 'listed'").execute(db.pool()).await?;
    let before = settled(db.pool()).await?;
    let worker = start_worker(db).await?;
    let begun = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (db, buyers, sellers) = (db.clone(), buyers.clone(), sellers.clone());
            tokio::spawn(async move {
                for n in (client..PAID_TASKS).step_by(CLIENTS) {
                    let (by, _) = buyers[n % buyers.len()];
                    let (_, agent) = sellers[(n * 7) % sellers.len()];
                    tasks::create(&db, &by, order(agent, format!("paid {n}")), Utc::now()).await?;
                }
                Ok::<_, domain::Error>(())
            })
        })
        .collect();
    for client in clients {
        client.await??;
    }
    let ordered = begun.elapsed();
    while settled(db.pool()).await? - before < PAID_TASKS as i64 {
        if begun.elapsed() > Duration::from_secs(120) {
            return Err("the paid tasks do not come to an end".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let time = begun.elapsed();
    worker.end().await?;
    say(&format!(
        "<!-- {PAID_TASKS} paid tasks: ordered in {:.1} s, all settled after {:.1} s -->",
        ordered.as_secs_f64(),
        time.as_secs_f64()
    ));
    Ok(rate(PAID_TASKS, time))
}

async fn settled(pool: &PgPool) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM transactions WHERE status = 'settled'").fetch_one(pool).await?)
}

/// One task at a time on a system that does nothing else: from the commit of the order to the agent's being called, in ms.
async fn idle_latency(db: &Db, agent: &Agent) -> Result<Vec<f64>> {
    let (buyers, sellers) = (ids(db.pool(), 201, 300).await?, ids(db.pool(), 601, 700).await?);
    let worker = start_worker(db).await?;
    let mut waits = Vec::new();
    for n in 0..SAMPLES {
        let text = format!("idle {n}");
        let accepted = tasks::create(db, &buyers[n % 100].0, order(sellers[n % 100].1, text.clone()), Utc::now()).await;
        let since = Instant::now();
        accepted?;
        let called = loop {
            if let Some(at) = agent.called.lock().ok().and_then(|seen| seen.get(&text).copied()) {
                break at;
            }
            if since.elapsed() > Duration::from_secs(5) {
                return Err("an agent was not called".into());
            }
            tokio::time::sleep(Duration::from_micros(100)).await;
        };
        waits.push(called.saturating_duration_since(since).as_secs_f64() * 1000.0);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    worker.end().await?;
    Ok(waits)
}
