//! Tasks over REST: hire, look, answer, cancel, fetch files.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use domain::agents;
use domain::tasks::{self, NewTask, Role, TaskFilter, TaskState};
use domain::{Actor, AgentId, Error, TaskId};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::answer::{Data, List, Money, list, tagged};
use super::caller::{Caller, TasksRead, TasksWrite};
use super::input::{Id, Input, Nothing, Params, cursor, limit};
use super::once::{Done, Once};
use super::task_body::{PartIn, Said, Task, TaskRow};
use crate::state::AppState;
use crate::web::failure::ApiError;
use crate::web::task_forms;

/// Longest wait for an end, in seconds.
const WAIT_MAX: u64 = 60;

/// A task as it is ordered.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewTask)]
pub struct NewTaskBody {
    /// Who is hired.
    agent_id: Uuid,
    /// For which of its skills; may be left out where it has one.
    skill_id: Option<String>,
    /// What to call the task; made from the message when left out. At most 200 characters.
    title: Option<String>,
    /// What the agent should do, in words; at most 100,000 characters.
    message: Option<String>,
    /// A JSON value, such as the skill's input schema asks for.
    data: Option<Value>,
    /// Parts, for files and more than one of a kind. They follow `message` and `data`.
    parts: Option<Vec<PartIn>>,
    /// Refuse if the agent costs more than this.
    #[schema(value_type = Option<Money>)]
    max_budget_credits: Option<Money>,
    /// Refuse if the agent is trusted less than this, 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    min_trust_score: Option<f64>,
    /// Seconds until it counts as failed, 10 to 3,600; 300 when left out.
    #[schema(minimum = 10, maximum = 3600)]
    timeout_seconds: Option<i64>,
    /// An ended task of yours with the same agent, whose conversation this one goes on with.
    follows: Option<Uuid>,
}

/// How long to wait.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// Seconds to wait for the task to end or to ask something, 0 to 60. The answer is the task as it is then.
    #[param(minimum = 0, maximum = 60)]
    wait: Option<u64>,
}

impl Wait {
    fn duration(&self) -> domain::Result<Duration> {
        match self.wait.unwrap_or(0) {
            n if n <= WAIT_MAX => Ok(Duration::from_secs(n)),
            _ => Err(Error::field("wait", format!("must be 0 to {WAIT_MAX}"))),
        }
    }
}

/// Hire an agent
///
/// The price is held at once and settled when the task completes; it comes back if the task fails, times out or is cancelled.
#[utoipa::path(post, path = "/tasks", tag = "Tasks", operation_id = "createTask", params(Wait),
    security(("key" = ["tasks:write"])), request_body = NewTaskBody,
    responses((status = 201, description = "The task", body = Data<Task>),
              (status = 402, description = "Not enough credits: `details` has the sum", body = super::answer::Refusal),
              (status = 404, description = "No such agent", body = super::answer::Refusal),
              (status = 503, description = "The agent is offline", body = super::answer::Refusal)))]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller<TasksWrite>,
    Params(wait): Params<Wait>,
    once: Once,
    input: Input<NewTaskBody>,
) -> Result<Response, ApiError> {
    let wait = wait.duration()?;
    let actor = caller.actor;
    let body = input.body;
    let done = once
        .run(&state.db, &actor, &input.fingerprint, StatusCode::CREATED, |db| async move {
            let agent = AgentId(body.agent_id);
            if let Some(least) = body.min_trust_score {
                agents::require_trust(&db, &actor, agent, least).await?;
            }
            let said = Said { message: body.message, data: body.data, parts: body.parts };
            let new = NewTask {
                agent,
                skill: body.skill_id,
                title: body.title.unwrap_or_default(),
                parts: said.parts()?,
                max_budget: body.max_budget_credits.map(|m| m.0),
                shown_price: None,
                timeout_seconds: body.timeout_seconds,
                follows: body.follows.map(TaskId),
                retry_of: None,
            };
            let accepted = tasks::create(&db, &actor, new, Utc::now()).await.map_err(in_words)?;
            Ok(Task::from(tasks::detail(&db, &actor, accepted.id).await?))
        })
        .await?;
    waited(&state, &actor, done, wait).await
}

/// The fields of a form as this API calls them.
fn in_words(error: Error) -> Error {
    error.with_fields_named(&[
        ("skill", "skillId"),
        ("price", "maxPriceCredits"),
        ("file", "parts"),
        ("fileUrl", "parts"),
    ])
}

