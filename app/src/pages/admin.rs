//! What operators see: open disputes, and one of them with all that was said and done.

use domain::tasks::disputes::{self, Dispute};
use domain::{Missing, TaskId};
use leptos::prelude::*;

use super::task::{offer_words, statements};
use crate::components::field::Field;
use crate::components::heading::PageHeading;
use crate::components::notice::{Notice, Tone};
use crate::components::table::Table;
use crate::components::{content, form, money, time};
use crate::context::{PageRequest, load, page_request};
use crate::query::path_segment;

/// The list.
#[component]
pub fn Disputes() -> impl IntoView {
    let request = page_request();
    load(async move {
        let open = disputes::open_ones(&request.db, &request.actor).await?;
        let rows: Vec<_> = open.iter().map(|d| row(d, &request)).collect();
        let head =
            vec![("Task", false), ("Between", false), ("Paid", true), ("Opened", true), ("The clock decides", true)];
        Ok(view! {
            <PageHeading title="Open disputes" lead="The one that the clock decides first comes first." />
            {if rows.is_empty() {
                view! { <p class="mute">"No dispute is open."</p> }.into_any()
            } else {
                view! { <Table caption="Open disputes" head=head cards=true>{rows}</Table> }.into_any()
            }}
        })
    })
}

fn row(d: &Dispute, request: &PageRequest) -> AnyView {
    let due = d.answer_by.unwrap_or(d.decide_by);
    view! {
        <tr>
            <td class="cell-title"><a href=format!("/admin/disputes/{}", d.task)>{d.title.clone()}</a>
                <span class="small mute block">{d.agent_name.clone()}</span></td>
            <td data-label="Between">{d.requester.clone()}" and "{d.provider.clone()}</td>
            <td class="right nowrap" data-label="Paid">{money::amount(d.paid)}</td>
            <td class="right nowrap" data-label="Opened">{time::ago(d.opened_at, request.now)}</td>
            <td class="right nowrap" data-label="The clock decides">{time::exact(due)}</td>
        </tr>
    }
    .into_any()
}

/// One dispute.
#[component]
pub fn DisputePage() -> impl IntoView {
    let request = page_request();
    let id = path_segment::<TaskId>("task", Missing::Task);
    load(async move {
        let (dispute, task) = disputes::evidence(&request.db, &request.actor, id?).await?;
        let s = &task.summary;
        let artifacts: Vec<_> = content::artifacts(s.id, &task.artifacts);
        Ok(view! {
            <nav class="crumbs" aria-label="Breadcrumb"><a href="/admin">"Open disputes"</a></nav>
            <PageHeading title=dispute.title.clone() lead=format!("{} by {}, for {}", dispute.agent_name, dispute.provider, dispute.requester) />
            <div class="with-aside">
                <div class="stack">
                    <section class="panel stack"><h2>"What the sides say"</h2>{statements(&dispute, request.now)}</section>
                    <section><h2>"Conversation"</h2>{content::messages(&task.messages, &s.agent_name, &s.requester_name)}</section>
                    {(!artifacts.is_empty()).then(|| view! { <section class="stack"><h2>"Result"</h2>{artifacts}</section> })}
                </div>
                <aside class="aside stack" aria-label="Decision">{decision(&dispute, &request)}</aside>
            </div>
        })
    })
}

fn decision(d: &Dispute, request: &PageRequest) -> AnyView {
    let facts = view! {
        <dl class="bill">
            <div><dt>"Paid"</dt><dd>{money::amount(d.paid)}</dd></div>
            <div><dt>"In escrow"</dt><dd>{money::amount(d.escrow)}</dd></div>
            <div><dt>"Opened"</dt><dd>{time::ago(d.opened_at, request.now)}</dd></div>
            {d.answer_by.map(|at| view! { <div><dt>"Provider to answer by"</dt><dd>{time::exact(at)}</dd></div> })}
            <div><dt>"Clock decides by"</dt><dd>{time::exact(d.decide_by)}</dd></div>
        </dl>
    };
    if let Some(made) = d.decision {
        let words = format!("{} of {} go back to the requester.", money::text(made.refund), money::text(d.paid));
        return view! { <div class="panel">{facts}<Notice tone=Tone::Note><p><strong>"Decided. "</strong>{words}</p></Notice></div> }.into_any();
    }
    let typed = &request.form;
    view! {
        <div class="panel">
            {facts}
            {offer_words(d).map(|words| view! { <p>{words}</p> })}
            <form method="post" action=format!("/admin/disputes/{}/decide", d.task) class="form">
                {form::errors(typed, &["refund", "statement"])}
                {Field::new("refund", "Refund to the requester").inputmode("decimal").required(true)
                    .hint(format!("0.00 leaves all with the provider, {} returns all.", d.paid)).show(typed)}
                {Field::new("statement", "Why").lines(4).required(true).maxlength(Some(5000))
                    .hint("Both sides read it.").show(typed)}
                <button type="submit" class="button button-primary button-wide">"Decide"</button>
            </form>
            <p class="small mute">"It cannot be changed afterwards."</p>
        </div>
    }
    .into_any()
}
