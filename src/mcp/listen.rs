//! `subscriptions/listen`: a stream of what has changed (specification, "Subscriptions"). Tools and prompts are the same as long
//! as the program runs; what changes are one's tasks: a new one, and what happens to those that are watched.

use std::collections::HashMap;
use std::time::Duration;

use chrono::Utc;
use domain::api_keys::{self, Scope};
use domain::tasks::{self, TaskFilter};
use domain::{Error, TaskId};
use futures::future::select_all;
use serde_json::{Map, Value, json};

use super::call::Asked;
use super::follow::{Out, fault};
use super::resources::Uri;
use super::rpc::{self, RpcError, notification};
use crate::task_events::Watch;
use crate::web::failure::log_if_ours;

/// Most resources that one stream watches.
const WATCHED: usize = 100;
/// How often a stream looks for new tasks at most: others' tasks are announced too.
const PAUSE: Duration = Duration::from_secs(1);

/// What a client wants to hear of, as far as there is something to hear.
pub struct Listen {
    asked: Asked,
    id: Value,
    tasks: Vec<(TaskId, String)>,
    list: bool,
}

impl Listen {
    /// Reads what is wanted.
    ///
    /// # Errors
    /// Wrong parameters.
    pub async fn open(asked: Asked, id: Value, params: &Map<String, Value>) -> Result<Listen, RpcError> {
        let wanted = params.get("notifications").and_then(Value::as_object);
        let wanted = wanted.ok_or_else(|| RpcError::params("notifications is missing"))?;
        let flag = |name: &str| match wanted.get(name) {
            None => Ok(false),
            Some(Value::Bool(wanted)) => Ok(*wanted),
            Some(_) => Err(RpcError::params(format!("notifications.{name} must be true or false"))),
        };
        flag("toolsListChanged")?;
        flag("promptsListChanged")?;
        let list = flag("resourcesListChanged")?;
        let uris = match wanted.get("resourceSubscriptions") {
            None => Vec::new(),
            Some(Value::Array(uris)) => uris.clone(),
            Some(_) => return Err(RpcError::params("notifications.resourceSubscriptions must be a list")),
        };
        if uris.len() > WATCHED {
            return Err(RpcError::params(format!("at most {WATCHED} resources are watched by one stream")));
        }
        let sees = asked.key.allows(Scope::TasksRead);
        let mut found = Vec::new();
        for uri in uris {
            let uri = uri
                .as_str()
                .ok_or_else(|| RpcError::params("notifications.resourceSubscriptions must hold strings"))?;
            let Some(Uri::Task(task)) = Uri::read(uri).filter(|_| sees) else { continue };
            match tasks::events_after(&asked.app.db, &asked.key.actor(), task, 0, 1).await {
                Ok(_) => found.push((task, uri.to_owned())),
                // What cannot be seen is not watched, and looks like what is not there.
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(fault(&error)),
            }
        }
        Ok(Listen { asked, id, tasks: found, list: list && sees })
    }

    /// Sends what happens, until the client goes or the program stops; then the result.
    pub async fn run(self, out: &Out) -> Result<Value, RpcError> {
        let app = self.asked.app.clone();
        let mut stopping = app.stopping.subscribe();
        let mut created = app.events.created();
        let mut watches: HashMap<TaskId, Watch> =
            self.tasks.iter().map(|(id, _)| (*id, app.events.watch(*id))).collect();
        let mut newest = if self.list { self.newest().await? } else { None };
        out.send(self.notify("notifications/subscriptions/acknowledged", json!({ "notifications": self.agreed() })))
            .await;
        loop {
            let changed = async {
                if watches.is_empty() {
                    return std::future::pending().await;
                }
                let waits = watches.iter_mut().map(|(id, watch)| {
                    Box::pin(async move {
                        watch.next().await;
                        *id
                    })
                });
                select_all(waits).await.0
            };
            tokio::select! {
                _ = stopping.recv() => break,
                () = out.closed() => break,
                task = changed => {
                    if !self.may_hear().await {
                        break;
                    }
                    for (_, uri) in self.tasks.iter().filter(|(id, _)| *id == task) {
                        out.send(self.notify("notifications/resources/updated", json!({ "uri": uri }))).await;
                    }
                }
                Ok(()) = created.changed(), if self.list => {
                    tokio::time::sleep(PAUSE).await;
                    created.mark_unchanged();
                    if !self.may_hear().await {
                        break;
                    }
                    let now = match self.newest().await {
                        Ok(now) => now,
                        Err(_) => break,
                    };
                    if now != newest {
                        newest = now;
                        out.send(self.notify("notifications/resources/list_changed", json!({}))).await;
                    }
                }
            }
        }
        Ok(json!({ "_meta": { SUBSCRIPTION: self.id } }))
    }

    /// What is told, of what was wanted.
    fn agreed(&self) -> Value {
        let mut agreed = json!({});
        if self.list {
            agreed["resourcesListChanged"] = json!(true);
        }
        if !self.tasks.is_empty() {
            agreed["resourceSubscriptions"] = self.tasks.iter().map(|(_, uri)| json!(uri)).collect();
        }
        agreed
    }

    fn notify(&self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({ SUBSCRIPTION: self.id });
        notification(method, params)
    }

    /// Whether the key still works: a stream outlives the look at it that every request begins with.
    async fn may_hear(&self) -> bool {
        let (key, now) = (&self.asked.key, Utc::now());
        match api_keys::find(&self.asked.app.db, &key.actor(), key.id, now).await {
            Ok(found) => found.works(now),
            Err(error) => {
                log_if_ours(&error);
                false
            }
        }
    }

    async fn newest(&self) -> Result<Option<TaskId>, RpcError> {
        let filter = TaskFilter { role: None, state: None, asking: false, dead_letters: false, after: None };
        let page = tasks::list(&self.asked.app.db, &self.asked.key.actor(), &filter, 1).await;
        Ok(page.map_err(|e| fault(&e))?.items.first().map(|task| task.id))
    }

    /// The id of the request.
    pub fn id(&self) -> &Value {
        &self.id
    }
}

/// Where a notification says which stream it belongs to.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// A result as the last message of a stream.
pub fn ended(id: &Value, outcome: Result<Value, RpcError>) -> Value {
    match outcome {
        Ok(result) => rpc::result(id, &result),
        Err(error) => error.message(Some(id)),
    }
}
