//! Payments: one client for Stripe, and for the sandbox that stands in for it.
//!
//! | what | where |
//! |---|---|
//! | calls, and which refusals are for good | [`api`] |
//! | the payment page, and the account at the provider | [`checkout`] |
//! | money given back | [`refund`] |
//! | the saved card: kept, forgotten, charged, confirmed | [`saved_card`] |
//! | what the provider tells, as news for the ledger | [`news`] |
//! | events, believed only when signed | [`webhook`], [`signature`] |
//! | what no event told, asked for | [`reconcile`] |

mod api;
mod checkout;
mod news;
pub mod reconcile;
mod refund;
mod saved_card;
pub mod signature;
pub mod webhook;

use std::sync::Arc;
use std::time::Duration;

use domain::PurchaseId;
use domain::ledger::payments::Provider;
use stripe::{Client, ClientBuilder};
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

/// Why the provider did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// It could not be reached or is in trouble: worth asking again.
    #[error("the payment provider did not answer as it should: {0}")]
    Provider(String),
    /// The provider refused for good; the reason is for the buyer.
    #[error("{0}")]
    Declined(String),
    /// The key or the address cannot be used: worth asking again once that is mended.
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

    /// Who takes the money.
    pub fn provider(&self) -> Provider {
        if self.is_sandbox() { Provider::Sandbox } else { Provider::Stripe }
    }

    /// What the sandbox shares with its client.
    pub fn sandbox(&self) -> Option<&SandboxKeys> {
        self.inner.sandbox.as_ref()
    }

    fn webhook_secrets(&self) -> &[Secret] {
        &self.inner.webhook_secrets
    }

    /// Where a buyer comes back to.
    fn return_url(&self, purchase: PurchaseId, more: &str) -> String {
        let mut url = self.inner.public_url.clone();
        url.set_path("/credits/return");
        url.set_query(Some(&format!("purchase={purchase}{more}")));
        url.into()
    }
}
