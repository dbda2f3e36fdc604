//! Buying credits, giving them back, and whom receipts are made out to.

use app::FlashKind;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use domain::ledger::payments::customer;
use domain::ledger::payments::packages::Package;
use domain::ledger::payments::price;
use domain::ledger::payments::purchase::{self, BillingDetails, Offer};
use domain::ledger::payments::refund;
use domain::{Error, PurchaseId, accounts};

use super::account_forms::{Fields, field};
use super::page;
use super::visit::SignedIn;
use crate::payments::{Checkout, PaymentError};
use crate::state::AppState;

/// The other name of the page.
pub async fn billing() -> Redirect {
    Redirect::permanent("/credits")
}

/// Begins a purchase and sends the buyer to the payment page.
pub async fn buy(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    match begin(&state, &me, &fields).await {
        Ok(Ok(checkout)) => Redirect::to(&checkout.url).into_response(),
        Ok(Err(error)) => {
            let text = match error {
                PaymentError::Declined(reason) => format!("{} Nothing was charged.", app::sentence(&reason)),
                PaymentError::Provider(_) | PaymentError::Setup(_) => {
                    tracing::error!(%error, "a checkout could not be opened");
                    "The payment page could not be opened, and nothing was charged. Please try again in a moment."
                        .to_owned()
                }
            };
            me.visit.flash(FlashKind::Bad, text, None).await;
            Redirect::to("/credits").into_response()
        }
        Err(error) => page::refused(&state, &me.visit, "/credits", fields, error).await,
    }
}

async fn begin(
    state: &AppState,
    me: &SignedIn,
    fields: &Fields,
) -> domain::Result<std::result::Result<Checkout, PaymentError>> {
    let offer = offer(fields)?;
    // A check box sends its hidden "false" first and "true" only when ticked: the last one counts.
    let save_card = fields.iter().rev().find(|(n, _)| n == "save_card").is_some_and(|(_, v)| v == "true");
    let buyer = accounts::profile(&state.db, &me.visit.actor).await?;
    let provider = state.payments.provider();
    let purchase = purchase::begin(&state.db, &me.visit.actor, offer, save_card, provider).await?;
    state.payments.begin_checkout(&state.db, &purchase, &buyer.email).await
}

/// A package by its button, or any sum.
fn offer(fields: &Fields) -> domain::Result<Offer> {
    let package = field(fields, "package");
    let typed = fields.iter().find(|(n, _)| n == "amount").map(|(_, v)| v.trim());
    match (package.as_str(), typed) {
        ("", Some("")) => Err(Error::field("amount", "is missing")),
        ("", Some(amount)) => Ok(Offer::Amount(price::cents_of(amount)?)),
        (id, _) => Package::find(id)
            .map(Offer::Package)
            .ok_or_else(|| Error::field("package", "is not one of the packages on sale")),
    }
}

/// Gives back what was not spent of a purchase.
pub async fn refund(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<PurchaseId>,
    Form(fields): Form<Fields>,
) -> Response {
    let receipt = format!("/credits/receipts/{id}");
    match give_back(&state, &me, id).await {
        Ok((kind, text)) => {
            me.visit.flash(kind, text, None).await;
            Redirect::to(&receipt).into_response()
        }
        Err(error) => page::refused(&state, &me.visit, &receipt, fields, error).await,
    }
}

async fn give_back(state: &AppState, me: &SignedIn, id: PurchaseId) -> domain::Result<(FlashKind, String)> {
    let (order, _) = refund::request(&state.db, &me.visit.actor, id, Utc::now()).await?;
    let sum = price::dollars(order.amount_cents);
    match state.payments.refund(&order).await {
        Ok(()) => {
            refund::accepted(&state.db, order.id).await?;
            Ok((FlashKind::Good, format!("Refunded. {sum} go back to your card; banks take a few days to show it.")))
        }
        Err(PaymentError::Declined(reason)) => {
            refund::failed(&state.db, order.id, &order.payment_intent).await?;
            let reason = app::sentence(&reason);
            Ok((FlashKind::Bad, format!("The payment provider refused the refund. {reason} Your credits are back.")))
        }
        Err(error @ (PaymentError::Provider(_) | PaymentError::Setup(_))) => {
            // The order is kept, and a worker asks again.
            tracing::warn!(%error, order = %order.id, "a refund was not taken at once");
            let text = format!("The refund of {sum} is on its way. The payment provider will be asked again shortly.");
            Ok((FlashKind::Good, text))
        }
    }
}

/// Changes whom the next receipts are made out to.
pub async fn billing_details(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    let text = |name: &str| field(&fields, name).trim().replace("\r\n", "\n");
    let details = BillingDetails { name: text("name"), address: text("address"), tax_id: text("tax_id") };
    match customer::set_billing_details(&state.db, &me.visit.actor, &details).await {
        Ok(()) => {
            me.visit.flash(FlashKind::Good, "Saved. Your next receipts carry it.", None).await;
            Redirect::to("/credits/receipts").into_response()
        }
        Err(error) => page::refused(&state, &me.visit, "/credits/receipts", fields, error).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_or_a_sum_is_offered() {
        let of = |pairs: &[(&str, &str)]| offer(&pairs.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect());
        assert_eq!(of(&[("amount", " $25 ")]).unwrap(), Offer::Amount(2_500));
        assert!(matches!(of(&[("package", "pro"), ("amount", "")]).unwrap(), Offer::Package(p) if p.id == "pro"));
        for wrong in [&[("amount", "")][..], &[("amount", "abc")], &[("package", "gratis")], &[]] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
    }
}
