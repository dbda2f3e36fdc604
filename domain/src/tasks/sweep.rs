//! Deadlines by the clock, not when somebody looks.

use chrono::{DateTime, Utc};

use super::{finish, store};
use crate::{Db, Result};

/// Ends every task that is past its deadline; answers with how many. Safe from any number of processes.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<usize> {
    let overdue = store::overdue(db.pool(), now).await?;
    if overdue.is_empty() {
        return Ok(0);
    }
    finish::time_out(db, &overdue, now).await
}
