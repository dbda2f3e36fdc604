//! Trust as people see it: the score, what it is made of, and from how much.

use domain::trust::{Evidence, Parts};
use leptos::prelude::*;

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
pub fn parts(parts: &Parts, evidence: &Evidence) -> AnyView {
    let ended = evidence.completed + evidence.failed;
    let rows = [
        ("Reliability", "40 %", parts.reliability, format!("{} of {ended} tasks completed", evidence.completed)),
        ("Speed", "20 %", parts.speed, format!("from {} completed tasks", evidence.completed)),
        ("Quality", "25 %", parts.quality, format!("from {} ratings", evidence.rating_count)),
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
