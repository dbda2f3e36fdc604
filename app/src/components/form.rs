//! What stands at the top and the bottom of a form.

use leptos::prelude::*;

use crate::context::Form;

/// What is wrong with no one field, or with a field that the form does not show. Read out at once.
pub fn errors(form: &Form, shown: &[&str]) -> AnyView {
    let elsewhere: Vec<String> = form
        .errors
        .iter()
        .filter(|e| !shown.iter().any(|s| e.field == *s || (s.ends_with('.') && e.field.starts_with(s))))
        .map(|e| format!("{}: {}.", e.field, e.message))
        .collect();
    let at_fields = form.errors.len() - elsewhere.len();
    let lead = match (&form.message, at_fields) {
        (Some(message), _) => Some(message.clone()),
        (None, 0) => None,
        (None, 1) => Some("One field needs another look.".to_owned()),
        (None, n) => Some(format!("{n} fields need another look.")),
    };
    (lead.is_some() || !elsewhere.is_empty())
        .then(|| {
            let elsewhere: Vec<_> = elsewhere.into_iter().map(|text| view! { <p>{text}</p> }).collect();
            view! { <div class="notice notice-bad" role="alert">{lead.map(|l| view! { <p>{l}</p> })}{elsewhere}</div> }
        })
        .into_any()
}

/// A value that the form carries along.
pub fn hidden(name: &str, value: String) -> AnyView {
    let name = name.to_owned();
    view! { <input type="hidden" name=name value=value /> }.into_any()
}

/// The box `confirm` of a form whose effect is not undone. Without the hidden `false` of other boxes: not sent means not ticked.
pub fn confirm(form: &Form, label: &'static str) -> AnyView {
    let wrong = form.error("confirm").map(|m| format!("The box {m}."));
    view! {
        <div class="field field-check">
            <input type="checkbox" id="confirm" name="confirm" value="yes" aria-describedby=wrong.is_some().then_some("confirm-error") />
            <label for="confirm">{label}</label>
            {wrong.map(|w| view! { <p class="field-error" id="confirm-error">{w}</p> })}
        </div>
    }
    .into_any()
}

/// Two ways, of which one is chosen; what belongs to the second follows it.
pub fn either(form: &Form, name: &'static str, ways: [(&'static str, &'static str); 2], stored: &str) -> AnyView {
    let chosen = if form.is_sent() { form.value(name).unwrap_or_default().to_owned() } else { stored.to_owned() };
    let ways: Vec<_> = ways
        .into_iter()
        .map(|(value, label)| {
            let id = format!("{name}-{value}");
            view! {
                <div class="field field-check">
                    <input type="radio" id=id.clone() name=name value=value checked=chosen == value required />
                    <label for=id>{label}</label>
                </div>
            }
        })
        .collect();
    ways.into_any()
}

/// A button that sends the form.
pub fn submit(label: &str) -> AnyView {
    let label = label.to_owned();
    view! { <button type="submit" class="button button-primary">{label}</button> }.into_any()
}

/// A form of one button.
pub fn one_button(action: &str, class: &'static str, label: &'static str, fields: Vec<(&str, String)>) -> AnyView {
    let action = action.to_owned();
    let fields: Vec<_> = fields.into_iter().map(|(name, value)| hidden(name, value)).collect();
    view! { <form method="post" action=action class="one-button">{fields}<button type="submit" class=class>{label}</button></form> }.into_any()
}
