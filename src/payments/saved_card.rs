//! The saved card: kept after a purchase, charged for automatic top-ups, confirmed with the bank, forgotten.

use chrono::{DateTime, Utc};
use domain::ledger::payments::customer::{self, SavedCard};
use domain::ledger::payments::events::{self, PaymentEvent};
use domain::ledger::payments::purchase::{self, Purchase, PurchaseStatus};
use domain::ledger::payments::topup::{self, DueTopup};
use domain::{Actor, Db, PurchaseId, UserId};
use stripe::ApiErrorsCode;
use stripe_core::payment_intent::{
    ConfirmPaymentIntent, CreatePaymentIntent, CreatePaymentIntentOffSession, RetrievePaymentIntent,
};
use stripe_payment::payment_method::{DetachPaymentMethod, RetrievePaymentMethod};
use stripe_shared::PaymentIntentAllowedPaymentMethodTypes;
use stripe_types::Currency;

use super::api::{CallError, Intent, Method, Named, metadata};
use super::news::{self, Payment};
use super::{PaymentError, Payments};
use crate::cli::with_source;

impl Payments {
    /// Where the buyer confirms a payment that their bank asks about (3-D Secure). The bank sends them back to
    /// `/credits/return`; so does this, where nothing is left to confirm.
    ///
    /// # Errors
    /// [`PaymentError`]; [`PaymentError::Declined`] when the card is declined at this try.
    pub async fn confirmation_page(&self, purchase: &Purchase) -> Result<String, PaymentError> {
        let gone = || PaymentError::Declined("this purchase does not wait for a confirmation".into());
        let id = purchase.payment_intent.as_deref().ok_or_else(gone)?;
        let back = self.return_url(purchase.id, "");
        let mut intent = self.intent(id).await?;
        if intent.status == "requires_payment_method" || intent.status == "requires_confirmation" {
            // After an off-session decline the card stands in the error alone.
            let failed_with = intent.last_payment_error.as_ref().and_then(|e| e.payment_method.as_ref());
            let method = intent.payment_method.as_deref().or(failed_with.map(|m| m.id.as_str())).ok_or_else(gone)?;
            let request = ConfirmPaymentIntent::new(id).payment_method(method).return_url(back.as_str());
            intent = self.ask(&request).await?;
        }
        match intent.status.as_str() {
            "succeeded" | "processing" => Ok(back),
            "requires_action" => intent
                .next_action
                .and_then(|next| next.redirect_to_url?.url)
                .ok_or_else(|| PaymentError::Provider("the payment waits for something that is no page".into())),
            _ => Err(gone()),
        }
    }

    /// Lets the provider forget the saved card, and forgets it here.
    ///
    /// # Errors
    /// [`PaymentError`].
    pub async fn forget_card(&self, db: &Db, user: UserId) -> Result<(), PaymentError> {
        let database = |e: domain::Error| PaymentError::Provider(with_source(&e));
        let saved = customer::saved_card(db, &Actor::Session(user), self.provider()).await.map_err(database)?;
        let Some(card) = saved else { return Ok(()) };
        match self.ask::<Named>(&DetachPaymentMethod::new(card.payment_method.as_str())).await {
            Ok(_) => {}
            // It is not kept there any more: that is what was wanted.
            Err(CallError { error: PaymentError::Declined(why), .. }) => {
                tracing::info!(%user, why, "the saved card was gone at the payment provider");
            }
            Err(failed) => return Err(failed.into()),
        }
        customer::keep_card(db, user, self.provider(), None).await.map_err(database)
    }

