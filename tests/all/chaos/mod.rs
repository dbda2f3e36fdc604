//! The dispatcher under faults: real processes that are killed every second, a database that is cut off, and agents that do
//! everything wrong that agents can. Nothing is lost, nothing happens twice, and who did no wrong is not harmed.

mod agents;
mod calls;
mod kinds;
mod orders;
mod outcome;
mod processes;
pub mod proxy;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::Db;
use rand::RngExt as _;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use agents::Agents;
use kinds::Kind;
use orders::Market;
use processes::Installation;
use proxy::Proxy;

/// How long processes are killed.
const CHAOS: Duration = Duration::from_secs(50);
/// How often one is.
const EVERY: Duration = Duration::from_secs(1);
/// When the database is cut off, and for how long.
const CUT_AT: Duration = Duration::from_secs(22);
const CUT: Duration = Duration::from_secs(5);
/// How long what is left may take then.
const REST: Duration = Duration::from_secs(75);

/// Enough connections for all that the test does itself. It reaches the database past the proxy.
async fn wide(pool: &PgPool) -> PgPool {
    let options = (*pool.connect_options()).clone();
    PgPoolOptions::new()
        .max_connections(16)
        .acquire_timeout(Duration::from_secs(60))
        .connect_with(options)
        .await
        .unwrap()
}

/// Kills one process each second and starts it again, until the time is over; answers with how many were killed.
async fn kill_at_random(installation: &mut Installation) -> u32 {
    let begun = Instant::now();
    let mut killed = 0;
    while begun.elapsed() < CHAOS {
        tokio::time::sleep(EVERY).await;
        let places = installation.processes.len();
        let victim = rand::rng().random_range(0..places);
        for (place, process) in installation.processes.iter_mut().enumerate() {
            if place == victim {
                killed += u32::from(process.kill());
                process.start();
            }
        }
    }
    killed
}

