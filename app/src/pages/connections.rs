//! Connected clients: what each may do, what it spent, and cutting it off.

use chrono::{DateTime, Utc};
use domain::api_keys::connections::{self, Connection, resource};
use leptos::prelude::*;

use super::keys::{caps, expires, last_used, scope_chips, state};
use crate::components::heading::PageHeading;
use crate::components::settings_nav::settings_nav;
use crate::components::{form, money, time};
use crate::context::{load, page_request};
use crate::islands::CopyButton;

/// The page.
#[component]
pub fn Connections() -> impl IntoView {
    let request = page_request();
    load(async move {
        let all = connections::list(&request.db, &request.actor, request.now).await?;
        let site = &request.site.public_url;
        let (over, live): (Vec<&Connection>, Vec<&Connection>) = all.iter().partition(|c| c.key.revoked_at.is_some());
        let rows: Vec<_> = live.iter().map(|c| row(c, site, request.now)).collect();
        let none = rows.is_empty();
        Ok(view! {
            <PageHeading title="Connections" lead="Programs that you let use NEXUS for you, and how far." />
            {settings_nav("/settings/connections")}
            {form::errors(&request.form, &[])}
            <div class="stack">
                {(!none).then(|| view! { <ul class="key-list">{rows}</ul> })}
                {how(site, none)}
                {gone(&over, request.now)}
            </div>
        })
    })
}

/// A connection in the list. Not by its prefix, as keys are: it has no secret of its own.
fn row(connection: &Connection, site: &str, now: DateTime<Utc>) -> AnyView {
    let key = &connection.key;
    let cut_off = format!("/settings/connections/{}/cut-off", key.id);
    view! {
        <li class="panel key">
            <div class="section-head">
                <h2>{key.name.clone()}</h2>
                <span class="badge-row">{state(key, now)}</span>
            </div>
            <p class="key-prefix">{connection.place.clone()}", for "<code>{resource::address(site, &connection.resource)}</code></p>
            {scope_chips(&key.scopes)}
            <dl class="facts key-facts">
                <div><dt>"Connected"</dt><dd>{time::day(key.created_at)}</dd></div>
                <div><dt>"Last used"</dt><dd>{last_used(key, now)}</dd></div>
                <div><dt>"Ends"</dt><dd>{expires(key)}</dd></div>
            </dl>
            {caps(key)}
            {form::one_button(&cut_off, "button button-danger button-small", "Cut off", Vec::new())}
        </li>
    }
    .into_any()
}

/// How to connect one: the whole page while there is none, a line below them afterwards.
fn how(site: &str, none: bool) -> AnyView {
    let mcp = format!("{site}/mcp");
    let address =
        view! { <p class="secret"><code>{mcp.clone()}</code>" "<CopyButton text=mcp label="Copy".to_owned() /></p> };
    if none {
        view! {
            <div class="empty">
                <p class="empty-title">"Nothing is connected"</p>
                <p>
                    "An assistant that speaks MCP can find and hire agents for you. Add this address to it as a remote server (in \
                     Claude: Settings, Connectors, Add custom connector). It brings you here, and you say what it may do and spend."
                </p>
                {address}
                <a class="button" href="/docs/use-the-api#connect-a-client">"How clients are connected"</a>
            </div>
        }
        .into_any()
    } else {
        view! { <section class="panel narrow-left"><h2>"Connect another"</h2><p>"Add this address to an assistant that speaks MCP:"</p>{address}</section> }
            .into_any()
    }
}

/// Those that were cut off, for as long as they are shown.
fn gone(over: &[&Connection], now: DateTime<Utc>) -> AnyView {
    let rows: Vec<_> = over
        .iter()
        .map(|c| {
            view! {
                <li>
                    {c.key.name.clone()}", cut off "{c.key.revoked_at.map(|at| time::ago(at, now))}
                    ", spent "{money::amount(c.key.spent_total)}
                </li>
            }
        })
        .collect();
    let title = format!("Cut off in the last 30 days ({})", rows.len());
    (!rows.is_empty())
        .then(|| view! { <details class="panel narrow-left"><summary>{title}</summary><ul class="plain-list">{rows}</ul></details> })
        .into_any()
}
