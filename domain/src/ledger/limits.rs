//! Limits that an account sets for its own spending. They are enforced where a hold is taken (`ledger.check_limits` in
//! the migrations), under the balance's lock.

use chrono::{DateTime, Utc};

use super::store;
use crate::{Actor, Credits, Db, Error, FieldError, Result};

/// An account's limits, and what it has spent against them. Spent is what was held and has not come back, also
/// by a dispute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpendingLimits {
    /// A day (UTC) at most; `None` is no limit.
    pub daily: Option<Credits>,
    /// A calendar month (UTC) at most; `None` is no limit.
    pub monthly: Option<Credits>,
    /// Spent today.
    pub spent_today: Credits,
    /// Spent this month.
    pub spent_this_month: Credits,
}

/// The actor's limits.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn limits(db: &Db, actor: &Actor, now: DateTime<Utc>) -> Result<SpendingLimits> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::limits(&mut tx, user, now.date_naive()).await
}

/// Below which available balance the actor wants to be told; `None`: never.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn low_balance(db: &Db, actor: &Actor) -> Result<Option<Credits>> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::low_balance(&mut tx, user).await
}

/// Sets below which available balance the actor is told, by mail, once a crossing.
///
/// # Errors
/// [`Error::Validation`] of `lowBalance`.
pub async fn set_low_balance(db: &Db, actor: &Actor, below: Option<Credits>) -> Result<()> {
    actor.user()?;
    let most = Credits::from_cents(100_000_000_000);
    if below.is_some_and(|b| !b.is_positive() || b > most) {
        return Err(Error::field("lowBalance", "must be above 0 and at most 1,000,000,000"));
    }
    let mut tx = db.begin(actor).await?;
    store::set_low_balance(&mut tx, below).await?;
    tx.commit().await?;
    Ok(())
}

/// Changes the actor's limits. Holds that were taken stay; the next one is measured.
///
/// # Errors
/// [`Error::Validation`] of `daily` or `monthly`.
pub async fn set_limits(db: &Db, actor: &Actor, daily: Option<Credits>, monthly: Option<Credits>) -> Result<()> {
    let user = actor.user()?;
    let most = Credits::from_cents(100_000_000_000);
    let wrong: Vec<FieldError> = [("daily", daily), ("monthly", monthly)]
        .into_iter()
        .filter(|(_, limit)| limit.is_some_and(|l| l.is_negative() || l > most))
        .map(|(field, _)| FieldError::new(field, "must be from 0 to 1,000,000,000"))
        .collect();
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let mut tx = db.begin(actor).await?;
    store::set_limits(&mut tx, user, daily, monthly).await?;
    tx.commit().await?;
    Ok(())
}
