//! What the provider tells us, and its effect: one transaction, once, in whatever order events arrive.

use chrono::{DateTime, Utc};

use super::purchase::{Purchase, PurchaseStatus};
use super::{store, topup};
use crate::fault;
use crate::{Actor, Db, PurchaseId, Result, Tx};

/// Something that the provider told, by an event or when it was asked.
#[derive(Clone, Debug)]
pub struct PaymentEvent {
    /// The event, recorded together with its effect; `None` when we asked.
    pub event: Option<EventId>,
    /// When the provider says that it was so.
    pub as_of: DateTime<Utc>,
    /// What happened.
    pub news: News,
}

/// An event's identity.
#[derive(Clone, Debug)]
pub struct EventId {
    /// The provider's id.
    pub id: String,
    /// The provider's type, such as `checkout.session.completed`.
    pub kind: String,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum News {
    /// A purchase was paid.
    Paid {
        /// Ours.
        purchase: PurchaseId,
        /// The checkout session, if it was paid in one.
        session: Option<String>,
        /// The payment.
        payment_intent: Option<String>,
        /// What was paid, in cents.
        amount_cents: i64,
        /// In which currency.
        currency: String,
    },
    /// The payment page was completed with a slow method; the money may still come or not.
    Processing {
        /// Ours.
        purchase: PurchaseId,
        /// The payment.
        payment_intent: Option<String>,
    },
    /// The payment failed.
    Failed {
        /// Ours.
        purchase: PurchaseId,
        /// Why, for the buyer.
        reason: String,
    },
    /// The payment page ran out of time.
    Expired {
        /// Ours.
        purchase: PurchaseId,
    },
    /// A charge was refunded, in all by this much.
    Refunded {
        /// The charge.
        charge: String,
        /// Its payment.
        payment_intent: String,
        /// In all, in cents.
        amount_cents: i64,
    },
    /// A payer disputes a payment, or the dispute was decided.
    Dispute {
        /// The dispute.
        dispute: String,
        /// The payment.
        payment_intent: String,
        /// The sum, in cents.
        amount_cents: i64,
        /// Whether it takes the money: open or lost, not won.
        stands: bool,
    },
}

/// What an event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The credits are on the account now.
    Credited,
    /// It changed something else (a status, credits taken back).
    Noted,
    /// It was known before; nothing changed.
    Before,
    /// It is of nothing of ours; nothing changed, and it was not recorded.
    Unknown,
    /// Another session, sum or currency than was offered; nothing was credited.
    Mismatch,
}

/// Takes what the provider told. When this returns, the effect is committed.
///
/// # Errors
/// When the database does not answer; then nothing was recorded and the provider will tell it again.
pub async fn apply(db: &Db, told: &PaymentEvent) -> Result<Effect> {
    let mut tx = db.begin(&Actor::System).await?;
    if let Some(event) = &told.event
        && store::event_is_known(&mut tx, &event.id).await?
    {
        return Ok(Effect::Before);
    }
    let effect = match &told.news {
        News::Paid { purchase, session, payment_intent, amount_cents, currency } => {
            let paid = Paid { session, payment_intent, amount_cents: *amount_cents, currency };
            credit(&mut tx, *purchase, &paid, told.as_of).await?
        }
        News::Processing { purchase, payment_intent } => match store::lock_purchase(&mut tx, *purchase).await? {
            None => Effect::Unknown,
            Some(p) if p.status == PurchaseStatus::Open => {
                store::set_processing(&mut tx, p.id, payment_intent.as_deref()).await?;
                Effect::Noted
            }
            Some(_) => Effect::Before,
        },
        News::Failed { purchase, reason } => end_unpaid(&mut tx, *purchase, "failed", Some(reason), told.as_of).await?,
        News::Expired { purchase } => end_unpaid(&mut tx, *purchase, "expired", None, told.as_of).await?,
        News::Refunded { charge, payment_intent, amount_cents } => {
            let reversal =
                store::Reversal { id: charge, kind: "refund", payment_intent, cents: *amount_cents, stands: true };
            reverse(&mut tx, &reversal, told.as_of).await?
        }
        News::Dispute { dispute, payment_intent, amount_cents, stands } => {
            let reversal =
                store::Reversal { id: dispute, kind: "dispute", payment_intent, cents: *amount_cents, stands: *stands };
            reverse(&mut tx, &reversal, told.as_of).await?
        }
    };
    if !matches!(effect, Effect::Credited | Effect::Noted) {
        // An event is recorded only together with its effect.
        return Ok(effect);
    }
    if let Some(event) = &told.event
        && !store::record_event(&mut tx, event).await?
    {
        // Another delivery of the same event was faster: its effect stands, ours is undone.
        return Ok(Effect::Before);
    }
    fault::point("purchase.before-commit");
    tx.commit().await?;
    fault::point("purchase.committed");
    Ok(effect)
}

