//! Webhooks over REST: endpoints.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::webhooks::{self, EVENT_TYPES, Endpoint, EndpointChange, NewEndpoint, OffReason};
use domain::{Db, WebhookId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Answer, Data, check_match, data, tagged};
use super::caller::{Caller, Visitor, WebhooksRead, WebhooksWrite};
use super::input::{Id, Input, Nothing};
use super::once::{Done, Once};
use crate::state::AppState;
use crate::web::failure::ApiError;

/// An address that events are sent to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookEndpoint)]
pub struct EndpointBody {
    /// The endpoint.
    id: Uuid,
    /// Where events go.
    url: String,
    /// Your words for it.
    description: String,
    /// The types that it wants; empty for all, also those that come later.
    types: Vec<String>,
    /// Whether anything is sent there.
    active: bool,
    /// Why nothing is: `owner`, `gone` (the receiver answered 410) or `failing` (every try failed for five days).
    #[schema(required)]
    off_reason: Option<&'static str>,
    /// The first failed try since the last event that arrived.
    #[schema(required)]
    failing_since: Option<DateTime<Utc>>,
    /// When the last event to it was written.
    #[schema(required)]
    last_event_at: Option<DateTime<Utc>>,
    /// When it was added.
    created_at: DateTime<Utc>,
}

impl From<Endpoint> for EndpointBody {
    fn from(e: Endpoint) -> EndpointBody {
        EndpointBody {
            id: e.id.0,
            url: e.url,
            description: e.description,
            types: e.types,
            active: e.off.is_none(),
            off_reason: e.off.map(|off| match off.reason {
                OffReason::Owner => "owner",
                OffReason::Gone => "gone",
                OffReason::Failing => "failing",
            }),
            failing_since: e.failing_since,
            last_event_at: e.last_message_at,
            created_at: e.created_at,
        }
    }
}

/// An endpoint and the one sight of its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreatedWebhookEndpoint)]
pub struct CreatedEndpointBody {
    /// The endpoint.
    #[serde(flatten)]
    endpoint: EndpointBody,
    /// What events to it are signed with (Standard Webhooks). Shown this once.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    secret: String,
}

/// A type of event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEventType)]
pub struct EventTypeBody {
    /// What stands in the event as `type`.
    #[schema(example = "task.completed")]
    name: &'static str,
    /// When it is sent.
    means: &'static str,
}

/// List the types of events
#[utoipa::path(get, path = "/webhooks/event-types", tag = "Webhooks", operation_id = "listEventTypes",
    responses((status = 200, description = "All types", body = Data<Vec<EventTypeBody>>)))]
pub async fn types(_: Visitor) -> Json<Data<Vec<EventTypeBody>>> {
    data(EVENT_TYPES.iter().map(|t| EventTypeBody { name: t.name, means: t.means }).collect())
}

/// List endpoints
#[utoipa::path(get, path = "/webhooks", tag = "Webhooks", operation_id = "listWebhooks",
    security(("key" = ["webhooks:read"])),
    responses((status = 200, description = "Your endpoints, oldest first", body = Data<Vec<EndpointBody>>)))]
pub async fn all(State(state): State<AppState>, caller: Caller<WebhooksRead>) -> Answer<Vec<EndpointBody>> {
    let endpoints = webhooks::list(&state.db, &caller.actor).await?;
    Ok(data(endpoints.into_iter().map(EndpointBody::from).collect()))
}

/// An endpoint to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWebhookEndpoint)]
pub struct NewEndpointBody {
    /// Where events go: an https address.
    url: String,
    /// Your words for it, at most 200 characters.
    description: Option<String>,
    /// The types that it wants; all when left out, also those that come later.
    types: Option<Vec<String>>,
}

/// Add an endpoint
#[utoipa::path(post, path = "/webhooks", tag = "Webhooks", operation_id = "createWebhook",
    security(("key" = ["webhooks:write"])), request_body = NewEndpointBody,
    responses((status = 201, description = "The endpoint, with its secret this once", body = Data<CreatedEndpointBody>)))]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller<WebhooksWrite>,
    once: Once,
    input: Input<NewEndpointBody>,
) -> Result<Done, ApiError> {
    let (actor, body, schemes) = (caller.actor, input.body, state.webhook_schemes);
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::CREATED, |db: Db| async move {
        let new = NewEndpoint {
            url: body.url,
            description: body.description.unwrap_or_default(),
            types: body.types.unwrap_or_default(),
        };
        let (endpoint, secret) = webhooks::create(&db, &actor, new, schemes).await?;
        Ok(CreatedEndpointBody { endpoint: endpoint.into(), secret: secret.0 })
    });
    Ok(done.await?)
}

