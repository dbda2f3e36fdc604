//! What each call of the stand-in's API does.

use axum::http::StatusCode;
use domain::sandbox::{Books, Object};
use serde_json::{Value, json};

use super::api::Refusal;
use super::form::Form;
use super::payment::{self, Charged};
use super::shapes::{self, Offer, Terms};
use super::{bank_path, cards, checkout_path};

/// Does `POST /v1/{path}`; `None`: there is no such call. `page` makes addresses of the site.
pub(super) async fn run(
    books: &mut Books,
    path: &str,
    form: &Form,
    page: &(dyn Fn(&str) -> String + Sync),
) -> Result<Option<Value>, Refusal> {
    let segments: Vec<&str> = path.split('/').collect();
    Ok(Some(match segments[..] {
        ["customers"] => {
            kept(books, shapes::customer(form.get("email"), form.get("name"), form.members("metadata"))).await?
        }
        ["checkout", "sessions"] => create_session(books, form, page).await?,
        ["checkout", "sessions", id, "expire"] => {
            let mut session = object(books, "checkout.session", id, "session").await?;
            if !payment::expire(books, &mut session).await? {
                return Err(Refusal::state("resource_invalid", "Only Checkout Sessions that are open can be expired."));
            }
            session.body
        }
        ["payment_intents"] => create_payment(books, form, page).await?,
        ["payment_intents", id, "confirm"] => {
            let mut intent = object(books, "payment_intent", id, "intent").await?;
            confirm(books, &mut intent, form, page).await?
        }
        ["payment_intents", id, "cancel"] => {
            let mut intent = object(books, "payment_intent", id, "intent").await?;
            if !payment::cancel(books, &mut intent).await? {
                return Err(Refusal::state(
                    "payment_intent_unexpected_state",
                    "This PaymentIntent cannot be cancelled.",
                ));
            }
            intent.body
        }
        ["payment_methods", id, "detach"] => {
            let mut method = object(books, "payment_method", id, "payment_method").await?;
            if method.body["customer"].is_null() {
                return Err(Refusal::state(
                    "payment_method_not_attached",
                    "The payment method you provided is not attached to a customer so detachment is impossible.",
                ));
            }
            method.body["customer"] = Value::Null;
            kept(books, method).await?
        }
        ["refunds"] => create_refund(books, form).await?,
        _ => return Ok(None),
    }))
}

async fn kept(books: &mut Books, object: Object) -> Result<Value, Refusal> {
    books.put(&object).await?;
    Ok(object.body)
}

async fn object(books: &mut Books, kind: &str, id: &str, parameter: &str) -> Result<Object, Refusal> {
    match books.get(id).await? {
        Some(object) if object.kind == kind => Ok(object),
        _ => Err(Refusal::missing(kind, id, parameter)),
    }
}

/// The charge that paid a payment.
pub(super) async fn charge_of(books: &mut Books, payment: &str) -> Result<Object, Refusal> {
    let intent = object(books, "payment_intent", payment, "payment_intent").await?;
    match intent.body["latest_charge"].as_str() {
        Some(charge) => object(books, "charge", charge, "charge").await,
        None => Err(Refusal::state(
            "payment_intent_unexpected_state",
            "This PaymentIntent does not have a successful charge to refund.",
        )),
    }
}

async fn customer(books: &mut Books, form: &Form) -> Result<Option<String>, Refusal> {
    let Some(id) = form.get("customer") else { return Ok(None) };
    object(books, "customer", &id, "customer").await.map(|c| Some(c.id))
}

async fn create_session(
    books: &mut Books,
    form: &Form,
    page: &(dyn Fn(&str) -> String + Sync),
) -> Result<Value, Refusal> {
    let offer = offer(books, form).await?;
    kept(books, shapes::session(&offer, |id| page(&checkout_path(id)))).await
}

