//! API keys over REST.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use domain::api_keys::{self, ApiKey, KeyChange, NewKey, Scopes};
use domain::{AgentId, Db, KeyId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Data, Money, check_match, data, tagged};
use super::caller::{Caller, KeysRead, KeysWrite};
use super::input::{Id, Input, double};
use super::once::{Done, Once};
use crate::state::AppState;
use crate::web::failure::ApiError;

/// A key; its secret is not kept.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApiKey)]
pub struct KeyBody {
    /// The key.
    id: Uuid,
    /// What it is for.
    name: String,
    /// The first 12 characters of the secret.
    prefix: String,
    /// `resource:read`, `resource:write` or `*`.
    #[schema(example = json!(["tasks:write"]))]
    scopes: Vec<String>,
    /// The only agents that it may hire, manage and see tasks of; `null` is any.
    #[schema(required)]
    agent_ids: Option<Vec<Uuid>>,
    /// The most that it may spend; what is refunded may be spent again.
    caps: Caps,
    /// What it has spent.
    spent: Spent,
    /// Its own rate limit in requests a minute; `null` leaves the account's alone.
    #[schema(required)]
    requests_per_minute: Option<i32>,
    /// When it was last used, to the minute.
    #[schema(required)]
    last_used_at: Option<DateTime<Utc>>,
    /// When it ends by itself.
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    /// When its secret was last replaced.
    #[schema(required)]
    rotated_at: Option<DateTime<Utc>>,
    /// Until when the secret before that is good.
    #[schema(required)]
    former_good_until: Option<DateTime<Utc>>,
    /// When it was revoked.
    #[schema(required)]
    revoked_at: Option<DateTime<Utc>>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

/// Spending caps; `null` is none. Days and months are those of UTC.
#[derive(Debug, Serialize, ToSchema)]
pub struct Caps {
    /// A day.
    #[schema(required, value_type = Option<Money>)]
    day: Option<Money>,
    /// A calendar month.
    #[schema(required, value_type = Option<Money>)]
    month: Option<Money>,
    /// In all.
    #[schema(required, value_type = Option<Money>)]
    total: Option<Money>,
}

/// What was held and has not come back.
#[derive(Debug, Serialize, ToSchema)]
pub struct Spent {
    /// Today.
    day: Money,
    /// This calendar month.
    month: Money,
    /// In all.
    total: Money,
}

impl From<ApiKey> for KeyBody {
    fn from(k: ApiKey) -> KeyBody {
        KeyBody {
            id: k.id.0,
            name: k.name,
            prefix: k.prefix,
            scopes: k.scopes.words(),
            agent_ids: k.agents.map(|a| a.into_iter().map(|a| a.0).collect()),
            caps: Caps { day: k.daily_cap.map(Money), month: k.monthly_cap.map(Money), total: k.total_cap.map(Money) },
            spent: Spent { day: Money(k.spent_today), month: Money(k.spent_this_month), total: Money(k.spent_total) },
            requests_per_minute: k.requests_per_minute,
            last_used_at: k.last_used_at,
            expires_at: k.expires_at,
            rotated_at: k.rotated_at,
            former_good_until: k.former_good_until,
            revoked_at: k.revoked_at,
            created_at: k.created_at,
        }
    }
}

/// A key and the one sight of its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreatedApiKey)]
pub struct CreatedKeyBody {
    /// The key.
    #[serde(flatten)]
    key: KeyBody,
    /// What a program sends as `Authorization: Bearer …`. Shown this once.
    #[schema(example = "nxk_4Yl0m2W0eH9zV3uQ7c1xT5bN8rK6pJ2sD4fG7hL9aZs")]
    secret: String,
}

impl From<api_keys::CreatedKey> for CreatedKeyBody {
    fn from(created: api_keys::CreatedKey) -> CreatedKeyBody {
        CreatedKeyBody { secret: created.token.reveal().to_owned(), key: created.key.into() }
    }
}

/// A key as it is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewApiKey)]
pub struct NewKeyBody {
    /// What it is for; 1 to 100 characters.
    name: String,
    /// `resource:read`, `resource:write` or `*`. Writing includes reading.
    #[schema(example = json!(["tasks:write"]))]
    scopes: Vec<String>,
    /// When it ends by itself; never when left out.
    expires_at: Option<DateTime<Utc>>,
    /// The only agents that it may hire, manage and see tasks of; 1 to 100.
    agent_ids: Option<Vec<Uuid>>,
    /// The most it may spend a day (UTC).
    #[schema(value_type = Option<Money>)]
    daily_cap: Option<Money>,
    /// The most it may spend a calendar month (UTC).
    #[schema(value_type = Option<Money>)]
    monthly_cap: Option<Money>,
    /// The most it may spend in all.
    #[schema(value_type = Option<Money>)]
    total_cap: Option<Money>,
    /// Its own rate limit, 1 to 100,000.
    requests_per_minute: Option<i32>,
}

fn agents(ids: Vec<Uuid>) -> Vec<AgentId> {
    ids.into_iter().map(AgentId).collect()
}

/// List keys
#[utoipa::path(get, path = "/keys", tag = "Keys", operation_id = "listKeys", security(("key" = ["keys:read"])),
    responses((status = 200, description = "Your keys, newest first; those revoked more than 30 days ago are left out",
               body = Data<Vec<KeyBody>>)))]
