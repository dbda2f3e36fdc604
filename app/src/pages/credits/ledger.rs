//! The ledger of an account: filtered, page by page, and as a file.

use domain::ledger::{Entry, EntryKind};
use leptos::prelude::*;

use crate::components::empty::empty;
use crate::components::field::Field;
use crate::components::pager::pager;
use crate::components::table::Table;
use crate::components::{icons, money, time};
use crate::context::{Form, PageRequest};
use crate::islands::LiveFilter;
use crate::query::Query;

/// Rows a page.
pub const PAGE: usize = 25;

/// The section of the page.
pub fn rows(entries: &[Entry], query: &Query, next: Option<&domain::Cursor>, request: &PageRequest) -> AnyView {
    let kinds = std::iter::once((String::new(), "All".to_owned()))
        .chain(EntryKind::ALL.map(|k| (k.as_str().to_owned(), k.label().to_owned())))
        .collect();
    let typed = Form { values: vec![("type".into(), query.text("type"))], ..Form::default() };
    let rows: Vec<_> = entries.iter().map(|e| row(e, request)).collect();
    // In the part that the filter swaps, so that the file has the rows that are shown.
    let file = query.without("after").href("/credits/ledger.csv");
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
                <p class="after-table"><a class="download" href=file download="">{icons::download()}"Download as CSV"</a></p>
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
