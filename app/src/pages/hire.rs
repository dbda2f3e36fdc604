//! Hiring: what should be done, what it costs, what is left afterwards.

use domain::agents::{self, AgentDetail, AgentStatus, Skill};
use domain::ledger::{self, SpendingLimits};
use domain::{AgentId, Credits, Error, Missing};
use leptos::prelude::*;

use crate::components::field::Field;
use crate::components::heading::PageHeading;
use crate::components::notice::{Notice, Tone};
use crate::components::{form, money, schema};
use crate::context::{PageRequest, Viewer, load, page_request};
use crate::query::{Query, encode, path_segment};

/// The page that hires an agent.
#[component]
pub fn Hire() -> impl IntoView {
    let request = page_request();
    let id = path_segment::<AgentId>("id", Missing::Agent);
    let query = Query::of_page(&["skill", "message", "follows"]);
    load(async move {
        let id = id?;
        let viewer = request.viewer.clone().ok_or(Error::Unauthorized)?;
        let agent = agents::detail(&request.db, &request.actor, id).await?;
        let limits = ledger::limits(&request.db, &request.actor, request.now).await?;
        let wanted = query.get("skill");
        let skill =
            agent.summary.skills.iter().find(|s| Some(s.id.as_str()) == wanted).or(agent.summary.skills.first());
        let name = agent.summary.name.clone();
        let body = match skill {
            _ if agent.summary.status == AgentStatus::Offline => {
                view! { <Notice tone=Tone::Warn><p>"This agent is offline and takes no work now."</p></Notice> }
                    .into_any()
            }
            Some(skill) => order_form(&request, &viewer, &limits, &agent, skill, &query),
            None => view! { <Notice tone=Tone::Warn><p>"This agent has no skill that could be hired."</p></Notice> }
                .into_any(),
        };
        Ok(view! {
            <nav class="crumbs" aria-label="Breadcrumb">
                <a href="/marketplace">"Marketplace"</a><a href=format!("/marketplace/{id}")>{name.clone()}</a>
            </nav>
            <PageHeading title=format!("Hire {name}") />
            {body}
        })
    })
}

fn order_form(
    request: &PageRequest,
    viewer: &Viewer,
    limits: &SpendingLimits,
    agent: &AgentDetail,
    skill: &Skill,
    query: &Query,
) -> AnyView {
    let typed = &request.form;
    let has_form = schema::has_form(skill);
    let takes_files = if skill.input_modes.is_empty() {
        !has_form
    } else {
        skill.input_modes.iter().any(|m| m != "application/json" && m != "text/plain")
    };
    let mut shown = vec!["skill", "price", "message", "title", "file", "fileUrl", "f."];
    if !takes_files {
        shown.retain(|s| !s.starts_with("file"));
    }
    // The form is the message where there is one: two ways to say the same would contradict each other.
    let message = (!has_form).then(|| {
        Field::new("message", "Your message").lines(7).required(!takes_files).value(query.text("message")).show(typed)
    });
    let file = takes_files.then(|| {
        let kinds =
            skill.input_modes.iter().filter(|m| *m != "application/json").cloned().collect::<Vec<_>>().join(", ");
        let hint = if kinds.is_empty() { "At most 2 MB.".to_owned() } else { format!("{kinds}; at most 2 MB.") };
        let link = Field::new("fileUrl", "Or where the file is")
            .kind("url")
            .placeholder("https://…")
            .hint("The agent fetches it from there, so it must be public.");
        view! { {Field::new("file", "File").file().hint(hint).show(typed)}{link.show(typed)} }
    });
    let follows = query.get("follows").map(str::to_owned).map(|id| {
        let earlier = format!("/tasks/{id}");
        view! {
            <Notice tone=Tone::Note><p>"This goes on from "<a href=earlier>"an earlier task"</a>": the agent is told which, and pays heed to it if it can."</p></Notice>
            {form::hidden("follows", id)}
        }
    });
    let title = Field::new("title", "Name of the task")
        .maxlength(Some(200))
        .hint("To find it again. Made from what you send if left empty.")
        .show(typed);
    let id = agent.summary.id;
    view! {
        {skill_choice(agent, skill)}
        <form method="post" action=format!("/marketplace/{id}/hire") enctype="multipart/form-data" class="with-aside">
            <div class="stack form">
                {form::errors(typed, &shown)}
                {typed.error("price").map(|why| view! { <p class="field-error" role="alert">{format!("The price {why}.")}</p> })}
                {form::hidden("skill", skill.id.clone())}
                {form::hidden("price", agent.summary.price.to_string())}
                {follows}
                <div>
                    <h2>{skill.name.clone()}</h2>
                    <p class="mute">{skill.description.clone()}</p>
                </div>
                {schema::form_fields(skill, typed)}
                {file}
                {message}
                {title}
            </div>
            <aside class="aside" aria-label="What it costs">{bill(viewer, limits, agent)}</aside>
        </form>
        {examples(agent, skill, has_form)}
    }
    .into_any()
}

