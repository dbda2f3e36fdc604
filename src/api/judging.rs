//! What a requester says of a result over REST: accepted, rejected, rated, disputed.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::Utc;
use domain::tasks::{self, disputes};
use domain::{Actor, Db, TaskId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Answer, Data, Money, data};
use super::caller::{Caller, TasksRead, TasksWrite};
use super::dispute_body::DisputeBody;
use super::input::{Id, Input, Nothing};
use super::once::{Done, Once};
use super::task_body::Task;
use super::tasks::act;
use crate::state::AppState;
use crate::web::failure::ApiError;

/// Accept a result
///
/// From then on it cannot be disputed.
#[utoipa::path(post, path = "/tasks/{id}/accept", tag = "Tasks", operation_id = "acceptTask",
    params(("id" = Uuid, Path, description = "A completed task")), security(("key" = ["tasks:write"])),
    request_body = Nothing, responses((status = 200, description = "The task", body = Data<Task>)))]
pub async fn accept(
    State(state): State<AppState>,
    caller: Caller<TasksWrite>,
    Id(id): Id<TaskId>,
    once: Once,
    input: Input<Nothing>,
) -> Result<Done, ApiError> {
    let actor = caller.actor;
    let work = |db: Db| async move { tasks::accept(&db, &actor, id, Utc::now()).await };
    act(&state, actor, &once, &input.fingerprint, id, work).await
}

/// A rating.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Rating)]
pub struct RatingBody {
    /// 1 to 5.
    #[schema(minimum = 1, maximum = 5)]
    stars: u8,
    /// Words that everybody may read; at most 2,000 characters.
    text: Option<String>,
}

/// Rate a result
///
/// Once, by who paid for it.
#[utoipa::path(post, path = "/tasks/{id}/rating", tag = "Tasks", operation_id = "rateTask",
    params(("id" = Uuid, Path, description = "A completed task")), security(("key" = ["tasks:write"])),
    request_body = RatingBody, responses((status = 200, description = "The task", body = Data<Task>)))]
pub async fn rate(
    State(state): State<AppState>,
    caller: Caller<TasksWrite>,
    Id(id): Id<TaskId>,
    once: Once,
    input: Input<RatingBody>,
) -> Result<Done, ApiError> {
    let (actor, body) = (caller.actor, input.body);
    let work = |db: Db| async move {
        let text = body.text.unwrap_or_default();
        tasks::rate(&db, &actor, id, body.stars, &text, Utc::now()).await
    };
    act(&state, actor, &once, &input.fingerprint, id, work).await
}

/// Why a result is called in question.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Reason)]
pub struct ReasonBody {
    /// What is wrong with it; both sides and operators read it. At most 5,000 characters.
    reason: String,
}

/// Does something in a dispute of a task that the key may see, once, and answers with the dispute.
async fn in_dispute<F>(
    state: &AppState,
    actor: Actor,
    once: &Once,
    fingerprint: &[u8; 32],
    id: TaskId,
    status: StatusCode,
    work: impl FnOnce(Db) -> F,
) -> Result<Done, ApiError>
where
    F: Future<Output = domain::Result<()>>,
{
    let done = once
        .run(&state.db, &actor, fingerprint, status, |db| async move {
            tasks::detail(&db, &actor, id).await?;
            work(db.clone()).await?;
            Ok(DisputeBody::from(disputes::of_task(&db, &actor, id).await?))
        })
        .await?;
    Ok(done)
}

/// Reject a result
///
/// The same as opening a dispute: what was paid goes into escrow until both sides agree, an operator decides, or the clock does.
#[utoipa::path(post, path = "/tasks/{id}/reject", tag = "Tasks", operation_id = "rejectTask",
    params(("id" = Uuid, Path, description = "A completed task")), security(("key" = ["tasks:write"])),
    request_body = ReasonBody, responses((status = 201, description = "The dispute", body = Data<DisputeBody>)))]
pub async fn reject(
    State(state): State<AppState>,
    caller: Caller<TasksWrite>,
    Id(id): Id<TaskId>,
    once: Once,
    input: Input<ReasonBody>,
) -> Result<Done, ApiError> {
    let (actor, reason) = (caller.actor, input.body.reason);
    let work = |db: Db| async move { disputes::open(&db, &actor, id, &reason, Utc::now()).await };
    in_dispute(&state, actor, &once, &input.fingerprint, id, StatusCode::CREATED, work).await
}

/// Open a dispute
///
/// Within seven days of completion, once, by who paid. What was paid goes back into escrow.
#[utoipa::path(post, path = "/tasks/{id}/dispute", tag = "Disputes", operation_id = "openDispute",
    params(("id" = Uuid, Path, description = "A completed task")), security(("key" = ["tasks:write"])),
    request_body = ReasonBody, responses((status = 201, description = "The dispute", body = Data<DisputeBody>)))]