/// Get an endpoint
#[utoipa::path(get, path = "/webhooks/{id}", tag = "Webhooks", operation_id = "getWebhook",
    params(("id" = Uuid, Path, description = "The endpoint")), security(("key" = ["webhooks:read"])),
    responses((status = 200, description = "The endpoint", body = Data<EndpointBody>),
              (status = 304, description = "As `If-None-Match` says")))]
pub async fn one(
    State(state): State<AppState>,
    caller: Caller<WebhooksRead>,
    Id(id): Id<WebhookId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    Ok(tagged(EndpointBody::from(webhooks::get(&state.db, &caller.actor, id).await?), &headers))
}

/// What changes of an endpoint; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookEndpointChange)]
pub struct EndpointChangeBody {
    /// Where events go.
    url: Option<String>,
    /// Your words for it.
    description: Option<String>,
    /// The types that it wants; empty for all.
    types: Option<Vec<String>>,
    /// Whether anything is sent there. What waits when it is switched off has failed.
    active: Option<bool>,
}

/// Change an endpoint
#[utoipa::path(patch, path = "/webhooks/{id}", tag = "Webhooks", operation_id = "changeWebhook",
    params(("id" = Uuid, Path, description = "The endpoint")), security(("key" = ["webhooks:write"])),
    request_body = EndpointChangeBody, responses((status = 200, description = "The endpoint", body = Data<EndpointBody>)))]
pub async fn change(
    State(state): State<AppState>,
    caller: Caller<WebhooksWrite>,
    Id(id): Id<WebhookId>,
    headers: HeaderMap,
    once: Once,
    input: Input<EndpointChangeBody>,
) -> Result<Done, ApiError> {
    let (actor, body, schemes) = (caller.actor, input.body, state.webhook_schemes);
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::OK, |db: Db| async move {
        webhooks::lock(&db, &actor, id).await?;
        check_match(&headers, &EndpointBody::from(webhooks::get(&db, &actor, id).await?))?;
        let change =
            EndpointChange { url: body.url, description: body.description, types: body.types, active: body.active };
        Ok(EndpointBody::from(webhooks::change(&db, &actor, id, change, schemes).await?))
    });
    Ok(done.await?)
}

/// Remove an endpoint
///
/// With the log of what was sent to it.
#[utoipa::path(delete, path = "/webhooks/{id}", tag = "Webhooks", operation_id = "deleteWebhook",
    params(("id" = Uuid, Path, description = "The endpoint")), security(("key" = ["webhooks:write"])),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(
    State(state): State<AppState>,
    caller: Caller<WebhooksWrite>,
    Id(id): Id<WebhookId>,
) -> Result<StatusCode, ApiError> {
    webhooks::delete(&state.db, &caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A secret that is shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookSecret)]
pub struct SecretBody {
    /// What events are signed with. The former one is good for a day more: events carry both signatures until then.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    secret: String,
}

/// Rotate the secret of an endpoint
///
/// The former one stays good for a day: events carry both signatures until then.
#[utoipa::path(post, path = "/webhooks/{id}/secret/rotate", tag = "Webhooks", operation_id = "rotateWebhookSecret",
    params(("id" = Uuid, Path, description = "The endpoint")), security(("key" = ["webhooks:write"])),
    request_body = Nothing, responses((status = 200, description = "The new secret, this once", body = Data<SecretBody>)))]
pub async fn rotate(
    State(state): State<AppState>,
    caller: Caller<WebhooksWrite>,
    Id(id): Id<WebhookId>,
    once: Once,
    input: Input<Nothing>,
) -> Result<Done, ApiError> {
    let actor = caller.actor;
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::OK, |db: Db| async move {
        Ok(SecretBody { secret: webhooks::rotate_secret(&db, &actor, id).await?.0 })
    });
    Ok(done.await?)
}
