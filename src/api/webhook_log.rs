//! Webhooks over REST: what was sent to endpoints, sending again.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use domain::webhooks::{self, Attempt, DeliveryDetail, DeliveryFilter, DeliveryState, DeliverySummary};
use domain::{Db, DeliveryId, Error, Missing, WebhookId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::answer::{Answer, Data, List, data, list};
use super::caller::{Caller, WebhooksRead, WebhooksWrite};
use super::input::{Id, Input, Nothing, Params, cursor, limit};
use super::once::{Done, Once};
use crate::state::AppState;
use crate::web::failure::ApiError;

/// An event on its way to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookDelivery)]
pub struct DeliveryRow {
    /// The delivery.
    id: Uuid,
    /// The event: what receivers get as `webhook-id`, the same on every try.
    event_id: Uuid,
    /// Its type.
    #[serde(rename = "type")]
    kind: String,
    /// `waiting`, `delivered` or `failed`.
    state: &'static str,
    /// When it was written.
    created_at: DateTime<Utc>,
    /// When it is tried next.
    #[schema(required)]
    next_attempt_at: Option<DateTime<Utc>>,
    /// How often it was tried.
    attempts: i64,
    /// The HTTP status of the last try.
    #[schema(required)]
    last_status: Option<i32>,
    /// Why the last try was not answered.
    #[schema(required)]
    last_error: Option<String>,
}

impl From<DeliverySummary> for DeliveryRow {
    fn from(d: DeliverySummary) -> DeliveryRow {
        DeliveryRow {
            id: d.id.0,
            event_id: d.message,
            kind: d.kind,
            state: d.state.as_str(),
            created_at: d.created_at,
            next_attempt_at: d.next_at,
            attempts: d.attempts,
            last_status: d.last_status,
            last_error: d.last_error,
        }
    }
}

/// One try.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookAttempt)]
pub struct AttemptOut {
    /// When it began.
    at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    duration_ms: i32,
    /// The HTTP status, if it was answered.
    #[schema(required)]
    status: Option<i32>,
    /// Why it was not.
    #[schema(required)]
    error: Option<String>,
    /// The first 500 characters of the answer.
    #[schema(required)]
    answer: Option<String>,
}

impl From<Attempt> for AttemptOut {
    fn from(a: Attempt) -> AttemptOut {
        AttemptOut { at: a.at, duration_ms: a.duration_ms, status: a.status, error: a.error, answer: a.answer }
    }
}

/// A delivery with what is sent and every try.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookDeliveryDetail)]
pub struct DeliveryBody {
    /// As in the list.
    #[serde(flatten)]
    row: DeliveryRow,
    /// What is sent.
    payload: Value,
    /// Each try, the first first.
    log: Vec<AttemptOut>,
}

impl From<DeliveryDetail> for DeliveryBody {
    fn from(d: DeliveryDetail) -> DeliveryBody {
        DeliveryBody {
            row: d.summary.into(),
            payload: serde_json::from_str(&d.body).unwrap_or_default(),
            log: d.attempts.into_iter().map(AttemptOut::from).collect(),
        }
    }
}

/// Which deliveries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeliveryQuery {
    /// Only in this state: `waiting`, `delivered` or `failed`.
    state: Option<String>,
    /// Rows a page, 1 to 100; 20 when left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// List what was sent
#[utoipa::path(get, path = "/webhooks/{id}/deliveries", tag = "Webhooks", operation_id = "listDeliveries",
    params(("id" = Uuid, Path, description = "The endpoint"), DeliveryQuery), security(("key" = ["webhooks:read"])),
    responses((status = 200, description = "A page of deliveries, newest first", body = List<DeliveryRow>)))]
pub async fn deliveries(
    State(state): State<AppState>,
    caller: Caller<WebhooksRead>,
    Id(id): Id<WebhookId>,
    Params(query): Params<DeliveryQuery>,
) -> Result<Json<List<DeliveryRow>>, ApiError> {
    let in_state = query.state.as_deref().map(|word| {
        DeliveryState::parse(word).ok_or_else(|| Error::field("state", "must be waiting, delivered or failed"))
    });
    let filter = DeliveryFilter { state: in_state.transpose()?, after: cursor(query.cursor.as_deref())? };
    let page = webhooks::deliveries(&state.db, &caller.actor, id, &filter, limit(query.limit)?).await?;
    Ok(list(page, DeliveryRow::from))
}

/// A delivery of an endpoint, both as the path names them.
struct OneDelivery(WebhookId, DeliveryId);

