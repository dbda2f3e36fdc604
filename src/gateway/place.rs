//! Who answers at an address: one agent, or the platform's own, which hires others.

use chrono::Utc;
use domain::api_keys::VerifiedKey;
use domain::tasks::pushes::{self, PushConfig};
use domain::tasks::told::{self, ToldFilter};
use domain::tasks::{self, Part, Told};
use domain::{Actor, AgentId, Db, Page, Result, TaskId, routes};
use serde_json::Value;

use crate::task_events::{News, TaskEvents, Watch};

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A listed agent: what is told there are tasks of its.
    Agent(AgentId),
    /// The platform's agent: what is told there are requests.
    Platform,
}

impl Place {
    /// The path of its address.
    pub fn path(self) -> String {
        match self {
            Place::Agent(agent) => format!("/a2a/{agent}"),
            Place::Platform => "/a2a".to_owned(),
        }
    }

    /// Whether a key may be used here. At the platform's address it narrows who is hired.
    pub fn is_open_to(self, key: &VerifiedKey) -> bool {
        match self {
            Place::Agent(agent) => key.allows_agent(agent),
            Place::Platform => true,
        }
    }

    /// One of the actor's tasks here.
    ///
    /// # Errors
    /// [`domain::Error::NotFound`].
    pub async fn told(self, db: &Db, actor: &Actor, id: TaskId) -> Result<Told> {
        match self {
            Place::Agent(agent) => told::told(db, actor, Some(agent), id).await,
            Place::Platform => routes::told(db, actor, id).await,
        }
    }

    /// The actor's tasks here, and how many there are.
    ///
    /// # Errors
    /// A cursor of another list.
    pub async fn list(self, db: &Db, actor: &Actor, filter: ToldFilter, size: usize) -> Result<(Page<Told>, i64)> {
        match self {
            Place::Agent(agent) => told::list_told(db, actor, &ToldFilter { agent: Some(agent), ..filter }, size).await,
            Place::Platform => routes::list_told(db, actor, &filter, size).await,
        }
    }

    /// Calls a task off.
    ///
    /// # Errors
    /// [`domain::Error::Conflict`] when it has ended.
    pub async fn cancel(self, db: &Db, actor: &Actor, id: TaskId) -> Result<()> {
        match self {
            Place::Agent(_) => tasks::cancel(db, actor, id).await,
            Place::Platform => routes::cancel(db, actor, id, Utc::now()).await,
        }
    }

    /// Answers what is asked in a task.
    ///
    /// # Errors
    /// [`domain::Error::Conflict`] when nothing is.
    pub async fn reply(self, db: &Db, actor: &Actor, id: TaskId, parts: &[Part], message: &Value) -> Result<()> {
        match self {
            Place::Agent(_) => tasks::reply_said(db, actor, id, parts, Some(message)).await,
            Place::Platform => routes::reply_said(db, actor, id, parts, Some(message)).await,
        }
    }

    /// Notes an address for notifications.
    ///
    /// # Errors
    /// As [`pushes::set`].
    pub async fn set_push(self, db: &Db, actor: &Actor, id: TaskId, config: &PushConfig) -> Result<()> {
        match self {
            Place::Agent(agent) => pushes::set(db, actor, Some(agent), id, config).await,
            Place::Platform => routes::pushes::set(db, actor, id, config).await,
        }
    }

    /// The addresses of a task.
    ///
    /// # Errors
    /// [`domain::Error::NotFound`].
    pub async fn pushes(self, db: &Db, actor: &Actor, id: TaskId) -> Result<Vec<PushConfig>> {
        match self {
            Place::Agent(agent) => pushes::list(db, actor, Some(agent), id).await,
            Place::Platform => routes::pushes::list(db, actor, id).await,
        }
    }

    /// Forgets one of them.
    ///
    /// # Errors
    /// [`domain::Error::NotFound`] for the task.
    pub async fn delete_push(self, db: &Db, actor: &Actor, id: TaskId, config: &str) -> Result<()> {
        match self {
            Place::Agent(agent) => pushes::delete(db, actor, Some(agent), id, config).await,
            Place::Platform => routes::pushes::delete(db, actor, id, config).await,
        }
    }
}

/// Hears of a task, and of the one that is worked on for it where that is another.
pub struct Ears {
    events: TaskEvents,
    whole: Watch,
    work: Option<(TaskId, Watch)>,
}

impl Ears {
    /// Hears of a task from now on.
    pub fn on(events: &TaskEvents, task: TaskId) -> Ears {
        Ears { events: events.clone(), whole: events.watch(task), work: None }
    }

    /// Hears of what is worked on now. `true`: that is another than before, of which something may have been missed.
    pub fn turn_to(&mut self, task: &Told) -> bool {
        let heard = self.work.as_ref().map_or(task.id, |(work, _)| *work);
        if heard == task.work {
            return false;
        }
        self.work = Some((task.work, self.events.watch(task.work)));
        true
    }

    /// Waits for news.
    pub async fn next(&mut self) -> News {
        match &mut self.work {
            None => self.whole.next().await,
            Some((_, work)) => tokio::select! {
                news = self.whole.next() => news,
                news = work.next() => news,
            },
        }
    }
}
