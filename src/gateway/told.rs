//! Tasks in the JSON of A2A 1.0 (section 4).

use chrono::{DateTime, SecondsFormat, Utc};
use domain::tasks::content;
use domain::tasks::pushes::PushConfig;
use domain::tasks::{TaskState, Told, Waiting};
use serde_json::{Value, json};

/// The name of a task's state.
pub fn state(task: &Told) -> &'static str {
    match (task.state, task.waiting, task.remote_state.as_deref()) {
        (TaskState::Completed, ..) => "TASK_STATE_COMPLETED",
        (TaskState::Cancelled, ..) => "TASK_STATE_CANCELED",
        (TaskState::Failed, _, Some("rejected")) => "TASK_STATE_REJECTED",
        (TaskState::Failed, _, Some("canceled")) => "TASK_STATE_CANCELED",
        (TaskState::Failed, ..) => "TASK_STATE_FAILED",
        (_, Some(Waiting::Input), _) => "TASK_STATE_INPUT_REQUIRED",
        (_, Some(Waiting::Auth), _) => "TASK_STATE_AUTH_REQUIRED",
        (TaskState::Pending | TaskState::Assigned, ..) => "TASK_STATE_SUBMITTED",
        (TaskState::Running, ..) => "TASK_STATE_WORKING",
    }
}

/// Whether nothing more will come.
pub fn has_ended(task: &Told) -> bool {
    task.state.is_terminal()
}

/// A time as the protocol writes it: UTC, in milliseconds.
pub fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A message with the names of its task and conversation, which it is kept without.
fn message(task: &Told, message: &Value) -> Value {
    let mut message = message.clone();
    message["taskId"] = json!(task.id);
    message["contextId"] = json!(task.context);
    message
}

/// `TaskStatus`. A failure that the agent did not explain is explained by us.
pub fn status(task: &Told) -> Value {
    let mut status = json!({ "state": state(task), "timestamp": time(task.since) });
    if let Some(said) = &task.said {
        status["message"] = message(task, said);
    } else if let Some(error) = &task.error {
        let said =
            json!({ "messageId": format!("{}-error", task.id), "role": "ROLE_AGENT", "parts": [{ "text": error }] });
        status["message"] = message(task, &said);
    }
    status
}

/// What was made, as the agent sent it: a file that it gave the address of has that again, though it was fetched.
pub fn artifacts(task: &Told) -> Vec<Value> {
    let mut artifacts = task.artifacts.clone();
    let parts = artifacts.iter_mut().filter_map(|a| a.get_mut("parts").and_then(Value::as_array_mut)).flatten();
    parts.for_each(content::give_back_address);
    artifacts
}

/// How much of a task is told.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// The newest messages of the history; all where nothing is said.
    pub history: Option<usize>,
    /// Whether with what was made.
    pub artifacts: bool,
}

/// `Task`.
pub fn task(task: &Told, extent: Extent) -> Value {
    let mut out = json!({ "id": task.id, "contextId": task.context, "status": status(task) });
    if extent.artifacts && !task.artifacts.is_empty() {
        out["artifacts"] = Value::Array(artifacts(task));
    }
    let left_out = task.history.len().saturating_sub(extent.history.unwrap_or(usize::MAX));
    let history: Vec<Value> = task.history[left_out..].iter().map(|m| message(task, m)).collect();
    if !history.is_empty() {
        out["history"] = Value::Array(history);
    }
    if let Some(metadata) = &task.metadata {
        out["metadata"] = metadata.clone();
    }
    out
}

/// `TaskStatusUpdateEvent`, wrapped.
pub fn status_update(task: &Told, status: Value) -> Value {
    let mut update = json!({ "taskId": task.id, "contextId": task.context, "status": status });
    if let Some(metadata) = &task.metadata {
        update["metadata"] = metadata.clone();
    }
    json!({ "statusUpdate": update })
}

/// `TaskStatusUpdateEvent` of work under way, with what the agent said.
pub fn working(task: &Told, said: Option<&Value>, at: DateTime<Utc>) -> Value {
    let mut status = json!({ "state": "TASK_STATE_WORKING", "timestamp": time(at) });
    if let Some(said) = said {
        status["message"] = message(task, said);
    }
    status_update(task, status)
}

/// `TaskArtifactUpdateEvent`, wrapped.
pub fn artifact_update(task: &Told, artifact: &Value, append: bool, last: bool) -> Value {
    let mut update = json!({ "taskId": task.id, "contextId": task.context, "artifact": artifact });
    if append {
        update["append"] = json!(true);
    }
    if last {
        update["lastChunk"] = json!(true);
    }
    json!({ "artifactUpdate": update })
}

/// What the agent said instead of making a task of it, if that is what it did: `Message`.
pub fn answer_by_message(task: &Told) -> Option<Value> {
    let said = task.said.as_ref().filter(|_| task.answered_by_message && task.state == TaskState::Completed)?;
    Some(message(task, said))
}

/// `TaskPushNotificationConfig`.
pub fn push_config(task: &str, config: &PushConfig) -> Value {
    let mut out = json!({ "id": config.id, "taskId": task, "url": config.url });
    if let Some(token) = &config.token {
        out["token"] = json!(token);
    }
    if let Some((scheme, credentials)) = &config.auth {
        out["authentication"] = json!({ "scheme": scheme });
        if !credentials.is_empty() {
            out["authentication"]["credentials"] = json!(credentials);
        }
    }
    out
}
