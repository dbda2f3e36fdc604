//! API keys: the list of them, making one, and each key's own page.

mod fields;
mod key;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::agents;
use domain::api_keys::{self, ApiKey, Scope, Scopes};
use domain::tasks::{self, Role, TaskFilter};
use domain::{AgentId, Credits};
use leptos::prelude::*;

pub use key::Key;

use crate::components::heading::PageHeading;
use crate::components::settings_nav::settings_nav;
use crate::components::{form, money, time, trust};
use crate::context::{Form, PageRequest, load, page_request};

/// A key that ends within this is marked.
const SOON: TimeDelta = TimeDelta::days(7);
/// How many of the newest tasks are looked through for agents that were hired before.
const HIRED_IN: usize = 100;

/// The page.
#[component]
pub fn Keys() -> impl IntoView {
    let request = page_request();
    load(async move {
        let keys = api_keys::list(&request.db, &request.actor, request.now).await?;
        let known = known_agents(&request).await?;
        let typed = request.form.of_section("new");
        let elsewhere = request.form.of_no_section();
        let (revoked, kept): (Vec<&ApiKey>, Vec<&ApiKey>) = keys.iter().partition(|k| k.revoked_at.is_some());
        let rows: Vec<_> = kept.iter().map(|k| row(k, &known, request.now)).collect();
        let open = rows.is_empty() || typed.is_sent();
        Ok(view! {
            <PageHeading title="API keys" lead="With a key a program does what you do here, and no more than you let it.">
                {(!open).then(|| view! { <a class="button button-primary" href="#new">"New key"</a> })}
            </PageHeading>
            {settings_nav("/settings/keys")}
            {form::errors(&elsewhere, &[])}
            <div class="stack">
                {if rows.is_empty() {
                    no_key_yet(&request.site.public_url).into_any()
                } else {
                    view! { <ul class="key-list">{rows}</ul> }.into_any()
                }}
                {new_key(&typed, &known, open)}
                {gone(&revoked, request.now)}
            </div>
        })
    })
}

/// An agent that a form offers.
struct Known {
    id: AgentId,
    name: String,
}

/// The actor's own agents, and those that they hired in their newest tasks.
async fn known_agents(request: &PageRequest) -> domain::Result<Vec<Known>> {
    let own = agents::mine(&request.db, &request.actor).await?;
    let own =
        own.into_iter().filter(|a| a.retired_at.is_none()).map(|a| Known { id: a.summary.id, name: a.summary.name });
    let filter = TaskFilter { role: Some(Role::Requester), ..TaskFilter::default() };
    let ordered = tasks::list(&request.db, &request.actor, &filter, HIRED_IN).await?;
    let hired = ordered.items.into_iter().filter_map(|t| Some(Known { id: t.agent?, name: t.agent_name }));
    let mut seen = BTreeSet::new();
    Ok(own.chain(hired).filter(|a| seen.insert(a.id)).collect())
}

/// A key in the list.
fn row(key: &ApiKey, known: &[Known], now: DateTime<Utc>) -> AnyView {
    let agents = key.agents.as_ref().map(|ids| {
        let names: Vec<String> = ids.iter().map(|id| name_of(*id, known)).collect();
        view! { <div><dt>"Agents"</dt><dd>{names.join(", ")}</dd></div> }
    });
    view! {
        <li class="panel key">
            <div class="section-head">
                <h2><a href=format!("/settings/keys/{}", key.id)>{key.name.clone()}</a></h2>
                <span class="badge-row">{state(key, now)}</span>
            </div>
            <p class="key-prefix"><code>{format!("{}…", key.prefix)}</code></p>
            {scope_chips(&key.scopes)}
            <dl class="facts key-facts">
                <div><dt>"Expires"</dt><dd>{expires(key)}</dd></div>
                <div><dt>"Last used"</dt><dd>{last_used(key, now)}</dd></div>
                {agents}
            </dl>
            {caps(key)}
        </li>
    }
    .into_any()
}

/// What an agent is called, else its id.
fn name_of(id: AgentId, known: &[Known]) -> String {
    known.iter().find(|a| a.id == id).map_or_else(|| id.to_string(), |a| a.name.clone())
}

/// Whether it works, and how much longer.
pub(in crate::pages) fn state(key: &ApiKey, now: DateTime<Utc>) -> AnyView {
    let badge = |class: &'static str, word: &'static str| {
        view! { <span class=class><span class="dot" aria-hidden="true"></span>{word}</span> }
    };
    if key.revoked_at.is_some() {
        badge("badge badge-bad", "Revoked").into_any()
    } else if !key.works(now) {
        badge("badge badge-mute", "Expired").into_any()
    } else if key.expires_at.is_some_and(|at| at - now < SOON) {
        badge("badge badge-warn", "Expires soon").into_any()
    } else {
        badge("badge badge-good", "Works").into_any()
    }
}

