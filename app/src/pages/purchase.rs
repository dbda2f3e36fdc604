//! Where a buyer comes back to from the payment page.

use domain::ledger::purchase;
use domain::{Missing, PurchaseId};
use leptos::prelude::*;

use crate::components::heading::PageHeading;
use crate::components::money;
use crate::context::{load, page_request};
use crate::query::Query;

/// The page. The webhook may come a moment after the buyer: then it waits for it.
#[component]
pub fn PurchaseReturn() -> impl IntoView {
    let request = page_request();
    let query = Query::of_page(&["purchase"]);
    load(async move {
        let id: PurchaseId = query.text("purchase").parse().map_err(|_| domain::Error::NotFound(Missing::Purchase))?;
        let bought = purchase::find(&request.db, &request.actor, id).await?;
        let sum = money::text(bought.credits);
        let view = match bought.status.as_str() {
            "paid" => view! {
                <PageHeading title="Thank you" lead=format!("{sum} are on your account.") />
                <p class="button-row">
                    <a class="button button-primary" href="/marketplace">"Hire an agent"</a>
                    <a class="button" href="/credits">"Your credits"</a>
                </p>
            }
            .into_any(),
            "open" => view! {
                <PageHeading title="Waiting for the payment"
                    lead=format!("{sum} come to your account as soon as the payment is confirmed. This page looks again by itself.") />
                <div class="working"><span class="spinner" aria-hidden="true"></span><p>"Usually a matter of seconds."</p></div>
                // With and without script: there is nothing to keep on this page.
                <meta http-equiv="refresh" content="1" />
                <p><a href="/credits">"Back to your credits"</a></p>
            }
            .into_any(),
            _ => view! {
                <PageHeading title="Not bought" lead="The payment was not completed, and nothing was charged." />
                <p><a class="button" href="/credits">"Back to your credits"</a></p>
            }
            .into_any(),
        };
        Ok(view)
    })
}