pub async fn all(
    State(state): State<AppState>,
    caller: Caller<KeysRead>,
) -> Result<Json<Data<Vec<KeyBody>>>, ApiError> {
    let keys = api_keys::list(&state.db, &caller.actor, Utc::now()).await?;
    Ok(data(keys.into_iter().map(KeyBody::from).collect()))
}

/// Create a key
///
/// It can do no more than the key that creates it: no other scopes, no longer life. A key with a spending cap, chosen agents or a
/// rate limit of its own creates none.
#[utoipa::path(post, path = "/keys", tag = "Keys", operation_id = "createKey", security(("key" = ["keys:write"])),
    request_body = NewKeyBody,
    responses((status = 201, description = "The key, with its secret this once", body = Data<CreatedKeyBody>)))]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller<KeysWrite>,
    once: Once,
    input: Input<NewKeyBody>,
) -> Result<Done, ApiError> {
    let (actor, body) = (caller.actor, input.body);
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::CREATED, |db: Db| async move {
        let new = NewKey {
            name: body.name,
            scopes: Scopes::parse(&body.scopes)?,
            expires_at: body.expires_at,
            agents: body.agent_ids.map(agents),
            daily_cap: body.daily_cap.map(|m| m.0),
            monthly_cap: body.monthly_cap.map(|m| m.0),
            total_cap: body.total_cap.map(|m| m.0),
            requests_per_minute: body.requests_per_minute,
        };
        Ok(CreatedKeyBody::from(api_keys::create(&db, &actor, new, Utc::now()).await?))
    });
    Ok(done.await?)
}

/// Get a key
#[utoipa::path(get, path = "/keys/{id}", tag = "Keys", operation_id = "getKey",
    params(("id" = Uuid, Path, description = "The key")), security(("key" = ["keys:read"])),
    responses((status = 200, description = "The key", body = Data<KeyBody>),
              (status = 304, description = "As `If-None-Match` says")))]
pub async fn one(
    State(state): State<AppState>,
    caller: Caller<KeysRead>,
    Id(id): Id<KeyId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let key = api_keys::find(&state.db, &caller.actor, id, Utc::now()).await?;
    Ok(tagged(KeyBody::from(key), &headers))
}

/// What changes of a key; what is left out stays, and `null` takes a limit away.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ApiKeyChange)]
pub struct KeyChangeBody {
    /// What it is for.
    name: Option<String>,
    /// What it may do.
    scopes: Option<Vec<String>>,
    /// When it ends by itself.
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    expires_at: Option<Option<DateTime<Utc>>>,
    /// The only agents that it may hire, manage and see tasks of.
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<Vec<Uuid>>)]
    agent_ids: Option<Option<Vec<Uuid>>>,
    /// The most it may spend a day (UTC).
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<Money>)]
    daily_cap: Option<Option<Money>>,
    /// The most it may spend a calendar month (UTC).
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<Money>)]
    monthly_cap: Option<Option<Money>>,
    /// The most it may spend in all.
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<Money>)]
    total_cap: Option<Option<Money>>,
    /// Its own rate limit.
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<i32>)]
    requests_per_minute: Option<Option<i32>>,
}

