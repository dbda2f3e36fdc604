//! The payment page, and the account at the provider.

use chrono::Utc;
use domain::ledger::payments::purchase::{self, Purchase};
use domain::ledger::payments::{customer, events};
use domain::{Db, UserId};
use stripe::ApiErrorsCode;
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAdaptivePricing, CreateCheckoutSessionLineItems,
    CreateCheckoutSessionLineItemsPriceData, CreateCheckoutSessionPaymentIntentData,
    CreateCheckoutSessionPaymentIntentDataSetupFutureUsage as FutureUsage, ProductData,
};
use stripe_core::customer::CreateCustomer;
use stripe_shared::CheckoutSessionMode;
use stripe_types::Currency;

use super::api::{CallError, Named, Session, metadata};
use super::{Checkout, PaymentError, Payments};
use crate::cli::with_source;

impl Payments {
    /// Opens the payment page of a purchase. Asked twice for one purchase, the provider answers with one session
    /// (idempotency key).
    ///
    /// # Errors
    /// [`PaymentError`].
    pub async fn open_checkout(&self, db: &Db, purchase: &Purchase, email: &str) -> Result<Checkout, PaymentError> {
        let opened = self.open(db, purchase, email).await;
        let outcome = match &opened {
            Ok(_) => "opened",
            Err(PaymentError::Declined(_)) => "refused",
            Err(PaymentError::Provider(_) | PaymentError::Setup(_)) => "failed",
        };
        metrics::counter!("nexus_checkouts_total", "outcome" => outcome).increment(1);
        opened
    }

    /// The same for a purchase that was just begun; what came of it is kept with the purchase.
    ///
    /// # Errors
    /// When the database does not answer; within, [`PaymentError`].
    pub async fn begin_checkout(
        &self,
        db: &Db,
        purchase: &Purchase,
        email: &str,
    ) -> domain::Result<Result<Checkout, PaymentError>> {
        let opened = self.open_checkout(db, purchase, email).await;
        match &opened {
            Ok(checkout) => purchase::attach_session(db, purchase.id, &checkout.session_id, &checkout.url).await?,
            Err(PaymentError::Declined(reason)) => {
                events::refused(db, purchase, reason, Utc::now()).await?;
            }
            // Whether the provider opened it is not known: the purchase stays open, and the worker asks.
            Err(PaymentError::Provider(_) | PaymentError::Setup(_)) => {}
        }
        Ok(opened)
    }

    async fn open(&self, db: &Db, purchase: &Purchase, email: &str) -> Result<Checkout, PaymentError> {
        let customer = self.customer(db, purchase.user, email).await?;
        let key = format!("checkout-{}", purchase.id);
        let asked: Result<Session, CallError> =
            self.ask_once(&self.page(purchase).customer(customer.as_str()), &key).await;
        let session = match asked {
            // Somebody deleted the account at the provider: people can pay nevertheless.
            Err(CallError { code: Some(ApiErrorsCode::ResourceMissing), param: Some(param), .. })
                if param == "customer" =>
            {
                tracing::warn!(user = %purchase.user, "the account at the payment provider is gone there");
                let by_mail = CreateCheckoutSession::customer_email(self.page(purchase), email);
                self.ask_once::<Session>(&by_mail, &format!("{key}-by-mail")).await?
            }
            other => other?,
        };
        let url = session.url.ok_or_else(|| PaymentError::Provider("the session has no page".into()))?;
        Ok(Checkout { session_id: session.id, url })
    }

    fn page(&self, purchase: &Purchase) -> CreateCheckoutSession {
        let price = CreateCheckoutSessionLineItemsPriceData {
            product_data: Some(ProductData::new(format!("{} NEXUS credits", purchase.credits.grouped()))),
            unit_amount: Some(purchase.amount_cents),
            ..CreateCheckoutSessionLineItemsPriceData::new(Currency::USD)
        };
        let item = CreateCheckoutSessionLineItems {
            price_data: Some(price),
            quantity: Some(1),
            ..CreateCheckoutSessionLineItems::new()
        };
        let mut payment = CreateCheckoutSessionPaymentIntentData::new();
        payment.metadata = Some(metadata("purchase_id", &purchase.id));
        payment.setup_future_usage = purchase.save_card.then_some(FutureUsage::OffSession);
        CreateCheckoutSession::new()
            .mode(CheckoutSessionMode::Payment)
            .client_reference_id(purchase.id.to_string())
            .metadata(metadata("purchase_id", &purchase.id))
            .payment_intent_data(payment)
            .line_items(vec![item])
            // The sum that is paid is the sum that was offered, in its currency.
            .adaptive_pricing(CreateCheckoutSessionAdaptivePricing { enabled: Some(false) })
            .success_url(self.return_url(purchase.id, ""))
            .cancel_url(self.return_url(purchase.id, "&cancelled=1"))
    }

    /// The account at the provider, opened at the first purchase.
    async fn customer(&self, db: &Db, user: UserId, email: &str) -> Result<String, PaymentError> {
        let database = |e: domain::Error| PaymentError::Provider(with_source(&e));
        if let Some(known) = customer::customer_id(db, user, self.provider()).await.map_err(database)? {
            return Ok(known);
        }
        let request = CreateCustomer::new().email(email).metadata(metadata("user_id", &user));
        let made: Named = self.ask_once(&request, &format!("customer-{user}")).await?;
        customer::keep_customer(db, user, self.provider(), &made.id).await.map_err(database)
    }
}
