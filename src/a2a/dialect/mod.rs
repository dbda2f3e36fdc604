//! What an agent speaks, translated at the edge: each operation becomes a request of the agent's dialect, and each
//! answer an [`Event`] whose messages, parts and artifacts are A2A 1.0 JSON. One file a dialect; `rpc` and `rest` are
//! the envelopes they come in.

use domain::Credits;
use serde_json::Value;
use url::Url;

use super::call_error::CallError;
use super::client::Outgoing;
use super::target::{Protocol, Target};
use crate::outbound::{Answer, Head};

pub mod parts;
mod plain;
mod read;
mod rest;
mod rpc;
mod v03;
mod v03_parts;
mod v1;

/// What is asked of an agent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation<'a> {
    /// Send a message; a task under way is an answer.
    Send(&'a Outgoing),
    /// Send a message and follow the task.
    Stream(&'a Outgoing),
    /// The task as it is now.
    Get(&'a str),
    /// Stop the task.
    Cancel(&'a str),
    /// Follow a task that is under way. REST servers want a POST (the text of the specification) or a GET (its
    /// protocol buffers).
    Resubscribe { task: &'a str, by_get: bool },
}

impl Operation<'_> {
    pub(super) fn streams(self) -> bool {
        matches!(self, Operation::Stream(_) | Operation::Resubscribe { .. })
    }

    /// The agent's task that the operation names.
    fn task(&self) -> Option<&str> {
        match self {
            Operation::Send(out) | Operation::Stream(out) => out.message.get("taskId").and_then(Value::as_str),
            Operation::Get(task) | Operation::Cancel(task) | Operation::Resubscribe { task, .. } => Some(task),
        }
    }
}

/// One HTTP request, not yet signed.
#[derive(Debug)]
pub(super) struct Call {
    pub url: Url,
    /// `None` is a GET.
    pub body: Option<String>,
    /// What `A2A-Version` says; 0.3 has no such header.
    pub version: Option<&'static str>,
}

/// What an agent tells.
#[derive(Debug)]
pub(super) enum Event {
    /// The whole task.
    Task(Snapshot),
    /// A message: the answer, without a task.
    Message(Value),
    /// The task's new status; no artifacts, no history.
    Status(Snapshot),
    /// An artifact, or more of one.
    Artifact { task: String, context: Option<String>, artifact: Value, append: bool, last: bool },
}

/// A task as an agent tells it. Messages and artifacts are A2A 1.0 JSON, every message the agent's.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    pub id: String,
    pub context: Option<String>,
    /// `None` where it names none that is known.
    pub state: Option<State>,
    /// What it says with its state.
    pub said: Vec<Value>,
    /// What it said before, since the requester's last message.
    pub history: Vec<Value>,
    pub artifacts: Vec<Value>,
    pub cost: Option<Credits>,
}

/// The states of A2A 1.0 (specification section 4.1.3), which all dialects have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Submitted,
    Working,
    Completed,
    Failed,
    Canceled,
    Rejected,
    InputRequired,
    AuthRequired,
}

impl State {
    /// Reads a state in any of the spellings in use: `TASK_STATE_INPUT_REQUIRED`, `input-required`, `input_required`.
    fn parse(text: &str) -> Option<State> {
        let lower = text.to_ascii_lowercase().replace('_', "-");
        Some(match lower.strip_prefix("task-state-").unwrap_or(&lower) {
            "submitted" | "pending" | "assigned" | "queued" => State::Submitted,
            "working" | "running" | "in-progress" => State::Working,
            "completed" => State::Completed,
            "failed" => State::Failed,
            "canceled" | "cancelled" => State::Canceled,
            "rejected" => State::Rejected,
            "input-required" => State::InputRequired,
            "auth-required" => State::AuthRequired,
            _ => return None,
        })
    }
}

/// The request for an operation; `None` where the dialect has no such operation.
pub(super) fn call(to: &Target, op: Operation<'_>, id: &str) -> Option<Call> {
    let (method, params) = match to.protocol {
        Protocol::V1JsonRpc => v1::rpc(op, to.tenant.as_deref()),
        Protocol::V03JsonRpc => v03::rpc(op),
        Protocol::Plain => plain::rpc(op)?,
        Protocol::V1Rest => return Some(rest::call(to, op, v1::rest_body(op), &[], Some(v1::VERSION))),
        Protocol::V03Rest => return Some(rest::call(to, op, v03::rest_body(op), &["v1"], None)),
    };
    let version = (to.protocol == Protocol::V1JsonRpc).then_some(v1::VERSION);
    Some(Call { url: to.endpoint.clone(), body: Some(rpc::request(id, method, params)), version })
}

/// Reads a whole answer.
///
/// # Errors
/// [`CallError`]: the agent says so, or the answer is not in the dialect.
pub(super) fn answer(protocol: Protocol, op: Operation<'_>, answer: &Answer, id: &str) -> Result<Event, CallError> {
    let head = &answer.head;
    let parsed = if head.may_be_json() { parse(&answer.body) } else { None };
    let error = parsed.as_ref().and_then(|p| error_in(protocol, op, p, head));
    let failed = match error {
        Some(error) => error,
        None if !head.status.is_success() => CallError::of_status(head),
        None => {
            let parsed = parsed.ok_or_else(|| not_json(head))?;
            return event(protocol, op, &parsed, id);
        }
    };
    let mut error = failed.under(head);
    error.unsupported |= op.streams() && !error.unknown_task && matches!(head.status.as_u16(), 404 | 405 | 501);
    Err(error)
}

/// Reads what a stream's event carries.
///
/// # Errors
/// [`CallError`]: it is an error, or not in the dialect.
pub(super) fn streamed(
    protocol: Protocol,
    op: Operation<'_>,
    data: &[u8],
    head: &Head,
    id: &str,
) -> Result<Event, CallError> {
    let parsed =
        parse(data).ok_or_else(|| CallError::protocol("The agent's stream carries something that is not JSON"))?;
    match error_in(protocol, op, &parsed, head) {
        Some(error) => Err(error),
        None => event(protocol, op, &parsed, id),
    }
}

fn error_in(protocol: Protocol, op: Operation<'_>, parsed: &Value, head: &Head) -> Option<CallError> {
    let error = parsed.get("error").filter(|e| e.is_object());
    if !protocol.is_rest() {
        return error.map(CallError::of_rpc);
    }
    if parsed.get("jsonrpc").is_some() {
        return Some(CallError::foreign("The agent answers a REST request with JSON-RPC"));
    }
    if error.is_some() || (!head.status.is_success() && parsed.is_object()) {
        return Some(CallError::of_rest(parsed, head, op.task().is_some()));
    }
    None
}

fn event(protocol: Protocol, op: Operation<'_>, parsed: &Value, id: &str) -> Result<Event, CallError> {
    let bare = matches!(op, Operation::Get(_) | Operation::Cancel(_));
    match protocol {
        Protocol::V1JsonRpc => v1::event(rpc::result(parsed, id)?, bare),
        Protocol::V1Rest => v1::event(parsed, bare),
        Protocol::V03JsonRpc => v03::event(rpc::result(parsed, id)?),
        Protocol::V03Rest => v03::event(parsed),
        Protocol::Plain => plain::event(rpc::lenient_result(parsed, id)?, op),
    }
}

fn not_json(head: &Head) -> CallError {
    CallError::foreign(match head.content_type.as_deref() {
        Some("text/html" | "application/xhtml+xml") => "The agent's answer is an HTML page, not JSON",
        Some("text/event-stream") => "The agent's answer is a stream of events, not JSON",
        _ => "The agent's answer is not JSON",
    })
}

fn parse(bytes: &[u8]) -> Option<Value> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    strip_nul(&mut value);
    Some(value)
}

/// NUL is a character to JSON and none to PostgreSQL: an answer with one could never be stored.
fn strip_nul(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(|c| c != '\0'),
        Value::Array(items) => items.iter_mut().for_each(strip_nul),
        Value::Object(map) => {
            if map.keys().any(|k| k.contains('\0')) {
                *map = std::mem::take(map).into_iter().map(|(k, v)| (k.replace('\0', ""), v)).collect();
            }
            map.values_mut().for_each(strip_nul);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
