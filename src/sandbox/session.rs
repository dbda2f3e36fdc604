//! A checkout session in Stripe's shape.

use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

/// What the client asked for, out of Stripe's bracketed form fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Wanted {
    pub reference: String,
    pub email: String,
    pub product: String,
    pub cents: i64,
    pub currency: String,
    pub success_url: String,
    pub cancel_url: String,
}

/// Reads the form of `POST /v1/checkout/sessions`.
///
/// # Errors
/// The name of the first parameter that is missing or wrong, as Stripe reports it.
pub(super) fn wanted(form: &[(String, String)]) -> Result<Wanted, &'static str> {
    let get = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default();
    let price = "line_items[0][price_data]";
    let wanted = Wanted {
        reference: get("client_reference_id"),
        email: get("customer_email"),
        product: get(&format!("{price}[product_data][name]")),
        cents: get(&format!("{price}[unit_amount]")).parse().map_err(|_| "line_items[0][price_data][unit_amount]")?,
        currency: get(&format!("{price}[currency]")),
        success_url: get("success_url"),
        cancel_url: get("cancel_url"),
    };
    if get("mode") != "payment" {
        return Err("mode");
    }
    if wanted.currency.is_empty() {
        return Err("line_items[0][price_data][currency]");
    }
    if !wanted.success_url.starts_with("http") {
        return Err("success_url");
    }
    Ok(wanted)
}

/// A new session: every member that Stripe's API always sends (API reference, "The Checkout Session object").
pub(super) fn session(id: &str, wanted: &Wanted, page: &str) -> Value {
    let now = Utc::now().timestamp();
    json!({
        "id": id, "object": "checkout.session", "livemode": false, "mode": "payment", "status": "open",
        "payment_status": "unpaid", "amount_subtotal": wanted.cents, "amount_total": wanted.cents,
        "currency": wanted.currency, "client_reference_id": wanted.reference, "customer_email": wanted.email,
        "success_url": wanted.success_url, "cancel_url": wanted.cancel_url, "url": page, "created": now,
        "expires_at": now + 86_400, "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
        "custom_fields": [], "custom_text": { "after_submit": null, "shipping_address": null, "submit": null,
        "terms_of_service_acceptance": null }, "payment_method_types": ["card"], "shipping_options": [],
        "metadata": { "product": wanted.product }, "customer": null, "payment_intent": null, "locale": null,
    })
}

/// The same session, paid.
pub(super) fn paid(mut session: Value) -> Value {
    session["status"] = json!("complete");
    session["payment_status"] = json!("paid");
    session["url"] = Value::Null;
    session["payment_intent"] = json!(format!("pi_sandbox_{}", Uuid::new_v4().simple()));
    session
}

/// The event that says so.
pub(super) fn completed_event(id: &str, session: &Value) -> Value {
    json!({
        "id": id, "object": "event", "api_version": null, "created": Utc::now().timestamp(), "livemode": false,
        "pending_webhooks": 1, "request": null, "type": "checkout.session.completed", "data": { "object": session },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stripes_form_is_read_and_faults_are_named() {
        let form = |drop: &str| -> Vec<(String, String)> {
            [
                ("mode", "payment"),
                ("client_reference_id", "p1"),
                ("line_items[0][price_data][currency]", "usd"),
                ("line_items[0][price_data][unit_amount]", "1000"),
                ("line_items[0][price_data][product_data][name]", "1,000.00 NEXUS credits"),
                ("success_url", "http://x.example/ok"),
            ]
            .iter()
            .filter(|(n, _)| *n != drop)
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect()
        };
        assert_eq!(wanted(&form("")).unwrap().cents, 1000);
        for missing in ["mode", "success_url", "line_items[0][price_data][unit_amount]"] {
            assert_eq!(wanted(&form(missing)), Err(missing));
        }
    }
}
