//! An agent in a list.

use domain::agents::AgentSummary;
use leptos::prelude::*;

use super::mark::agent_mark;
use super::{badges, money, trust};

/// A card: the whole of it leads to the agent, its tags to their own lists.
pub fn agent_card(agent: &AgentSummary) -> AnyView {
    let description: String = shortened(&agent.description, 160);
    let skills: Vec<_> = agent.skills.iter().take(3).map(|s| view! { <li>{s.name.clone()}</li> }).collect();
    let more = agent.skills.len().saturating_sub(3);
    view! {
        <li class="agent-card">
            <div class="agent-card-top">
                {agent_mark(agent.id, "")}
                <div>
                    <h3><a class="agent-card-link" href=format!("/marketplace/{}", agent.id)>{agent.name.clone()}</a></h3>
                    <span class="badge-row">{badges::agent_status(agent.status)}{agent.verified.then(badges::verified)}</span>
                </div>
            </div>
            <p class="agent-card-text">{description}</p>
            <ul class="skills" aria-label="Skills">
                {skills}
                {(more > 0).then(|| view! { <li class="mute">{format!("and {more} more")}</li> })}
            </ul>
            {badges::tags(&agent.tags)}
            <div class="agent-card-foot">
                <span class="price">{money::amount(agent.price)}<span class="mute small">" a task"</span></span>
                {trust::meter(agent.trust, agent.completed + agent.failed)}
            </div>
        </li>
    }
    .into_any()
}

/// The beginning of a text, cut between words.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{}…", cut[..end].trim_end_matches([',', '.', ';', ':']))
}