    /// Keeps the card that paid for a purchase, where its buyer agreed. Failing, it is tried again by
    /// [`super::reconcile`].
    pub(super) async fn keep_card_of(&self, db: &Db, id: PurchaseId) {
        let kept = async {
            let bought = purchase::find(db, &Actor::System, id).await.map_err(|e| with_source(&e))?;
            let Some(intent) = bought.payment_intent.as_deref().filter(|_| bought.save_card) else { return Ok(()) };
            let intent = self.intent(intent).await.map_err(|e| e.error.to_string())?;
            let card = match intent.payment_method {
                Some(method) => {
                    let request = RetrievePaymentMethod::new(method.as_str());
                    let method: Method = self.ask(&request).await.map_err(|e: CallError| e.error.to_string())?;
                    // One that belongs to nobody cannot be charged again.
                    method.customer.as_ref().and(method.card).map(|card| SavedCard {
                        payment_method: method.id,
                        brand: card.brand,
                        last4: card.last4,
                        expires: format!("{:02}/{}", card.exp_month, card.exp_year),
                    })
                }
                None => None,
            };
            customer::card_kept(db, &bought, card.as_ref()).await.map_err(|e| with_source(&e))
        };
        if let Err(error) = kept.await {
            let error: String = error;
            tracing::warn!(purchase = %id, error, "the card of a purchase could not be kept yet");
        }
    }

    pub(super) async fn intent(&self, id: &str) -> Result<Intent, CallError> {
        self.ask(&RetrievePaymentIntent::new(id)).await
    }

    /// Charges the saved card for an automatic top-up. One that was begun before is looked at, not charged again; where
    /// the provider does not answer it is left, and is due again with the same idempotency key.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn charge(&self, db: &Db, due: &DueTopup, now: DateTime<Utc>) -> domain::Result<()> {
        let bought = &due.purchase;
        let asked = match bought.payment_intent.as_deref() {
            Some(known) => self.intent(known).await,
            None => {
                let request = CreatePaymentIntent::new(bought.amount_cents, Currency::USD)
                    .customer(due.customer_id.as_str())
                    .payment_method(due.payment_method.as_str())
                    .allowed_payment_method_types([PaymentIntentAllowedPaymentMethodTypes::Card])
                    .description(format!("{} NEXUS credits (automatic top-up)", bought.credits.grouped()))
                    .metadata(metadata("purchase_id", &bought.id))
                    .off_session(CreatePaymentIntentOffSession::Bool(true))
                    .confirm(true);
                self.ask_once(&request, &format!("topup-{}", bought.id)).await
            }
        };
        let outcome = match asked {
            Ok(intent) => self.take_payment(db, bought, &intent, now).await?,
            Err(failed) => {
                if let Some(intent) = &failed.payment_intent {
                    purchase::attach_payment(db, bought.id, intent).await?;
                }
                match (failed.error, failed.code, failed.payment_intent) {
                    (PaymentError::Declined(_), Some(ApiErrorsCode::AuthenticationRequired), Some(intent)) => {
                        topup::needs_action(db, bought, &intent).await?;
                        "needs_action"
                    }
                    (PaymentError::Declined(why), ..) => {
                        events::refused(db, bought, &news::reason(Some(&why)), now).await?;
                        "declined"
                    }
                    (error @ (PaymentError::Provider(_) | PaymentError::Setup(_)), ..) => {
                        tracing::warn!(purchase = %bought.id, %error, "an automatic top-up could not be charged yet");
                        "later"
                    }
                }
            }
        };
        metrics::counter!("nexus_topups_total", "outcome" => outcome).increment(1);
        Ok(())
    }

    /// What an automatic purchase's payment says, taken. Answers with a word for it.
    pub(super) async fn take_payment(
        &self,
        db: &Db,
        bought: &Purchase,
        intent: &Intent,
        now: DateTime<Utc>,
    ) -> domain::Result<&'static str> {
        purchase::attach_payment(db, bought.id, &intent.id).await?;
        match news::of_intent(intent, bought.id) {
            Payment::News(news) => {
                let outcome = match &news {
                    events::News::Paid { .. } => "paid",
                    events::News::Processing { .. } => "processing",
                    _ => "declined",
                };
                events::apply(db, &PaymentEvent { event: None, as_of: now, news }).await?;
                Ok(outcome)
            }
            Payment::NeedsOwner if bought.status == PurchaseStatus::Open => {
                topup::needs_action(db, bought, &intent.id).await?;
                Ok("needs_action")
            }
            Payment::NeedsOwner | Payment::Nothing => Ok("later"),
        }
    }
}
