//! A purchase: what we offered, and what became of it.
//!
//! The row is written before the payment provider is asked, so that no paid session is ever unknown to us; what
//! is credited is what this row says, never what an event says.

use chrono::{DateTime, Utc};

use super::packages::Package;
use super::{Provider, price, store};
use crate::{Actor, Credits, Cursor, Db, Error, Missing, Page, PurchaseId, Result, UserId};

/// How far a purchase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurchaseStatus {
    /// Begun, not paid.
    Open,
    /// Paid by a slow method that is not confirmed yet.
    Processing,
    /// Paid and credited.
    Paid,
    /// The payment page ran out of time.
    Expired,
    /// The payment failed.
    Failed,
}

impl PurchaseStatus {
    /// All of them.
    pub const ALL: [PurchaseStatus; 5] = [
        PurchaseStatus::Open,
        PurchaseStatus::Processing,
        PurchaseStatus::Paid,
        PurchaseStatus::Expired,
        PurchaseStatus::Failed,
    ];

    /// The database's word.
    pub fn as_str(self) -> &'static str {
        match self {
            PurchaseStatus::Open => "open",
            PurchaseStatus::Processing => "processing",
            PurchaseStatus::Paid => "paid",
            PurchaseStatus::Expired => "expired",
            PurchaseStatus::Failed => "failed",
        }
    }

    /// The status of a word of the database.
    pub fn parse(text: &str) -> Option<PurchaseStatus> {
        PurchaseStatus::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// What is wanted: a package, or what a sum buys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// A package on sale.
    Package(&'static Package),
    /// This many US cents' worth, by [`price::credits_for`].
    Amount(i64),
}

impl Offer {
    /// Its name in `purchases.package`, its credits and its price in cents.
    pub(super) fn terms(self) -> Result<(&'static str, Credits, i64)> {
        match self {
            Offer::Package(p) => Ok((p.id, p.credits(), p.cents)),
            Offer::Amount(cents) => Ok(("amount", price::credits_for(cents)?, cents)),
        }
    }
}

/// A purchase.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// The purchase.
    pub id: PurchaseId,
    /// Who buys.
    pub user: UserId,
    /// Who takes the money.
    pub provider: Provider,
    /// Whether the program buys by itself (automatic top-up).
    pub automatic: bool,
    /// The package's id, or `amount`.
    pub package: String,
    /// What is credited when it is paid.
    pub credits: Credits,
    /// The price in cents.
    pub amount_cents: i64,
    /// The currency, lower-case ISO 4217.
    pub currency: String,
    /// How far it is.
    pub status: PurchaseStatus,
    /// Why it was not paid.
    pub failure: Option<String>,
    /// The checkout session, where one was opened.
    pub session_id: Option<String>,
    /// Where its buyer pays, where a checkout session was opened.
    pub checkout_url: Option<String>,
    /// The provider's payment, where it is known.
    pub payment_intent: Option<String>,
    /// Whether the buyer agreed that the card is kept.
    pub save_card: bool,
    /// Taken back after a refund or dispute.
    pub taken: Credits,
    /// What a refund or dispute could not take, because it was spent.
    pub owed: Credits,
    /// The number of its receipt, once paid.
    pub receipt_number: Option<i64>,
    /// Whom the receipt is made out to: name, address, tax id; as it was when it was paid.
    pub billing: BillingDetails,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
}

impl Purchase {
    /// `$40.00`
    pub fn price(&self) -> String {
        price::dollars(self.amount_cents)
    }

    /// The cents of the payment that these of its credits were bought with, to the nearest.
    pub fn cents_of(&self, credits: Credits) -> i64 {
        let (part, whole) = (i128::from(credits.cents()), i128::from(self.credits.cents().max(1)));
        i64::try_from((part * i128::from(self.amount_cents) * 2 + whole) / (whole * 2)).unwrap_or(0)
    }