/// The answer, or, where waiting was asked for, the task as it is after it.
async fn waited(state: &AppState, actor: &Actor, done: Done, wait: Duration) -> Result<Response, ApiError> {
    if wait.is_zero() {
        return Ok(done.into_response());
    }
    #[derive(Deserialize)]
    struct Kept {
        id: TaskId,
    }
    let kept: Kept = done.read()?;
    Ok(done.with(wait_for(state, actor, kept.id, wait).await?))
}

/// Waits until the task has ended or asks its requester something, or `wait` is over. Nothing is asked of the database until
/// there is news.
async fn wait_for(state: &AppState, actor: &Actor, id: TaskId, wait: Duration) -> domain::Result<Task> {
    // Watched before the first look, so that nothing falls between the two.
    let mut news = state.events.watch(id);
    let mut stopping = state.stopping.subscribe();
    let until = Instant::now() + wait;
    loop {
        let task = tasks::detail(&state.db, actor, id).await?;
        if task.summary.state.is_terminal() || task.summary.waiting.is_some() || Instant::now() >= until {
            return Ok(Task::from(task));
        }
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            _ = stopping.recv() => return Ok(Task::from(task)),
            _ = news.next() => {}
        }
    }
}

/// Which tasks.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskQuery {
    /// Only where you are on this side: `requester` or `provider`.
    role: Option<String>,
    /// Only in this state.
    state: Option<String>,
    /// Only those that wait for your answer.
    asking: Option<bool>,
    /// Only those whose agent could not be made to do them.
    dead_letters: Option<bool>,
    /// Rows a page, 1 to 100; 20 when left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// List tasks
///
/// Those that you ordered and those that your agents do, newest first.
#[utoipa::path(get, path = "/tasks", tag = "Tasks", operation_id = "listTasks", params(TaskQuery),
    security(("key" = ["tasks:read"])), responses((status = 200, description = "A page of tasks", body = List<TaskRow>)))]
pub async fn all(
    State(state): State<AppState>,
    caller: Caller<TasksRead>,
    Params(query): Params<TaskQuery>,
) -> Result<Json<List<TaskRow>>, ApiError> {
    let role = match query.role.as_deref() {
        None => None,
        Some("requester") => Some(Role::Requester),
        Some("provider") => Some(Role::Provider),
        Some(_) => return Err(Error::field("role", "must be requester or provider").into()),
    };
    let in_state = query.state.as_deref().map(|word| {
        TaskState::parse(word)
            .ok_or_else(|| Error::field("state", "must be pending, assigned, running, completed, failed or cancelled"))
    });
    let filter = TaskFilter {
        role,
        state: in_state.transpose()?,
        asking: query.asking.unwrap_or(false),
        dead_letters: query.dead_letters.unwrap_or(false),
        after: cursor(query.cursor.as_deref())?,
    };
    Ok(list(tasks::list(&state.db, &caller.actor, &filter, limit(query.limit)?).await?, TaskRow::from))
}

/// Get a task
#[utoipa::path(get, path = "/tasks/{id}", tag = "Tasks", operation_id = "getTask",
    params(("id" = Uuid, Path, description = "The task"), Wait), security(("key" = ["tasks:read"])),
    responses((status = 200, description = "The task", body = Data<Task>),
              (status = 304, description = "As `If-None-Match` says")))]
pub async fn one(
    State(state): State<AppState>,
    caller: Caller<TasksRead>,
    Id(id): Id<TaskId>,
    Params(wait): Params<Wait>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let task = wait_for(&state, &caller.actor, id, wait.duration()?).await?;
    Ok(tagged(task, &headers))
}

/// Does something with a task that the key may see, once, and answers with the task.
pub(super) async fn act<F>(
    state: &AppState,
    actor: Actor,
    once: &Once,
    fingerprint: &[u8; 32],
    id: TaskId,
    work: impl FnOnce(domain::Db) -> F,
) -> Result<Done, ApiError>
where
    F: Future<Output = domain::Result<()>>,
{
    let done = once
        .run(&state.db, &actor, fingerprint, StatusCode::OK, |db| async move {
            // Some operations run with the service's rights: what a key limited to agents does not see, it does not touch.
            let before = tasks::detail(&db, &actor, id).await?;
            match work(db.clone()).await {
                Ok(()) => Ok(Task::from(tasks::detail(&db, &actor, id).await?)),
                Err(Error::Conflict(_)) if before.summary.state == TaskState::Cancelled => Err(Error::TaskCancelled),
                Err(error) => Err(error),
            }
        })
        .await?;
    Ok(done)
}

/// Cancel a task
///
/// The hold comes back at once, and the agent is told.
#[utoipa::path(post, path = "/tasks/{id}/cancel", tag = "Tasks", operation_id = "cancelTask",
    params(("id" = Uuid, Path, description = "The task")), security(("key" = ["tasks:write"])), request_body = Nothing,
    responses((status = 200, description = "The task", body = Data<Task>)))]
