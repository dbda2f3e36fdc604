//! What each error of the economy is over HTTP. No wildcard arm: a new error does not compile until it has a status.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Error;
use serde_json::{Value, json};

/// The status of an error (design section 7).
pub fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::Unauthorized | Error::WrongCredentials | Error::Key(_) => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) | Error::SpendingLimit(_) | Error::MissingScope(_) | Error::TrustThresholdNotMet(_) => {
            StatusCode::FORBIDDEN
        }
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::AgentOffline(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Conflict(_) | Error::RequestInFlight | Error::TaskCancelled => StatusCode::CONFLICT,
        Error::IdempotencyConflict => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Stale => StatusCode::PRECONDITION_FAILED,
        Error::Protocol(_) => StatusCode::BAD_GATEWAY,
        Error::InsufficientCredits { .. } => StatusCode::PAYMENT_REQUIRED,
        Error::Validation(_) => StatusCode::BAD_REQUEST,
        Error::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Logs a fault of ours, once, where it leaves the program. Everything else is the caller's to mend.
pub fn log_if_ours(error: &Error) {
    if let Error::Internal(source) = error {
        tracing::error!(error = %source, "a request failed");
    }
}

/// A refusal as programs get it: `{"error": {"code", "message", "details"}}`.
pub fn refusal(status: StatusCode, code: &str, message: &str, details: Value) -> Response {
    (status, Json(json!({ "error": { "code": code, "message": message, "details": details } }))).into_response()
}

/// An error as the API's programs get it: `{"error": {"code", "message", "details"}}`.
pub struct ApiError(pub Error);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        log_if_ours(&self.0);
        let details = match &self.0 {
            Error::Validation(fields) => {
                json!(fields.iter().map(|f| json!({ "field": f.field, "message": f.message })).collect::<Vec<_>>())
            }
            Error::InsufficientCredits { needed, available } => json!({ "needed": needed, "available": available }),
            Error::MissingScope(scope) => json!({ "scope": scope.as_str() }),
            Error::Unauthorized
            | Error::WrongCredentials
            | Error::Key(_)
            | Error::TrustThresholdNotMet(_)
            | Error::RequestInFlight
            | Error::IdempotencyConflict
            | Error::Stale
            | Error::TaskCancelled
            | Error::Protocol(_)
            | Error::Forbidden(_)
            | Error::SpendingLimit(_)
            | Error::NotFound(_)
            | Error::AgentOffline(_)
            | Error::Conflict(_)
            | Error::RateLimited(_)
            | Error::Internal(_) => json!(null),
        };
        let mut response = refusal(status_of(&self.0), self.0.code(), &self.0.to_string(), details);
        let wait = match &self.0 {
            Error::RateLimited(wait) => Some(wait.as_secs_f64().ceil() as u64),
            Error::RequestInFlight => Some(1),
            _ => None,
        };
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        ApiError(error)
    }
}
