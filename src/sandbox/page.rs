//! The stand-in's payment page. Outside of the site's frame on purpose: it plays somebody else's site.

use axum::Form;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::sandbox::{self, Books, Object};
use serde_json::{Value, json};

use super::payment::{self, Charged};
use super::{bank_path, calls, cards, checkout_path, shapes};
use crate::state::AppState;
use crate::web::account_forms::{Fields, field};
use crate::web::failure::{log_if_ours, status_of};
use crate::web::visit::SignedIn;

/// What the bank's refusal says on this page.
pub(super) const REFUSED_BY_BANK: &str = "The bank did not confirm the payment. Please try another card.";

/// Shows the page.
pub async fn show(
    State(state): State<AppState>,
    _me: SignedIn,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Response {
    let found = match sandbox::object(&state.db, &id).await {
        Ok(found) => found,
        Err(error) => return broken(&error),
    };
    let wrong = (uri.query() == Some("bank=refused")).then_some(REFUSED_BY_BANK);
    match open_session(found) {
        Ok(session) => html(StatusCode::OK, &session, wrong),
        Err(elsewhere) => *elsewhere,
    }
}

/// Takes the play payment, declines it, or sends the buyer to the bank.
pub async fn pay(
    State(state): State<AppState>,
    _me: SignedIn,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    match charge(&state, &id, &fields).await {
        Ok(response) => response,
        Err(error) => broken(&error),
    }
}

async fn charge(state: &AppState, id: &str, fields: &Fields) -> domain::Result<Response> {
    let mut books = Books::open(&state.db).await?;
    let mut session = match open_session(books.get(id).await?) {
        Ok(session) => session,
        // Paid meanwhile, in another tab: the buyer goes where both lead.
        Err(elsewhere) => return Ok(*elsewhere),
    };
    let number: String = field(fields, "card").chars().filter(char::is_ascii_digit).collect();
    let Some(card) = cards::card(&number) else {
        let wrong = "This is not a test card. Take 4242 4242 4242 4242, or one of those below.";
        return Ok(html(StatusCode::PAYMENT_REQUIRED, &session, Some(wrong)));
    };
    let mut intent = match session.body["payment_intent"].as_str() {
        Some(intent) => books.get(intent).await?.unwrap_or_else(|| calls::payment_for(&session)),
        None => calls::payment_for(&session),
    };
    intent.hidden["fate"] = json!(field(fields, "webhook"));
    session.body["payment_intent"] = json!(intent.id);
    // Written before the payment, which completes it.
    session.due_in = Some(shapes::SESSION_SECONDS);
    books.put(&session).await?;
    let method = shapes::payment_method(&number, None);
    books.put(&method).await?;
    let mut bank = (*state.public_url).clone();
    bank.set_path(&bank_path(&intent.id));
    let back = text(&session.body, "success_url").to_owned();
    let charged = payment::charge(&mut books, &mut intent, &method, card, bank.as_str(), &back).await?;
    books.close().await?;
    Ok(match charged {
        Charged::Taken => Redirect::to(&back).into_response(),
        Charged::Asks(_) => Redirect::to(&bank_path(&intent.id)).into_response(),
        Charged::Declined(reason) => html(StatusCode::PAYMENT_REQUIRED, &session, Some(&reason)),
    })
}

/// Where the bank sends the payer of a session back to.
pub(super) fn after_bank(session: &Object, approved: bool) -> String {
    if approved {
        text(&session.body, "success_url").to_owned()
    } else {
        format!("{}?bank=refused", checkout_path(&session.id))
    }
}

pub(super) fn broken(error: &domain::Error) -> Response {
    log_if_ours(error);
    status_of(error).into_response()
}

/// The session, while it can be paid; else what is shown instead.
fn open_session(found: Option<Object>) -> Result<Object, Box<Response>> {
    let Some(session) = found.filter(|o| o.kind == "checkout.session") else {
        return Err(Box::new((StatusCode::NOT_FOUND, "There is no such checkout session.").into_response()));
    };
    let to = match text(&session.body, "status") {
        "open" => return Ok(session),
        "complete" => text(&session.body, "success_url"),
        _ => text(&session.body, "cancel_url"),
    };
    Err(Box::new(Redirect::to(to).into_response()))
}

pub(super) fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// `$40.00`
pub(super) fn price(cents: &Value) -> String {
    let cents = cents.as_i64().unwrap_or_default();
    format!("${}.{:02}", cents / 100, cents % 100)
}

fn html(status: StatusCode, session: &Object, wrong: Option<&str>) -> Response {
    let price = price(&session.body["amount_total"]);
    let error = wrong
        .map_or(String::new(), |w| format!(r#"<p class="field-error" id="card-error" role="alert">{}</p>"#, escape(w)));
    let described = if wrong.is_some() {
        r#" aria-invalid="true" aria-describedby="card-error card-hint""#
    } else {
        r#" aria-describedby="card-hint""#
    };
    let keeps = if session.hidden["setup_future_usage"].is_string() {
        r#"<p class="field-hint">You agreed that this card is kept for later purchases.</p>"#
    } else {
        ""
    };
    let offered: String =
        cards::ON_OFFER.iter().map(|(number, effect)| format!("<li>{number} {effect}.</li>")).collect();
    let body = format!(
        r#"<h1>Pay {price}</h1>
<p>{product}</p>
<form method="post" class="form">
<div class="field"><label for="card">Card number</label>
<input id="card" name="card" value="4242 4242 4242 4242" inputmode="numeric" autocomplete="off" required{described}>
<p class="field-hint" id="card-hint">4242 4242 4242 4242 is accepted; 4000 0000 0000 0002 is declined.</p>{error}{keeps}</div>
<details><summary>Try a failure</summary>
<p>Each of these cards does something else:</p>
<ul>{offered}</ul>
<div class="field"><label for="webhook">The message that tells NEXUS of the payment</label>
<select id="webhook" name="webhook"><option value="">arrives at once</option><option value="twice">arrives twice</option>
<option value="late">arrives after 20 seconds</option><option value="never">never arrives</option></select></div></details>
<div class="form-actions"><button type="submit" class="button button-primary">Pay {price}</button>
<a class="button button-quiet" href="{cancel}">Cancel</a></div>
</form>"#,
        product = escape(text(&session.hidden, "product")),
        cancel = escape(text(&session.body, "cancel_url")),
    );
    framed(status, "Sandbox checkout", &body)
}

/// A page of the stand-in.
pub(super) fn framed(status: StatusCode, title: &str, body: &str) -> Response {
    let page = format!(
        r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<link rel="stylesheet" href="/pkg/nexus.css"><link rel="icon" type="image/svg+xml" href="/favicon.svg"><script src="/theme.js"></script></head>
<body class="sandbox-page"><main id="main" class="sandbox-checkout">
<p class="sandbox-mark"><strong>Sandbox.</strong> This page plays the payment provider. No money moves and no card is charged.</p>
{body}</main></body></html>"#
    );
    let mut response = (status, Html(page)).into_response();
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
