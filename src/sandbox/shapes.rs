//! Objects in Stripe's shape: every member that its API always sends (API reference), so that Stripe's own clients read
//! them.

use chrono::Utc;
use domain::sandbox::Object;
use serde_json::{Value, json};
use uuid::Uuid;

/// A new id: `cus_sandbox_…`.
pub(super) fn fresh(prefix: &str) -> String {
    format!("{prefix}_sandbox_{}", Uuid::new_v4().simple())
}

fn object(kind: &str, id: &str, body: Value, hidden: Value) -> Object {
    Object { id: id.to_owned(), kind: kind.to_owned(), body, hidden, due_in: None }
}

/// Members that Stripe always sends and that are never set here.
fn unset(body: &mut Value, members: &[&str]) {
    for member in members {
        body[*member] = Value::Null;
    }
}

fn now() -> i64 {
    Utc::now().timestamp()
}

pub(super) fn customer(email: Option<String>, name: Option<String>, metadata: Value) -> Object {
    let id = fresh("cus");
    let body = json!({
        "id": id, "object": "customer", "livemode": false, "created": now(), "email": email, "name": name,
        "metadata": metadata, "balance": 0, "currency": null, "default_source": null, "delinquent": false,
        "description": null, "discount": null, "phone": null, "preferred_locales": [], "shipping": null,
        "address": null, "tax_exempt": "none", "test_clock": null,
        "invoice_settings": { "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null },
    });
    object("customer", &id, body, json!({}))
}

pub(super) fn payment_method(number: &str, customer: Option<&str>) -> Object {
    let id = fresh("pm");
    let last4 = number.get(number.len().saturating_sub(4)..).unwrap_or_default();
    let body = json!({
        "id": id, "object": "payment_method", "livemode": false, "created": now(), "type": "card", "customer": customer,
        "metadata": {}, "allow_redisplay": "unspecified",
        "billing_details": { "address": null, "email": null, "name": null, "phone": null, "tax_id": null },
        "card": { "brand": "visa", "checks": null, "country": "US", "display_brand": "visa", "exp_month": 4,
                  "exp_year": 2030, "fingerprint": null, "funding": "credit", "generated_from": null, "last4": last4,
                  "networks": null, "regulated_status": "unregulated", "three_d_secure_usage": { "supported": true },
                  "wallet": null },
    });
    object("payment_method", &id, body, json!({ "number": number }))
}

/// What a payment is for.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    pub cents: i64,
    pub currency: String,
    pub customer: Option<String>,
    pub metadata: Value,
    pub setup_future_usage: Option<String>,
}

pub(super) fn payment_intent(terms: &Terms) -> Object {
    let id = fresh("pi");
    let mut body = json!({
        "id": id, "object": "payment_intent", "livemode": false, "created": now(), "amount": terms.cents,
        "amount_capturable": 0, "amount_received": 0, "capture_method": "automatic_async",
        "confirmation_method": "automatic", "client_secret": format!("{id}_secret_{}", Uuid::new_v4().simple()),
        "currency": terms.currency, "customer": terms.customer, "metadata": terms.metadata,
        "setup_future_usage": terms.setup_future_usage, "payment_method_types": ["card"], "payment_method": null,
        "status": "requires_payment_method", "last_payment_error": null, "latest_charge": null, "next_action": null,
        "amount_details": { "tip": {} },
    });
    let members = [
        "application",
        "application_fee_amount",
        "automatic_payment_methods",
        "canceled_at",
        "cancellation_reason",
        "description",
        "on_behalf_of",
        "payment_method_configuration_details",
        "payment_method_options",
        "processing",
        "receipt_email",
        "review",
        "shipping",
        "source",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        "transfer_group",
    ];
    unset(&mut body, &members);
    object("payment_intent", &id, body, json!({}))
}

pub(super) fn charge(payment: &Value) -> Object {
    let id = fresh("ch");
    let mut body = json!({
        "id": id, "object": "charge", "livemode": false, "created": now(), "amount": payment["amount"],
        "amount_captured": payment["amount"], "amount_refunded": 0, "captured": true, "currency": payment["currency"],
        "customer": payment["customer"], "metadata": payment["metadata"], "paid": true, "disputed": false,
        "refunded": false, "status": "succeeded", "payment_intent": payment["id"],
        "payment_method": payment["payment_method"], "fraud_details": {},
        "billing_details": { "address": null, "email": null, "name": null, "phone": null, "tax_id": null },
    });
    let members = [
        "payment_method_details",
        "refunds",
        "application",
        "application_fee",
        "application_fee_amount",
        "balance_transaction",
        "calculated_statement_descriptor",
        "description",
        "failure_balance_transaction",
        "failure_code",
        "failure_message",
        "on_behalf_of",
        "outcome",
        "receipt_email",
        "receipt_number",
        "receipt_url",
        "review",
        "shipping",
        "source_transfer",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        "transfer_group",
    ];
    unset(&mut body, &members);
    object("charge", &id, body, json!({}))
}

pub(super) fn refund(charge: &Value, cents: i64, metadata: Value) -> Object {
    let id = fresh("re");
    let body = json!({
        "id": id, "object": "refund", "created": now(), "amount": cents, "currency": charge["currency"],
        "charge": charge["id"], "payment_intent": charge["payment_intent"], "metadata": metadata, "status": "succeeded",
        "reason": null, "receipt_number": null, "balance_transaction": null, "source_transfer_reversal": null,
        "transfer_reversal": null,
    });
    object("refund", &id, body, json!({}))
}