    /// The credits that leave the balance when `cents` more of the payment go back: all that goes back then, rounded as the
    /// ledger rounds it (`ledger.apply_reversals`), less what went back before.
    pub fn credits_of(&self, cents: i64) -> Credits {
        let before = self.taken + self.owed;
        let all = i128::from(self.cents_of(before) + cents).min(i128::from(self.amount_cents));
        let (credits, amount) = (i128::from(self.credits.cents()), i128::from(self.amount_cents.max(1)));
        let rounded = (credits * all * 2 + amount) / (amount * 2);
        Credits::from_cents(i64::try_from(rounded).unwrap_or(0)) - before
    }

    /// The receipt's number as it is written: `NX-000042`.
    pub fn receipt(&self) -> Option<String> {
        self.receipt_number.map(|n| format!("NX-{n:06}"))
    }
}

/// Whom receipts are made out to; all of it optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillingDetails {
    /// A person or company.
    pub name: String,
    /// Lines of an address.
    pub address: String,
    /// A VAT or other tax number.
    pub tax_id: String,
}

/// Begins a purchase.
///
/// # Errors
/// [`Error::Unauthorized`]; [`Error::Validation`] of `amount`.
pub async fn begin(db: &Db, actor: &Actor, offer: Offer, save_card: bool, provider: Provider) -> Result<Purchase> {
    let user = actor.user()?;
    let (package, credits, cents) = offer.terms()?;
    let new = store::NewPurchase { user, package, automatic: false, credits, cents, save_card, provider };
    let mut tx = db.begin(&Actor::System).await?;
    let begun = store::insert_purchase(&mut tx, &new).await?;
    tx.commit().await?;
    Ok(begun)
}

/// Notes which checkout session pays for a purchase, and where its page is. The first stays.
///
/// # Errors
/// When the database does not answer.
pub async fn attach_session(db: &Db, purchase: PurchaseId, session_id: &str, url: &str) -> Result<()> {
    store::attach_session(db.pool(), purchase, session_id, url).await
}

/// Notes which payment pays for a purchase that has no session (an automatic one).
///
/// # Errors
/// When the database does not answer.
pub async fn attach_payment(db: &Db, purchase: PurchaseId, payment_intent: &str) -> Result<()> {
    store::attach_payment(db.pool(), purchase, payment_intent).await
}

/// One of the actor's purchases; the program itself finds any.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs.
pub async fn find(db: &Db, actor: &Actor, purchase: PurchaseId) -> Result<Purchase> {
    let user = match actor {
        Actor::System => None,
        other => Some(other.user()?),
    };
    let mut tx = db.begin(actor).await?;
    store::purchase(&mut tx, user, purchase).await?.ok_or(Error::NotFound(Missing::Purchase))
}

/// The actor's paid purchases, newest first: each has a receipt.
///
/// # Errors
/// [`Error::Unauthorized`]; [`Error::Validation`] for a cursor of another list.
pub async fn receipts(db: &Db, actor: &Actor, after: Option<&Cursor>, limit: usize) -> Result<Page<Purchase>> {
    let user = actor.user()?;
    let after = match after {
        Some(cursor) => {
            Some(cursor.key.parse::<i64>().map_err(|_| Error::field("cursor", "is not one that this list gave out"))?)
        }
        None => None,
    };
    let mut tx = db.begin(actor).await?;
    let rows = store::receipts(&mut tx, user, after, limit + 1).await?;
    Ok(Page::cut(rows, limit, |p| Cursor { key: p.receipt_number.unwrap_or_default().to_string(), id: p.id.0 }))
}

/// Purchases that the provider should be asked about, because nothing was heard of them for a while. Each is put off
/// (30 s, then longer, to 6 h), so that processes share the work; after three days they are let be.
///
/// # Errors
/// When the database does not answer.
pub async fn due_for_check(db: &Db, provider: Provider, now: DateTime<Utc>) -> Result<Vec<Purchase>> {
    store::due_for_check(db.pool(), provider, now).await
}
