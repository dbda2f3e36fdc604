//! The form of a listing: the same for a new agent and for one that exists.

use domain::agents::{NewAgent, Skill, rules};
use leptos::prelude::*;

use crate::components::field::Field;
use crate::components::form;
use crate::context::Form;

/// The fields of a listing, with what was typed or else what is `stored`.
pub fn listing_fields(typed: &Form, stored: &NewAgent) -> AnyView {
    let rows = if typed.is_sent() {
        typed.value("skills").and_then(|n| n.parse::<usize>().ok()).unwrap_or(0)
    } else {
        stored.skills.len()
    };
    let no_skill = Skill::default();
    let skills: Vec<_> = (0..rows).map(|i| skill_fields(i, typed, stored.skills.get(i).unwrap_or(&no_skill))).collect();
    let card = typed.value_or("card", &if stored.card.is_null() { String::new() } else { stored.card.to_string() });
    let card_url = typed.value_or("card_url", stored.card_url.as_deref().unwrap_or_default());
    let shown =
        ["name", "description", "endpoint", "tags", "price", "max_concurrent", "promised_seconds", "url", "skill."];
    view! {
        {form::errors(typed, &shown)}
        // Enter in a field saves; without this the first button in the form would be pressed.
        <button type="submit" name="action" value="save" class="visually-hidden" tabindex="-1" aria-hidden="true">"Save"</button>
        {form::hidden("card", card)}
        {form::hidden("card_url", card_url)}
        {form::hidden("skills", rows.to_string())}
        {Field::new("name", "Name").required(true).maxlength(Some(100)).value(stored.name.clone()).show(typed)}
        {Field::new("description", "Description").lines(5).maxlength(Some(5_000)).value(stored.description.clone())
            .hint("What it does and for whom, in plain words.").show(typed)}
        {Field::new("endpoint", "Endpoint").kind("url").mono().required(true).value(stored.endpoint.clone())
            .hint("Where it answers A2A requests (JSON-RPC). Only you see it. A new address must answer a test call before it is listed again.")
            .show(typed)}
        <div class="two-fields">
            {Field::new("price", "Price a task, in credits").inputmode("decimal").required(true).value(stored.price.to_string())
                .hint("95 % of it is yours for each completed task.").show(typed)}
            {Field::new("tags", "Tags").value(stored.tags.join(", ")).placeholder("text, summary")
                .hint("At most 10, with commas between them.").show(typed)}
        </div>
        <div class="two-fields">
            {Field::new("max_concurrent", "Tasks at once").kind("number").required(true).value(stored.max_concurrent.to_string())
                .range(Some("1".into()), Some(rules::CONCURRENT_MAX.to_string()), "1")
                .hint("More than that wait in the queue until one has ended.").show(typed)}
            {Field::new("promised_seconds", "Promised answer, in seconds").kind("number")
                .value(stored.promised_seconds.map(|s| s.to_string()).unwrap_or_default())
                .range(Some("1".into()), Some(rules::PROMISE_MAX.to_string()), "1")
                .hint("Shown on its page. Leave it empty to promise nothing.").show(typed)}
        </div>
        <fieldset class="skill-rows">
            <legend>"Skills"</legend>
            <p class="field-hint">"People hire a skill. At least one is needed to be listed."</p>
            {skills}
            <button type="submit" name="action" value="add-skill" class="button" formnovalidate="">"Add a skill"</button>
        </fieldset>
    }
    .into_any()
}

fn skill_fields(i: usize, typed: &Form, stored: &Skill) -> AnyView {
    let field = |what: &str, label: &str| Field::new(format!("skill.{i}.{what}"), label);
    let json = |v: &Option<serde_json::Value>| {
        v.as_ref().and_then(|v| serde_json::to_string_pretty(v).ok()).unwrap_or_default()
    };
    let name = typed.value_or(&format!("skill.{i}.name"), &stored.name);
    let title = if name.is_empty() { format!("Skill {}", i + 1) } else { name };
    let remove_label = format!("Remove {title}");
    let open_schemas =
        typed.error(&format!("skill.{i}.input_schema")).or(typed.error(&format!("skill.{i}.output_schema"))).is_some();
    view! {
        <div class="skill-row">
            <div class="section-head">
                <h3>{title}</h3>
                <button type="submit" name="action" value=format!("remove-skill.{i}") class="button button-small button-quiet"
                    formnovalidate="" aria-label=remove_label>"Remove"</button>
            </div>
            <div class="two-fields">
                {field("name", "Name").required(true).value(stored.name.clone()).show(typed)}
                {field("id", "Id").mono().required(true).value(stored.id.clone()).hint("What calls name it by.").show(typed)}
            </div>
            {field("description", "Description").lines(2).value(stored.description.clone()).show(typed)}
            <div class="two-fields">
                {field("tags", "Tags").value(stored.tags.join(", ")).show(typed)}
                {field("examples", "Examples").lines(2).value(stored.examples.join("\n")).hint("One a line.").show(typed)}
            </div>
            <details open=open_schemas>
                <summary>"Input and output schema"</summary>
                {field("input_schema", "Input").lines(6).mono().value(json(&stored.input_schema))
                    .hint("A JSON Schema. The hire form is made of it.").show(typed)}
                {field("output_schema", "Output").lines(6).mono().value(json(&stored.output_schema)).hint("A JSON Schema.").show(typed)}
            </details>
        </div>
    }
    .into_any()
}
