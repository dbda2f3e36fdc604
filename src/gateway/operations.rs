//! The operations of A2A (section 3), whatever binding they come by. Values are A2A 1.0 JSON.

use std::sync::Arc;

use chrono::Utc;
use domain::agents::{self, Exposed};
use domain::api_keys::{Scope, VerifiedKey};
use domain::tasks::content;
use domain::tasks::pushes::PushConfig;
use domain::tasks::told::ToldFilter;
use domain::tasks::{self, NewTask, Said, Told};
use domain::{Actor, AgentId, Cursor, Error, Missing, TaskId};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use url::Url;

use super::card;
use super::error::{GatewayError, Kind, Result};
use super::place::{Ears, Place};
use super::platform::{self, Heard};
use super::protocol::{Answer, ListTasks, Operation};
use super::request::{self, Send};
use super::stream::{Events, Follow};
use super::told::{self, Extent};
use crate::state::AppState;
use crate::task_events::News;

/// A message that was given to a task: who asked, which one it is, who hears of it, and how far it was before.
struct Delivered {
    actor: Actor,
    id: TaskId,
    ears: Ears,
    /// The task's turn and the number of its last event.
    seen: (usize, i32),
}

/// Who asks, at which address.
pub struct Call {
    /// The program.
    pub state: AppState,
    /// Whose address it is.
    pub place: Place,
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
                let all = self.place.pushes(&self.state.db, &actor, id).await.map_err(|e| self.refused(e))?;
                Ok(Answer::Pushes(all.iter().map(|c| told::push_config(&task, c)).collect()))
            }
            Operation::DeletePush(task, config) => {
                let (actor, id) = self.named(Scope::TasksWrite, &task)?;
                let done = self.place.delete_push(&self.state.db, &actor, id, &config).await;
                done.map_err(|e| self.refused(e))?;
                Ok(Answer::Nothing)
            }
            Operation::ExtendedCard => {
                self.actor(Scope::AgentsRead).or_else(|_| self.actor(Scope::TasksRead))?;
                let Place::Agent(agent) = self.place else {
                    return Err(GatewayError::new(Kind::Unsupported, "there is no more to this card"));
                };
                let agent = self.exposed(agent).await?;
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

    /// The client, if its key has the scope and is for this address.
    pub(super) fn actor(&self, scope: Scope) -> Result<Actor> {
        let key = self.key.as_ref().ok_or_else(|| self.refused(Error::Unauthorized))?;
        if !key.allows(scope) {
            return Err(self.refused(Error::MissingScope(scope)));
        }
        if !self.place.is_open_to(key) {
            return Err(self.refused(Error::NotFound(Missing::Agent)));
        }
        Ok(key.actor())
    }

    fn named(&self, scope: Scope, task: &str) -> Result<(Actor, TaskId)> {
        let actor = self.actor(scope)?;
        Ok((actor, task.parse().map_err(|_| GatewayError::no_task())?))
    }

    /// One of the client's tasks here.
    async fn task(&self, scope: Scope, task: &str) -> Result<(Actor, Told)> {
        let (actor, id) = self.named(scope, task)?;
        let told = self.told(&actor, id).await?;
        Ok((actor, told))
    }

    async fn told(&self, actor: &Actor, id: TaskId) -> Result<Told> {
        self.place.told(&self.state.db, actor, id).await.map_err(|e| self.refused(e))
    }

    async fn exposed(&self, agent: AgentId) -> Result<Exposed> {
        agents::exposed(&self.state.db, agent).await.map_err(|e| self.refused(e))
    }

    async fn send(&self, send: Send) -> Result<Answer> {
        let (at_once, history) = (send.at_once, send.history);
        let mut delivered = match self.deliver(send).await? {
            Heard::Answered(message) => return Ok(Answer::Event(json!({ "message": message }))),
            Heard::Begun(delivered) => delivered,
        };
        let task = if at_once {
            self.told(&delivered.actor, delivered.id).await?
        } else {
            self.settled(&mut delivered).await?
        };
        Ok(Answer::Event(match told::answer_by_message(&task) {
            Some(message) => json!({ "message": message }),
            None => json!({ "task": told::task(&task, Extent { history, artifacts: true }) }),
        }))
    }

    async fn stream(&self, send: Send) -> Result<Answer> {
        let history = send.history;
        let goes_on = send.task.is_some();
        let Delivered { actor, id, mut ears, seen } = match self.deliver(send).await? {
            Heard::Answered(message) => {
                return Ok(Answer::Stream(Events::Said(Some(json!({ "message": message })))));
            }
            Heard::Begun(delivered) => delivered,
        };
        let task = self.heard(&actor, id, &mut ears).await?;
        let same_turn = task.turn == seen.0;
        let follow = Follow::new(&self.state, self.place, actor, task, ears, history);
        let follow = match (self.place, goes_on) {
            (Place::Agent(_), false) => follow.patient(),
            _ if same_turn => follow.since(seen.1),
            // The platform's agent has hired somebody, which is a task, and says so at once.
            _ => follow.anew(),
        };
        Ok(Answer::Stream(Events::Task(Box::new(follow))))
    }

    async fn subscribe(&self, task: &str) -> Result<Answer> {
        let (actor, id) = self.named(Scope::TasksRead, task)?;
        // Watched before the first look, so that nothing falls between the two.
        let mut ears = Ears::on(&self.state.events, id);
        let task = self.heard(&actor, id, &mut ears).await?;
        if told::has_ended(&task) {
            return Err(GatewayError::new(Kind::Unsupported, "the task has ended: there is nothing to follow"));
        }
        let follow = Follow::new(&self.state, self.place, actor, task, ears, None);
        Ok(Answer::Stream(Events::Task(Box::new(follow.past_questions()))))
    }

    /// A task as it is while what is worked on for it is heard of.
    async fn heard(&self, actor: &Actor, id: TaskId, ears: &mut Ears) -> Result<Told> {
        loop {
            let task = self.told(actor, id).await?;
            if !ears.turn_to(&task) {
                return Ok(task);
            }
        }
    }

    /// Gives a message to its task, or to a new one.
    async fn deliver(&self, send: Send) -> Result<Heard<Delivered>> {
        let Some(task) = &send.task else { return self.order(send).await };
        let (actor, told) = self.task(Scope::TasksWrite, task).await?;
        self.go_on(&actor, &told, &send).await?;
        let ears = Ears::on(&self.state.events, told.id);
        let done = self.place.reply(&self.state.db, &actor, told.id, &send.parts, &send.message).await;
        done.map_err(|e| self.refused(e))?;
        Ok(Heard::Begun(Delivered { actor, id: told.id, ears, seen: (told.turn, told.last_seq) }))
    }

    /// Whether a message may go on with a task.
    async fn go_on(&self, actor: &Actor, told: &Told, send: &Send) -> Result<()> {
        if send.context.as_ref().is_some_and(|context| *context != told.context) {
            return Err(GatewayError::field("message.contextId", "is not that of the task"));
        }
        if told::has_ended(told) {
            return Err(GatewayError::new(Kind::Unsupported, "the task has ended: send a message without its id"));
        }
        if told.waiting.is_none() {
            return Err(GatewayError::new(Kind::Unsupported, "the agent is at work and asks nothing now"));
        }
        if let Some(config) = &send.push {
            let set = self.place.set_push(&self.state.db, actor, told.id, config).await;
            set.map_err(|e| self.refused(e))?;
        }
        Ok(())
    }

    async fn order(&self, send: Send) -> Result<Heard<Delivered>> {
        let wrong = send.push.as_ref().map(PushConfig::check).unwrap_or_default();
        if !wrong.is_empty() {
            return Err(GatewayError::fields(wrong));
        }
        let (actor, id) = match self.place {
            Place::Agent(agent) => {
                let actor = self.actor(Scope::TasksWrite)?;
                (actor, self.hire(&actor, agent, send).await?)
            }
            Place::Platform => match platform::hear(self, send).await? {
                Heard::Answered(message) => return Ok(Heard::Answered(message)),
                Heard::Begun(hired) => hired,
            },
        };
        // Whatever happened before this is seen by the first look.
        Ok(Heard::Begun(Delivered { actor, id, ears: Ears::on(&self.state.events, id), seen: (0, 0) }))
    }

    async fn hire(&self, actor: &Actor, id: AgentId, send: Send) -> Result<TaskId> {
        let agent = self.exposed(id).await?;
        check_modes(&agent, &send)?;
        let skill = send.asked("skillId").cloned().and_then(|v| v.as_str().map(str::to_owned));
        let new = NewTask {
            agent: id,
            // A name that is none of ours is between client and agent.
            skill: skill.filter(|id| agent.skills.iter().any(|s| s.id == *id)),
            title: String::new(),
            parts: send.parts.clone(),
            max_budget: send.asked(MAX_CREDITS).map(|sum| request::credits(sum, MAX_CREDITS)).transpose()?,
            shown_price: None,
            timeout_seconds: seconds(send.asked(TIMEOUT_SECONDS))?,
            follows: self.referred(actor, send.context.as_ref(), &send.references).await,
            retry_of: None,
        };
        let said = Said { message: Some(send.message), context: send.context };
        let Some(config) = &send.push else {
            let order = tasks::create_said(&self.state.db, actor, new, said, Utc::now());
            return Ok(order.await.map_err(|e| self.refused(e))?.id);
        };
        // Together, so that no change of the task comes before who wants to hear of it.
        let (db, joint) = self.state.db.joint().await.map_err(|e| self.refused(e))?;
        let id = tasks::create_said(&db, actor, new, said, Utc::now()).await.map_err(|e| self.refused(e))?.id;
        self.place.set_push(&db, actor, id, config).await.map_err(|e| self.refused(e))?;
        joint.commit().await.map_err(|e| self.refused(e))?;
        Ok(id)
    }

    /// The ended task that a message without a conversation refers to.
    async fn referred(&self, actor: &Actor, context: Option<&String>, references: &[String]) -> Option<TaskId> {
        let id = references.first().filter(|_| context.is_none())?.parse().ok()?;
        let told = self.told(actor, id).await.ok()?;
        told::has_ended(&told).then_some(id)
    }

    /// Waits until the task has ended or asks something (section 3.2.2), or until this program stops.
    async fn settled(&self, delivered: &mut Delivered) -> Result<Told> {
        let Delivered { actor, id, ears, seen } = delivered;
        let mut stopping = self.state.stopping.subscribe();
        loop {
            let task = self.heard(actor, *id, ears).await?;
            if told::has_ended(&task) || (task.waiting.is_some() && (task.turn, task.last_seq) > *seen) {
                return Ok(task);
            }
            loop {
                tokio::select! {
                    news = ears.next() => match news {
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
            agent: None,
            context: wanted.context,
            // A filter by nothing is none.
            state: state.transpose()?.filter(|s| s != "unspecified"),
            since: wanted.since,
            after,
        };
        let size = wanted.size.unwrap_or(50);
        let (page, total) = self.place.list(&self.state.db, &actor, filter, size).await.map_err(|e| self.refused(e))?;
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
        match self.place.cancel(&self.state.db, &actor, told.id).await {
            Ok(()) => {}
            Err(Error::Conflict(_)) => return Err(not()),
            Err(error) => return Err(self.refused(error)),
        }
        let now = self.told(&actor, told.id).await?;
        Ok(Answer::Task(told::task(&now, Extent { history: None, artifacts: true })))
    }

    async fn set_push(&self, task: &str, config: PushConfig) -> Result<Answer> {
        let (actor, id) = self.named(Scope::TasksWrite, task)?;
        let set = self.place.set_push(&self.state.db, &actor, id, &config).await;
        set.map_err(|e| self.refused(e))?;
        Ok(Answer::Push(told::push_config(task, &config)))
    }

    async fn get_push(&self, task: &str, config: Option<&str>) -> Result<Answer> {
        let (actor, id) = self.named(Scope::TasksRead, task)?;
        let all = self.place.pushes(&self.state.db, &actor, id).await.map_err(|e| self.refused(e))?;
        let found = match config {
            Some(name) => all.iter().find(|c| c.id == name),
            None => all.first(),
        };
        let found = found.ok_or_else(|| GatewayError::new(Kind::TaskNotFound, "the task has no such configuration"))?;
        Ok(Answer::Push(told::push_config(task, found)))
    }
}

/// Request metadata: the most that the task may cost, as "2.50".
pub const MAX_CREDITS: &str = "urn:nexus:maxCredits";
/// Request metadata: seconds until the task counts as failed.
pub const TIMEOUT_SECONDS: &str = "urn:nexus:timeoutSeconds";

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

/// Seconds until a task counts as failed, where they are asked for.
///
/// # Errors
/// They are no whole number.
pub fn seconds(value: Option<&Value>) -> Result<Option<i64>> {
    let Some(value) = value else { return Ok(None) };
    let n = request::whole(value);
    n.map(Some).ok_or_else(|| GatewayError::field(TIMEOUT_SECONDS, "must be a whole number"))
}

/// Refuses parts in a media type that the agent's card does not name.
fn check_modes(agent: &Exposed, send: &Send) -> Result<()> {
    let modes: Vec<String> =
        agent.input_modes.iter().chain(agent.skills.iter().flat_map(|s| &s.input_modes)).cloned().collect();
    match content::not_taken(&modes, &send.parts) {
        None => Ok(()),
        Some(kind) => {
            let message = format!("{} does not take {kind}; it takes {}", agent.name, modes.join(", "));
            Err(GatewayError::new(Kind::ContentType, message))
        }
    }
}
