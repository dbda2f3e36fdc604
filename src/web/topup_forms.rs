//! Automatic top-up, and the card that it charges.

use app::FlashKind;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ledger::payments::topup::{self, TopupSettings};
use domain::ledger::payments::{price, purchase};
use domain::{Credits, Error, FieldError};

use super::account_forms::{Fields, field};
use super::page;
use super::visit::SignedIn;
use crate::payments::PaymentError;
use crate::state::AppState;

/// The page that these forms stand on.
const PAGE: &str = "/credits/topup";

/// Turns it on, or changes it.
pub async fn set(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    let done = async {
        let settings = settings(&fields)?;
        topup::set(&state.db, &me.visit.actor, &settings, state.payments.provider()).await
    };
    match done.await {
        Ok(()) => said(&me, FlashKind::Good, "Automatic top-up is on.").await,
        Err(error) => page::refused(&state, &me.visit, PAGE, fields, error).await,
    }
}

fn settings(fields: &Fields) -> domain::Result<TopupSettings> {
    let mut wrong: Vec<FieldError> = Vec::new();
    let threshold = field(fields, "threshold").parse::<Credits>().unwrap_or_else(|e| {
        wrong.push(FieldError::new("threshold", e.to_string()));
        Credits::ZERO
    });
    let mut cents = |name: &str| {
        price::cents_of(&field(fields, name)).unwrap_or_else(|error| {
            // The parser speaks of `amount`, whatever the field is called.
            let Error::Validation(errors) = error else { return 0 };
            wrong.extend(errors.into_iter().map(|e| FieldError::new(name, e.message)));
            0
        })
    };
    let (amount_cents, monthly_cap_cents) = (cents("amount"), cents("monthly_cap"));
    if wrong.is_empty() {
        Ok(TopupSettings { threshold, amount_cents, monthly_cap_cents })
    } else {
        Err(Error::Validation(wrong))
    }
}

/// Turns it off.
pub async fn off(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    match topup::turn_off(&state.db, &me.visit.actor).await {
        Ok(()) => said(&me, FlashKind::Good, "Automatic top-up is off. Nothing is bought by itself.").await,
        Err(error) => page::refused(&state, &me.visit, PAGE, fields, error).await,
    }
}

/// Sends the owner to their bank, which asks about a payment.
pub async fn confirm(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    let waiting = async {
        let topup = topup::get(&state.db, &me.visit.actor).await?;
        let id = topup.and_then(|t| t.waiting).ok_or_else(|| Error::Conflict("no payment waits for you".into()))?;
        purchase::find(&state.db, &me.visit.actor, id).await
    };
    let purchase = match waiting.await {
        Ok(purchase) => purchase,
        Err(error) => return page::refused(&state, &me.visit, PAGE, fields, error).await,
    };
    match state.payments.confirmation_page(&purchase).await {
        Ok(url) => Redirect::to(&url).into_response(),
        Err(PaymentError::Declined(reason)) => {
            said(&me, FlashKind::Bad, &format!("{} Nothing was charged.", app::sentence(&reason))).await
        }
        Err(error @ (PaymentError::Provider(_) | PaymentError::Setup(_))) => {
            tracing::error!(%error, purchase = %purchase.id, "a payment could not be brought to its owner");
            let text = "The bank's page could not be opened, and nothing was charged. Please try again in a moment.";
            said(&me, FlashKind::Bad, text).await
        }
    }
}

/// Lets the provider forget the card. What would charge it is turned off first.
pub async fn forget_card(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    if let Err(error) = topup::turn_off(&state.db, &me.visit.actor).await {
        return page::refused(&state, &me.visit, PAGE, fields, error).await;
    }
    match state.payments.forget_card(&state.db, me.user).await {
        Ok(()) => said(&me, FlashKind::Good, "The card is forgotten, and automatic top-up is off.").await,
        Err(error) => {
            tracing::error!(%error, "a card could not be forgotten");
            let text = "Automatic top-up is off, but the payment provider could not be told to forget the card. Please try again.";
            said(&me, FlashKind::Bad, text).await
        }
    }
}

async fn said(me: &SignedIn, kind: FlashKind, text: &str) -> Response {
    me.visit.flash(kind, text, None).await;
    Redirect::to(PAGE).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_field_is_named() {
        let of = |pairs: &[(&str, &str)]| settings(&pairs.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect());
        let right = of(&[("threshold", "100"), ("amount", "$40"), ("monthly_cap", "200.00")]).unwrap();
        assert_eq!((right.threshold.cents(), right.amount_cents, right.monthly_cap_cents), (10_000, 4_000, 20_000));
        let Err(Error::Validation(wrong)) = of(&[("threshold", "x"), ("amount", "y"), ("monthly_cap", "")]) else {
            panic!("taken");
        };
        assert_eq!(wrong.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), ["threshold", "amount", "monthly_cap"]);
    }
}
