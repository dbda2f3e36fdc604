//! What a requester says of a result: accept it, rate it.

use chrono::{DateTime, Utc};
use domain::tasks::{Role, TaskState};
use leptos::prelude::*;

use super::Shown;
use crate::components::field::Field;
use crate::components::{form, reviews};
use crate::context::Form;

pub(super) fn judge(shown: &Shown, typed: &Form, now: DateTime<Utc>) -> AnyView {
    let task = &shown.task;
    let s = &task.summary;
    if s.state != TaskState::Completed {
        return ().into_any();
    }
    if let Some(review) = &shown.review {
        return view! { <section class="panel"><h2>"The requester's review"</h2>{reviews::one(review, now)}</section> }
            .into_any();
    }
    // Free tasks and one's own agents are not rated: nothing was at stake.
    if s.role != Role::Requester || task.hold.as_deref() != Some("settled") || !task.cost.is_positive() {
        return accept_alone(shown);
    }
    let typed = typed.of_section("rating");
    let wrong =
        typed.error("stars").map(|w| view! { <p class="field-error" id="stars-error">{format!("The stars {w}.")}</p> });
    let chosen = typed.value("stars").unwrap_or_default().to_owned();
    let stars: Vec<_> = [("5", "Excellent"), ("4", "Good"), ("3", "Fair"), ("2", "Poor"), ("1", "Useless")]
        .into_iter()
        .map(|(n, word)| {
            let id = format!("stars-{n}");
            view! {
                <span class="choice">
                    <input type="radio" name="stars" value=n id=id.clone() required checked=chosen == n />
                    <label for=id>{format!("{n} – {word}")}</label>
                </span>
            }
        })
        .collect();
    view! {
        <form method="post" action=format!("/tasks/{}/rating", s.id) class="panel form" id="rating">
            <h2>"How was it?"</h2>
            {form::errors(&typed, &["stars", "text"])}
            {form::hidden("section", "rating".into())}
            <fieldset class="choices"><legend>"Stars"</legend>{stars}{wrong}</fieldset>
            {Field::new("text", "In your words").lines(3).maxlength(Some(2000))
                .hint("Everybody may read it, with your name. It cannot be changed.").show(&typed)}
            <div class="form-actions"><button type="submit" class="button button-primary">"Rate it"</button></div>
        </form>
        {accept_alone(shown)}
    }
    .into_any()
}

/// The button that accepts a result, as long as it could still be disputed.
fn accept_alone(shown: &Shown) -> AnyView {
    let task = &shown.task;
    let open = task.summary.role == Role::Requester && task.accepted_at.is_none() && shown.dispute.is_none();
    (open && task.cost.is_positive())
        .then(|| {
            let action = format!("/tasks/{}/accept", task.summary.id);
            view! {
                <section class="panel">
                    <h2>"Is it what you ordered?"</h2>
                    <p class="mute small">"Accepting says so for good. Say nothing, and it counts as accepted a week after its completion."</p>
                    {form::one_button(&action, "button", "Accept the result", Vec::new())}
                </section>
            }
        })
        .into_any()
}
