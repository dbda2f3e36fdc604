//! An agent's page: what it does, what it costs, how far it can be trusted, and Hire.

mod evidence;
mod programs;

use domain::agents::{self, AgentDetail, AgentStatus, Skill};
use domain::trust::{self, TrustProfile};
use domain::{AgentId, Cursor, Missing, TaskId};
use leptos::prelude::*;
use leptos_meta::Meta;

use crate::components::agent_card::shortened;
use crate::components::mark::agent_mark;
use crate::components::notice::{Notice, Tone};
use crate::components::title::DocumentTitle;
use crate::components::{badges, icons, money, reviews, schema, time, trust as trust_view};
use crate::context::{load, page_request};
use crate::query::{Query, encode, path_segment};

/// Reviews a page.
const REVIEWS: usize = 10;

/// An agent's page.
#[component]
pub fn Agent() -> impl IntoView {
    let request = page_request();
    let id = path_segment::<AgentId>("id", Missing::Agent);
    let query = Query::of_page(&["reviews", "answer"]);
    load(async move {
        let agent = agents::detail(&request.db, &request.actor, id?).await?;
        let found =
            trust::profile(&request.db, &request.actor, agent.summary.id, agent.created_at, request.now).await?;
        let said = trust::reviews(&request.db, &request.actor, agent.summary.id, after(&query), REVIEWS).await?;
        let shelf = reviews::Shelf {
            agent: agent.summary.id,
            summary: found.reviews,
            page: said,
            after: query.get("reviews").map(str::to_owned),
            may_answer: agent.own,
            answering: query.get("answer").and_then(|task| task.parse::<TaskId>().ok()),
            form: request.form.clone(),
            now: request.now,
        };
        let uptime = crate::components::uptime::section(&request, agent.summary.id).await?;
        let a = &agent.summary;
        let skills: Vec<_> = a.skills.iter().map(|s| skill(&agent, s)).collect();
        let description = reviews::paragraphs(&a.description);
        Ok(view! {
            <DocumentTitle text=format!("{} · NEXUS", a.name) />
            <Meta name="description" content=shortened(&a.description, 150) />
            <nav class="crumbs" aria-label="Breadcrumb"><a href="/marketplace">"Marketplace"</a></nav>
            <header class="agent-head">
                {agent_mark(a.id, "mark-large")}
                <div>
                    <h1>{a.name.clone()}</h1>
                    <p class="mute">
                        {badges::agent_status(a.status)}
                        {a.verified.then(badges::verified)}
                        <span>"by "{agent.publisher.clone()}", listed since "{time::day(agent.created_at)}</span>
                    </p>
                    {badges::tags(&a.tags)}
                </div>
            </header>
            <div class="with-aside">
                <div class="stack">
                    <section><h2>"What it does"</h2><div class="text-block">{description}</div></section>
                    <section id="skills"><h2>"Skills"</h2><div class="stack">{skills}</div></section>
                    {programs::section(&request.site.public_url, a.id)}
                    {evidence::why(&agent, &found, request.now)}
                    {reviews::section(shelf)}
                    {evidence::recent(&found, request.now)}
                    {uptime}
                </div>
                <aside class="aside" aria-label="Price and figures">{facts(&agent, &found)}</aside>
            </div>
        })
    })
}

/// Where the page of reviews starts. A broken link shows the newest.
fn after(query: &Query) -> Option<Cursor> {
    let cursor: Cursor = query.get("reviews")?.parse().ok()?;
    chrono::DateTime::parse_from_rfc3339(&cursor.key).is_ok().then_some(cursor)
}

fn facts(agent: &AgentDetail, found: &TrustProfile) -> AnyView {
    let a = &agent.summary;
    let ended = found.evidence.completed + found.evidence.failed;
    let success = found.success_rate().map_or("no tasks yet".to_owned(), |r| format!("{:.1} % of {ended}", r * 100.0));
    let latency = |ms: Option<f64>| ms.map_or("no tasks yet".to_owned(), time::millis_text);
    let hire = match (a.status, agent.own) {
        (AgentStatus::Offline, _) => view! { <Notice tone=Tone::Warn><p>"It is offline and takes no work now."</p></Notice> }.into_any(),
        (_, own) => view! {
            <a class="button button-primary button-wide" href=format!("/marketplace/{}/hire", a.id)>"Hire "{a.name.clone()}</a>
            {own.then(|| view! { <p class="small mute">"It is your own: no credits move, and its trust does not either."</p> })}
        }
        .into_any(),
    };
    view! {
        <div class="panel">
            <p class="price-large">{money::amount(a.price)}<span class="mute small">" a task"</span></p>
            {hire}
            <p class="small mute">"Held while it works. Paid when it delivers, returned when it does not."</p>
        </div>
        <dl class="facts">
            <div><dt>"Trust"</dt><dd>{trust_view::meter(a.trust, ended)}</dd></div>
            <div><dt>"Success rate"</dt><dd>{success}</dd></div>
            <div><dt>"Half are done within"</dt><dd>{latency(found.latency.p50_ms)}<span class="mute small">" (p50)"</span></dd></div>
            <div><dt>"95 of 100 within"</dt><dd>{latency(found.latency.p95_ms)}<span class="mute small">" (p95)"</span></dd></div>
            <div><dt>"Tasks completed"</dt><dd>{found.evidence.completed}</dd></div>
        </dl>
        {agent.own.then(|| view! { <a class="button button-wide" href=format!("/agents/{}", a.id)>"Manage it"</a> })}
    }
    .into_any()
}

fn skill(agent: &AgentDetail, skill: &Skill) -> AnyView {
    let examples: Vec<_> = skill.examples.iter().map(|e| view! { <li>{format!("“{e}”")}</li> }).collect();
    let input = skill.input_schema.as_ref().map(|s| schema::describe("What it takes", s));
    let output = skill.output_schema.as_ref().map(|s| schema::describe("What it gives back", s));
    let modes = |all: &[String]| all.join(", ");
    let modes = (!skill.input_modes.is_empty() || !skill.output_modes.is_empty()).then(|| {
        let (takes, gives) = (modes(&skill.input_modes), modes(&skill.output_modes));
        view! {
            <p class="small mute">
                {(!takes.is_empty()).then(|| format!("Takes {takes}. "))}{(!gives.is_empty()).then(|| format!("Gives {gives}."))}
            </p>
        }
    });
    let online = agent.summary.status != AgentStatus::Offline;
    let to = format!("/marketplace/{}/hire?skill={}", agent.summary.id, encode(&skill.id));
    let label = format!("Hire for {}", skill.name);
    let details = (input.is_some() || output.is_some()).then(|| {
        view! { <details class="skill-schemas"><summary>"Input and output"</summary>{input}{output}</details> }
    });
    view! {
        <article class="panel skill">
            <div class="section-head">
                <h3>{skill.name.clone()}</h3>
                {online.then(|| view! { <a class="button button-small" href=to aria-label=label>"Hire"{icons::arrow()}</a> })}
            </div>
            <p>{skill.description.clone()}</p>
            {badges::tags(&skill.tags)}
            {(!examples.is_empty()).then(|| view! { <h4>"Examples"</h4><ul class="examples">{examples}</ul> })}
            {modes}
            {details}
        </article>
    }
    .into_any()
}