impl OneDelivery {
    fn read((endpoint, delivery): (String, String)) -> domain::Result<OneDelivery> {
        let endpoint = endpoint.parse().map_err(|_| Error::NotFound(Missing::Webhook))?;
        Ok(OneDelivery(endpoint, delivery.parse().map_err(|_| Error::NotFound(Missing::Delivery))?))
    }

    async fn find(&self, db: &Db, actor: &domain::Actor) -> domain::Result<DeliveryDetail> {
        let found = webhooks::delivery(db, actor, self.1).await?;
        if found.endpoint == self.0 { Ok(found) } else { Err(Error::NotFound(Missing::Delivery)) }
    }
}

/// Get a delivery
#[utoipa::path(get, path = "/webhooks/{id}/deliveries/{delivery}", tag = "Webhooks", operation_id = "getDelivery",
    params(("id" = Uuid, Path, description = "The endpoint"), ("delivery" = Uuid, Path, description = "The delivery")),
    security(("key" = ["webhooks:read"])),
    responses((status = 200, description = "The delivery", body = Data<DeliveryBody>)))]
pub async fn delivery(
    State(state): State<AppState>,
    caller: Caller<WebhooksRead>,
    Path(path): Path<(String, String)>,
) -> Answer<DeliveryBody> {
    Ok(data(DeliveryBody::from(OneDelivery::read(path)?.find(&state.db, &caller.actor).await?)))
}

/// Send a delivery again
///
/// The same event id, and all tries anew.
#[utoipa::path(post, path = "/webhooks/{id}/deliveries/{delivery}/resend", tag = "Webhooks", operation_id = "resendDelivery",
    params(("id" = Uuid, Path, description = "The endpoint"), ("delivery" = Uuid, Path, description = "The delivery")),
    security(("key" = ["webhooks:write"])), request_body = Nothing,
    responses((status = 200, description = "The delivery", body = Data<DeliveryBody>)))]
pub async fn resend(
    State(state): State<AppState>,
    caller: Caller<WebhooksWrite>,
    Path(path): Path<(String, String)>,
    once: Once,
    input: Input<Nothing>,
) -> Result<Done, ApiError> {
    let (actor, wanted) = (caller.actor, OneDelivery::read(path)?);
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::OK, |db: Db| async move {
        wanted.find(&db, &actor).await?;
        webhooks::resend(&db, &actor, wanted.1).await?;
        Ok(DeliveryBody::from(wanted.find(&db, &actor).await?))
    });
    Ok(done.await?)
}

/// Since when.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResendFailed)]
pub struct SinceBody {
    /// Events that were written since then.
    since: DateTime<Utc>,
}

/// How many are sent again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Resent {
    /// So many.
    count: i64,
}

/// Send all again that failed
#[utoipa::path(post, path = "/webhooks/{id}/resend-failed", tag = "Webhooks", operation_id = "resendFailed",
    params(("id" = Uuid, Path, description = "The endpoint")), security(("key" = ["webhooks:write"])),
    request_body = SinceBody, responses((status = 200, description = "How many are sent again", body = Data<Resent>)))]
pub async fn resend_failed(
    State(state): State<AppState>,
    caller: Caller<WebhooksWrite>,
    Id(id): Id<WebhookId>,
    once: Once,
    input: Input<SinceBody>,
) -> Result<Done, ApiError> {
    let (actor, since) = (caller.actor, input.body.since);
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::OK, |db: Db| async move {
        Ok(Resent { count: webhooks::resend_failed(&db, &actor, id, since).await? })
    });
    Ok(done.await?)
}

/// Send a test event
///
/// `webhook.test`, to this endpoint alone.
#[utoipa::path(post, path = "/webhooks/{id}/test", tag = "Webhooks", operation_id = "testWebhook",
    params(("id" = Uuid, Path, description = "The endpoint")), security(("key" = ["webhooks:write"])),
    request_body = Nothing, responses((status = 201, description = "The delivery", body = Data<DeliveryBody>)))]
pub async fn test(
    State(state): State<AppState>,
    caller: Caller<WebhooksWrite>,
    Id(id): Id<WebhookId>,
    once: Once,
    input: Input<Nothing>,
) -> Result<Done, ApiError> {
    let actor = caller.actor;
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::CREATED, |db: Db| async move {
        let sent = webhooks::send_test(&db, &actor, id).await?;
        Ok(DeliveryBody::from(webhooks::delivery(&db, &actor, sent).await?))
    });
    Ok(done.await?)
}
