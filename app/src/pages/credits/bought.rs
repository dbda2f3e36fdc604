//! Where a buyer comes back to from the payment page: what has become of the purchase.

use domain::ledger::payments::purchase::{self, Purchase, PurchaseStatus};
use domain::{Missing, PurchaseId};
use leptos::prelude::*;
use leptos_meta::Meta;

use super::sandbox_mark;
use crate::components::heading::PageHeading;
use crate::components::money;
use crate::context::{load, page_request, sentence};
use crate::query::Query;

/// How often the page looks again by itself, every two seconds.
const MOST_TRIES: u32 = 30;

/// The page.
#[component]
pub fn PurchaseReturn() -> impl IntoView {
    let request = page_request();
    let query = Query::of_page(&["purchase", "cancelled", "try"]);
    load(async move {
        let id: PurchaseId = query.text("purchase").parse().map_err(|_| domain::Error::NotFound(Missing::Purchase))?;
        let bought = purchase::find(&request.db, &request.actor, id).await?;
        let tries: u32 = query.get("try").and_then(|t| t.parse().ok()).unwrap_or(0);
        let view = match bought.status {
            PurchaseStatus::Paid => paid(&bought),
            // What the provider knows counts more than the way back that the buyer took.
            PurchaseStatus::Open if query.get("cancelled").is_some() => {
                ended("Not bought", "You left the payment page, and nothing was charged.".to_owned())
            }
            PurchaseStatus::Open => waiting(
                &bought,
                tries,
                "Waiting for the payment",
                "The payment is not confirmed yet. Usually it is a matter of seconds.",
            ),
            PurchaseStatus::Processing => waiting(
                &bought,
                tries,
                "The payment is on its way",
                "You have paid, and your bank still has to confirm it. With some methods this takes days.",
            ),
            PurchaseStatus::Failed => {
                let why = bought.failure.as_deref().map_or_else(|| "The payment failed.".to_owned(), sentence);
                ended("Not bought", format!("{why} Nothing was charged."))
            }
            PurchaseStatus::Expired => {
                ended("Not bought", "The payment page ran out of time, and nothing was charged.".to_owned())
            }
        };
        Ok(view! { {view}{request.site.sandbox.then(sandbox_mark)} })
    })
}

fn paid(bought: &Purchase) -> AnyView {
    let receipt = format!("/credits/receipts/{}", bought.id);
    view! {
        <PageHeading title="Thank you"
            lead=format!("{} are on your account, paid with {}.", money::text(bought.credits), bought.price()) />
        <p class="button-row">
            <a class="button button-primary" href="/marketplace">"Hire an agent"</a>
            <a class="button" href=receipt>"Receipt"</a>
            <a class="button" href="/credits">"Your credits"</a>
        </p>
    }
    .into_any()
}

fn waiting(bought: &Purchase, tries: u32, title: &'static str, text: &'static str) -> AnyView {
    let again = |n: u32| format!("/credits/return?purchase={}&try={n}", bought.id);
    let sum = money::text(bought.credits);
    let lead = format!("{sum} come to your account as soon as the payment is confirmed.");
    if tries >= MOST_TRIES {
        return view! {
            <PageHeading title=title lead=lead />
            <p>"It takes longer than usual, so this page has stopped looking. There is nothing to do: the credits come by \
                themselves, and the purchase is then among your receipts. If you did not pay, nothing is charged."</p>
            <p class="button-row">
                <a class="button button-primary" href=again(0)>"Look again"</a>
                <a class="button" href="/credits/receipts">"Receipts"</a>
            </p>
        }
        .into_any();
    }
    view! {
        // With and without script: there is nothing to keep on this page.
        <Meta http_equiv="refresh" content=format!("2;url={}", again(tries + 1)) />
        <PageHeading title=title lead=lead />
        <div class="working"><span class="spinner" aria-hidden="true"></span><p>{text}" This page looks again by itself."</p></div>
        <p class="button-row">
            <a class="button" href=again(tries)>"Look now"</a>
            <a class="button button-quiet" href="/credits">"Back to your credits"</a>
        </p>
    }
    .into_any()
}

fn ended(title: &'static str, text: String) -> AnyView {
    view! {
        <PageHeading title=title lead=text />
        <p class="button-row">
            <a class="button button-primary" href="/credits#buy">"Try again"</a>
            <a class="button" href="/credits">"Back to your credits"</a>
        </p>
    }
    .into_any()
}
