//! What an account spent and earned, day by day.

use chrono::NaiveDate;

use super::store;
use crate::{Actor, Credits, Db, Result};

/// The periods that are offered, in days.
pub const PERIODS: [i32; 3] = [7, 30, 90];

/// One day (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageDay {
    /// The day.
    pub day: NaiveDate,
    /// Held for tasks on this day, less what came back on this day, from holds and from disputes.
    pub spent: Credits,
    /// Earned by the account's agents, fees taken off, less what disputes took into escrow on this day or took for good.
    pub earned: Credits,
}

/// The actor's last `days` days, oldest first, days without movement included.
///
/// # Errors
/// [`crate::Error::Unauthorized`].
pub async fn usage(db: &Db, actor: &Actor, days: i32, today: NaiveDate) -> Result<Vec<UsageDay>> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::usage(&mut tx, user, days.clamp(1, 366), today).await
}
