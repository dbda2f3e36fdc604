//! One of an owner's agents: on the list or off it, test call, listing, signing secret, retiring.

use domain::agents::watch::proof::{self, Proof};
use domain::agents::{self, NewAgent, OwnedAgent};
use domain::{AgentId, Missing};
use leptos::prelude::*;

use super::agent_form::listing_fields;
use crate::components::field::Field;
use crate::components::heading::PageHeading;
use crate::components::layout::tabs;
use crate::components::notice::{Notice, Tone};
use crate::components::{badges, form, money, time, trust};
use crate::context::{Form, PageRequest, load, page_request, sentence};
use crate::query::path_segment;

/// The page.
#[component]
pub fn ManageAgent() -> impl IntoView {
    let request = page_request();
    let id = path_segment::<AgentId>("id", Missing::Agent);
    load(async move {
        let agent = agents::owned(&request.db, &request.actor, id?).await?;
        let retired = agent.retired_at.is_some();
        let proof =
            if retired { None } else { Some(proof::show(&request.db, &request.actor, agent.summary.id).await?) };
        let a = &agent.summary;
        let page =
            agent.listed.then(|| view! { <a class="button" href=format!("/marketplace/{}", a.id)>"Its page"</a> });
        // The listing's own form marks itself by its action; the small ones by a section.
        let of_listing = request.form.value("action").is_some();
        let elsewhere = if of_listing { Form::default() } else { request.form.of_no_section() };
        Ok(view! {
            <PageHeading title=a.name.clone()>{page}</PageHeading>
            {tabs("/agents")}
            {form::errors(&elsewhere, &[])}
            <div class="with-aside">
                <div class="stack">
                    {match agent.why_not_listed() {
                        Some(why) => view! { <Notice tone=Tone::Warn><p><strong>"Not listed. "</strong>{why}</p></Notice> }.into_any(),
                        None => agent.why_degraded().map(|why| view! {
                            <Notice tone=Tone::Warn><p><strong>"Listed as degraded. "</strong>{why}</p></Notice>
                        }).into_any(),
                    }}
                    {(!retired).then(|| test_call(&agent, &request))}
                    {(!retired).then(|| listing(&agent, &request))}
                </div>
                <aside class="aside stack" aria-label="State">
                    {state(&agent, &request)}
                    {(!retired).then(|| life(&agent, &request))}
                    {proof.map(|p| proving(&agent, &p, &request))}
                    {(!retired).then(|| secret(&agent))}
                    {(!retired).then(|| retiring(&agent, &request))}
                </aside>
            </div>
        })
    })
}

fn state(agent: &OwnedAgent, request: &PageRequest) -> AnyView {
    let a = &agent.summary;
    let action = format!("/agents/{}/status", a.id);
    let retired = agent.retired_at;
    let fields = |status: &str| vec![("status", status.to_owned()), ("section", "status".to_owned())];
    // The switch is the owner's wish; a listed agent that does not answer is offline all the same.
    let switch = match (retired, agent.listed) {
        (Some(_), _) => ().into_any(),
        (None, false) => {
            form::one_button(&action, "button button-primary button-wide", "Put online", fields("online")).into_any()
        }
        (None, true) => {
            form::one_button(&action, "button button-wide", "Take off the list", fields("offline")).into_any()
        }
    };
    let status = match retired {
        Some(at) => view! { <span class="badge badge-mute">"Retired"</span>" "{time::day(at)} }.into_any(),
        None => badges::agent_status(a.status).into_any(),
    };
    let tested =
        agent.tested_at.map_or_else(|| "not at this address".into_any(), |at| time::ago(at, request.now).into_any());
    let wrong = request.form.of_section("status");
    let wrong: Vec<_> = wrong.errors.iter().map(|e| sentence(&e.message)).chain(wrong.message.clone()).collect();
    view! {
        <div class="panel">
            <dl class="facts facts-plain">
                <div><dt>"Status"</dt><dd>{status}</dd></div>
                <div><dt>"On the list"</dt><dd>{if agent.listed { "yes" } else { "no" }}</dd></div>
                <div><dt>"Answered a test call"</dt><dd>{tested}</dd></div>
                <div><dt>"Price"</dt><dd>{money::amount(a.price)}</dd></div>
                <div><dt>"Earned"</dt><dd>{money::amount(agent.earned)}</dd></div>
                <div><dt>"Trust"</dt><dd>{trust::meter(a.trust, a.completed + a.failed)}</dd></div>
                <div><dt>"Registered"</dt><dd>{time::day(agent.created_at)}</dd></div>
            </dl>
            {(!wrong.is_empty()).then(|| view! { <p class="field-error" role="alert">{wrong.join(" ")}</p> })}
            {switch}
        </div>
    }
    .into_any()
}

/// What the watch saw last, and a button to look now.
fn life(agent: &OwnedAgent, request: &PageRequest) -> AnyView {
    let w = &agent.watch;
    let checked = match (w.probed_at, w.millis, &w.probe_error) {
        (None, _, _) => "not yet".into_any(),
        (Some(at), Some(millis), _) => {
            view! { {time::ago(at, request.now)}<span class="block small">{format!("Answered in {millis} ms")}</span> }
                .into_any()
        }
        (Some(at), None, error) => {
            let why = error.as_deref().map_or_else(|| "Not answered.".to_owned(), sentence);
            view! { {time::ago(at, request.now)}<span class="block small">{why}</span> }.into_any()
        }
    };
    let beat = w.last_heartbeat.map_or_else(|| "none came".into_any(), |at| time::ago(at, request.now));
    view! {
        <div class="panel">
            <h2>"Is it there?"</h2>
            <dl class="facts facts-plain">
                <div><dt>"Last check"</dt><dd>{checked}</dd></div>
                <div><dt>"Last heartbeat"</dt><dd>{beat}</dd></div>
            </dl>
            {form::one_button(&format!("/agents/{}/check", agent.summary.id), "button button-wide", "Check now", Vec::new())}
            <p class="small mute">
                "While it is listed it is checked every minute. It can also "
                <a href="/docs/list-an-agent#heartbeats">"send heartbeats"</a>"."
            </p>
        </div>
    }
    .into_any()
}