impl KeyChangeBody {
    fn change(self) -> domain::Result<KeyChange> {
        let sum = |m: Option<Option<Money>>| m.map(|m| m.map(|m| m.0));
        Ok(KeyChange {
            name: self.name,
            scopes: self.scopes.map(|s| Scopes::parse(&s)).transpose()?,
            expires_at: self.expires_at,
            agents: self.agent_ids.map(|a| a.map(agents)),
            daily_cap: sum(self.daily_cap),
            monthly_cap: sum(self.monthly_cap),
            total_cap: sum(self.total_cap),
            requests_per_minute: self.requests_per_minute,
        })
    }
}

/// Change a key
///
/// Its secret stays. The next request is measured by it.
#[utoipa::path(patch, path = "/keys/{id}", tag = "Keys", operation_id = "changeKey",
    params(("id" = Uuid, Path, description = "The key")), security(("key" = ["keys:write"])), request_body = KeyChangeBody,
    responses((status = 200, description = "The key", body = Data<KeyBody>)))]
pub async fn change(
    State(state): State<AppState>,
    caller: Caller<KeysWrite>,
    Id(id): Id<KeyId>,
    headers: HeaderMap,
    once: Once,
    input: Input<KeyChangeBody>,
) -> Result<Done, ApiError> {
    let (actor, body) = (caller.actor, input.body);
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::OK, |db: Db| async move {
        let now = Utc::now();
        api_keys::lock(&db, &actor).await?;
        check_match(&headers, &KeyBody::from(api_keys::find(&db, &actor, id, now).await?))?;
        Ok(KeyBody::from(api_keys::change(&db, &actor, id, body.change()?, now).await?))
    });
    Ok(done.await?)
}

/// Revoke a key
///
/// At once, in every process. A key may revoke itself.
#[utoipa::path(delete, path = "/keys/{id}", tag = "Keys", operation_id = "revokeKey",
    params(("id" = Uuid, Path, description = "The key")), security(("key" = ["keys:write"])),
    responses((status = 204, description = "It is revoked")))]
pub async fn revoke(
    State(state): State<AppState>,
    caller: Caller<KeysWrite>,
    Id(id): Id<KeyId>,
) -> Result<StatusCode, ApiError> {
    api_keys::revoke(&state.db, &caller.actor, id, Utc::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How a secret is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Rotation)]
pub struct RotationBody {
    /// How long the former secret stays good, in seconds: 0 to 86,400 (24 hours); 0 when left out.
    #[schema(minimum = 0, maximum = 86400)]
    grace_seconds: Option<i64>,
}

/// Rotate a key
///
/// A new secret; all else stays. A key may rotate itself.
#[utoipa::path(post, path = "/keys/{id}/rotate", tag = "Keys", operation_id = "rotateKey",
    params(("id" = Uuid, Path, description = "The key")), security(("key" = ["keys:write"])), request_body = RotationBody,
    responses((status = 200, description = "The key, with its new secret this once", body = Data<CreatedKeyBody>)))]
pub async fn rotate(
    State(state): State<AppState>,
    caller: Caller<KeysWrite>,
    Id(id): Id<KeyId>,
    once: Once,
    input: Input<RotationBody>,
) -> Result<Done, ApiError> {
    let actor = caller.actor;
    let grace = input.body.grace_seconds.unwrap_or(0);
    // What is out of range is refused below; what is out of reason must not overflow before.
    let grace = TimeDelta::try_seconds(grace).unwrap_or(TimeDelta::MAX);
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::OK, |db: Db| async move {
        Ok(CreatedKeyBody::from(api_keys::rotate(&db, &actor, id, grace, Utc::now()).await?))
    });
    Ok(done.await?)
}

/// Check this key
///
/// What the key that asks may do, and what it has spent: for programs that want to know before they try.
#[utoipa::path(get, path = "/keys/current", tag = "Keys", operation_id = "getCurrentKey", security(("key" = [])),
    responses((status = 200, description = "The key that asks", body = Data<KeyBody>)))]
pub async fn current(
    State(state): State<AppState>,
    caller: Caller<super::caller::AnyScope>,
) -> Result<Json<Data<KeyBody>>, ApiError> {
    Ok(data(KeyBody::from(api_keys::current(&state.db, &caller.actor, Utc::now()).await?)))
}
