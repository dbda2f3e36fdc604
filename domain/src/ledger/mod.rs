//! The ledger: balances, holds, settlements, purchases. Reached through this module only.
//!
//! | rule (design section 5) | where |
//! |---|---|
//! | a grant of 1,000 at sign-up, once | `ledger.open_account` in the migrations, which sign-up calls |
//! | a paid task is held at once, or there is no task | `economy.assign_task` in the migrations, which calls `ledger.hold` |
//! | exactly one of settlement and refund, once | [`settle`], [`refund`] |
//! | a purchase is credited once, with its event | [`purchase::credit`] |
//! | everything adds up | [`audit()`] |

mod audit;
mod entries;
pub mod packages;
pub mod purchase;
mod store;

use sqlx::PgConnection;

use crate::{Actor, Credits, Db, Result, TaskId};

pub use audit::{AuditReport, Finding, audit};
pub use entries::{DayTotal, Entry, EntryFilter, EntryKind, earnings_by_day, entries};

/// What an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// What can be spent now.
    pub available: Credits,
    /// What running tasks hold; it is spent when they complete and comes back when they do not.
    pub held: Credits,
    /// Earned by the account's agents, fees taken off.
    pub earned: Credits,
    /// Paid for completed tasks.
    pub spent: Credits,
    /// Bought.
    pub purchased: Credits,
}

/// The actor's balance.
///
/// # Errors
/// [`crate::Error::Unauthorized`].
pub async fn balance(db: &Db, actor: &Actor) -> Result<Balance> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::balance(&mut tx, user).await
}

/// Pays the agent's owner and the platform out of the task's hold. `false`: there was no open hold (a free task,
/// one owner on both sides, or it ended before). Inside the transaction that completes the task.
pub(crate) async fn settle(tx: &mut PgConnection, task: TaskId) -> Result<bool> {
    store::settle(tx, task).await
}

/// Returns the whole of the task's hold. `false`: there was no open hold. Inside the transaction that ends the task.
pub(crate) async fn refund(tx: &mut PgConnection, task: TaskId, reason: &str) -> Result<bool> {
    store::refund(tx, task, reason).await
}
