//! What happens to a payment: it is charged, waits for the bank, arrives late, is refunded, is disputed. Each change is
//! told by the events that Stripe would send.

use domain::Result;
use domain::sandbox::{Books, Fate, Object};
use serde_json::{Value, json};

use super::cards::Card;
use super::shapes;

/// Seconds until a slow payment arrives.
const SLOW_SECONDS: i32 = 3;

/// How a charge went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Charged {
    /// Paid, or on its way.
    Taken,
    /// The bank wants to ask the payer, at this address.
    Asks(String),
    /// Declined, with a sentence for people.
    Declined(String),
}

/// How webhooks of this payment are delivered, as its payer chose.
pub(super) fn fate(object: &Object) -> Fate {
    match object.hidden["fate"].as_str() {
        Some("twice") => Fate::Twice,
        Some("late") => Fate::Late,
        Some("never") => Fate::Never,
        _ => Fate::Prompt,
    }
}

pub(super) async fn tell(books: &mut Books, kind: &str, subject: &Object, fate: Fate) -> Result<()> {
    let id = shapes::fresh("evt");
    books.tell(&id, &shapes::event(&id, kind, &subject.body), fate).await
}

/// Charges a card for a payment. `bank` is where the bank would ask, `back` where it sends the payer afterwards.
pub(super) async fn charge(
    books: &mut Books,
    payment: &mut Object,
    method: &Object,
    card: Card,
    bank: &str,
    back: &str,
) -> Result<Charged> {
    payment.body["payment_method"] = json!(method.id);
    payment.body["next_action"] = Value::Null;
    payment.body["last_payment_error"] = Value::Null;
    match card {
        Card::Pays | Card::PaysOnlyHere => {
            succeed(books, payment).await?;
            Ok(Charged::Taken)
        }
        Card::Slow => {
            payment.body["status"] = json!("processing");
            payment.due_in = Some(SLOW_SECONDS);
            books.put(payment).await?;
            if let Some(mut session) = session_of(books, payment).await? {
                complete(&mut session, "unpaid");
                books.put(&session).await?;
                tell(books, "checkout.session.completed", &session, fate(payment)).await?;
            }
            Ok(Charged::Taken)
        }
        Card::Asks => {
            payment.body["status"] = json!("requires_action");
            payment.body["next_action"] =
                json!({ "type": "redirect_to_url", "redirect_to_url": { "url": bank, "return_url": back } });
            books.put(payment).await?;
            tell(books, "payment_intent.requires_action", payment, fate(payment)).await?;
            Ok(Charged::Asks(bank.to_owned()))
        }
        Card::Declined { code, decline, message } => {
            fail(books, payment, Some(method), code, decline, message).await?;
            Ok(Charged::Declined(message.to_owned()))
        }
    }
}

/// The money is there.
pub(super) async fn succeed(books: &mut Books, payment: &mut Object) -> Result<()> {
    let charge = shapes::charge(&payment.body);
    books.put(&charge).await?;
    payment.body["status"] = json!("succeeded");
    payment.body["amount_received"] = payment.body["amount"].clone();
    payment.body["latest_charge"] = json!(charge.id);
    payment.body["next_action"] = Value::Null;
    books.put(payment).await?;
    let keep = payment.body["setup_future_usage"].as_str() == Some("off_session");
    let method = payment.body["payment_method"].as_str().unwrap_or_default().to_owned();
    if keep && let Some(mut method) = books.get(&method).await? {
        method.body["customer"] = payment.body["customer"].clone();
        books.put(&method).await?;
    }
    tell(books, "payment_intent.succeeded", payment, fate(payment)).await?;
    if let Some(mut session) = session_of(books, payment).await? {
        let kind = match session.body["status"].as_str() {
            Some("complete") => "checkout.session.async_payment_succeeded",
            _ => "checkout.session.completed",
        };
        complete(&mut session, "paid");
        books.put(&session).await?;
        tell(books, kind, &session, fate(payment)).await?;
    }
    Ok(())
}

