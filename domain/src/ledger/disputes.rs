//! The money of disputes: back into escrow, out of it as decided, and what is owed.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::store;
use crate::{AgentId, Credits, Db, Result, TaskId, UserId};

/// What a dispute took into escrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escrowed {
    /// What had been paid for the task.
    pub paid: Credits,
    /// By whom.
    pub payer: UserId,
    /// To whom.
    pub payee: UserId,
    /// For which agent's work.
    pub agent: AgentId,
    /// Taken from the payee: all but the fee, as far as the balance reached.
    pub from_provider: Credits,
    /// Taken from the platform: the fee.
    pub from_platform: Credits,
}

/// Takes what was paid for a task, whose row the caller has locked, back into escrow. The caller writes the dispute in the same
/// transaction.
///
/// # Errors
/// [`crate::Error::Conflict`] when nothing was paid.
pub async fn escrow_dispute(tx: &mut PgConnection, task: TaskId) -> Result<Escrowed> {
    store::escrow_dispute(tx, task).await
}

/// Ends a dispute's escrow and marks it decided: the requester gets `refund`, at most what was paid; the provider and the
/// platform what they would have got for the rest. What escrow does not hold of the refund is owed by whom it is missing from.
///
/// # Errors
/// [`crate::Error::Conflict`] when it is decided already.
pub async fn resolve_dispute(
    tx: &mut PgConnection,
    task: TaskId,
    refund: Credits,
    by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    store::resolve_dispute(tx, task, refund, by, now).await
}

/// Pays off what is owed from decided disputes, as far as balances reach; answers with how many payments were made. Safe from
/// any number of processes.
///
/// # Errors
/// When the database does not answer.
pub async fn collect_disputes(db: &Db) -> Result<usize> {
    let mut made = 0;
    for user in store::dispute_debtors(db.pool()).await? {
        made += store::collect_disputes(db.pool(), user).await?;
    }
    Ok(made)
}
