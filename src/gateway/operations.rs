//! The operations of A2A (section 3), whatever binding they come by. Values are A2A 1.0 JSON.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::agents::{self, Exposed};
use domain::api_keys::{Scope, VerifiedKey};
use domain::tasks::pushes::{self, PushConfig};
use domain::tasks::told::{self as domain_told, ToldFilter};
use domain::tasks::{self, Told};
use domain::{Actor, AgentId, Cursor, Error, Missing, TaskId};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use url::Url;

use super::card;
use super::error::{GatewayError, Kind, Result};
use super::request::Send;
use super::stream::Follow;
use super::told::{self, Extent};
use crate::state::AppState;
use crate::task_events::{News, Watch};

/// What a client asks for.
#[derive(Debug)]
pub enum Operation {
    /// `SendMessage`.
    Send(Box<Send>),
    /// `SendStreamingMessage`.
    Stream(Box<Send>),
    /// `GetTask`, with the length of the history.
    Get(String, Option<usize>),
    /// `ListTasks`.
    List(ListTasks),
    /// `CancelTask`.
    Cancel(String),
    /// `SubscribeToTask`.
    Subscribe(String),
    /// `CreateTaskPushNotificationConfig`.
    SetPush(String, PushConfig),
    /// `GetTaskPushNotificationConfig`; the task's only one where none is named, which 0.3 allows.
    GetPush(String, Option<String>),
    /// `ListTaskPushNotificationConfigs`.
    ListPush(String),
    /// `DeleteTaskPushNotificationConfig`.
    DeletePush(String, String),
    /// `GetExtendedAgentCard`.
    ExtendedCard,
}

impl Operation {
    /// What it costs of a rate limit, as the REST API counts.
    pub fn cost(&self) -> u32 {
        match self {
            Operation::Send(_) | Operation::Stream(_) | Operation::Cancel(_) => 5,
            Operation::SetPush(..) | Operation::DeletePush(..) => 5,
            Operation::Subscribe(_) | Operation::List(_) => 2,
            Operation::Get(..) | Operation::GetPush(..) | Operation::ListPush(_) | Operation::ExtendedCard => 1,
        }
    }
}

/// Which tasks are wanted.
#[derive(Debug, Default)]
pub struct ListTasks {
    /// Of this conversation.
    pub context: Option<String>,
    /// In this state, as `TASK_STATE_WORKING`.
    pub state: Option<String>,
    /// How many at once, 1 to 100.
    pub size: Option<usize>,
    /// Where the page begins.
    pub token: Option<String>,
    /// How many messages of each history.
    pub history: Option<usize>,
    /// With a state from then or later.
    pub since: Option<DateTime<Utc>>,
    /// With what was made.
    pub artifacts: bool,
}

/// What a client gets.
pub enum Answer {
    /// `{"task": …}` or `{"message": …}`.
    Event(Value),
    /// A task.
    Task(Value),
    /// `ListTasksResponse`.
    Tasks(Value),
    /// A push notification configuration.
    Push(Value),
    /// All of a task's.
    Pushes(Vec<Value>),
    /// A card.
    Card(Value),
    /// Done.
    Nothing,
    /// A stream of events.
    Stream(Box<Follow>),
}

/// Who asks, at which agent's address.
pub struct Call {
    /// The program.
    pub state: AppState,
    /// Whose address it is.
    pub agent: AgentId,
    /// The client's key, if it has one.
    pub key: Option<Arc<VerifiedKey>>,
}

