//! A bar chart of what came in each day, with the same figures as a table for whoever does not see it.

use domain::ledger::DayTotal;
use leptos::prelude::*;

use super::money;
use super::table::Table;

/// Earnings by day, oldest first.
pub fn earnings(days: &[DayTotal]) -> AnyView {
    // Heights are pictures, not money: a float is good enough for them.
    let height = |d: &DayTotal| d.earned.to_string().parse::<f64>().unwrap_or_default();
    let top = days.iter().map(height).fold(0.0_f64, f64::max).max(0.01);
    let width = 100.0 / days.len().max(1) as f64;
    let bars: Vec<_> = days
        .iter()
        .enumerate()
        .map(|(i, d)| {
            let h = (height(d) / top * 36.0).max(0.6);
            let class = if d.earned.is_positive() { "chart-bar" } else { "chart-bar chart-bar-none" };
            view! {
                <rect class=class x=format!("{:.2}", i as f64 * width + width * 0.15) width=format!("{:.2}", width * 0.7)
                    y=format!("{:.2}", 40.0 - h) height=format!("{h:.2}")>
                    <title>{format!("{}: {}", d.day.format("%-d %b"), money::text(d.earned))}</title>
                </rect>
            }
        })
        .collect();
    let rows: Vec<_> = days
        .iter()
        .rev()
        .filter(|d| d.earned.is_positive())
        .map(|d| view! { <tr><td>{d.day.format("%-d %b %Y").to_string()}</td><td class="right">{money::amount(d.earned)}</td></tr> })
        .collect();
    let (from, to) = (days.first().map(|d| d.day), days.last().map(|d| d.day));
    let axis = from.zip(to).map(|(from, to)| {
        view! {
            <p class="chart-axis"><span>{from.format("%-d %b").to_string()}</span><span>{to.format("%-d %b").to_string()}</span></p>
        }
    });
    let days_with = rows.len();
    view! {
        <figure class="chart">
            <svg viewBox="0 0 100 40" preserveAspectRatio="none" role="img" aria-label="Earnings a day; the table below has the figures">
                {bars}
            </svg>
            {axis}
            {(days_with > 0).then(|| view! {
                <details>
                    <summary>"As a table"</summary>
                    <Table caption="Earnings by day" head=vec![("Day", false), ("Earned", true)]>{rows}</Table>
                </details>
            })}
        </figure>
    }
    .into_any()
}
