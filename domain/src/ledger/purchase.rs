//! Buying credits: what we offered, and crediting it once when it is paid.
//!
//! The row is written before the payment provider is asked, so that no paid session is ever unknown to us; what
//! is credited is what this row says, never what an event says.

use chrono::{DateTime, Utc};

use super::packages::Package;
use super::store;
use crate::{Actor, Credits, Db, Error, Missing, PurchaseId, Result, UserId};

/// A purchase.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// The purchase.
    pub id: PurchaseId,
    /// Who buys.
    pub user: UserId,
    /// The package's id.
    pub package: String,
    /// What will be credited.
    pub credits: Credits,
    /// The price in cents.
    pub amount_cents: i64,
    /// The currency, lower-case ISO 4217.
    pub currency: String,
    /// `open`, `paid` or `expired`.
    pub status: String,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
}

/// A paid checkout session as the provider's event tells it.
#[derive(Clone, Debug)]
pub struct PaidSession {
    /// The event's id; recorded together with its effect.
    pub event_id: String,
    /// The event's type.
    pub event_type: String,
    /// Our purchase (`client_reference_id`).
    pub purchase: PurchaseId,
    /// The checkout session's id.
    pub session_id: String,
    /// What was paid, in cents.
    pub amount_cents: i64,
    /// In which currency.
    pub currency: String,
}

/// What an event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credited {
    /// The credits are on the account now.
    Now,
    /// They were before; nothing changed.
    Before,
    /// No such purchase; nothing changed but that the event is known.
    Unknown,
    /// Another session, sum or currency than was offered; nothing was credited.
    Mismatch,
}

/// Begins a purchase of `package`.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn begin(db: &Db, actor: &Actor, package: &Package) -> Result<Purchase> {
    store::insert_purchase(db.pool(), actor.user()?, package).await
}

/// Notes which checkout session pays for a purchase.
///
/// # Errors
/// When the database does not answer.
pub async fn attach_session(db: &Db, purchase: PurchaseId, session_id: &str) -> Result<()> {
    store::attach_session(db.pool(), purchase, session_id).await
}

/// One of the actor's purchases.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs.
pub async fn find(db: &Db, actor: &Actor, purchase: PurchaseId) -> Result<Purchase> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::purchase(&mut tx, user, purchase).await?.ok_or(Error::NotFound(Missing::Purchase))
}

/// Credits a paid session, once. The event, the purchase and the ledger row are one transaction.
///
/// # Errors
/// When the database does not answer; then nothing was recorded and the provider will ask again.
pub async fn credit(db: &Db, paid: &PaidSession) -> Result<Credited> {
    store::credit_purchase(db.pool(), paid).await
}
