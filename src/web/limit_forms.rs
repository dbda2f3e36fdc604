//! The forms of an account's own spending limits, and of the balance at which it wants to be told.

use app::FlashKind;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::{Credits, Error, FieldError, ledger};

use super::account_forms::{Fields, field};
use super::page;
use super::visit::SignedIn;
use crate::state::AppState;

/// Changes the limits; an empty field is no limit.
pub async fn set(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    let done = async {
        let (daily, monthly) = typed(&fields)?;
        ledger::set_limits(&state.db, &me.visit.actor, daily, monthly).await
    };
    match done.await {
        Ok(()) => {
            me.visit.flash(FlashKind::Good, "Your limits are saved. They apply from the next task on.", None).await;
            Redirect::to("/credits/topup").into_response()
        }
        Err(error) => page::refused(&state, &me.visit, "/credits/topup", fields, error).await,
    }
}

/// Changes at which balance the owner is told; an empty field is never.
pub async fn set_low_balance(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    let text = field(&fields, "lowBalance");
    let done = async {
        let below = match text.trim() {
            "" => None,
            sum => Some(sum.parse::<Credits>().map_err(|e| Error::field("lowBalance", e.to_string()))?),
        };
        ledger::set_low_balance(&state.db, &me.visit.actor, below).await?;
        Ok(below)
    };
    match done.await {
        Ok(below) => {
            let text = below.map_or_else(
                || "Saved. You are not told of a low balance.".to_owned(),
                |b| format!("Saved. A mail tells you when fewer than {} credits are available.", b.grouped()),
            );
            me.visit.flash(FlashKind::Good, text, None).await;
            Redirect::to("/credits/topup").into_response()
        }
        Err(error) => page::refused(&state, &me.visit, "/credits/topup", fields, error).await,
    }
}

fn typed(fields: &Fields) -> domain::Result<(Option<Credits>, Option<Credits>)> {
    let mut wrong = Vec::new();
    let mut limit = |name: &str| {
        let text = field(fields, name);
        if text.trim().is_empty() {
            return None;
        }
        text.parse::<Credits>().map_err(|e| wrong.push(FieldError::new(name, e.to_string()))).ok()
    };
    let limits = (limit("daily"), limit("monthly"));
    if wrong.is_empty() { Ok(limits) } else { Err(Error::Validation(wrong)) }
}
