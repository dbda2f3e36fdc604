//! Push notifications: whoever gave an address hears of each change of a task's state there (A2A 1.0, section 4.3).

mod store;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::told::{self, Told};
use crate::{Actor, AgentId, Db, Error, FieldError, Missing, Result, TaskId, Tx};

/// Most addresses of one task.
pub const CONFIGS_MAX: i64 = 10;
/// How long one try may keep a notification for itself.
pub const LEASE: TimeDelta = TimeDelta::seconds(30);
/// The waits after failed tries; then it is given up.
const WAITS: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
    Duration::from_secs(3600),
];

/// Which version of the protocol the receiver speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 0.3: it is sent the task.
    V03,
    /// 1.0: it is sent a `StreamResponse`.
    V1,
}

impl Version {
    fn as_str(self) -> &'static str {
        match self {
            Version::V03 => "0.3",
            Version::V1 => "1.0",
        }
    }
}

/// Where somebody wants to be told of a task.
#[derive(Clone, PartialEq, Eq)]
pub struct PushConfig {
    /// Its name among the task's.
    pub id: String,
    /// Where to.
    pub url: String,
    /// What the receiver knows the notification by.
    pub token: Option<String>,
    /// Scheme and credentials of its `Authorization` header.
    pub auth: Option<(String, String)>,
    /// What it is sent.
    pub version: Version,
}

impl std::fmt::Debug for PushConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushConfig").field("id", &self.id).field("url", &self.url).finish_non_exhaustive()
    }
}

impl PushConfig {
    /// What is wrong with it. Where its address leads is judged by who calls it.
    pub fn check(&self) -> Vec<FieldError> {
        let mut wrong = Vec::new();
        let lengths = [
            ("id", Some(&self.id), 200),
            ("url", Some(&self.url), 2_000),
            ("token", self.token.as_ref(), 2_000),
            ("authentication.scheme", self.auth.as_ref().map(|a| &a.0), 100),
            ("authentication.credentials", self.auth.as_ref().map(|a| &a.1), 4_000),
        ];
        for (field, value, most) in lengths {
            if value.is_some_and(|v| v.len() > most || v.chars().any(char::is_control)) {
                wrong.push(FieldError::new(
                    field,
                    format!("must be at most {most} characters, without control characters"),
                ));
            }
        }
        let url = url::Url::parse(&self.url);
        if !url.is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.host_str().is_some()) {
            wrong.push(FieldError::new("url", "must be an http or https address"));
        }
        wrong
    }
}

/// Notes an address for one of the actor's orders, in place of one of the same name.
///
/// # Errors
/// [`Error::Validation`]; [`Error::NotFound`]; [`Error::Conflict`] when there are [`CONFIGS_MAX`] already.
pub async fn set(db: &Db, actor: &Actor, agent: Option<AgentId>, task: TaskId, config: &PushConfig) -> Result<()> {
    let wrong = config.check();
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    told::told(db, actor, agent, task).await?;
    let mut tx = db.begin(&Actor::System).await?;
    if !store::set(&mut tx, task, config).await? {
        return Err(Error::Conflict(format!("a task has at most {CONFIGS_MAX} addresses for notifications")));
    }
    tx.commit().await?;
    Ok(())
}

/// The addresses of one of the actor's orders, by name.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn list(db: &Db, actor: &Actor, agent: Option<AgentId>, task: TaskId) -> Result<Vec<PushConfig>> {
    told::told(db, actor, agent, task).await?;
    let mut tx = db.begin(&Actor::System).await?;
    store::list(&mut tx, task).await
}

/// One of them.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &Db, actor: &Actor, agent: Option<AgentId>, task: TaskId, id: &str) -> Result<PushConfig> {
    let all = list(db, actor, agent, task).await?;
    all.into_iter().find(|c| c.id == id).ok_or(Error::NotFound(Missing::Task))
}

/// Forgets one, and what was to be sent there. One that is not there is no error.
///
/// # Errors
/// [`Error::NotFound`] for the task.
pub async fn delete(db: &Db, actor: &Actor, agent: Option<AgentId>, task: TaskId, id: &str) -> Result<()> {
    told::told(db, actor, agent, task).await?;
    let mut tx = db.begin(&Actor::System).await?;
    store::delete(&mut tx, task, id).await?;
    tx.commit().await?;
    Ok(())
}

/// Tells of a task that goes on as another one: whoever wanted to hear of the first hears of the second.
pub(crate) async fn carry_over(tx: &mut Tx, from: TaskId, to: TaskId) -> Result<()> {
    store::carry_over(tx, from, to).await
}

/// Tells of a task's last event once more: what it means has changed since.
pub(crate) async fn tell_again(tx: &mut Tx, task: TaskId) -> Result<()> {
    store::tell_again(tx, task).await
}

/// A notification that this worker is to send.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Which.
    pub id: i64,
    /// What proves that it is ours.
    pub token: Uuid,
    /// How often it was tried before.
    pub tries: i32,
    /// Where to.
    pub config: PushConfig,
    /// Of which event of the task it tells.
    pub seq: i32,
    /// What that was.
    pub kind: String,
    /// When it was.
    pub at: DateTime<Utc>,
    /// The task as it is now.
    pub task: Told,
}

/// Takes notifications that are due: of each address the oldest alone, so that they come in order.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(db: &Db, limit: i64, now: DateTime<Utc>) -> Result<Vec<Delivery>> {
    store::claim(db, limit, now).await
}

/// Notes how a try went. One that failed too often, and one that the receiver wants no more (410), is given up.
///
/// # Errors
/// When the database does not answer.
pub async fn record(db: &Db, delivery: &Delivery, status: Option<u16>, now: DateTime<Utc>) -> Result<()> {
    let again = match status {
        Some(200..=299 | 410) => None,
        Some(_) | None => usize::try_from(delivery.tries).ok().and_then(|n| WAITS.get(n)),
    };
    store::record(db.pool(), delivery, again.map(|wait| now + *wait)).await
}
