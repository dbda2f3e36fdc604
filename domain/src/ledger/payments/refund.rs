//! Giving money back to a buyer who asks, for credits that were not spent.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::purchase::{Purchase, PurchaseStatus};
use super::store;
use crate::{Actor, Credits, Db, Error, Missing, PurchaseId, Result};

/// How long after paying a buyer may ask.
pub const PERIOD: TimeDelta = TimeDelta::days(14);

/// A refund that the provider is to make.
#[derive(Clone, Debug)]
pub struct RefundOrder {
    /// Ours; also the idempotency key.
    pub id: Uuid,
    /// The payment to give back.
    pub payment_intent: String,
    /// How much, in cents.
    pub amount_cents: i64,
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// The credits are taken; the provider is still to be asked.
    Ordered,
    /// The provider has taken it.
    Taken,
    /// The provider refused it for good, and the credits are back.
    Refused,
}

/// What of a purchase can be given back now: credits and cents.
///
/// # Errors
/// [`Error::Conflict`] with the reason, where nothing can.
pub fn refundable(purchase: &Purchase, available: Credits, now: DateTime<Utc>) -> Result<(Credits, i64)> {
    let (PurchaseStatus::Paid, Some(paid_at)) = (purchase.status, purchase.paid_at) else {
        return Err(Error::Conflict("this purchase was not paid".into()));
    };
    if now - paid_at > PERIOD {
        return Err(Error::Conflict(format!("a refund can be asked for within {} days of paying", PERIOD.num_days())));
    }
    let left = purchase.credits - purchase.taken - purchase.owed;
    let credits = left.min(available);
    // In cents, rounded down; then the credits that those cents stand for.
    let cents = i64::try_from(
        i128::from(credits.cents()) * i128::from(purchase.amount_cents) / i128::from(purchase.credits.cents().max(1)),
    )
    .unwrap_or(0);
    if cents == 0 {
        return Err(Error::Conflict("its credits are spent: nothing is left to refund".into()));
    }
    Ok((purchase.credits_of(cents), cents))
}

/// Takes the unspent credits of a purchase and orders the refund. The credits are gone before the provider is asked, so
/// that they cannot be spent meanwhile; if it refuses, they come back ([`failed`]). Answers with the order and those credits.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] as in [`refundable`].
pub async fn request(
    db: &Db,
    actor: &Actor,
    purchase: PurchaseId,
    now: DateTime<Utc>,
) -> Result<(RefundOrder, Credits)> {
    let user = actor.user()?;
    let mut tx = db.begin(&Actor::System).await?;
    let p = store::lock_purchase(&mut tx, purchase).await?.filter(|p| p.user == user);
    let p = p.ok_or(Error::NotFound(Missing::Purchase))?;
    let available = store::lock_balance(&mut tx, user).await?;
    let (credits, cents) = refundable(&p, available, now)?;
    let payment_intent =
        p.payment_intent.clone().ok_or_else(|| Error::Conflict("this purchase cannot be refunded here".into()))?;
    let order = RefundOrder { id: Uuid::now_v7(), payment_intent, amount_cents: cents };
    store::order_refund(&mut tx, &order, now).await?;
    store::apply_reversals(&mut tx, purchase).await?;
    tx.commit().await?;
    Ok((order, credits))
}

/// An order of the actor's, and how far it is.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs.
pub async fn find(db: &Db, actor: &Actor, order: Uuid) -> Result<(RefundOrder, OrderState)> {
    let user = actor.user()?;
    let mut tx = db.begin(&Actor::System).await?;
    let found = store::refund_order(&mut tx, user, order).await?;
    let (order, stands, to_ask) = found.ok_or(Error::NotFound(Missing::Purchase))?;
    let state = match (stands, to_ask) {
        (false, _) => OrderState::Refused,
        (true, true) => OrderState::Ordered,
        (true, false) => OrderState::Taken,
    };
    Ok((order, state))
}

/// The provider has taken the order.
///
/// # Errors
/// When the database does not answer.
pub async fn accepted(db: &Db, order: Uuid) -> Result<()> {
    store::refund_accepted(db.pool(), order).await
}

/// The provider refused for good: the credits come back.
///
/// # Errors
/// When the database does not answer.
pub async fn failed(db: &Db, order: Uuid, payment_intent: &str) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    store::refund_refused(&mut tx, order).await?;
    if let Some(purchase) = store::purchase_of_payment(&mut tx, payment_intent).await? {
        store::apply_reversals(&mut tx, purchase).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Orders that the provider has not taken yet (the program was stopped, or the provider away). Each is put off, so that
/// processes share the work.
///
/// # Errors
/// When the database does not answer.
pub async fn due(db: &Db, now: DateTime<Utc>) -> Result<Vec<RefundOrder>> {
    store::due_refunds(db.pool(), now).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserId;
    use crate::ledger::payments::Provider;
    use crate::ledger::payments::purchase::BillingDetails;

    #[test]
    fn a_refund_is_of_whole_cents_and_takes_the_credits_that_they_stand_for() {
        let begun = DateTime::UNIX_EPOCH;
        let mut pro = Purchase {
            id: PurchaseId(Uuid::nil()),
            user: UserId::PLATFORM,
            provider: Provider::Sandbox,
            automatic: false,
            package: "pro".into(),
            credits: Credits::from_cents(500_000),
            amount_cents: 4_000,
            currency: "usd".into(),
            status: PurchaseStatus::Paid,
            failure: None,
            session_id: None,
            checkout_url: None,
            payment_intent: None,
            save_card: false,
            taken: Credits::ZERO,
            owed: Credits::ZERO,
            receipt_number: Some(1),
            billing: BillingDetails::default(),
            created_at: begun,
            paid_at: Some(begun),
        };
        let offer = |p: &Purchase, available: i64| refundable(p, Credits::from_cents(available), begun);
        // 6.30 credits are left: 5 cents, and the 6.25 credits that they stand for.
        assert_eq!(offer(&pro, 630).unwrap(), (Credits::from_cents(625), 5));
        assert_eq!(offer(&pro, 1_000_000).unwrap(), (pro.credits, 4_000));
        assert!(offer(&pro, 100).is_err(), "less than a cent's worth");
        pro.taken = Credits::from_cents(625);
        assert_eq!(offer(&pro, 1_000_000).unwrap(), (Credits::from_cents(499_375), 3_995));
    }
}
