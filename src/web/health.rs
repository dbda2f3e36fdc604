//! Whether the program lives and can work.

use axum::extract::State;
use axum::http::StatusCode;

use crate::state::AppState;

/// The process answers.
pub async fn alive() -> &'static str {
    "ok"
}

/// The database answers and has this program's schema.
pub async fn ready(State(state): State<AppState>) -> (StatusCode, &'static str) {
    match state.db.ready().await {
        Ok(()) => (StatusCode::OK, "ready"),
        Err(error) => {
            tracing::warn!(error = %crate::cli::with_source(&error), "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready")
        }
    }
}
