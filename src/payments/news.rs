//! What the provider tells of sessions and payments, as news for the ledger; the same whether an event told it or we asked.

use domain::PurchaseId;
use domain::ledger::payments::events::News;

use super::api::{Intent, Session};

/// What a payment without a page says.
#[derive(Debug)]
pub(super) enum Payment {
    /// This happened.
    News(News),
    /// The bank wants the owner.
    NeedsOwner,
    /// Nothing that matters.
    Nothing,
}

/// What a session says of its purchase; `None`: it is still open, or was free.
pub(super) fn of_session(session: &Session, purchase: PurchaseId) -> Option<News> {
    match (session.status.as_deref(), session.payment_status.as_deref()) {
        (_, Some("paid")) => Some(News::Paid {
            purchase,
            session: Some(session.id.clone()),
            payment_intent: session.payment_intent.clone(),
            // Without them nothing matches what was offered, and nothing is credited.
            amount_cents: session.amount_total.unwrap_or_default(),
            currency: session.currency.clone().unwrap_or_default(),
        }),
        (Some("complete"), Some("unpaid")) => {
            Some(News::Processing { purchase, payment_intent: session.payment_intent.clone() })
        }
        (Some("expired"), _) => Some(News::Expired { purchase }),
        _ => None,
    }
}

/// What an automatic payment says of its purchase.
pub(super) fn of_intent(intent: &Intent, purchase: PurchaseId) -> Payment {
    let error = intent.last_payment_error.as_ref();
    match intent.status.as_str() {
        "succeeded" => Payment::News(News::Paid {
            purchase,
            session: None,
            payment_intent: Some(intent.id.clone()),
            amount_cents: intent.amount_received.unwrap_or_default(),
            currency: intent.currency.clone().unwrap_or_default(),
        }),
        "processing" => Payment::News(News::Processing { purchase, payment_intent: Some(intent.id.clone()) }),
        "canceled" => Payment::News(News::Failed { purchase, reason: "the payment was cancelled".into() }),
        "requires_action" => Payment::NeedsOwner,
        // A card that was declined only because its owner was not there.
        "requires_payment_method" if error.is_some_and(|e| e.code.as_deref() == Some("authentication_required")) => {
            Payment::NeedsOwner
        }
        "requires_payment_method" => match error {
            Some(error) => Payment::News(News::Failed { purchase, reason: reason(error.message.as_deref()) }),
            None => Payment::Nothing,
        },
        _ => Payment::Nothing,
    }
}

/// A provider's sentence in the middle of one of ours.
pub(super) fn reason(message: Option<&str>) -> String {
    let message = message.map(str::trim).filter(|m| !m.is_empty()).unwrap_or("the card was declined");
    let mut chars = message.trim_end_matches('.').chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(text: &str) -> Payment {
        of_intent(&serde_json::from_str(text).unwrap(), PurchaseId(uuid::Uuid::nil()))
    }

    #[test]
    fn a_payment_is_read_whatever_else_stands_in_it() {
        let paid =
            r#"{"id": "pi_1", "status": "succeeded", "amount_received": 1000, "currency": "usd", "new": {"x": [1]}}"#;
        assert!(matches!(intent(paid), Payment::News(News::Paid { amount_cents: 1000, .. })));
        let asks = r#"{"id": "pi_1", "status": "requires_payment_method", "last_payment_error": {"code": "authentication_required"}}"#;
        assert!(matches!(intent(asks), Payment::NeedsOwner));
        let declined = r#"{"id": "pi_1", "status": "requires_payment_method", "last_payment_error": {"code": "card_declined", "message": "Your card was declined."}}"#;
        assert!(
            matches!(intent(declined), Payment::News(News::Failed { reason, .. }) if reason == "your card was declined")
        );
        assert!(matches!(intent(r#"{"id": "pi_1", "status": "a_new_one"}"#), Payment::Nothing));
    }
}
