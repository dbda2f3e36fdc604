//! The form that hires an agent.

use app::FlashKind;
use axum::extract::{Multipart, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use domain::agents::{self, Skill};
use domain::tasks::{self, NewTask, Part, PartBody};
use domain::{AgentId, Credits, Error, FieldError};
use serde_json::{Map, Value, json};

use super::account_forms::{Fields, field};
use super::page;
use super::visit::SignedIn;
use crate::state::AppState;

/// A file as it was sent.
pub(super) struct Upload {
    name: Option<String>,
    media_type: Option<String>,
    bytes: Vec<u8>,
}

impl Upload {
    pub(super) fn part(self) -> Part {
        Part::file(self.bytes, self.name, self.media_type)
    }
}

/// Hires the agent: the task and its hold are one transaction.
pub async fn hire(
    State(state): State<AppState>,
    me: SignedIn,
    Path(agent): Path<AgentId>,
    multipart: Multipart,
) -> Response {
    let (fields, upload) = match read(multipart).await {
        Ok(sent) => sent,
        Err(error) => return page::refused(&state, &me.visit, &address(agent, ""), Vec::new(), error).await,
    };
    let skill = field(&fields, "skill");
    match order(&state, &me, agent, &fields, upload).await {
        Ok(id) => {
            me.visit.flash(FlashKind::Good, "Hired. The agent is being called.", None).await;
            Redirect::to(&format!("/tasks/{id}")).into_response()
        }
        Err(error) => page::refused(&state, &me.visit, &address(agent, &skill), fields, error).await,
    }
}

fn address(agent: AgentId, skill: &str) -> String {
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("skill", skill).finish();
    format!("/marketplace/{agent}/hire?{query}")
}

async fn order(
    state: &AppState,
    me: &SignedIn,
    agent: AgentId,
    fields: &Fields,
    upload: Option<Upload>,
) -> domain::Result<domain::TaskId> {
    let listed = agents::detail(&state.db, &me.visit.actor, agent).await?;
    let id = field(fields, "skill");
    let skill = listed.summary.skills.iter().find(|s| s.id == id);
    let Some(skill) = skill else {
        return Err(Error::field("skill", "is not one that this agent has: pick one"));
    };
    let price = field(fields, "price").parse::<Credits>().map_err(|e| Error::field("price", e.to_string()))?;
    let mut parts = Vec::new();
    let message = field(fields, "message");
    if !message.trim().is_empty() {
        parts.push(Part::text(message));
    }
    if let Some(data) = data_of(skill, fields, upload.is_some())? {
        parts.push(Part::data(data));
    }
    parts.extend(upload.map(Upload::part));
    let link = field(fields, "fileUrl");
    if !link.trim().is_empty() {
        parts.push(Part { body: PartBody::Url(link.trim().to_owned()), filename: None, media_type: None });
    }
    let follows = match field(fields, "follows") {
        text if text.is_empty() => None,
        text => Some(text.parse().map_err(|_| Error::field("follows", "is not a task"))?),
    };
    let new = NewTask {
        agent,
        skill: Some(skill.id.clone()),
        title: field(fields, "title"),
        parts,
        max_budget: None,
        shown_price: Some(price),
        timeout_seconds: None,
        follows,
        retry_of: None,
    };
    Ok(tasks::create(&state.db, &me.visit.actor, new, Utc::now()).await?.id)
}

/// The data part that the skill's form fields make, with JSON types as the schema says. A file can stand in for
/// what is missing (a CSV uploaded instead of pasted).
fn data_of(skill: &Skill, fields: &Fields, has_file: bool) -> domain::Result<Option<Value>> {
    let properties = skill.input_schema.as_ref().and_then(|s| s.get("properties")).and_then(Value::as_object);
    let (Some(properties), Some(schema)) = (properties, &skill.input_schema) else { return Ok(None) };
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|r| r.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut data = Map::new();
    let mut wrong = Vec::new();
    for (name, property) in properties {
        let field_name = format!("f.{name}");
        // A check box sends its hidden "false" first and "true" only when ticked: the last one counts.
        let typed = fields.iter().rev().find(|(n, _)| *n == field_name).map(|(_, v)| v.as_str()).unwrap_or_default();
        if typed.trim().is_empty() {
            if required.contains(&name.as_str()) && !has_file {
                wrong.push(FieldError::new(field_name, "is missing"));
            }
            continue;
        }
        match value_of(property, typed) {
            Ok(value) => {
                data.insert(name.clone(), value);
            }
            Err(what) => wrong.push(FieldError::new(field_name, what)),
        }
    }
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    Ok((!data.is_empty()).then_some(Value::Object(data)))
}

fn value_of(property: &Value, typed: &str) -> Result<Value, String> {
    let number = |key: &str| property.get(key).and_then(Value::as_f64);
    let in_range = |n: f64| match (number("minimum"), number("maximum")) {
        (Some(least), _) if n < least => Err(format!("must be at least {least}")),
        (_, Some(most)) if n > most => Err(format!("must be at most {most}")),
        _ => Ok(()),
    };
    match property.get("type").and_then(Value::as_str) {
        Some("integer") => {
            let n = typed.trim().parse::<i64>().map_err(|_| "must be a whole number".to_owned())?;
            in_range(n as f64)?;
            Ok(json!(n))
        }
        Some("number") => {
            let n = typed.trim().parse::<f64>().ok().filter(|n| n.is_finite()).ok_or("must be a number")?;
            in_range(n)?;
            Ok(json!(n))
        }
        Some("boolean") => Ok(json!(typed == "true" || typed == "on")),
        Some("array" | "object") => serde_json::from_str(typed).map_err(|e| format!("is not JSON: {e}")),
        _ => {
            if let Some(most) = property.get("maxLength").and_then(Value::as_u64)
                && typed.chars().count() as u64 > most
            {
                return Err(format!("is longer than {most} characters"));
            }
            let options = property.get("enum").and_then(Value::as_array);
            if options.is_some_and(|o| !o.iter().any(|v| v.as_str() == Some(typed))) {
                return Err("is not one of the choices".into());
            }
            Ok(json!(typed))
        }
    }
}

/// Reads a form with its file.
pub(super) async fn read(mut multipart: Multipart) -> domain::Result<(Fields, Option<Upload>)> {
    let broken = |e: axum::extract::multipart::MultipartError| {
        if e.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            Error::field("file", "is larger than 2 MB")
        } else {
            Error::field("form", "could not be read")
        }
    };
    let (mut fields, mut upload) = (Vec::new(), None);
    while let Some(part) = multipart.next_field().await.map_err(broken)? {
        let Some(name) = part.name().map(str::to_owned) else { continue };
        if name == "file" {
            let filename = part.file_name().map(str::to_owned).filter(|n| !n.is_empty());
            let media_type = part.content_type().map(str::to_owned);
            let bytes = part.bytes().await.map_err(broken)?.to_vec();
            if !bytes.is_empty() {
                upload = Some(Upload { name: filename, media_type, bytes });
            }
        } else {
            fields.push((name, part.text().await.map_err(broken)?));
        }
    }
    Ok((fields, upload))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skill() -> Skill {
        let schema = json!({"type": "object", "required": ["text"], "properties": {
            "text": {"type": "string", "maxLength": 10}, "n": {"type": "integer", "minimum": 1, "maximum": 5},
            "loud": {"type": "boolean"}, "size": {"type": "string", "enum": ["small", "large"]}}});
        Skill { input_schema: Some(schema), ..Skill::default() }
    }

    fn sent(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(n, v)| (format!("f.{n}"), (*v).to_owned())).collect()
    }

    #[test]
    fn a_form_becomes_data_with_the_types_of_the_schema() {
        let fields = sent(&[("text", "hello"), ("n", "3"), ("loud", "false"), ("loud", "true"), ("size", "")]);
        let data = data_of(&skill(), &fields, false).unwrap();
        assert_eq!(data, Some(json!({"text": "hello", "n": 3, "loud": true})));
        assert_eq!(data_of(&Skill::default(), &fields, false).unwrap(), None);
    }

    #[test]
    fn each_wrong_field_is_named() {
        let fields = sent(&[("text", "longer than ten"), ("n", "9"), ("size", "huge")]);
        let Err(Error::Validation(wrong)) = data_of(&skill(), &fields, false) else { panic!("accepted") };
        let names: Vec<&str> = wrong.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(names.len(), 3);
        for name in ["f.text", "f.n", "f.size"] {
            assert!(names.contains(&name), "{name}");
        }
        let missing = data_of(&skill(), &sent(&[("n", "2")]), false);
        assert!(matches!(missing, Err(Error::Validation(w)) if w[0].field == "f.text"));
        assert!(data_of(&skill(), &sent(&[("n", "2")]), true).is_ok());
    }
}
