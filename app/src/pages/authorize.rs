//! A client asks to be connected: who it is, what it wants, and how much of that it gets.

use domain::Error;
use domain::api_keys::Scope;
use domain::api_keys::connections::{Asked, LIFE_PRESETS, Problem, ask, resource};
use http::StatusCode;
use leptos::prelude::*;

use super::errors::set_status;
use crate::components::field::Field;
use crate::components::heading::PageHeading;
use crate::components::{form, money};
use crate::context::{Form, PageRequest, Viewer, load, page_request};

/// The fields that say themselves what is wrong with them.
const SHOWN: [&str; 5] = ["scopes", "dailyCap", "monthlyCap", "totalCap", "life"];
/// The cap that the form suggests, a month.
const SUGGESTED: &str = "100.00";

/// The page.
#[component]
pub fn Authorize() -> impl IntoView {
    let request = page_request();
    load(async move {
        let query = request.uri.split_once('?').map_or("", |(_, query)| query);
        match (ask(&request.db, &request.site.public_url, query).await, &request.viewer) {
            (Ok(asked), Some(viewer)) => Ok(consent(&asked, viewer, &request)),
            (Ok(_), None) => Err(Error::Unauthorized),
            (Err(Problem::Shown(what)), _) => Ok(cannot(what)),
            // The server sends those back to the client before it shows a page.
            (Err(Problem::Sent(_)), _) => Ok(cannot("It asks for something that is not given.".into())),
            (Err(Problem::Fault(error)), _) => Err(error),
        }
    })
}

/// What only the person can be told, because it is not known whom else to tell.
fn cannot(what: String) -> AnyView {
    set_status(StatusCode::BAD_REQUEST);
    view! {
        <div class="narrow">
            <PageHeading title="This program cannot be connected" lead=what />
            <p>"Nothing was given to it. If you were about to connect a program, begin again there."</p>
            <p><a class="button" href="/settings/connections">"Your connections"</a></p>
        </div>
    }
    .into_any()
}

fn consent(asked: &Asked, viewer: &Viewer, request: &PageRequest) -> AnyView {
    let typed = &request.form;
    let cap =
        |name: &str, label: &str, stored: &str| Field::new(name, label).inputmode("decimal").value(stored).show(typed);
    let lives = LIFE_PRESETS.map(|days| (days.to_string(), format!("For {days} days")));
    let lives = lives.into_iter().chain([("never".to_owned(), "Until I cut it off".to_owned())]).collect();
    let name = asked.client.name.clone();
    view! {
        <div class="narrow">
            <PageHeading title=format!("Connect {name}?") lead="It wants to use NEXUS for you. You say what it may do, and can cut it off at any time." />
            {who(asked, viewer, &request.site.public_url)}
            <form method="post" action=request.uri.clone() class="panel form">
                {form::errors(typed, &SHOWN)}
                {scopes(asked, typed)}
                <fieldset class="key-choice">
                    <legend>"How much it may spend, in credits"</legend>
                    <p class="field-hint">
                        "It hires agents with your credits. What would exceed a sum here is refused, and nothing is held. What failed \
                         tasks return may be spent again. Days and months are UTC. Empty: no cap."
                    </p>
                    <div class="three-fields">
                        {cap("dailyCap", "A day", "")}
                        {cap("monthlyCap", "A month", SUGGESTED)}
                        {cap("totalCap", "In all", "")}
                    </div>
                </fieldset>
                {Field::new("life", "How long").options(lives).value("30").unmarked().show(typed)}
                <div class="form-actions">
                    <button type="submit" name="answer" value="approve" class="button button-primary">"Connect"</button>
                    <button type="submit" name="answer" value="refuse" class="button" formnovalidate>"Refuse"</button>
                </div>
            </form>
        </div>
    }
    .into_any()
}

fn who(asked: &Asked, viewer: &Viewer, site: &str) -> AnyView {
    let place = asked.place();
    let place = if asked.is_local() { format!("A program on this computer ({place})") } else { place };
    let part = resource::address(site, &asked.resource);
    view! {
        <section class="panel" aria-label="Who asks">
            <dl class="facts facts-plain">
                <div><dt>"Program"</dt><dd>{asked.client.name.clone()}</dd></div>
                <div><dt>"You go back to"</dt><dd><strong>{place}</strong></dd></div>
                <div><dt>"It uses"</dt><dd><code>{part}</code></dd></div>
                <div><dt>"Your account"</dt><dd>{viewer.profile.email.clone()}", "{money::amount(viewer.balance.available)}</dd></div>
            </dl>
            <p class="small mute">"The program chose its name itself, and nobody has checked it. Connect it only if you began this yourself."</p>
        </section>
    }
    .into_any()
}

fn scopes(asked: &Asked, typed: &Form) -> AnyView {
    let boxes: Vec<_> = asked.scopes.iter().map(|scope| scope_box(*scope, typed)).collect();
    let wrong = typed.error("scopes").map(|m| format!("What it may do {m}."));
    let described = wrong.is_some().then_some("scopes-error");
    view! {
        <fieldset class="key-choice" aria-describedby=described>
            <legend>"What it may do"</legend>
            {boxes}
            {wrong.map(|w| view! { <p class="field-error" id="scopes-error" role="alert">{w}</p> })}
        </fieldset>
    }
    .into_any()
}

/// The label is for people; programs know the word.
fn scope_box(scope: Scope, typed: &Form) -> AnyView {
    let word = scope.as_str();
    let id = format!("scope-{}", word.replace(':', "-"));
    let hint = format!("{id}-hint");
    view! {
        <div class="field field-check">
            <input type="checkbox" id=id.clone() name="scopes" value=word checked=typed.ticked("scopes", word, true)
                aria-describedby=hint.clone() />
            <label for=id>{scope.label()}</label>
            <p class="field-hint" id=hint><code>{word}</code></p>
        </div>
    }
    .into_any()
}
