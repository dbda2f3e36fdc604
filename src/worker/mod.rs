//! The worker: claims tasks, calls their agents, settles. Any number of processes may run one.

mod attempt;
mod cancels;
mod conversation;
pub mod jobs;
mod leases;
pub mod messages;
pub mod probes;
pub mod pushes;

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use domain::Db;
use domain::tasks::{self, Finisher, dispatch};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::a2a::AgentClient;
use crate::task_events::TaskEvents;
use leases::Leases;

/// Tasks that one process works on at once.
const SLOTS: usize = 256;
/// Tasks that are claimed at once.
const BATCH: usize = 100;
/// How often the queue is looked at when nobody rings; retries and dead workers' tasks come due silently.
const POLL: Duration = Duration::from_millis(500);
/// How long is waited after a claim that failed: the database is away.
const AFTER_ERROR: Duration = Duration::from_secs(1);
/// How often deadlines are looked at.
const SWEEP: Duration = Duration::from_secs(1);
/// How long running calls may go on after the program was asked to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// What an attempt works with. Cheap to clone.
#[derive(Clone)]
struct Worker {
    db: Db,
    agents: AgentClient,
    events: TaskEvents,
    finisher: Finisher,
    leases: Leases,
    /// Where agents ring; the task's id is put behind it.
    bell: Arc<Url>,
    /// The program was asked to stop: nothing new is begun.
    stop: CancellationToken,
    /// What is not done by now is given back.
    abandon: CancellationToken,
}

/// Works until `stop`; then takes nothing new, lets calls end for a few seconds, and gives the rest back. `site` is where
/// agents reach this program.
pub async fn run(db: Db, agents: AgentClient, events: TaskEvents, site: &Url, stop: CancellationToken) {
    let mut bell = site.clone();
    bell.set_path("/a2a/push/");
    let worker = Worker {
        finisher: Finisher::start(db.clone()),
        db,
        agents,
        events,
        leases: Leases::default(),
        bell: Arc::new(bell),
        stop: stop.clone(),
        abandon: CancellationToken::new(),
    };
    let over = CancellationToken::new();
    let renewing = tokio::spawn(worker.leases.clone().run(worker.db.clone(), over.clone()));
    let sweeper = tokio::spawn(sweep(worker.db.clone(), stop.clone()));
    let tracker = TaskTracker::new();
    let telling = tokio::spawn(cancels::run(worker.clone(), tracker.clone()));
    work(&worker, &tracker).await;
    let _ = telling.await;
    tracker.close();
    if tokio::time::timeout(DRAIN, tracker.wait()).await.is_err() {
        worker.abandon.cancel();
        tracker.wait().await;
    }
    over.cancel();
    let _ = renewing.await;
    sweeper.abort();
}

async fn work(worker: &Worker, tracker: &TaskTracker) {
    let slots = Arc::new(Semaphore::new(SLOTS));
    while !worker.stop.is_cancelled() {
        // At least one is free before anything is claimed.
        let first = tokio::select! {
            () = worker.stop.cancelled() => return,
            permit = slots.clone().acquire_owned() => permit,
        };
        let Ok(first) = first else { return };
        let free = (slots.available_permits() + 1).min(BATCH);
        drop(first);
        let since = Instant::now();
        let pause = match dispatch::claim(&worker.db, free as i64).await {
            Ok(claims) => {
                let full = claims.len() == free;
                for claim in claims {
                    let Ok(permit) = slots.clone().acquire_owned().await else { return };
                    let worker = worker.clone();
                    tracker.spawn(async move {
                        attempt::run(&worker, claim, since).await;
                        drop(permit);
                    });
                }
                if full { Duration::ZERO } else { POLL }
            }
            Err(error) => {
                tracing::error!(error = %crate::cli::with_source(&error), "tasks could not be claimed");
                tokio::time::sleep(AFTER_ERROR).await;
                Duration::ZERO
            }
        };
        if !pause.is_zero() {
            tokio::select! {
                () = worker.stop.cancelled() => {}
                () = worker.events.task_queued() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

async fn tidy(db: &Db) -> domain::Result<()> {
    domain::accounts::delete_expired_sessions(db, Utc::now()).await?;
    domain::accounts::forget_old_failures(db, Utc::now()).await?;
    domain::tasks::told::forget_updates(db, Utc::now()).await?;
    Ok(())
}

/// Ends overdue tasks, and now and then sessions that are over.
async fn sweep(db: Db, stop: CancellationToken) {
    let mut rounds: u64 = 0;
    while !stop.is_cancelled() {
        match tasks::sweep(&db, Utc::now()).await {
            Ok(0) => {}
            Ok(ended) => tracing::info!(ended, "tasks ran out of time"),
            Err(error) => tracing::error!(error = %crate::cli::with_source(&error), "deadlines could not be enforced"),
        }
        if rounds.is_multiple_of(3600)
            && let Err(error) = tidy(&db).await
        {
            tracing::error!(error = %crate::cli::with_source(&error), "old sessions could not be removed");
        }
        rounds += 1;
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(SWEEP) => {}
        }
    }
}
