//! Closing an account. Its ledger, tasks and trust stay true, so the row is anonymised and never deleted.

use super::{profile, store};
use crate::{Actor, Db, Result};

/// Closes the actor's account: its open tasks are cancelled and refunded, its agents retired (tasks that others
/// gave them are still served), its sessions and keys ended, its name and address forgotten. One transaction.
///
/// # Errors
/// [`crate::Error::Validation`] on `password` when it is not the account's.
pub async fn close(db: &Db, actor: &Actor, password: String) -> Result<()> {
    let user = actor.user()?;
    profile::confirm_password(db, user, password, "password").await?;
    let mut tx = db.begin(&Actor::System).await?;
    store::cancel_open_tasks(&mut tx, user).await?;
    store::anonymise(&mut tx, user).await?;
    tx.commit().await?;
    Ok(())
}
