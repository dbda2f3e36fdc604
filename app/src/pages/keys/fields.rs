//! What is asked of a key: the same for a new one and for one that exists. The fields are called what the API calls them.

use domain::api_keys::rules::{AGENTS_MAX, EXPIRY_PRESETS, RATE_MAX};
use domain::api_keys::{ApiKey, Scope, Scopes};
use domain::{AgentId, Credits};
use leptos::prelude::*;

use super::Known;
use crate::components::field::Field;
use crate::components::form;
use crate::context::Form;

/// The fields that say themselves what is wrong with them.
pub(super) const SHOWN: [&str; 9] =
    ["name", "scopes", "expiresAt", "expiresOn", "dailyCap", "monthlyCap", "totalCap", "requestsPerMinute", "agentIds"];

/// The fields, with what was typed, else with what the key is.
pub(super) fn key_fields(typed: &Form, key: Option<&ApiKey>, known: &[Known]) -> AnyView {
    let plain = |cap: Option<Credits>| cap.map(|c| c.to_string()).unwrap_or_default();
    let rate = key.and_then(|k| k.requests_per_minute).map(|n| n.to_string()).unwrap_or_default();
    let cap = |name: &str, label: &str, stored: Option<Credits>| {
        Field::new(name, label).inputmode("decimal").value(plain(stored)).show(typed)
    };
    view! {
        {Field::new("name", "Name").required(true).maxlength(Some(100)).value(key.map(|k| k.name.clone()).unwrap_or_default())
            .placeholder("Nightly reports").hint("What it is for, so that you know later what to revoke.").show(typed)}
        {scopes(typed, key)}
        {expiry(typed, key)}
        <fieldset class="key-choice">
            <legend>"Spending caps, in credits"</legend>
            <p class="field-hint">
                "A task that would exceed one is refused. Held counts as spent; what comes back does not. Days and months are UTC. \
                 Empty: no cap."
            </p>
            <div class="three-fields">
                {cap("dailyCap", "A day", key.and_then(|k| k.daily_cap))}
                {cap("monthlyCap", "A month", key.and_then(|k| k.monthly_cap))}
                {cap("totalCap", "In all", key.and_then(|k| k.total_cap))}
            </div>
        </fieldset>
        {agents(typed, key, known)}
        {Field::new("requestsPerMinute", "Requests a minute").kind("number").value(rate)
            .range(Some("1".into()), Some(RATE_MAX.to_string()), "1")
            .hint("Its own limit, beside your account’s. A change counts as 5 requests, what makes NEXUS call an agent as 20.")
            .show(typed)}
    }
    .into_any()
}

fn scopes(typed: &Form, key: Option<&ApiKey>) -> AnyView {
    let all = key.is_some_and(|k| k.scopes == Scopes::All);
    let has = |scope: Scope| matches!(key.map(|k| &k.scopes), Some(Scopes::Some(set)) if set.contains(&scope));
    let wrong = typed.error("scopes").map(|m| format!("What it may do {m}."));
    let described = wrong.is_some().then_some("scopes-error");
    // Reading and writing of a resource stand beside each other in the list of all scopes.
    let groups: Vec<_> = Scope::ALL
        .chunks(2)
        .map(|scopes| {
            let boxes: Vec<_> =
                scopes.iter().map(|s| scope_box(*s, typed.ticked("scopes", s.as_str(), has(*s)))).collect();
            view! { <fieldset class="key-group"><legend>{resource(scopes[0])}</legend>{boxes}</fieldset> }
        })
        .collect();
    let ways = [("all", "Everything, also what is added later"), ("some", "Only what is ticked")];
    view! {
        <fieldset class="key-choice" aria-describedby=described>
            <legend>"What it may do"</legend>
            {form::either(typed, "access", ways, if all { "all" } else { "some" })}
            <div class="key-groups">{groups}</div>
            {wrong.map(|w| view! { <p class="field-error" id="scopes-error" role="alert">{w}</p> })}
        </fieldset>
    }
    .into_any()
}

