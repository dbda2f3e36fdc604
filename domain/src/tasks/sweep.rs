//! Deadlines by the clock, not when somebody looks.

use chrono::{DateTime, TimeDelta, Utc};

use super::{finish, store};
use crate::{Db, Result};

/// How long a question to the requester stays open. The deadline stands still meanwhile; this does not.
pub const ASKING_LIMIT: TimeDelta = TimeDelta::days(7);

/// Ends every task that is past its deadline, or whose requester left a question open for [`ASKING_LIMIT`]; answers with how
/// many. Safe from any number of processes.
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
