//! The three methods: `SendMessage`, `GetTask`, `CancelTask`.

use std::sync::Arc;

use a2a::{A2AError, CancelTaskRequest, GetTaskRequest, Message, Role, SendMessageRequest, SendMessageResponse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::carry_out::carry_out;
use super::failure::Failure;
use super::live_task::LiveTask;
use super::misbehaviour::Misbehaviour;
use super::server::Server;
use super::task_store::Opened;

/// Takes up the message, or finds the task that it began earlier. Answers when the task has ended; with
/// `configuration.returnImmediately` as soon as it is clear that this takes time.
pub(super) async fn send_message(server: &Server, params: Value) -> Result<Value, Failure> {
    let request: SendMessageRequest = read(params)?;
    let message = request.message;
    let configuration = request.configuration;
    check(&message)?;
    if configuration.as_ref().is_some_and(|c| c.task_push_notification_config.is_some()) {
        return Err(A2AError::push_notification_not_supported().into());
    }
    if let Some(misbehave) = server.agent.misbehave {
        match misbehave(&message) {
            Some(Misbehaviour::Silence(time)) => tokio::time::sleep(time).await,
            Some(Misbehaviour::InternalError) => return Err(A2AError::internal("broken on request").into()),
            Some(Misbehaviour::ServerError) => return Err(Failure::Deliberate),
            None => {}
        }
    }
    let task = match (server.tasks.begun_by(&message.message_id), &message.task_id) {
        (Some(task), _) => task,
        (None, Some(id)) => return Err(follow_up(server, id).into()),
        (None, None) => begin(server, message)?,
    };
    let immediately = configuration.and_then(|c| c.return_immediately).unwrap_or(false);
    write(&SendMessageResponse::Task(task.settled(immediately).await))
}

/// The task as it is now.
pub(super) fn get_task(server: &Server, params: Value) -> Result<Value, Failure> {
    let request: GetTaskRequest = read(params)?;
    write(&find(server, &request.id)?.snapshot())
}

/// Stops the work and ends the task.
pub(super) fn cancel_task(server: &Server, params: Value) -> Result<Value, Failure> {
    let request: CancelTaskRequest = read(params)?;
    let task = find(server, &request.id)?;
    if task.cancel() { write(&task.snapshot()) } else { Err(A2AError::task_not_cancelable(&request.id).into()) }
}

fn begin(server: &Server, message: Message) -> Result<Arc<LiveTask>, Failure> {
    match server.tasks.open(&message) {
        Opened::Known(task) => Ok(task),
        Opened::Full => Err(Failure::Busy),
        Opened::New(task) => {
            match server.agent.skill_for(&message) {
                // A task of its own: the work goes on when the caller hangs up.
                Ok(skill) => drop(tokio::spawn(carry_out(Arc::clone(&task), skill.start, message))),
                Err(refusal) => drop(task.finish(Err(refusal))),
            }
            Ok(task)
        }
    }
}

/// What the types leave open.
fn check(message: &Message) -> Result<(), A2AError> {
    if message.message_id.is_empty() {
        Err(A2AError::invalid_params("message.messageId must not be empty"))
    } else if message.role != Role::User {
        Err(A2AError::invalid_params("message.role must be ROLE_USER"))
    } else if message.parts.is_empty() {
        Err(A2AError::invalid_params("message.parts must hold at least one part"))
    } else {
        Ok(())
    }
}

/// These agents are told everything in the first message of a task.
fn follow_up(server: &Server, id: &str) -> A2AError {
    match server.tasks.find(id) {
        Some(_) => {
            A2AError::unsupported_operation("this agent takes one message a task; send a new one without taskId")
        }
        None => A2AError::task_not_found(id),
    }
}

fn find(server: &Server, id: &str) -> Result<Arc<LiveTask>, A2AError> {
    server.tasks.find(id).ok_or_else(|| A2AError::task_not_found(id))
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, A2AError> {
    serde_json::from_value(params).map_err(|error| A2AError::invalid_params(format!("params: {error}")))
}

fn write<T: Serialize>(result: &T) -> Result<Value, Failure> {
    serde_json::to_value(result)
        .map_err(|error| A2AError::internal(format!("the answer cannot be written: {error}")).into())
}
