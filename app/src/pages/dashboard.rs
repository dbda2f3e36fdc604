//! The dashboard: what needs its reader, what came in, what is going on.

use domain::agents::{self, OwnedAgent};
use domain::ledger::payments::topup::{self, AutoTopup, TopupState};
use domain::ledger::{self, UsageDay};
use domain::tasks::{self, Role, TaskCounts, TaskFilter, TaskState, TaskSummary, Waiting};
use leptos::prelude::*;

use super::credits::owed;
use super::tasks::task_table;
use crate::components::empty::empty;
use crate::components::heading::PageHeading;
use crate::components::layout::tabs;
use crate::components::{chart, icons, money};
use crate::context::{Viewer, load, page_request, sentence};

/// How many days of earnings.
const DAYS: i32 = 30;

/// The page.
#[component]
pub fn Dashboard() -> impl IntoView {
    let request = page_request();
    load(async move {
        let viewer = request.viewer.clone().ok_or(domain::Error::Unauthorized)?;
        let (db, actor) = (&request.db, &request.actor);
        let mine = agents::mine(db, actor).await?;
        let counts = tasks::counts(db, actor).await?;
        let ordered = TaskFilter { role: Some(Role::Requester), ..TaskFilter::default() };
        let ordered = tasks::list(db, actor, &ordered, 5).await?.items;
        let asking = TaskFilter { role: Some(Role::Requester), asking: true, ..TaskFilter::default() };
        let asking = tasks::list(db, actor, &asking, 5).await?.items;
        let served = TaskFilter { role: Some(Role::Provider), ..TaskFilter::default() };
        let served = tasks::list(db, actor, &served, 5).await?.items;
        let days = ledger::usage(db, actor, DAYS, request.now.date_naive()).await?;
        let topup = topup::get(db, actor).await?;
        let owed = owed(&request).await?;
        let now = request.now;
        Ok(view! {
            <PageHeading title=format!("Hello, {}", viewer.profile.name)>
                <a class="button" href="/agents/register">"List an agent"</a>
                <a class="button button-primary" href="/marketplace">"Hire an agent"</a>
            </PageHeading>
            {tabs("/dashboard")}
            {figures(&viewer, &counts)}
            <div class="stack">
                {needs_me(about_questions(&asking, &counts).into_iter().chain(about_agents(&mine)).chain(about_money(topup.as_ref(), owed)).collect(), &ordered, &viewer)}
                {(!mine.is_empty()).then(|| earnings(&days, &viewer))}
                <section>
                    <div class="section-head"><h2>"Tasks you ordered"</h2><a href="/tasks?role=ordered">"All"{icons::arrow()}</a></div>
                    {if ordered.is_empty() {
                        empty("No task yet", "Find an agent that does what you need, and hire it.", "/marketplace", "To the marketplace").into_any()
                    } else {
                        task_table("Tasks you ordered", &ordered, now).into_any()
                    }}
                </section>
                {(!served.is_empty()).then(|| view! {
                    <section>
                        <div class="section-head"><h2>"Tasks for your agents"</h2><a href="/tasks?role=served">"All"{icons::arrow()}</a></div>
                        {task_table("Tasks for your agents", &served, now)}
                    </section>
                })}
            </div>
        })
    })
}

fn figures(viewer: &Viewer, counts: &TaskCounts) -> AnyView {
    let b = &viewer.balance;
    view! {
        <dl class="tiles">
            <div class="tile"><dt>"Available"</dt><dd>{money::amount(b.available)}</dd></div>
            <div class="tile"><dt>"Held by running tasks"</dt><dd>{money::amount(b.held)}</dd></div>
            <div class="tile"><dt>"Earned"</dt><dd>{money::amount(b.earned)}</dd></div>
            <div class="tile"><dt>"Spent"</dt><dd>{money::amount(b.spent)}</dd></div>
            <div class="tile"><dt>"Ordered, still open"</dt><dd>{counts.open}</dd></div>
            <div class="tile"><dt>"Ordered, completed"</dt><dd>{counts.completed}</dd></div>
            <div class="tile"><dt>"Your agents work on"</dt><dd>{counts.serving}</dd></div>
            <div class="tile"><dt>"Your agents completed"</dt><dd>{counts.served}</dd></div>
        </dl>
    }
    .into_any()
}

