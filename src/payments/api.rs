//! Calls to the provider: the requests are the generated ones, of which the answers' few members that matter are read.
//!
//! The generated answers are strict: one new word in an enum that nobody here looks at makes a whole answer unreadable,
//! and with it a payment that was made.

use std::collections::HashMap;

use stripe::{ApiErrorsCode, ApiErrorsType, IdempotencyKey, RequestStrategy, StripeError, StripeRequest};

use super::{PaymentError, Payments};

/// Why a call failed, with what is known of the payment that it was about.
#[derive(Debug)]
pub(super) struct CallError {
    pub error: PaymentError,
    pub code: Option<ApiErrorsCode>,
    pub param: Option<String>,
    /// The payment that a declined charge made.
    pub payment_intent: Option<String>,
}

impl From<CallError> for PaymentError {
    fn from(failed: CallError) -> Self {
        failed.error
    }
}

impl Payments {
    /// Sends a request and reads of its answer what `T` names.
    pub(super) async fn ask<T: miniserde::Deserialize>(&self, request: &impl StripeRequest) -> Result<T, CallError> {
        request.build().customize::<T>().send(&self.inner.client).await.map_err(classify)
    }

    /// The same under an idempotency key (Stripe documentation, "Idempotent requests"): asked twice, done once.
    pub(super) async fn ask_once<T: miniserde::Deserialize>(
        &self,
        request: &impl StripeRequest,
        key: &str,
    ) -> Result<T, CallError> {
        let key = IdempotencyKey::new(key).map_err(|e| unreadable(e.to_string()))?;
        let strategy = RequestStrategy::Idempotent(key);
        request.build().customize::<T>().request_strategy(strategy).send(&self.inner.client).await.map_err(classify)
    }
}

fn unreadable(why: String) -> CallError {
    CallError { error: PaymentError::Provider(why), code: None, param: None, payment_intent: None }
}

/// Which refusals are for good (Stripe documentation, "Error handling"): what was asked is wrong or declined. A key that
/// is refused, a limit and trouble on the other side are not about what was asked.
fn classify(error: StripeError) -> CallError {
    let StripeError::Stripe(told, status) = error else { return unreadable(error.to_string()) };
    let message = told.message.clone().unwrap_or_else(|| format!("status {status}"));
    let error = match (status, &told.type_) {
        (401 | 403, _) => PaymentError::Setup(message),
        (409 | 424 | 429, _) => PaymentError::Provider(message),
        (400..=499, ApiErrorsType::CardError) => PaymentError::Declined(message),
        // Not for people: it speaks of parameters.
        (400..=499, _) => PaymentError::Declined(refused_sentence(told.code.as_ref(), &message)),
        _ => PaymentError::Provider(message),
    };
    CallError {
        error,
        code: told.code,
        param: told.param,
        payment_intent: told.payment_intent.map(|p| p.id.to_string()),
    }
}

fn refused_sentence(code: Option<&ApiErrorsCode>, message: &str) -> String {
    tracing::warn!(code = code.map(ApiErrorsCode::as_str), message, "the payment provider refused a call");
    match code {
        Some(ApiErrorsCode::ChargeAlreadyRefunded) => "the payment was refunded before".into(),
        _ => "the payment provider refused it".into(),
    }
}

/// What the metadata of everything that belongs to a purchase says.
pub(super) fn metadata(name: &str, value: &impl ToString) -> HashMap<String, String> {
    HashMap::from([(name.to_owned(), value.to_string())])
}

/// Anything with an id.
#[derive(Debug, miniserde::Deserialize, serde::Deserialize)]
pub(super) struct Named {
    pub id: String,
}

/// A checkout session, of an answer or of an event.
#[derive(Debug, miniserde::Deserialize, serde::Deserialize)]
pub(super) struct Session {
    pub id: String,
    pub url: Option<String>,
    /// `open`, `complete`, `expired`
    pub status: Option<String>,
    /// `paid`, `unpaid`, `no_payment_required`
    pub payment_status: Option<String>,
    pub client_reference_id: Option<String>,
    pub payment_intent: Option<String>,
    pub amount_total: Option<i64>,
    pub currency: Option<String>,
}

/// A payment, of an answer or of an event.
#[derive(Debug, miniserde::Deserialize, serde::Deserialize)]
pub(super) struct Intent {
    pub id: String,
    pub status: String,
    pub amount_received: Option<i64>,
    pub currency: Option<String>,
    pub metadata: Option<HashMap<String, String>>,
    pub payment_method: Option<String>,
    pub last_payment_error: Option<LastError>,
    pub next_action: Option<NextAction>,
}

/// Why the last try of a payment failed.
#[derive(Debug, miniserde::Deserialize, serde::Deserialize)]
pub(super) struct LastError {
    pub code: Option<String>,
    pub message: Option<String>,
    pub payment_method: Option<Named>,
}

/// What a payment waits for.
#[derive(Debug, miniserde::Deserialize, serde::Deserialize)]
pub(super) struct NextAction {
    pub redirect_to_url: Option<RedirectTo>,
}

/// Where its payer is to go.
#[derive(Debug, miniserde::Deserialize, serde::Deserialize)]
pub(super) struct RedirectTo {
    pub url: Option<String>,
}

/// A way of paying.
#[derive(Debug, miniserde::Deserialize)]
pub(super) struct Method {
    pub id: String,
    pub customer: Option<String>,
    pub card: Option<MethodCard>,
}

/// What may be known of a card.
#[derive(Debug, miniserde::Deserialize)]
pub(super) struct MethodCard {
    pub brand: String,
    pub last4: String,
    pub exp_month: i64,
    pub exp_year: i64,
}
