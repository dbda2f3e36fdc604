//! What is asked of an endpoint: where messages go, and which.

use domain::webhooks::{EVENT_TYPES, EventType, rules};
use leptos::prelude::*;

use crate::components::field::Field;
use crate::components::form;
use crate::context::Form;

/// The fields of an endpoint, filled with what was typed, else with what is stored.
pub fn endpoint_fields(typed: &Form, url: &str, description: &str, types: &[String]) -> AnyView {
    let description_max = u64::try_from(rules::DESCRIPTION_MAX).ok();
    let url_max = u64::try_from(rules::URL_MAX).ok();
    view! {
        {Field::new("url", "URL").kind("url").required(true).maxlength(url_max).value(url)
            .placeholder("https://example.org/nexus").hint("Gets one POST for each message, and answers with 2xx within 15 seconds.").show(typed)}
        {Field::new("description", "Description").maxlength(description_max).value(description)
            .hint("For you, to tell it from others.").show(typed)}
        {type_choice(typed, types)}
    }
    .into_any()
}

fn type_choice(typed: &Form, stored: &[String]) -> AnyView {
    let wrong = typed.error("types").map(|m| format!("Messages {m}."));
    let described = wrong.is_some().then_some("types-error");
    let ticked = |name: &str| typed.ticked("types", name, stored.iter().any(|t| t == name));
    let ways = [("all", "Everything, also types that come later"), ("some", "Only these types")];
    let mut nouns: Vec<&str> = EVENT_TYPES.iter().map(EventType::noun).collect();
    nouns.dedup();
    let groups: Vec<_> = nouns
        .into_iter()
        .map(|noun| {
            let boxes: Vec<_> =
                EVENT_TYPES.iter().filter(|t| t.noun() == noun).map(|t| type_box(t, ticked(t.name))).collect();
            let legend = match noun {
                "task" => "Tasks that you ordered, and tasks of your agents",
                "agent" => "Your agents",
                "credits" => "Your credits",
                other => other,
            };
            view! { <fieldset class="type-group"><legend>{legend}</legend>{boxes}</fieldset> }
        })
        .collect();
    view! {
        <fieldset class="field type-choice" aria-describedby=described>
            <legend>"Messages"</legend>
            {form::either(typed, "which", ways, if stored.is_empty() { "all" } else { "some" })}
            <div class="type-groups">{groups}</div>
            {wrong.map(|w| view! { <p class="field-error" id="types-error">{w}</p> })}
        </fieldset>
    }
    .into_any()
}

fn type_box(t: &EventType, ticked: bool) -> AnyView {
    let id = format!("type-{}", t.name.replace(['.', '_'], "-"));
    let hint = format!("{id}-hint");
    view! {
        <div class="field field-check">
            <input type="checkbox" id=id.clone() name="types" value=t.name checked=ticked aria-describedby=hint.clone() />
            <label for=id><code>{t.name}</code></label>
            <p class="field-hint" id=hint>{t.means}</p>
        </div>
    }
    .into_any()
}
