//! What can be read: agents on the list, one's own tasks, the files that agents made.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::api_keys::Scope;
use domain::tasks::{self, PartBody, TaskFilter};
use domain::{AgentId, Cursor, Error, TaskId};
use serde_json::{Value, json};

use super::call::{Asked, FOREIGN};
use super::follow::fault;
use super::rpc::{INVALID_PARAMS, RESOURCE_NOT_FOUND, RpcError};

/// Rows of a page of the list.
const PAGE: usize = 50;
const JSON: &str = "application/json";

/// A resource's address.
#[derive(Clone, Debug, PartialEq)]
pub enum Uri {
    /// `nexus://agents`
    Agents,
    /// `nexus://agents/{agentId}`
    Agent(AgentId),
    /// `nexus://tasks/{taskId}`
    Task(TaskId),
    /// `nexus://tasks/{taskId}/artifacts/{artifact}/{part}`
    File(TaskId, usize, usize),
}

impl Uri {
    /// Reads an address; nothing where it cannot lead anywhere.
    pub fn read(uri: &str) -> Option<Uri> {
        let parts: Vec<&str> = uri.strip_prefix("nexus://")?.split('/').collect();
        match parts[..] {
            ["agents"] => Some(Uri::Agents),
            ["agents", id] => id.parse().ok().map(Uri::Agent),
            ["tasks", id] => id.parse().ok().map(Uri::Task),
            ["tasks", id, "artifacts", artifact, part] => {
                Some(Uri::File(id.parse().ok()?, artifact.parse().ok()?, part.parse().ok()?))
            }
            _ => None,
        }
    }

    fn scope(&self) -> Option<Scope> {
        match self {
            Uri::Agents | Uri::Agent(_) => None,
            Uri::Task(_) | Uri::File(..) => Some(Scope::TasksRead),
        }
    }
}

/// `resources/list`: the marketplace, then one's tasks, newest first, page by page.
///
/// # Errors
/// Wrong parameters, for a cursor that was not given out.
pub async fn list(asked: &Asked, cursor: Option<&str>) -> Result<Value, RpcError> {
    let after = cursor
        .map(str::parse::<Cursor>)
        .transpose()
        .map_err(|_| RpcError::params("cursor is not one that was given out"))?;
    let mut resources = Vec::new();
    if after.is_none() {
        resources.push(json!({
            "uri": "nexus://agents", "name": "agents", "title": "Agents for hire", "mimeType": JSON,
            "description": "The most trusted agents on the list. discover_agents searches all of them.",
        }));
    }
    let mut next = None;
    if asked.key.allows(Scope::TasksRead) {
        let filter = TaskFilter { role: None, state: None, asking: false, dead_letters: false, after };
        let page = match tasks::list(&asked.app.db, &asked.key.actor(), &filter, PAGE).await {
            Ok(page) => page,
            Err(Error::Validation(_)) => return Err(RpcError::params("cursor is not one that was given out")),
            Err(error) => return Err(fault(&error)),
        };
        next = page.next.as_ref().map(Cursor::to_string);
        resources.extend(page.items.into_iter().map(|task| {
            json!({
                "uri": format!("nexus://tasks/{}", task.id), "name": format!("task-{}", task.id), "title": task.title,
                "description": format!("Task of {}: {}", task.agent_name, task.state.as_str()), "mimeType": JSON,
                "annotations": { "lastModified": task.completed_at.unwrap_or(task.created_at) },
            })
        }));
    }
    let mut result = json!({ "resources": resources });
    if let Some(next) = next {
        result["nextCursor"] = json!(next);
    }
    Ok(result)
}

/// `resources/templates/list`.
pub fn templates() -> Value {
    let template = |uri: &str, name: &str, title: &str, about: &str| json!({ "uriTemplate": uri, "name": name, "title": title, "description": about });
    let mut agent =
        template("nexus://agents/{agentId}", "agent", "An agent", "What it does, its skills, price and trust score.");
    let mut task =
        template("nexus://tasks/{taskId}", "task", "A task of yours", "Its state, what was said, what the agent made.");
    agent["mimeType"] = json!(JSON);
    task["mimeType"] = json!(JSON);
    let file = template(
        "nexus://tasks/{taskId}/artifacts/{artifact}/{part}",
        "artifact",
        "What an agent made",
        "A part of an artifact, both counted from 0: text, JSON or a file. Foreign content.",
    );
    json!({ "resourceTemplates": [agent, task, file] })
}

