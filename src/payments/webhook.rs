//! Stripe's webhook: believed only when signed, answered 2xx only when its effect is committed.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::ledger::purchase::{self, Credited, PaidSession};
use serde_json::json;
use stripe_shared::{CheckoutSession, CheckoutSessionPaymentStatus};
use stripe_webhook::{Event, EventObject, Webhook, WebhookError};

use crate::state::AppState;
use crate::web::failure::ApiError;

/// Takes an event.
pub async fn receive(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(payload) = std::str::from_utf8(&body) else {
        return refused("the body is not UTF-8");
    };
    let Some(signature) = headers.get("stripe-signature").and_then(|v| v.to_str().ok()) else {
        return refused("the Stripe-Signature header is missing");
    };
    let event = match verified(&state, payload, signature) {
        Ok(event) => event,
        Err(WebhookError::BadParse(what)) => {
            tracing::error!(what, "a signed event could not be read");
            return refused("the event could not be read");
        }
        Err(WebhookError::BadTimestamp(_)) => return refused("the signature is too old"),
        Err(WebhookError::BadSignature | WebhookError::BadHeader(_) | WebhookError::BadKey) => {
            return refused("the signature is wrong");
        }
    };
    let session = match &event.data.object {
        // Paid later (a bank transfer): the second event says so.
        EventObject::CheckoutSessionCompleted(session) | EventObject::CheckoutSessionAsyncPaymentSucceeded(session) => {
            session
        }
        _ => return taken("ignored"),
    };
    if session.payment_status != CheckoutSessionPaymentStatus::Paid {
        return taken("not paid yet");
    }
    let Some(paid) = paid_session(&event, session) else {
        tracing::warn!(event = %event.id, "a paid session is not of a purchase of ours");
        return taken("not ours");
    };
    match purchase::credit(&state.db, &paid).await {
        Ok(Credited::Now) => taken("credited"),
        Ok(Credited::Before) => taken("credited before"),
        Ok(Credited::Unknown) => {
            tracing::warn!(event = %event.id, purchase = %paid.purchase, "a paid session names an unknown purchase");
            taken("not ours")
        }
        Ok(Credited::Mismatch) => {
            tracing::error!(event = %event.id, purchase = %paid.purchase, "a paid session is not what was offered; nothing was credited");
            taken("not as offered")
        }
        // Not recorded: Stripe will send it again.
        Err(error) => ApiError(error).into_response(),
    }
}

fn verified(state: &AppState, payload: &str, signature: &str) -> Result<Event, WebhookError> {
    let mut last = WebhookError::BadSignature;
    for secret in state.payments.webhook_secrets() {
        match Webhook::construct_event(payload, signature, &secret.0) {
            Ok(event) => return Ok(event),
            // Signed with another of our secrets, perhaps.
            Err(WebhookError::BadSignature) => {}
            Err(other) => last = other,
        }
    }
    Err(last)
}

fn paid_session(event: &Event, session: &CheckoutSession) -> Option<PaidSession> {
    Some(PaidSession {
        event_id: event.id.to_string(),
        event_type: event.type_.to_string(),
        purchase: session.client_reference_id.as_deref()?.parse().ok()?,
        session_id: session.id.to_string(),
        amount_cents: session.amount_total?,
        currency: session.currency.as_ref()?.to_string(),
    })
}

fn taken(what: &str) -> Response {
    (StatusCode::OK, Json(json!({ "data": { "received": true, "effect": what } }))).into_response()
}

fn refused(why: &str) -> Response {
    let body = json!({ "error": { "code": "VALIDATION_ERROR", "message": why, "details": null } });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
