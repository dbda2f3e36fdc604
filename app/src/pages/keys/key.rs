//! One key: what it may do, what it spent, a new secret, and its end.

use domain::agents;
use domain::api_keys::{self, ApiKey};
use domain::{AgentId, KeyId, Missing};
use leptos::prelude::*;

use super::{Known, caps, curl, expires, fields, known_agents, last_used, name_of, scope_chips, state};
use crate::components::field::Field;
use crate::components::heading::PageHeading;
use crate::components::settings_nav::settings_nav;
use crate::components::{form, time};
use crate::context::{FlashKind, PageRequest, load, page_request};
use crate::islands::CopyButton;
use crate::query::path_segment;

/// The page.
#[component]
pub fn Key() -> impl IntoView {
    let request = page_request();
    let id = path_segment::<KeyId>("id", Missing::Key);
    load(async move {
        let key = api_keys::find(&request.db, &request.actor, id?, request.now).await?;
        let known = with_those_of(&key, known_agents(&request).await?, &request).await;
        let elsewhere = request.form.of_no_section();
        let revoked = key.revoked_at.is_some();
        let badge = state(&key, request.now);
        Ok(view! {
            <nav class="crumbs" aria-label="Breadcrumb"><a href="/settings/keys">"API keys"</a></nav>
            <PageHeading title=key.name.clone()>{badge}</PageHeading>
            {settings_nav("/settings/keys")}
            {form::errors(&elsewhere, &[])}
            {first_call(&request)}
            <div class="with-aside">
                <div class="stack">{if revoked { what_it_was(&key, &known) } else { settings(&key, &known, &request) }}</div>
                <aside class="aside stack" aria-label="State">
                    {facts(&key, &request)}
                    {key.works(request.now).then(|| new_secret(&key, &request))}
                    {(!revoked).then(|| revoking(&key, &request))}
                </aside>
            </div>
        })
    })
}

/// The agents that are offered, and those that the key is limited to, so that none is lost when the form is sent.
async fn with_those_of(key: &ApiKey, mut known: Vec<Known>, request: &PageRequest) -> Vec<Known> {
    let missing: Vec<AgentId> =
        key.agents.iter().flatten().filter(|id| known.iter().all(|a| a.id != **id)).copied().collect();
    for id in missing {
        // One that is not listed any more has only its id.
        let found = agents::detail(&request.db, &request.actor, id).await;
        known.push(Known { id, name: found.map_or_else(|_| id.to_string(), |a| a.summary.name) });
    }
    known
}

/// While the secret is shown: a call to try it with.
fn first_call(request: &PageRequest) -> AnyView {
    let secret = request.flash.as_ref().filter(|f| f.kind == FlashKind::Secret).and_then(|f| f.detail.as_deref());
    secret
        .map(|secret| {
            let line = curl(&request.site.public_url, secret);
            view! {
                <section class="panel key-first-call">
                    <h2>"Try it"</h2>
                    <pre class="code" tabindex="0">{line.clone()}</pre>
                    <p><CopyButton text=line label="Copy the command".to_owned() /></p>
                </section>
            }
        })
        .into_any()
}

fn settings(key: &ApiKey, known: &[Known], request: &PageRequest) -> AnyView {
    let typed = request.form.of_section("change");
    view! {
        <form method="post" action=format!("/settings/keys/{}", key.id) class="panel form">
            <h2>"What it may do"</h2>
            {form::errors(&typed, &fields::SHOWN)}
            {form::hidden("section", "change".into())}
            {fields::key_fields(&typed, Some(key), known)}
            <div class="form-actions">{form::submit("Save")}</div>
            <p class="small mute">"It counts from the next request on. The secret stays."</p>
        </form>
    }
    .into_any()
}

fn what_it_was(key: &ApiKey, known: &[Known]) -> AnyView {
    let agents = match &key.agents {
        None => "any".to_owned(),
        Some(ids) => ids.iter().map(|id| name_of(*id, known)).collect::<Vec<_>>().join(", "),
    };
    view! {
        <section class="panel">
            <h2>"What it could do"</h2>
            {scope_chips(&key.scopes)}
            <dl class="facts facts-plain">
                <div><dt>"Agents"</dt><dd>{agents}</dd></div>
            </dl>
            <p class="mute">"It is revoked and does not come back."</p>
        </section>
    }
    .into_any()
}

fn facts(key: &ApiKey, request: &PageRequest) -> AnyView {
    let row = |word: &'static str, at| view! { <div><dt>{word}</dt><dd>{time::exact(at)}</dd></div> };
    view! {
        <div class="panel">
            <dl class="facts facts-plain">
                <div><dt>"Begins with"</dt><dd><code>{key.prefix.clone()}</code></dd></div>
                <div><dt>"Last used"</dt><dd>{last_used(key, request.now)}</dd></div>
                <div><dt>"Expires"</dt><dd>{expires(key)}</dd></div>
                {key.revoked_at.map(|at| row("Revoked", at))}
                {key.rotated_at.map(|at| row("New secret since", at))}
                {key.former_good_until.map(|at| row("Former secret works until", at))}
                {row("Made", key.created_at)}
            </dl>
            {caps(key)}
        </div>
    }
    .into_any()
}

fn new_secret(key: &ApiKey, request: &PageRequest) -> AnyView {
    let typed = request.form.of_section("rotate");
    let grace = [("0", "At once"), ("3600", "In an hour"), ("86400", "In 24 hours")];
    let grace = grace.into_iter().map(|(v, words)| (v.to_owned(), words.to_owned())).collect();
    view! {
        <form method="post" action=format!("/settings/keys/{}/rotate", key.id) class="panel form">
            <h2>"New secret"</h2>
            <p class="small">"All else about the key stays. Meanwhile both secrets work, so that programs can be changed over."</p>
            {form::errors(&typed, &["graceSeconds"])}
            {form::hidden("section", "rotate".into())}
            {Field::new("graceSeconds", "The present one ends").options(grace).value("3600").unmarked().show(&typed)}
            <button type="submit" class="button button-wide">"Make a new secret"</button>
        </form>
    }
    .into_any()
}

fn revoking(key: &ApiKey, request: &PageRequest) -> AnyView {
    let typed = request.form.of_section("revoke");
    view! {
        <div class="panel panel-danger">
            <h2>"Revoke"</h2>
            <p class="small">"Programs that use it are refused from that moment on. Tasks that it has ordered go on."</p>
            <details open=typed.is_sent()>
                <summary>"I want to revoke it"</summary>
                <form method="post" action=format!("/settings/keys/{}/revoke", key.id) class="form">
                    {form::errors(&typed, &["confirm"])}
                    {form::hidden("section", "revoke".into())}
                    {form::confirm(&typed, "It does not come back")}
                    <button type="submit" class="button button-danger button-wide">"Revoke it"</button>
                </form>
            </details>
        </div>
    }
    .into_any()
}
