//! Heartbeats: an agent says that it is there, signed with its secret; or its owner's program says it, with a key.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::agents::AgentStatus;
use domain::agents::watch::{self, Beat, BeatHeaders};
use domain::{AgentId, Error, Missing};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::{Data, Refusal, data};
use super::caller::{AgentsWrite, Caller};
use crate::state::AppState;
use crate::web::failure::{ApiError, refusal};

/// Largest body, in bytes.
pub const LIMIT: usize = 4 * 1024;

/// What an agent says of itself.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewHeartbeat)]
pub struct HeartbeatBody {
    /// `online`, `degraded` or `offline`; online when left out.
    #[expect(dead_code, reason = "the body is what is signed: it is read as bytes, and this is its schema")]
    status: Option<String>,
}

/// What NEXUS makes of a heartbeat.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Heartbeat {
    /// The agent's status now.
    #[schema(example = "online")]
    status: &'static str,
    /// When the next one is late.
    #[schema(value_type = DateTime<Utc>)]
    next_before: String,
}

/// Send a heartbeat
///
/// From the agent itself, signed with its secret (Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`), and
/// not counted against any limit; or from its owner's program, with a key. A signed one must be newer than the one before.
#[utoipa::path(post, path = "/agents/{id}/heartbeat", tag = "Agents", operation_id = "sendHeartbeat",
    params(("id" = Uuid, Path, description = "Your agent")), security(("key" = ["agents:write"]), ("agentSignature" = [])),
    request_body = HeartbeatBody,
    responses((status = 200, description = "What NEXUS makes of it", body = Data<Heartbeat>),
              (status = 413, description = "The body is larger than 4 kB", body = Refusal)))]
pub async fn receive(
    State(state): State<AppState>,
    Path(id): Path<String>,
    caller: Result<Caller<AgentsWrite>, ApiError>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            return refusal(rejection.status(), "VALIDATION_ERROR", "the body is larger than 4 kB", Value::Null);
        }
    };
    let taken = if headers.contains_key(header::AUTHORIZATION) {
        match caller {
            Ok(caller) => take_from_owner(&state, &id, &caller, &body).await.map_err(ApiError),
            Err(refused) => Err(refused),
        }
        .map_err(IntoResponse::into_response)
    } else {
        take(&state, &id, &headers, &body).await.map_err(refuse)
    };
    match taken {
        Ok(heartbeat) => data(heartbeat).into_response(),
        Err(refused) => refused,
    }
}

fn refuse(error: Error) -> Response {
    match error {
        Error::Unauthorized => {
            // The same for everything that may be wrong: nobody learns which agents there are.
            let message = "the signature is missing or wrong, or its time is more than five minutes off";
            refusal(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message, Value::Null)
        }
        error => ApiError(error).into_response(),
    }
}

async fn take(state: &AppState, id: &str, headers: &HeaderMap, body: &[u8]) -> domain::Result<Heartbeat> {
    let now = Utc::now();
    let beat = sender(state, id, headers, body, now).await?;
    note(state, beat, body, now).await
}

async fn take_from_owner(
    state: &AppState,
    id: &str,
    caller: &Caller<AgentsWrite>,
    body: &[u8],
) -> domain::Result<Heartbeat> {
    let id: AgentId = id.parse().map_err(|_| Error::NotFound(Missing::Agent))?;
    caller.check_agent(id)?;
    let beat = watch::beat_of_owner(&state.db, &caller.actor, id).await?;
    note(state, beat, body, Utc::now()).await
}

async fn note(state: &AppState, beat: Beat, body: &[u8], now: DateTime<Utc>) -> domain::Result<Heartbeat> {
    let beaten = watch::beat(&state.db, beat, said(body)?, now).await?;
    let next_before = beaten.next_before.to_rfc3339_opts(SecondsFormat::Secs, true);
    Ok(Heartbeat { status: beaten.status.as_str(), next_before })
}

/// Who sends it: the agent, by its signing secret.
async fn sender(
    state: &AppState,
    id: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> domain::Result<Beat> {
    let agent: AgentId = id.parse().map_err(|_| Error::Unauthorized)?;
    let header = |name| headers.get(name).and_then(|v| v.to_str().ok()).ok_or(Error::Unauthorized);
    let signed = BeatHeaders {
        id: header("webhook-id")?,
        timestamp: header("webhook-timestamp")?,
        signature: header("webhook-signature")?,
    };
    watch::authenticate_beat(&state.db, agent, signed, body, now).await
}

/// What it says of itself; online where it says nothing.
fn said(body: &[u8]) -> domain::Result<AgentStatus> {
    if body.trim_ascii().is_empty() {
        return Ok(AgentStatus::Online);
    }
    let value: Value = serde_json::from_slice(body).map_err(|_| Error::field("body", "is not JSON"))?;
    match value.get("status") {
        None if value.is_object() => Ok(AgentStatus::Online),
        None => Err(Error::field("body", "is not a JSON object")),
        Some(word) => word
            .as_str()
            .and_then(AgentStatus::parse)
            .ok_or_else(|| Error::field("status", "must be online, degraded or offline")),
    }
}