pub(super) fn dispute(charge: &Value) -> Object {
    let id = fresh("dp");
    let evidence: serde_json::Map<String, Value> = [("enhanced_evidence".to_owned(), json!({}))].into_iter().collect();
    let body = json!({
        "id": id, "object": "dispute", "livemode": false, "created": now(), "amount": charge["amount"],
        "currency": charge["currency"], "charge": charge["id"], "payment_intent": charge["payment_intent"],
        "metadata": {}, "reason": "general", "status": "needs_response", "is_charge_refundable": false,
        "balance_transactions": [], "enhanced_eligibility_types": [], "evidence": evidence,
        "evidence_details": { "due_by": null, "enhanced_eligibility": {}, "has_evidence": false, "past_due": false,
                              "submission_count": 0 },
    });
    object("dispute", &id, body, json!({}))
}

/// What a checkout session is opened for.
#[derive(Clone, Debug, Default)]
pub(super) struct Offer {
    pub terms: Terms,
    pub reference: Option<String>,
    pub email: Option<String>,
    pub product: String,
    pub success_url: String,
    pub cancel_url: String,
    /// What the session itself carries; `terms.metadata` goes to its payment.
    pub metadata: Value,
}

/// How long a session can be paid, in seconds.
pub(super) const SESSION_SECONDS: i32 = 86_400;

pub(super) fn session(offer: &Offer, page: impl FnOnce(&str) -> String) -> Object {
    let id = format!("cs_test_{}", Uuid::new_v4().simple());
    let created = now();
    let body = json!({
        "id": id, "object": "checkout.session", "livemode": false, "mode": "payment", "status": "open",
        "payment_status": "unpaid", "amount_subtotal": offer.terms.cents, "amount_total": offer.terms.cents,
        "currency": offer.terms.currency, "client_reference_id": offer.reference, "customer_email": offer.email,
        "customer": offer.terms.customer, "success_url": offer.success_url, "cancel_url": offer.cancel_url,
        "url": page(&id), "created": created, "expires_at": created + i64::from(SESSION_SECONDS),
        "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
        "custom_fields": [], "custom_text": { "after_submit": null, "shipping_address": null, "submit": null,
        "terms_of_service_acceptance": null }, "payment_method_types": ["card"], "shipping_options": [],
        "metadata": offer.metadata, "payment_intent": null, "locale": null,
    });
    let hidden = json!({
        "product": offer.product, "metadata": offer.terms.metadata,
        "setup_future_usage": offer.terms.setup_future_usage,
    });
    Object { due_in: Some(SESSION_SECONDS), ..object("checkout.session", &id, body, hidden) }
}

pub(super) fn event(id: &str, kind: &str, subject: &Value) -> Value {
    json!({
        "id": id, "object": "event", "api_version": stripe_shared::version::VERSION.as_str(), "created": now(), "livemode": false,
        "pending_webhooks": 1, "request": { "id": null, "idempotency_key": null }, "type": kind,
        "data": { "object": subject },
    })
}

/// A card error; with the payment that it is about it is what a declined charge answers.
pub(super) fn card_error(code: &str, decline: &str, message: &str, method: &Value) -> Value {
    json!({ "type": "card_error", "code": code, "decline_code": decline, "message": message, "payment_method": method })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stripe's own generated types, which know nothing of the sandbox.
    fn reads<T: miniserde::Deserialize>(body: &Value) {
        let read = miniserde::json::from_str::<T>(&body.to_string());
        assert!(read.is_ok(), "not in Stripe's shape: {body}");
    }

    #[test]
    fn stripes_own_types_read_every_object() {
        let terms = Terms {
            cents: 1000,
            currency: "usd".into(),
            customer: Some("cus_1".into()),
            metadata: json!({ "purchase_id": "p" }),
            setup_future_usage: Some("off_session".into()),
        };
        let offer = Offer { terms: terms.clone(), metadata: json!({}), ..Offer::default() };
        let mut payment = payment_intent(&terms).body;
        let method = payment_method("4000002500003155", None).body;
        payment["last_payment_error"] = card_error("authentication_required", "authentication_required", "no", &method);
        payment["next_action"] =
            json!({ "type": "redirect_to_url", "redirect_to_url": { "url": "http://a/", "return_url": "http://b/" } });
        let charge = charge(&payment).body;
        reads::<stripe_shared::Customer>(&customer(None, None, json!({})).body);
        reads::<stripe_shared::CheckoutSession>(&session(&offer, |_| "http://x/".into()).body);
        reads::<stripe_shared::PaymentMethod>(&method);
        reads::<stripe_shared::PaymentIntent>(&payment);
        reads::<stripe_shared::Charge>(&charge);
        reads::<stripe_shared::Refund>(&refund(&charge, 1, json!({})).body);
        reads::<stripe_shared::Event>(&event("evt_1", "charge.refunded", &charge));
        let mut error = payment["last_payment_error"].clone();
        error["payment_intent"] = payment.clone();
        reads::<stripe_shared::Error>(&json!({ "error": error }));
    }
}
