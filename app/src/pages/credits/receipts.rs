//! All receipts, and whom the next ones are made out to.

use domain::ledger::payments::customer;
use domain::ledger::payments::purchase::{self, BillingDetails, Purchase};
use leptos::prelude::*;

use super::receipt::what;
use super::{frame, owed, owed_notice};
use crate::components::empty::empty;
use crate::components::field::Field;
use crate::components::heading::PageHeading;
use crate::components::pager::pager;
use crate::components::table::Table;
use crate::components::{form, money, time};
use crate::context::{PageRequest, load, page_request};
use crate::query::Query;

/// Receipts a page.
const PAGE: usize = 25;

/// The page.
#[component]
pub fn Receipts() -> impl IntoView {
    let request = page_request();
    let query = Query::of_page(&["after"]);
    load(async move {
        let (db, actor) = (&request.db, &request.actor);
        let after = query.get("after").and_then(|text| text.parse().ok());
        let page = purchase::receipts(db, actor, after.as_ref(), PAGE).await?;
        let details = customer::billing_details(db, actor).await?;
        let owed = owed(&request).await?;
        let elsewhere = request.form.of_no_section();
        let rows: Vec<_> = page.items.iter().map(row).collect();
        let head =
            vec![("Receipt", false), ("Paid on", false), ("Credits", true), ("Taken back", true), ("Amount", true)];
        Ok(view! {
            <PageHeading title="Receipts" lead="One for each payment, ready to print." />
            {frame("/credits/receipts", &request)}
            {form::errors(&elsewhere, &[])}
            {owed_notice(owed)}
            <section>
                {if rows.is_empty() {
                    empty("No receipt yet", "Each purchase of credits gets one when it is paid.", "/credits#buy", "Buy credits")
                } else {
                    view! { <Table caption="Receipts" head=head cards=true>{rows}</Table> }.into_any()
                }}
                {pager("/credits/receipts", &query, page.next.as_ref())}
            </section>
            {billing(&details, &request)}
        })
    })
}

fn row(p: &Purchase) -> AnyView {
    let back = if p.owed.is_positive() {
        view! { {money::amount(p.taken)}<span class="small mute block">{format!("{} owed", money::text(p.owed))}</span> }.into_any()
    } else if p.taken.is_positive() {
        money::amount(p.taken)
    } else {
        "–".into_any()
    };
    view! {
        <tr>
            <td class="cell-title">
                <a href=format!("/credits/receipts/{}", p.id)>{p.receipt().unwrap_or_default()}</a>
                <span class="small mute block">{what(p)}</span>
            </td>
            <td class="nowrap" data-label="Paid on">{p.paid_at.map(time::day)}</td>
            <td class="right nowrap" data-label="Credits">{money::amount(p.credits)}</td>
            <td class="right nowrap" data-label="Taken back">{back}</td>
            <td class="right nowrap" data-label="Amount">{p.price()}</td>
        </tr>
    }
    .into_any()
}

fn billing(details: &BillingDetails, request: &PageRequest) -> AnyView {
    let typed = request.form.of_section("billing");
    view! {
        <section class="panel narrow-left" id="billing-details">
            <h2>"Billing details"</h2>
            <p>"They stand on your next receipts. Receipts that exist stay as they are."</p>
            <form method="post" action="/credits/billing-details" class="form">
                {form::errors(&typed, &["name", "address", "tax_id"])}
                {form::hidden("section", "billing".into())}
                {Field::new("name", "Name or company").autocomplete("organization").maxlength(Some(200)).value(details.name.clone()).show(&typed)}
                {Field::new("address", "Address").lines(4).maxlength(Some(500)).value(details.address.clone()).show(&typed)}
                {Field::new("tax_id", "Tax id").maxlength(Some(50)).value(details.tax_id.clone()).hint("Such as a VAT number.").show(&typed)}
                <div class="form-actions">{form::submit("Save")}</div>
            </form>
        </section>
    }
    .into_any()
}
