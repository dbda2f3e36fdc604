//! Sends push notifications to A2A clients: takes what is due, posts each through the guarded client, and notes how it went.
//! Any number of processes may do so.

use std::time::Duration;

use chrono::Utc;
use domain::tasks::pushes::{self, Delivery, Version};
use domain::{Db, routes};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::cli::with_source;
use crate::gateway::told::{self, Extent};
use crate::gateway::v03::{self, Form};
use crate::outbound::Outbound;
use crate::task_events::TaskEvents;

/// How long a receiver may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Notifications that one process has on their way at once.
const BATCH: i64 = 64;
/// How often it is asked what is due when nobody rings.
const POLL: Duration = Duration::from_secs(1);

/// Sends until `stop`.
pub async fn run(db: Db, outbound: Outbound, events: TaskEvents, stop: CancellationToken) {
    let tracker = TaskTracker::new();
    while !stop.is_cancelled() {
        let claimed = match pushes::claim(&db, BATCH, Utc::now()).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::error!(error = %with_source(&error), "push notifications could not be claimed");
                Vec::new()
            }
        };
        let some = !claimed.is_empty();
        for delivery in claimed {
            let (db, outbound) = (db.clone(), outbound.clone());
            tracker.spawn(async move {
                // The lease runs out, and it is sent once more.
                let Some(delivery) = of_request(&db, delivery).await else { return };
                let status = send(&outbound, &delivery).await;
                if let Err(error) = pushes::record(&db, &delivery, status, Utc::now()).await {
                    // The lease runs out, and it is sent once more.
                    tracing::error!(error = %with_source(&error), "a push notification could not be noted");
                }
            });
        }
        if some {
            // The next of each address waits for this one.
            tracker.close();
            tracker.wait().await;
            tracker.reopen();
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = events.pushes_written() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    tracker.close();
    tracker.wait().await;
}

/// A task that was hired for a request is told of as that request. `None`: the database does not say.
async fn of_request(db: &Db, delivery: Delivery) -> Option<Delivery> {
    match routes::told::of_task(db, delivery.task.id).await {
        Ok(Some(task)) => Some(Delivery { task, ..delivery }),
        Ok(None) => Some(delivery),
        Err(error) => {
            tracing::error!(error = %with_source(&error), "whose task a push notification is of could not be read");
            None
        }
    }
}

/// The status of the answer; `None` where there was none.
async fn send(outbound: &Outbound, delivery: &Delivery) -> Option<u16> {
    let config = &delivery.config;
    let url = Url::parse(&config.url).ok()?;
    let media = match config.version {
        Version::V1 => "application/a2a+json",
        Version::V03 => "application/json",
    };
    let mut request = outbound.post(url).header("content-type", media);
    if let Some(token) = &config.token {
        request = request.header("x-a2a-notification-token", token);
    }
    if let Some((scheme, credentials)) = &config.auth {
        request = request.header("authorization", format!("{scheme} {credentials}").trim().to_owned());
    }
    match outbound.send(request.body(body(delivery).to_string()), LIMIT).await {
        Ok(answer) => Some(answer.status.as_u16()),
        Err(error) => {
            tracing::debug!(error = %error, "a push notification was not delivered");
            None
        }
    }
}

/// 1.0 is sent a `StreamResponse` (section 4.3.3): what the event says; at the end, and with every artifact, the whole task. 0.3
/// is sent the task.
fn body(delivery: &Delivery) -> Value {
    let whole = || told::task(&delivery.task, Extent { history: None, artifacts: true });
    match (delivery.config.version, delivery.kind.as_str()) {
        (Version::V03, _) => v03::task(&whole(), Form::Json),
        (Version::V1, "running" | "reply") => told::working(&delivery.task, None, delivery.at),
        (Version::V1, "asks") => told::status_update(&delivery.task, told::status(&delivery.task)),
        (Version::V1, _) => json!({ "task": whole() }),
    }
}
