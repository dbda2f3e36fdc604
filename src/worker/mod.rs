//! The worker: claims tasks, calls their agents, settles. Any number of processes may run one.

mod attempt;
pub mod jobs;

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use domain::Db;
use domain::tasks::{self, Finisher, dispatch};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::a2a::AgentClient;
use crate::web::live::TaskEvents;

/// Tasks that one process works on at once.
const SLOTS: usize = 64;
/// Tasks that are claimed at once.
const BATCH: i64 = 16;
/// How often the queue is looked at when nobody rings; retries and dead workers' tasks come due silently.
const POLL: Duration = Duration::from_millis(500);
/// How often deadlines are looked at.
const SWEEP: Duration = Duration::from_secs(1);
/// How long running calls may go on after the program was asked to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Works until `stop`; then takes nothing new, lets calls end for a few seconds, and gives the rest back.
pub async fn run(db: Db, agents: AgentClient, events: TaskEvents, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(SLOTS));
    let tracker = TaskTracker::new();
    let abandon = CancellationToken::new();
    let sweeper = tokio::spawn(sweep(db.clone(), stop.clone()));
    let finisher = Finisher::start(db.clone());
    while !stop.is_cancelled() {
        let free = slots.available_permits().min(usize::try_from(BATCH).unwrap_or(1));
        let claimed = if free == 0 { Ok(Vec::new()) } else { dispatch::claim(&db, free as i64).await };
        let more = match claimed {
            Ok(claims) => {
                let full = claims.len() == free && free > 0;
                for claim in claims {
                    let Ok(permit) = slots.clone().acquire_owned().await else { return };
                    let (db, agents, finisher, abandon) =
                        (db.clone(), agents.clone(), finisher.clone(), abandon.clone());
                    tracker.spawn(async move {
                        attempt::run(&db, &agents, &finisher, claim, abandon).await;
                        drop(permit);
                    });
                }
                full
            }
            Err(error) => {
                tracing::error!(error = %crate::cli::with_source(&error), "tasks could not be claimed");
                false
            }
        };
        if !more {
            tokio::select! {
                () = stop.cancelled() => {}
                () = events.task_queued() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
    tracker.close();
    if tokio::time::timeout(DRAIN, tracker.wait()).await.is_err() {
        abandon.cancel();
        tracker.wait().await;
    }
    sweeper.abort();
}

async fn tidy(db: &Db) -> domain::Result<()> {
    domain::accounts::delete_expired_sessions(db, Utc::now()).await?;
    domain::accounts::forget_old_failures(db, Utc::now()).await?;
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