async fn offer(books: &mut Books, form: &Form) -> Result<Offer, Refusal> {
    let price = "line_items[0][price_data]";
    let wanted = |name: &str| form.get(name).ok_or_else(|| Refusal::parameter(name));
    if form.get("mode").as_deref() != Some("payment") {
        return Err(Refusal::parameter("mode"));
    }
    let address = |name: &str| match form.get(name) {
        Some(url) if url.starts_with("http") => Ok(url),
        _ => Err(Refusal::parameter(name)),
    };
    let amount = format!("{price}[unit_amount]");
    Ok(Offer {
        terms: Terms {
            cents: form.cents(&amount).ok_or_else(|| Refusal::parameter(&amount))?,
            currency: wanted(&format!("{price}[currency]"))?,
            customer: customer(books, form).await?,
            metadata: form.members("payment_intent_data[metadata]"),
            setup_future_usage: form.get("payment_intent_data[setup_future_usage]"),
        },
        reference: form.get("client_reference_id"),
        email: form.get("customer_email"),
        product: form.get(&format!("{price}[product_data][name]")).unwrap_or_default(),
        success_url: address("success_url")?,
        cancel_url: address("cancel_url")?,
        metadata: form.members("metadata"),
    })
}

async fn create_payment(
    books: &mut Books,
    form: &Form,
    page: &(dyn Fn(&str) -> String + Sync),
) -> Result<Value, Refusal> {
    let terms = Terms {
        cents: form.cents("amount").ok_or_else(|| Refusal::parameter("amount"))?,
        currency: form.get("currency").ok_or_else(|| Refusal::parameter("currency"))?,
        customer: customer(books, form).await?,
        metadata: form.members("metadata"),
        setup_future_usage: form.get("setup_future_usage"),
    };
    let mut intent = shapes::payment_intent(&terms);
    if form.flag("confirm") {
        return confirm(books, &mut intent, form, page).await;
    }
    kept(books, intent).await
}

async fn confirm(
    books: &mut Books,
    intent: &mut Object,
    form: &Form,
    page: &(dyn Fn(&str) -> String + Sync),
) -> Result<Value, Refusal> {
    if !matches!(
        intent.body["status"].as_str(),
        Some("requires_payment_method" | "requires_confirmation" | "requires_action")
    ) {
        return Err(Refusal::state(
            "payment_intent_unexpected_state",
            "This PaymentIntent cannot be confirmed any more.",
        ));
    }
    let method = form.get("payment_method").ok_or_else(|| Refusal::parameter("payment_method"))?;
    let method = object(books, "payment_method", &method, "payment_method").await?;
    if method.body["customer"] != intent.body["customer"] || method.body["customer"].is_null() {
        return Err(Refusal::state(
            "payment_method_unexpected_state",
            "The payment method does not belong to the customer of this PaymentIntent.",
        ));
    }
    let number = method.hidden["number"].as_str().unwrap_or_default();
    let card = cards::card(number).ok_or_else(|| Refusal::parameter("payment_method"))?;
    let card = if form.flag("off_session") { card.off_session() } else { card };
    let back = form.get("return_url").unwrap_or_default();
    let bank = page(&bank_path(&intent.id));
    match payment::charge(books, intent, &method, card, &bank, &back).await? {
        Charged::Taken | Charged::Asks(_) => Ok(intent.body.clone()),
        Charged::Declined(_) => {
            // Stripe puts the payment into the error, so that its id is known.
            let mut error = intent.body["last_payment_error"].clone();
            error["payment_intent"] = intent.body.clone();
            Err(Refusal::Stripe(StatusCode::PAYMENT_REQUIRED, error))
        }
    }
}

async fn create_refund(books: &mut Books, form: &Form) -> Result<Value, Refusal> {
    let mut charge = match (form.get("payment_intent"), form.get("charge")) {
        (Some(payment), _) => charge_of(books, &payment).await?,
        (None, Some(charge)) => object(books, "charge", &charge, "charge").await?,
        (None, None) => return Err(Refusal::parameter("payment_intent")),
    };
    let cents = match form.get("amount") {
        Some(_) => Some(form.cents("amount").ok_or_else(|| Refusal::parameter("amount"))?),
        None => None,
    };
    match payment::refund(books, &mut charge, cents, form.members("metadata")).await? {
        Ok(refund) => Ok(refund.body),
        Err((code, message)) => Err(Refusal::state(code, message)),
    }
}

/// A payment for a session, made at the first try.
pub(super) fn payment_for(session: &Object) -> Object {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mut intent = shapes::payment_intent(&Terms {
        cents: session.body["amount_total"].as_i64().unwrap_or_default(),
        currency: text(&session.body["currency"]).unwrap_or_default(),
        customer: text(&session.body["customer"]),
        metadata: session.hidden["metadata"].clone(),
        setup_future_usage: text(&session.hidden["setup_future_usage"]),
    });
    intent.hidden["session"] = json!(session.id);
    intent
}
