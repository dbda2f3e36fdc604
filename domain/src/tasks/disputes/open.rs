//! Opening a dispute.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{ANSWER_WITHIN, DECIDE_WITHIN, STATEMENT_MAX, Side, WINDOW, store};
use crate::tasks::store as tasks;
use crate::{Actor, Db, Error, Result, TaskId, accounts, ledger, trust};

/// Disputes a result that the actor paid for: what was paid goes back into escrow, and the provider is told by mail.
///
/// # Errors
/// [`Error::Validation`]; [`Error::NotFound`] when it is not theirs; [`Error::Conflict`] when it is too late, was accepted, was
/// free, or was disputed before.
pub async fn open(db: &Db, actor: &Actor, task: TaskId, reason: &str, now: DateTime<Utc>) -> Result<()> {
    let user = actor.user()?;
    let reason = super::agree::statement(reason)?;
    let mut tx = db.begin(&Actor::System).await?;
    let result = tasks::lock_result(&mut tx, user, task).await?;
    let too_late = Error::Conflict("a result can be disputed for a week after its completion".into());
    match result.completed_at {
        None => return Err(Error::Conflict("only a completed task can be disputed".into())),
        Some(at) if now >= at + WINDOW => return Err(too_late),
        Some(_) => {}
    }
    if result.accepted_at.is_some() {
        return Err(Error::Conflict("you have accepted this result".into()));
    }
    if store::exists(&mut tx, task).await? {
        return Err(Error::Conflict("this task was disputed before".into()));
    }
    let escrowed = ledger::escrow_dispute(&mut tx, task).await?;
    store::insert(&mut tx, task, &escrowed, now, now + ANSWER_WITHIN, now + DECIDE_WITHIN).await?;
    store::add_statement(&mut tx, task, Side::Requester, user, &reason, now).await?;
    trust::dispute_opened(&mut tx, escrowed.agent, task, now).await?;
    let escrow = escrowed.from_provider + escrowed.from_platform;
    tasks::event(&mut tx, task, "disputed", json!({ "escrow": escrow.to_string() })).await?;
    let body = format!(
        "The requester of “{}” disputes its result. The {} credits that were paid for it are in escrow until that is decided.\n\n\
         Say something within three days, on the task's page: who says nothing gives in.\n\n/tasks/{task}",
        result.title, escrowed.paid
    );
    accounts::queue_mail(
        &mut tx,
        escrowed.payee,
        &format!("dispute:{task}"),
        "A result of your agent is disputed",
        &body,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

const _: () = assert!(STATEMENT_MAX == 5_000, "the database has the same limit");
