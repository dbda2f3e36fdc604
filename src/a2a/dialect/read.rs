//! Tasks, messages and artifacts have one shape in 1.0 and 0.3; only their parts differ.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::STANDARD as CANONICAL;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Snapshot, State};
use crate::a2a::reply::cost_of;

/// Translates one part into A2A 1.0 JSON.
pub(super) type PartOf = fn(&Value) -> Value;

/// Reads a task; `None` where it has no status.
pub(super) fn snapshot(task: &Value, part: PartOf) -> Option<Snapshot> {
    let mut snapshot = status(task, "id", part)?;
    let artifacts = task.get("artifacts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    snapshot.artifacts =
        artifacts.iter().enumerate().filter_map(|(n, a)| artifact(a, &format!("artifact-{}", n + 1), part)).collect();
    let history = task.get("history").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let since = history.iter().rposition(is_ours).map_or(0, |n| n + 1);
    snapshot.history = history[since..].iter().filter_map(|m| message(m, part)).collect();
    Some(snapshot)
}

/// Reads what tasks and status events have in common; the task's id stands under `id_key`.
pub(super) fn status(of: &Value, id_key: &str, part: PartOf) -> Option<Snapshot> {
    let status = of.get("status").filter(|s| s.is_object())?;
    let said: Vec<Value> = status.get("message").and_then(|m| message(m, part)).into_iter().collect();
    Some(Snapshot {
        id: string(of, id_key).unwrap_or_default(),
        context: string(of, "contextId"),
        state: status.get("state").and_then(Value::as_str).and_then(State::parse),
        cost: cost_of(of).or_else(|| said.last().and_then(cost_of)),
        said,
        ..Snapshot::default()
    })
}

/// Reads a message. What the agent sends is the agent's, whatever role it writes.
pub(super) fn message(message: &Value, part: PartOf) -> Option<Value> {
    let parts = message.get("parts").or_else(|| message.get("content"))?.as_array()?;
    let mut out = kept(message, &["contextId", "taskId", "referenceTaskIds", "metadata", "extensions"]);
    let id = string(message, "messageId").unwrap_or_else(|| Uuid::new_v4().to_string());
    out.insert("messageId".into(), json!(id));
    out.insert("role".into(), json!("ROLE_AGENT"));
    out.insert("parts".into(), parts.iter().map(part).collect());
    Some(Value::Object(out))
}

/// Reads an artifact; `or` is its id where it has none.
pub(super) fn artifact(artifact: &Value, or: &str, part: PartOf) -> Option<Value> {
    let parts = artifact.get("parts").or_else(|| artifact.get("content"))?.as_array()?;
    let mut out = kept(artifact, &["name", "description", "metadata", "extensions"]);
    out.insert("artifactId".into(), json!(string(artifact, "artifactId").unwrap_or_else(|| or.to_owned())));
    out.insert("parts".into(), parts.iter().map(part).collect());
    Some(Value::Object(out))
}

/// A non-empty string.
pub(super) fn string(of: &Value, key: &str) -> Option<String> {
    of.get(key).and_then(Value::as_str).filter(|s| !s.is_empty()).map(str::to_owned)
}

/// The members of `of` that are there and say something.
pub(super) fn kept(of: &Value, keys: &[&str]) -> Map<String, Value> {
    let says = |v: &&Value| !v.is_null() && **v != json!("") && **v != json!([]) && **v != json!({});
    keys.iter().filter_map(|k| Some(((*k).to_owned(), of.get(k).filter(says)?.clone()))).collect()
}

/// What is no part of any version is kept as data, so that nothing an agent sent is lost.
pub(super) fn unknown_part(part: &Value) -> Value {
    json!({ "data": part, "mediaType": "application/json" })
}

/// The bytes behind any base64 in use: both alphabets, with padding and without.
pub(super) fn bytes_of(text: &str) -> Option<Vec<u8>> {
    const EITHER: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text = text.trim();
    let plain = GeneralPurpose::new(&STANDARD, EITHER).decode(text);
    plain.or_else(|_| GeneralPurpose::new(&URL_SAFE, EITHER).decode(text)).ok()
}

/// A file part of A2A 1.0; `None` where `raw` is no base64.
pub(super) fn raw_part(raw: &str, filename: Option<String>, media_type: Option<String>) -> Option<Value> {
    let bytes = bytes_of(raw)?;
    Some(named(json!({ "raw": CANONICAL.encode(bytes) }), filename, media_type))
}

/// `part` with a file's name and type.
pub(super) fn named(mut part: Value, filename: Option<String>, media_type: Option<String>) -> Value {
    if let Some(name) = filename {
        part["filename"] = json!(name);
    }
    if let Some(kind) = media_type {
        part["mediaType"] = json!(kind);
    }
    part
}

/// `part` with the metadata of the part it was made from.
pub(super) fn with_metadata(mut part: Value, from: &Value) -> Value {
    part.as_object_mut().into_iter().for_each(|p| p.extend(kept(from, &["metadata"])));
    part
}

fn is_ours(message: &Value) -> bool {
    message.get("role").and_then(Value::as_str).is_some_and(|r| r.to_ascii_lowercase().ends_with("user"))
}
