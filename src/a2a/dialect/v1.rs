//! A2A 1.0 (specification sections 4, 9 and 11).

use serde_json::{Value, json};

use super::read::{self, kept, raw_part, unknown_part, with_metadata};
use super::{Event, Operation};
use crate::a2a::call_error::CallError;
use crate::a2a::client::Outgoing;

/// What `A2A-Version` says.
pub(super) const VERSION: &str = "1.0";

/// Method and parameters of an operation.
pub(super) fn rpc(op: Operation<'_>, tenant: Option<&str>) -> (&'static str, Value) {
    let (method, mut params) = match op {
        Operation::Send(out) => ("SendMessage", request(out, true)),
        Operation::Stream(out) => ("SendStreamingMessage", request(out, false)),
        Operation::Get(task) => ("GetTask", json!({ "id": task })),
        Operation::Cancel(task) => ("CancelTask", json!({ "id": task })),
        Operation::Resubscribe { task, .. } => ("SubscribeToTask", json!({ "id": task })),
    };
    if let Some(tenant) = tenant {
        params["tenant"] = json!(tenant);
    }
    (method, params)
}

/// The body of a REST request; the tenant stands in the path.
pub(super) fn rest_body(op: Operation<'_>) -> Option<Value> {
    match op {
        Operation::Send(out) => Some(request(out, true)),
        Operation::Stream(out) => Some(request(out, false)),
        Operation::Get(_) | Operation::Cancel(_) | Operation::Resubscribe { .. } => None,
    }
}

/// `SendMessageRequest`. A message that is not streamed may be answered with a task that is not done yet.
fn request(out: &Outgoing, immediately: bool) -> Value {
    let mut configuration = json!({});
    if immediately {
        configuration["returnImmediately"] = json!(true);
    }
    if let Some(push) = &out.push {
        configuration["taskPushNotificationConfig"] = push.v1();
    }
    json!({ "message": out.message, "configuration": configuration })
}

/// Reads `SendMessageResponse` and `StreamResponse`; a bare task where the operation answers with one.
pub(super) fn event(value: &Value, bare: bool) -> Result<Event, CallError> {
    read_event(value, bare)
        .ok_or_else(|| CallError::foreign("The agent's answer is no task or message of A2A 1.0, which it was asked in"))
}

fn read_event(value: &Value, bare: bool) -> Option<Event> {
    if let Some(task) = value.get("task") {
        return read::snapshot(task, part).map(Event::Task);
    }
    if let Some(message) = value.get("message") {
        return read::message(message, part).map(Event::Message);
    }
    if let Some(update) = value.get("statusUpdate") {
        return read::status(update, "taskId", part).map(Event::Status);
    }
    if let Some(update) = value.get("artifactUpdate") {
        return Some(Event::Artifact {
            task: read::string(update, "taskId").unwrap_or_default(),
            context: read::string(update, "contextId"),
            artifact: read::artifact(update.get("artifact")?, "artifact", part)?,
            append: update.get("append") == Some(&json!(true)),
            last: update.get("lastChunk") == Some(&json!(true)),
        });
    }
    if bare && value.get("kind").is_none() { read::snapshot(value, part).map(Event::Task) } else { None }
}

/// A part: exactly one of `text`, `raw`, `url` and `data`.
pub(super) fn part(part: &Value) -> Value {
    let known = kept(part, &["filename", "mediaType"]);
    let text = |key: &str| part.get(key).and_then(Value::as_str);
    let body = if part.get("kind").is_some() {
        None
    } else if let Some(said) = text("text") {
        Some(json!({ "text": said }))
    } else if let Some(raw) = text("raw") {
        raw_part(raw, None, None)
    } else if let Some(url) = text("url") {
        Some(json!({ "url": url }))
    } else {
        part.get("data").map(|data| json!({ "data": data }))
    };
    let Some(mut body) = body else { return unknown_part(part) };
    body.as_object_mut().into_iter().for_each(|b| b.extend(known.clone()));
    with_metadata(body, part)
}
