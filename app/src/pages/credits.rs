//! Credits: what there is, what moved, and buying more.

use domain::ledger::packages::{PACKAGES, Package};
use domain::ledger::{self, Balance, Entry, EntryFilter, EntryKind};
use leptos::prelude::*;

use crate::components::empty::empty;
use crate::components::field::Field;
use crate::components::heading::PageHeading;
use crate::components::layout::tabs;
use crate::components::pager::pager;
use crate::components::table::Table;
use crate::components::{form, money, time};
use crate::context::{Form, PageRequest, load, page_request};
use crate::islands::LiveFilter;
use crate::query::Query;

/// Rows a page.
const PAGE: usize = 25;

/// The page.
#[component]
pub fn Credits() -> impl IntoView {
    let request = page_request();
    let query = Query::of_page(&["type", "after"]);
    load(async move {
        let balance = ledger::balance(&request.db, &request.actor).await?;
        let filter = EntryFilter {
            kind: query.get("type").and_then(EntryKind::parse),
            after: query.get("after").and_then(|text| text.parse().ok()),
        };
        let page = ledger::entries(&request.db, &request.actor, &filter, PAGE).await?;
        let packages: Vec<_> = PACKAGES.iter().map(package).collect();
        let sandbox = request.site.sandbox;
        Ok(view! {
            <PageHeading title="Credits" lead="Held while a task runs, paid when it completes, returned when it does not." />
            {tabs("/credits")}
            {form::errors(&request.form, &[])}
            {figures(&balance)}
            <section>
                <h2>"Buy credits"</h2>
                {sandbox.then(|| view! { <p class="mute">"Sandbox: the payment page is a stand-in, and no card is charged."</p> })}
                <ul class="packages">{packages}</ul>
            </section>
            {rows(&page.items, &query, page.next.as_ref(), &request)}
        })
    })
}

fn figures(b: &Balance) -> AnyView {
    view! {
        <dl class="tiles tiles-five">
            <div class="tile tile-strong"><dt>"Available"</dt><dd>{money::amount(b.available)}</dd></div>
            <div class="tile"><dt>"Held by running tasks"</dt><dd>{money::amount(b.held)}</dd></div>
            <div class="tile"><dt>"Earned"</dt><dd>{money::amount(b.earned)}</dd></div>
            <div class="tile"><dt>"Spent"</dt><dd>{money::amount(b.spent)}</dd></div>
            <div class="tile"><dt>"Bought"</dt><dd>{money::amount(b.purchased)}</dd></div>
        </dl>
    }
    .into_any()
}

fn package(p: &Package) -> AnyView {
    let label = format!("Buy {} for {}", p.name, p.price());
    view! {
        <li class="panel package">
            <h3>{p.name}</h3>
            <p class="package-credits">{money::amount(p.credits())}</p>
            <p class="mute">{p.price()}<span class="small">{format!(", {} for 100", p.price_per_hundred())}</span></p>
            <form method="post" action="/credits/buy">
                {form::hidden("package", p.id.to_owned())}
                <button type="submit" class="button button-primary button-wide" >{label}</button>
            </form>
        </li>
    }
    .into_any()
}

fn rows(entries: &[Entry], query: &Query, next: Option<&domain::Cursor>, request: &PageRequest) -> AnyView {
    let kinds = std::iter::once((String::new(), "All".to_owned()))
        .chain(EntryKind::ALL.map(|k| (k.as_str().to_owned(), k.label().to_owned())))
        .collect();
    let typed = Form { values: vec![("type".into(), query.text("type"))], ..Form::default() };
    let rows: Vec<_> = entries.iter().map(|e| row(e, request)).collect();
    let head = vec![("What", false), ("When", false), ("Amount", true), ("Balance after", true)];
    view! {
        <section>
            <h2 id="ledger">"Ledger"</h2>
            <form id="filters" class="filter-row" method="get" action="/credits" aria-label="Filter">
                {Field::new("type", "Type").options(kinds).unmarked().show(&typed)}
                <button type="submit" class="button">"Filter"</button>
            </form>
            <LiveFilter form="filters".to_owned() target="results".to_owned() />
            <div id="results">
                {if rows.is_empty() {
                    empty("No such row", "Nothing of this type has moved yet.", "/credits", "Show all").into_any()
                } else {
                    view! { <Table caption="Ledger" head=head cards=true>{rows}</Table> }.into_any()
                }}
                {pager("/credits", query, next)}
            </div>
        </section>
    }
    .into_any()
}

fn row(e: &Entry, request: &PageRequest) -> AnyView {
    // A task's rows lead to it; the platform's own account has them too, without being a party to the task.
    let task =
        e.reference_id.as_deref().filter(|r| r.parse::<domain::TaskId>().is_ok() && e.kind != EntryKind::Purchase);
    let what = match task {
        Some(id) => view! { <a href=format!("/tasks/{id}")>{e.description.clone()}</a> }.into_any(),
        None => e.description.clone().into_any(),
    };
    view! {
        <tr>
            <td class="cell-title">{what}<span class="small mute block">{e.kind.label()}</span></td>
            <td class="nowrap" data-label="When">{time::ago(e.created_at, request.now)}</td>
            <td class="right nowrap" data-label="Amount">{money::signed(e.amount)}</td>
            <td class="right nowrap" data-label="Balance after">{money::amount(e.balance_after)}</td>
        </tr>
    }
    .into_any()
}
