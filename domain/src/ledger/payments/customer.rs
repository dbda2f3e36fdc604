//! What the provider keeps for an account, and whom receipts are made out to.

use chrono::{DateTime, Utc};

use super::purchase::{BillingDetails, Purchase};
use super::{Provider, store};
use crate::{Actor, Db, Error, FieldError, Result, UserId};

/// The card that the provider keeps. Its number is never seen here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedCard {
    /// The provider's name for it.
    pub payment_method: String,
    /// `visa`, `mastercard`, …
    pub brand: String,
    /// Its last four digits.
    pub last4: String,
    /// `04/2030`
    pub expires: String,
}

/// The account at the provider.
///
/// # Errors
/// When the database does not answer.
pub async fn customer_id(db: &Db, user: UserId, provider: Provider) -> Result<Option<String>> {
    store::customer_id(db.pool(), user, provider).await
}

/// Keeps the account at the provider; the one that was kept first stays. Answers with it.
///
/// # Errors
/// When the database does not answer.
pub async fn keep_customer(db: &Db, user: UserId, provider: Provider, customer_id: &str) -> Result<String> {
    store::keep_customer(db.pool(), user, provider, customer_id).await
}

/// Keeps which card is saved (`None`: none any more).
///
/// # Errors
/// When the database does not answer.
pub async fn keep_card(db: &Db, user: UserId, provider: Provider, card: Option<&SavedCard>) -> Result<()> {
    store::keep_card(db.pool(), user, provider, card).await
}

/// Paid purchases whose buyer agreed that the card is kept, and whose card is not kept yet ([`card_kept`]). Each is put
/// off (30 s, then longer), so that processes share the work; after three days they are let be.
///
/// # Errors
/// When the database does not answer.
pub async fn due_cards(db: &Db, provider: Provider, now: DateTime<Utc>) -> Result<Vec<Purchase>> {
    store::due_cards(db.pool(), provider, now).await
}

/// Keeps the card that paid for a purchase, once: a card that its owner lets be forgotten later stays forgotten.
/// `None`: it was paid with nothing that can be kept.
///
/// # Errors
/// When the database does not answer.
pub async fn card_kept(db: &Db, purchase: &Purchase, card: Option<&SavedCard>) -> Result<()> {
    if card.is_some() {
        store::keep_card(db.pool(), purchase.user, purchase.provider, card).await?;
    }
    store::nothing_to_check(db.pool(), purchase.id).await
}

/// The actor's saved card.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn saved_card(db: &Db, actor: &Actor, provider: Provider) -> Result<Option<SavedCard>> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::saved_card(&mut tx, user, provider).await
}

/// Whom the actor's receipts are made out to.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn billing_details(db: &Db, actor: &Actor) -> Result<BillingDetails> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::billing_details(&mut tx, user).await
}

/// Changes whom the actor's next receipts are made out to. Receipts that exist stay as they are.
///
/// # Errors
/// [`Error::Validation`] of `name`, `address` or `tax_id`.
pub async fn set_billing_details(db: &Db, actor: &Actor, details: &BillingDetails) -> Result<()> {
    let user = actor.user()?;
    let limits = [("name", &details.name, 200), ("address", &details.address, 500), ("tax_id", &details.tax_id, 50)];
    let wrong: Vec<FieldError> = limits
        .iter()
        .filter(|(_, text, most)| text.chars().count() > *most)
        .map(|(field, _, most)| FieldError::new(*field, format!("has more than {most} characters")))
        .collect();
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let mut tx = db.begin(actor).await?;
    store::set_billing_details(&mut tx, user, details).await?;
    tx.commit().await?;
    Ok(())
}
