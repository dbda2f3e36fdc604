//! What the two sides can do: speak, propose, accept, give in.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::decide::resolve;
use super::{DecidedBy, Locked, STATEMENT_MAX, Side, store};
use crate::tasks::store as tasks;
use crate::{Actor, Credits, Db, Error, Result, TaskId, Tx, accounts};

/// A statement as it is kept.
pub(super) fn statement(text: &str) -> Result<String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(Error::field("statement", "is empty: say what is wrong, or what is right")),
        n if n > STATEMENT_MAX => Err(Error::field("statement", "is longer than 5,000 characters")),
        _ => Ok(text.to_owned()),
    }
}

async fn locked(db: &Db, actor: &Actor, task: TaskId) -> Result<(Tx, Locked, Side)> {
    let user = actor.user()?;
    let mut tx = db.begin(&Actor::System).await?;
    let dispute = store::lock(&mut tx, task, user).await?;
    let side = dispute.speaks()?;
    Ok((tx, dispute, side))
}

/// Adds a statement. The provider's first one stops the clock that would give in for them.
///
/// # Errors
/// [`Error::Validation`]; [`Error::NotFound`] when the actor is neither side; [`Error::Conflict`] when it is decided.
pub async fn say(db: &Db, actor: &Actor, task: TaskId, text: &str, now: DateTime<Utc>) -> Result<()> {
    let text = statement(text)?;
    let (mut tx, dispute, side) = locked(db, actor, task).await?;
    store::add_statement(&mut tx, task, side, actor.user()?, &text, now).await?;
    if side == Side::Provider {
        store::answered(&mut tx, task).await?;
    }
    tasks::event(&mut tx, task, "dispute", json!({ "by": side.as_str() })).await?;
    tell_other(&mut tx, &dispute, side, "There is a new statement in a dispute").await?;
    tx.commit().await?;
    Ok(())
}

/// Proposes that the requester gets `refund` back. It replaces what was proposed before, by whomever.
///
/// # Errors
/// [`Error::Validation`] for more than was paid; [`Error::NotFound`]; [`Error::Conflict`] when it is decided.
pub async fn offer(db: &Db, actor: &Actor, task: TaskId, refund: Credits) -> Result<()> {
    let (mut tx, dispute, side) = locked(db, actor, task).await?;
    if refund.is_negative() || (refund - dispute.paid).is_positive() {
        return Err(Error::field("refund", format!("must be 0.00 to {}", dispute.paid)));
    }
    store::set_offer(&mut tx, task, side, refund).await?;
    if side == Side::Provider {
        store::answered(&mut tx, task).await?;
    }
    tasks::event(&mut tx, task, "dispute", json!({ "by": side.as_str(), "offer": refund.to_string() })).await?;
    tell_other(&mut tx, &dispute, side, "The other side of a dispute proposes a refund").await?;
    tx.commit().await?;
    Ok(())
}

/// Accepts what the other side proposed. `shown`: the sum that the actor saw; another one is refused.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when nothing (or another sum) is proposed, or it is decided.
pub async fn accept_offer(db: &Db, actor: &Actor, task: TaskId, shown: Credits, now: DateTime<Utc>) -> Result<()> {
    let (mut tx, dispute, side) = locked(db, actor, task).await?;
    match dispute.offer {
        Some((by, refund)) if by != side && refund == shown => {
            resolve(&mut tx, &dispute, refund, DecidedBy::Agreement, now).await?;
        }
        Some((by, _)) if by != side => return Err(Error::Conflict("the other side has changed its proposal".into())),
        Some(_) | None => return Err(Error::Conflict("the other side has proposed nothing".into())),
    }
    tx.commit().await?;
    Ok(())
}

/// Gives in: the requester takes the dispute back, or the provider returns all of it.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when it is decided.
pub async fn give_in(db: &Db, actor: &Actor, task: TaskId, now: DateTime<Utc>) -> Result<()> {
    let (mut tx, dispute, side) = locked(db, actor, task).await?;
    let (refund, by) = match side {
        Side::Provider => (dispute.paid, DecidedBy::Provider),
        Side::Requester | Side::Operator => (Credits::ZERO, DecidedBy::Requester),
    };
    resolve(&mut tx, &dispute, refund, by, now).await?;
    tx.commit().await?;
    Ok(())
}

async fn tell_other(tx: &mut Tx, dispute: &Locked, side: Side, subject: &str) -> Result<()> {
    let other = if side == Side::Provider { dispute.requester } else { dispute.provider };
    let about = format!("dispute:{}:{}", dispute.task, uuid::Uuid::new_v4());
    let body = format!("It is about “{}”.\n\n/tasks/{}", dispute.title, dispute.task);
    accounts::queue_mail(tx, other, &about, subject, &body).await
}
