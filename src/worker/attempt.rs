//! One attempt at one task, under its lease. No transaction is open while the agent is called.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::Db;
use domain::tasks::dispatch::{self, Claim, Lease};
use domain::tasks::finish::{Delivery, Failure, Fault, Outcome};
use domain::tasks::{Finisher, retry};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::a2a::reply::{self, Reply};
use crate::a2a::{AgentClient, CallError, Target, card};

/// The longest wait for one answer; an agent that works longer answers with a task and is asked again.
const CALL_LIMIT: Duration = Duration::from_secs(120);
/// The first and the longest pause between two questions after a task.
const POLL_FIRST: Duration = Duration::from_millis(200);
const POLL_LONGEST: Duration = Duration::from_secs(3);

/// Why an attempt stops early.
enum Stop {
    /// The task has ended (cancelled, timed out): tell the agent.
    Ended,
    /// Another worker has it.
    Lost,
    /// This process is stopping.
    Abandoned,
}

/// Makes the attempt; every outcome is written, and what cannot be written is left to the lease's end.
pub(super) async fn run(db: &Db, agents: &AgentClient, finisher: &Finisher, claim: Claim, abandon: CancellationToken) {
    if let Err(error) = attempt(db, agents, finisher, &claim, &abandon).await {
        // The lease runs out and another attempt is made: nothing is lost.
        tracing::error!(task = %claim.task, error = %crate::cli::with_source(&error), "an attempt could not be recorded");
    }
}

async fn attempt(
    db: &Db,
    agents: &AgentClient,
    finisher: &Finisher,
    claim: &Claim,
    abandon: &CancellationToken,
) -> domain::Result<()> {
    let fail = |failure: Failure| finisher.end(claim.clone(), Outcome::Failed(Delivery::default(), failure));
    if claim.attempt > retry::MAX_CLAIMS {
        // Workers died over it again and again: nobody knows that it is the agent's doing.
        let failure = Failure {
            message: "The task was tried several times and never came to an end".into(),
            kind: "Never came to an end",
            fault: Fault::Platform,
        };
        fail(failure).await?;
        return Ok(());
    }
    if dispatch::mark_running(db, claim).await? != Lease::Held {
        return Ok(());
    }
    let target = match card::target(&claim.endpoint, &claim.card, &claim.secrets) {
        Ok(target) => target,
        Err(message) => {
            let failure = Failure { message, kind: "Has no usable address", fault: Fault::Agent };
            fail(failure).await?;
            return Ok(());
        }
    };
    let mut conversation = Conversation { db, agents, claim, target, remote: claim.remote_task.clone() };
    let outcome = tokio::select! {
        outcome = conversation.hold() => outcome,
        stop = watch_lease(db, claim, abandon) => Err(Halt::Stop(stop)),
    };
    match outcome {
        Ok(Reply::Completed(delivery)) => {
            finisher.end(claim.clone(), Outcome::Completed(delivery)).await?;
        }
        Ok(Reply::Failed(delivery, failure)) => {
            finisher.end(claim.clone(), Outcome::Failed(delivery, failure)).await?;
        }
        Ok(Reply::Working { .. }) | Err(Halt::Stop(Stop::Lost)) => {}
        Err(Halt::Call(error)) => after_error(db, finisher, claim, error).await?,
        Err(Halt::Domain(error)) => return Err(error),
        Err(Halt::Stop(Stop::Ended)) => conversation.tell_it_is_over().await,
        Err(Halt::Stop(Stop::Abandoned)) => dispatch::give_back(db, claim).await?,
    }
    Ok(())
}

async fn after_error(db: &Db, finisher: &Finisher, claim: &Claim, error: CallError) -> domain::Result<()> {
    let wait = if error.transient { retry::backoff(claim.failures + 2, rand::random()) } else { None };
    match wait {
        Some(wait) => {
            // An agent that says when to come back is believed, up to a minute.
            let asked = Duration::from_secs(error.retry_after.unwrap_or(0).min(60));
            let run_at = Utc::now() + TimeDelta::from_std(wait.max(asked)).unwrap_or(TimeDelta::seconds(1));
            dispatch::try_later(db, claim, &error.message, run_at).await
        }
        None => {
            let failure = Failure { message: error.message, kind: error.kind, fault: error.fault };
            finisher.end(claim.clone(), Outcome::Failed(Delivery::default(), failure)).await.map(|_| ())
        }
    }
}

