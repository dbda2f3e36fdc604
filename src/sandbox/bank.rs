//! The payer's bank, which asks whether a payment is theirs (3-D Secure).

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::sandbox::{self, Books, Object};

use super::page::{self, broken, escape, framed, price, text};
use super::payment;
use crate::state::AppState;
use crate::web::account_forms::{Fields, field};
use crate::web::visit::SignedIn;

/// Asks.
pub async fn show(State(state): State<AppState>, _me: SignedIn, Path(id): Path<String>) -> Response {
    match sandbox::object(&state.db, &id).await {
        Ok(Some(intent)) if waits(&intent) => html(&intent),
        Ok(_) => gone(),
        Err(error) => broken(&error),
    }
}

/// Takes the payer's word.
pub async fn answer(
    State(state): State<AppState>,
    _me: SignedIn,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    match decide(&state, &id, field(&fields, "answer") == "approve").await {
        Ok(response) => response,
        Err(error) => broken(&error),
    }
}

async fn decide(state: &AppState, id: &str, approved: bool) -> domain::Result<Response> {
    let mut books = Books::open(&state.db).await?;
    let Some(mut intent) = books.get(id).await?.filter(waits) else { return Ok(gone()) };
    let back = text(&intent.body["next_action"]["redirect_to_url"], "return_url").to_owned();
    if approved {
        payment::succeed(&mut books, &mut intent).await?;
    } else {
        let method = books.get(text(&intent.body, "payment_method")).await?;
        let message = "We are unable to authenticate your payment method. Please choose a different payment method and try again.";
        let code = "payment_intent_authentication_failure";
        payment::fail(&mut books, &mut intent, method.as_ref(), code, "authentication_failed", message).await?;
    }
    let session = match intent.hidden["session"].as_str() {
        Some(session) => books.get(session).await?,
        None => None,
    };
    books.close().await?;
    let to = session.map_or(back, |session| page::after_bank(&session, approved));
    Ok(Redirect::to(&to).into_response())
}

fn waits(intent: &Object) -> bool {
    intent.kind == "payment_intent" && intent.body["status"] == "requires_action"
}

fn gone() -> Response {
    framed(StatusCode::NOT_FOUND, "Sandbox bank", "<h1>Nothing to confirm</h1><p>This payment waits for nobody.</p>")
}

fn html(intent: &Object) -> Response {
    let body = format!(
        r#"<h1>Is this payment yours?</h1>
<p>Your bank asks you to confirm a payment of {} to NEXUS.</p>
<form method="post" class="form" action="{}">
<div class="form-actions"><button type="submit" name="answer" value="approve" class="button button-primary">Approve</button>
<button type="submit" name="answer" value="refuse" class="button button-quiet">Refuse</button></div>
</form>"#,
        price(&intent.body["amount"]),
        escape(&super::bank_path(&intent.id)),
    );
    framed(StatusCode::OK, "Sandbox bank", &body)
}