impl Call {
    /// Does it.
    ///
    /// # Errors
    /// As the operation says.
    pub async fn run(&self, operation: Operation) -> Result<Answer> {
        match operation {
            Operation::Send(send) => self.send(*send).await,
            Operation::Stream(send) => self.stream(*send).await,
            Operation::Get(task, history) => {
                let (_, task) = self.task(Scope::TasksRead, &task).await?;
                Ok(Answer::Task(told::task(&task, Extent { history, artifacts: true })))
            }
            Operation::List(wanted) => self.list(wanted).await,
            Operation::Cancel(task) => self.cancel(&task).await,
            Operation::Subscribe(task) => self.subscribe(&task).await,
            Operation::SetPush(task, config) => self.set_push(&task, config).await,
            Operation::GetPush(task, id) => self.get_push(&task, id.as_deref()).await,
            Operation::ListPush(task) => {
                let (actor, id) = self.named(Scope::TasksRead, &task)?;
                let all =
                    pushes::list(&self.state.db, &actor, Some(self.agent), id).await.map_err(|e| self.refused(e))?;
                Ok(Answer::Pushes(all.iter().map(|c| told::push_config(&task, c)).collect()))
            }
            Operation::DeletePush(task, config) => {
                let (actor, id) = self.named(Scope::TasksWrite, &task)?;
                let done = pushes::delete(&self.state.db, &actor, Some(self.agent), id, &config).await;
                done.map_err(|e| self.refused(e))?;
                Ok(Answer::Nothing)
            }
            Operation::ExtendedCard => {
                self.actor(Scope::AgentsRead).or_else(|_| self.actor(Scope::TasksRead))?;
                let agent = self.exposed().await?;
                Ok(Answer::Card(card::extended(&self.state, &agent).await.map_err(|e| self.refused(e))?))
            }
        }
    }

    pub(super) fn refused(&self, error: Error) -> GatewayError {
        GatewayError::of(error, &self.shop())
    }

    /// Where credits are sold.
    fn shop(&self) -> Url {
        self.state.public_url.join("/credits").unwrap_or_else(|_| (*self.state.public_url).clone())
    }

    /// The client, if its key has the scope and is for this agent.
    pub(super) fn actor(&self, scope: Scope) -> Result<Actor> {
        let key = self.key.as_ref().ok_or_else(|| self.refused(Error::Unauthorized))?;
        if !key.allows(scope) {
            return Err(self.refused(Error::MissingScope(scope)));
        }
        if !key.allows_agent(self.agent) {
            return Err(self.refused(Error::NotFound(Missing::Agent)));
        }
        Ok(key.actor())
    }

    fn named(&self, scope: Scope, task: &str) -> Result<(Actor, TaskId)> {
        let actor = self.actor(scope)?;
        Ok((actor, task.parse().map_err(|_| GatewayError::no_task())?))
    }

    /// One of the client's tasks with this agent.
    pub(super) async fn task(&self, scope: Scope, task: &str) -> Result<(Actor, Told)> {
        let (actor, id) = self.named(scope, task)?;
        let told =
            tasks::told::told(&self.state.db, &actor, Some(self.agent), id).await.map_err(|e| self.refused(e))?;
        Ok((actor, told))
    }

    pub(super) async fn exposed(&self) -> Result<Exposed> {
        agents::exposed(&self.state.db, self.agent).await.map_err(|e| self.refused(e))
    }

    async fn send(&self, send: Send) -> Result<Answer> {
        let (at_once, history) = (send.at_once, send.history);
        let (actor, id, mut watch, seen) = self.deliver(send).await?;
        let task = if at_once {
            domain_told::told(&self.state.db, &actor, None, id).await.map_err(|e| self.refused(e))?
        } else {
            self.settled(&actor, id, &mut watch, seen).await?
        };
        Ok(Answer::Event(match told::answer_by_message(&task) {
            Some(message) => json!({ "message": message }),
            None => json!({ "task": told::task(&task, Extent { history, artifacts: true }) }),
        }))
    }

    async fn stream(&self, send: Send) -> Result<Answer> {
        let history = send.history;
        let goes_on = send.task.is_some();
        let (actor, id, watch, seen) = self.deliver(send).await?;
        let task = domain_told::told(&self.state.db, &actor, None, id).await.map_err(|e| self.refused(e))?;
        let follow = Follow::new(&self.state, actor, task, watch, history).since(seen);
        Ok(Answer::Stream(Box::new(if goes_on { follow } else { follow.patient() })))
    }

    async fn subscribe(&self, task: &str) -> Result<Answer> {
        let (actor, id) = self.named(Scope::TasksRead, task)?;
        // Watched before the first look, so that nothing falls between the two.
        let watch = self.state.events.watch(id);
        let task =
            tasks::told::told(&self.state.db, &actor, Some(self.agent), id).await.map_err(|e| self.refused(e))?;
        if told::has_ended(&task) {
            return Err(GatewayError::new(Kind::Unsupported, "the task has ended: there is nothing to follow"));
        }
        let follow = Follow::new(&self.state, actor, task, watch, None);
        Ok(Answer::Stream(Box::new(follow.until_the_end())))
    }

