//! The end of tasks: state, money and trust together, once, any number of tasks in one transaction.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::dispatch::Claim;
use super::dispatch::store::{EndedAttempt, HangUp};
use super::store::{self, Closing};
use super::{TaskState, content, standing};
use crate::trust::{self, Evidenced};
use crate::{Actor, AgentId, Credits, Db, Result, TaskId, Tx, UserId, fault, ledger};

/// What an agent delivered, A2A 1.0 JSON.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// What it made.
    pub artifacts: Vec<Value>,
    /// What it said, after the requester's message.
    pub messages: Vec<Value>,
    /// What it says that the work cost. Less than the price is believed and charged; more is not.
    pub cost: Option<Credits>,
    /// Its id for the work.
    pub task: Option<String>,
    /// Its id for the conversation, for tasks that go on with it.
    pub context: Option<String>,
    /// How it said so.
    pub word: AgentWord,
}

/// How an agent said that a task is over, which A2A clients are told as it was.
#[derive(Clone, Debug, Default)]
pub struct AgentWord {
    /// The state that it named: `completed`, `failed`, `rejected` or `canceled`.
    pub state: Option<&'static str>,
    /// The id of the message that it sent with the state.
    pub message: Option<String>,
    /// Whether it answered with a message instead of a task.
    pub by_message: bool,
}

/// Whose doing a failure is. Only the agent's touches the agent's trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The agent said no, broke the protocol or could not be reached.
    Agent,
    /// The agent refused the input, or the requester called it off.
    Requester,
    /// Ours.
    Platform,
}

impl Fault {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Fault::Agent => "agent",
            Fault::Requester => "requester",
            Fault::Platform => "platform",
        }
    }
}

/// A failure: what the requester reads, what the public record says, and whose doing it is.
#[derive(Clone, Debug)]
pub struct Failure {
    /// For the task's parties.
    pub message: String,
    /// For the agent's public record: the kind of failure, nothing of the task's content.
    pub kind: &'static str,
    /// Whose doing.
    pub fault: Fault,
}

/// How a claimed task ends.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The agent delivered.
    Completed(Delivery),
    /// It did not, and said so.
    Failed(Delivery, Failure),
    /// We end it, though the agent goes on: it has asked as often as it may.
    Stopped(Delivery, Failure),
    /// It could not be made to answer in all attempts, or what it answered was no answer: a dead letter, which its requester
    /// may send again. With the HTTP status of the last attempt.
    Undelivered(Failure, Option<u16>),
}

/// Ends tasks under their leases: each delivery is kept, each hold settled or returned, trust noted. One transaction; the
/// answers are in the order asked. `false`: that task had ended or another worker has it, and nothing of it changed.
///
/// # Errors
/// When the database does not answer, or one of the deliveries cannot be stored; nothing changed.
pub async fn end_many(db: &Db, ends: &[(Claim, Outcome)], now: DateTime<Utc>) -> Result<Vec<bool>> {
    let mut tx = db.begin(&Actor::System).await?;
    fault::point("settle.begun");
    let claims: Vec<&Claim> = ends.iter().map(|(claim, _)| claim).collect();
    let locked = store::lock_leased_many(&mut tx, &claims).await?;
    fault::point("settle.locked");
    let mut endings = Vec::with_capacity(locked.len());
    let mut taken: HashSet<TaskId> = HashSet::new();
    let mut done = Vec::with_capacity(ends.len());
    for (claim, outcome) in ends {
        // Twice in one batch would be twice the end.
        let task = locked.get(&claim.task).filter(|t| t.token == Some(claim.token));
        let first = task.is_some() && taken.insert(claim.task);
        done.push(first);
        let (true, Some(task)) = (first, task) else { continue };
        endings.push(Ending { task, how: How::of(outcome) });
    }
    write(&mut tx, &endings, now).await?;
    fault::point("settle.before-commit");
    tx.commit().await?;
    fault::point("settle.committed");
    Ok(done)
}

/// Completes one task ([`end_many`]).
///
/// # Errors
/// As [`end_many`].
pub async fn complete(db: &Db, claim: &Claim, delivery: &Delivery, now: DateTime<Utc>) -> Result<bool> {
    let ends = [(claim.clone(), Outcome::Completed(delivery.clone()))];
    Ok(end_many(db, &ends, now).await?.first().copied().unwrap_or(false))
}

/// Fails one task ([`end_many`]).
///
/// # Errors
/// As [`end_many`].
pub async fn fail(db: &Db, claim: &Claim, delivery: &Delivery, failure: &Failure, now: DateTime<Utc>) -> Result<bool> {
    let ends = [(claim.clone(), Outcome::Failed(delivery.clone(), failure.clone()))];
    Ok(end_many(db, &ends, now).await?.first().copied().unwrap_or(false))
}

