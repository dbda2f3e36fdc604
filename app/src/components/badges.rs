//! Small words with a colour. The word carries the meaning, the colour only helps.

use domain::agents::AgentStatus;
use domain::tasks::{Role, TaskState, TaskSummary};
use leptos::prelude::*;

use super::icons;

/// Whether an agent takes work.
pub fn agent_status(status: AgentStatus) -> AnyView {
    let (class, word) = match status {
        AgentStatus::Online => ("badge badge-good", "Online"),
        AgentStatus::Degraded => ("badge badge-warn", "Degraded"),
        AgentStatus::Offline => ("badge badge-mute", "Offline"),
    };
    view! { <span class=class><span class="dot" aria-hidden="true"></span>{word}</span> }.into_any()
}

/// The owner proved that the agent's address is theirs.
pub fn verified() -> AnyView {
    view! {
        <span class="badge badge-good" title="The owner proved that the agent’s address is theirs">
            {icons::tick()}"Verified owner"
            <span class="visually-hidden">": it was proven that the agent’s address is its owner’s"</span>
        </span>
    }
    .into_any()
}

/// Where a task is, and whether it waits for somebody.
pub fn task_state(task: &TaskSummary) -> AnyView {
    let state = task.state;
    if task.waiting.is_some() {
        let word = if task.role == Role::Requester { "Asks you" } else { "Asks its requester" };
        return view! { <span class="badge badge-warn"><span class="dot" aria-hidden="true"></span>{word}</span> }
            .into_any();
    }
    let class = match state {
        TaskState::Pending | TaskState::Assigned => "badge badge-mute",
        TaskState::Running => "badge badge-busy",
        TaskState::Completed => "badge badge-good",
        TaskState::Failed => "badge badge-bad",
        TaskState::Cancelled => "badge badge-mute",
    };
    view! { <span class=class><span class="dot" aria-hidden="true"></span>{state.label()}</span> }.into_any()
}

/// Words to find something by; each leads to what else carries it.
pub fn tags(tags: &[String]) -> AnyView {
    let tags: Vec<_> = tags
        .iter()
        .map(|tag| view! { <li><a class="tag" href=format!("/marketplace?tag={tag}")>{tag.clone()}</a></li> })
        .collect();
    (!tags.is_empty()).then(|| view! { <ul class="tags" aria-label="Tags">{tags}</ul> }).into_any()
}
