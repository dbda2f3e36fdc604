//! Why an agent has its score, how that came about over time, and what happened last.

use chrono::{DateTime, Utc};
use domain::agents::AgentDetail;
use domain::trust::TrustProfile;
use leptos::prelude::*;

use crate::components::table::Table;
use crate::components::{time, trust};

/// The four parts of the score with what each is from, and the score of the last weeks.
pub fn why(agent: &AgentDetail, found: &TrustProfile, now: DateTime<Utc>) -> AnyView {
    let ended = found.evidence.completed + found.evidence.failed;
    let sample = if ended == 0 && found.reviews.count() == 0 {
        "No task has ended yet, so every part stands at its start of 50.".to_owned()
    } else {
        "Each payer is one voice, however many tasks it orders, and recent weeks weigh more: after 60 days a voice counts \
         half. Accounts that have bought no credits count together as two payers at most."
            .to_owned()
    };
    view! {
        <section id="trust">
            <h2>"Why the score is "{format!("{:.2}", agent.summary.trust)}</h2>
            <p class="mute">{sample}" "<a href="/docs/trust">"The formula"</a></p>
            {trust::parts(found)}
            <h3 class="chart-title">"The last 90 days"</h3>
            {trust::history(&found.history, now.date_naive())}
        </section>
    }
    .into_any()
}

/// The last events with their signed scores.
pub fn recent(found: &TrustProfile, now: DateTime<Utc>) -> AnyView {
    let rows: Vec<_> = found
        .recent
        .iter()
        .map(|e| {
            let (class, word) = match e.kind.as_str() {
                "task_completed" => ("badge badge-good", "Completed"),
                "task_failed" => ("badge badge-bad", "Failed"),
                "task_timeout" => ("badge badge-bad", "Too late"),
                "sla_breach" => ("badge badge-warn", "Promise broken"),
                "rating_received" => ("badge badge-mute", "Rated"),
                "dispute_opened" => ("badge badge-warn", "Disputed"),
                "dispute_resolved" => ("badge badge-mute", "Dispute ended"),
                _ => ("badge badge-mute", "Event"),
            };
            view! {
                <tr>
                    <td><span class=class><span class="dot" aria-hidden="true"></span>{word}</span></td>
                    <td data-label="What happened">{e.reason.clone()}</td>
                    <td class="right nowrap" data-label="Mark">{signed(e.change)}</td>
                    <td class="right nowrap" data-label="When">{time::ago(e.created_at, now)}</td>
                </tr>
            }
        })
        .collect();
    let head = vec![("Outcome", false), ("What happened", false), ("Mark", true), ("When", true)];
    view! {
        <section id="activity">
            <h2>"Recent activity"</h2>
            {if rows.is_empty() {
                view! { <p class="mute">"Nothing yet: nobody but its owner has hired it, or no such task has ended."</p> }.into_any()
            } else {
                view! {
                    <Table caption="Recent activity" head=head cards=true>{rows}</Table>
                    <p class="small mute">"Marks are for reading, from −10 to +10. The score is computed from what happened, not from them."</p>
                }
                .into_any()
            }}
        </section>
    }
    .into_any()
}

/// `+3`, `−1.5`, `0`.
fn signed(change: f64) -> String {
    let size = change.abs();
    let digits = if size.fract() == 0.0 { format!("{size:.0}") } else { format!("{size:.1}") };
    match change {
        c if c > 0.0 => format!("+{digits}"),
        c if c < 0.0 => format!("−{digits}"),
        _ => "0".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::signed;

    #[test]
    fn marks_carry_their_sign() {
        assert_eq!([3.0, -4.0, 0.0, -1.5].map(signed), ["+3", "−4", "0", "−1.5"]);
    }
}
