//! The stand-in's payment page. Outside of the site's frame on purpose: it plays somebody else's site.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::sandbox::{self, Delivery};
use serde_json::Value;
use uuid::Uuid;

use super::session;
use crate::state::AppState;
use crate::web::account_forms::{Fields, field};
use crate::web::failure::{log_if_ours, status_of};
use crate::web::visit::SignedIn;

/// Shows the page.
pub async fn show(State(state): State<AppState>, _me: SignedIn, Path(id): Path<String>) -> Response {
    match open_session(&state, &id).await {
        Ok(session) => html(StatusCode::OK, &session, None),
        Err(response) => response,
    }
}

/// Takes the play payment, or declines it.
pub async fn pay(
    State(state): State<AppState>,
    _me: SignedIn,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let open = match open_session(&state, &id).await {
        Ok(session) => session,
        Err(response) => return response,
    };
    let number: String = field(&fields, "card").chars().filter(char::is_ascii_digit).collect();
    if let Some(reason) = declined(&number) {
        return html(StatusCode::PAYMENT_REQUIRED, &open, Some(reason));
    }
    let paid = session::paid(open.clone());
    let event_id = format!("evt_sandbox_{}", Uuid::new_v4().simple());
    let payload = session::completed_event(&event_id, &paid).to_string();
    let delivery = Delivery { event_id, payload, attempts: 0 };
    match sandbox::pay(&state.db, &id, &paid, &delivery).await {
        // Paid meanwhile, in another tab: the buyer goes where both lead.
        Ok(true | false) => Redirect::to(text(&open, "success_url")).into_response(),
        Err(error) => {
            log_if_ours(&error);
            status_of(&error).into_response()
        }
    }
}

/// Stripe's test cards (documentation, "Testing"), as far as they mean something here.
fn declined(number: &str) -> Option<&'static str> {
    match number {
        "4242424242424242" => None,
        "4000000000000002" => Some("The card was declined."),
        "4000000000009995" => Some("The card was declined: insufficient funds."),
        "4000000000000069" => Some("The card was declined: it has expired."),
        _ => Some("This is not a test card. Take 4242 4242 4242 4242, or 4000 0000 0000 0002 to see a decline."),
    }
}

async fn open_session(state: &AppState, id: &str) -> Result<Value, Response> {
    match sandbox::session(&state.db, id).await {
        Ok(Some(session)) if text(&session, "status") == "open" => Ok(session),
        Ok(Some(session)) => Err(Redirect::to(text(&session, "success_url")).into_response()),
        Ok(None) => Err((StatusCode::NOT_FOUND, "There is no such checkout session.").into_response()),
        Err(error) => {
            log_if_ours(&error);
            Err(status_of(&error).into_response())
        }
    }
}

fn text<'a>(session: &'a Value, key: &str) -> &'a str {
    session.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn html(status: StatusCode, session: &Value, wrong: Option<&str>) -> Response {
    let cents = session.get("amount_total").and_then(Value::as_i64).unwrap_or_default();
    let product = session.get("metadata").map(|m| text(m, "product")).unwrap_or_default();
    let error = wrong
        .map_or(String::new(), |w| format!(r#"<p class="field-error" id="card-error" role="alert">{}</p>"#, escape(w)));
    let described = if wrong.is_some() { r#" aria-invalid="true" aria-describedby="card-error""# } else { "" };
    let page = format!(
        r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Sandbox checkout</title>
<link rel="stylesheet" href="/pkg/nexus.css"><link rel="icon" type="image/svg+xml" href="/favicon.svg"><script src="/theme.js"></script></head>
<body class="sandbox-page"><main id="main" class="sandbox-checkout">
<p class="sandbox-mark"><strong>Sandbox.</strong> This page plays the payment provider. No money moves and no card is charged.</p>
<h1>Pay ${}.{:02}</h1>
<p>{}</p>
<form method="post" class="form">
<div class="field"><label for="card">Card number</label>
<input id="card" name="card" value="4242 4242 4242 4242" inputmode="numeric" autocomplete="off" required{described}>
<p class="field-hint">4242 4242 4242 4242 is accepted; 4000 0000 0000 0002 is declined.</p>{error}</div>
<div class="form-actions"><button type="submit" class="button button-primary">Pay ${}.{:02}</button>
<a class="button button-quiet" href="{}">Cancel</a></div>
</form></main></body></html>"#,
        cents / 100,
        cents % 100,
        escape(product),
        cents / 100,
        cents % 100,
        escape(text(session, "cancel_url")),
    );
    let mut response = (status, Html(page)).into_response();
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