pub(in crate::pages) fn expires(key: &ApiKey) -> AnyView {
    key.expires_at.map_or_else(|| "never".into_any(), time::exact)
}

pub(in crate::pages) fn last_used(key: &ApiKey, now: DateTime<Utc>) -> AnyView {
    key.last_used_at.map_or_else(|| "never".into_any(), |at| time::ago(at, now))
}

/// What a key may do, as the words that programs know.
pub(in crate::pages) fn scope_chips(scopes: &Scopes) -> AnyView {
    let chips: Vec<_> = match scopes {
        Scopes::All => vec![("*", "Everything")],
        Scopes::Some(set) => set.iter().map(|s| (s.as_str(), Scope::label(*s))).collect(),
    }
    .into_iter()
    .map(|(word, label)| view! { <li class="tag" title=label>{word}</li> })
    .collect();
    view! { <ul class="tags" aria-label="Scopes">{chips}</ul> }.into_any()
}

/// What is spent, each sum against its cap.
pub(in crate::pages) fn caps(key: &ApiKey) -> AnyView {
    let rows: Vec<_> = [
        ("Today", key.spent_today, key.daily_cap),
        ("This month", key.spent_this_month, key.monthly_cap),
        ("In all", key.spent_total, key.total_cap),
    ]
    .into_iter()
    // Without a cap what counts is the whole.
    .filter(|(word, _, cap)| cap.is_some() || *word == "In all")
    .map(|(word, spent, cap)| match cap {
        Some(cap) => view! {
            <div>
                <dt>{format!("Spent: {}", word.to_lowercase())}</dt>
                <dd>{format!("{} of {}", spent.grouped(), money::text(cap))}{meter(spent, cap)}</dd>
            </div>
        }
        .into_any(),
        None => view! { <div><dt>"Spent: in all"</dt><dd>{money::amount(spent)}", no cap"</dd></div> }.into_any(),
    })
    .collect();
    view! { <dl class="facts key-facts">{rows}</dl> }.into_any()
}

/// How full a cap is. It is a picture, not money: a float is good enough.
fn meter(spent: Credits, cap: Credits) -> AnyView {
    let share = if cap.is_positive() { 100.0 * spent.cents() as f64 / cap.cents() as f64 } else { 100.0 };
    trust::bar(share, format!("{:.0} % of the cap", share.clamp(0.0, 100.0)))
}

/// A call that any key may make.
fn curl(site: &str, key: &str) -> String {
    format!("curl -H 'Authorization: Bearer {key}' {site}/api/v1/account")
}

fn no_key_yet(site: &str) -> AnyView {
    view! {
        <div class="empty">
            <p class="empty-title">"No key yet"</p>
            <p>
                "A program that has a key can find and hire agents, follow its tasks and read the ledger, as you do here. \
                 You say what each key may do, how much it may spend and when it ends."
            </p>
            <pre class="code" tabindex="0">{curl(site, "nxk_…")}</pre>
            <a class="button" href="/docs/use-the-api">"How to use the API"</a>
        </div>
    }
    .into_any()
}

fn new_key(typed: &Form, known: &[Known], open: bool) -> AnyView {
    view! {
        <details class="panel narrow-left" id="new" open=open>
            <summary>"New key"</summary>
            <form method="post" action="/settings/keys" class="form">
                {form::errors(typed, &fields::SHOWN)}
                {form::hidden("section", "new".into())}
                {fields::key_fields(typed, None, known)}
                <div class="form-actions">{form::submit("Make the key")}</div>
                <p class="small mute">"The key itself is shown once, on the next page. Only a hash of it is kept."</p>
            </form>
        </details>
    }
    .into_any()
}

/// Keys that were revoked, for as long as they are shown.
fn gone(keys: &[&ApiKey], now: DateTime<Utc>) -> AnyView {
    let rows: Vec<_> = keys
        .iter()
        .map(|k| {
            view! {
                <li>
                    <a href=format!("/settings/keys/{}", k.id)>{k.name.clone()}</a>" "
                    <code>{format!("{}…", k.prefix)}</code>
                    ", revoked "{k.revoked_at.map(|at| time::ago(at, now))}
                    ", spent "{money::amount(k.spent_total)}
                </li>
            }
        })
        .collect();
    let title = format!("Revoked in the last 30 days ({})", rows.len());
    (!rows.is_empty())
        .then(|| {
            view! { <details class="panel narrow-left"><summary>{title}</summary><ul class="plain-list">{rows}</ul></details> }
        })
        .into_any()
}
