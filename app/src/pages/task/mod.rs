//! A task's page. All that changes while the task runs is one part of it, rendered by [`live_html`] too, so that
//! what is pushed is what a reload would show.

mod cost;
mod dispute;
mod judge;
mod timeline;

use chrono::{DateTime, Utc};
use domain::tasks::disputes::{self, Dispute};
use domain::tasks::{self, Role, TaskDetail, TaskState, Waiting};
use domain::trust::{self, Review};
use domain::{Actor, Db, Missing, TaskId};
use leptos::prelude::*;

pub use dispute::{offer_words, statements};

use crate::components::field::Field;
use crate::components::mark::agent_mark;
use crate::components::notice::{Notice, Tone};
use crate::components::title::DocumentTitle;
use crate::components::{badges, content, form};
use crate::context::{Form, load, page_request};
use crate::islands::LiveTask;
use crate::query::path_segment;

/// A task with what was said of its result.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The task.
    pub task: TaskDetail,
    /// The dispute about it.
    pub dispute: Option<Dispute>,
    /// Its requester's review.
    pub review: Option<Review>,
}

impl Shown {
    /// Loads a task that the actor has a part in.
    ///
    /// # Errors
    /// [`domain::Error::NotFound`] when they have none.
    pub async fn load(db: &Db, actor: &Actor, id: TaskId) -> domain::Result<Shown> {
        let task = tasks::detail(db, actor, id).await?;
        // Nobody judges what has not been done.
        let done = task.summary.state == TaskState::Completed;
        Ok(Shown {
            dispute: if done { disputes::find(db, actor, id).await? } else { None },
            review: if done { trust::review_of(db, actor, id).await? } else { None },
            task,
        })
    }
}

/// The page.
#[component]
pub fn Task() -> impl IntoView {
    let request = page_request();
    let id = path_segment::<TaskId>("id", Missing::Task);
    load(async move {
        let shown = Shown::load(&request.db, &request.actor, id?).await?;
        let task = &shown.task;
        let id = task.summary.id;
        let over = task.summary.state.is_terminal();
        let refused = request.form.clone();
        let elsewhere = refused.of_no_section();
        Ok(view! {
            <DocumentTitle text=format!("{} · NEXUS", task.summary.title) />
            <nav class="crumbs" aria-label="Breadcrumb"><a href="/tasks">"Tasks"</a></nav>
            {form::errors(&elsewhere, &[])}
            <div id="task-live">{live(&shown, &refused, request.now)}</div>
            {(!over).then(|| view! {
                <LiveTask url=format!("/tasks/{id}/live?seen={}", task.last_seq) target="task-live".to_owned() />
                {(!task.asks_actor()).then(|| view! {
                    <noscript>
                        <meta http-equiv="refresh" content="2" />
                        <p class="mute small">"This page reloads itself until the task has ended. "<a href=format!("/tasks/{id}")>"Reload now"</a></p>
                    </noscript>
                })}
            })}
        })
    })
}

/// The part of the page that changes, as HTML.
pub fn live_html(shown: &Shown, now: DateTime<Utc>) -> String {
    live(shown, &Form::default(), now).to_html()
}

fn live(shown: &Shown, typed: &Form, now: DateTime<Utc>) -> AnyView {
    let task = &shown.task;
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
                <p class="mute">{badges::task_state(s)}<span>{agent}{skill}{ordered}</span></p>
                {kin(task)}
            </div>
        </header>
        <div class="with-aside">
            <div class="stack">
                {progress(task)}
                {results(task)}
                {conversation(task)}
                {reply(task, typed)}
                {judge::judge(shown, typed, now)}
                {dispute::dispute(shown, typed, now)}
                {timeline::attempts(task, now)}
            </div>
            <aside class="aside stack" aria-label="Cost and history">{cost::cost(shown, now)}{timeline::history(task, now)}</aside>
        </div>
    }
    .into_any()
}

/// The tasks that this one repeats or goes on from.
fn kin(task: &TaskDetail) -> AnyView {
    let link = |word: &'static str, id: TaskId| {
        view! { <p class="small mute">{word}" "<a href=format!("/tasks/{id}")>"an earlier task"</a></p> }
    };
    view! {
        {task.retry_of.map(|id| link("Sent again after", id))}
        {task.follows.map(|id| link("Goes on from", id))}
    }
    .into_any()
}

/// What a screen reader says when the part has changed.
fn announcement(task: &TaskDetail) -> String {
    match (task.summary.state, task.summary.waiting) {
        (_, Some(_)) => "The agent asks something.".to_owned(),
        (TaskState::Running, None) => task.progress().map_or("The agent is working.".to_owned(), str::to_owned),
        (other, None) => format!("The task is {}.", other.label().to_lowercase()),
    }
}

fn progress(task: &TaskDetail) -> AnyView {
    let at_work = |words: String| {
        view! { <div class="working"><span class="spinner" aria-hidden="true"></span><p>{words}</p></div> }.into_any()
    };
    let s = &task.summary;
    if s.waiting.is_some() {
        let words = if s.role == Role::Requester {
            "The agent asks you something. Its clock stands still until you answer, at most 7 days."
        } else {
            "The agent asked its requester something. The clock stands still until they answer, at most 7 days."
        };
        return view! { <Notice tone=Tone::Warn><p>{words}</p></Notice> }.into_any();
    }
    // An agent that fails at once is tried again before the task counts as running.
    let retried = task.attempts.last().filter(|a| !s.state.is_terminal() && a.outcome.as_deref() == Some("retried"));
    if let Some(last) = retried {
        let why = last.error.clone().unwrap_or_else(|| "The call came to nothing".into());
        return at_work(format!("{why}. It is tried again."));
    }
    match s.state {
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
    let title = if task.summary.state.is_terminal() { "Result" } else { "Result so far" };
    (!artifacts.is_empty()).then(|| view! { <section class="stack"><h2>{title}</h2>{artifacts}</section> }).into_any()
}

fn conversation(task: &TaskDetail) -> AnyView {
    let s = &task.summary;
    (!task.messages.is_empty())
        .then(|| view! { <section><h2>"Conversation"</h2>{content::messages(&task.messages, &s.agent_name, &s.requester_name)}</section> }).into_any()
}

fn reply(task: &TaskDetail, typed: &Form) -> AnyView {
    let Some(waiting) = task.summary.waiting.filter(|_| task.asks_actor()) else { return ().into_any() };
    let typed = typed.of_section("reply");
    let hint = match waiting {
        Waiting::Input => "It is sent to the agent, which goes on from there.",
        Waiting::Auth => {
            "Do what the agent asks for where it says so, then tell it here. Never write a password into this field."
        }
    };
    view! {
        <form method="post" action=format!("/tasks/{}/reply", task.summary.id) enctype="multipart/form-data" class="panel form" id="reply">
            <h2>"Your answer"</h2>
            {form::errors(&typed, &["message", "file"])}
            {form::hidden("section", "reply".into())}
            {Field::new("message", "Message").lines(4).hint(hint).show(&typed)}
            {Field::new("file", "File").file().hint("If it asked for one; at most 2 MB.").show(&typed)}
            <div class="form-actions"><button type="submit" class="button button-primary">"Send"</button></div>
        </form>
    }
    .into_any()
}
