//! One receipt, made to be printed, and the refund of what was not spent.

use domain::ledger::payments::Provider;
use domain::ledger::payments::packages::Package;
use domain::ledger::payments::purchase::{self, Purchase, PurchaseStatus};
use domain::ledger::payments::refund;
use domain::ledger::{self, Balance};
use domain::{Error, Missing, PurchaseId};
use leptos::prelude::*;

use crate::components::mark::logo;
use crate::components::title::DocumentTitle;
use crate::components::{form, money, time};
use crate::context::{PageRequest, load, page_request, sentence};
use crate::query::path_segment;

/// The page.
#[component]
pub fn Receipt() -> impl IntoView {
    let request = page_request();
    let id = path_segment::<PurchaseId>("purchase", Missing::Purchase);
    load(async move {
        let bought = purchase::find(&request.db, &request.actor, id?).await?;
        // Only what was paid has a receipt.
        let number = bought.receipt().ok_or(Error::NotFound(Missing::Purchase))?;
        let balance = ledger::balance(&request.db, &request.actor).await?;
        let sandbox = (bought.provider == Provider::Sandbox)
            .then(|| view! { <p class="sandbox-mark"><strong>"SANDBOX: not a real payment."</strong></p> });
        Ok(view! {
            <DocumentTitle text=format!("Receipt {number} · NEXUS") />
            <nav class="crumbs" aria-label="Breadcrumb"><a href="/credits">"Credits"</a><a href="/credits/receipts">"Receipts"</a></nav>
            {form::errors(&request.form, &[])}
            <article class="receipt panel">
                <header class="receipt-head">
                    <div>
                        <h1>"Receipt "<span class="nowrap">{number}</span></h1>
                        <p class="mute">{bought.paid_at.map(time::exact)}</p>
                    </div>
                    <p class="receipt-seller">{logo()}"NEXUS"</p>
                </header>
                {sandbox}
                {parties(&bought, &request)}
                {lines(&bought)}
            </article>
            <p class="small mute on-screen">"To keep it as a file, print this page to PDF: the receipt alone is printed."</p>
            {give_back(&bought, &balance, &request)}
        })
    })
}

/// What was bought, in words.
pub(super) fn what(p: &Purchase) -> String {
    let credits = money::text(p.credits);
    match Package::find(&p.package) {
        Some(package) => format!("{} package, {credits}", package.name),
        None if p.automatic => format!("Automatic top-up, {credits}"),
        None => credits,
    }
}

fn parties(p: &Purchase, request: &PageRequest) -> AnyView {
    let buyer = request.viewer.as_ref().map(|v| v.profile.email.clone()).unwrap_or_default();
    let b = &p.billing;
    let given = |text: &String, label: &'static str| {
        (!text.is_empty()).then(|| view! { <p class="receipt-lines">{label}{text.clone()}</p> })
    };
    view! {
        <div class="two-fields">
            <div>
                <h2 class="receipt-label">"Paid by"</h2>
                {given(&b.name, "")}
                {given(&b.address, "")}
                {given(&b.tax_id, "Tax id: ")}
                <p class="mute">{buyer}</p>
            </div>
            <div>
                <h2 class="receipt-label">"Paid to"</h2>
                <p>"NEXUS"</p>
                <p class="mute">{request.site.public_url.clone()}</p>
            </div>
        </div>
    }
    .into_any()
}

fn lines(p: &Purchase) -> AnyView {
    let reference = p.payment_intent.clone().or_else(|| p.session_id.clone()).unwrap_or_else(|| p.id.to_string());
    let currency = p.currency.to_uppercase();
    let back = (p.taken + p.owed).is_positive().then(|| {
        let owed = p
            .owed
            .is_positive()
            .then(|| view! { <div><dt>"Of these still owed, because they were spent"</dt><dd>{money::amount(p.owed)}</dd></div> });
        view! {
            <div><dt>"Refunded or taken back"</dt><dd>{format!("{} {currency}", money::dollars(p.cents_of(p.taken + p.owed)))}</dd></div>
            <div><dt>"Credits taken back for it"</dt><dd>{money::amount(p.taken + p.owed)}</dd></div>
            {owed}
        }
    });
    view! {
        <dl class="bill receipt-bill">
            <div><dt>{what(p)}</dt><dd>{p.price()}</dd></div>
            <div class="bill-total"><dt>"Paid"</dt><dd>{format!("{} {currency}", p.price())}</dd></div>
            {back}
            <div><dt>"Payment reference"</dt><dd><code class="break">{reference}</code></dd></div>
        </dl>
    }
    .into_any()
}

/// The form that asks for a refund, or why there is none.
fn give_back(p: &Purchase, balance: &Balance, request: &PageRequest) -> AnyView {
    if p.status != PurchaseStatus::Paid {
        return ().into_any();
    }
    let (credits, cents) = match refund::refundable(p, balance.available, request.now) {
        Ok(offer) => offer,
        Err(why) => {
            return view! { <p class="small mute on-screen">{format!("No refund: {}", lower(&sentence(&why.to_string())))}</p> }
                .into_any();
        }
    };
    let whole = cents == p.amount_cents;
    let until = p.paid_at.map(|at| time::day(at + refund::PERIOD));
    let rest = (!whole).then_some(" The rest was spent, is held by running tasks, or came back before.");
    let to = format!("/credits/receipts/{}/refund", p.id);
    view! {
        <section class="panel on-screen" id="refund">
            <h2>"Ask for a refund"</h2>
            <p>
                <strong>{money::dollars(cents)}</strong>" go back to the card that paid, and "
                <strong>{money::text(credits)}</strong>" leave your balance at once."{rest}
            </p>
            <p class="small mute">"Unspent credits can be given back until "{until}"."</p>
            <form method="post" action=to class="form">
                <div class="form-actions">
                    <button type="submit" class="button button-danger">{format!("Refund {}", money::dollars(cents))}</button>
                </div>
            </form>
        </section>
    }
    .into_any()
}

/// A sentence as it goes on after a colon.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_lowercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use domain::ledger::payments::purchase::BillingDetails;
    use domain::{Credits, UserId};

    use super::*;

    fn pro() -> Purchase {
        Purchase {
            id: PurchaseId(uuid::Uuid::nil()),
            user: UserId::PLATFORM,
            provider: Provider::Sandbox,
            automatic: false,
            package: "pro".into(),
            credits: Credits::from_cents(500_000),
            amount_cents: 4_000,
            currency: "usd".into(),
            status: PurchaseStatus::Paid,
            failure: None,
            session_id: None,
            checkout_url: None,
            payment_intent: None,
            save_card: false,
            taken: Credits::ZERO,
            owed: Credits::ZERO,
            receipt_number: Some(1),
            billing: BillingDetails::default(),
            created_at: chrono::DateTime::UNIX_EPOCH,
            paid_at: Some(chrono::DateTime::UNIX_EPOCH),
        }
    }

    #[test]
    fn a_purchase_is_called_by_what_was_bought() {
        let p = pro();
        assert_eq!(what(&p), "Pro package, 5,000.00 credits");
    }
}
