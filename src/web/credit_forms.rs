//! Buying credits.

use app::FlashKind;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ledger::packages::Package;
use domain::ledger::purchase;
use domain::{Error, accounts};

use super::account_forms::{Fields, field};
use super::page;
use super::visit::SignedIn;
use crate::state::AppState;

/// The other name of the page.
pub async fn billing() -> Redirect {
    Redirect::permanent("/credits")
}

/// Begins a purchase and sends the buyer to the payment page.
pub async fn buy(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    let Some(package) = Package::find(&field(&fields, "package")) else {
        let error = Error::field("package", "is not one of the packages on sale");
        return page::refused(&state, &me.visit, "/credits", fields, error).await;
    };
    let begun = async {
        let buyer = accounts::profile(&state.db, &me.visit.actor).await?;
        let purchase = purchase::begin(&state.db, &me.visit.actor, package).await?;
        let checkout = state.payments.open_checkout(&purchase, package, &buyer.email).await;
        let checkout = checkout.map_err(|e| Error::Internal(e.into()))?;
        purchase::attach_session(&state.db, purchase.id, &checkout.session_id).await?;
        Ok::<_, Error>(checkout)
    };
    match begun.await {
        Ok(checkout) => Redirect::to(&checkout.url).into_response(),
        Err(Error::Internal(source)) => {
            tracing::error!(error = %source, "a checkout could not be opened");
            let text = "The payment page could not be opened, and nothing was charged. Please try again in a moment.";
            me.visit.flash(FlashKind::Bad, text, None).await;
            Redirect::to("/credits").into_response()
        }
        Err(error) => page::refused(&state, &me.visit, "/credits", fields, error).await,
    }
}