/// What the scope is about, for people.
fn resource(scope: Scope) -> &'static str {
    match scope {
        Scope::AgentsRead | Scope::AgentsWrite => "Agents",
        Scope::TasksRead | Scope::TasksWrite => "Tasks",
        Scope::WorkflowsRead | Scope::WorkflowsWrite => "Workflows",
        Scope::BillingRead | Scope::BillingWrite => "Billing",
        Scope::KeysRead | Scope::KeysWrite => "Keys",
        Scope::WebhooksRead | Scope::WebhooksWrite => "Webhooks",
    }
}

fn scope_box(scope: Scope, ticked: bool) -> AnyView {
    let word = scope.as_str();
    let id = format!("scope-{}", word.replace(':', "-"));
    let hint = format!("{id}-hint");
    view! {
        <div class="field field-check">
            <input type="checkbox" id=id.clone() name="scopes" value=word checked=ticked aria-describedby=hint.clone() />
            <label for=id><code>{word}</code></label>
            <p class="field-hint" id=hint>{scope.label()}</p>
        </div>
    }
    .into_any()
}

fn expiry(typed: &Form, key: Option<&ApiKey>) -> AnyView {
    let kept =
        key.and_then(|k| k.expires_at).map(|at| ("keep".to_owned(), at.format("%-d %b %Y, %H:%M UTC").to_string()));
    let stored = match (key, &kept) {
        (None, _) => "90",
        (Some(_), Some(_)) => "keep",
        (Some(_), None) => "never",
    };
    let presets = EXPIRY_PRESETS.map(|days| {
        let words = if days == 365 { "In a year".to_owned() } else { format!("In {days} days") };
        (days.to_string(), words)
    });
    let last = [("date".to_owned(), "On a date".to_owned()), ("never".to_owned(), "Never".to_owned())];
    let options = kept.into_iter().chain(presets).chain(last).collect();
    view! {
        <div class="two-fields key-expiry">
            {Field::new("expiresAt", "Expires").options(options).value(stored).unmarked().show(typed)}
            <div class="key-date">
                {Field::new("expiresOn", "Last day").kind("date").unmarked().hint("It works until the end of that day, UTC.").show(typed)}
            </div>
        </div>
    }
    .into_any()
}

fn agents(typed: &Form, key: Option<&ApiKey>, known: &[Known]) -> AnyView {
    let limited = key.and_then(|k| k.agents.as_deref());
    let has = |id: AgentId| limited.is_some_and(|ids| ids.contains(&id));
    let wrong = typed.error("agentIds").map(|m| format!("Agents: {m}."));
    let described = wrong.is_some().then_some("agentIds-error");
    let boxes: Vec<_> = known
        .iter()
        .map(|a| {
            let (value, id) = (a.id.to_string(), format!("agent-{}", a.id));
            let ticked = typed.ticked("agentIds", &value, has(a.id));
            view! {
                <div class="field field-check">
                    <input type="checkbox" id=id.clone() name="agentIds" value=value checked=ticked />
                    <label for=id>{a.name.clone()}</label>
                </div>
            }
        })
        .collect();
    let others = Field::new("otherAgents", if boxes.is_empty() { "Agents, by id" } else { "Others, by id" })
        .lines(2)
        .mono()
        .hint(format!("One a line: the id is the end of the address of an agent’s page. At most {AGENTS_MAX} agents."))
        .show(typed);
    let ways = [("any", "Any agent"), ("chosen", "Only these agents")];
    view! {
        <fieldset class="key-choice" aria-describedby=described>
            <legend>"Which agents"</legend>
            <p class="field-hint">"That it may hire, manage, and see tasks of."</p>
            {form::either(typed, "agents", ways, if limited.is_some() { "chosen" } else { "any" })}
            <div class="key-groups">
                {(!boxes.is_empty()).then(|| view! { <div class="key-agents">{boxes}</div> })}
                {others}
            </div>
            {wrong.map(|w| view! { <p class="field-error" id="agentIds-error" role="alert">{w}</p> })}
        </fieldset>
    }
    .into_any()
}
