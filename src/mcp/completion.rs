//! `completion/complete`: ids, for who has only the beginning of one, or the name.

use domain::agents::{self, SearchQuery};
use domain::api_keys::Scope;
use domain::tasks::{self, TaskFilter};
use serde_json::{Map, Value, json};

use super::call::Asked;
use super::follow::fault;
use super::rpc::RpcError;

/// Most values that are proposed.
const MOST: usize = 20;
/// Rows that are looked through.
const LOOKED_AT: usize = 100;

/// Proposes values for an argument of a prompt or of a resource template.
///
/// # Errors
/// Wrong parameters.
pub async fn complete(asked: &Asked, params: &Map<String, Value>) -> Result<Value, RpcError> {
    let text = |of: &str, name: &str| params.get(of).and_then(|v| v.get(name)).and_then(Value::as_str);
    let missing = |what: &str| RpcError::params(format!("{what} is missing"));
    let kind = text("ref", "type").ok_or_else(|| missing("ref.type"))?;
    let argument = text("argument", "name").ok_or_else(|| missing("argument.name"))?;
    let begun = text("argument", "value").ok_or_else(|| missing("argument.value"))?;
    let of = match kind {
        "ref/prompt" => text("ref", "name").ok_or_else(|| missing("ref.name"))?,
        "ref/resource" => text("ref", "uri").ok_or_else(|| missing("ref.uri"))?,
        _ => return Err(RpcError::params("ref.type must be ref/prompt or ref/resource")),
    };
    let known = matches!(of, "find_and_hire" | "review_task") || of.starts_with("nexus://");
    if !known {
        return Err(RpcError::params(format!("there is no {of}")));
    }
    let found = match argument {
        "taskId" => tasks_like(asked, begun).await?,
        "agentId" => agents_like(asked, begun).await?,
        _ => Vec::new(),
    };
    let (total, values) = (found.len(), found.into_iter().take(MOST).collect::<Vec<_>>());
    Ok(json!({ "completion": { "values": values, "total": total, "hasMore": total > MOST } }))
}

/// One's tasks whose id begins so, or whose title holds it; newest first.
async fn tasks_like(asked: &Asked, begun: &str) -> Result<Vec<String>, RpcError> {
    if !asked.key.allows(Scope::TasksRead) {
        return Ok(Vec::new());
    }
    let filter = TaskFilter { role: None, state: None, asking: false, dead_letters: false, after: None };
    let page = tasks::list(&asked.app.db, &asked.key.actor(), &filter, LOOKED_AT).await.map_err(|e| fault(&e))?;
    let wanted = begun.to_lowercase();
    let fits = |id: &str, title: &str| id.starts_with(&wanted) || title.to_lowercase().contains(&wanted);
    let tasks = page.items.into_iter().map(|task| (task.id.to_string(), task.title));
    Ok(tasks.filter(|(id, title)| fits(id, title)).map(|(id, _)| id).collect())
}

/// Agents on the list that the words find, then those whose id begins so.
async fn agents_like(asked: &Asked, begun: &str) -> Result<Vec<String>, RpcError> {
    let search = |text: &str| SearchQuery { text: text.chars().take(200).collect(), ..SearchQuery::default() };
    let (db, actor) = (&asked.app.db, asked.key.actor());
    let by_words = agents::search(db, &actor, &search(begun), LOOKED_AT).await.map_err(|e| fault(&e))?;
    let mut ids: Vec<String> = by_words.page.items.iter().map(|agent| agent.id.to_string()).collect();
    if !begun.is_empty() {
        let wanted = begun.to_lowercase();
        let all = agents::search(db, &actor, &search(""), LOOKED_AT).await.map_err(|e| fault(&e))?;
        let begin_so = all.page.items.iter().map(|agent| agent.id.to_string()).filter(|id| id.starts_with(&wanted));
        let more: Vec<String> = begin_so.filter(|id| !ids.contains(id)).collect();
        ids.extend(more);
    }
    Ok(ids)
}
