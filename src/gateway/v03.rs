//! Answers of A2A 1.0 in the words of 0.3: as JSON-RPC has them (`kind`, lower-case states), and as its HTTP+JSON has them, which
//! is the JSON of that version's protocol buffers.

use serde_json::{Map, Value, json};

use crate::a2a::parts;

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON-RPC.
    Json,
    /// HTTP+JSON.
    Proto,
}

/// The state `TASK_STATE_INPUT_REQUIRED` as `input-required`.
fn state(name: &Value, form: Form) -> Value {
    let name = name.as_str().unwrap_or_default();
    match form {
        // The spelling with two l was that of the protocol buffers.
        Form::Proto if name == "TASK_STATE_CANCELED" => json!("TASK_STATE_CANCELLED"),
        Form::Proto => json!(name),
        Form::Json => json!(name.trim_start_matches("TASK_STATE_").to_ascii_lowercase().replace('_', "-")),
    }
}

fn part(value: &Value, form: Form) -> Value {
    match form {
        Form::Json => parts::to_v03(value),
        Form::Proto => parts::to_v03_proto(value),
    }
}

fn parts_of(value: &Value, form: Form) -> Value {
    value.get("parts").and_then(Value::as_array).into_iter().flatten().map(|p| part(p, form)).collect()
}

fn kept(of: &Value, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), of.get(*name)?.clone()))).collect()
}

/// `Message`.
pub fn message(value: &Value, form: Form) -> Value {
    let mut out = kept(value, &["messageId", "contextId", "taskId", "metadata", "extensions"]);
    let agent = value["role"] == "ROLE_AGENT";
    match form {
        Form::Json => {
            out.insert("kind".into(), json!("message"));
            out.insert("role".into(), json!(if agent { "agent" } else { "user" }));
            out.insert("parts".into(), parts_of(value, form));
        }
        Form::Proto => {
            out.insert("role".into(), json!(if agent { "ROLE_AGENT" } else { "ROLE_USER" }));
            out.insert("content".into(), parts_of(value, form));
        }
    }
    Value::Object(out)
}

fn status(value: &Value, form: Form) -> Value {
    let mut out = kept(value, &["timestamp"]);
    out.insert("state".into(), state(&value["state"], form));
    if let Some(said) = value.get("message") {
        out.insert("message".into(), message(said, form));
    }
    Value::Object(out)
}

fn artifact(value: &Value, form: Form) -> Value {
    let mut out = kept(value, &["artifactId", "name", "description", "metadata", "extensions"]);
    out.insert("parts".into(), parts_of(value, form));
    Value::Object(out)
}

/// `Task`.
pub fn task(value: &Value, form: Form) -> Value {
    let mut out = kept(value, &["id", "contextId", "metadata"]);
    out.insert("status".into(), status(&value["status"], form));
    for (name, read) in [("artifacts", artifact as fn(&Value, Form) -> Value), ("history", message)] {
        if let Some(items) = value.get(name).and_then(Value::as_array) {
            out.insert(name.into(), items.iter().map(|item| read(item, form)).collect());
        }
    }
    if form == Form::Json {
        out.insert("kind".into(), json!("task"));
    }
    Value::Object(out)
}

/// A `StreamResponse` or `SendMessageResponse`: bare in JSON-RPC, wrapped in HTTP+JSON. `last`: whether the stream ends with it.
pub fn event(value: &Value, form: Form, last: bool) -> Value {
    let (name, inner) = if let Some(inner) = value.get("task") {
        ("task", task(inner, form))
    } else if let Some(inner) = value.get("message") {
        (if form == Form::Proto { "msg" } else { "message" }, message(inner, form))
    } else if let Some(inner) = value.get("statusUpdate") {
        let mut out = kept(inner, &["taskId", "contextId", "metadata"]);
        out.insert("status".into(), status(&inner["status"], form));
        out.insert("final".into(), json!(last));
        ("statusUpdate", with_kind(out, "status-update", form))
    } else if let Some(inner) = value.get("artifactUpdate") {
        let mut out = kept(inner, &["taskId", "contextId", "append", "lastChunk", "metadata"]);
        out.insert("artifact".into(), artifact(&inner["artifact"], form));
        ("artifactUpdate", with_kind(out, "artifact-update", form))
    } else {
        return value.clone();
    };
    match form {
        Form::Json => inner,
        Form::Proto => json!({ name: inner }),
    }
}

fn with_kind(mut out: Map<String, Value>, kind: &str, form: Form) -> Value {
    if form == Form::Json {
        out.insert("kind".into(), json!(kind));
    }
    Value::Object(out)
}

/// `TaskPushNotificationConfig`, which has the configuration within.
pub fn push_config(value: &Value, form: Form) -> Value {
    let mut inner = kept(value, &["id", "url", "token"]);
    if let Some(auth) = value.get("authentication") {
        let mut out = json!({ "schemes": [auth["scheme"]] });
        if let Some(credentials) = auth.get("credentials") {
            out["credentials"] = credentials.clone();
        }
        inner.insert("authentication".into(), out);
    }
    match form {
        Form::Json => json!({ "taskId": value["taskId"], "pushNotificationConfig": inner }),
        Form::Proto => {
            let name = format!("tasks/{}/pushNotificationConfigs/{}", text(&value["taskId"]), text(&value["id"]));
            json!({ "name": name, "pushNotificationConfig": inner })
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