struct Paid<'a> {
    session: &'a Option<String>,
    payment_intent: &'a Option<String>,
    amount_cents: i64,
    currency: &'a str,
}

async fn credit(tx: &mut Tx, id: PurchaseId, paid: &Paid<'_>, as_of: DateTime<Utc>) -> Result<Effect> {
    let Some(p) = store::lock_purchase(tx, id).await? else { return Ok(Effect::Unknown) };
    if p.status == PurchaseStatus::Paid {
        return Ok(Effect::Before);
    }
    let other = |ours: &Option<String>, theirs: &Option<String>| matches!((ours, theirs), (Some(a), Some(b)) if a != b);
    if p.amount_cents != paid.amount_cents
        || !p.currency.eq_ignore_ascii_case(paid.currency)
        || other(&p.session_id, paid.session)
        || (p.session_id.is_none() && other(&p.payment_intent, paid.payment_intent))
    {
        return Ok(Effect::Mismatch);
    }
    fault::point("purchase.locked");
    store::set_paid(tx, id, paid.session.as_deref(), paid.payment_intent.as_deref(), as_of).await?;
    fault::point("purchase.marked-paid");
    store::post_purchase(tx, &p, paid.session.as_deref().or(paid.payment_intent.as_deref())).await?;
    fault::point("purchase.posted");
    // A refund or dispute may have been told first.
    store::apply_reversals(tx, id).await?;
    store::collect_debt(tx, p.user).await?;
    if p.automatic {
        topup::succeeded(tx, p.user).await?;
    }
    Ok(Effect::Credited)
}

async fn end_unpaid(
    tx: &mut Tx,
    id: PurchaseId,
    status: &str,
    reason: Option<&String>,
    now: DateTime<Utc>,
) -> Result<Effect> {
    let Some(p) = store::lock_purchase(tx, id).await? else { return Ok(Effect::Unknown) };
    if !matches!(p.status, PurchaseStatus::Open | PurchaseStatus::Processing) {
        return Ok(Effect::Before);
    }
    store::end_unpaid(tx, id, status, reason.map(String::as_str)).await?;
    if p.automatic {
        topup::declined(tx, &p, reason.map_or("the payment was not completed", String::as_str), now).await?;
    }
    Ok(Effect::Noted)
}

async fn reverse(tx: &mut Tx, reversal: &store::Reversal<'_>, as_of: DateTime<Utc>) -> Result<Effect> {
    if !store::note_reversal(tx, reversal, as_of).await? {
        return Ok(Effect::Before);
    }
    // Where the purchase is not paid yet, crediting it will look for this.
    if let Some(purchase) = store::purchase_of_payment(tx, reversal.payment_intent).await? {
        store::apply_reversals(tx, purchase).await?;
    }
    Ok(Effect::Noted)
}

/// A checkout or payment that we asked for and that the provider refused at once: the purchase has failed.
///
/// # Errors
/// When the database does not answer.
pub async fn refused(db: &Db, purchase: &Purchase, reason: &str, now: DateTime<Utc>) -> Result<Effect> {
    let news = News::Failed { purchase: purchase.id, reason: reason.to_owned() };
    apply(db, &PaymentEvent { event: None, as_of: now, news }).await
}