/// Ends overdue tasks by the clock; answers with how many. The agent is to blame only if it was being waited for at the
/// deadline, or had failed before: where no worker was there to hear an answer, nobody knows that there was none.
pub(super) async fn time_out(db: &Db, ids: &[TaskId], now: DateTime<Utc>) -> Result<usize> {
    let mut tx = db.begin(&Actor::System).await?;
    let locked = store::lock_overdue(&mut tx, ids, now).await?;
    let endings: Vec<Ending<'_>> = locked
        .values()
        .map(|task| {
            let late = task.started_at.is_some() && task.agent_was_late;
            let fault = match task.waiting_since {
                Some(_) => Fault::Requester,
                None if late => Fault::Agent,
                None => Fault::Platform,
            };
            Ending { task, how: How::TimedOut { fault } }
        })
        .collect();
    write(&mut tx, &endings, now).await?;
    tx.commit().await?;
    Ok(endings.len())
}

/// A task that is about to be ended, its row locked.
pub(super) struct Locked {
    pub task: TaskId,
    /// The lease under which it is held.
    pub token: Option<uuid::Uuid>,
    pub title: String,
    pub agent: Option<AgentId>,
    pub price: Credits,
    pub payer: UserId,
    pub started_at: Option<DateTime<Utc>>,
    pub same_owner: bool,
    pub promised_seconds: Option<i32>,
    /// Since when its requester is being asked something.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Whether it is noted that its agent was called.
    pub running: bool,
    /// Calls beyond the first that were noted.
    pub retries: i32,
    /// The attempt that is under way.
    pub attempt: i32,
    /// Whether, at the deadline, the agent was being waited for or had failed before.
    pub agent_was_late: bool,
}

struct Ending<'a> {
    task: &'a Locked,
    how: How<'a>,
}

impl Ending<'_> {
    /// An agent that answered at once was not noted as called yet.
    fn unsaid(&self) -> Option<(&'static str, i32)> {
        let (task, attempt) = (self.task, self.task.attempt);
        match (task.attempt, task.running) {
            (0, _) => None,
            (_, false) => Some(("running", attempt)),
            (_, true) if task.retries < attempt - 1 => Some(("retry", attempt)),
            (_, true) => None,
        }
    }
}