pub async fn dispute(
    state: State<AppState>,
    caller: Caller<TasksWrite>,
    id: Id<TaskId>,
    once: Once,
    input: Input<ReasonBody>,
) -> Result<Done, ApiError> {
    reject(state, caller, id, once, input).await
}

/// Get a dispute
#[utoipa::path(get, path = "/tasks/{id}/dispute", tag = "Disputes", operation_id = "getDispute",
    params(("id" = Uuid, Path, description = "A task of yours that was disputed")), security(("key" = ["tasks:read"])),
    responses((status = 200, description = "The dispute", body = Data<DisputeBody>)))]
pub async fn get_dispute(
    State(state): State<AppState>,
    caller: Caller<TasksRead>,
    Id(id): Id<TaskId>,
) -> Answer<DisputeBody> {
    tasks::detail(&state.db, &caller.actor, id).await?;
    Ok(data(DisputeBody::from(disputes::of_task(&state.db, &caller.actor, id).await?)))
}

/// Something to say.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewStatement)]
pub struct NewStatementBody {
    /// At most 5,000 characters.
    text: String,
}

/// Say something in a dispute
#[utoipa::path(post, path = "/tasks/{id}/dispute/statements", tag = "Disputes", operation_id = "addStatement",
    params(("id" = Uuid, Path, description = "The task")), security(("key" = ["tasks:write"])),
    request_body = NewStatementBody, responses((status = 201, description = "The dispute", body = Data<DisputeBody>)))]
pub async fn say(
    State(state): State<AppState>,
    caller: Caller<TasksWrite>,
    Id(id): Id<TaskId>,
    once: Once,
    input: Input<NewStatementBody>,
) -> Result<Done, ApiError> {
    let (actor, text) = (caller.actor, input.body.text);
    let work = |db: Db| async move { disputes::say(&db, &actor, id, &text, Utc::now()).await };
    in_dispute(&state, actor, &once, &input.fingerprint, id, StatusCode::CREATED, work).await
}

/// A refund.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = RefundOffer)]
pub struct RefundBody {
    /// What goes back to the requester, 0.00 to what was paid.
    refund_credits: Money,
}

/// Propose a refund
#[utoipa::path(post, path = "/tasks/{id}/dispute/offer", tag = "Disputes", operation_id = "offerRefund",
    params(("id" = Uuid, Path, description = "The task")), security(("key" = ["tasks:write"])),
    request_body = RefundBody, responses((status = 200, description = "The dispute", body = Data<DisputeBody>)))]
pub async fn offer(
    State(state): State<AppState>,
    caller: Caller<TasksWrite>,
    Id(id): Id<TaskId>,
    once: Once,
    input: Input<RefundBody>,
) -> Result<Done, ApiError> {
    let (actor, refund) = (caller.actor, input.body.refund_credits.0);
    let work = |db: Db| async move { disputes::offer(&db, &actor, id, refund).await };
    in_dispute(&state, actor, &once, &input.fingerprint, id, StatusCode::OK, work).await
}

/// Accept the other side's proposal
///
/// The sum is repeated, so that a proposal that has changed meanwhile is not accepted.
#[utoipa::path(post, path = "/tasks/{id}/dispute/offer/accept", tag = "Disputes", operation_id = "acceptOffer",
    params(("id" = Uuid, Path, description = "The task")), security(("key" = ["tasks:write"])),
    request_body = RefundBody, responses((status = 200, description = "The dispute", body = Data<DisputeBody>)))]
pub async fn accept_offer(
    State(state): State<AppState>,
    caller: Caller<TasksWrite>,
    Id(id): Id<TaskId>,
    once: Once,
    input: Input<RefundBody>,
) -> Result<Done, ApiError> {
    let (actor, refund) = (caller.actor, input.body.refund_credits.0);
    let work = |db: Db| async move { disputes::accept_offer(&db, &actor, id, refund, Utc::now()).await };
    in_dispute(&state, actor, &once, &input.fingerprint, id, StatusCode::OK, work).await
}

/// Give in
///
/// The requester takes the dispute back; the provider refunds all of it.
#[utoipa::path(post, path = "/tasks/{id}/dispute/give-in", tag = "Disputes", operation_id = "giveIn",
    params(("id" = Uuid, Path, description = "The task")), security(("key" = ["tasks:write"])),
    request_body = Nothing, responses((status = 200, description = "The dispute", body = Data<DisputeBody>)))]
pub async fn give_in(
    State(state): State<AppState>,
    caller: Caller<TasksWrite>,
    Id(id): Id<TaskId>,
    once: Once,
    input: Input<Nothing>,
) -> Result<Done, ApiError> {
    let actor = caller.actor;
    let work = |db: Db| async move { disputes::give_in(&db, &actor, id, Utc::now()).await };
    in_dispute(&state, actor, &once, &input.fingerprint, id, StatusCode::OK, work).await
}