/// The money does not come; another card can still be tried.
pub(super) async fn fail(
    books: &mut Books,
    payment: &mut Object,
    method: Option<&Object>,
    code: &str,
    decline: &str,
    message: &str,
) -> Result<()> {
    let method = method.map_or(Value::Null, |m| m.body.clone());
    payment.body["status"] = json!("requires_payment_method");
    payment.body["payment_method"] = Value::Null;
    payment.body["next_action"] = Value::Null;
    payment.body["last_payment_error"] = shapes::card_error(code, decline, message, &method);
    books.put(payment).await?;
    tell(books, "payment_intent.payment_failed", payment, fate(payment)).await?;
    if let Some(session) = session_of(books, payment).await?
        && session.body["status"] == "complete"
    {
        tell(books, "checkout.session.async_payment_failed", &session, fate(payment)).await?;
    }
    Ok(())
}

/// Ends a payment that nobody made. `false`: it cannot end any more.
pub(super) async fn cancel(books: &mut Books, payment: &mut Object) -> Result<bool> {
    if !payment.body["status"].as_str().is_some_and(|s| s.starts_with("requires_")) {
        return Ok(false);
    }
    payment.body["status"] = json!("canceled");
    payment.body["canceled_at"] = json!(chrono::Utc::now().timestamp());
    payment.body["next_action"] = Value::Null;
    books.put(payment).await?;
    tell(books, "payment_intent.canceled", payment, fate(payment)).await?;
    Ok(true)
}

async fn session_of(books: &mut Books, payment: &Object) -> Result<Option<Object>> {
    match payment.hidden["session"].as_str() {
        Some(session) => books.get(session).await,
        None => Ok(None),
    }
}

fn complete(session: &mut Object, payment_status: &str) {
    session.body["status"] = json!("complete");
    session.body["payment_status"] = json!(payment_status);
    session.body["url"] = Value::Null;
}

/// Ends a session that nobody paid. `false`: it is not open.
pub(super) async fn expire(books: &mut Books, session: &mut Object) -> Result<bool> {
    if session.body["status"] != "open" {
        return Ok(false);
    }
    session.body["status"] = json!("expired");
    session.body["url"] = Value::Null;
    books.put(session).await?;
    tell(books, "checkout.session.expired", session, fate(session)).await?;
    Ok(true)
}

/// Something happens by itself: a slow payment arrives, a session runs out of time.
pub(super) async fn come_due(books: &mut Books, mut object: Object) -> Result<()> {
    if object.kind == "payment_intent" && object.body["status"] == "processing" {
        return succeed(books, &mut object).await;
    }
    if object.kind == "checkout.session" && expire(books, &mut object).await? {
        return Ok(());
    }
    // Whatever it was due for has happened already; written without a time it is not due again.
    books.put(&object).await
}

/// Gives money back. `Err` holds Stripe's code and a sentence.
pub(super) async fn refund(
    books: &mut Books,
    charge: &mut Object,
    cents: Option<i64>,
    metadata: Value,
) -> Result<std::result::Result<Object, (&'static str, &'static str)>> {
    let amount = charge.body["amount"].as_i64().unwrap_or_default();
    let before = charge.body["amount_refunded"].as_i64().unwrap_or_default();
    let cents = cents.unwrap_or(amount - before);
    if before == amount {
        return Ok(Err(("charge_already_refunded", "Charge has already been refunded.")));
    }
    if cents <= 0 || before + cents > amount {
        return Ok(Err(("amount_too_large", "Refund amount is greater than unrefunded amount on charge.")));
    }
    charge.body["amount_refunded"] = json!(before + cents);
    charge.body["refunded"] = json!(before + cents == amount);
    books.put(charge).await?;
    let refund = shapes::refund(&charge.body, cents, metadata);
    books.put(&refund).await?;
    tell(books, "charge.refunded", charge, Fate::Prompt).await?;
    Ok(Ok(refund))
}

/// Opens a dispute of a payment, or decides the one that is open.
pub(super) async fn dispute(books: &mut Books, charge: &mut Object, status: &str) -> Result<Object> {
    let payment = charge.body["payment_intent"].as_str().unwrap_or_default().to_owned();
    let mut dispute = match books.of_payment("dispute", &payment).await? {
        Some(dispute) => dispute,
        None => {
            charge.body["disputed"] = json!(true);
            books.put(charge).await?;
            let dispute = shapes::dispute(&charge.body);
            books.put(&dispute).await?;
            tell(books, "charge.dispute.created", &dispute, Fate::Prompt).await?;
            dispute
        }
    };
    if matches!(status, "won" | "lost") {
        dispute.body["status"] = json!(status);
        books.put(&dispute).await?;
        tell(books, "charge.dispute.closed", &dispute, Fate::Prompt).await?;
    }
    Ok(dispute)
}
