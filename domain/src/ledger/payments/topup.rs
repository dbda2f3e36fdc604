//! Automatic top-up: when the balance falls below a threshold, a saved card buys more, within a monthly cap.
//!
//! A decline is told by mail at once and tried again later ([`backoff`]); after three it pauses until its owner turns it on
//! again. A card that wants its owner (3-D Secure) waits for them.

use chrono::{DateTime, Datelike, Days, Months, NaiveTime, TimeDelta, Utc};

use super::price;
use super::purchase::Purchase;
use super::{Provider, store};
use crate::{Actor, Credits, Db, Error, FieldError, PurchaseId, Result, Tx, UserId, accounts};

/// Declines after which it pauses.
pub const MOST_FAILURES: i32 = 3;

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopupState {
    /// Buys when the balance is below the threshold.
    Active,
    /// The bank wants the owner to confirm a payment.
    NeedsAction,
    /// Failed too often; waits for the owner.
    Paused,
    /// Turned off.
    Off,
}

impl TopupState {
    /// The database's word.
    pub fn as_str(self) -> &'static str {
        match self {
            TopupState::Active => "active",
            TopupState::NeedsAction => "needs_action",
            TopupState::Paused => "paused",
            TopupState::Off => "off",
        }
    }

    /// The state of a word of the database.
    pub fn parse(text: &str) -> Option<TopupState> {
        [TopupState::Active, TopupState::NeedsAction, TopupState::Paused, TopupState::Off]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

/// An account's automatic top-up.
#[derive(Clone, Debug)]
pub struct AutoTopup {
    /// Buys when the balance is below this.
    pub threshold: Credits,
    /// For this many cents.
    pub amount_cents: i64,
    /// At most this many cents in a calendar month (UTC).
    pub monthly_cap_cents: i64,
    /// Where it stands.
    pub state: TopupState,
    /// Declines in a row.
    pub failures: i32,
    /// Not before this.
    pub next_try_at: DateTime<Utc>,
    /// What went wrong last, for the owner.
    pub last_error: Option<String>,
    /// The purchase that waits for the owner, in [`TopupState::NeedsAction`].
    pub waiting: Option<PurchaseId>,
}

/// What an owner sets.
#[derive(Clone, Debug)]
pub struct TopupSettings {
    /// Buys when the balance is below this.
    pub threshold: Credits,
    /// For this many cents.
    pub amount_cents: i64,
    /// At most this many cents a month.
    pub monthly_cap_cents: i64,
}

/// A purchase that a saved card is to be charged for.
#[derive(Clone, Debug)]
pub struct DueTopup {
    /// The purchase; its id is the idempotency key.
    pub purchase: Purchase,
    /// The account at the provider.
    pub customer_id: String,
    /// The card.
    pub payment_method: String,
}

/// How long to wait after that many declines in a row: 1 hour, then a day.
pub fn backoff(failures: i32) -> TimeDelta {
    if failures <= 1 { TimeDelta::hours(1) } else { TimeDelta::days(1) }
}

/// The actor's automatic top-up.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn get(db: &Db, actor: &Actor) -> Result<Option<AutoTopup>> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::topup(&mut tx, user).await
}

/// Turns it on, or changes it. Also what takes a paused one up again.
///
/// # Errors
/// [`Error::Validation`] of `threshold`, `amount` or `monthly_cap`; [`Error::Conflict`] without a saved card.
pub async fn set(db: &Db, actor: &Actor, settings: &TopupSettings, provider: Provider) -> Result<()> {
    let user = actor.user()?;
    let mut wrong = Vec::new();
    if settings.threshold.is_negative() || settings.threshold > Credits::from_cents(100_000_000) {
        wrong.push(FieldError::new("threshold", "must be from 0 to 1,000,000"));
    }
    if price::credits_for(settings.amount_cents).is_err() {
        wrong.push(FieldError::new("amount", "must be from $5.00 to $10,000.00"));
    }
    if settings.monthly_cap_cents < settings.amount_cents {
        wrong.push(FieldError::new("monthly_cap", "must be at least one purchase"));
    }
    if settings.monthly_cap_cents > 100 * price::MOST_CENTS {
        wrong.push(FieldError::new("monthly_cap", "must be at most $1,000,000.00"));
    }
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let mut tx = db.begin(actor).await?;
    if store::saved_card(&mut tx, user, provider).await?.is_none() {
        return Err(Error::Conflict("save a card first: buy credits once with “keep this card” ticked".into()));
    }
    store::set_topup(&mut tx, user, settings).await?;
    tx.commit().await?;
    Ok(())
}

/// Turns it off. A purchase that waits for the owner is left to run out.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn turn_off(db: &Db, actor: &Actor) -> Result<()> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::turn_topup_off(&mut tx, user).await?;
    tx.commit().await?;
    Ok(())
}

