//! `POST /api/v1/agents/{id}/heartbeat`: an agent says that it is there.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::agents::AgentStatus;
use domain::agents::watch::{self, Beat, BeatHeaders};
use domain::{AgentId, Error};
use serde_json::{Value, json};

use super::failure::ApiError;
use crate::state::AppState;

/// Largest body, in bytes.
pub const LIMIT: usize = 4 * 1024;

/// Takes a heartbeat.
pub async fn receive(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            let error =
                json!({ "code": "VALIDATION_ERROR", "message": "the body is larger than 4 kB", "details": null });
            return (rejection.status(), Json(json!({ "error": error }))).into_response();
        }
    };
    match take(&state, &id, &headers, &body).await {
        Ok(value) => Json(json!({ "data": value })).into_response(),
        Err(Error::Unauthorized) => {
            // The same for everything that may be wrong: nobody learns which agents there are.
            let message = "the signature is missing or wrong, or its time is more than five minutes off";
            let error = json!({ "code": "UNAUTHORIZED", "message": message, "details": null });
            (StatusCode::UNAUTHORIZED, Json(json!({ "error": error }))).into_response()
        }
        Err(error) => ApiError(error).into_response(),
    }
}

async fn take(state: &AppState, id: &str, headers: &HeaderMap, body: &[u8]) -> domain::Result<Value> {
    let now = Utc::now();
    let beat = sender(state, id, headers, body, now).await?;
    let beaten = watch::beat(&state.db, beat, said(body)?, now).await?;
    let next = beaten.next_before.to_rfc3339_opts(SecondsFormat::Secs, true);
    Ok(json!({ "status": beaten.status.as_str(), "nextBefore": next }))
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
