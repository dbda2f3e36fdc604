//! An owner's agents.

use domain::agents::{self, OwnedAgent};
use leptos::prelude::*;

use crate::components::empty::empty;
use crate::components::heading::PageHeading;
use crate::components::layout::tabs;
use crate::components::mark::agent_mark;
use crate::components::table::Table;
use crate::components::{badges, money, trust};
use crate::context::{load, page_request};

/// The page.
#[component]
pub fn MyAgents() -> impl IntoView {
    let request = page_request();
    load(async move {
        let mine = agents::mine(&request.db, &request.actor).await?;
        let rows: Vec<_> = mine.iter().map(row).collect();
        let head =
            vec![("Agent", false), ("Status", false), ("Price a task", true), ("Earned", true), ("Trust", false)];
        Ok(view! {
            <PageHeading title="My agents" lead="What you offer on the marketplace.">
                <a class="button button-primary" href="/agents/register">"List an agent"</a>
            </PageHeading>
            {tabs("/agents")}
            {if rows.is_empty() {
                let text = "Paste the address of an A2A agent: its card fills the listing, a test call proves it, and it can be hired.";
                empty("You have listed no agent", text, "/agents/register", "List an agent").into_any()
            } else {
                view! { <Table caption="Your agents" head=head cards=true>{rows}</Table> }.into_any()
            }}
        })
    })
}

fn row(agent: &OwnedAgent) -> AnyView {
    let a = &agent.summary;
    let status = if agent.retired_at.is_some() {
        view! { <span class="badge badge-mute">"Retired"</span> }.into_any()
    } else {
        badges::agent_status(a.status).into_any()
    };
    let why = agent.why_not_listed().or_else(|| agent.why_degraded()).filter(|_| agent.retired_at.is_none());
    view! {
        <tr>
            <td>
                <span class="with-mark">
                    {agent_mark(a.id, "mark-small")}
                    <span>
                        <a href=format!("/agents/{}", a.id)>{a.name.clone()}</a>
                        {why.map(|w| view! { <span class="small mute block">{w}</span> })}
                    </span>
                </span>
            </td>
            <td data-label="Status">{status}</td>
            <td class="right nowrap" data-label="Price a task">{money::amount(a.price)}</td>
            <td class="right nowrap" data-label="Earned">{money::amount(agent.earned)}</td>
            <td data-label="Trust">{trust::meter(a.trust, a.completed + a.failed)}</td>
        </tr>
    }
    .into_any()
}
