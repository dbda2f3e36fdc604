//! Stripe's webhook: believed only when signed, answered 2xx only when its effect is committed or there is none.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::ledger::payments::events::{self, Effect, EventId, News, PaymentEvent};
use domain::ledger::payments::purchase::{self, Purchase, PurchaseStatus};
use domain::ledger::payments::topup;
use domain::{Actor, Db, Error, PurchaseId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::api::{Intent, Session};
use super::news::{self, Payment};
use super::signature;
use crate::state::AppState;
use crate::web::failure::ApiError;

/// The members of an event that matter. Read by ourselves, because the generated types refuse a whole event when Stripe
/// adds a word to one of its enums, and a refused event is lost money.
#[derive(Debug, Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    /// Seconds since 1970.
    created: i64,
    data: EventData,
}

#[derive(Debug, Deserialize)]
struct EventData {
    object: Value,
}

/// `charge.refunded`
#[derive(Debug, Deserialize)]
struct Charge {
    id: String,
    payment_intent: Option<String>,
    amount_refunded: i64,
}

/// `charge.dispute.*`
#[derive(Debug, Deserialize)]
struct Dispute {
    id: String,
    payment_intent: Option<String>,
    amount: i64,
    status: String,
}

/// What an event asks for.
enum Wanted {
    Apply(News),
    /// The bank wants the owner of an automatic top-up.
    AskOwner(Box<Purchase>, String),
    /// Nothing; why.
    Nothing(&'static str),
}

/// Why an event has no effect that could be committed.
enum Trouble {
    /// It is signed, but not an event that can be read.
    Unreadable(serde_json::Error),
    /// The database does not answer.
    Database(Error),
}

impl From<serde_json::Error> for Trouble {
    fn from(error: serde_json::Error) -> Self {
        Trouble::Unreadable(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Database(error)
    }
}

/// Takes an event.
pub async fn receive(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(payload) = std::str::from_utf8(&body) else {
        return refused("the body is not UTF-8");
    };
    let Some(header) = headers.get("stripe-signature").and_then(|v| v.to_str().ok()) else {
        return refused("the Stripe-Signature header is missing");
    };
    if let Err(why) = signature::verify(header, &body, state.payments.webhook_secrets(), Utc::now()) {
        return refused(&why.to_string());
    }
    match take(&state, payload).await {
        Ok(effect) => {
            metrics::counter!("nexus_webhook_events_total", "effect" => effect).increment(1);
            (StatusCode::OK, Json(json!({ "data": { "received": true, "effect": effect } }))).into_response()
        }
        Err(Trouble::Unreadable(error)) => {
            tracing::error!(%error, "a signed event could not be read");
            refused("the event could not be read")
        }
        // Nothing was recorded: Stripe will send it again.
        Err(Trouble::Database(error)) => {
            metrics::counter!("nexus_webhook_events_total", "effect" => "failed").increment(1);
            ApiError(error).into_response()
        }
    }
}

async fn take(state: &AppState, payload: &str) -> Result<&'static str, Trouble> {
    let event: Event = serde_json::from_str(payload)?;
    let Some(as_of) = DateTime::from_timestamp(event.created, 0) else { return Ok("ignored") };
    let news = match wanted(&state.db, &event.kind, event.data.object).await? {
        Wanted::Apply(news) => news,
        Wanted::AskOwner(bought, intent) => {
            topup::needs_action(&state.db, &bought, &intent).await?;
            return Ok("noted");
        }
        Wanted::Nothing(why) => return Ok(why),
    };
    let paid = match &news {
        News::Paid { purchase, .. } => Some(*purchase),
        _ => None,
    };
    let told = PaymentEvent { event: Some(EventId { id: event.id.clone(), kind: event.kind }), as_of, news };
    let effect = events::apply(&state.db, &told).await?;
    match effect {
        Effect::Unknown => tracing::warn!(event = event.id, "an event names a purchase that is not ours"),
        Effect::Mismatch => {
            tracing::error!(event = event.id, "what was paid is not what was offered; nothing was credited");
        }
        Effect::Credited | Effect::Noted | Effect::Before => {}
    }
    if let (Effect::Credited, Some(purchase)) = (effect, paid) {
        // Stripe waits for the answer, and the credits are there: the card can follow.
        let (payments, db) = (state.payments.clone(), state.db.clone());
        tokio::spawn(async move { payments.keep_card_of(&db, purchase).await });
    }
    Ok(word(effect))
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Credited => "credited",
        Effect::Noted => "noted",
        Effect::Before => "known before",
        Effect::Unknown => "not ours",
        Effect::Mismatch => "not as offered",
    }
}