pub async fn cancel(
    State(state): State<AppState>,
    caller: Caller<TasksWrite>,
    Id(id): Id<TaskId>,
    once: Once,
    input: Input<Nothing>,
) -> Result<Done, ApiError> {
    let actor = caller.actor;
    act(&state, actor, &once, &input.fingerprint, id, |db| async move { tasks::cancel(&db, &actor, id).await }).await
}

/// An answer to what the agent asked.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Reply)]
pub struct ReplyBody {
    /// In words.
    message: Option<String>,
    /// A JSON value.
    data: Option<Value>,
    /// Parts, for files and more than one of a kind.
    parts: Option<Vec<PartIn>>,
}

/// Answer the agent
///
/// For a task whose `waitingFor` is not `null`: the clock goes on, and the agent gets the answer.
#[utoipa::path(post, path = "/tasks/{id}/reply", tag = "Tasks", operation_id = "replyToTask",
    params(("id" = Uuid, Path, description = "The task"), Wait), security(("key" = ["tasks:write"])),
    request_body = ReplyBody, responses((status = 200, description = "The task", body = Data<Task>)))]
pub async fn reply(
    State(state): State<AppState>,
    caller: Caller<TasksWrite>,
    Id(id): Id<TaskId>,
    Params(wait): Params<Wait>,
    once: Once,
    input: Input<ReplyBody>,
) -> Result<Response, ApiError> {
    let (actor, body, wait) = (caller.actor, input.body, wait.duration()?);
    let done = act(&state, actor, &once, &input.fingerprint, id, |db| async move {
        let parts = Said { message: body.message, data: body.data, parts: body.parts }.parts()?;
        tasks::reply(&db, &actor, id, &parts).await.map_err(in_words)
    });
    waited(&state, &actor, done.await?, wait).await
}

/// What to pay at most for sending a task again.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Retry)]
pub struct RetryBody {
    /// Refuse if the agent costs more than this by now.
    #[schema(value_type = Option<Money>)]
    max_price_credits: Option<Money>,
}

/// Send a task again
///
/// A new task: the same to the same agent, at today's price. The old one has ended and stays as it is.
#[utoipa::path(post, path = "/tasks/{id}/retry", tag = "Tasks", operation_id = "retryTask",
    params(("id" = Uuid, Path, description = "The task that has ended"), Wait), security(("key" = ["tasks:write"])),
    request_body = RetryBody,
    responses((status = 201, description = "The new task", body = Data<Task>),
              (status = 402, description = "Not enough credits", body = super::answer::Refusal),
              (status = 503, description = "The agent is offline", body = super::answer::Refusal)))]
pub async fn retry(
    State(state): State<AppState>,
    caller: Caller<TasksWrite>,
    Id(id): Id<TaskId>,
    Params(wait): Params<Wait>,
    once: Once,
    input: Input<RetryBody>,
) -> Result<Response, ApiError> {
    let (actor, wait) = (caller.actor, wait.duration()?);
    let price = input.body.max_price_credits.map(|m| m.0);
    let done = once
        .run(&state.db, &actor, &input.fingerprint, StatusCode::CREATED, |db| async move {
            let accepted = tasks::send_again(&db, &actor, id, price, Utc::now()).await.map_err(in_words)?;
            Ok(Task::from(tasks::detail(&db, &actor, accepted.id).await?))
        })
        .await?;
    waited(&state, &actor, done, wait).await
}

/// Fetch a file of a result
///
/// A part of an artifact as a file, both counted from 0.
#[utoipa::path(get, path = "/tasks/{id}/artifacts/{artifact}/{part}", tag = "Tasks", operation_id = "getTaskFile",
    params(("id" = Uuid, Path, description = "The task"), ("artifact" = usize, Path, description = "Which artifact, from 0"),
           ("part" = usize, Path, description = "Which of its parts, from 0")),
    security(("key" = ["tasks:read"])),
    responses((status = 200, description = "The file", content_type = "application/octet-stream", body = Vec<u8>)))]
pub async fn file(
    State(state): State<AppState>,
    caller: Caller<TasksRead>,
    Path((id, artifact, part)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let missing = || Error::NotFound(domain::Missing::Task);
    let id: TaskId = id.parse().map_err(|_| missing())?;
    let (artifact, part) = (artifact.parse().map_err(|_| missing())?, part.parse().map_err(|_| missing())?);
    let found = tasks::file(&state.db, &caller.actor, id, artifact, part).await?;
    Ok(task_forms::as_download(found, false).ok_or_else(missing)?)
}
