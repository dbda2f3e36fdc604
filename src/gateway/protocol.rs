//! What clients ask for and what they get, whatever binding they speak. Values are A2A 1.0 JSON.

use chrono::{DateTime, Utc};
use domain::tasks::pushes::PushConfig;
use serde_json::Value;

use super::request::Send;
use super::stream::Events;

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
    Stream(Events),
}