/// Links, not a select: each skill has another form, so another page.
fn skill_choice(agent: &AgentDetail, here: &Skill) -> AnyView {
    let links: Vec<_> = agent
        .summary
        .skills
        .iter()
        .map(|s| {
            let to = format!("/marketplace/{}/hire?skill={}", agent.summary.id, encode(&s.id));
            view! { <li><a href=to aria-current=(s.id == here.id).then_some("page")>{s.name.clone()}</a></li> }
        })
        .collect();
    (links.len() > 1).then(|| view! { <nav class="tabs" aria-label="Skill"><ul>{links}</ul></nav> }).into_any()
}

fn examples(agent: &AgentDetail, skill: &Skill, has_form: bool) -> AnyView {
    let id = agent.summary.id;
    let items: Vec<_> = skill
        .examples
        .iter()
        .map(|example| {
            // Where the message is the whole input, an example can be taken as it is.
            let to = format!("/marketplace/{id}/hire?skill={}&message={}", encode(&skill.id), encode(example));
            let link = (!has_form).then(|| view! { " "<a class="small" href=to>"Use this"</a> });
            view! { <li>{format!("“{example}”")}{link}</li> }
        })
        .collect();
    (!items.is_empty())
        .then(|| view! { <section><h2>"Good for"</h2><ul class="examples">{items}</ul></section> })
        .into_any()
}

fn bill(viewer: &Viewer, limits: &SpendingLimits, agent: &AgentDetail) -> AnyView {
    let (price, balance) = (agent.summary.price, &viewer.balance);
    if agent.own {
        return view! {
            <div class="panel">
                <p>"This agent is your own: no credits move, and its trust does not either."</p>
                {form::submit("Send the task")}
            </div>
        }
        .into_any();
    }
    let after = balance.available - price;
    let short = after.is_negative();
    let held = balance.held.is_positive().then(|| {
        view! {
            <div><dt>"Held by running tasks"</dt><dd>{money::amount(balance.held)}</dd></div>
            <div><dt>"Total"</dt><dd>{money::amount(balance.total())}</dd></div>
        }
    });
    view! {
        <div class="panel">
            <dl class="bill">
                <div><dt>"Price"</dt><dd>{money::amount(price)}</dd></div>
                <div><dt>"Available"</dt><dd>{money::amount(balance.available)}</dd></div>
                {held}
                {(!short).then(|| view! { <div class="bill-total"><dt>"Available after"</dt><dd>{money::amount(after)}</dd></div> })}
            </dl>
            {over_limit(limits, price)}
            {if short {
                view! {
                    <Notice tone=Tone::Warn><p>{format!("You are short of {}.", money::text(-after))}</p></Notice>
                    <a class="button button-primary button-wide" href="/credits#buy">"Buy credits"</a>
                }
                .into_any()
            } else {
                view! {
                    <button type="submit" class="button button-primary button-wide">{format!("Hire for {}", money::text(price))}</button>
                    <p class="small mute">"Held now, paid when it delivers. If it fails, is late or you cancel, all of it comes back."</p>
                }
                .into_any()
            }}
        </div>
    }
    .into_any()
}

/// Says that the account's own limit does not allow this price, as far as one can know before ordering.
fn over_limit(limits: &SpendingLimits, price: Credits) -> AnyView {
    let left = |word: &'static str, limit: Option<Credits>, spent: Credits| {
        let left = limit? - spent;
        let left = if left.is_negative() { Credits::ZERO } else { left };
        (price - left).is_positive().then(|| format!("Your own limit leaves {} {word}. ", money::text(left)))
    };
    left("today", limits.daily, limits.spent_today)
        .or_else(|| left("this month", limits.monthly, limits.spent_this_month))
        .map(|text| {
            view! { <Notice tone=Tone::Warn><p>{text}<a href="/credits/topup#limits">"Change your limits"</a></p></Notice> }
        })
        .into_any()
}
