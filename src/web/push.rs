//! Where agents ring when there is news of a task (A2A 1.0, section 3.1 "Push Notifications"; 0.3, section 9.5).

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use domain::TaskId;
use domain::tasks::dispatch;
use futures::StreamExt as _;

use super::failure::log_if_ours;
use crate::state::AppState;

/// As much as is taken off the wire of what an agent sends along.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// Takes the ring. What comes with it is not believed, and so not read: the agent is asked. Unknown tasks, ended ones and wrong
/// tokens look alike.
pub async fn ring(
    State(state): State<AppState>,
    Path(task): Path<TaskId>,
    headers: HeaderMap,
    body: Body,
) -> StatusCode {
    // Taken off the wire all the same, for agents that do not read an answer before they have sent everything.
    let mut chunks = body.into_data_stream();
    let mut taken = 0;
    while let Some(Ok(chunk)) = chunks.next().await {
        taken += chunk.len();
        if taken > BODY_LIMIT {
            return StatusCode::PAYLOAD_TOO_LARGE;
        }
    }
    let Some(token) = token(&headers) else { return StatusCode::UNAUTHORIZED };
    match dispatch::ring(&state.db, task, token).await {
        Ok(true) => StatusCode::NO_CONTENT,
        Ok(false) => StatusCode::NOT_FOUND,
        Err(error) => {
            log_if_ours(&error);
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Agents show the token in the header of either version.
fn token(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| {
        let (scheme, rest) = v.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(rest.trim())
    });
    bearer.or_else(|| headers.get("x-a2a-notification-token").and_then(|v| v.to_str().ok()))
}
