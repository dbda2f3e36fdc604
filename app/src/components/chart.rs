//! Bar charts of what came in and went out each day; the same figures stand beside them as a table for whoever does
//! not see them.

use domain::Credits;
use domain::ledger::UsageDay;
use leptos::prelude::*;

use super::money;
use super::table::Table;

/// Earnings by day, oldest first.
pub fn earnings(days: &[UsageDay]) -> AnyView {
    let height = |d: &UsageDay| picture(d.earned);
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
        .filter(|d| d.earned != Credits::ZERO)
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

/// Spent and earned by day, oldest first: earned above the line and plain, spent below it and hatched, so that neither
/// the colour nor the legend is needed to tell them apart. All places are percentages, so that words keep their size.
pub fn usage(days: &[UsageDay]) -> AnyView {
    let most = |of: fn(&UsageDay) -> Credits| days.iter().map(|d| picture(of(d))).fold(0.0_f64, f64::max);
    let (up, down) = (ceiling(most(|d| d.earned)), ceiling(most(|d| d.spent)));
    let all = (up + down).max(0.01);
    let zero = up / all * 100.0;
    let width = 100.0 / days.len().max(1) as f64;
    let bars: Vec<_> = days
        .iter()
        .enumerate()
        .map(|(i, d)| {
            let x = format!("{:.3}%", i as f64 * width + width * 0.14);
            let w = format!("{:.3}%", width * 0.72);
            let words =
                format!("{}: {} earned, {} spent", d.day.format("%-d %b"), money::text(d.earned), money::text(d.spent));
            // A day on which more came back than was held has spent less than nothing; it has no bar.
            let (earned, spent) = (picture(d.earned).max(0.0) / all * 100.0, picture(d.spent).max(0.0) / all * 100.0);
            view! {
                <g>
                    <title>{words}</title>
                    <rect class="chart-bar" x=x.clone() width=w.clone() y=format!("{:.3}%", zero - earned) height=format!("{earned:.3}%") />
                    <rect class="chart-spent-edge" fill="url(#chart-spent)" x=x width=w y=format!("{zero:.3}%") height=format!("{spent:.3}%") />
                </g>
            }
        })
        .collect();
    let label = |y: f64, value: f64| {
        view! { <text x="100%" y=format!("{y:.3}%") text-anchor="end" dominant-baseline="middle">{value.to_string()}</text> }
    };
    let middle = days.len() / 2;
    let axis: Vec<_> = [Some(0), (days.len() > 2).then_some(middle), days.len().checked_sub(1)]
        .into_iter()
        .flatten()
        .filter_map(|i| days.get(i))
        .map(|d| view! { <span>{d.day.format("%-d %b").to_string()}</span> })
        .collect();
    view! {
        <figure class="chart chart-usage">
            <figcaption class="chart-legend">
                <span><svg class="chart-key" aria-hidden="true"><rect class="chart-bar" width="100%" height="100%" /></svg>"Earned, above the line"</span>
                <span><svg class="chart-key" aria-hidden="true"><rect class="chart-spent-edge" fill="url(#chart-spent)" width="100%" height="100%" /></svg>"Spent, below it"</span>
                <span class="mute">"in credits a day"</span>
            </figcaption>
            <svg class="chart-scale" aria-hidden="true">
                {(up > 0.0).then(|| label(0.0, up))}
                {label(zero, 0.0)}
                {(down > 0.0).then(|| label(100.0, down))}
            </svg>
            <svg class="chart-plot" role="img" aria-label="Spent and earned a day; the table below has the figures">
                <defs>
                    <pattern id="chart-spent" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                        <rect class="chart-spent-ground" width="6" height="6" />
                        <rect class="chart-spent-line" width="3" height="6" />
                    </pattern>
                </defs>
                {bars}
                <line class="chart-zero" x1="0" x2="100%" y1=format!("{zero:.3}%") y2=format!("{zero:.3}%") />
            </svg>
            <p class="chart-axis">{axis}</p>
        </figure>
    }
    .into_any()
}

/// An amount as the length of a bar. Bars are pictures, not money: a float is good enough for them.
fn picture(credits: Credits) -> f64 {
    credits.to_string().parse::<f64>().unwrap_or_default()
}

/// The next round number, at least 1; 0 stays 0.
fn ceiling(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let mut step = 1.0;
    loop {
        for round in [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0] {
            if value <= round * step {
                return round * step;
            }
        }
        step *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers() {
        let ends = [0.0, 0.3, 1.0, 9.5, 21.0, 50.0, 1_234.0].map(|v| ceiling(v).to_string());
        assert_eq!(ends, ["0", "1", "1", "10", "25", "50", "1500"]);
    }
}
