//! JSON Schemas of skills: shown as a table of fields, and turned into a form.

use domain::agents::Skill;
use leptos::prelude::*;
use serde_json::Value;

use super::field::Field;
use super::table::Table;
use crate::context::Form;

/// One property of an object's schema.
struct Property<'a> {
    name: &'a str,
    schema: &'a Value,
    required: bool,
}

impl Property<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.schema.get(key).and_then(Value::as_str)
    }

    fn kind(&self) -> String {
        match self.schema.get("type") {
            Some(Value::String(kind)) => kind.clone(),
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
            _ => "any".into(),
        }
    }

    fn choices(&self) -> Vec<&str> {
        self.schema
            .get("enum")
            .and_then(Value::as_array)
            .map(|c| c.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default()
    }

    fn number(&self, key: &str) -> Option<String> {
        self.schema.get(key).filter(|v| v.is_number()).map(Value::to_string)
    }

    /// What is allowed beyond the type, in words.
    fn limits(&self) -> String {
        let mut out = Vec::new();
        let choices = self.choices();
        if !choices.is_empty() {
            out.push(format!("one of {}", choices.join(", ")));
        }
        match (self.number("minimum"), self.number("maximum")) {
            (Some(min), Some(max)) => out.push(format!("{min} to {max}")),
            (Some(min), None) => out.push(format!("at least {min}")),
            (None, Some(max)) => out.push(format!("at most {max}")),
            (None, None) => {}
        }
        if let Some(most) = self.number("maxLength") {
            out.push(format!("at most {most} characters"));
        }
        if let Some(default) = self.schema.get("default").filter(|d| !d.is_null() && *d != "") {
            out.push(format!("default {}", plain(default)));
        }
        out.join("; ")
    }
}

/// Properties, the required ones first: JSON objects have no order, and people look for those.
fn properties(schema: &Value) -> Vec<Property<'_>> {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|r| r.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let Some(map) = schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
    let mut all: Vec<Property<'_>> = map
        .iter()
        .map(|(name, schema)| Property { name, schema, required: required.contains(&name.as_str()) })
        .collect();
    all.sort_by_key(|p| !p.required);
    all
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a form can be made of the skill's input schema.
pub fn has_form(skill: &Skill) -> bool {
    skill.input_schema.as_ref().is_some_and(|s| !properties(s).is_empty())
}

/// The schema for people: a table where it describes an object, and the JSON for whoever wants all of it.
pub fn describe(title: &'static str, schema: &Value) -> AnyView {
    let rows: Vec<_> = properties(schema)
        .iter()
        .map(|p| {
            let what = p.text("description").or(p.text("title")).unwrap_or_default().to_owned();
            let limits = p.limits();
            view! {
                <tr>
                    <td><code>{p.name.to_owned()}</code>{p.required.then(|| view! { <span class="required">" required"</span> })}</td>
                    <td>{p.kind()}</td>
                    <td>{what}{(!limits.is_empty()).then(|| view! { <span class="mute small">{format!(" ({limits})")}</span> })}</td>
                </tr>
            }
        })
        .collect();
    let json = serde_json::to_string_pretty(schema).unwrap_or_default();
    let table = (!rows.is_empty()).then(|| {
        view! { <Table caption=title head=vec![("Field", false), ("Type", false), ("Meaning", false)]>{rows}</Table> }
    });
    view! {
        <div class="schema">
            <h4>{title}</h4>
            {table}
            <details><summary>"JSON Schema"</summary><pre class="code" tabindex="0">{json}</pre></details>
        </div>
    }
    .into_any()
}

/// The fields of the form that a skill's input schema describes, named `f.<property>`.
pub fn form_fields(skill: &Skill, form: &Form) -> Vec<AnyView> {
    let Some(schema) = &skill.input_schema else { return Vec::new() };
    properties(schema).iter().map(|p| form_field(p).show(form)).collect()
}

fn form_field(p: &Property<'_>) -> Field {
    let label = p.text("title").map_or_else(|| words_of(p.name), str::to_owned);
    let default = p.schema.get("default").filter(|d| !d.is_null()).map(plain).unwrap_or_default();
    let most = p.schema.get("maxLength").and_then(Value::as_u64);
    let mut field = Field::new(format!("f.{}", p.name), label).value(default.clone()).required(p.required);
    if let Some(hint) = p.text("description") {
        field = field.hint(hint);
    }
    let choices = p.choices();
    if !choices.is_empty() {
        let none = (!p.required && default.is_empty()).then(|| (String::new(), "No choice".to_owned()));
        return field.options(none.into_iter().chain(choices.iter().map(|c| ((*c).to_owned(), words_of(c)))).collect());
    }
    match p.kind().as_str() {
        "boolean" => field.check(),
        "integer" => field.kind("number").inputmode("numeric").range(p.number("minimum"), p.number("maximum"), "1"),
        "number" => field.kind("number").inputmode("decimal").range(p.number("minimum"), p.number("maximum"), "any"),
        "array" | "object" => field.lines(4).mono(),
        // A short limit means a line; none, or a long one, means a text.
        _ if most.is_some_and(|m| m <= 200) => field.maxlength(most),
        _ => field.lines(if p.required { 8 } else { 3 }).maxlength(most),
    }
}

/// `hasHeader` and `has_header` as `Has header`.
fn words_of(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c == '_' || c == '-' {
            out.push(' ');
        } else if c.is_uppercase() && out.ends_with(|l: char| l.is_lowercase()) {
            out.push(' ');
            out.extend(c.to_lowercase());
        } else {
            out.push(c);
        }
    }
    let mut chars = out.chars();
    chars.next().map(|c| c.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_become_words() {
        assert_eq!(["hasHeader", "max_words", "text", "URL"].map(words_of), ["Has header", "Max words", "Text", "URL"]);
    }

    #[test]
    fn what_is_required_comes_first_and_limits_are_said() {
        let schema = json!({"required": ["z"], "properties": {
            "a": {"type": "integer", "minimum": 1, "maximum": 5, "default": 3}, "z": {"type": "string", "maxLength": 9}}});
        let all = properties(&schema);
        assert_eq!(all.iter().map(|p| p.name).collect::<Vec<_>>(), ["z", "a"]);
        assert_eq!((all[1].limits().as_str(), all[0].limits().as_str()), ("1 to 5; default 3", "at most 9 characters"));
        assert!(properties(&json!(true)).is_empty() && properties(&json!({"properties": []})).is_empty());
    }
}
