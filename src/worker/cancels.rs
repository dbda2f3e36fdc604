//! Tells agents that a task of theirs is over, where no worker held the conversation when it ended. Best effort: what comes of
//! it changes nothing.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use domain::tasks::dispatch::cancels::{self, Cancel};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::Worker;
use crate::a2a::card;
use crate::cli::with_source;

/// Agents that one process tells at once.
const SLOTS: usize = 32;
/// How often it is asked whom to tell.
const POLL: Duration = Duration::from_secs(1);

/// Tells whoever is due, until the program is asked to stop.
pub(super) async fn run(worker: Worker, tracker: TaskTracker) {
    let slots = Arc::new(Semaphore::new(SLOTS));
    while !worker.stop.is_cancelled() {
        let free = slots.available_permits();
        let due = if free == 0 { Ok(Vec::new()) } else { cancels::due(&worker.db, free as i64, Utc::now()).await };
        match due {
            Ok(due) => {
                for cancel in due {
                    let Ok(permit) = Arc::clone(&slots).acquire_owned().await else { return };
                    let worker = worker.clone();
                    tracker.spawn(async move {
                        tell(&worker, &cancel).await;
                        drop(permit);
                    });
                }
            }
            Err(error) => tracing::error!(error = %with_source(&error), "agents to be told of ends could not be found"),
        }
        tokio::select! {
            () = worker.stop.cancelled() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn tell(worker: &Worker, cancel: &Cancel) {
    if let Ok(target) = card::target(&cancel.endpoint, &cancel.card, cancel.protocol.as_deref(), &cancel.secrets) {
        let told = tokio::select! {
            told = worker.agents.cancel(&target, &cancel.remote_task) => told,
            // Another process tries again.
            () = worker.abandon.cancelled() => return,
        };
        if let Err(error) = told {
            tracing::debug!(task = %cancel.task, tries = cancel.tries, error = error.message, "an agent was not told of an end");
            if error.transient && !cancel.is_last() {
                return;
            }
        }
    }
    forget(worker, cancel.task).await;
}

/// Nobody else is to tell the agent of this task.
pub(super) async fn forget(worker: &Worker, task: domain::TaskId) {
    if let Err(error) = cancels::done(&worker.db, task).await {
        tracing::error!(%task, error = %with_source(&error), "it could not be noted that an agent was told; it is told again");
    }
}