    /// Waits until the task has ended or asks something (section 3.2.2), or until this program stops.
    async fn settled(&self, actor: &Actor, id: TaskId, watch: &mut Watch, mut seen: i32) -> Result<Told> {
        let mut stopping = self.state.stopping.subscribe();
        loop {
            let task = domain_told::told(&self.state.db, actor, None, id).await.map_err(|e| self.refused(e))?;
            if told::has_ended(&task) || (task.waiting.is_some() && task.last_seq > seen) {
                return Ok(task);
            }
            seen = seen.max(0);
            loop {
                tokio::select! {
                    news = watch.next() => match news {
                        News::Event(_) | News::Missed => break,
                        News::Updates | News::Rung => {}
                    },
                    stop = stopping.recv() => if !matches!(stop, Err(RecvError::Lagged(_))) { return Ok(task) },
                }
            }
        }
    }

    async fn list(&self, wanted: ListTasks) -> Result<Answer> {
        let actor = self.actor(Scope::TasksRead)?;
        let state = wanted.state.map(|name| {
            let known = name.strip_prefix("TASK_STATE_").map(str::to_ascii_lowercase);
            known
                .filter(|s| STATES.contains(&s.as_str()))
                .ok_or_else(|| GatewayError::field("status", "is no state of a task"))
        });
        let after = wanted.token.map(|token| token.parse::<Cursor>());
        let after =
            after.transpose().map_err(|_| GatewayError::field("pageToken", "is not one that this list gave out"))?;
        let filter = ToldFilter {
            agent: Some(self.agent),
            context: wanted.context,
            // A filter by nothing is none.
            state: state.transpose()?.filter(|s| s != "unspecified"),
            since: wanted.since,
            after,
        };
        let size = wanted.size.unwrap_or(50);
        let (page, total) =
            domain_told::list_told(&self.state.db, &actor, &filter, size).await.map_err(|e| self.refused(e))?;
        let extent = Extent { history: wanted.history, artifacts: wanted.artifacts };
        let tasks: Vec<Value> = page
            .items
            .iter()
            .map(|t| {
                let mut task = told::task(t, extent);
                // Asked for, they are there, also where there are none.
                if wanted.artifacts && task.get("artifacts").is_none() {
                    task["artifacts"] = json!([]);
                }
                task
            })
            .collect();
        let next = page.next.map(|cursor| cursor.to_string()).unwrap_or_default();
        Ok(Answer::Tasks(json!({ "tasks": tasks, "nextPageToken": next, "pageSize": size, "totalSize": total })))
    }

    async fn cancel(&self, task: &str) -> Result<Answer> {
        let (actor, told) = self.task(Scope::TasksWrite, task).await?;
        let not = || GatewayError::new(Kind::TaskNotCancelable, "the task has ended");
        if told::has_ended(&told) {
            return Err(not());
        }
        match tasks::cancel(&self.state.db, &actor, told.id).await {
            Ok(()) => {}
            Err(Error::Conflict(_)) => return Err(not()),
            Err(error) => return Err(self.refused(error)),
        }
        let now = domain_told::told(&self.state.db, &actor, None, told.id).await.map_err(|e| self.refused(e))?;
        Ok(Answer::Task(told::task(&now, Extent { history: None, artifacts: true })))
    }

    async fn set_push(&self, task: &str, config: PushConfig) -> Result<Answer> {
        let (actor, id) = self.named(Scope::TasksWrite, task)?;
        let set = pushes::set(&self.state.db, &actor, Some(self.agent), id, &config).await;
        set.map_err(|e| self.refused(e))?;
        Ok(Answer::Push(told::push_config(task, &config)))
    }

    async fn get_push(&self, task: &str, config: Option<&str>) -> Result<Answer> {
        let (actor, id) = self.named(Scope::TasksRead, task)?;
        let all = pushes::list(&self.state.db, &actor, Some(self.agent), id).await.map_err(|e| self.refused(e))?;
        let found = match config {
            Some(name) => all.iter().find(|c| c.id == name),
            None => all.first(),
        };
        let found = found.ok_or_else(|| GatewayError::new(Kind::TaskNotFound, "the task has no such configuration"))?;
        Ok(Answer::Push(told::push_config(task, found)))
    }
}

/// Names of states, as a list is filtered by them.
const STATES: [&str; 9] = [
    "unspecified",
    "submitted",
    "working",
    "completed",
    "failed",
    "canceled",
    "rejected",
    "input_required",
    "auth_required",
];
