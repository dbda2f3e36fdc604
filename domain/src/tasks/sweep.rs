//! Deadlines by the clock, not when somebody looks.

use chrono::{DateTime, Utc};

use super::{finish, store};
use crate::{Db, Result};

/// Ends every task that is past its deadline; answers with how many. Safe from any number of processes.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<usize> {
    let mut ended = 0;
    for id in store::overdue(db.pool(), now).await? {
        if finish::time_out(db, id, now).await? {
            ended += 1;
        }
    }
    Ok(ended)
}
