//! Trust as people see it: the score, what it is made of, and from how much.

use chrono::NaiveDate;
use domain::trust::{HISTORY_DAYS, TrustProfile};
use leptos::prelude::*;

use super::table::Table;

/// The score with a bar and the number of tasks it is from.
pub fn meter(score: f64, sample: i64) -> AnyView {
    let from = match sample {
        0 => "new, no tasks yet".to_owned(),
        1 => "from 1 task".to_owned(),
        n => format!("from {n} tasks"),
    };
    view! {
        <span class="trust">
            <span class="trust-score">{format!("{score:.2}")}</span>
            {bar(score, format!("Trust {score:.2} of 100"))}
            <span class="trust-sample">{from}</span>
        </span>
    }
    .into_any()
}

/// A bar of `value` out of 100.
pub fn bar(value: f64, label: String) -> AnyView {
    view! {
        <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label=label>
            <rect class="bar-ground" width="100" height="6" rx="3" />
            <rect class="bar-fill" width=format!("{:.1}", value.clamp(0.0, 100.0)) height="6" rx="3" />
        </svg>
    }
    .into_any()
}

/// The four parts, their weights, and what each is from.
pub fn parts(found: &TrustProfile) -> AnyView {
    let (parts, heard, counted) = (&found.parts, &found.heard, &found.evidence);
    let ended = counted.completed + counted.failed;
    let rows = [
        (
            "Reliability",
            "40 %",
            parts.reliability,
            if ended == 0 {
                "no task has ended".to_owned()
            } else {
                format!("{} of {} completed; {}", counted.completed, tasks(ended), payers(heard.done.weight))
            },
        ),
        ("Speed", "20 %", parts.speed, format!("how soon tasks were done; {}", payers(heard.speed.weight))),
        (
            "Quality",
            "25 %",
            parts.quality,
            format!("{}; {}", ratings(found.reviews.count()), payers(heard.rating.weight)),
        ),
        ("Tenure", "15 %", parts.tenure, "from age, as far as completed work bears it out".to_owned()),
    ]
    .map(|(name, weight, value, from)| {
        view! {
            <li class="trust-part">
                <span class="trust-part-name">{name}<span class="mute">{format!(" · {weight}")}</span></span>
                <span class="trust-part-value">{format!("{value:.1}")}</span>
                {bar(value, format!("{name} {value:.1} of 100"))}
                <span class="trust-sample">{from}</span>
            </li>
        }
    });
    view! { <ul class="trust-parts">{rows.into_iter().collect_view()}</ul> }.into_any()
}

fn tasks(n: i64) -> String {
    if n == 1 { "1 task".to_owned() } else { format!("{n} tasks") }
}

fn ratings(n: i64) -> String {
    if n == 1 { "1 rating".to_owned() } else { format!("{n} ratings") }
}

/// An effective number of payers: old work and accounts that bought nothing count for less than one.
pub fn payers(weight: f64) -> String {
    if weight == 0.0 { "no payers yet".to_owned() } else { format!("counts as {weight:.1} payers") }
}

/// The scores of the last days, oldest first, as a line that holds until the next one. The days and figures stand beside
/// it as a table.
pub fn history(days: &[(NaiveDate, f64)], today: NaiveDate) -> AnyView {
    let Some((first, score)) = days.first().copied() else {
        return view! { <p class="mute">"No score has been computed in this time."</p> }.into_any();
    };
    let last = days.last().map_or(score, |d| d.1);
    let label = format!(
        "Trust from {score:.2} on {} to {last:.2} now; the table below has the figures",
        first.format("%-d %b")
    );
    let rows: Vec<_> = days
        .iter()
        .rev()
        .map(|(day, score)| view! { <tr><td>{day.format("%-d %b %Y").to_string()}</td><td class="right">{format!("{score:.2}")}</td></tr> })
        .collect();
    let scale = [(0.0, "100"), (50.0, "50"), (100.0, "0")].map(|(y, word)| {
        view! { <text x="100%" y=format!("{y}%") text-anchor="end" dominant-baseline="middle">{word}</text> }
    });
    let from = today - chrono::TimeDelta::days(HISTORY_DAYS - 1);
    view! {
        <figure class="chart chart-usage chart-trust">
            <svg class="chart-scale" aria-hidden="true">{scale.into_iter().collect_view()}</svg>
            <svg class="chart-plot" viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label=label>
                <line class="chart-zero" x1="0" x2="100" y1="50" y2="50" />
                <path class="chart-line" d=line(days, today) />
            </svg>
            <p class="chart-axis"><span>{from.format("%-d %b").to_string()}</span><span>"Today"</span></p>
            <details>
                <summary>"As a table"</summary>
                <Table caption="Trust by day" head=vec![("Day", false), ("Score", true)]>{rows}</Table>
            </details>
        </figure>
    }
    .into_any()
}

/// The path of the line in a field of 100 by 100: across by day, up by score.
fn line(days: &[(NaiveDate, f64)], today: NaiveDate) -> String {
    let across = |day: NaiveDate| 100.0 - (today - day).num_days() as f64 / (HISTORY_DAYS - 1) as f64 * 100.0;
    let mut path = String::new();
    for (day, score) in days {
        let (x, y) = (across(*day).clamp(0.0, 100.0), 100.0 - score.clamp(0.0, 100.0));
        path.push_str(&if path.is_empty() { format!("M{x:.2} {y:.2}") } else { format!("H{x:.2}V{y:.2}") });
    }
    // One day alone is a line too: what it says holds until now, and a day long for today.
    let end = if days.last().is_some_and(|d| d.0 == today) && days.len() == 1 { "h-1" } else { "H100" };
    path + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_steps_from_day_to_day_and_ends_today() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 31).unwrap_or_default();
        let ago = |days| today - chrono::TimeDelta::days(days);
        assert_eq!(line(&[(ago(89), 50.0), (ago(0), 75.0)], today), "M0.00 50.00H100.00V25.00H100");
        assert_eq!(line(&[(today, 60.0)], today), "M100.00 40.00h-1");
        assert_eq!([0.0, 2.34].map(payers), ["no payers yet", "counts as 2.3 payers"]);
    }
}
