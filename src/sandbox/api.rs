//! The stand-in for Stripe's API.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use uuid::Uuid;

use super::{API_KEY, session};
use crate::state::AppState;

/// Its addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/sandbox/stripe/v1/checkout/sessions", post(create))
        .route("/sandbox/stripe/v1/checkout/sessions/{id}", get(retrieve))
}

async fn create(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Response {
    if !authorised(&headers) {
        return error(StatusCode::UNAUTHORIZED, "Invalid API Key provided", "");
    }
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let wanted = match session::wanted(&form) {
        Ok(wanted) => wanted,
        Err(parameter) => return error(StatusCode::BAD_REQUEST, "Missing or invalid parameter", parameter),
    };
    let id = format!("cs_test_{}", Uuid::new_v4().simple());
    let mut page = (*state.public_url).clone();
    page.set_path(&format!("/sandbox/checkout/{id}"));
    let key = headers.get("idempotency-key").and_then(|v| v.to_str().ok());
    let made = session::session(&id, &wanted, page.as_str());
    match domain::sandbox::create_session(&state.db, &id, key, &made).await {
        Ok(session) => Json(session).into_response(),
        Err(failure) => {
            crate::web::failure::log_if_ours(&failure);
            error(StatusCode::INTERNAL_SERVER_ERROR, "The sandbox could not keep the session", "")
        }
    }
}

async fn retrieve(State(state): State<AppState>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    if !authorised(&headers) {
        return error(StatusCode::UNAUTHORIZED, "Invalid API Key provided", "");
    }
    match domain::sandbox::session(&state.db, &id).await {
        Ok(Some(session)) => Json(session).into_response(),
        Ok(None) => error(StatusCode::NOT_FOUND, "No such checkout session", "session"),
        Err(failure) => {
            crate::web::failure::log_if_ours(&failure);
            error(StatusCode::INTERNAL_SERVER_ERROR, "The sandbox could not read the session", "")
        }
    }
}

fn authorised(headers: &HeaderMap) -> bool {
    headers.get("authorization").and_then(|v| v.to_str().ok()) == Some(&format!("Bearer {API_KEY}"))
}

fn error(status: StatusCode, message: &str, parameter: &str) -> Response {
    let body = json!({ "error": { "type": "invalid_request_error", "message": message, "param": parameter } });
    (status, Json(body)).into_response()
}