/// Renews the lease until it is gone or the process stops.
async fn watch_lease(db: &Db, claim: &Claim, abandon: &CancellationToken) -> Stop {
    let pause = Duration::from_secs(1);
    loop {
        tokio::select! {
            () = abandon.cancelled() => return Stop::Abandoned,
            () = tokio::time::sleep(pause) => {}
        }
        match dispatch::renew(db, claim).await {
            Ok(Lease::Held) => {}
            Ok(Lease::Ended) => return Stop::Ended,
            Ok(Lease::Lost) => return Stop::Lost,
            // The database is away; the lease may still be ours when it is back.
            Err(error) => {
                tracing::warn!(task = %claim.task, error = %crate::cli::with_source(&error), "a lease was not renewed")
            }
        }
    }
}

enum Halt {
    Call(CallError),
    Domain(domain::Error),
    Stop(Stop),
}

impl From<CallError> for Halt {
    fn from(error: CallError) -> Self {
        Halt::Call(error)
    }
}

impl From<domain::Error> for Halt {
    fn from(error: domain::Error) -> Self {
        Halt::Domain(error)
    }
}

struct Conversation<'a> {
    db: &'a Db,
    agents: &'a AgentClient,
    claim: &'a Claim,
    target: Target,
    remote: Option<String>,
}

impl Conversation<'_> {
    /// Sends the message (or asks after the task that an earlier attempt began) and stays until there is an end.
    async fn hold(&mut self) -> Result<Reply, Halt> {
        let mut reply = match self.remote.clone() {
            Some(id) => match self.agents.get(&self.target, &id, CALL_LIMIT).await {
                Ok(task) => reply::read_task(task),
                // The agent was restarted and forgot: the same message again, under the same id.
                Err(error) if error.unknown_task => self.send().await?,
                Err(error) => return Err(error.into()),
            },
            None => self.send().await?,
        };
        let mut pause = POLL_FIRST;
        let mut shown: Option<String> = None;
        while let Reply::Working { task, context, progress } = reply {
            if self.remote.as_deref() != Some(task.as_str()) {
                dispatch::note_remote(self.db, self.claim, &task, Some(context.as_str())).await?;
                self.remote = Some(task.clone());
            }
            if progress.is_some() && progress != shown {
                dispatch::progress(self.db, self.claim, progress.as_deref().unwrap_or_default()).await?;
                shown = progress;
                pause = POLL_FIRST;
            }
            tokio::time::sleep(pause).await;
            pause = pause.mul_f64(1.5).min(POLL_LONGEST);
            reply = match self.agents.get(&self.target, &task, CALL_LIMIT).await {
                Ok(task) => reply::read_task(task),
                // It was restarted in the middle: the next attempt sends the message again.
                Err(error) if error.unknown_task => return Err(CallError { transient: true, ..error }.into()),
                Err(error) => return Err(error.into()),
            };
        }
        Ok(reply)
    }

    async fn send(&self) -> Result<Reply, Halt> {
        let mut message = self.claim.message.clone();
        message["messageId"] = json!(self.claim.message_id);
        if let Some(skill) = &self.claim.skill {
            message["metadata"]["skillId"] = json!(skill);
        }
        Ok(reply::read(self.agents.send(&self.target, &message, CALL_LIMIT).await?))
    }

    /// The task was called off or ran out of time: the agent may stop working.
    async fn tell_it_is_over(&self) {
        if let Some(id) = &self.remote
            && let Err(error) = self.agents.cancel(&self.target, id).await
        {
            tracing::debug!(task = %self.claim.task, error = error.message, "the agent was not told of the end");
        }
    }
}
