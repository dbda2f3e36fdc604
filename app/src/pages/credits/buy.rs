//! Buying credits: three packages, or any sum.

use domain::ledger::payments::packages::{PACKAGES, Package};
use domain::ledger::payments::price;
use leptos::prelude::*;

use crate::components::field::Field;
use crate::components::table::Table;
use crate::components::{form, money};
use crate::context::PageRequest;

/// Sums that are given as examples, in US cents: below, between and above the packages.
const EXAMPLES: [i64; 6] = [500, 1_000, 2_500, 4_000, 9_500, 30_000];

/// The section of the page. Two forms, so that Enter in the amount does not press a package's button.
pub fn buy(request: &PageRequest) -> AnyView {
    let packages: Vec<_> = PACKAGES.iter().map(package).collect();
    let (by_package, by_amount) = (request.form.of_section("package"), request.form.of_section("amount"));
    view! {
        <section id="buy">
            <h2>"Buy credits"</h2>
            <form method="post" action="/credits/buy" class="form" aria-label="Buy a package">
                {form::errors(&by_package, &[])}
                {form::hidden("section", "package".into())}
                <ul class="packages">{packages}</ul>
                {keep_card("package-").show(&by_package)}
            </form>
            <div class="split-panel panel">
                <form method="post" action="/credits/buy" class="form" aria-label="Buy any amount">
                    <h3>"Any amount"</h3>
                    {form::errors(&by_amount, &["amount"])}
                    {form::hidden("section", "amount".into())}
                    {Field::new("amount", "Amount in US dollars").inputmode("decimal").placeholder("25.00").required(true)
                        .hint("From $5.00 to $10,000.00.").show(&by_amount)}
                    {keep_card("amount-").show(&by_amount)}
                    <div class="form-actions">{form::submit("Buy for this amount")}</div>
                </form>
                {curve()}
            </div>
        </section>
    }
    .into_any()
}

fn keep_card(prefix: &'static str) -> Field {
    Field::new("save_card", "Keep this card for automatic top-up")
        .id_prefix(prefix)
        .check()
        .hint("The payment provider keeps it. Nothing is charged by itself until you turn automatic top-up on.")
}

fn package(p: &Package) -> AnyView {
    let label = format!("Buy {} for {}", p.name, p.price());
    view! {
        <li class="panel package">
            <h3>{p.name}</h3>
            <p class="package-credits">{money::amount(p.credits())}</p>
            <p class="mute">{p.price()}<span class="small">{format!(", {} for 100", p.price_per_hundred())}</span></p>
            <button type="submit" name="package" value=p.id class="button button-primary button-wide">{label}</button>
        </li>
    }
    .into_any()
}

/// What a sum buys, in words and by examples.
fn curve() -> AnyView {
    let rows: Vec<_> = EXAMPLES
        .iter()
        .filter_map(|cents| {
            let credits = price::credits_for(*cents).ok()?;
            Some(view! {
                <tr>
                    <td class="right">{money::dollars(*cents)}</td>
                    <td class="right">{money::amount(credits)}</td>
                </tr>
            })
        })
        .collect();
    let [first, middle, last] = PACKAGES.each_ref().map(Package::price);
    let words = format!(
        "Up to {first}, a dollar buys what it does in the smallest package. From {first} to {middle} and from {middle} to \
         {last}, each dollar more buys the same share of the way to the next package. Above {last}, a dollar buys what it \
         does in the largest."
    );
    view! {
        <div class="stack">
            <p class="small mute">{words}</p>
            <Table caption="What a sum buys" head=vec![("You pay", true), ("You get", true)]>{rows}</Table>
        </div>
    }
    .into_any()
}
