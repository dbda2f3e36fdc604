//! Payments: one client for Stripe, and for the sandbox that stands in for it.

pub mod webhook;

use std::sync::Arc;
use std::time::Duration;

use domain::ledger::packages::Package;
use domain::ledger::purchase::Purchase;
use stripe::{Client, ClientBuilder, IdempotencyKey, RequestStrategy, StripeRequest};
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsPriceData, ProductData,
};
use stripe_shared::CheckoutSessionMode;
use stripe_types::Currency;
use url::Url;

use crate::config::Secret;

/// Takes payments; cheap to clone.
#[derive(Clone)]
pub struct Payments {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    webhook_secrets: Vec<Secret>,
    public_url: Url,
    sandbox: Option<SandboxKeys>,
}

/// What the sandbox shares with its client.
#[derive(Clone, Debug)]
pub struct SandboxKeys {
    /// What its API wants to be called with.
    pub api_key: Secret,
    /// What it signs its webhooks with.
    pub webhook_secret: Secret,
}

/// A payment page that was opened.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The checkout session.
    pub session_id: String,
    /// Where the buyer pays.
    pub url: String,
}

/// Why a payment page could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// Stripe did not do what was asked, or could not be reached.
    #[error("the payment provider did not open a checkout: {0}")]
    Provider(String),
    /// The key or the address cannot be used.
    #[error("payments are not set up right: {0}")]
    Setup(String),
}

impl Payments {
    /// Payments at `api_base`, which is Stripe's, or the sandbox's when `sandbox` is given.
    ///
    /// # Errors
    /// [`PaymentError::Setup`].
    pub fn new(
        api_key: &Secret,
        api_base: &Url,
        webhook_secrets: Vec<Secret>,
        public_url: Url,
        sandbox: Option<SandboxKeys>,
    ) -> Result<Payments, PaymentError> {
        let client = ClientBuilder::new(&*api_key.0)
            .url(api_base.as_str())
            .timeout(Duration::from_secs(20))
            .build()
            .map_err(|e| PaymentError::Setup(e.to_string()))?;
        Ok(Payments { inner: Arc::new(Inner { client, webhook_secrets, public_url, sandbox }) })
    }

    /// Whether this is play money.
    pub fn is_sandbox(&self) -> bool {
        self.inner.sandbox.is_some()
    }

    /// What the sandbox shares with its client.
    pub fn sandbox(&self) -> Option<&SandboxKeys> {
        self.inner.sandbox.as_ref()
    }

    fn webhook_secrets(&self) -> &[Secret] {
        &self.inner.webhook_secrets
    }

    /// Opens the payment page of a purchase. Asked twice for one purchase, the provider answers with one session
    /// (idempotency key).
    ///
    /// # Errors
    /// [`PaymentError`].
    pub async fn open_checkout(
        &self,
        purchase: &Purchase,
        package: &Package,
        email: &str,
    ) -> Result<Checkout, PaymentError> {
        let back = |path: &str| {
            let mut url = self.inner.public_url.clone();
            url.set_path(path);
            url
        };
        let mut success = back("/credits/return");
        success.set_query(Some(&format!("purchase={}", purchase.id)));
        let price = CreateCheckoutSessionLineItemsPriceData {
            product_data: Some(ProductData::new(format!("{} NEXUS credits", package.credits().grouped()))),
            unit_amount: Some(purchase.amount_cents),
            ..CreateCheckoutSessionLineItemsPriceData::new(Currency::USD)
        };
        let item = CreateCheckoutSessionLineItems {
            price_data: Some(price),
            quantity: Some(1),
            ..CreateCheckoutSessionLineItems::new()
        };
        let key =
            IdempotencyKey::new(format!("checkout-{}", purchase.id)).map_err(|e| PaymentError::Setup(e.to_string()))?;
        let session = CreateCheckoutSession::new()
            .mode(CheckoutSessionMode::Payment)
            .client_reference_id(purchase.id.to_string())
            .customer_email(email)
            .line_items(vec![item])
            .success_url(success.as_str())
            .cancel_url(back("/credits").as_str())
            .customize()
            .request_strategy(RequestStrategy::Idempotent(key))
            .send(&self.inner.client)
            .await
            .map_err(|e| PaymentError::Provider(e.to_string()))?;
        let url = session.url.ok_or_else(|| PaymentError::Provider("the session has no page".into()))?;
        Ok(Checkout { session_id: session.id.to_string(), url })
    }
}
