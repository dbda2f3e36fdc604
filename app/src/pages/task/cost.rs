//! What a task costs, and what its parties can do with it.

use chrono::{DateTime, Utc};
use domain::tasks::{Role, TaskState};
use leptos::prelude::*;

use super::Shown;
use crate::components::{form, money, time};
use crate::query::encode;

pub(super) fn cost(shown: &Shown, now: DateTime<Utc>) -> AnyView {
    let task = &shown.task;
    let s = &task.summary;
    let mine = s.role == Role::Requester;
    let disputed = shown.dispute.as_ref().filter(|d| d.decision.is_none());
    let (word, class) = match task.hold.as_deref() {
        Some("pending") => ("Held", "badge badge-busy"),
        Some("settled") if disputed.is_some() => ("Disputed", "badge badge-warn"),
        Some("settled") => ("Paid", "badge badge-good"),
        Some("refunded") => ("Returned", "badge badge-mute"),
        _ => ("No credits moved", "badge badge-mute"),
    };
    let settled = task.hold.as_deref() == Some("settled");
    let less = (settled && (s.price - task.cost).is_positive()).then(|| {
        view! {
            <div><dt>"The work cost"</dt><dd>{money::amount(task.cost)}</dd></div>
            <div><dt>{if mine { "Returned" } else { "Returned to the requester" }}</dt><dd>{money::amount(s.price - task.cost)}</dd></div>
        }
    });
    let decision = shown.dispute.as_ref().and_then(|d| d.decision);
    let refunded = decision.filter(|d| d.refund.is_positive()).map(|d| {
        view! {
            <div><dt>"Refunded after a dispute"</dt><dd>{money::amount(d.returned)}</dd></div>
            {d.owed.is_positive().then(|| view! { <div><dt>"Still owed of it"</dt><dd>{money::amount(d.owed)}</dd></div> })}
        }
    });
    let earned = (!mine && settled && disputed.is_none()).then(|| {
        let kept = task.cost - decision.map(|d| d.refund).unwrap_or_default();
        let (fee, net) = (kept.fee(), kept - kept.fee());
        view! {
            <div><dt>"Platform fee, 5 %"</dt><dd>{money::amount(fee)}</dd></div>
            <div class="bill-total"><dt>"Earned"</dt><dd>{money::amount(net)}</dd></div>
        }
    });
    let took = s.completed_at.zip(s.started_at).map(|(end, start)| {
        view! { <div><dt>"Took"</dt><dd>{time::duration_text(end - start)}</dd></div> }
    });
    let attempts = task.attempts.last().filter(|a| a.number > 1).map(|a| {
        view! { <div><dt>"Attempts"</dt><dd>{a.number}</dd></div> }
    });
    let deadline = task
        .timeout_at
        .filter(|_| !s.state.is_terminal() && s.waiting.is_none())
        .map(|at| view! { <div><dt>"Must end by"</dt><dd>{time::exact(at)}</dd></div> });
    let accepted = task.accepted_at.map(|at| view! { <div><dt>"Accepted"</dt><dd>{time::ago(at, now)}</dd></div> });
    view! {
        <div class="panel">
            <dl class="bill">
                <div><dt>"Price"</dt><dd>{money::amount(s.price)}</dd></div>
                <div><dt>"Credits"</dt><dd><span class=class><span class="dot" aria-hidden="true"></span>{word}</span></dd></div>
                {less}
                {refunded}
                {earned}
                {took}
                {attempts}
                {deadline}
                {accepted}
            </dl>
            {mine.then(|| actions(shown))}
        </div>
    }
    .into_any()
}

/// What the requester can do.
fn actions(shown: &Shown) -> AnyView {
    let task = &shown.task;
    let s = &task.summary;
    let Some(agent) = s.agent else { return ().into_any() };
    if !s.state.is_terminal() {
        return form::one_button(
            &format!("/tasks/{}/cancel", s.id),
            "button button-wide",
            "Cancel the task",
            Vec::new(),
        );
    }
    let class = if s.dead_letter || s.state == TaskState::Failed {
        "button button-primary button-wide"
    } else {
        "button button-wide"
    };
    let again = form::one_button(
        &format!("/tasks/{}/again", s.id),
        class,
        "Send it again",
        vec![("price", s.price.to_string())],
    );
    let skill = task.skill.as_deref().map(|k| format!("skill={}", encode(k))).unwrap_or_default();
    let on = (s.state == TaskState::Completed).then(|| {
        let to = format!("/marketplace/{agent}/hire?{skill}&follows={}", s.id);
        view! { <a class="button button-wide" href=to>"Go on with it"</a> }
    });
    view! {
        {again}
        {on}
        <a class="button button-wide" href=format!("/marketplace/{agent}/hire?{skill}")>"Hire the agent again"</a>
        <p class="small mute">"Sending again orders the same anew. Going on keeps the conversation, where the agent does."</p>
    }
    .into_any()
}