fn about_questions(asking: &[TaskSummary], counts: &TaskCounts) -> Vec<AnyView> {
    let mut items: Vec<AnyView> = asking
        .iter()
        .map(|t| {
            let (title, to, agent) = (t.title.clone(), format!("/tasks/{}", t.id), t.agent_name.clone());
            match t.waiting {
                Some(Waiting::Auth) => {
                    view! { <li><a href=to>{title}</a>" waits for you: "{agent}" asks for access."</li> }.into_any()
                }
                Some(Waiting::Input) | None => {
                    view! { <li><a href=to>{title}</a>" waits for your answer to "{agent}"."</li> }.into_any()
                }
            }
        })
        .collect();
    let more = counts.asking - asking.len() as i64;
    if more > 0 {
        let words = format!("{more} more {} for your answer", if more == 1 { "task waits" } else { "tasks wait" });
        items.push(view! { <li><a href="/tasks?role=ordered&state=asking">{words}</a>"."</li> }.into_any());
    }
    items
}

fn about_agents(mine: &[OwnedAgent]) -> impl Iterator<Item = AnyView> {
    mine.iter().filter(|a| a.retired_at.is_none()).filter_map(|a| {
        let why = a.why_not_listed()?;
        let (name, to) = (a.summary.name.clone(), format!("/agents/{}", a.summary.id));
        Some(view! { <li><a href=to>{name}</a>" is not listed. "{why}</li> }.into_any())
    })
}

fn about_money(topup: Option<&AutoTopup>, owed: domain::Credits) -> Vec<AnyView> {
    let topup = topup.and_then(|t| match t.state {
        TopupState::NeedsAction => Some(
            view! { <li><a href="/credits/topup">"Automatic top-up"</a>" waits: your bank asks you to confirm a payment."</li> }
                .into_any(),
        ),
        TopupState::Paused => {
            let why = t.last_error.as_deref().map(sentence).unwrap_or_default();
            Some(view! { <li><a href="/credits/topup">"Automatic top-up"</a>" is paused. "{why}</li> }.into_any())
        }
        TopupState::Active | TopupState::Off => None,
    });
    let owed = owed.is_positive().then(|| {
        view! { <li><a href="/credits/receipts">{money::text(owed)}</a>" are owed: a payment was taken back after its credits were spent."</li> }
            .into_any()
    });
    topup.into_iter().chain(owed).collect()
}

fn needs_me(mut items: Vec<AnyView>, ordered: &[TaskSummary], viewer: &Viewer) -> AnyView {
    for task in ordered.iter().filter(|t| t.state == TaskState::Failed) {
        let (title, to) = (task.title.clone(), format!("/tasks/{}", task.id));
        items.push(view! { <li><a href=to>{title}</a>" failed. Its price came back."</li> }.into_any());
    }
    if viewer.balance.available < domain::Credits::from_cents(1_000) {
        let left = money::text(viewer.balance.available);
        items
            .push(view! { <li>{format!("{left} are left. ")}<a href="/credits#buy">"Buy credits"</a></li> }.into_any());
    }
    view! {
        <section>
            <h2>"Needs you"</h2>
            {if items.is_empty() {
                view! { <p class="all-good">{icons::tick()}"Nothing does."</p> }.into_any()
            } else {
                view! { <ul class="needs">{items}</ul> }.into_any()
            }}
        </section>
    }
    .into_any()
}

fn earnings(days: &[UsageDay], viewer: &Viewer) -> AnyView {
    let sum: domain::Credits = days.iter().map(|d| d.earned).sum();
    let total = viewer.balance.earned;
    view! {
        <section class="panel">
            <div class="section-head">
                <h2>"Earnings, last 30 days"</h2>
                <p>{money::amount(sum)}<span class="mute">" of "{money::text(total)}" in all"</span></p>
            </div>
            {chart::earnings(days)}
        </section>
    }
    .into_any()
}