/// Begins the purchases that are due, and answers with those to charge now. One that an earlier process began and did
/// not bring to an end is among them, with its own id, so that the provider is not asked for a second payment.
///
/// # Errors
/// When the database does not answer.
pub async fn due(db: &Db, provider: Provider, now: DateTime<Utc>) -> Result<Vec<DueTopup>> {
    let mut tx = db.begin(&Actor::System).await?;
    let mut out = Vec::new();
    for account in store::lock_due_topups(&mut tx, provider, now).await? {
        if let Some(purchase) = account.open {
            // Begun before; whoever holds it has ten minutes.
            store::put_off_topup(&mut tx, account.user, now + TimeDelta::minutes(10), None).await?;
            out.push(DueTopup { purchase, customer_id: account.customer_id, payment_method: account.payment_method });
            continue;
        }
        if account.bought_this_month + account.amount_cents > account.monthly_cap_cents {
            let next = next_month(now);
            let why = "the monthly cap is reached";
            store::put_off_topup(&mut tx, account.user, next, Some(why)).await?;
            let cap = price::dollars(account.monthly_cap_cents);
            let body = format!(
                "Your balance is below the threshold of your automatic top-up, but its cap of {cap} a month is reached. \
                 It goes on with the next month. You can raise the cap on your credits page."
            );
            let about = format!("topup-cap-{}-{}", account.user, now.format("%Y-%m"));
            accounts::queue_mail(&mut tx, account.user, &about, "Automatic top-up: monthly cap reached", &body).await?;
            continue;
        }
        let credits = price::credits_for(account.amount_cents)?;
        let new = store::NewPurchase {
            user: account.user,
            package: "amount",
            automatic: true,
            credits,
            cents: account.amount_cents,
            save_card: false,
            provider,
        };
        let purchase = store::insert_purchase(&mut tx, &new).await?;
        store::put_off_topup(&mut tx, account.user, now + TimeDelta::minutes(10), None).await?;
        out.push(DueTopup { purchase, customer_id: account.customer_id, payment_method: account.payment_method });
    }
    tx.commit().await?;
    Ok(out)
}

/// The card wants its owner: it waits, and the owner is told.
///
/// # Errors
/// When the database does not answer.
pub async fn needs_action(db: &Db, purchase: &Purchase, payment_intent: &str) -> Result<()> {
    let mut tx = db.begin(&Actor::System).await?;
    store::attach_payment(&mut *tx, purchase.id, payment_intent).await?;
    store::topup_needs_action(&mut tx, purchase.user).await?;
    let body = format!(
        "Your bank wants you to confirm the automatic purchase of {} credits for {}. Nothing was charged. \
         Open your credits page and choose “Confirm the payment”.",
        purchase.credits.grouped(),
        purchase.price()
    );
    let about = format!("topup-action-{}", purchase.id);
    accounts::queue_mail(&mut tx, purchase.user, &about, "Automatic top-up: please confirm the payment", &body).await?;
    tx.commit().await?;
    Ok(())
}

/// A top-up was paid: it starts afresh.
pub(super) async fn succeeded(tx: &mut Tx, user: UserId) -> Result<()> {
    store::topup_succeeded(tx, user).await
}

/// A top-up was declined: a mail at the first, a wait, a pause after the third.
pub(super) async fn declined(tx: &mut Tx, purchase: &Purchase, reason: &str, now: DateTime<Utc>) -> Result<()> {
    let Some(failures) = store::count_topup_failure(tx, purchase.user, reason, MOST_FAILURES).await? else {
        return Ok(());
    };
    store::put_off_topup(tx, purchase.user, now + backoff(failures), Some(reason)).await?;
    let (subject, then) = if failures >= MOST_FAILURES {
        ("Automatic top-up is paused", "It is paused now. Turn it on again on your credits page once the card works.")
    } else if failures == 1 {
        ("Automatic top-up was declined", "It is tried again in an hour, and pauses after three declines.")
    } else {
        return Ok(());
    };
    let body = format!(
        "The automatic purchase of {} credits for {} was declined: {reason}. Nothing was charged. {then}",
        purchase.credits.grouped(),
        purchase.price()
    );
    let about = format!("topup-declined-{}", purchase.id);
    accounts::queue_mail(tx, purchase.user, &about, subject, &body).await
}

/// The beginning of the next month, UTC.
fn next_month(now: DateTime<Utc>) -> DateTime<Utc> {
    let day = now.date_naive();
    let first = day.checked_sub_days(Days::new(u64::from(day.day0()))).unwrap_or(day);
    first.checked_add_months(Months::new(1)).unwrap_or(first).and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_on_the_first_and_waits_grow() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(next_month(at("2026-12-31T23:59:59Z")), at("2027-01-01T00:00:00Z"));
        assert_eq!(next_month(at("2026-01-31T12:00:00Z")), at("2026-02-01T00:00:00Z"));
        assert!(backoff(1) < backoff(2));
    }
}
