//! What agents spoke before A2A 0.3: JSON-RPC `message/send` and `tasks/get`, parts of `type` and `data`, states as
//! bare words. There is no stream and no push.

use serde_json::{Value, json};

use super::read::{self, kept, named, raw_part, string, unknown_part};
use super::{Event, Operation, Snapshot, State};
use crate::a2a::call_error::CallError;
use crate::a2a::client::Outgoing;
use crate::a2a::reply::cost_of;

/// Method and parameters of an operation; `None` where there is no such method.
pub(super) fn rpc(op: Operation<'_>) -> Option<(&'static str, Value)> {
    match op {
        Operation::Send(out) => Some(("message/send", params(out))),
        Operation::Get(task) => Some(("tasks/get", json!({ "id": task }))),
        Operation::Cancel(task) => Some(("tasks/cancel", json!({ "id": task }))),
        Operation::Stream(_) | Operation::Resubscribe { .. } => None,
    }
}

/// The caller names the task: after the message that begins it, so that the same message again is the same task.
fn task_named(out: &Outgoing) -> Value {
    out.message.get("taskId").filter(|id| id.is_string()).unwrap_or(&out.message["messageId"]).clone()
}

fn params(out: &Outgoing) -> Value {
    let sent = out.message.get("parts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut message = kept(&out.message, &["metadata"]);
    message.insert("role".into(), json!("user"));
    message.insert("parts".into(), sent.iter().flat_map(to_parts).collect());
    json!({ "id": task_named(out), "message": message })
}

/// Data goes as data and as text, because most of these agents read text alone.
fn to_parts(part: &Value) -> Vec<Value> {
    if let Some(text) = part.get("text") {
        return vec![json!({ "type": "text", "data": text })];
    }
    if let Some(data) = part.get("data") {
        let text = json!({ "type": "text", "data": data.to_string() });
        return vec![json!({ "type": "data", "data": data }), text];
    }
    let mut file = json!({});
    for (ours, theirs) in [("filename", "name"), ("mediaType", "mimeType"), ("raw", "bytes"), ("url", "url")] {
        if let Some(value) = part.get(ours) {
            file[theirs] = value.clone();
        }
    }
    vec![json!({ "type": "file", "data": file })]
}

/// Reads a result: a task by its `status`, or a message by its parts.
pub(super) fn event(result: &Value, op: Operation<'_>) -> Result<Event, CallError> {
    let messages = result.get("messages").and_then(Value::as_array);
    let status = result.get("status");
    if status.is_none() && messages.is_none() {
        return match read::message(result, part) {
            Some(message) => Ok(Event::Message(message)),
            None => Err(CallError::foreign("The agent's answer is neither a task nor a message")),
        };
    }
    let word = status.and_then(|s| s.as_str().or_else(|| s.get("state")?.as_str()));
    let named = match op {
        Operation::Send(out) | Operation::Stream(out) => task_named(out).as_str().map(str::to_owned),
        Operation::Get(task) | Operation::Cancel(task) | Operation::Resubscribe { task, .. } => Some(task.to_owned()),
    };
    let theirs = messages.map(Vec::as_slice).unwrap_or_default().iter();
    let mut said: Vec<Value> =
        theirs.filter(|m| m.get("role") != Some(&json!("user"))).filter_map(|m| read::message(m, part)).collect();
    said.extend(result.pointer("/status/message").and_then(|m| read::message(m, part)));
    if said.is_empty()
        && let Some(why) = string(result, "error")
    {
        said.extend(read::message(&json!({ "parts": [{ "type": "text", "data": why }] }), part));
    }
    let artifacts = result.get("artifacts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Ok(Event::Task(Snapshot {
        id: string(result, "id").or(named).unwrap_or_default(),
        context: string(result, "contextId"),
        // A result with messages and no word of its state is an answer.
        state: if status.is_none() { Some(State::Completed) } else { word.and_then(State::parse) },
        cost: cost_of(result).or_else(|| said.last().and_then(cost_of)),
        said,
        history: Vec::new(),
        artifacts: artifacts
            .iter()
            .enumerate()
            .filter_map(|(n, a)| read::artifact(a, &format!("artifact-{}", n + 1), part))
            .collect(),
    }))
}

fn part(part: &Value) -> Value {
    let data = part.get("data");
    let made = match part.get("type").or_else(|| part.get("kind")).and_then(Value::as_str) {
        Some("text") => match data.or_else(|| part.get("text")) {
            Some(Value::String(text)) => Some(json!({ "text": text })),
            Some(other) => Some(json!({ "data": other })),
            None => None,
        },
        Some("data") => data.map(|d| json!({ "data": d })),
        Some("file") => data.or_else(|| part.get("file")).and_then(file),
        _ => part.get("text").filter(|t| t.is_string()).map(|t| json!({ "text": t })),
    };
    made.unwrap_or_else(|| unknown_part(part))
}

fn file(file: &Value) -> Option<Value> {
    let (name, kind) = (string(file, "name"), string(file, "mimeType"));
    match string(file, "bytes") {
        Some(bytes) => raw_part(&bytes, name, kind),
        None => Some(named(json!({ "url": string(file, "url").or_else(|| string(file, "uri"))? }), name, kind)),
    }
}
