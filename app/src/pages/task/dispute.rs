//! A task's dispute: opening one, what was said, and how it can end.

use chrono::{DateTime, Utc};
use domain::tasks::disputes::{self, DecidedBy, Dispute, Side};
use domain::tasks::{Role, TaskState};
use domain::{Credits, TaskId};
use leptos::prelude::*;

use super::Shown;
use crate::components::field::Field;
use crate::components::notice::{Notice, Tone};
use crate::components::{form, money, time};
use crate::context::Form;

pub(super) fn dispute(shown: &Shown, typed: &Form, now: DateTime<Utc>) -> AnyView {
    let task = &shown.task;
    let s = &task.summary;
    match &shown.dispute {
        Some(dispute) => existing(dispute, s.role, typed, now),
        None if s.state == TaskState::Completed
            && disputes::can_be_opened(s.role, s.completed_at, task.accepted_at.is_some(), task.cost, now) =>
        {
            opening(s.id, task.cost, typed)
        }
        None => ().into_any(),
    }
}

fn opening(id: TaskId, paid: Credits, typed: &Form) -> AnyView {
    let typed = typed.of_section("dispute");
    view! {
        <details class="panel" id="dispute" open=typed.is_sent()>
            <summary>"Something is wrong with the result"</summary>
            <form method="post" action=format!("/tasks/{id}/dispute") class="form">
                <p class="small mute">
                    {format!("The {} that you paid go back into escrow until it is decided. The provider has three days to answer: \
                              who says nothing gives in. You have a week from the completion. ", money::text(paid))}
                    <a href="/docs/disputes">"How disputes end"</a>
                </p>
                {form::errors(&typed, &["statement"])}
                {form::hidden("section", "dispute".into())}
                {Field::new("statement", "What is wrong").id_prefix("open-").lines(4).required(true).maxlength(Some(5000)).show(&typed)}
                <div class="form-actions"><button type="submit" class="button button-danger">"Reject and dispute"</button></div>
            </form>
        </details>
    }
    .into_any()
}

/// What was said, oldest first.
pub fn statements(dispute: &Dispute, now: DateTime<Utc>) -> AnyView {
    let items: Vec<_> = dispute
        .statements
        .iter()
        .map(|s| {
            let (class, word) = match s.side {
                Side::Requester => ("said said-requester", "requester"),
                Side::Provider => ("said said-agent", "provider"),
                Side::Operator => ("said said-operator", "operator"),
            };
            view! {
                <li class=class>
                    <p class="said-who">{s.author.clone()}" · "{word}" · "{time::ago(s.created_at, now)}</p>
                    <div class="text">{s.text.clone()}</div>
                </li>
            }
        })
        .collect();
    view! { <ol class="conversation">{items}</ol> }.into_any()
}

/// A proposal in words.
pub fn offer_words(dispute: &Dispute) -> Option<String> {
    let (by, refund) = dispute.offer?;
    let who = if by == Side::Provider { &dispute.provider } else { &dispute.requester };
    Some(format!("{who} proposes that {} of {} go back.", money::text(refund), money::text(dispute.paid)))
}

fn existing(d: &Dispute, role: Role, typed: &Form, now: DateTime<Utc>) -> AnyView {
    let state = match d.decision {
        Some(decision) => {
            let by = match decision.by {
                DecidedBy::Requester => "The requester took it back.",
                DecidedBy::Provider => "The provider gave in.",
                DecidedBy::Agreement => "Both sides agreed.",
                DecidedBy::Operator => "An operator decided.",
                DecidedBy::Timer => "Nobody decided in time, so the default holds.",
            };
            let words =
                format!("{by} {} of {} go back to the requester.", money::text(decision.refund), money::text(d.paid));
            view! { <Notice tone=Tone::Note><p><strong>"Decided. "</strong>{words}</p></Notice> }.into_any()
        }
        None => {
            let words = waiting_words(d);
            view! { <Notice tone=Tone::Warn><p><strong>"Open. "</strong>{words}</p></Notice> }.into_any()
        }
    };
    view! {
        <section class="panel stack" id="dispute">
            <h2>"Dispute"</h2>
            {state}
            {statements(d, now)}
            {d.decision.is_none().then(|| moves(d, role, typed))}
        </section>
    }
    .into_any()
}

fn waiting_words(d: &Dispute) -> AnyView {
    let escrow = format!("{} are in escrow. ", money::text(d.escrow));
    let clock = match d.answer_by {
        Some(at) => view! { "The provider is to answer by "{time::exact(at)}"; else all of it goes back." }.into_any(),
        None => view! { "If nobody decides by "{time::exact(d.decide_by)}", half goes back." }.into_any(),
    };
    view! { {escrow}{clock} }.into_any()
}

/// What a side can do.
fn moves(d: &Dispute, role: Role, typed: &Form) -> AnyView {
    let id = d.task;
    let mine = if role == Role::Requester { Side::Requester } else { Side::Provider };
    let typed_say = typed.of_section("say");
    let typed_offer = typed.of_section("offer");
    let accept = d.offer.filter(|(by, _)| *by != mine).map(|(_, refund)| {
        form::one_button(
            &format!("/tasks/{id}/dispute/accept"),
            "button button-primary",
            "Accept the proposal",
            vec![("refund", refund.to_string())],
        )
    });
    let give_in = if mine == Side::Requester { "Take the dispute back" } else { "Give in: return all of it" };
    view! {
        <div class="dispute-moves">
            {offer_words(d).map(|words| view! { <p><strong>{words}</strong></p> })}
            {accept}
            <form method="post" action=format!("/tasks/{id}/dispute/say") class="form">
                {form::errors(&typed_say, &["statement"])}
                {form::hidden("section", "say".into())}
                {Field::new("statement", "Your statement").id_prefix("say-").lines(3).required(true).maxlength(Some(5000)).show(&typed_say)}
                <div class="form-actions"><button type="submit" class="button">"Add it"</button></div>
            </form>
            <form method="post" action=format!("/tasks/{id}/dispute/offer") class="form">
                {form::errors(&typed_offer, &["refund"])}
                {form::hidden("section", "offer".into())}
                {Field::new("refund", "Propose a refund").inputmode("decimal").required(true)
                    .hint(format!("0.00 to {}. The other side can accept it.", d.paid)).show(&typed_offer)}
                <div class="form-actions"><button type="submit" class="button">"Propose it"</button></div>
            </form>
            {form::one_button(&format!("/tasks/{id}/dispute/give-in"), "button button-danger", give_in, Vec::new())}
        </div>
    }
    .into_any()
}