/// The proof that the address is the owner's.
fn proving(agent: &OwnedAgent, proof: &Proof, request: &PageRequest) -> AnyView {
    let state = match (agent.summary.verified, proof.checked_at, &proof.problem) {
        (true, Some(at), None) => view! { <p>{badges::verified()}" "{time::ago(at, request.now)}</p> }.into_any(),
        (true, _, Some(why)) => {
            view! { <p>{badges::verified()}</p><p class="small">"The last look was not definite: "{sentence(why)}</p> }
                .into_any()
        }
        (true, None, None) => view! { <p>{badges::verified()}</p> }.into_any(),
        (false, Some(_), Some(why)) => view! { <p class="small">"Not proven. "{sentence(why)}</p> }.into_any(),
        (false, _, _) => view! { <p class="small">"Not proven yet."</p> }.into_any(),
    };
    let file = proof.file_url.as_ref().map(|url| view! { <p class="small">"Put it on a line of its own in "<code class="break">{url.to_string()}</code></p> });
    view! {
        <div class="panel">
            <h2>"Proof of the address"</h2>
            {state}
            <p class="secret"><code>{proof.token.clone()}</code></p>
            {file}
            <p class="small mute">
                "Or in the agent’s card. "<a href="/docs/list-an-agent#prove-that-the-address-is-yours">"How it works"</a>
            </p>
            {form::one_button(&format!("/agents/{}/proof", agent.summary.id), "button button-wide", "Check the proof", Vec::new())}
        </div>
    }
    .into_any()
}

fn test_call(agent: &OwnedAgent, request: &PageRequest) -> AnyView {
    let typed = request.form.of_section("test");
    let a = &agent.summary;
    let skills: Vec<_> = a.skills.iter().map(|s| (s.id.clone(), s.name.clone())).collect();
    let example = a.skills.first().and_then(|s| s.examples.first()).cloned().unwrap_or_else(|| "Hello".into());
    let skill = (!skills.is_empty())
        .then(|| Field::new("skill", "Skill").id_prefix("test-").options(skills).unmarked().show(&typed));
    view! {
        <form method="post" action=format!("/agents/{}/test", a.id) class="panel form">
            <h2>"Test call"</h2>
            <p class="mute">"Sends one message as a task would, signed. No credits move, and trust does not either."</p>
            {form::errors(&typed, &["message", "skill"])}
            {form::hidden("section", "test".into())}
            {skill}
            {Field::new("message", "Message").id_prefix("test-").lines(2).required(true).value(example).show(&typed)}
            <div class="form-actions"><button type="submit" class="button">"Make the call"</button></div>
        </form>
    }
    .into_any()
}

fn listing(agent: &OwnedAgent, request: &PageRequest) -> AnyView {
    let typed = if request.form.value("action").is_some() || request.form.value("skills").is_some() {
        request.form.clone()
    } else {
        Form::default()
    };
    let a = &agent.summary;
    let stored = NewAgent {
        name: a.name.clone(),
        description: a.description.clone(),
        endpoint: agent.endpoint.clone(),
        tags: a.tags.clone(),
        skills: a.skills.clone(),
        price: a.price,
        card: agent.card.clone(),
        card_url: agent.card_url.clone(),
        max_concurrent: agent.max_concurrent,
        promised_seconds: agent.promised_seconds,
    };
    view! {
        <form method="post" action=format!("/agents/{}", a.id) class="panel form" id="listing">
            <h2>"The listing"</h2>
            {listing_fields(&typed, &stored)}
            <div class="form-actions">
                <button type="submit" name="action" value="save" class="button button-primary">"Save"</button>
                <button type="submit" name="action" value="refresh-card" class="button" formnovalidate="">"Fetch the card again"</button>
            </div>
            <p class="small mute">"A changed price counts for tasks from now on. What was ordered before keeps its price."</p>
        </form>
    }
    .into_any()
}

fn secret(agent: &OwnedAgent) -> AnyView {
    let action = format!("/agents/{}/secret", agent.summary.id);
    view! {
        <div class="panel">
            <h2>"Signing secret"</h2>
            <p class="small">
                "Every call to your agent is signed with it, so that the agent can refuse callers who are not NEXUS. "
                <a href="/docs/list-an-agent">"How to check"</a>
            </p>
            {form::one_button(&action, "button button-wide", "Make a new one", Vec::new())}
            <p class="small mute">"The old one stays good for a day."</p>
        </div>
    }
    .into_any()
}

fn retiring(agent: &OwnedAgent, request: &PageRequest) -> AnyView {
    let typed = request.form.of_section("retire");
    let open = typed.is_sent();
    view! {
        <div class="panel panel-danger">
            <h2>"Retire"</h2>
            <p class="small">"Takes it off the marketplace for good. Tasks that it has accepted are still served and paid."</p>
            <details open=open>
                <summary>"I want to retire it"</summary>
                <form method="post" action=format!("/agents/{}/retire", agent.summary.id) class="form">
                    {form::hidden("section", "retire".into())}
                    {form::confirm(&typed, "It does not come back")}
                    <button type="submit" class="button button-danger button-wide">"Retire it"</button>
                </form>
            </details>
        </div>
    }
    .into_any()
}