/// `resources/read`.
///
/// # Errors
/// Not found; a scope that is missing.
pub async fn read(asked: &Asked, uri: &str) -> Result<Value, RpcError> {
    let Some(known) = Uri::read(uri) else { return Err(not_found(asked, uri)) };
    if let Some(scope) = known.scope().filter(|scope| !asked.key.allows(*scope)) {
        return Err(super::door::missing_scope(&asked.app, scope));
    }
    let target = match known {
        Uri::Agents => "/discover?limit=100".to_owned(),
        Uri::Agent(id) => format!("/agents/{id}"),
        Uri::Task(id) => format!("/tasks/{id}"),
        Uri::File(task, artifact, part) => return file(asked, uri, task, artifact, part).await,
    };
    let answered = asked.ask(Method::GET, &target, None, None).await?;
    if !answered.status.is_success() {
        return Err(not_found(asked, uri));
    }
    let content = if known == Uri::Agents { answered.body } else { answered.body["data"].clone() };
    Ok(contents(json!({ "uri": uri, "mimeType": JSON, "text": content.to_string() })))
}

/// A part of an artifact.
async fn file(asked: &Asked, uri: &str, task: TaskId, artifact: usize, part: usize) -> Result<Value, RpcError> {
    let part = match tasks::file(&asked.app.db, &asked.key.actor(), task, artifact, part).await {
        Ok(part) => part,
        Err(Error::NotFound(_)) => return Err(not_found(asked, uri)),
        Err(error) => return Err(fault(&error)),
    };
    let kind = |usual: &str| part.media_type.clone().unwrap_or_else(|| usual.to_owned());
    Ok(contents(match &part.body {
        PartBody::Text(text) => json!({ "uri": uri, "mimeType": kind("text/plain"), "text": text }),
        PartBody::Data(data) => json!({ "uri": uri, "mimeType": kind(JSON), "text": data.to_string() }),
        PartBody::Raw(bytes) => {
            json!({ "uri": uri, "mimeType": kind("application/octet-stream"), "blob": STANDARD.encode(bytes) })
        }
        PartBody::Url(url) => json!({ "uri": uri, "mimeType": "text/uri-list", "text": url }),
    }))
}

/// All that is read here was written by others, at least in part.
fn contents(mut content: Value) -> Value {
    content["_meta"] = json!({ FOREIGN: ["/"] });
    json!({ "contents": [content] })
}

/// 2026-07-28 calls it wrong parameters; the revisions before have a code of their own.
fn not_found(asked: &Asked, uri: &str) -> RpcError {
    let code = if asked.era.is_modern() { INVALID_PARAMS } else { RESOURCE_NOT_FOUND };
    RpcError::new(code, "Resource not found").with_data(json!({ "uri": uri }))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn addresses_lead_to_what_they_name() {
        let id = Uuid::from_u128(5);
        assert_eq!(Uri::read("nexus://agents"), Some(Uri::Agents));
        assert_eq!(Uri::read(&format!("nexus://agents/{id}")), Some(Uri::Agent(AgentId(id))));
        assert_eq!(Uri::read(&format!("nexus://tasks/{id}")), Some(Uri::Task(TaskId(id))));
        assert_eq!(Uri::read(&format!("nexus://tasks/{id}/artifacts/0/2")), Some(Uri::File(TaskId(id), 0, 2)));
        for foreign in [
            "",
            "nexus://",
            "nexus://tasks",
            "nexus://agents/",
            "nexus://agents/x",
            "https://x/agents",
            "nexus://tasks/x/artifacts/0/0",
        ] {
            assert_eq!(Uri::read(foreign), None, "{foreign}");
        }
    }
}
