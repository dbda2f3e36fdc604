//! Sends messages to webhook endpoints: takes what is due, sends each as one signed request through the guarded client, and
//! notes how it went. Any number of processes may do so; no task waits for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use domain::Db;
use domain::webhooks::{self, Answer, Claim, Recorded, Tried};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::cli::with_source;
use crate::outbound::{Outbound, OutboundError, after, signing};
use crate::task_events::TaskEvents;

/// How long a receiver may take, from the first byte sent to the last one read.
const LIMIT: Duration = Duration::from_secs(15);
/// Bytes of an answer that are read: only its beginning is kept, for the owner to see what the receiver said.
const ANSWER_READ: usize = 4_096;
/// Messages that one process has on their way at once.
const SLOTS: usize = 128;
/// How often it is asked what is due when nobody rings; retries and dead workers' messages come due silently.
const POLL: Duration = Duration::from_secs(1);

/// Sends messages; cheap to clone.
#[derive(Clone)]
pub struct Messenger {
    outbound: Outbound,
    events: TaskEvents,
}

impl Messenger {
    /// Goes out through `outbound`, and is woken by `events`.
    pub fn new(outbound: Outbound, events: TaskEvents) -> Messenger {
        Messenger { outbound, events }
    }

    /// How messages go out, and what wakes who sends them.
    pub(super) fn ways(&self) -> (Outbound, TaskEvents) {
        (self.outbound.clone(), self.events.clone())
    }

    async fn send(&self, claim: &Claim) -> Tried {
        let (at, clock) = (Utc::now(), Instant::now());
        let answer = self.ask(claim, at.timestamp()).await.unwrap_or_else(|error| Answer::Nothing(error.to_string()));
        Tried { at, took: clock.elapsed(), answer }
    }

    async fn ask(&self, claim: &Claim, timestamp: i64) -> Result<Answer, OutboundError> {
        let url = Url::parse(&claim.url).map_err(|_| OutboundError::Refused("the address is no URL".into()))?;
        let (id, body) = (claim.message.id.to_string(), claim.message.body());
        let mut request = self.outbound.post(url).header("content-type", "application/json");
        for (name, value) in signing::headers(&claim.secrets, &id, timestamp, body.as_bytes()) {
            request = request.header(name, value);
        }
        let deadline = after(tokio::time::Instant::now(), LIMIT);
        let mut answer = self.outbound.open(request.body(body), LIMIT).await?;
        // The status has said it all: a body that breaks off or never ends changes nothing.
        let mut read = Vec::new();
        while read.len() < ANSWER_READ
            && let Ok(Some(chunk)) = answer.chunk(deadline).await
        {
            read.extend_from_slice(&chunk);
        }
        read.truncate(ANSWER_READ);
        Ok(Answer::Status {
            code: answer.head.status.as_u16(),
            retry_after: answer.head.retry_after.map(Duration::from_secs),
            text: String::from_utf8_lossy(&read).into_owned(),
        })
    }

    async fn deliver(&self, db: &Db, claim: &Claim) {
        let tried = self.send(claim).await;
        match webhooks::record(db, claim, &tried, rand::random(), Utc::now()).await {
            Ok(Recorded::SwitchedOff) => {
                tracing::info!(endpoint = %claim.endpoint, "a webhook endpoint was switched off")
            }
            Ok(Recorded::Delivered | Recorded::Later(_) | Recorded::Failed | Recorded::Nothing) => {}
            // The lease ends, and it is sent again: receivers tell a repeat by its id.
            Err(error) => {
                tracing::error!(delivery = %claim.delivery, error = %with_source(&error), "a webhook try could not be noted");
            }
        }
    }
}

/// Sends what is due until `stop`; what is on its way then is brought to its end.
pub async fn run(db: Db, messenger: Messenger, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(SLOTS));
    // An endpoint that had as much on its way as it may gets its next message when one has ended.
    let ended = Arc::new(Notify::new());
    let tracker = TaskTracker::new();
    while !stop.is_cancelled() {
        // At least one is free before anything is taken on.
        let first = tokio::select! {
            () = stop.cancelled() => break,
            permit = slots.clone().acquire_owned() => permit,
        };
        let Ok(first) = first else { break };
        let free = slots.available_permits() + 1;
        drop(first);
        let found = match webhooks::claim(&db, free as i64, Utc::now()).await {
            Ok(claims) => {
                let found = !claims.is_empty();
                for claim in claims {
                    let Ok(permit) = slots.clone().acquire_owned().await else { return };
                    let (db, messenger, ended) = (db.clone(), messenger.clone(), ended.clone());
                    tracker.spawn(async move {
                        messenger.deliver(&db, &claim).await;
                        drop(permit);
                        ended.notify_one();
                    });
                }
                found
            }
            Err(error) => {
                tracing::error!(error = %with_source(&error), "webhook messages could not be taken on");
                false
            }
        };
        if !found {
            tokio::select! {
                () = stop.cancelled() => {}
                () = messenger.events.messages_written() => {}
                () = ended.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
    tracker.close();
    tracker.wait().await;
}
