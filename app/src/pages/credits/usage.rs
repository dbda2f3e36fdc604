//! What was spent and earned, day by day.

use domain::Credits;
use domain::ledger::{self, PERIODS, UsageDay};
use leptos::prelude::*;

use super::frame;
use crate::components::empty::empty;
use crate::components::heading::PageHeading;
use crate::components::table::Table;
use crate::components::{chart, money};
use crate::context::{load, page_request};
use crate::query::Query;

/// The period that is shown when none is asked for.
const DAYS: i32 = 30;

/// The page.
#[component]
pub fn Usage() -> impl IntoView {
    let request = page_request();
    let query = Query::of_page(&["days"]);
    load(async move {
        let days = query.get("days").and_then(|d| d.parse().ok()).filter(|d| PERIODS.contains(d)).unwrap_or(DAYS);
        let usage = ledger::usage(&request.db, &request.actor, days, request.now.date_naive()).await?;
        let spent: Credits = usage.iter().map(|d| d.spent).sum();
        let earned: Credits = usage.iter().map(|d| d.earned).sum();
        let moved = usage.iter().any(|d| d.spent != Credits::ZERO || d.earned != Credits::ZERO);
        Ok(view! {
            <PageHeading title="Usage" lead="Spent on tasks, less what came back, and earned by your agents, less fees and what disputes took back. Days are UTC." />
            {frame("/credits/usage", &request)}
            {periods(days)}
            <dl class="tiles tiles-three">
                <div class="tile"><dt>{format!("Spent in {days} days")}</dt><dd>{money::amount(spent)}</dd></div>
                <div class="tile"><dt>{format!("Earned in {days} days")}</dt><dd>{money::amount(earned)}</dd></div>
                <div class="tile"><dt>"Earned less spent"</dt><dd>{money::signed(earned - spent)}</dd></div>
            </dl>
            {if moved {
                view! { <section class="panel">{chart::usage(&usage)}{table(&usage)}</section> }.into_any()
            } else {
                view! {
                    {empty("Nothing moved", "No credits were spent or earned in these days.", "/marketplace", "To the marketplace")}
                    {table(&usage)}
                }
                .into_any()
            }}
        })
    })
}

fn periods(here: i32) -> AnyView {
    let links: Vec<_> = PERIODS
        .iter()
        .map(|days| {
            let to = format!("/credits/usage?days={days}");
            view! { <li><a href=to aria-current=(*days == here).then_some("true")>{format!("{days} days")}</a></li> }
        })
        .collect();
    view! { <nav class="subtabs" aria-label="Period"><ul>{links}</ul></nav> }.into_any()
}

fn table(usage: &[UsageDay]) -> AnyView {
    let rows: Vec<_> = usage
        .iter()
        .rev()
        .map(|d| {
            view! {
                <tr>
                    <td class="nowrap">{d.day.format("%-d %b").to_string()}</td>
                    <td class="right nowrap">{money::amount(d.spent)}</td>
                    <td class="right nowrap">{money::amount(d.earned)}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <details class="figures-table">
            <summary>"The same as a table"</summary>
            <Table caption="Spent and earned by day" head=vec![("Day", false), ("Spent", true), ("Earned", true)]>{rows}</Table>
        </details>
    }
    .into_any()
}
