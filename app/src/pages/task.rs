//! A task's page. All that changes while the task runs is one part of it, rendered by [`live_html`] too, so that
//! what is pushed is what a reload would show.

use chrono::{DateTime, Utc};
use domain::tasks::{self, Event, Role, TaskDetail, TaskState, event_data_text};
use domain::{Missing, TaskId};
use leptos::prelude::*;

use crate::components::mark::agent_mark;
use crate::components::notice::{Notice, Tone};
use crate::components::title::DocumentTitle;
use crate::components::{badges, content, form, money, time};
use crate::context::{load, page_request};
use crate::islands::LiveTask;
use crate::query::path_segment;

/// The page.
#[component]
pub fn Task() -> impl IntoView {
    let request = page_request();
    let id = path_segment::<TaskId>("id", Missing::Task);
    load(async move {
        let task = tasks::detail(&request.db, &request.actor, id?).await?;
        let id = task.summary.id;
        let over = task.summary.state.is_terminal();
        let refused = request.form.clone();
        Ok(view! {
            <DocumentTitle text=format!("{} · NEXUS", task.summary.title) />
            <nav class="crumbs" aria-label="Breadcrumb"><a href="/tasks">"Tasks"</a></nav>
            {form::errors(&refused, &[])}
            <div id="task-live">{live(&task, request.now)}</div>
            {(!over).then(|| view! {
                <LiveTask url=format!("/tasks/{id}/live") target="task-live".to_owned() />
                <noscript>
                    <meta http-equiv="refresh" content="2" />
                    <p class="mute small">"This page reloads itself until the task has ended. "<a href=format!("/tasks/{id}")>"Reload now"</a></p>
                </noscript>
            })}
        })
    })
}

/// The part of the page that changes, as HTML.
pub fn live_html(task: &TaskDetail, now: DateTime<Utc>) -> String {
    live(task, now).to_html()
}

fn live(task: &TaskDetail, now: DateTime<Utc>) -> AnyView {
    let s = &task.summary;
    let mark = s.agent.map(|id| agent_mark(id, "mark-large"));
    let agent = match s.agent {
        Some(id) => view! { <a href=format!("/marketplace/{id}")>{s.agent_name.clone()}</a> }.into_any(),
        None => s.agent_name.clone().into_any(),
    };
    let skill = task.skill.clone().map(|skill| view! { <span>" · skill "<code>{skill}</code></span> });
    let ordered = (s.role == Role::Provider).then(|| view! { <span>" · for "{s.requester_name.clone()}</span> });
    view! {
        <header class="agent-head" data-announce=announcement(task)>
            {mark}
            <div>
                <h1>{s.title.clone()}</h1>
                <p class="mute">{badges::task_state(s.state)}<span>{agent}{skill}{ordered}</span></p>
            </div>
        </header>
        <div class="with-aside">
            <div class="stack">{progress(task)}{results(task)}{conversation(task)}</div>
            <aside class="aside stack" aria-label="Cost and history">{cost(task)}{history(task, now)}</aside>
        </div>
    }
    .into_any()
}

/// What a screen reader says when the part has changed.
fn announcement(task: &TaskDetail) -> String {
    match task.summary.state {
        TaskState::Running => task.progress().map_or("The agent is working.".to_owned(), str::to_owned),
        other => format!("The task is {}.", other.label().to_lowercase()),
    }
}

fn progress(task: &TaskDetail) -> AnyView {
    let at_work = |words: String| {
        view! { <div class="working"><span class="spinner" aria-hidden="true"></span><p>{words}</p></div> }.into_any()
    };
    match task.summary.state {
        TaskState::Pending | TaskState::Assigned => at_work("Queued: a worker is about to call the agent.".to_owned()),
        TaskState::Running => at_work(task.progress().map_or("The agent is working.".to_owned(), str::to_owned)),
        TaskState::Failed => {
            let why = task.error.clone().unwrap_or_else(|| "The agent did not complete it.".into());
            view! { <Notice tone=Tone::Bad><p><strong>"Failed. "</strong>{why}</p></Notice> }.into_any()
        }
        TaskState::Cancelled => {
            view! { <Notice tone=Tone::Note><p>"Cancelled by its requester."</p></Notice> }.into_any()
        }
        TaskState::Completed => ().into_any(),
    }
}

