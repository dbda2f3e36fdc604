//! One attempt at one task, under its lease. No transaction is open while the agent is called.

use std::future::Future;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::tasks::dispatch::{self, Claim, Lease, Trouble};
use domain::tasks::finish::{Failure, Fault, Outcome};
use domain::tasks::retry;
use tokio::time::Instant;

use super::Worker;
use super::conversation::{Conversation, Halt, Stop, Talked};
use super::leases::Held;
use crate::a2a::{CallError, card};
use crate::task_events::{News, Watch};

/// An agent that answers within this is noted as called and done in one.
const SOON: Duration = Duration::from_millis(50);

/// Makes the attempt; every outcome is written, and what cannot be written is left to the lease's end.
/// `since`: when the claim was asked for, from when its lease counts.
pub(super) async fn run(worker: &Worker, claim: Claim, since: Instant) {
    if let Err(error) = attempt(worker, &claim, since).await {
        // The lease runs out and another attempt is made: nothing is lost.
        tracing::error!(task = %claim.task, error = %crate::cli::with_source(&error), "an attempt could not be recorded");
    }
}

async fn attempt(worker: &Worker, claim: &Claim, since: Instant) -> domain::Result<()> {
    if claim.since_reply > retry::MAX_CLAIMS {
        // Workers died over it again and again: nobody knows that it is the agent's doing.
        let message = "The task was tried several times and never came to an end".into();
        let failure = Failure { message, kind: "Never came to an end", fault: Fault::Platform };
        return undelivered(worker, claim, failure, None).await;
    }
    let target = match card::target(&claim.endpoint, &claim.card, claim.protocol.as_deref(), &claim.secrets) {
        Ok(target) => target,
        Err(message) => {
            let failure = Failure { message, kind: "Has no usable address", fault: Fault::Agent };
            return undelivered(worker, claim, failure, None).await;
        }
    };
    let mut lease = worker.leases.keep(claim, since);
    let mut news = worker.events.watch(claim.task);
    let mut conversation = Conversation::new(worker, claim, target);
    let talked = {
        let bell = conversation.bell();
        tokio::select! {
            talked = noted(worker, claim, conversation.hold()) => talked,
            stop = stopped(worker, claim, &mut lease, &mut news, &bell) => Err(Halt::Stop(stop)),
        }
    };
    match talked {
        Ok(Talked::Completed(delivery)) => {
            let delivery = conversation.with_files(delivery).await;
            worker.finisher.end(claim.clone(), Outcome::Completed(delivery)).await?;
        }
        Ok(Talked::Failed(delivery, failure)) => {
            worker.finisher.end(claim.clone(), Outcome::Failed(delivery, failure)).await?;
        }
        Ok(Talked::Asks(question)) => dispatch::ask(&worker.db, claim, &question, Utc::now()).await?,
        Ok(Talked::Later(pause)) => dispatch::poll_later(&worker.db, claim, after(pause)).await?,
        Err(Halt::Call(error)) => after_error(worker, claim, error).await?,
        Err(Halt::Domain(error)) => return Err(error),
        Err(Halt::Stop(Stop::Lost)) => {}
        Err(Halt::Stop(Stop::Ended)) => conversation.tell_it_is_over().await,
        Err(Halt::Stop(Stop::Abandoned)) => dispatch::give_back(&worker.db, claim).await?,
    }
    Ok(())
}

/// Holds the conversation, and notes that the task runs when its agent has not answered soon.
async fn noted(
    worker: &Worker,
    claim: &Claim,
    hold: impl Future<Output = Result<Talked, Halt>>,
) -> Result<Talked, Halt> {
    let note = async {
        tokio::time::sleep(SOON).await;
        dispatch::mark_running(&worker.db, claim).await
    };
    beside(hold, note).await
}

/// Brings `hold` to its end, with `note` beside it for as long as that takes. Neither may rest while the other goes on: each
/// locks the task's row, and one that rests with the lock keeps the other waiting for ever.
async fn beside<T>(
    hold: impl Future<Output = Result<T, Halt>>,
    note: impl Future<Output = domain::Result<()>>,
) -> Result<T, Halt> {
    let (mut hold, note) = (std::pin::pin!(hold), std::pin::pin!(note));
    tokio::select! {
        talked = &mut hold => return talked,
        noted = note => noted?,
    }
    hold.await
}

fn after(pause: Duration) -> chrono::DateTime<Utc> {
    Utc::now() + TimeDelta::from_std(pause).unwrap_or(TimeDelta::seconds(1))
}

async fn after_error(worker: &Worker, claim: &Claim, error: CallError) -> domain::Result<()> {
    let jitter = rand::random();
    let wait = if error.transient { retry::backoff(claim.failures + 2, jitter) } else { None };
    match wait {
        Some(wait) => {
            // An agent that says when to come back is believed, up to a minute.
            let asked = Duration::from_secs(error.retry_after.unwrap_or(0).min(60));
            let trouble = Trouble { error: error.message, status: error.status };
            dispatch::try_later(&worker.db, claim, &trouble, after(wait.max(asked)), jitter).await
        }
        None => {
            let failure = Failure { message: error.message, kind: error.kind, fault: error.fault };
            undelivered(worker, claim, failure, error.status).await
        }
    }
}

async fn undelivered(worker: &Worker, claim: &Claim, failure: Failure, status: Option<u16>) -> domain::Result<()> {
    worker.finisher.end(claim.clone(), Outcome::Undelivered(failure, status)).await.map(|_| ())
}

/// Waits until the attempt is to stop. The agent's ringing is passed on meanwhile.
async fn stopped(
    worker: &Worker,
    claim: &Claim,
    lease: &mut Held,
    news: &mut Watch,
    bell: &tokio::sync::Notify,
) -> Stop {
    loop {
        let state = tokio::select! {
            () = worker.abandon.cancelled() => return Stop::Abandoned,
            state = lease.gone() => state,
            heard = news.next() => match heard {
                News::Rung => {
                    bell.notify_one();
                    continue;
                }
                News::Updates => continue,
                News::Event(notice) if !notice.ended => continue,
                // Said to have ended: the lease knows.
                News::Event(_) | News::Missed => lease.look(&worker.db, claim.task).await,
            },
        };
        match state {
            Lease::Held => {}
            Lease::Ended => return Stop::Ended,
            Lease::Lost => return Stop::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn a_conversation_that_holds_a_lock_goes_on_while_the_note_waits_for_it() {
        let row = Mutex::new(0);
        let moment = || tokio::time::sleep(Duration::from_millis(5));
        let hold = async {
            let mut row = row.lock().await;
            moment().await;
            *row += 1;
            drop(row);
            moment().await;
            Ok("done")
        };
        let note = async {
            *row.lock().await += 10;
            Ok(())
        };
        let talked = tokio::time::timeout(Duration::from_secs(5), beside(hold, note)).await;
        assert!(matches!(talked, Ok(Ok("done"))), "each waits for the other");
        assert_eq!(row.into_inner(), 11);
    }
}
