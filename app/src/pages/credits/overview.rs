//! What there is, what is held, buying more, and what moved.

use domain::ledger::{self, Balance, EntryFilter, EntryKind, Hold};
use leptos::prelude::*;

use super::buy::buy;
use super::ledger::{PAGE, rows};
use super::{frame, owed, owed_notice};
use crate::components::heading::PageHeading;
use crate::components::table::Table;
use crate::components::{form, money, time};
use crate::context::{PageRequest, load, page_request};
use crate::query::Query;

/// The page.
#[component]
pub fn Credits() -> impl IntoView {
    let request = page_request();
    let query = Query::of_page(&["type", "after"]);
    load(async move {
        let (db, actor) = (&request.db, &request.actor);
        let balance = ledger::balance(db, actor).await?;
        let holds = ledger::open_holds(db, actor).await?;
        let owed = owed(&request).await?;
        let filter = EntryFilter {
            kind: query.get("type").and_then(EntryKind::parse),
            after: query.get("after").and_then(|text| text.parse().ok()),
        };
        let page = ledger::entries(db, actor, &filter, PAGE).await?;
        let elsewhere = request.form.of_no_section();
        Ok(view! {
            <PageHeading title="Credits" lead="Held while a task runs, paid when it completes, returned when it does not." />
            {frame("/credits", &request)}
            {form::errors(&elsewhere, &[])}
            {owed_notice(owed)}
            {figures(&balance)}
            {open_holds(&holds, &request)}
            {buy(&request)}
            {rows(&page.items, &query, page.next.as_ref(), &request)}
        })
    })
}

fn figures(b: &Balance) -> AnyView {
    view! {
        <dl class="tiles tiles-six">
            <div class="tile tile-strong"><dt>"Available"</dt><dd>{money::amount(b.available)}</dd></div>
            <div class="tile"><dt>"Held by running tasks"</dt><dd>{money::amount(b.held)}</dd></div>
            <div class="tile"><dt>"Total"</dt><dd>{money::amount(b.total())}</dd></div>
            <div class="tile"><dt>"Earned"</dt><dd>{money::amount(b.earned)}</dd></div>
            <div class="tile"><dt>"Spent"</dt><dd>{money::amount(b.spent)}</dd></div>
            <div class="tile"><dt>"Bought"</dt><dd>{money::amount(b.purchased)}</dd></div>
        </dl>
    }
    .into_any()
}

/// Nothing, when nothing is held.
fn open_holds(holds: &[Hold], request: &PageRequest) -> AnyView {
    let rows: Vec<_> = holds
        .iter()
        .map(|h| {
            view! {
                <tr>
                    <td class="cell-title">
                        <a href=format!("/tasks/{}", h.task)>{h.title.clone()}</a>
                        <span class="small mute block">{h.agent.clone()}</span>
                    </td>
                    <td class="nowrap" data-label="Since">{time::ago(h.since, request.now)}</td>
                    <td class="nowrap" data-label="Ends by">{h.until.map(time::exact)}</td>
                    <td class="right nowrap" data-label="Held">{money::amount(h.amount)}</td>
                </tr>
            }
        })
        .collect();
    let head = vec![("Task", false), ("Since", false), ("Ends by", false), ("Held", true)];
    (!rows.is_empty())
        .then(|| {
            view! {
                <section id="holds">
                    <h2>"Open holds"</h2>
                    <Table caption="Open holds" head=head cards=true>{rows}</Table>
                </section>
            }
        })
        .into_any()
}
