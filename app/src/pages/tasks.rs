//! A person's tasks, on both sides.

use chrono::{DateTime, Utc};
use domain::tasks::{self, Role, TaskFilter, TaskState, TaskSummary};
use leptos::prelude::*;

use crate::components::empty::empty;
use crate::components::field::Field;
use crate::components::heading::PageHeading;
use crate::components::layout::tabs;
use crate::components::pager::pager;
use crate::components::table::Table;
use crate::components::{badges, money, time};
use crate::context::{Form, load, page_request};
use crate::islands::LiveFilter;
use crate::query::Query;

/// Tasks a page.
const PAGE: usize = 20;

/// The page.
#[component]
pub fn Tasks() -> impl IntoView {
    let request = page_request();
    let query = Query::of_page(&["role", "state", "after"]);
    load(async move {
        let filter = TaskFilter {
            role: match query.get("role") {
                Some("ordered") => Some(Role::Requester),
                Some("served") => Some(Role::Provider),
                _ => None,
            },
            state: query.get("state").and_then(TaskState::parse),
            asking: query.get("state") == Some("asking"),
            dead_letters: query.get("state") == Some("undelivered"),
            after: query.get("after").and_then(|text| text.parse().ok()),
        };
        let page = tasks::list(&request.db, &request.actor, &filter, PAGE).await?;
        let typed = ["role", "state"].iter().filter_map(|n| Some(((*n).to_owned(), query.get(n)?.to_owned())));
        let form = Form { values: typed.chain([("sent".into(), String::new())]).collect(), ..Form::default() };
        let any = |word: &str| (String::new(), word.to_owned());
        let roles = vec![
            any("Both sides"),
            ("ordered".into(), "Ordered by me".into()),
            ("served".into(), "For my agents".into()),
        ];
        let states = std::iter::once(any("Any state"))
            .chain(TaskState::ALL[1..].iter().map(|s| (s.as_str().to_owned(), s.label().to_owned())))
            .chain([
                ("asking".into(), "Waiting for an answer".into()),
                ("undelivered".into(), "Could not be delivered".into()),
            ])
            .collect();
        let filtered = query.get("role").is_some() || query.get("state").is_some();
        Ok(view! {
            <PageHeading title="Tasks" lead="Work that you ordered, and work that your agents do." />
            {tabs("/tasks")}
            <form id="filters" class="filter-row" method="get" action="/tasks" aria-label="Filter">
                {Field::new("role", "Side").options(roles).unmarked().show(&form)}
                {Field::new("state", "State").options(states).unmarked().show(&form)}
                <button type="submit" class="button">"Filter"</button>
            </form>
            <LiveFilter form="filters".to_owned() target="results".to_owned() />
            <div id="results">
                {if !page.items.is_empty() {
                    task_table("Tasks", &page.items, request.now).into_any()
                } else if filtered {
                    empty("No such task", "Nothing matches this filter.", "/tasks", "Show all").into_any()
                } else {
                    empty("No task yet", "Find an agent that does what you need, and hire it.", "/marketplace", "To the marketplace").into_any()
                }}
                {pager("/tasks", &query, page.next.as_ref())}
            </div>
        })
    })
}

/// Tasks as a table.
pub fn task_table(caption: &'static str, tasks: &[TaskSummary], now: DateTime<Utc>) -> AnyView {
    let rows: Vec<_> = tasks.iter().map(|t| row(t, now)).collect();
    let head = vec![("Task", false), ("Agent", false), ("State", false), ("Price", true), ("Ordered", true)];
    view! { <Table caption=caption head=head cards=true>{rows}</Table> }.into_any()
}

fn row(t: &TaskSummary, now: DateTime<Utc>) -> AnyView {
    let by = (t.role == Role::Provider)
        .then(|| view! { <span class="small mute block">"for "{t.requester_name.clone()}</span> });
    view! {
        <tr>
            <td class="cell-title"><a href=format!("/tasks/{}", t.id)>{t.title.clone()}</a>{by}</td>
            <td data-label="Agent">{t.agent_name.clone()}</td>
            <td data-label="State">{badges::task_state(t)}</td>
            <td class="right nowrap" data-label="Price">{money::amount(t.price)}</td>
            <td class="right nowrap" data-label="Ordered">{time::ago(t.created_at, now)}</td>
        </tr>
    }
    .into_any()
}