async fn wanted(db: &Db, kind: &str, object: Value) -> Result<Wanted, Trouble> {
    match kind {
        "checkout.session.completed"
        | "checkout.session.async_payment_succeeded"
        | "checkout.session.async_payment_failed"
        | "checkout.session.expired" => {
            let session: Session = read(object)?;
            let Some(purchase) = session.client_reference_id.as_deref().and_then(|id| id.parse().ok()) else {
                return Ok(Wanted::Nothing("not ours"));
            };
            Ok(if kind == "checkout.session.async_payment_failed" {
                let reason = "the bank did not make the payment".to_owned();
                Wanted::Apply(News::Failed { purchase, reason })
            } else {
                news::of_session(&session, purchase).map_or(Wanted::Nothing("ignored"), Wanted::Apply)
            })
        }
        // Of a payment page the session tells, and a declined try there is not the end.
        "payment_intent.succeeded"
        | "payment_intent.processing"
        | "payment_intent.payment_failed"
        | "payment_intent.canceled"
        | "payment_intent.requires_action" => {
            let intent: Intent = read(object)?;
            let id = intent.metadata.as_ref().and_then(|m| m.get("purchase_id")?.parse().ok());
            let Some(bought) = automatic(db, id).await? else { return Ok(Wanted::Nothing("ignored")) };
            Ok(match news::of_intent(&intent, bought.id) {
                Payment::News(news) => Wanted::Apply(news),
                Payment::NeedsOwner if bought.status == PurchaseStatus::Open => {
                    Wanted::AskOwner(Box::new(bought), intent.id)
                }
                Payment::NeedsOwner | Payment::Nothing => Wanted::Nothing("ignored"),
            })
        }
        "charge.refunded" => {
            let charge: Charge = read(object)?;
            Ok(match charge.payment_intent {
                Some(payment_intent) => Wanted::Apply(News::Refunded {
                    charge: charge.id,
                    payment_intent,
                    amount_cents: charge.amount_refunded,
                }),
                None => Wanted::Nothing("not ours"),
            })
        }
        "charge.dispute.created"
        | "charge.dispute.updated"
        | "charge.dispute.closed"
        | "charge.dispute.funds_withdrawn"
        | "charge.dispute.funds_reinstated" => {
            let dispute: Dispute = read(object)?;
            Ok(match dispute.payment_intent {
                Some(payment_intent) => Wanted::Apply(News::Dispute {
                    dispute: dispute.id,
                    payment_intent,
                    amount_cents: dispute.amount,
                    // A warning (an inquiry) moves no money, and neither does a dispute that was prevented.
                    stands: !dispute.status.starts_with("warning_")
                        && !matches!(dispute.status.as_str(), "won" | "prevented"),
                }),
                None => Wanted::Nothing("not ours"),
            })
        }
        _ => Ok(Wanted::Nothing("ignored")),
    }
}

fn read<T: DeserializeOwned>(object: Value) -> Result<T, Trouble> {
    Ok(serde_json::from_value(object)?)
}

/// The purchase, where it is an automatic one of ours.
async fn automatic(db: &Db, id: Option<PurchaseId>) -> Result<Option<Purchase>, Error> {
    let Some(id) = id else { return Ok(None) };
    match purchase::find(db, &Actor::System, id).await {
        Ok(bought) => Ok(Some(bought).filter(|p| p.automatic)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

fn refused(why: &str) -> Response {
    metrics::counter!("nexus_webhook_events_total", "effect" => "refused").increment(1);
    let body = json!({ "error": { "code": "VALIDATION_ERROR", "message": why, "details": null } });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
