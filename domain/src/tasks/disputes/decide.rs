//! The end of a dispute: money, trust and the word to both sides, once.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{DecidedBy, Locked, Side, defaults, must_operate, store};
use crate::tasks::{standing, store as tasks};
use crate::{Actor, Credits, Db, Error, Result, TaskId, Tx, accounts, ledger, trust};

/// An operator decides that the requester gets `refund` back, and says why.
///
/// # Errors
/// [`Error::Forbidden`] for who is no operator, or is one of the sides; [`Error::Validation`]; [`Error::NotFound`];
/// [`Error::Conflict`] when it is decided.
pub async fn decide(
    db: &Db,
    actor: &Actor,
    task: TaskId,
    refund: Credits,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    must_operate(db, actor).await?;
    let user = actor.user()?;
    let reason = super::agree::statement(reason)?;
    let mut tx = db.begin(&Actor::System).await?;
    let dispute = store::lock(&mut tx, task, user).await?;
    if dispute.side.is_some() {
        return Err(Error::Forbidden("you are a side of this dispute: another operator decides it".into()));
    }
    if refund.is_negative() || (refund - dispute.paid).is_positive() {
        return Err(Error::field("refund", format!("must be 0.00 to {}", dispute.paid)));
    }
    if dispute.status != "open" {
        return Err(Error::Conflict("this dispute is decided already".into()));
    }
    store::add_statement(&mut tx, task, Side::Operator, user, &reason, now).await?;
    resolve(&mut tx, &dispute, refund, DecidedBy::Operator, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Decides what nobody decided in time ([`defaults`]); answers with how many. Safe from any number of processes.
///
/// # Errors
/// When the database does not answer.
pub async fn by_the_clock(db: &Db, now: DateTime<Utc>) -> Result<usize> {
    let mut done = 0;
    for task in store::due(db.pool(), now).await? {
        let mut tx = db.begin(&Actor::System).await?;
        let dispute = store::lock(&mut tx, task, crate::UserId::PLATFORM).await?;
        let due = defaults(dispute.paid, dispute.answered, dispute.answer_by, dispute.decide_by, now);
        if let Some(refund) = due.filter(|_| dispute.status == "open") {
            resolve(&mut tx, &dispute, refund, DecidedBy::Timer, now).await?;
            tx.commit().await?;
            done += 1;
        }
    }
    Ok(done)
}

pub(super) async fn resolve(
    tx: &mut Tx,
    dispute: &Locked,
    refund: Credits,
    by: DecidedBy,
    now: DateTime<Utc>,
) -> Result<()> {
    let task = dispute.task;
    ledger::resolve_dispute(tx, task, refund, by.as_str(), now).await?;
    let share = refund.cents() as f64 / dispute.paid.cents() as f64;
    let sums = trust::dispute_resolved(tx, dispute.agent, task, share, now).await?;
    standing::write(tx, &sums, now).await?;
    tasks::event(tx, task, "dispute_ended", json!({ "by": by.as_str(), "refund": refund.to_string() })).await?;
    let how = match by {
        DecidedBy::Requester => "The requester took it back.",
        DecidedBy::Provider => "The provider gave in.",
        DecidedBy::Agreement => "Both sides agreed.",
        DecidedBy::Operator => "An operator decided.",
        DecidedBy::Timer => "Nobody decided in time, so the stated default holds.",
    };
    let body = format!(
        "The dispute about “{}” has ended. {how} {refund} of {} credits go back to the requester.\n\n/tasks/{task}",
        dispute.title, dispute.paid
    );
    for user in [dispute.requester, dispute.provider] {
        let about = format!("dispute-ended:{task}:{user}");
        accounts::queue_mail(tx, user, &about, "A dispute has ended", &body).await?;
    }
    Ok(())
}
