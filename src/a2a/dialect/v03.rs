//! A2A 0.3: JSON-RPC, and REST, whose bodies are the protocol buffers of that time in JSON. Answers are read in both
//! forms over both bindings, because agents mix them.

use serde_json::{Value, json};

use super::read::{self, kept};
use super::v03_parts::{part, to_json, to_proto};
use super::{Event, Operation};
use crate::a2a::call_error::CallError;
use crate::a2a::client::Outgoing;

/// Method and parameters of an operation (specification 0.3.0, section 7).
pub(super) fn rpc(op: Operation<'_>) -> (&'static str, Value) {
    match op {
        Operation::Send(out) => ("message/send", params(out, true)),
        Operation::Stream(out) => ("message/stream", params(out, false)),
        Operation::Get(task) => ("tasks/get", json!({ "id": task })),
        Operation::Cancel(task) => ("tasks/cancel", json!({ "id": task })),
        Operation::Resubscribe { task, .. } => ("tasks/resubscribe", json!({ "id": task })),
    }
}

/// `MessageSendParams`.
fn params(out: &Outgoing, immediately: bool) -> Value {
    let mut message = kept(&out.message, &["contextId", "taskId", "referenceTaskIds", "metadata", "extensions"]);
    message.insert("kind".into(), json!("message"));
    message.insert("messageId".into(), out.message["messageId"].clone());
    message.insert("role".into(), json!("user"));
    message.insert("parts".into(), parts(out).map(to_json).collect());
    let mut configuration = json!({});
    if immediately {
        configuration["blocking"] = json!(false);
    }
    if let Some(push) = &out.push {
        configuration["pushNotificationConfig"] = push.v03();
    }
    json!({ "message": message, "configuration": configuration })
}

/// The body of a REST request: `SendMessageRequest` as the protocol buffers of 0.3.0 have it. Servers parse it
/// strictly, so it holds no field that they do not know.
pub(super) fn rest_body(op: Operation<'_>) -> Option<Value> {
    let (out, immediately) = match op {
        Operation::Send(out) => (out, true),
        Operation::Stream(out) => (out, false),
        Operation::Get(_) | Operation::Cancel(_) | Operation::Resubscribe { .. } => return None,
    };
    let mut message = kept(&out.message, &["contextId", "taskId", "metadata", "extensions"]);
    message.insert("messageId".into(), out.message["messageId"].clone());
    message.insert("role".into(), json!("ROLE_USER"));
    message.insert("content".into(), parts(out).map(to_proto).collect());
    let mut configuration = json!({ "blocking": !immediately });
    if let Some(push) = &out.push {
        configuration["pushNotification"] = push.v03();
    }
    Some(json!({ "message": message, "configuration": configuration }))
}

fn parts(out: &Outgoing) -> impl Iterator<Item = &Value> {
    out.message.get("parts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default().iter()
}

/// Reads a task, a message or an event: told apart by `kind`, or wrapped as the protocol buffers wrap them.
pub(super) fn event(value: &Value) -> Result<Event, CallError> {
    read_event(value)
        .ok_or_else(|| CallError::foreign("The agent's answer is no task or message of A2A 0.3, which it was asked in"))
}

fn read_event(value: &Value) -> Option<Event> {
    let wrapped = ["task", "message", "msg", "statusUpdate", "artifactUpdate"];
    let (kind, inner) = match wrapped.iter().find_map(|k| Some((*k, value.get(k).filter(|v| v.is_object())?))) {
        // A status event of the bare form has its message within `status`, so `message` is always a wrapper.
        Some(found) => found,
        None => (value.get("kind").and_then(Value::as_str).unwrap_or_default(), value),
    };
    match kind {
        "message" | "msg" => read::message(inner, part).map(Event::Message),
        "statusUpdate" | "status-update" => read::status(inner, "taskId", part).map(Event::Status),
        "artifactUpdate" | "artifact-update" => Some(Event::Artifact {
            task: read::string(inner, "taskId").unwrap_or_default(),
            context: read::string(inner, "contextId"),
            artifact: read::artifact(inner.get("artifact")?, "artifact", part)?,
            append: inner.get("append") == Some(&json!(true)),
            last: inner.get("lastChunk") == Some(&json!(true)),
        }),
        "task" | "" => read::snapshot(inner, part).map(Event::Task),
        _ => None,
    }
}