enum How<'a> {
    Completed(&'a Delivery),
    Failed(&'a Delivery, &'a Failure),
    Stopped(&'a Delivery, &'a Failure),
    Undelivered(&'a Failure, Option<u16>),
    TimedOut { fault: Fault },
}

impl<'a> How<'a> {
    fn of(outcome: &'a Outcome) -> How<'a> {
        match outcome {
            Outcome::Completed(delivery) => How::Completed(delivery),
            Outcome::Failed(delivery, failure) => How::Failed(delivery, failure),
            Outcome::Stopped(delivery, failure) => How::Stopped(delivery, failure),
            Outcome::Undelivered(failure, status) => How::Undelivered(failure, *status),
        }
    }

    /// What happens to the hold.
    fn hold(&self) -> ledger::End {
        match self {
            How::Completed(delivery) => ledger::End::Capture(delivery.cost),
            How::Failed(..) | How::Stopped(..) | How::Undelivered(..) => ledger::End::Return("Returned: task failed"),
            How::TimedOut { .. } => ledger::End::Return("Returned: task timed out"),
        }
    }

    /// The message of a failure and whose doing it is.
    fn failure(&self) -> Option<(&str, Fault)> {
        match self {
            How::Completed(_) => None,
            How::Failed(_, failure) | How::Stopped(_, failure) | How::Undelivered(failure, _) => {
                Some((&failure.message, failure.fault))
            }
            How::TimedOut { fault: Fault::Requester } => {
                Some(("Nobody answered what the agent asked", Fault::Requester))
            }
            How::TimedOut { fault: Fault::Agent } => Some(("The agent did not answer in time", Fault::Agent)),
            How::TimedOut { fault } => Some(("The task could not be served in time", *fault)),
        }
    }

    fn delivery(&self) -> Option<&Delivery> {
        match self {
            How::Completed(delivery) | How::Failed(delivery, _) | How::Stopped(delivery, _) => Some(delivery),
            How::Undelivered(..) | How::TimedOut { .. } => None,
        }
    }

    /// Who is to tell the agent, where the end is not its own: it may be at work yet.
    fn hang_up(&self) -> Option<HangUp> {
        match self {
            How::Completed(_) | How::Failed(..) => None,
            // The worker that had the task is about to leave it.
            How::Stopped(..) | How::Undelivered(..) => Some(HangUp::Now),
            How::TimedOut { .. } => Some(HangUp::AfterHolder),
        }
    }

    /// Whether the agent answered at all, whatever it said.
    fn answered(&self) -> bool {
        matches!(self, How::Completed(_) | How::Failed(..) | How::Stopped(..))
    }

    /// What it says about the agent, where it says anything.
    fn evidence(&self, task: &Locked, now: DateTime<Utc>) -> Option<trust::Ended> {
        match self {
            How::Completed(_) => Some(trust::Ended::Completed {
                took: now - task.started_at.unwrap_or(now),
                promised: task.promised_seconds.map(|s| TimeDelta::seconds(s.into())),
            }),
            How::Failed(_, failure) | How::Stopped(_, failure) | How::Undelivered(failure, _)
                if failure.fault == Fault::Agent =>
            {
                Some(trust::Ended::Failed(failure.kind.to_owned()))
            }
            How::TimedOut { fault: Fault::Agent } => Some(trust::Ended::TimedOut),
            How::Failed(..) | How::Stopped(..) | How::Undelivered(..) | How::TimedOut { .. } => None,
        }
    }
}

/// Holds first (they say what each task cost), then tasks, trust, queue and events.
async fn write(tx: &mut Tx, endings: &[Ending<'_>], now: DateTime<Utc>) -> Result<()> {
    if endings.is_empty() {
        return Ok(());
    }
    let holds: Vec<_> = endings
        .iter()
        .map(|e| ledger::HoldEnd { task: e.task.task, title: e.task.title.clone(), end: e.how.hold() })
        .collect();
    let ended = ledger::end_holds(tx, &holds).await?;
    let closings: Vec<Closing> = endings
        .iter()
        .map(|e| {
            let captured = ended.get(&e.task.task).copied();
            let delivery = e.how.delivery();
            let artifacts = delivery.map(|d| d.artifacts.clone()).unwrap_or_default();
            let completed = matches!(e.how, How::Completed(_));
            let failure = e.how.failure();
            Closing {
                task: e.task.task,
                state: if completed { TaskState::Completed } else { TaskState::Failed },
                output: completed.then(|| content::output_of(&artifacts, delivery.and_then(|d| d.messages.last()))),
                messages: Value::Array(delivery.map(|d| d.messages.clone()).unwrap_or_default()),
                cost: captured.unwrap_or_default(),
                error: failure.map(|(message, _)| message.to_owned()),
                fault: failure.map(|(_, fault)| fault),
                dead_letter: matches!(&e.how, How::Undelivered(failure, _) if failure.fault != Fault::Requester),
                event: event(e, captured, artifacts.len()),
                attempt: EndedAttempt {
                    task: e.task.task,
                    outcome: if completed { "completed" } else { "failed" },
                    error: failure.map(|(message, _)| message.to_owned()),
                    status: if let How::Undelivered(_, status) = e.how { status } else { None },
                    answered: e.task.agent.filter(|_| e.how.answered()),
                },
                hang_up: e.how.hang_up(),
                artifacts: Value::Array(artifacts),
                started_at: e.task.started_at,
                retries: e.task.retries.max(e.task.attempt - 1),
                unsaid: e.unsaid(),
                remote_task: delivery.and_then(|d| d.task.clone()),
                remote_context: delivery.and_then(|d| d.context.clone()),
                word: delivery.map(|d| d.word.clone()).unwrap_or_default(),
            }
        })
        .collect();
    store::close(tx, closings, now).await?;
    fault::point("settle.tasks-written");
    note_trust(tx, endings, now).await
}

/// What the task's event says.
fn event(e: &Ending<'_>, captured: Option<Credits>, artifacts: usize) -> Value {
    let price = e.task.price;
    match e.how.failure() {
        None => json!({
            "artifacts": artifacts,
            "settled": captured.map(|c| c.to_string()),
            "refunded": captured.map(|c| price - c).filter(|back| back.is_positive()).map(|back| back.to_string()),
        }),
        Some((message, fault)) => {
            let mut data = json!({
                "error": message, "fault": fault.as_str(), "refunded": captured.map(|_| price.to_string()),
            });
            if matches!(e.how, How::TimedOut { .. }) {
                data["timeout"] = json!(true);
            }
            data
        }
    }
}

async fn note_trust(tx: &mut Tx, endings: &[Ending<'_>], now: DateTime<Utc>) -> Result<()> {
    let evidence: Vec<Evidenced> = endings
        .iter()
        .filter(|e| !e.task.same_owner)
        .filter_map(|e| {
            let ended = e.how.evidence(e.task, now)?;
            let paid = e.task.price.is_positive();
            Some(Evidenced { agent: e.task.agent?, task: e.task.task, payer: e.task.payer, paid, ended })
        })
        .collect();
    let sums = trust::record(tx, &evidence, now).await?;
    standing::write(tx, &sums, now).await
}
