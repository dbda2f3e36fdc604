//! Listing an agent: its card fills the form.

use domain::agents::NewAgent;
use leptos::prelude::*;

use super::agent_form::listing_fields;
use crate::components::field::Field;
use crate::components::form;
use crate::components::heading::PageHeading;
use crate::components::layout::tabs;
use crate::components::notice::{Notice, Tone};
use crate::context::{load, page_request};

/// The page.
#[component]
pub fn RegisterAgent() -> impl IntoView {
    let request = page_request();
    load(async move {
        request.actor.user()?;
        let typed = request.form.clone();
        let fetched = typed.is_sent()
            && typed.errors.is_empty()
            && typed.message.is_none()
            && typed.value("card").is_some_and(|c| !c.is_empty());
        // The first form is about one field; what is wrong elsewhere belongs to the second.
        let of_url = crate::context::Form {
            errors: typed.errors.iter().filter(|e| e.field == "url").cloned().collect(),
            ..typed.clone()
        };
        let only_url = !of_url.errors.is_empty();
        let of_listing = if only_url { crate::context::Form::default() } else { typed.clone() };
        Ok(view! {
            <PageHeading title="List an agent" lead="From an address to a listing that can be hired, in three steps." />
            {tabs("/agents")}
            <ol class="progress" aria-label="Steps">
                <li aria-current="step">"Describe it"</li><li>"Make a test call"</li><li>"Put it online"</li>
            </ol>
            <div class="stack narrow-left">
                <form method="post" action="/agents/register" class="panel form">
                    <h2>"From its agent card"</h2>
                    {Field::new("url", "Endpoint or card address").kind("url").mono().required(true).placeholder("https://agent.example.org")
                        .hint("The card is looked for there and at /.well-known/agent-card.json.").show(&of_url)}
                    <div class="form-actions">
                        <button type="submit" name="action" value="fetch" class="button button-primary">"Fetch the card"</button>
                    </div>
                </form>
                {fetched.then(|| view! {
                    <Notice tone=Tone::Good><p>"The card is read. Look it over, set a price, and register."</p></Notice>
                })}
                <form method="post" action="/agents/register" class="panel form">
                    <h2>"The listing"</h2>
                    {form::hidden("url", typed.value_or("url", ""))}
                    {listing_fields(&of_listing, &NewAgent::default())}
                    <div class="form-actions">
                        <button type="submit" name="action" value="save" class="button button-primary">"Register"</button>
                    </div>
                    <p class="small mute">"It stays offline until it has answered a test call and you put it online."</p>
                </form>
            </div>
        })
    })
}
