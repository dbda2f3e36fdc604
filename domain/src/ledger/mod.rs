//! The ledger: balances, holds, settlements, purchases. Reached through this module only.
//!
//! | rule (design section 5) | where |
//! |---|---|
//! | a grant of 1,000 at sign-up, once | `ledger.open_account` in the migrations, which sign-up calls |
//! | a paid task is held at once, within the account's limits, or there is no task | `economy.assign_task` in the migrations, which calls `ledger.hold` |
//! | exactly one of capture and return, once, many at a time | [`holds`] |
//! | rows are decided in order over locked balances | [`book`] |
//! | each row carries the hash of the one before it | [`chain`] |
//! | a purchase is credited once, with its event; refunds and disputes take it back | [`payments`] |
//! | a disputed price goes back into escrow, and out of it once | `ledger.escrow_dispute`, `ledger.resolve_dispute` in the migrations |
//! | the operator corrects against the platform's own account | [`adjust()`] |
//! | everything adds up | [`audit()`] |
//! | others' tools can check the books | [`export`] |

mod adjust;
mod audit;
mod book;
mod chain;
mod copy;
mod disputes;
mod entries;
pub mod export;
pub mod holds;
mod limits;
pub mod payments;
mod store;
mod usage;

use std::collections::HashSet;

use sqlx::PgConnection;

use crate::{Actor, Credits, Db, Result, UserId};

pub use adjust::adjust;
pub use audit::{AuditReport, Finding, KeptAudit, audit, audit_and_anchor, audit_in, last_audit};
pub use disputes::{Escrowed, collect_disputes, escrow_dispute, resolve_dispute};
pub use entries::{Entry, EntryFilter, EntryKind, entries};
pub use holds::{End, Hold, HoldEnd, end as end_holds, open_holds};
pub use limits::{SpendingLimits, limits, low_balance, set_limits, set_low_balance};
pub use usage::{PERIODS, UsageDay, usage};

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
    /// Bought, less what was taken back.
    pub purchased: Credits,
}

impl Balance {
    /// Available and held together.
    pub fn total(&self) -> Credits {
        self.available + self.held
    }
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

/// Which of these accounts have bought credits for at least $5 (500 credits) that were not taken back since. What is
/// earned or granted does not count: it costs nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn have_bought(tx: &mut PgConnection, users: &[UserId]) -> Result<HashSet<UserId>> {
    store::have_bought(tx, users).await
}