fn results(task: &TaskDetail) -> AnyView {
    let artifacts = content::artifacts(task.summary.id, &task.artifacts);
    (!artifacts.is_empty()).then(|| view! { <section class="stack"><h2>"Result"</h2>{artifacts}</section> }).into_any()
}

fn conversation(task: &TaskDetail) -> AnyView {
    let s = &task.summary;
    (!task.messages.is_empty())
        .then(|| view! { <section><h2>"Conversation"</h2>{content::messages(&task.messages, &s.agent_name, &s.requester_name)}</section> }).into_any()
}

fn cost(task: &TaskDetail) -> AnyView {
    let s = &task.summary;
    let mine = s.role == Role::Requester;
    let (word, class) = match task.hold.as_deref() {
        Some("pending") => ("Held", "badge badge-busy"),
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
    let earned = (!mine && settled).then(|| {
        let (fee, net) = (task.cost.fee(), task.cost - task.cost.fee());
        view! {
            <div><dt>"Platform fee, 5 %"</dt><dd>{money::amount(fee)}</dd></div>
            <div class="bill-total"><dt>"Earned"</dt><dd>{money::amount(net)}</dd></div>
        }
    });
    let took = s.completed_at.zip(s.started_at).map(|(end, start)| {
        view! { <div><dt>"Took"</dt><dd>{time::duration_text(end - start)}</dd></div> }
    });
    let attempts = (task.attempts > 1).then(|| view! { <div><dt>"Attempts"</dt><dd>{task.attempts}</dd></div> });
    let deadline = task
        .timeout_at
        .filter(|_| !s.state.is_terminal())
        .map(|at| view! { <div><dt>"Must end by"</dt><dd>{time::exact(at)}</dd></div> });
    let cancel = (mine && !s.state.is_terminal()).then(|| {
        form::one_button(&format!("/tasks/{}/cancel", s.id), "button button-wide", "Cancel the task", Vec::new())
    });
    let again = s
        .agent
        .filter(|_| mine && s.state.is_terminal())
        .map(|id| view! { <a class="button button-wide" href=format!("/marketplace/{id}/hire")>"Hire it again"</a> });
    view! {
        <div class="panel">
            <dl class="bill">
                <div><dt>"Price"</dt><dd>{money::amount(s.price)}</dd></div>
                <div><dt>"Credits"</dt><dd><span class=class><span class="dot" aria-hidden="true"></span>{word}</span></dd></div>
                {less}
                {earned}
                {took}
                {attempts}
                {deadline}
            </dl>
            {cancel}
            {again}
        </div>
    }
    .into_any()
}

fn history(task: &TaskDetail, now: DateTime<Utc>) -> AnyView {
    let item = |e: &Event| {
        view! { <li><span>{event_words(e)}</span><span class="small mute">{time::ago(e.created_at, now)}</span></li> }
    };
    let items: Vec<_> = task.events.iter().rev().filter(|e| e.kind != "progress").map(item).collect();
    let progress: Vec<_> = task.events.iter().rev().filter(|e| e.kind == "progress").map(item).collect();
    let progress = (!progress.is_empty()).then(|| {
        view! {
            <details id="progress">
                <summary>{format!("Progress ({})", progress.len())}</summary>
                <ol class="timeline">{progress}</ol>
            </details>
        }
    });
    view! {
        <div class="panel">
            <h2>"History"</h2>
            <ol class="timeline">{items}</ol>
            {progress}
            <p class="small mute">"Task "<code class="break">{task.summary.id.to_string()}</code></p>
        </div>
    }
    .into_any()
}

fn event_words(event: &Event) -> String {
    let said = event_data_text(event, "text");
    let why = event_data_text(event, "error");
    match event.kind.as_str() {
        "created" => "Ordered".into(),
        "assigned" => "Price held, queued".into(),
        "running" => "Agent called".into(),
        "progress" => said.to_owned(),
        "retry" if why.is_empty() => "To be tried again".into(),
        "retry" => format!("To be tried again: {why}"),
        "completed" => "Completed".into(),
        "failed" => "Failed".into(),
        "cancelled" => "Cancelled".into(),
        other => other.to_owned(),
    }
}