async fn all_ended(pool: &PgPool, limit: Duration) {
    let begun = Instant::now();
    loop {
        let open = outcome::open(pool).await;
        if open == 0 {
            return;
        }
        if begun.elapsed() > limit {
            let sql = "SELECT t.title || ' ' || t.status || ' ' || coalesce(q.state, 'not queued') AS what, count(*)
                         FROM tasks t LEFT JOIN task_queue q ON q.task_id = t.id
                        WHERE t.status NOT IN ('completed', 'failed', 'cancelled') GROUP BY 1 LIMIT 40";
            panic!("{open} tasks have not ended: {:?}", outcome::counts(pool, sql).await.keys());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn nothing_is_lost_whatever_dies(pool: PgPool) {
    let begun = Instant::now();
    let pool = wide(&pool).await;
    let proxy = Proxy::start(&pool).await;
    let played = Agents::play().await;
    let market = Market::open(Db::from_pool(pool.clone()), &played).await;
    let mut installation = Installation::new(&proxy.url(), &["worker-1", "worker-2", "worker-3"], true).await;
    installation.processes.iter_mut().for_each(processes::Process::start);
    println!("ready after {:?}", begun.elapsed());

    let replying = tokio::spawn(market.clone().reply_to_all());
    let ordering = async {
        market.order_all().await;
        println!("ordered after {:?}", begun.elapsed());
    };
    let cutting = async {
        tokio::time::sleep(CUT_AT).await;
        proxy.cut(CUT).await;
    };
    let ((), (), killed) = tokio::join!(ordering, cutting, kill_at_random(&mut installation));
    println!("quiet after {:?}, {} open", begun.elapsed(), outcome::open(&pool).await);
    all_ended(&pool, REST).await;
    println!("all ended after {:?}", begun.elapsed());
    replying.abort();

    let said = installation.said();
    let wrong: Vec<&String> =
        said.iter().filter(|l| ["panicked", "deadlock", "decoding"].iter().any(|w| l.contains(w))).collect();
    if !wrong.is_empty() {
        println!("logs: {}", installation.keep_logs().display());
    }
    let errors = said.iter().filter(|l| l.contains("ERROR")).count();
    println!("lines in the logs {}, errors {errors}", said.len());
    let tasks = outcome::ended(&pool).await;
    let states =
        outcome::counts(&pool, "SELECT status || coalesce(' by ' || fault, ''), count(*) FROM tasks GROUP BY 1").await;
    let attempts = outcome::counts(&pool, "SELECT outcome, count(*) FROM task_attempts GROUP BY 1").await;
    let kinds = outcome::counts(
        &pool,
        "SELECT split_part(title, ' ', 1) || ' ' || status || coalesce(' by ' || fault, ''), count(*) FROM tasks GROUP BY 1",
    )
    .await;
    let rung: Vec<u64> = played.rung.iter().map(|n| n.load(Ordering::Relaxed)).collect();
    let again = outcome::assert_ids(&played);
    println!("killed {killed}; tasks {states:?}; attempts {attempts:?}");
    println!("by kind {kinds:#?}");
    println!(
        "messages sent again {again}; rings taken, refused, unheard {rung:?}; replies {}; called off {}; agents told of an end {}",
        market.replied.load(Ordering::Relaxed),
        market.cancelled.load(Ordering::Relaxed),
        played.hung_up.load(Ordering::Relaxed),
    );
    println!(
        "most calls at once {:?}, moments above the limit {}",
        played.calls.peaks.lock().unwrap(),
        played.calls.too_many.lock().unwrap().len()
    );

    assert!(wrong.is_empty(), "{wrong:#?}");
    outcome::assert_rules(&pool, Market::size()).await;
    outcome::assert_deserved(&tasks);
    outcome::assert_limits(&played, &tasks);
    outcome::assert_fair(&tasks);
    let count = |of: &std::collections::BTreeMap<String, i64>, key: &str| of.get(key).copied().unwrap_or(0);
    assert!(killed >= 30, "{killed} kills");
    assert!(count(&states, "completed") >= 1_400, "{states:?}");
    assert!(count(&states, "cancelled by requester") >= 20, "{states:?}");
    assert!(count(&states, "failed by agent") >= 100, "{states:?}");
    assert!(count(&attempts, "lost") >= 20, "{attempts:?}");
    assert!(count(&attempts, "retried") >= 20, "{attempts:?}");
    assert!(count(&attempts, "asked") >= 60, "{attempts:?}");
    assert!(again >= 20, "{again} messages were sent again");
    assert!(rung[0] >= 100, "{rung:?}");
    let peak = played.calls.peaks.lock().unwrap().get(&(Kind::Crowded as usize)).copied();
    assert!(peak >= Some(Kind::Crowded.most() as usize), "the crowd's agent had {peak:?} calls at once");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_worker_that_is_stopped_gives_back_what_it_has(pool: PgPool) {
    let pool = wide(&pool).await;
    let proxy = Proxy::start(&pool).await;
    let played = Agents::play().await;
    let db = Db::from_pool(pool.clone());
    let (owner, buyer) = (orders::person(&db, "owner").await, orders::person(&db, "buyer").await);
    let mut ordered = 0;
    // Soon done, done after the worker has gone, and with a file that never comes.
    for (kind, numbers) in [(Kind::Crowded, 0..8), (Kind::Late, 0..12), (Kind::Later, 8..9), (Kind::Files, 0..2)] {
        let agent = orders::list(&db, &owner, &played, kind).await;
        // Nothing here is to run out of time.
        for n in numbers {
            let task = orders::order(&db, &buyer, agent, kind, n).await.unwrap();
            sqlx::query("UPDATE tasks SET timeout_at = now() + interval '10 minutes' WHERE id = $1")
                .bind(task.0)
                .execute(&pool)
                .await
                .unwrap();
            ordered += 1;
        }
    }
    let mut installation = Installation::new(&proxy.url(), &["first", "second"], false).await;
    installation.processes[0].start();
    let begun = Instant::now();
    while played.calls.under_way("late") < 12 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the worker does not begin");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (status, took) = installation.processes[0].stop(Duration::from_secs(10)).await;
    assert!(status.success(), "{status}");
    assert_eq!(played.calls.under_way(""), 0, "calls are hung up");
    let attempts =
        outcome::counts(&pool, "SELECT outcome || coalesce(': ' || error, ''), count(*) FROM task_attempts GROUP BY 1")
            .await;
    println!("stopped after {took:?}: {attempts:?}");
    assert_eq!(attempts.get("lost: The worker was stopped"), Some(&12), "{attempts:?}");
    assert_eq!(attempts.get("completed"), Some(&10), "calls that end soon are waited for: {attempts:?}");
    assert_eq!(attempts.len(), 2, "{attempts:?}");
    let blamed: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM task_queue WHERE failures > 0 OR state NOT IN ('waiting', 'polling') OR run_at > now() + interval '5 s')
              + (SELECT count(*) FROM agent_gates WHERE failures > 0)",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(blamed, 0, "being stopped is nobody's failure, and what is given back waits for nothing");

    installation.processes[1].start();
    all_ended(&pool, Duration::from_secs(40)).await;
    outcome::assert_rules(&pool, ordered).await;
    assert_eq!(outcome::assert_ids(&played), 12, "what was given back is sent again under its id");
    let tasks = outcome::ended(&pool).await;
    assert!(tasks.iter().all(|t| t.status == "completed"), "{tasks:?}");
    assert!(installation.said().iter().all(|l| !l.contains("ERROR")), "{:#?}", installation.said());
}
