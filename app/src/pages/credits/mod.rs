//! The pages about credits: what there is, buying more, usage, automatic top-up and limits, receipts.

pub mod bought;
pub mod buy;
pub mod ledger;
pub mod overview;
pub mod receipt;
pub mod receipts;
pub mod topup;
pub mod usage;

use domain::Credits;
use domain::ledger::payments::Provider;
use domain::ledger::payments::purchase;
use leptos::prelude::*;

use crate::components::layout::tabs;
use crate::components::money;
use crate::components::notice::{Notice, Tone};
use crate::context::PageRequest;

/// The tabs of all pages, those of the credits' pages, and whether all this is play money.
fn frame(here: &'static str, request: &PageRequest) -> AnyView {
    let pages = [
        ("/credits", "Balance and ledger"),
        ("/credits/usage", "Usage"),
        ("/credits/topup", "Top-up and limits"),
        ("/credits/receipts", "Receipts"),
    ];
    let links: Vec<_> = pages
        .into_iter()
        .map(|(to, word)| view! { <li><a href=to aria-current=(to == here).then_some("page")>{word}</a></li> })
        .collect();
    view! {
        {tabs("/credits")}
        <nav class="subtabs" aria-label="Credits"><ul>{links}</ul></nav>
        {request.site.sandbox.then(sandbox_mark)}
    }
    .into_any()
}

/// Stands on every page on which money is spoken of, while it is none.
fn sandbox_mark() -> AnyView {
    view! {
        <p class="sandbox-mark play-money">
            <strong>"Sandbox: play money. "</strong>
            "The payment page is a stand-in and no card is charged. "<a href="/docs/credits#the-sandbox">"Test cards"</a>
        </p>
    }
    .into_any()
}

/// Who takes the money now.
fn provider(request: &PageRequest) -> Provider {
    if request.site.sandbox { Provider::Sandbox } else { Provider::Stripe }
}

/// What the actor owes from refunded or disputed payments, of the newest 100 purchases.
///
/// # Errors
/// [`domain::Error::Unauthorized`].
pub(super) async fn owed(request: &PageRequest) -> domain::Result<Credits> {
    let newest = purchase::receipts(&request.db, &request.actor, None, 100).await?;
    Ok(newest.items.iter().map(|p| p.owed).sum())
}

/// Says that something is owed.
fn owed_notice(owed: Credits) -> AnyView {
    owed.is_positive()
        .then(|| {
            view! {
                <Notice tone=Tone::Warn>
                    <p>
                        <strong>{format!("{} are owed. ", money::text(owed))}</strong>
                        "A payment was refunded or disputed after its credits were spent. They are taken from what you buy \
                         or have next. "<a href="/credits/receipts">"See which payment"</a>
                    </p>
                </Notice>
            }
        })
        .into_any()
}
